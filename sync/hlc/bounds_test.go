package hlc

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// An outing is what truly happened to one PC out of contact, and all that it
// can bring home: readings of which only Up and the measured boots are true.
type outing struct {
	edits   []Reading
	truth   []int64 // hub ms of each edit
	anchors Anchors
	now     Reading
	nowMs   int64
	floor   int64 // the last contact before the outage

	low, high []int64 // what the boot clocks prove of each edit
}

// newOuting draws up to five boots, some with a single round trip to the hub,
// and clocks that lie by decades.
func newOuting(r *rand.Rand) outing {
	o := outing{anchors: Anchors{}, floor: noon}
	t := noon
	var on []int64
	walls := []int64{y70, y09, y60, noon, noon - 3*hour}
	for b := range 1 + r.IntN(5) {
		boot := fmt.Sprint("b", b)
		t += 1 + r.Int64N(3*hour)
		on = append(on, t)
		wall := walls[r.IntN(len(walls))]
		for range r.IntN(4) {
			t += r.Int64N(hour)
			o.edits = append(o.edits, at(boot, wall+t-on[b], t-on[b]))
			o.truth = append(o.truth, t)
		}
		t += r.Int64N(hour)
		if r.IntN(3) == 0 {
			o.anchors[boot] = Anchor{Boot: boot, Up: t - on[b], Hub: t, Wall: wall + t - on[b], Err: 20}
		}
		o.now, o.nowMs = at(boot, wall+t-on[b], t-on[b]), t
	}
	o.anchors[o.now.Boot] = Anchor{Boot: o.now.Boot, Up: o.now.Up, Hub: t, Wall: o.now.Wall, Err: 20}
	o.prove()
	return o
}

// prove works out the earliest and the latest that each edit can have been
// written, if Up is believed and no wall clock: from both ends, edit by edit.
func (o *outing) prove() {
	o.low, o.high = make([]int64, len(o.edits)), make([]int64, len(o.edits))
	first, before := o.floor, Reading{}
	for i, e := range o.edits {
		switch a, ok := o.anchors[e.Boot]; {
		case ok:
			first = a.Hub + e.Up - a.Up
		case e.Boot == before.Boot:
			first += e.Up - before.Up
		default:
			first += e.Up // it was switched on after the edit before this one
		}
		o.low[i], before = first, e
	}
	last, after := o.nowMs, o.now
	for i := len(o.edits) - 1; i >= 0; i-- {
		e := o.edits[i]
		switch a, ok := o.anchors[e.Boot]; {
		case ok:
			last = a.Hub + e.Up - a.Up
		case e.Boot == after.Boot:
			last -= after.Up - e.Up
		default:
			last -= after.Up // the next boot began here at the latest
		}
		o.high[i], after = last, e
	}
	// A boot moves as a whole: what bounds one of its edits bounds all.
	for i, e := range o.edits {
		for k, f := range o.edits {
			if e.Boot == f.Boot {
				o.low[i] = max(o.low[i], o.low[k]+e.Up-f.Up)
				o.high[i] = min(o.high[i], o.high[k]+e.Up-f.Up)
			}
		}
	}
}

// Whatever the wall clocks say, an edit is given a time that the boot clocks
// allow, and of a measured boot the true one: so an edit that must have been
// the later is the later.
func TestCorrectStaysWithinWhatIsProven(t *testing.T) {
	const grain = 5 // ms: edits of one moment are told apart by the count
	unmeasured := 0
	for seed := range uint64(20_000) {
		o := newOuting(rand.New(rand.NewPCG(seed, 3)))
		got := Correct(o.edits, o.anchors, o.now, 0, o.floor)
		rises(t, 0, got)
		for i, e := range o.edits {
			if o.truth[i] < o.low[i] || o.truth[i] > o.high[i] {
				t.Fatalf("seed %d: the test itself proves what is false of edit %d", seed, i+1)
			}
			if o.low[i] != o.high[i] {
				unmeasured++
			}
			if ms := got[i].Ms(); ms < o.low[i]-grain || ms > o.high[i]+grain {
				t.Fatalf("seed %d: edit %d of %s lies %+d ms from the truth; %+d to %+d is proven", seed, i+1, e.Boot,
					ms-o.truth[i], o.low[i]-o.truth[i], o.high[i]-o.truth[i])
			}
		}
	}
	if unmeasured < 10_000 {
		t.Errorf("only %d edits needed a guess: the test is no test", unmeasured)
	}
}

// A person's word for the time is a word and no measure: it moves no edit out
// of the gap in which it must lie.
func TestCorrectDoesNotTrustATypedTime(t *testing.T) {
	for story, off := range map[string]int64{"yesterday": -24 * hour, "next year": 365 * 24 * hour} {
		anchors := Anchors{
			"b2": {Boot: "b2", Up: 1000, Hub: noon + hour + off, Wall: y09, Err: TypedErr},
			"b3": {Boot: "b3", Up: 1000, Hub: noon + 3*hour, Wall: noon + 3*hour, Err: 20},
		}
		edits := []Reading{at("b2", y09, hour)}
		got := Correct(edits, anchors, at("b3", noon+3*hour, 1000), 0, noon)[0].Ms()
		if got < noon+hour || got > noon+3*hour-1000 {
			t.Errorf("%s: %+d ms after the last contact, want an hour at least and the next start at most", story, got-noon)
		}
	}
}
