package localdb

import (
	"testing"

	"condica/spclep"
	"condica/sync/hlc"
	"condica/sync/op"
)

// What is listed as pending is what the status line counts, to the op: unsent
// ones by booking, a refused one until a person has closed it.
func TestPendingIsWhatStandingCounts(t *testing.T) {
	c := newCounter(t)
	tn := newTown(t)
	tn.booked(1, "7F3KQRST", "Exemplu Ioana")
	c.syncAll(tn)
	c.arrive("7F3KQRST")
	c.later(60_000)
	c.register("7F3KQRST", "note", "vine cu mama")
	c.register("8F3KQRST", "note", "nimeni nu o cunoaște")

	check := func(want ...Pending) {
		t.Helper()
		got, err := c.Pending(t.Context())
		c.must(err)
		st, err := c.Standing(t.Context())
		c.must(err)
		unsent, refused := 0, 0
		for i, p := range got {
			unsent, refused = unsent+p.Unsent, refused+p.Refused
			if p.OldestMs == 0 || i >= len(want) || p.ID != want[i].ID || p.Name != want[i].Name || p.Unsent != want[i].Unsent || p.Refused != want[i].Refused {
				t.Errorf("line %d is %+v, want %v", i, p, want)
			}
		}
		if len(got) != len(want) || unsent != st.Unsent || refused != st.Refused {
			t.Errorf("%d bookings with %d and %d, the status line counts %d and %d", len(got), unsent, refused, st.Unsent, st.Refused)
		}
	}
	check(Pending{ID: "7F3KQRST", Name: "Exemplu Ioana", Unsent: 2}, Pending{ID: "8F3KQRST", Unsent: 1})

	tn.no[op.ID{Device: thisPC, Seq: 3}] = "value-large: too long"
	c.syncAll(tn)
	check(Pending{ID: "8F3KQRST", Refused: 1})
	_, err := c.CloseRefused(t.Context(), op.ID{Device: thisPC, Seq: 3}, "Ana", "scris din nou")
	c.must(err)
	check()
}

// What happened on a day is found by the fact's own time, whenever the booking
// was for and whatever came after; and what nobody has said anything about is
// counted up to the day before.
func TestWhatHappenedOnADay(t *testing.T) {
	c := newCounter(t)
	tn := newTown(t)
	const day = int64(86_400_000)
	tn.booked(1, "7F3KQRST", "Exemplu Ioana")
	tn.booked(2, "8F3KQRST", "Minta Ödön")
	other := hlc.Device{0xb2}
	tn.written(other, 1, storyNoon-2*day, factDraft("7F3KQRST", spclep.Filed, spclep.FiledValue{Number: "1"}))
	tn.written(other, 2, storyNoon-day, factDraft("7F3KQRST", spclep.Ready, nil))
	tn.written(other, 3, storyNoon, factDraft("7F3KQRST", spclep.HandedOver, nil))
	c.syncAll(tn)
	for _, when := range []struct {
		from, to int64
		facts    []string
		n        int
	}{
		{storyNoon - day, storyNoon, []string{spclep.Ready}, 1},
		{storyNoon - day, storyNoon, []string{spclep.HandedOver}, 0}, // its end is not of the day
		{storyNoon, storyNoon + 1, []string{spclep.Ready, spclep.HandedOver}, 1},
		{storyNoon - 3*day, storyNoon - day, []string{spclep.Filed}, 1},
		{storyNoon - 3*day, storyNoon + day, []string{spclep.SentAway}, 0},
		{storyNoon - 3*day, storyNoon + day, nil, 0},
	} {
		rows, err := c.Happened(t.Context(), when.from, when.to, when.facts...)
		if c.must(err); len(rows) != when.n || when.n == 1 && rows[0].ID != "7F3KQRST" {
			t.Errorf("%v from %d to %d: %v, want %d", when.facts, when.from, when.to, rows, when.n)
		}
	}
	for before, want := range map[spclep.Day]int{20780: 0, 20781: 1, 20812: 0} {
		n, last, err := c.Overlooked(t.Context(), before-31, before)
		if c.must(err); n != want || want == 1 && last != 20780 {
			t.Errorf("before day %d: %d were overlooked, the last on %d; want %d", before, n, last, want)
		}
	}
}

// A trace is counted by its kind and what it is about.
func TestTracedTwice(t *testing.T) {
	c := newCounter(t)
	for _, line := range [][3]string{{"printed-day", "Ana", "2026-11-23"}, {"printed-day", "Radu", "2026-11-24"}, {"printed-end", "Ana", "2026-11-23"}, {"printed-day", "Dan", "2026-11-23"}} {
		c.later(1000)
		c.must(c.Trace(t.Context(), line[0], line[1], line[2]))
	}
	n, last, err := c.Traced(t.Context(), "printed-day", "2026-11-23")
	if c.must(err); n != 2 || last.By != "Dan" || last.AtMs == 0 {
		t.Errorf("%d times, the last %+v; want 2, by Dan", n, last)
	}
	if n, _, err := c.Traced(t.Context(), "printed-day", "2026-11-25"); n != 0 || err != nil {
		t.Errorf("what was never printed was printed %d times: %v", n, err)
	}
}
