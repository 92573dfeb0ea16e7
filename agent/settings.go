package agent

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"condica/agent/api"
	"condica/agent/control"
	"condica/agent/page"
	"condica/spclep"
	"condica/spclep/settings"
	"condica/sync/link"
	"condica/sync/peer"
	"condica/sync/wire"
)

// openControl puts the last proven settings in force, before anybody sees the
// desk.
func (a *Agent) openControl(ctx context.Context) (err error) {
	h, _, err := enrolledHub(a.o.Dir)
	if err != nil {
		h = hub{} // openLine says so; the desk works by the program's own rules
	}
	a.root.Store(&h.Root)
	base, err := reference(a.o.Bundle)
	if err != nil {
		return err
	}
	a.control, err = control.New(ctx, control.Config{
		Store: a.db, Base: base, Root: func() ed25519.PublicKey { return *a.root.Load() },
		Office: a.officeToday, Faults: a.faults, Judged: a.rhythm, Wake: a.wake(), Fault: a.fault, Log: a.o.Log,
	})
	return err
}

// retainEvery is how often it is looked whether a day has passed, and whether the
// hub's time is known by now.
const retainEvery = 10 * time.Minute

// wake ticks until the agent is closed.
func (a *Agent) wake() <-chan time.Time {
	t := time.NewTicker(retainEvery)
	context.AfterFunc(a.ctx, t.Stop)
	return t.C
}

// officeToday is this PC's office and its day.
func (a *Agent) officeToday(ctx context.Context) (spclep.OfficeID, spclep.Day, error) {
	d, err := a.office.Desk(ctx)
	if err != nil {
		return "", 0, err
	}
	m, err := a.office.Moment(ctx)
	return d.Office, d.Today(m), err
}

// answered looks at what an answer of the hub says about settings.
func (a *Agent) answered(w wire.Answer) {
	if len(w.Root) > 0 && len(*a.root.Load()) == 0 {
		if err := a.pinRoot(w.Root); err != nil {
			a.o.Log.Error("the hub's root key could not be kept", "error", err)
			return
		}
	}
	if w.Settings != nil || len(w.Root) > 0 {
		a.control.Ring()
	}
}

// pinRoot keeps the root key that the hub of the enrolment named. It is the
// first and the only one: no later answer changes it.
func (a *Agent) pinRoot(root []byte) error {
	if len(root) != ed25519.PublicKeySize {
		return fmt.Errorf("the root key has %d bytes, want %d", len(root), ed25519.PublicKeySize)
	}
	a.files.Lock()
	defer a.files.Unlock()
	h, ok, err := enrolledHub(a.o.Dir)
	if err != nil || !ok || len(h.Root) > 0 {
		return err
	}
	h.Root = root
	if err := saveHub(a.o.Dir, h); err != nil {
		return err
	}
	a.root.Store(&h.Root)
	a.o.Log.Info("settings from the centre are trusted from now on")
	return nil
}

// rhythm tells the line how often to ask by the settings in force, and with it
// the hub where this PC stands.
func (a *Agent) rhythm() {
	if l := a.line.Load(); l != nil {
		l.SetRhythm(rhythmOf(a.control.Rules()))
	}
}

func rhythmOf(r settings.Rules) peer.Rhythm {
	return peer.Rhythm{PollEvery: int64(r.Settings.Sync.PollSeconds) * 1000, Wait: r.Settings.Sync.Wait}
}

func (a *Agent) setLine(l *link.Link) {
	a.line.Store(l)
	a.office.SetLine(l)
	a.rhythm()
}

// leveled lets through what the settings in force want in the log.
type leveled struct {
	slog.Handler
	level *slog.LevelVar
}

func (h leveled) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.level.Level() && h.Handler.Enabled(ctx, l)
}
func (h leveled) WithAttrs(as []slog.Attr) slog.Handler {
	return leveled{h.Handler.WithAttrs(as), h.level}
}
func (h leveled) WithGroup(name string) slog.Handler {
	return leveled{h.Handler.WithGroup(name), h.level}
}

// setLevel follows the settings; a word that slog does not know was refused
// before it came here.
func (a *Agent) setLevel(r settings.Rules) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(r.Settings.LogLevel)); err == nil {
		a.level.Set(l)
	}
}

// The desk as it is asked whether it works: its pages, and every booking of the
// days around today.
const (
	proofDays     = 7
	proofBookings = 300
	proofTimeout  = 20 * time.Second // of one page, on an old PC that does other things too
)

var proofPages = [...]string{"/", "/fara-programare", "/ridicari", "/conflicte", "/coada", "/ajutor", "/stare"}

// faults asks the desk over HTTP, as a clerk's browser and scripts do, what it
// cannot do now.
func (a *Agent) faults(ctx context.Context) map[string]string {
	out := map[string]string{}
	asking := &http.Client{Timeout: proofTimeout, Transport: &http.Transport{DialContext: (&net.Dialer{}).DialContext}}
	defer asking.CloseIdleConnections()
	for _, page := range proofPages {
		if err := a.get(ctx, asking, page, nil); err != nil {
			out["page "+page] = err.Error()
		}
	}
	ids, err := a.bookingsAround(ctx)
	if err != nil {
		out["the bookings"] = err.Error()
	}
	for _, id := range ids {
		var v api.Visit
		if err := a.get(ctx, asking, api.Prefix+"visits/"+string(id), &v); err != nil {
			out["booking "+string(id)] = err.Error()
		} else if v.Rules.Error != "" {
			out["booking "+string(id)] = v.Rules.Error
		}
	}
	return out
}

// bookingsAround lists those that people may come for in the days to come.
func (a *Agent) bookingsAround(ctx context.Context) (ids []spclep.BookingID, err error) {
	_, today, err := a.officeToday(ctx)
	if err != nil {
		return nil, err
	}
	for day := today; day < today.Add(proofDays); day++ {
		rows, err := a.db.Day(ctx, day)
		if err != nil {
			return ids, err
		}
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
	}
	return ids[:min(len(ids), proofBookings)], nil
}

// get asks the desk for one page, or for an answer of the local API.
func (a *Agent) get(ctx context.Context, asking *http.Client, path string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+a.token)
	if a.tickets != nil {
		req.AddCookie(a.tickets.Inside())
	}
	req.AddCookie(page.InsideCookie(a.inside))
	resp, err := asking.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the desk answers with status %d", resp.StatusCode)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
