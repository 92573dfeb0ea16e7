package hlc

import (
	"math/rand/v2"
	"testing"
)

// Clocks of the story: the hub says noon; PCs say what their batteries let them.
const (
	noon = int64(1_795_262_400_000)
	hour = int64(3_600_000)
	y70  = int64(0)
	y09  = int64(1_230_768_000_000)
	y60  = int64(2_840_140_800_000)
)

func at(boot string, wall, up int64) Reading { return Reading{Wall: wall, Boot: boot, Up: up} }

// anchored ties a boot's running time to the hub's.
func anchored(boot string, up, hub, wall int64) Anchors {
	return Anchors{boot: {Boot: boot, Up: up, Hub: hub, Wall: wall}}
}

func TestCorrect(t *testing.T) {
	for _, c := range []struct {
		story   string
		edits   []Reading
		anchors Anchors
		now     Reading
		last    Time
		floor   int64
		want    []int64 // ms in the hub's time
	}{{
		story:   "same boot, right clock: one hour and half an hour ago",
		edits:   []Reading{at("b1", noon-hour, hour), at("b1", noon-hour/2, hour*3/2)},
		anchors: anchored("b1", 2*hour, noon, noon),
		now:     at("b1", noon, 2*hour),
		want:    []int64{noon - hour, noon - hour/2},
	}, {
		story:   "same boot, clock at 2009",
		edits:   []Reading{at("b1", y09, hour), at("b1", y09+hour/2, hour*3/2)},
		anchors: anchored("b1", 2*hour, noon, y09+hour),
		now:     at("b1", y09+hour, 2*hour),
		want:    []int64{noon - hour, noon - hour/2},
	}, {
		story:   "same boot, clock at 2060",
		edits:   []Reading{at("b1", y60, hour)},
		anchors: anchored("b1", 2*hour, noon, y60+hour),
		now:     at("b1", y60+hour, 2*hour),
		want:    []int64{noon - hour},
	}, {
		story:   "somebody set the clock in mid-outage, forward and back: elapsed time counts",
		edits:   []Reading{at("b1", y09, hour), at("b1", y60, hour+1000), at("b1", y70, hour+2000)},
		anchors: anchored("b1", 2*hour, noon, noon),
		now:     at("b1", noon, 2*hour),
		want:    []int64{noon - hour, noon - hour + 1000, noon - hour + 2000},
	}, {
		story:   "the PC slept in between: running time counts sleep",
		edits:   []Reading{at("b1", noon-9*hour, hour), at("b1", noon-hour, 9*hour)},
		anchors: anchored("b1", 10*hour, noon, noon),
		now:     at("b1", noon, 10*hour),
		want:    []int64{noon - 9*hour, noon - hour},
	}, {
		story: "switched off and on; the earlier boot had been measured",
		edits: []Reading{at("b1", y09, hour)},
		anchors: Anchors{
			"b1": {Boot: "b1", Up: hour / 2, Hub: noon - 5*hour, Wall: y09 - hour/2},
			"b2": {Boot: "b2", Up: 1000, Hub: noon, Wall: y70},
		},
		now:  at("b2", y70, 1000),
		want: []int64{noon - 5*hour + hour/2},
	}, {
		story:   "switched off and on; never measured, clock off by one hour all along",
		edits:   []Reading{at("b1", noon-3*hour, hour), at("b1", noon-3*hour+60_000, hour+60_000)},
		anchors: anchored("b2", 1000, noon, noon-hour),
		now:     at("b2", noon-hour, 1000),
		want:    []int64{noon - 2*hour, noon - 2*hour + 60_000},
	}, {
		story:   "never measured, and the battery died at that reboot: 2009 is behind the floor",
		edits:   []Reading{at("b1", y09, hour), at("b1", y09+5000, hour+5000)},
		anchors: anchored("b2", 1000, noon, noon),
		now:     at("b2", noon, 1000),
		floor:   noon - 4*hour,
		want:    []int64{noon - 3*hour, noon - 3*hour + 5000}, // and it had been on for an hour
	}, {
		story:   "never measured, clock at 2060: it ended before this boot began",
		edits:   []Reading{at("b1", y60, hour), at("b1", y60+5000, hour+5000)},
		anchors: anchored("b2", 1000, noon, noon),
		now:     at("b2", noon, 1000),
		want:    []int64{noon - 1000 - 5000, noon - 1000},
	}, {
		story:   "two boots without a measure, the second clock earlier than the first",
		edits:   []Reading{at("b1", noon-2*hour, hour), at("b2", y70, 10), at("b2", y70+20, 30)},
		anchors: anchored("b3", 1000, noon, noon),
		now:     at("b3", noon, 1000),
		want:    []int64{noon - 2*hour, noon - 2*hour + 10, noon - 2*hour + 30},
	}, {
		story:   "what was last sent out lies later than the readings say",
		edits:   []Reading{at("b1", y09, hour)},
		anchors: anchored("b1", 2*hour, noon, y09+hour),
		now:     at("b1", y09+hour, 2*hour),
		last:    At(noon - 60_000),
		want:    []int64{noon - 60_000},
	}, {
		story:   "running time later than now (a reading out of order) does not lie in the future",
		edits:   []Reading{at("b1", noon, 3*hour)},
		anchors: anchored("b1", 2*hour, noon, noon),
		now:     at("b1", noon, 2*hour),
		want:    []int64{noon},
	}} {
		t.Run(c.story, func(t *testing.T) {
			got := Correct(c.edits, c.anchors, c.now, c.last, c.floor)
			if len(got) != len(c.want) {
				t.Fatalf("%d times for %d edits", len(got), len(c.want))
			}
			for i := range got {
				if got[i].Ms() != c.want[i] {
					t.Errorf("edit %d: %d, want %d (%+d ms)", i+1, got[i].Ms(), c.want[i], got[i].Ms()-c.want[i])
				}
			}
			rises(t, c.last, got)
		})
	}
}

func rises(t *testing.T, last Time, times []Time) {
	t.Helper()
	for i, v := range times {
		if v <= last {
			t.Fatalf("edit %d got %v, not after %v", i+1, v, last)
		}
		last = v
	}
}

// Whatever the readings say, the order within the PC is kept, nothing lies
// after now, and nothing at or below what was sent out before.
func TestCorrectKeepsOrder(t *testing.T) {
	walls := []int64{y70, y09, noon - hour, noon, y60, -5, 1 << 60}
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		boots := []string{"b1", "b2", "b3"}[:1+r.IntN(3)]
		anchors := Anchors{}
		var edits []Reading
		up := int64(0)
		for i, b := range boots {
			up = r.Int64N(1000)
			wall := walls[r.IntN(len(walls))]
			if i == len(boots)-1 || r.IntN(2) == 0 {
				anchors[b] = Anchor{Boot: b, Up: r.Int64N(hour), Hub: noon - int64(len(boots)-1-i)*hour, Wall: wall}
			}
			for range r.IntN(5) {
				up += r.Int64N(hour)
				edits = append(edits, at(b, wall+r.Int64N(hour), up))
			}
		}
		now := at(boots[len(boots)-1], noon, up+r.Int64N(hour))
		last := At(noon - r.Int64N(3*hour))
		nowMs, _, _ := anchors.Now(now)
		got := Correct(edits, anchors, now, last, 0)
		rises(t, last, got)
		for i, v := range got {
			if v.Ms() > max(nowMs, last.Ms()) {
				t.Fatalf("seed %d: edit %d at %d lies after now %d", seed, i+1, v.Ms(), nowMs)
			}
		}
	}
}

// The middle of a round trip, and what cannot be measured.
func TestMeasure(t *testing.T) {
	a, ok := Measure(at("b1", y09, 1000), at("b1", y09+600, 1600), noon)
	if want := (Anchor{Boot: "b1", Up: 1300, Hub: noon, Wall: y09 + 300, Err: 300}); !ok || a != want {
		t.Errorf("got %+v %v, want %+v", a, ok, want)
	}
	ms, err, ok := Anchors{"b1": a}.Now(at("b1", y60, 1300+hour))
	if ms != noon+hour || err != 300+hour/driftPerMs || !ok {
		t.Errorf("an hour later it is %d give or take %d, %v", ms-noon, err, ok)
	}
	if _, ok := Measure(at("b1", 0, 1000), at("b2", 0, 2000), noon); ok {
		t.Error("an exchange over a reboot was measured")
	}
	if _, ok := Measure(at("b1", 0, 1000), at("b1", 0, 999), noon); ok {
		t.Error("an exchange in which running time ran back was measured")
	}
	if ms, _, ok := (Anchors{}).Now(at("b1", y09, 5)); ok || ms != y09 {
		t.Errorf("without an anchor it is %d, %v; want the wall clock, unsure", ms, ok)
	}
}

func TestBetter(t *testing.T) {
	old := Anchor{Boot: "b1", Up: 0, Err: 100}
	for _, c := range []struct {
		story string
		now   Anchor
		want  bool
	}{
		{"sharper", Anchor{Boot: "b1", Up: 10, Err: 99}, true},
		{"as sharp and newer", Anchor{Boot: "b1", Up: 10, Err: 100}, true},
		{"blunter a moment later", Anchor{Boot: "b1", Up: 10, Err: 200}, false},
		{"a long poll right after", Anchor{Boot: "b1", Up: 25_000, Err: 12_500}, false},
		{"blunter, but the old one has drifted past it", Anchor{Boot: "b1", Up: 2 * hour, Err: 200}, true},
		{"another boot", Anchor{Boot: "b2", Up: 0, Err: 9000}, true},
	} {
		if got := Better(c.now, old); got != c.want {
			t.Errorf("%s: %v, want %v", c.story, got, c.want)
		}
	}
}
