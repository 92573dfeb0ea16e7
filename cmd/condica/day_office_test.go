package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"condica/agent"
	account "condica/agent/clerk"
	"condica/hub"
	"condica/hub/serve"
	"condica/spclep"
	"condica/spclep/settings"
	"condica/sync/bundle"
)

// A workday is an office of two PCs and its hub on one Monday, each PC as it is
// installed, with a clerk at a real browser. All its clocks run, and are moved on
// together to the next person.
type workday struct {
	*testing.T
	clock agent.Clock  // of the hub and of both PCs
	moved atomic.Int64 // ns
	zone  *time.Location
	hub   *serve.Running
	gate  *gate
	pcs   []*seat
	came  map[spclep.BookingID][]span // whom the clerks have noted as present
}

// A seat is one clerk at one PC.
type seat struct {
	*workday
	name, pin string
	dir       string
	pc        *agent.Agent
	ctx       context.Context // of the browser
}

const (
	theMonday   = "2026-11-23 "
	dayBundle   = 7   // number of the settings in force
	lockMinutes = 120 // of them: the story moves on by twenty minutes at a time
)

func (w *workday) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *workday) at(clock string) time.Time {
	w.Helper()
	t, err := time.ParseInLocation("2006-01-02 15:04", theMonday+clock, w.zone)
	w.must(err)
	return t
}

// until moves all clocks on to a time of day, or leaves them where it is later.
func (w *workday) until(clock string) {
	w.Helper()
	if ahead := w.at(clock).Sub(w.clock.Wall()); ahead > 0 {
		w.moved.Add(int64(ahead))
	}
}

// opens the office: the hub with the day's bookings and two accounts, the line,
// both PCs enrolled, in step and under the settings, both clerks at work.
func opens(t *testing.T, clerks ...string) (*workday, []hub.Booked) {
	t.Helper()
	zone, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	w := &workday{T: t, zone: zone, came: map[spclep.BookingID][]span{}}
	for _, name := range clerks {
		w.pcs = append(w.pcs, &seat{workday: w, name: name, pin: account.Draw(random)})
	}
	w.clock = agent.NewClock(time.Until(w.at("08:50").AddDate(0, 0, -3))) // people booked on Friday
	w.clock.Ahead = func() time.Duration { return time.Duration(w.moved.Load()) }
	ref, err := spclep.Builtin()
	w.must(err)
	w.gate, err = openGate()
	w.must(err)
	t.Cleanup(func() { w.gate.Close() })
	w.hub, err = serve.Start(t.Context(), serve.Options{Data: filepath.Join(t.TempDir(), "hub"), Listen: "127.0.0.1:0",
		Now: w.clock.Wall, Reference: ref, Log: slog.New(slog.DiscardHandler)})
	w.must(err)
	t.Cleanup(func() { w.hub.Close() })
	u, err := url.Parse(w.hub.URL)
	w.must(err)
	w.gate.relayTo(u.Host)
	booked := w.books(ref)
	w.publishes()

	w.until("08:50")
	for _, s := range w.pcs {
		s.installs()
	}
	w.inStep()
	for _, s := range w.pcs {
		until(t, "the settings are in force", func() bool {
			st, err := s.pc.Office().Status(t.Context())
			w.must(err)
			return st.Settings.Proven == dayBundle && st.Settings.Applied == dayBundle
		})
		s.begins()
	}
	return w, booked
}

func random(b []byte) { rand.Read(b) }

// books fills every slot of the Monday.
func (w *workday) books(ref *spclep.Reference) []hub.Booked {
	w.Helper()
	day := spclep.NewDay(2026, time.November, 23)
	slots, err := ref.Slots(demoOffice, day)
	w.must(err)
	who := people(mathrand.New(mathrand.NewPCG(5, 1)), len(slots))
	var asks []hub.BookAsk
	for i, at := range slots {
		asks = append(asks, hub.BookAsk{Office: demoOffice, Reason: "R01", Day: day, At: at, Name: who[i].name, Email: who[i].email, Consent: true, By: "portal"})
	}
	booked, err := w.hub.Hub.BookAll(w.Context(), asks)
	w.must(err)
	return booked
}

// publishes signs the clerks' accounts as IT does, and offers them to every PC.
func (w *workday) publishes() {
	w.Helper()
	rules := fmt.Sprintf("desk: {lock_minutes: %d}\nclerks:\n", lockMinutes)
	for _, s := range w.pcs {
		rules += fmt.Sprintf("  - {name: %q, role: %s, pin: %q}\n", s.name, settings.RoleClerk, account.Make(s.pin, random))
	}
	rootPub, root, err := ed25519.GenerateKey(nil)
	w.must(err)
	pub, key, err := ed25519.GenerateKey(nil)
	w.must(err)
	now := w.clock.Wall()
	cert, err := bundle.Certify(root, "2026-1", pub, now.UnixMilli(), now.AddDate(1, 0, 0).UnixMilli())
	w.must(err)
	w.must(w.hub.Hub.SetSettingsRoot(w.Context(), rootPub))
	b := bundle.Bundle{Number: dayBundle, Target: bundle.National, Issued: now.UnixMilli()}
	for name, text := range texts(w.T, dayBundle, rules) {
		b.Files = append(b.Files, bundle.File{Name: name, Text: text})
	}
	box, err := bundle.Seal(key, cert, b)
	w.must(err)
	_, err = w.hub.Hub.PublishSettings(w.Context(), box)
	w.must(err)
}

// installs starts a PC as the service manager does, enrols it through the gate,
// and puts a browser before it.
func (s *seat) installs() {
	s.Helper()
	var err error
	s.dir = s.TempDir()
	s.pc, err = agent.Start(s.Context(), agent.Options{Dir: s.dir, Listen: "127.0.0.1:0", Clock: s.clock, Zone: s.zone,
		Version: version, Log: slog.New(slog.DiscardHandler), Tickets: true})
	s.must(err)
	s.Cleanup(func() { s.pc.Close() })
	token, err := s.hub.Token(s.Context(), demoOffice, time.Hour)
	s.must(err)
	token.Hub = "https://" + s.gate.addr()
	_, err = s.pc.Enroll(s.Context(), token.String())
	s.must(err)
	s.ctx = browser(s.T)
	// Two browsers on one machine: each is to take its window for the one in front.
	s.must(chromedp.Do(s.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	})))
}

// begins opens the desk by the Start menu's command, and signs the clerk in.
func (s *seat) begins() {
	s.Helper()
	var address bytes.Buffer
	open := openCmd{service: service{Data: s.dir}, Print: true}
	s.must(open.Run(&env{Ctx: s.Context(), Out: &address}))
	s.must(chromedp.Do(s.ctx, chromedp.Navigate(strings.TrimSpace(address.String()))))
	s.waitsFor("intrare-nume")
	s.presses(s.name[:1])
	s.tabsTo("#intrare-pin")
	s.givesPIN()
	s.sees("totul trimis")
}

// givesPIN types it where the page waits for it.
func (s *seat) givesPIN() {
	s.Helper()
	s.waitsFor("intrare-pin")
	s.presses(s.pin + "\r")
}

// inStep waits until both PCs have sent all and hold what the hub holds, by its
// digest.
func (w *workday) inStep() {
	w.Helper()
	until(w.T, "the office is in step", func() bool {
		head, sum, err := w.hub.Hub.Store.Total(w.Context(), string(demoOffice))
		w.must(err)
		for _, s := range w.pcs {
			st, err := s.pc.Office().Status(w.Context())
			w.must(err)
			if !st.Sent() || !st.Hub.Reached || st.Cursor != head || st.Digest != sum.Text() {
				return false
			}
		}
		return head > 0
	})
}
