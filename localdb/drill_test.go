package localdb_test

import (
	"fmt"
	"testing"
	"time"

	"condica/spclep"
	"condica/spclep/code"
	"condica/sync/hlc"
)

// The drill of the long outage: thirty days without a line, a PC that is
// switched off every evening, a hundred actions a day, and another PC of the
// office that has its line all the time. When the line is back everything is
// sent in a few requests, each edit has the time at which it truly happened, and
// hub and PCs hold the same by digest.
func TestThirtyDaysOffline(t *testing.T) {
	t.Parallel()
	p := newParish(t)
	c, other := p.pc("one"), p.pc("two")
	c.settle(5)
	other.settle(5)
	c.wall = (3 * time.Minute).Milliseconds()

	const days, aDay = 30, 100
	truth := map[spclep.BookingID]int64{} // when the note of each was written
	const shared = spclep.BookingID("2222XXXX")
	other.walkIn(shared, "Persoană Comună", storyDay)
	other.settle(5)
	c.settle(5)
	for d := range days {
		p.later(15 * time.Hour) // the night
		c.boot, c.on = fmt.Sprintf("day %d", d), p.now-60_000
		for n := range aDay {
			p.later(5*time.Minute - time.Second)
			id := spclep.BookingID(fmt.Sprintf("22%c%c%c222", code.Alphabet[d], code.Alphabet[n/2/20], code.Alphabet[n/2%20]))
			if n%2 == 0 {
				c.walkIn(id, "Persoană Exemplu", storyDay+spclep.Day(d))
				continue
			}
			truth[id] = p.now
			c.does(id, spclep.FieldNote, false, "vine cu mama")
		}
		other.does(shared, spclep.FieldNote, false, fmt.Sprintf("ziua %d, ghișeul 2", d+1))
		other.settle(5)
		if d == days-1 {
			p.later(time.Minute)
			c.does(shared, spclep.FieldNote, false, "ultimul cuvânt")
		}
	}
	st, err := c.Standing(t.Context())
	p.must(err)
	if st.Unsent != days*aDay+1 {
		t.Fatalf("%d are unsent, %d were written", st.Unsent, days*aDay+1)
	}
	t.Logf("before the line is back the desk says: %d operații netrimise, cea mai veche de la %s", st.Unsent, time.UnixMilli(st.OldestMs).UTC().Format("02.01 15:04"))
	p.must(c.Close())
	c.open() // and a power cut on the last day

	asked := 0
	for asked = 1; asked <= 30; asked++ {
		if out := c.talk(); out.Anchored && out.Unsent == 0 && !out.More {
			break
		}
	}
	other.settle(20)
	c.settle(5)
	if asked > 12 {
		t.Errorf("it took %d exchanges", asked)
	}
	for _, pc := range []*parishPC{c, other} {
		pc.holdsTheSame()
		st, err := pc.Standing(t.Context())
		p.must(err)
		if st.Bookings != days*aDay/2+1 || st.Refused != 0 || st.Person != 1 {
			t.Errorf("%+v", st)
		}
	}
	const all = 1 + days*aDay + 1 + days
	entries, _, err := p.hub.Store.After(t.Context(), "covasna", 0, all+1)
	p.must(err)
	if len(entries) != all {
		t.Errorf("the hub holds %d edits of %d", len(entries), all)
	}
	last, worst := map[hlc.Device]hlc.Time{}, int64(0)
	for i, e := range entries {
		if e.Eff <= last[e.ID.Device] {
			t.Fatalf("edit %d has the time %s, the one before it %s", i+1, e.Eff, last[e.ID.Device])
		}
		last[e.ID.Device] = e.Eff
		if e.Cell.Field == spclep.FieldNote && e.Cell.Entity != string(shared) {
			off := e.Eff.Ms() - truth[spclep.BookingID(e.Cell.Entity)]
			worst = max(worst, off, -off)
		}
	}
	if worst > (4 * time.Minute).Milliseconds() {
		t.Errorf("the worst time is %d s off", worst/1000)
	}
	b, err := other.Booking(t.Context(), shared)
	p.must(err)
	if b.Note != "ultimul cuvânt" || len(b.Conflicts()) != 1 || b.Conflicts()[0].Loser.By != "Ana" {
		t.Errorf("the word that was truly the last does not count: %q, %+v", b.Note, b.Conflicts())
	}
	t.Logf("%d exchanges; the worst time was %d s off with a clock that was 180 s off; the other desk shows %q at %s; digest %s", asked, worst/1000, b.Note, shared, digestOf(t, other))
}

func digestOf(t *testing.T, c *parishPC) string {
	t.Helper()
	st, err := c.Standing(t.Context())
	c.p.must(err)
	return st.Digest
}
