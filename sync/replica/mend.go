package replica

import (
	"bytes"
	"cmp"
	"slices"

	"condica/sync/digest"
	"condica/sync/op"
	"condica/sync/wire"
)

// compare holds this replica's digest against the hub's, where both speak of
// the same log.
func (t *saving) compare(a wire.Answer) error {
	if a.Digest != "" && t.s.Summed && a.Cursor == a.Head && t.s.Cursor == a.Head {
		t.s.Differs = a.Digest != t.s.Total.Text()
	}
	return nil
}

// mend puts right the days on which hub and replica differ: what is placed is
// as the hub has it; what the hub does not have has no place, and is sent.
func (t *saving) mend(m *wire.Mend, hubMs int64) error {
	if m == nil || t.out.Reset || m.At > t.s.Cursor {
		return nil
	}
	theirs := map[op.ID]bool{}
	for _, w := range m.Entries {
		theirs[read(w).ID] = true
	}
	mended := 0
	err := placed(t.tx, m.At, func(r Row) error {
		if r.Bad == nil && (!slices.Contains(m.Days, digest.DayOf(r.Eff)) || theirs[r.ID]) {
			return nil
		}
		mended++
		t.touched = append(t.touched, r.Entry)
		return t.displace(r)
	})
	if err != nil {
		return err
	}
	for _, w := range m.Entries {
		changed, err := t.mendOne(read(w))
		if err != nil {
			return err
		}
		if changed {
			mended++
		}
	}
	t.s.Differs, t.s.Total = false, digest.Sum{}
	err = placed(t.tx, t.s.Cursor, func(r Row) error {
		t.s.Total = t.s.Total.Add(r.Digest())
		return nil
	})
	if mended > 0 {
		t.s.Mended = Mended{AtMs: hubMs, Ops: t.s.Mended.Ops + mended}
	}
	return err
}

// displace takes its place from a row that has none on the hub. One that cannot
// be read is thrown out: if it was an op, the hub has it.
func (t *saving) displace(r Row) error {
	if r.Bad != nil {
		return t.tx.Remove(r.ID)
	}
	k := r.Kept
	k.Pos, t.s.Resend = 0, true
	return t.tx.Set(k)
}

func (t *saving) mendOne(k Kept) (changed bool, err error) {
	t.s.saw(k.Op)
	held, ok, err := t.tx.Op(k.ID)
	if err != nil {
		return false, err
	}
	if ok && held.Pos == k.Pos && held.Eff == k.Eff && (held.Gone && held.Sum == digest.Raw(k.Raw) || !held.Gone && !held.Torn && held.Verdict == "" && bytes.Equal(held.Raw, k.Raw)) {
		return false, nil
	}
	// Whoever stands at its place here stands there wrongly.
	there, err := t.tx.Placed(k.Pos-1, 1)
	if err != nil {
		return false, err
	}
	for _, r := range there {
		if r.Pos == k.Pos && r.ID != k.ID {
			if err := t.displace(r); err != nil {
				return false, err
			}
		}
	}
	t.touched = append(t.touched, k.Entry)
	if !ok {
		_, err = t.tx.Add(k)
		return true, err
	}
	if !held.Gone && !held.Torn && held.Clock != k.Clock && held.By != k.By {
		// No damage makes another edit of one: it is one.
		return true, t.aside(held, k)
	}
	t.touched = append(t.touched, held.Entry)
	if held.Gone && held.Sum == digest.Raw(k.Raw) {
		k.Gone, k.Sum, k.Raw = true, held.Sum, nil
	}
	return true, t.tx.Set(k)
}

// placed gives all ops with a place up to a position, in order.
func placed(tx Tx, upTo int64, f func(Row) error) error {
	for after := int64(0); ; {
		rows, err := tx.Placed(after, page)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.Pos > upTo {
				return nil
			}
			after = r.Pos
			if err := f(r); err != nil {
				return err
			}
		}
		if len(rows) < page {
			return nil
		}
	}
}

const page = 500

// A Pass reads the whole log again, a part at a time, and finds out whether it
// still adds up to what it was. The zero Pass is at the beginning.
type Pass struct {
	epoch  string
	mended int
	pos    int64
	sum    digest.Sum
}

// Step reads up to most ops. done: the pass has reached the cursor, and the next
// step begins a new one. What is found wrong is asked of the hub with the next
// request; where only the columns beside an op are wrong they are written anew
// at once.
func (p *Pass) Step(tx Tx, most int) (done bool, err error) {
	s := tx.State()
	if p.epoch != s.Epoch || p.pos > s.Cursor || p.mended != s.Mended.Ops {
		*p = Pass{epoch: s.Epoch, mended: s.Mended.Ops}
	}
	rows, err := tx.Placed(p.pos, most)
	if err != nil {
		return false, err
	}
	for _, r := range rows {
		if r.Pos > s.Cursor {
			rows = nil
			break
		}
		if r.Bad != nil {
			if err := p.bad(tx, r); err != nil {
				return false, err
			}
		}
		p.pos, p.sum = r.Pos, p.sum.Add(r.Digest())
	}
	if len(rows) == most && p.pos < s.Cursor {
		return false, nil
	}
	if s.Summed && p.sum != s.Total {
		s.Differs = true
	}
	s.Total, s.Summed = p.sum, true
	*p = Pass{epoch: s.Epoch, mended: s.Mended.Ops}
	return true, nil
}

func (p *Pass) bad(tx Tx, r Row) error {
	s := tx.State()
	o, err := wire.DecodeOp(r.ID.Device, r.Raw)
	if r.Torn || err != nil || o.ID != r.ID {
		s.Differs = true
		return nil
	}
	k := r.Kept
	k.Op = o
	s.Mended = Mended{AtMs: s.LastOK, Ops: s.Mended.Ops + 1}
	p.mended = s.Mended.Ops
	if err := tx.Set(k); err != nil {
		return err
	}
	return tx.Project([]op.Entry{k.Entry, r.Entry})
}

// Days gives the digest of each day of the log up to the cursor, by day.
func Days(tx Tx) ([]wire.DaySum, error) {
	days := digest.Days{}
	if err := placed(tx, tx.State().Cursor, func(r Row) error { days.Add(r.Eff, r.Digest()); return nil }); err != nil {
		return nil, err
	}
	out := make([]wire.DaySum, 0, len(days))
	for day, sum := range days {
		out = append(out, wire.DaySum{Day: day, Sum: sum.Text()})
	}
	if len(out) == 0 {
		// Nothing at all is left: that too has to be said.
		out = append(out, wire.DaySum{Sum: digest.Sum{}.Text()})
	}
	slices.SortFunc(out, func(a, b wire.DaySum) int { return cmp.Compare(a.Day, b.Day) })
	return out, nil
}
