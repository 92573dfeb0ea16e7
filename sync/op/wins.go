package op

import (
	"cmp"
	"slices"

	"condica/sync/hlc"
)

// Wins reports which of two edits of one register counts: the one written
// knowing the other, or else, of two parallel ones, the one with the later
// effective stamp. It is the only place that decides this. Exactly one of
// Wins(a, b) and Wins(b, a) holds for two different ops.
func Wins(a, b Entry) bool {
	switch {
	case slices.Contains(a.Base, b.ID):
		return true
	case slices.Contains(b.Base, a.ID):
		return false
	}
	return Later(a, b)
}

// Later reports whether a lies after b: by effective time, then device, then
// place in the device's log.
func Later(a, b Entry) bool { return Compare(a, b) > 0 }

// Compare orders entries by effective stamp, then by their author's log.
func Compare(a, b Entry) int {
	if c := a.Stamp().Compare(b.Stamp()); c != 0 {
		return c
	}
	return cmp.Compare(a.ID.Seq, b.ID.Seq)
}

// Settle gives the edit that counts among all edits of one register, and the
// parallel ones it beat, best first. Edits that a later one was written on top
// of are neither: their authors were not overruled unseen. The answer depends
// only on the set of edits, not on their order or repetition. ok is false for
// no edits.
func Settle(edits []Entry) (winner Entry, beaten []Entry, ok bool) {
	heads := Heads(edits)
	if len(heads) == 0 {
		return Entry{}, nil, false
	}
	return heads[0], heads[1:], true
}

// Heads gives the edits no other edit was written on top of, the winner first.
func Heads(edits []Entry) []Entry {
	known := map[ID]bool{}
	for _, e := range edits {
		for _, b := range e.Base {
			known[b] = true
		}
	}
	heads := distinct(edits, func(e Entry) bool { return !known[e.ID] })
	if len(heads) == 0 {
		// Two edits that claim to know each other: only a broken or hostile
		// author writes that, and it must not make the field disappear.
		heads = distinct(edits, func(Entry) bool { return true })
		slices.SortFunc(heads, func(a, b Entry) int { return -Compare(a, b) })
		return heads
	}
	slices.SortFunc(heads, func(a, b Entry) int {
		if Wins(a, b) {
			return -1
		}
		return 1
	})
	return heads
}

func distinct(edits []Entry, want func(Entry) bool) []Entry {
	seen := map[ID]bool{}
	var out []Entry
	for _, e := range edits {
		if want(e) && !seen[e.ID] {
			out = append(out, e)
			seen[e.ID] = true
		}
	}
	return out
}

// MaxAhead is how far in ms a stamp may lie ahead of the hub's time before it
// is taken for a wrong clock.
const MaxAhead = 2 * 60 * 1000

// Effective gives the time that counts for an edit stamped t that reaches the
// hub at hubMs: t itself, or the hub's time where t lies more than MaxAhead
// ahead of it (clamped is then true), and always after the effective times in
// after: those of the author's previous edit and of the edits it replaces. It
// never refuses; old stamps are offline work.
func Effective(t hlc.Time, hubMs int64, after ...hlc.Time) (eff hlc.Time, clamped bool) {
	eff = t
	if t.Ms() > hubMs+MaxAhead {
		eff, clamped = hlc.At(hubMs), true
	}
	for _, a := range after {
		if eff <= a {
			eff = a.After()
		}
	}
	return eff, clamped
}
