package agent

import (
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"condica/agent/api"
	"condica/agent/office"
	"condica/sync/hlc"
	"condica/sync/link"
)

// tellFormer says which names this PC had. A stop before the replica took the last
// one leaves its present name among them.
func (a *Agent) tellFormer(h hub) {
	a.office.SetFormer(slices.DeleteFunc(slices.Clone(h.Former), func(f office.Former) bool { return f.Device == a.db.Device() }))
}

// A running is one line while it runs.
type running struct {
	stop  context.CancelFunc
	ended chan struct{} // closed when the line says nothing more
}

// openLine starts the conversation with the hub, if the PC is enrolled and has
// what that takes, and keeps trying a token that was left while the line was
// down.
func (a *Agent) openLine() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	h, ok, err := enrolledHub(a.o.Dir)
	a.tellFormer(h)
	switch {
	case err != nil:
		a.unlinked(err)
	case ok && deviceOf(a.key) != a.db.Device():
		a.unlinked(errKeyLost)
	case ok:
		err = a.startLink(h)
	}
	if err != nil && ok {
		return err
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

var errKeyLost = errors.New("this PC has lost the key under which the hub knows it; central IT has to enrol it again, with a new token")

// unlinked: work goes on without a line until IT has enrolled this PC again.
func (a *Agent) unlinked(why error) {
	a.o.Log.Error("there can be no line to the hub", "error", why)
	a.office.SetLine(noLine(link.Status{Kind: link.Unlinked, Say: why.Error(), SinceMs: a.o.Clock.Reading().Up}))
}

// noLine stands in for a line that there cannot be.
type noLine link.Status

func (n noLine) Ring()               {}
func (n noLine) Status() link.Status { return link.Status(n) }

// startLink starts the line under the key that this PC has now. It is called
// under mu.
func (a *Agent) startLink(h hub) error {
	a.stopLink()
	a.tellFormer(h)
	if a.o.Hub != "" {
		h.URL = a.o.Hub // which is not kept
	}
	l, err := link.New(link.Config{
		Hub: h.URL, Pin: h.Pin, Key: a.key, Now: a.o.Clock.Reading, Times: a.times,
		Health: a.health(), Seed: binary.BigEndian.Uint64(a.key.Public().(ed25519.PublicKey)), Log: a.o.Log,
		Settings: a.control.At, Answered: a.answered, Cert: h.Certs[deviceOf(a.key)], Name: hostname(), Returned: a.returned, Fault: a.fault,
	}, a.db)
	if err != nil {
		return fmt.Errorf("the line: %w", err)
	}
	ctx, stop := context.WithCancel(a.ctx)
	r := &running{stop, make(chan struct{})}
	a.running = r
	a.setLine(l)
	a.work.Go(func() {
		err := l.Run(ctx)
		close(r.ended)
		if errors.Is(err, link.ErrRetired) {
			a.renew(ctx, h)
		}
	})
	return nil
}

// stopLink ends the line, if one runs; it is called under mu, which nothing that
// the line calls may take.
func (a *Agent) stopLink() {
	if a.running == nil {
		return
	}
	a.running.stop()
	<-a.running.ended
	a.running = nil
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
	out = append(out, a.o.Clock.Wall(), a.o.Clock.System())
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
	Mended   int    `json:"m,omitempty"`  // records that were damaged on its disk and put right, in all
	MendedMs int64  `json:"mm,omitempty"` // when it last did so, the hub's time
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
		h := Health{Version: a.o.Version, Unsent: st.Unsent, OldestMs: st.OldestMs, Refused: st.Refused, Person: st.Person, Bookings: st.Standing.Bookings, Mended: st.Mended.Ops, MendedMs: st.Mended.AtMs}
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
