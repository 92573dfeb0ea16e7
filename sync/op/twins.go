package op

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// Mark tells whether two ops are one edit that was written once and has come
// under two names or with two stamps: a PC's disk was copied, or set back, with
// edits on it that had not been sent. It covers the cell, the value, the clerk
// and what the PC's clocks showed at the keystroke, and leaves out all that is
// given later: number, time, what it was written on top of.
func (o Op) Mark() [8]byte {
	h := sha256.New()
	var n [8]byte
	part := func(s string) {
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	for _, s := range []string{o.Cell.Kind, o.Cell.Entity, o.Cell.Field, string(o.Value), o.By, o.Why, o.Clock.Boot} {
		part(s)
	}
	for _, i := range []int64{o.Clock.Wall, o.Clock.Up} {
		binary.BigEndian.PutUint64(n[:], uint64(i))
		h.Write(n[:])
	}
	return [8]byte(h.Sum(nil))
}

// Distinct gives the entries without twins: of those that are one edit written
// once the earliest stays, and what was written on top of another is written on
// top of it. names tells which id stands for one that was left out; nil: none
// was. The answer depends only on the set of entries.
func Distinct(entries []Entry) (out []Entry, names map[ID]ID) {
	if !sameMoment(entries) {
		return entries, nil // almost always
	}
	sorted := slices.Clone(entries)
	slices.SortFunc(sorted, Compare)
	names = map[ID]ID{}
	kept := map[[8]byte]Entry{}
	for _, e := range sorted {
		mark := e.Mark()
		if k, ok := kept[mark]; ok && twins(k, e) {
			names[e.ID] = k.ID
			continue
		}
		kept[mark] = e
		out = append(out, e)
	}
	for i := range out {
		out[i].Base = renamed(out[i].Base, names)
	}
	return out, names
}

// sameMoment: two ops of one field were written while the clocks stood still.
func sameMoment(entries []Entry) bool {
	for i, a := range entries {
		for _, b := range entries[:i] {
			if a.Clock == b.Clock && a.Cell.Field == b.Cell.Field && a.Clock.Boot != "" {
				return true
			}
		}
	}
	return false
}

// twins: the same keystroke under two ids.
func twins(a, b Entry) bool {
	return a.ID != b.ID && a.Clock.Boot != "" && a.Cell == b.Cell && a.Fact == b.Fact && a.Clock == b.Clock && a.By == b.By && a.Why == b.Why && bytes.Equal(a.Value, b.Value)
}

func renamed(base []ID, names map[ID]ID) []ID {
	if !slices.ContainsFunc(base, func(id ID) bool { _, ok := names[id]; return ok }) {
		return base
	}
	out := slices.Clone(base)
	for i, id := range out {
		if to, ok := names[id]; ok {
			out[i] = to
		}
	}
	return out
}
