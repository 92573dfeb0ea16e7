package op

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"condica/sync/hlc"
)

var (
	pcA = hlc.Device{0xa1}
	pcB = hlc.Device{0xb2}
)

// edit is one edit of a phone number, say: by d, number seq in its log, at eff,
// on top of base.
func edit(d hlc.Device, seq uint64, eff hlc.Time, base ...ID) Entry {
	return Entry{Eff: eff, Op: Op{ID: ID{d, seq}, Base: base, Time: eff, Value: json.RawMessage(fmt.Sprintf(`"%v-%d"`, d, seq))}}
}

// The first of each pair must win, asked either way round.
func TestWins(t *testing.T) {
	for _, c := range []struct {
		story     string
		win, lose Entry
	}{
		{"the later of two parallel edits", edit(pcA, 1, hlc.At(20)), edit(pcB, 1, hlc.At(10))},
		{"the later count in one millisecond", edit(pcA, 1, hlc.At(20)+1), edit(pcB, 1, hlc.At(20))},
		{"tied clocks: the greater device", edit(pcB, 1, hlc.At(10)), edit(pcA, 9, hlc.At(10))},
		{"one device, one stamp: the later in its log", edit(pcA, 2, hlc.At(10)), edit(pcA, 1, hlc.At(10))},
		{"who knew the other, though its clock was at 2009", edit(pcA, 1, hlc.At(1), ID{pcB, 1}), edit(pcB, 1, hlc.At(999))},
		{"who knew the other, by its other hand", edit(pcB, 7, hlc.At(1), ID{pcA, 3}, ID{pcA, 4}), edit(pcA, 4, hlc.At(2))},
	} {
		if !Wins(c.win, c.lose) || Wins(c.lose, c.win) {
			t.Errorf("%s: Wins gives %v and %v", c.story, Wins(c.win, c.lose), Wins(c.lose, c.win))
		}
		checkSettle(t, c.story, []Entry{c.lose, c.win}, c.win.ID)
		checkSettle(t, c.story+", turned round", []Entry{c.win, c.lose}, c.win.ID)
	}
}

func checkSettle(t *testing.T, story string, edits []Entry, want ID) {
	t.Helper()
	w, _, ok := Settle(edits)
	if !ok || w.ID != want {
		t.Errorf("%s: Settle gives %v, want %v", story, w.ID, want)
	}
}

// What lost stays listed; what somebody wrote on top of does not.
func TestSettleListsWhatLost(t *testing.T) {
	a1 := edit(pcA, 1, hlc.At(10))
	a2 := edit(pcA, 2, hlc.At(20), a1.ID)
	b1 := edit(pcB, 1, hlc.At(15), a1.ID)
	b2 := edit(pcB, 2, hlc.At(30), a2.ID) // saw a2 win, wrote on top; b1 stays in sight
	w, beaten, _ := Settle([]Entry{a1, a2, b1, b2})
	if w.ID != b2.ID || len(beaten) != 1 || beaten[0].ID != b1.ID {
		t.Errorf("%v wins over %v, want %v over [%v]", w.ID, ids(beaten), b2.ID, b1.ID)
	}
	b3 := edit(pcB, 3, hlc.At(40), b2.ID, b1.ID) // a person settles: nothing is left
	if w, beaten, _ = Settle([]Entry{a1, a2, b1, b2, b3}); w.ID != b3.ID || len(beaten) != 0 {
		t.Errorf("after settling: %v over %v", w.ID, ids(beaten))
	}
	if _, _, ok := Settle(nil); ok {
		t.Error("nothing was settled into something")
	}
}

// Two edits that claim to know each other do not make the field disappear, and
// every desk shows the same one.
func TestSettleSurvivesCycles(t *testing.T) {
	a := edit(pcA, 1, hlc.At(10), ID{pcB, 1})
	b := edit(pcB, 1, hlc.At(20), ID{pcA, 1})
	self := edit(pcA, 5, hlc.At(5), ID{pcA, 5})
	for _, edits := range [][]Entry{{a, b}, {b, a}, {self, b, a}} {
		checkSettle(t, fmt.Sprint(ids(edits)), edits, b.ID)
	}
	checkSettle(t, "an edit on top of itself", []Entry{self}, self.ID)
}

// The answer depends on the set alone: any order, any repetition, by random
// histories of up to three PCs, cycles included.
func TestSettleIsOrderFree(t *testing.T) {
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 2))
		edits := history(r)
		w, beaten, ok := Settle(edits)
		if !ok {
			t.Fatalf("seed %d: no winner among %d edits", seed, len(edits))
		}
		again := slices.Clone(edits)
		for range r.IntN(4) {
			again = append(again, edits[r.IntN(len(edits))])
		}
		r.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		w2, beaten2, _ := Settle(again)
		if w.ID != w2.ID || !slices.Equal(ids(beaten), ids(beaten2)) {
			t.Fatalf("seed %d: %v over %v, and shuffled %v over %v", seed, w.ID, ids(beaten), w2.ID, ids(beaten2))
		}
	}
}

// history makes edits whose bases mostly lie before them, sometimes not.
func history(r *rand.Rand) []Entry {
	devices := []hlc.Device{pcA, pcB, {0xc3}}
	var edits []Entry
	for i := range 1 + r.IntN(7) {
		e := edit(devices[r.IntN(3)], uint64(i+1), hlc.At(r.Int64N(4)))
		for range r.IntN(3) {
			e.Base = append(e.Base, ID{devices[r.IntN(3)], uint64(1 + r.IntN(8))})
		}
		edits = append(edits, e)
	}
	return edits
}

func ids(es []Entry) (out []ID) {
	for _, e := range es {
		out = append(out, e.ID)
	}
	return out
}

func TestEffective(t *testing.T) {
	const hub = 1_000_000_000
	for _, c := range []struct {
		story   string
		stamp   hlc.Time
		after   []hlc.Time
		want    hlc.Time
		clamped bool
	}{
		{"in order", hlc.At(hub - 5), nil, hlc.At(hub - 5), false},
		{"weeks old: offline work", hlc.At(5), nil, hlc.At(5), false},
		{"two minutes ahead is still a clock", hlc.At(hub + MaxAhead), nil, hlc.At(hub + MaxAhead), false},
		{"any more is a wrong one", hlc.At(hub + MaxAhead + 1), nil, hlc.At(hub), true},
		{"from 2060", hlc.At(2_840_140_800_000), nil, hlc.At(hub), true},
		{"after the author's previous edit", hlc.At(7), []hlc.Time{hlc.At(9)}, hlc.At(9) + 1, false},
		{"after what it replaces, in whatever order", hlc.At(7), []hlc.Time{hlc.At(9), hlc.At(11), 0}, hlc.At(11) + 1, false},
		{"clamped and after the previous clamped one", hlc.At(hub * 2), []hlc.Time{hlc.At(hub)}, hlc.At(hub) + 1, true},
	} {
		got, clamped := Effective(c.stamp, hub, c.after...)
		if got != c.want || clamped != c.clamped {
			t.Errorf("%s: %v %v, want %v %v", c.story, got, clamped, c.want, c.clamped)
		}
	}
}

func TestIDAndCellText(t *testing.T) {
	id := ID{pcA, 1<<63 - 1}
	if back, err := ParseID(id.String()); err != nil || back != id {
		t.Errorf("%v came back as %v, %v", id, back, err)
	}
	for _, s := range []string{"", ":", "a100000000000000:0", "a100000000000000:-1", "a100000000000000:9223372036854775808", "a1:1", "a100000000000000", "a100000000000000:1:2"} {
		if v, err := ParseID(s); err == nil {
			t.Errorf("%q was read as id %v", s, v)
		}
	}
	c := Cell{"booking", "7F3KQRST", "answer.are copii sub 14 ani?"}
	if back, err := ParseCell(c.String()); err != nil || back != c {
		t.Errorf("%v came back as %v, %v", c, back, err)
	}
	for _, s := range []string{"", "a/b", "a//c", "/b/c", "a/b/", "a/b/c/d"} {
		if v, err := ParseCell(s); err == nil {
			t.Errorf("%q was read as cell %v", s, v)
		}
	}
}
