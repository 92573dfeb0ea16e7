package page_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"condica/spclep"
	"condica/sync/link"
	"condica/sync/wire"
)

// accepts lets the hub take the next n ops that this PC has not heard of yet.
func (c *counter) accepts(from, n uint64) {
	c.Helper()
	if _, err := c.db.Outbox(c.Context(), 100, 1<<20); err != nil {
		c.Fatal(err)
	}
	a := wire.Answer{Verdicts: []wire.Verdict{{Seq: from, N: n, Pos: c.pos + 1}}, Head: c.pos + int64(n)}
	c.save(a)
	c.pos += int64(n)
}

// It is 10:00, and 20 minutes late are allowed. Proposed are the two who should
// have come at 09:00 and 09:20; not who is late by no more than that, not who
// comes later today or tomorrow, not who came. One is noted, the other waits.
func TestNoShowsAreProposedAndNeverNotedAlone(t *testing.T) {
	c := at(t, "10:00")
	c.clerk = "Ana"
	for id, p := range map[spclep.BookingID][2]string{
		"2222AAAA": {"Exemplu Ioana", "09:00"}, "3333BBBB": {"Minta Ödön", "09:20"}, "4444CCCC": {"Probă Ilinca", "09:40"},
		"5555DDDD": {"Példa Réka", "12:40"}, "6666EEEE": {"Model Andrei", "09:00"},
	} {
		c.books(id, p[0], "R01", monday, p[1])
	}
	c.books("7777FFFF", "Probă Mihai", "R01", monday+1, "09:00")
	c.elsewhere("Radu", c.when(monday, "09:01"), "6666EEEE", spclep.Arrived, true, nil)

	const noting = "/sfarsit/neprezentati"
	end := c.open("/sfarsit").shows("Sfârșitul zilei luni 23.11.2026", "09:00 Exemplu Ioana", "09:20 Minta Ödön", "nimic nu se notează singur").
		hides("Probă Ilinca", "Példa Réka", "Probă Mihai", "Model Andrei")
	for _, id := range []spclep.BookingID{"2222AAAA", "3333BBBB"} {
		if b, _ := c.db.Booking(t.Context(), id); b.Visit.State != spclep.StateBooked {
			t.Fatalf("%s is %s though nobody pressed anything", id, b.Visit.State)
		}
	}
	form := end.fill(noting, nil)
	if got := form["cine"]; len(got) != 2 {
		t.Errorf("chosen beforehand: %v", got)
	}
	form["cine"] = []string{"2222AAAA"}
	c.post(noting, form).follow().shows("Neprezentarea a fost notată pentru 1 persoană.", "Notați ca neprezentați", "09:00 Exemplu Ioana notat la 23.11.2026 10:00 de Ana", "09:20 Minta Ödön")
	c.post(noting, form).follow().is(http.StatusOK) // a double click
	b, err := c.db.Booking(t.Context(), "2222AAAA")
	c.must(err)
	if n := len(b.Facts); n != 2 || b.Visit.State != spclep.StateSentAway || b.Visit.SentAway.Ground != spclep.GroundNoShow {
		t.Errorf("%d facts, %s, %+v: want the booking and one no-show", n, b.Visit.State, b.Visit.SentAway)
	}
	c.now(monday, "10:01")
	c.open("/sfarsit").shows("09:40 Probă Ilinca").hides("12:40 Példa Réka")
	c.open("/sfarsit?zi=2026-11-24").hides("Probă Mihai").shows("Nimeni de propus", "Din ultima lună au rămas 3 programări fără urmare, cele mai noi din 23.11.2026.")

	// The page that still stands open says the same of Ioana once more, and now of Ödön too.
	form["cine"] = []string{"2222AAAA", "3333BBBB"}
	c.post(noting, form).is(http.StatusSeeOther).follow().shows("pentru 2 persoane", "09:20 Minta Ödön notat la 23.11.2026 10:01 de Ana", "09:00 Exemplu Ioana notat la 23.11.2026 10:00 de Ana")
}

// One of three came at the other desk while the page stood open, and one is not
// late at all: the third is noted, and the page says what became of the others.
func TestOneNoShowStopsNoOther(t *testing.T) {
	c := at(t, "10:00")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:00")
	c.books("3333BBBB", "Minta Ödön", "R01", monday, "09:20")
	c.books("4444CCCC", "Probă Ilinca", "R01", monday, "09:40")
	end := c.open("/sfarsit")
	end.press("/sfarsit/neprezentati", url.Values{"cine": nil}).is(http.StatusUnprocessableEntity).shows("Bifați cel puțin o persoană")
	c.elsewhere("Radu", c.when(monday, "09:59"), "2222AAAA", spclep.Arrived, true, nil)

	s := end.press("/sfarsit/neprezentati", url.Values{"cine": {"2222AAAA", "4444CCCC", "3333BBBB"}}).is(http.StatusUnprocessableEntity).
		shows("Exemplu Ioana nu a fost notat(ă): Persoana s-a prezentat", "B10", "Probă Ilinca nu a fost notat(ă): persoana mai poate veni", "G03",
			"Neprezentarea a fost notată pentru 1 persoană.", "09:20 Minta Ödön notat la")
	if b, _ := c.db.Booking(t.Context(), "4444CCCC"); b.Visit.State != spclep.StateBooked {
		t.Errorf("who is still in time is %s", b.Visit.State)
	}
	s.hides("Nu s-a salvat nimic")
	c.post("/sfarsit/neprezentati", url.Values{"cheie": {"cheia-unui-formular-de-proba"}, "cine": {"?"}}).is(http.StatusBadRequest)
	c.post("/sfarsit/neprezentati", url.Values{"cine": {"3333BBBB"}}).is(http.StatusBadRequest)
}

// While nobody knows what time it is, nobody is late.
func TestNobodyIsLateByALostClock(t *testing.T) {
	c := at(t, "10:00")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:00")
	form := c.open("/sfarsit").fill("/sfarsit/neprezentati", nil)
	c.boot = "the next morning"
	c.skew = time.Date(2009, 1, 1, 2, 0, 0, 0, time.UTC).UnixMilli() - c.wall
	c.line.is(link.Status{Kind: link.Unreachable})
	c.open("/sfarsit?zi=2026-11-23").shows("Nu se știe ce oră este").hides("09:00 Exemplu Ioana")
	c.post("/sfarsit/neprezentati", form).is(http.StatusUnprocessableEntity).shows("Nu se știe ce oră este")
	if b, _ := c.db.Booking(t.Context(), "2222AAAA"); b.Visit.State != spclep.StateBooked {
		t.Errorf("the person is %s", b.Visit.State)
	}
}

// The figures of a day: who was booked and came, what was taken by product, who
// was sent away and why, cards in and out, and how long it took; what was taken
// back counts nowhere.
func TestTheFiguresOfTheDay(t *testing.T) {
	c := at(t, "13:30")
	c.clerk = "Ana"
	came := func(id spclep.BookingID, name string, day spclep.Day, clock string) {
		c.books(id, name, "R01", day, clock)
		c.elsewhere("Radu", c.when(day, clock), id, spclep.Arrived, true, nil)
	}
	filed := func(id spclep.BookingID, day spclep.Day, clock, number string, p spclep.Product) {
		c.elsewhere("Radu", c.when(day, clock), id, spclep.Filed, true, spclep.FiledValue{Number: number, Product: p, Day: day, Due: day + 30, Bundle: 1})
	}
	came("2222AAAA", "Exemplu Ioana", monday, "09:00")
	filed("2222AAAA", monday, "09:20", "1", "CEI_FIRST")
	came("3333BBBB", "Minta Ödön", monday, "09:40")
	filed("3333BBBB", monday, "10:10", "2", "CEI_FIRST")
	came("4444CCCC", "Probă Ilinca", monday, "10:20")
	c.elsewhere("Radu", c.when(monday, "10:30"), "4444CCCC", spclep.SentAway, true, spclep.SentAwayValue{Ground: spclep.GroundPapersMissing, Missing: []string{"R01.1"}})
	c.books("5555DDDD", "Példa Réka", "R01", monday, "11:00")
	c.elsewhere("", c.when(monday, "08:00"), "5555DDDD", spclep.Cancelled, true, spclep.CancelledValue{Ground: "citizen"})
	c.books("6666EEEE", "Model Andrei", "R01", monday, "13:20")
	came("7777FFFF", "Probă Mihai", monday-20, "09:00")
	filed("7777FFFF", monday-20, "09:30", "3", "CIS")
	c.elsewhere("Radu", c.when(monday, "09:05"), "7777FFFF", spclep.Ready, true, nil)
	c.elsewhere("Radu", c.when(monday, "13:05"), "7777FFFF", spclep.HandedOver, true, spclep.HandedOverValue{To: "holder"})
	c.open("/fara-programare").press("/fara-programare", url.Values{"nume": {"Minta Anna"}, "motiv": {"R11"}}).is(http.StatusOK)

	c.open("/sfarsit").shows("Programați5", "S-au prezentat3", "Notați ca neprezentați0", "Anulate înainte de vizită1", "Încă fără urmare1", "Fără programare1", "Urgențe aprobate0",
		": 2", "Trimiși acasălipsesc acte: 1", "Acte sosite1", "Acte predate1", "La ghișeu, în medie20 de minute")
	c.open("/sfarsit?zi=2026-11-03").shows("Programați1", "Acte sosite0", "Acte predate0", ": 1")

	// The application of Ödön was a slip of the hand.
	v := c.open("/vizita/3333BBBB")
	v.press("/vizita/3333BBBB/anulare", url.Values{"motiv": {"altă persoană"}}).is(http.StatusOK)
	c.open("/sfarsit").shows(": 1").hides(": 2")
	c.open("/sfarsit").press("/sfarsit/tiparit", nil).shows("Tipărit o dată, la 23.11.2026 13:30, de Ana.")
	c.traced("printed-end", "Ana", "2026-11-23")
}

// What the hub has not acknowledged is named by booking, with since when; all is
// sent only when it has answered every op, and what it refused stays named.
func TestTheDaysEndNamesWhatIsUnsent(t *testing.T) {
	c := at(t, "09:15")
	c.open("/sfarsit").shows("Totul este trimis.")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	c.books("3333BBBB", "Minta Ödön", "R01", monday, "09:40")
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil).press("/vizita/2222AAAA/date", url.Values{"note": {"vine cu mama"}})
	c.now(monday, "09:35")
	c.open("/vizita/3333BBBB").press("/vizita/3333BBBB/prezent", nil)

	c.open("/sfarsit").shows("3 operații nu au ajuns încă la centru, cea mai veche din 23.11.2026 09:15.", "Sunt păstrate pe acest PC, de două ori",
		"Exemplu Ioana23.11.2026 09:152 operații netrimise", "Minta Ödön23.11.2026 09:351 operație netrimisă").hides("Totul este trimis")
	c.accepts(1, 2)
	c.open("/sfarsit").shows("1 operație nu a ajuns încă la centru, din 23.11.2026 09:35.", "Minta Ödön").hides("Totul este trimis", "2 operații netrimise")
	c.save(wire.Answer{Verdicts: []wire.Verdict{{Seq: 3, Code: wire.Refused, Say: "value-large: the value has 9 bytes"}}})
	c.open("/sfarsit").shows("1 operație a fost refuzată de centru.", "Minta Ödön", "1 operație refuzată de centru").hides("Totul este trimis")
}
