package main

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unicode"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"condica/agent/office"
	"condica/agent/page"
	"condica/hub"
	"condica/hub/serve"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/code"
	"condica/sync/hlc"
	"condica/sync/link"
)

// A workday is an office of two PCs and its hub on one Monday, each PC with a
// clerk at a real browser. Its clock runs, and is moved on to the next person.
type workday struct {
	*testing.T
	began time.Time
	moved atomic.Int64 // ns
	zone  *time.Location
	hub   *serve.Running
	gate  *gate
	pcs   []*seat
}

// A seat is one clerk at one PC.
type seat struct {
	*workday
	name string
	db   *localdb.DB
	url  string
	ctx  context.Context // of the browser
}

const theMonday = "2026-11-23 "

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

func (w *workday) now() time.Time { return w.at("08:50").Add(w.ran()) }

func (w *workday) ran() time.Duration {
	return time.Since(w.began) + time.Duration(w.moved.Load())
}

// until moves the clock on to a time of day, or leaves it where it is later.
func (w *workday) until(clock string) {
	w.Helper()
	if ahead := w.at(clock).Sub(w.now()); ahead > 0 {
		w.moved.Add(int64(ahead))
	}
}

func (w *workday) reading() hlc.Reading {
	return hlc.Reading{Wall: w.now().UnixMilli(), Boot: "monday", Up: (time.Hour + w.ran()).Milliseconds()}
}

// opens the office: the hub with the day's bookings, the line, both PCs in step.
func opens(t *testing.T, names ...string) (*workday, []hub.Booked) {
	t.Helper()
	zone, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	w := &workday{T: t, began: time.Now(), zone: zone}
	ref, err := spclep.Builtin()
	w.must(err)
	w.moved.Store(int64(-72 * time.Hour)) // people booked on Friday
	w.gate, err = openGate()
	w.must(err)
	t.Cleanup(func() { w.gate.Close() })
	w.hub, err = serve.Start(t.Context(), serve.Options{Data: filepath.Join(t.TempDir(), "hub"), Listen: "127.0.0.1:0",
		Now: w.now, Reference: ref, Log: slog.New(slog.DiscardHandler)})
	w.must(err)
	t.Cleanup(func() { w.hub.Close() })
	u, err := url.Parse(w.hub.URL)
	w.must(err)
	w.gate.relayTo(u.Host)
	booked := w.books(ref)
	w.moved.Store(-int64(time.Since(w.began))) // ten to nine on Monday
	for i, name := range names {
		w.pcs = append(w.pcs, w.sits(i, name, ref))
	}
	w.inStep()
	return w, booked
}

// books fills every slot of the Monday.
func (w *workday) books(ref *spclep.Reference) []hub.Booked {
	w.Helper()
	day := spclep.NewDay(2026, time.November, 23)
	slots, err := ref.Slots(demoOffice, day)
	w.must(err)
	who := people(rand.New(rand.NewPCG(5, 1)), len(slots))
	var asks []hub.BookAsk
	for i, at := range slots {
		asks = append(asks, hub.BookAsk{Office: demoOffice, Reason: "R01", Day: day, At: at, Name: who[i].name, Email: who[i].email, Consent: true, By: "portal"})
	}
	booked, err := w.hub.Hub.BookAll(w.Context(), asks)
	w.must(err)
	return booked
}

// sits enrols a PC, starts its line and its pages, and puts a browser before them.
func (w *workday) sits(n int, name string, ref *spclep.Reference) *seat {
	w.Helper()
	s := &seat{workday: w, name: name}
	token, err := w.hub.Token(w.Context(), demoOffice, time.Hour)
	w.must(err)
	token.Hub = "https://" + w.gate.addr()
	key := ed25519.NewKeyFromSeed(slices.Repeat([]byte{byte(n + 1)}, ed25519.SeedSize))
	times := func() []time.Time { return []time.Time{w.now()} }
	e, err := link.Enroll(w.Context(), token, key, name, times)
	w.must(err)
	s.db, _, err = localdb.Open(w.Context(), w.TempDir(), localdb.Options{Device: e.Device, Now: w.reading})
	w.must(err)
	w.Cleanup(func() { s.db.Close() })
	w.must(s.db.SetOffice(w.Context(), e))
	l, err := link.New(link.Config{Hub: token.Hub, Pin: token.Pin, Key: key, Now: w.reading, Times: times, Log: slog.New(slog.DiscardHandler)}, s.db)
	w.must(err)
	ctx, stop := context.WithCancel(w.Context())
	var running sync.WaitGroup
	running.Go(func() { l.Run(ctx) })
	w.Cleanup(func() { stop(); running.Wait() })
	random := rand.NewChaCha8([32]byte{byte(n)})
	o := office.New(office.Config{DB: s.db, Ref: ref, Zone: w.zone, Up: func() int64 { return w.reading().Up }, Random: func(b []byte) { random.Read(b) }})
	o.SetLine(l)
	s.serve(o)
	s.ctx = browser(w.T)
	// Two browsers on one machine: each is to take its window for the one in front.
	w.must(chromedp.Do(s.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
		return err
	})))
	return s
}

func (s *seat) serve(o *office.Office) {
	s.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	s.must(err)
	var keys atomic.Int64
	pages := page.New(o, page.Options{Log: slog.New(slog.DiscardHandler), Hosts: []string{ln.Addr().String()},
		Random: func() string { return fmt.Sprintf("%s-%020d", s.name, keys.Add(1)) }})
	server := &httptest.Server{Listener: ln, Config: &http.Server{Handler: pages}}
	server.Start()
	s.Cleanup(server.Close)
	s.url = server.URL
}

// inStep waits until both PCs have sent all and hold what the hub holds.
func (w *workday) inStep() {
	w.Helper()
	until(w.T, "the office is in step", func() bool {
		var heads []int64
		for _, s := range w.pcs {
			st, err := s.db.Standing(w.Context())
			w.must(err)
			if st.Unsent > 0 || st.LastOK == 0 || st.Head == 0 || st.Cursor != st.Head {
				return false
			}
			heads = append(heads, st.Head)
		}
		return slices.Min(heads) == slices.Max(heads)
	})
}

// gives reads something off the page.
func gives[T any](s *seat, script string) T {
	s.Helper()
	v, err := chromedp.Run(s.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		s.Fatalf("%s: %s: %v", s.name, script, err)
	}
	return v
}

// presses sends keys to whatever has the focus.
func (s *seat) presses(keys string) {
	s.Helper()
	s.must(chromedp.Do(s.ctx, chromedp.KeyEvent(keys)))
}

// sees waits until the page says something and is at rest.
func (s *seat) sees(text string) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
	defer cancel()
	last := ""
	for ctx.Err() == nil {
		said, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.readyState === "complete" ? document.body.innerText : ""`))
		if err == nil && strings.Contains(said, text) {
			return
		}
		if err == nil {
			last = said
		}
	}
	s.Fatalf("%s, %s: the page never said %q:\n%s", s.name, s.now().Format("15:04"), text, last)
}

// tabsTo presses Tab until the focus is on an element.
func (s *seat) tabsTo(css string) {
	s.Helper()
	for range 200 {
		s.presses(kb.Tab)
		if gives[bool](s, fmt.Sprintf(`document.activeElement.matches(%q)`, css)) {
			return
		}
	}
	s.Fatalf("%s: Tab never comes to %s", s.name, css)
}

// scans holds a code under the scanner, which types it into whatever has the
// focus; every third scanner sends no Enter, and Caps Lock is on at every other.
// A key is pressed as a keyboard presses it: what the page declines on the way
// down types nothing.
func (s *seat) scans(text string, n int) {
	s.Helper()
	if n%2 == 1 {
		text = strings.ToLower(text)
	}
	var keys []input.DispatchKeyEventParams
	for _, r := range text {
		keys = append(keys, input.DispatchKeyEventParams{Key: string(r), Text: string(r), WindowsVirtualKeyCode: int64(unicode.ToUpper(r))})
	}
	if n%3 > 0 {
		keys = append(keys, input.DispatchKeyEventParams{Key: "Enter", Code: "Enter", Text: "\r", WindowsVirtualKeyCode: 13})
	}
	s.must(chromedp.Do(s.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, k := range keys {
			for _, k.Type = range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
				if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, k); err != nil {
					return err
				}
				k.Text = "" // nothing is typed on the way up
			}
		}
		return nil
	})))
}

// arrives brings a person from the scan to "present".
func (s *seat) arrives(b hub.Booked, n int) {
	s.Helper()
	s.scans(b.Code, n)
	s.sees("Cod " + string(b.ID))
	s.presses(kb.F4)
	s.sees("Prezența a fost notată")
}

// files takes the application: every other time all papers are ticked one by
// one, else the clerk says why it is taken without them.
func (s *seat) files(n int) {
	s.Helper()
	if n%2 == 0 {
		const open = `.papers input[type=checkbox]:not([value=not-applicable]):not(:checked)`
		for left := gives[int](s, fmt.Sprintf(`document.querySelectorAll(%q).length`, open)); left > 0; left-- {
			s.tabsTo(open)
			s.presses(" ")
			s.ticked()
		}
	} else {
		s.tabsTo("#preia-desi")
		s.presses("actele se aduc mâine")
	}
	s.presses(kb.F4)
	s.sees("Cererea a fost preluată")
}

// ticked waits until a tick has reached the disk, and the page that follows from
// it is there.
func (s *seat) ticked() {
	s.Helper()
	until(s.T, "the tick is saved", func() bool {
		return gives[bool](s, `[...document.querySelectorAll(".papers input:checked")].every(e => e.defaultChecked)`)
	})
}

// walksIn takes a person without a booking, by the keyboard.
func (s *seat) walksIn(name string) spclep.BookingID {
	s.Helper()
	s.tabsTo(`nav a[href="/fara-programare"]`)
	s.presses(kb.Enter)
	s.sees("Acum se primesc cereri fără programare")
	s.tabsTo("#fara-nume")
	s.presses(name)
	s.tabsTo("#fara-motiv")
	s.presses("R01")
	s.presses(kb.F4)
	s.sees("Persoana a fost înregistrată și este prezentă")
	return spclep.BookingID(gives[string](s, `location.pathname.split("/")[2]`))
}

// collects gives a card to its holder, found by the slip.
func (s *seat) collects(id spclep.BookingID, n int) {
	s.Helper()
	s.scans(code.Slip(id), n)
	s.sees("Cod " + string(id))
	s.presses(kb.F4)
	s.sees("Actul a fost notat ca sosit")
	s.presses(kb.F4)
	s.sees("Predarea a fost notată")
}

// A whole Monday of the office, forty visits on two PCs by keyboard and scanner
// alone. The line is cut from nine to one: nobody waits for it, and the pages
// say so calmly. Then all is sent, once each, and both desks, the hub and what
// the clerks were told are the same.
func TestADayOfFortyVisits(t *testing.T) {
	w, booked := opens(t, "Ghiseul-1", "Ghiseul-2")
	for _, s := range w.pcs {
		s.must(chromedp.Do(s.ctx, chromedp.Navigate(s.url+"/")))
		s.sees("totul trimis")
	}
	one, two := w.pcs[0], w.pcs[1]

	w.until("09:00")
	w.gate.Cut()
	visits := 0
	for i, b := range booked {
		s := w.pcs[i%2]
		w.until(fmt.Sprintf("%02d:%02d", 9+i/3, i%3*20))
		s.arrives(b, i)
		if i == 0 {
			s.sees("Fără legătură cu centrul")
		}
		if i == len(booked)-1 { // at the other desk, too, where nobody knows of it
			one.arrives(b, i)
		}
		s.files(i)
		visits++
	}
	for _, s := range w.pcs {
		s.sees("puteți lucra normal")
	}

	w.until("13:00")
	w.gate.Restore()
	for _, s := range w.pcs {
		s.presses(kb.F9)
	}
	w.inStep()
	one.sees("totul trimis")
	two.scans(code.Slip(booked[len(booked)-1].ID), 1)
	two.sees("Notat de două ori: prezență")

	for i, b := range booked {
		w.until(fmt.Sprintf("13:%02d", 4*i+1))
		w.pcs[(i+1)%2].collects(b.ID, i) // at the desk that did not take it
		visits++
	}
	all := slices.Collect(func(yield func(spclep.BookingID) bool) {
		for _, b := range booked {
			if !yield(b.ID) {
				return
			}
		}
	})
	for i, p := range people(rand.New(rand.NewPCG(6, 2)), 40-visits) {
		w.until(fmt.Sprintf("%d:%02d", 13+(50+3*i)/60, (50+3*i)%60))
		s := w.pcs[i%2]
		id := s.walksIn(p.name)
		s.files(i)
		all = append(all, id)
		visits++
	}
	if visits != 40 {
		t.Fatalf("%d visits", visits)
	}
	w.inStep()
	for _, s := range w.pcs {
		s.tabsTo(`nav a[href="/coada"]`)
		s.presses(kb.Enter)
		s.sees("Totul este trimis")
	}
	w.agree(all, len(booked))
}

// agree holds both desks against the hub: each visit once, in the state the
// clerks saw, under a number of its own.
func (w *workday) agree(all []spclep.BookingID, collected int) {
	w.Helper()
	states, numbers := map[spclep.State]int{}, map[string]spclep.BookingID{}
	for _, id := range all {
		truth, _, err := w.hub.Hub.Booking(w.Context(), demoOffice, id)
		w.must(err)
		states[truth.Visit.State]++
		if truth.Visit.Filed == nil || numbers[truth.Visit.Filed.Number] != "" {
			w.Errorf("%s: application %+v, whose number %s has, too", id, truth.Visit.Filed, numbers[truth.Visit.Filed.Number])
			continue
		}
		numbers[truth.Visit.Filed.Number] = id
		for _, s := range w.pcs {
			here, err := s.db.Booking(w.Context(), id)
			w.must(err)
			if here.Visit.State != truth.Visit.State || here.Visit.Filed.Number != truth.Visit.Filed.Number || len(here.Facts) != len(truth.Facts) {
				w.Errorf("%s holds %s as %s, nr. %s, with %d facts; the hub as %s, nr. %s, with %d", s.name, id,
					here.Visit.State, here.Visit.Filed.Number, len(here.Facts), truth.Visit.State, truth.Visit.Filed.Number, len(truth.Facts))
			}
		}
	}
	if want := map[spclep.State]int{spclep.StateHandedOver: collected, spclep.StateFiled: len(all) - collected}; !maps.Equal(states, want) {
		w.Errorf("the day ended with %v, want %v", states, want)
	}
}
