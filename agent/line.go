package agent

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"condica/agent/api"
	"condica/spclep"
	"condica/sync/hlc"
	"condica/sync/link"
	"condica/sync/wire"
)

// openLine starts the conversation with the hub, if the PC is enrolled, or
// keeps trying a token that was left while the line was down.
func (a *Agent) openLine() error {
	h, ok, err := enrolledHub(a.o.Dir)
	if err != nil {
		return err
	}
	if ok {
		return a.startLink(h)
	}
	t, ok, err := pendingToken(a.o.Dir)
	if err != nil {
		a.o.Log.Error("the enrolment token left in the data folder cannot be used", "error", err)
		return nil
	}
	if ok {
		a.work.Go(func() { a.keepEnrolling(t) })
	}
	return nil
}

func (a *Agent) startLink(h hub) error {
	if a.o.Hub != "" {
		h.URL = a.o.Hub
	}
	l, err := link.New(link.Config{
		Hub: h.URL, Pin: h.Pin, Key: a.key, Now: a.o.Clock.Reading, Times: a.times,
		Health: a.health(), Seed: binary.BigEndian.Uint64(a.key.Public().(ed25519.PublicKey)), Log: a.o.Log,
		Settings: a.control.At, Answered: a.answered,
	}, a.db)
	if err != nil {
		return fmt.Errorf("the line: %w", err)
	}
	a.linked = true
	a.setLine(l)
	a.work.Go(func() { l.Run(a.ctx) })
	return nil
}

// times lists the moments it may be now, for TLS (rule 7 of the clocks): the
// hub's time if it was measured in this run of the PC, the PC's clock, the
// build, and the last time the hub was heard.
func (a *Agent) times() []time.Time {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	var out []time.Time
	if ms, clock, _, err := a.db.Now(ctx); err == nil && clock == hlc.Measured {
		out = append(out, time.UnixMilli(ms))
	}
	out = append(out, a.o.Clock.Wall(), time.Now())
	if !a.o.Built.IsZero() {
		out = append(out, a.o.Built)
	}
	if st, err := a.db.Standing(ctx); err == nil && st.LastOK > 0 {
		out = append(out, time.UnixMilli(st.LastOK))
	}
	return out
}

// Health is what the console shows of a PC.
type Health struct {
	Version  string `json:"v,omitempty"`
	Unsent   int    `json:"u,omitempty"`
	OldestMs int64  `json:"o,omitempty"` // when the oldest unsent op was written
	Refused  int    `json:"r,omitempty"`
	Person   int    `json:"p,omitempty"`
	OffMs    int64  `json:"off,omitempty"` // the PC's clock is ahead by so much
	Bookings int    `json:"b,omitempty"`
}

// healthEvery is how often an unchanged health is said again.
const healthEvery = 5 * time.Minute

// unsentFor is how long an edit waits before it is worth a word.
const unsentFor = 2 * time.Minute

// health gives what to send with a request: nothing if it was said lately.
func (a *Agent) health() func() json.RawMessage {
	var last []byte
	var at int64
	return func() json.RawMessage {
		st, err := a.office.Status(context.Background())
		if err != nil {
			return nil
		}
		if st.NowMs-st.OldestMs < unsentFor.Milliseconds() {
			st.Unsent, st.OldestMs = 0, 0 // on its way with this very request
		}
		h := Health{Version: a.o.Version, Unsent: st.Unsent, OldestMs: st.OldestMs, Refused: st.Refused, Person: st.Person, Bookings: st.Standing.Bookings}
		if st.ClockOff() {
			h.OffMs = st.OffMs / 60_000 * 60_000
		}
		text, err := json.Marshal(h)
		up := a.o.Clock.Reading().Up
		if err != nil || (slices.Equal(text, last) && up-at < healthEvery.Milliseconds()) {
			return nil
		}
		last, at = text, up
		return text
	}
}

// Enroll uses a token: the hub learns this PC's public key, the PC its office.
// Where the hub cannot be reached the token is kept and tried again by itself;
// Pending then says so.
func (a *Agent) Enroll(ctx context.Context, text string) (api.EnrollResult, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, err := wire.ParseToken(text)
	if err != nil {
		return api.EnrollResult{}, err
	}
	if a.linked {
		return api.EnrollResult{}, &api.Problem{Status: http.StatusConflict, Code: "enrolled-already", Say: "this PC is enrolled already", Text: "Acest PC este deja înscris."}
	}
	e, err := link.Enroll(ctx, t, a.key, hostname(), a.times)
	var down *link.Error
	if errors.As(err, &down) && down.Code == "" && down.Kind != link.Untrusted {
		if err := writeFile(filepath.Join(a.o.Dir, tokenFile), []byte(text)); err != nil {
			return api.EnrollResult{}, err
		}
		a.o.Log.Info("the hub cannot be reached; enrolment will be tried again", "error", down.Error())
		a.work.Go(func() { a.keepEnrolling(t) })
		return api.EnrollResult{Office: t.Office, OfficeName: a.officeName(t.Office), Hub: t.Hub, Pending: true, Say: down.Error()}, nil
	}
	if err != nil {
		return api.EnrollResult{}, err
	}
	return a.enrolled(ctx, t, e)
}

func (a *Agent) enrolled(ctx context.Context, t wire.Token, e wire.Enrolled) (api.EnrollResult, error) {
	if err := a.db.SetOffice(ctx, e); err != nil {
		return api.EnrollResult{}, err
	}
	h := hub{URL: t.Hub, Pin: t.Pin, Office: e.Office, Root: e.Root}
	if err := saveHub(a.o.Dir, h); err != nil {
		return api.EnrollResult{}, err
	}
	a.root.Store(&h.Root)
	if err := os.Remove(filepath.Join(a.o.Dir, tokenFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return api.EnrollResult{}, err
	}
	a.o.Log.Info("enrolled", "office", e.Office, "desk", e.Desk, "device", e.Device.String())
	return api.EnrollResult{Office: e.Office, OfficeName: a.officeName(e.Office), Desk: e.Desk, Device: e.Device.String(), Hub: t.Hub}, a.startLink(h)
}

// officeName is the office's name in the bundle in force, or its id.
func (a *Agent) officeName(id string) string {
	o, err := a.office.Reference().Office(spclep.OfficeID(id))
	if err != nil {
		return id
	}
	return o.Name
}

// keepEnrolling tries a token until the hub has spoken.
func (a *Agent) keepEnrolling(t wire.Token) {
	for wait := 2 * time.Second; ; wait = min(wait*2, 2*time.Minute) {
		if done := a.tryEnrolling(t); done {
			return
		}
		select {
		case <-a.ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (a *Agent) tryEnrolling(t wire.Token) (done bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.linked || a.ctx.Err() != nil {
		return true
	}
	e, err := link.Enroll(a.ctx, t, a.key, hostname(), a.times)
	if err == nil {
		_, err = a.enrolled(a.ctx, t, e)
	}
	var down *link.Error
	switch {
	case err == nil:
		return true
	case errors.As(err, &down) && down.Code != "":
		a.o.Log.Error("the hub refused the enrolment token", "error", err)
		return true
	}
	return false
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "PC"
	}
	return name
}

// onlyHosts answers nobody who reached this PC under another name.
func onlyHosts(hosts []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !slices.Contains(hosts, r.Host) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusMisdirectedRequest)
			json.NewEncoder(w).Encode(map[string]any{"error": api.Problem{
				Status: http.StatusMisdirectedRequest, Code: "host",
				Say: "this is not the desk's address", Text: "Aceasta nu este adresa ghișeului.",
			}})
			return
		}
		next.ServeHTTP(w, r)
	})
}
