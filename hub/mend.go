package hub

import (
	"context"
	"slices"

	"condica/hub/store"
	"condica/sync/digest"
	"condica/sync/wire"
)

// mend compares a PC's days with the hub's, up to the PC's place, and gives the
// log of those that differ: whole days, the oldest first, while they fit into
// most bytes, but always one that has something in it. It reads the log through, twice at worst: a PC
// asks only where something has gone wrong. Where it is the hub's own log that
// has, nothing is given: no PC may be made like a damaged hub.
func (s *Server) mend(ctx context.Context, office string, req wire.Request, most int) (*wire.Mend, error) {
	ours, bytes, all := digest.Days{}, map[int64]int{}, digest.Sum{}
	err := s.upTo(ctx, office, req.Cursor, func(e store.Entry) {
		ours.Add(e.Eff, sumOf(e))
		bytes[digest.DayOf(e.Eff)] += weight(whole(e))
		all = all.Add(sumOf(e))
	})
	if err != nil {
		return nil, err
	}
	pos, total, err := s.Store.Total(ctx, office)
	if err != nil {
		return nil, err
	}
	if pos == req.Cursor && total != all {
		s.Log.Error("an office's log is not what was written into it: the hub's database is damaged; restore it from a backup", "office", office)
		return nil, nil
	}
	m := &wire.Mend{At: req.Cursor, Days: differing(ours, req.Days)}
	size := 0
	for i, day := range m.Days {
		if size > 0 && size+bytes[day] > most {
			m.Days = m.Days[:i] // the others when the PC asks again
			break
		}
		size += bytes[day]
	}
	if size == 0 { // nothing of it is here
		return m, nil
	}
	err = s.upTo(ctx, office, req.Cursor, func(e store.Entry) {
		if _, in := slices.BinarySearch(m.Days, digest.DayOf(e.Eff)); in {
			m.Entries = append(m.Entries, whole(e))
		}
	})
	return m, err
}

// upTo reads the log through to a position.
func (s *Server) upTo(ctx context.Context, office string, last int64, do func(store.Entry)) error {
	for pos := int64(0); pos < last; {
		entries, _, err := s.Store.After(ctx, office, pos, int(min(page, last-pos)))
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			do(e)
			pos = e.Pos
		}
	}
	return nil
}

// differing lists the days, in order, that two copies of a log do not have
// alike; a day that one of them does not have at all is among them.
func differing(ours digest.Days, theirs []wire.DaySum) []int64 {
	said := make(map[int64]string, len(theirs))
	for _, d := range theirs {
		said[d.Day] = d.Sum
	}
	days := []int64{}
	for day, sum := range ours {
		if said[day] != sum.Text() {
			days = append(days, day)
		}
		delete(said, day)
	}
	for day := range said {
		days = append(days, day)
	}
	slices.Sort(days)
	return days
}
