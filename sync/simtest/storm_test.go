package simtest

import (
	"flag"
	"fmt"
	"testing"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
)

var (
	seeds = flag.Int("seeds", 3, "storms to run")
	from  = flag.Uint64("from", 0, "the first seed")
)

// Two or three PCs of an office, clocks from 2009 to 2060, letters lost, doubled
// and late, services and PCs restarted, a database lost. When the weather
// clears, hub and PCs hold the same, and it is what the clerks were told.
func TestStorms(t *testing.T) {
	for seed := *from; seed < *from+uint64(*seeds); seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			runStorm(t, seed)
		})
	}
}

// The same seed gives the same storm, or no failure could be replayed.
func TestStormsReplay(t *testing.T) {
	a, b := runStorm(t, 3).script.String(), runStorm(t, 3).script.String()
	if a != b {
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("two runs part at\n%s\nand\n%s", a[max(0, i-300):min(i+100, len(a))], b[max(0, i-300):min(i+100, len(b))])
			}
		}
		t.Fatal("one run is longer")
	}
}

func runStorm(t *testing.T, seed uint64) *world {
	w := newWorld(t, seed, 2+int(seed%2))
	for range 60 + w.r.IntN(60) {
		w.in(w.r.Int64N(2*hour), w.pcs[w.r.IntN(len(w.pcs))].clerk)
	}
	for at := int64(0); at < 2*hour; at += 60_000 {
		w.in(at, w.mischief)
	}
	// Longer outages: everything is lost for a while.
	for range w.r.IntN(3) {
		at := w.r.Int64N(2 * hour)
		w.in(at, func() { w.odds.loseRequest = 100 })
		w.in(at+w.r.Int64N(hour), func() { w.odds.loseRequest = storm.loseRequest })
	}
	for w.now < dawn+3*hour && w.next() {
	}
	w.calm()
	w.check()
	return w
}

// mischief is what befalls PCs.
func (w *world) mischief() {
	for _, p := range w.pcs {
		switch {
		case w.chance(w.odds.restart):
			p.restart(false, w.chance(50))
		case w.chance(w.odds.reboot):
			p.restart(true, w.chance(50))
		case w.chance(w.odds.setClock):
			p.wallOff = offsets[w.r.IntN(len(offsets))]
		}
	}
}

// calm lets the weather clear and waits until nobody has anything left to say:
// within two hours, or somebody is stuck.
func (w *world) calm() {
	w.odds = odds{}
	for limit := w.now + 2*hour; w.now < limit && w.next(); {
		if w.atRest() {
			return
		}
	}
	for _, p := range w.pcs {
		st, err := p.db.Standing(w.t.Context())
		w.say("%s: %+v, %v", p.name, st, err)
	}
	w.t.Fatalf("two hours of calm, and still not at rest\n%s", w.tail())
}

func (w *world) atRest() bool {
	heads, err := w.store.Heads(w.t.Context())
	w.must(err)
	for _, p := range w.pcs {
		st, err := p.db.Standing(w.t.Context())
		w.must(err)
		if st.Unsent > 0 || st.Cursor < heads["covasna"] {
			return false
		}
	}
	return true
}

// check holds all sides against each other and against what clerks were told.
func (w *world) check() {
	w.t.Helper()
	onHub := map[op.ID]op.Entry{}
	for i := range 6 {
		id := spclep.BookingID(fmt.Sprintf("7F3KQR%02d", 22+i))
		b, _, err := w.hub.Booking(w.t.Context(), "covasna", id)
		w.must(err)
		want := digest(b)
		for _, p := range w.pcs {
			mine, err := p.db.Booking(w.t.Context(), id)
			w.must(err)
			if got := digest(mine); got != want {
				w.t.Fatalf("booking %s: the hub shows\n%s\n%s shows\n%s\n%s", id, want, p.name, got, w.tail())
			}
		}
		for _, e := range append(b.Facts, b.History...) {
			if _, twice := onHub[e.ID]; twice {
				w.t.Fatalf("op %s is on the hub twice", e.ID)
			}
			onHub[e.ID] = e
		}
	}
	told := 0
	for _, p := range w.pcs {
		told += w.checkActions(p, onHub)
	}
	if told != len(onHub) {
		w.t.Fatalf("clerks were told of %d ops, the hub holds %d", told, len(onHub))
	}
}

// checkActions finds each acknowledged action whole, in order, and at the time
// at which it happened, whatever the PC's clock showed.
func (w *world) checkActions(p *pc, onHub map[op.ID]op.Entry) (ops int) {
	last := hlc.Time(0)
	for _, a := range p.acked {
		for i := range a.ops {
			e, ok := onHub[op.ID{Device: a.first.Device, Seq: a.first.Seq + uint64(i)}]
			if !ok || e.Cell.Entity != string(a.id) || e.ActionID() != a.first {
				w.t.Fatalf("%s: action %s, op %d: on the hub is %v %+v\n%s", p.name, a.first, i+1, ok, e, w.tail())
			}
			if e.Eff <= last {
				w.t.Fatalf("%s: op %s at %v does not lie after %v", p.name, e.ID, e.Eff, last)
			}
			last = e.Eff
			ops++
			if off := e.Eff.Ms() - a.at; p.boot == 0 && (off < -5000 || off > 5000) {
				w.t.Errorf("%s: op %s is %d ms off the truth", p.name, e.ID, off)
			}
		}
	}
	return ops
}

func digest(b record.Booking) string {
	out := string(b.Visit.State) + " " + b.Note + " " + b.Email + "\n"
	for _, e := range append(b.Facts, b.History...) {
		out += fmt.Sprintf("%s %v %d %s %s\n", e.ID, e.Eff, e.Pos, e.Cell, e.Value)
	}
	for _, c := range b.Conflicts() {
		out += fmt.Sprintf("conflict %s: %s over %s\n", c.Field, c.Winner.ID, c.Loser.ID)
	}
	return out
}
