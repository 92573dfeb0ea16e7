package main

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"condica/hub"
	"condica/spclep"
	"condica/spclep/code"
	"condica/spclep/record"
)

// A span is the time that a step took by the office's clock.
type span struct{ from, to time.Time }

// arrives brings a person from the scan to "present".
func (s *seat) arrives(b hub.Booked, n int) {
	s.Helper()
	from := s.clock.Wall()
	s.scans(b.Code, n)
	s.sees("Cod " + string(b.ID))
	s.presses(kb.F4)
	s.sees("Prezența a fost notată")
	s.came[b.ID] = append(s.came[b.ID], span{from, s.clock.Wall()})
}

// files takes the application: every other time all papers are ticked one by
// one, else the clerk says why it is taken without them.
func (s *seat) files(n int) {
	s.Helper()
	if n%2 == 0 {
		const open = `.papers input[type=checkbox]:not([value=not-applicable]):not(:checked)`
		for left := reads[int](s, fmt.Sprintf(`document.querySelectorAll(%q).length`, open)); left > 0; left-- {
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
	return spclep.BookingID(reads[string](s, `location.pathname.split("/")[2]`))
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

// A whole Monday of the office, forty visits on two PCs as they are installed,
// by keyboard and scanner alone. The line is cut from nine to one: nobody waits
// for it, and the pages say so calmly. Then all is sent, once each. After a
// quiet afternoon the screens are locked, and open to a PIN. Both desks, the hub
// and what the clerks were told are the same.
func TestADayOfFortyVisits(t *testing.T) {
	w, booked := opens(t, "Ana Exemplu", "Ion Probă")
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
		s.turns(kb.F9)
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

	w.until("16:45")
	for _, s := range w.pcs {
		s.givesPIN()
		s.sees("Schimbă lucrătorul") // until then Tab stays in the PIN's place
		s.tabsTo(`nav a[href="/coada"]`)
		s.presses(kb.Enter)
		s.sees("Totul este trimis")
	}
	w.agree(all, len(booked))
}

// agree holds both desks against the hub: each visit once, in the state the
// clerks saw, under a number of its own, and each fact by a clerk's name.
func (w *workday) agree(all []spclep.BookingID, collected int) {
	w.Helper()
	states, numbers := map[spclep.State]int{}, map[string]spclep.BookingID{}
	for _, id := range all {
		truth, _, err := w.hub.Hub.Booking(w.Context(), demoOffice, id)
		w.must(err)
		states[truth.Visit.State]++
		if truth.Visit.Filed == nil {
			w.Errorf("%s: the hub knows of no application", id)
			continue
		}
		number := truth.Visit.Filed.Number
		if numbers[number] != "" {
			w.Errorf("%s and %s have the number %s", numbers[number], id, number)
		}
		numbers[number] = id
		for _, s := range w.pcs {
			s.holds(truth)
		}
		w.wrote(truth)
	}
	if want := map[spclep.State]int{spclep.StateHandedOver: collected, spclep.StateFiled: len(all) - collected}; !maps.Equal(states, want) {
		w.Errorf("the day ended with %v, want %v", states, want)
	}
}

// wrote fails where a fact is by nobody who works here, or a person came at
// another time than it was. A PC knows the hub's time to half a round trip.
func (w *workday) wrote(truth record.Booking) {
	w.Helper()
	came := w.came[truth.ID]
	for _, f := range truth.Facts {
		if f.By != "portal" && !slices.ContainsFunc(w.pcs, func(s *seat) bool { return s.name == f.By }) {
			w.Errorf("%s: %s by %q", truth.ID, f.Cell.Field, f.By)
		}
		if f.Cell.Field != spclep.Arrived || len(came) == 0 {
			continue
		}
		if at := time.UnixMilli(f.Eff.Ms()); at.Before(came[0].from.Add(-time.Minute)) || at.After(came[0].to.Add(time.Minute)) {
			w.Errorf("%s came at %s, the hub says at %s", truth.ID, came[0].from.In(w.zone).Format(time.TimeOnly), at.In(w.zone).Format(time.TimeOnly))
		}
		came = came[1:]
	}
	if len(came) > 0 {
		w.Errorf("%s came %d more times than is known", truth.ID, len(came))
	}
}

// holds fails where this desk knows a visit otherwise than the hub does.
func (s *seat) holds(truth record.Booking) {
	s.Helper()
	here, err := s.pc.Office().DB().Booking(s.Context(), truth.ID)
	s.must(err)
	if here.Visit.Filed == nil || here.Visit.State != truth.Visit.State || here.Visit.Filed.Number != truth.Visit.Filed.Number || len(here.Facts) != len(truth.Facts) {
		s.Errorf("%s's desk holds %s as %s, %+v, with %d facts; the hub as %s, nr. %s, with %d", s.name, truth.ID,
			here.Visit.State, here.Visit.Filed, len(here.Facts), truth.Visit.State, truth.Visit.Filed.Number, len(truth.Facts))
	}
}
