package op

import (
	"encoding/json"
	"slices"
	"testing"

	"condica/sync/hlc"
)

func note(device byte, seq uint64, up int64, value string, base ...ID) Entry {
	return Entry{Eff: hlc.At(up), Op: Op{
		ID: ID{Device: hlc.Device{device}, Seq: seq}, Action: seq, Cell: Cell{"booking", "7F3K", "note"}, Value: json.RawMessage(value),
		Base: base, Clock: hlc.Reading{Wall: up, Boot: "b", Up: up}, By: "clerk",
	}}
}

// A disk was copied with an edit on it that had not been sent: both PCs sent
// it, each under its own new name, and went on writing on top of their own.
func TestTwins(t *testing.T) {
	before := note(9, 1, 5, `"before"`)
	one := note(1, 1, 10, `"copied"`, before.ID)
	two := note(2, 1, 10, `"copied"`, before.ID)
	two.Eff = two.Eff.After() // sealed apart
	onTop := note(2, 2, 20, `"later, on the second"`, two.ID)
	all := []Entry{before, one, two, onTop}
	for range 10 {
		slices.Reverse(all)
		out, names := Distinct(all)
		if len(out) != 3 || names[two.ID] != one.ID {
			t.Fatalf("%d entries, names %v", len(out), names)
		}
		winner, beaten, _ := Settle(out)
		if winner.ID != onTop.ID || len(beaten) != 0 {
			t.Errorf("%s counts over %d, want the later one, which knew both", winner.ID, len(beaten))
		}
	}
}

// What differs in anything but name and stamp was written twice.
func TestNoTwins(t *testing.T) {
	a := note(1, 1, 10, `"a"`)
	change := map[string]func(e *Entry){
		"value":  func(e *Entry) { e.Value = json.RawMessage(`"b"`) },
		"clerk":  func(e *Entry) { e.By = "another" },
		"reason": func(e *Entry) { e.Why = "a reason" },
		"moment": func(e *Entry) { e.Clock.Up++ },
		"run":    func(e *Entry) { e.Clock.Boot = "c" },
		"wall":   func(e *Entry) { e.Clock.Wall++ },
		"field":  func(e *Entry) { e.Cell.Field = "email" },
		"entity": func(e *Entry) { e.Cell.Entity = "7F3L" },
		"kind":   func(e *Entry) { e.Fact = true },
	}
	for name, f := range change {
		b := note(2, 1, 10, `"a"`)
		f(&b)
		if out, names := Distinct([]Entry{a, b}); len(out) != 2 || len(names) != 0 {
			t.Errorf("another %s, and still one edit", name)
		}
		if name != "kind" && a.Mark() == b.Mark() {
			t.Errorf("another %s, and the same mark", name)
		}
	}
	b := note(2, 1, 10, `"a"`)
	b.Time, b.Base = 99, []ID{{Seq: 4}}
	if a.Mark() != b.Mark() {
		t.Error("number, time and base are no part of the mark")
	}
}
