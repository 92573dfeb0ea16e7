package bench

import (
	"context"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"condica/spclep"
)

var deskWritten = flag.String("write-desk", "", "the page that BenchmarkDesk writes; its reading at the end is kept")

// deskBookings is how many bookings the office's replica holds.
const deskBookings = 50_000

// BenchmarkDesk measures the clerk's pages on a large replica and writes the
// page. In each round a day is worked through, on the next one everything that is
// only read is asked for and the walk-ins come; at night the hub takes it all.
func BenchmarkDesk(b *testing.B) {
	d := newDay(b, deskBookings)
	runtime.GC() // what filling has left is none of the desk's
	for range rounds {
		d.round(reads, perDay)
	}
	b.ReportMetric(median(d.shift.deeds.worst().P99), "ms-deed-p99")
	b.ReportMetric(median(d.search.worst().P99), "ms-search-p99")
	if *deskWritten != "" {
		if err := d.write(*deskWritten); err != nil {
			b.Fatal(err)
		}
	}
}

// A deskDay runs rounds.
type deskDay struct {
	*shift
	search ledger
	two    string
	r      *rand.Rand
	edits  int64  // with which the run began
	before string // the load of the machine at that moment
}

func newDay(tb testing.TB, n int) *deskDay {
	tb.Helper()
	c := newDeskPC(tb, n)
	tb.Logf("%d bookings in %d edits", len(c.books), c.pos)
	return &deskDay{
		shift: &shift{deskPC: c, commits: newBare(tb), rows: newBareReader(tb, c.books)},
		two:   commonest(c.books), r: rand.New(rand.NewPCG(7, 7)), edits: c.pos, before: loadNow(),
	}
}

// round works a day with so many visits, reads on the next so many times, and
// takes in as many people without a booking as had one.
func (d *deskDay) round(times, visits int) {
	d.Helper()
	over := d.next(spclep.HoursBooked)
	for _, b := range d.of(over)[:visits] {
		d.visit(b)
	}
	today := d.next(spclep.HoursWalkIn)
	d.now(today, 8*60+30)
	asking{d.shift, d.r, today, over, d.two}.round(times, &d.search)
	d.now(today, 13*60)
	for range visits {
		name, _ := person(d.r)
		d.walkIn(name)
	}
	d.night()
	for _, l := range []ledger{d.deeds, d.pages, d.search} {
		l.close()
	}
}

// next takes the next day that has hours of a kind. The days before it are over
// without anybody having come.
func (d *deskDay) next(kind string) spclep.Day {
	d.Helper()
	for len(d.working) > 0 {
		day := d.working[0]
		d.working = d.working[1:]
		h, err := d.ref.Hours(counterOffice, day)
		d.must(err)
		if slices.ContainsFunc(h.Intervals, func(i spclep.Interval) bool { return i.Kind == kind }) {
			return day
		}
	}
	d.Fatal("no days with bookings are left")
	return 0
}

// What is timed is the whole deed: after one visit, every step that the figures
// name stands on the record, and a walk-in is at the desk.
func TestEveryMeasuredDeedIsDone(t *testing.T) {
	d := newDay(t, 3_000)
	b := d.of(d.working[0])[0]
	d.visit(b)
	got, err := d.db.Booking(context.Background(), b.ID)
	if err != nil {
		t.Fatal(err)
	}
	var facts []string
	for _, f := range got.Facts {
		facts = append(facts, f.Cell.Field)
	}
	want := []string{spclep.Booked, spclep.Arrived, spclep.SentAway, spclep.Undone, spclep.Filed, spclep.Extended, spclep.Ready, spclep.HandedOver}
	if !slices.Equal(facts, want) {
		t.Errorf("on the record stand %q, want %q", facts, want)
	}
	if got.Answers["civil"] != "married" || len(got.Ticks) != 1 || got.Note != "vine cu mama" || got.NeedsPerson() {
		t.Errorf("answers %v, ticks %v, note %q, waits for a person: %v", got.Answers, got.Ticks, got.Note, got.NeedsPerson())
	}
	d.now(b.Day, 13*60)
	d.walkIn("Exemplu Ioana")
	rows, err := d.db.Day(context.Background(), b.Day)
	if err != nil || len(rows) != perDay+1 || rows[perDay].State != spclep.StateArrived {
		t.Errorf("the day has %d people, want %d, %v", len(rows), perDay+1, err)
	}
}

// A round notes every deed, page and search as often as the page says, and the
// hub's night leaves nothing unsent. Each search finds whom it was asked for, or
// the run ends there.
func TestARoundNotesEverything(t *testing.T) {
	d := newDay(t, 3_000)
	const visits, times = 3, 2
	d.round(times, visits)
	if n := len(d.deeds); n != 11 {
		t.Errorf("%d deeds were measured, want 11", n)
	}
	check := func(g *taking, want int) {
		if g.N != want || len(g.P99) != 1 || g.Worst < g.P50[0] || g.P50[0] <= 0 || g.Bare50[0] <= 0 {
			t.Errorf("%s: %+v, want %d of them in one round", g.What, g, want)
		}
	}
	for _, g := range d.deeds {
		check(g, visits)
	}
	for _, g := range slices.Concat(d.pages, d.search) {
		if g.What == pageAfter { // ten deeds, and the page on which the conflict is seen
			check(g, 11*visits)
		} else {
			check(g, times)
		}
	}
	if rows, err := d.db.NeedPerson(context.Background()); err != nil || len(rows) != openConflicts {
		t.Errorf("%d conflicts wait for a person, want %d, %v", len(rows), openConflicts, err)
	}
}

// The page has a row for everything that was measured, and what somebody wrote
// under it stays when it is made anew.
func TestTheDesksPageKeepsItsReading(t *testing.T) {
	d := newDay(t, 3_000)
	d.round(1, 1)
	path := filepath.Join(t.TempDir(), "page.md")
	if err := os.WriteFile(path, []byte("# Old figures\n\n"+reading+"\n\nRead by a person.\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := d.write(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(text)
	if !strings.HasSuffix(page, "\n"+reading+"\n\nRead by a person.\n") || strings.Contains(page, "Old figures") || !strings.HasPrefix(page, "# The desk on 3,000 bookings\n") {
		t.Errorf("the page is\n%s", page)
	}
	for _, g := range slices.Concat(d.deeds, d.pages, d.search) {
		if !strings.Contains(page, "\n| "+g.What+" | ") {
			t.Errorf("the page has no row for %s", g.What)
		}
	}
}
