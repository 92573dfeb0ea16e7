package simtest

import (
	"context"
	"fmt"
	"slices"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/digest"
	"condica/sync/op"
	"condica/sync/replica"
)

// keeps: whatever a clerk at this PC was told is done is on its disk, or on the
// hub: asked each time the service has begun anew.
func (w *world) keeps(p *pc) {
	if p.setBack {
		return // by a person: what is lost is noted by excuse
	}
	held := p.holds()
	var onHub map[string]bool
	for _, t := range w.told {
		if t.pc != p || !t.done || t.excused || held[t.by] > 0 {
			continue
		}
		if onHub == nil {
			onHub = map[string]bool{}
			for _, e := range w.log(p.office) {
				onHub[e.By] = true
			}
		}
		if !onHub[t.by] && !w.elsewhere(t) {
			w.fail("%s was told that %s is done, and it is neither on its disk nor on the hub", p.name, t.by)
		}
	}
}

// elsewhere: some PC holds it. One whose service is not up does, as far as its
// disk tells.
func (w *world) elsewhere(t *told) bool {
	for _, p := range w.pcs {
		switch {
		case p.gone:
		case p.db != nil && p.holds()[t.by] > 0, p.db == nil && w.o.SQLite:
			return true
		case p.db == nil:
			for _, k := range p.tables.ops {
				if k.By == t.by {
					return true
				}
			}
		}
	}
	return false
}

// inexact: from now on the PC's running time does not tell all of its past.
func (w *world) inexact(p *pc) {
	for _, t := range w.told {
		if t.pc == p {
			t.exact = false
		}
	}
}

// clear lets the weather clear and waits until nobody has anything left to say:
// within six hours and three of the times at which PCs ask by themselves, or
// somebody is stuck.
func (w *world) clear() {
	w.say("the weather clears")
	w.calm = true
	w.oneWay, w.down, w.slow = false, false, false
	for _, p := range w.pcs {
		if p.disk.crash, p.disk.full = 0, false; !p.gone && p.db == nil {
			p.begin()
		}
	}
	limit := w.now + 6*hour + 3*int64(w.o.PollEvery)*minute
	for i := 0; w.now < limit && w.next(); i++ {
		if i%4 == 0 && w.atRest() == "" {
			return
		}
	}
	w.fail("hours of calm, and still not at rest: %s", w.atRest())
}

// atRest says who has something left to say, and why; "": nobody.
func (w *world) atRest() (why string) {
	for _, p := range w.pcs {
		if p.gone {
			continue
		}
		if p.db == nil || p.asking || p.m == nil {
			return p.name + " is busy with itself"
		}
		pos, sum, err := w.store.Total(context.Background(), p.office)
		w.must(err)
		w.must(p.db.Look(context.Background(), func(tx replica.Tx) error {
			s := tx.State()
			waiting, err := tx.CountWaiting(true, 1000)
			switch {
			case err != nil:
				return err
			case waiting > 0:
				why = fmt.Sprintf("%s has %d ops without an answer", p.name, waiting)
			case s.Cursor < pos:
				why = fmt.Sprintf("%s has read up to %d of %d", p.name, s.Cursor, pos)
			case s.Clash || s.Differs || !s.Summed:
				why = fmt.Sprintf("%s: %+v", p.name, *s)
			case s.Total != sum:
				why = fmt.Sprintf("%s adds up to %v, the hub to %v", p.name, s.Total, sum)
			}
			return nil
		}))
		if why == "" {
			why = w.sums(p, pos, sum)
		}
		if why != "" {
			return why
		}
	}
	return ""
}

// sums adds up what the replica's rows say now: they, and not only its memory
// of them, are to be the hub's.
func (w *world) sums(p *pc, pos int64, want digest.Sum) (why string) {
	var sum digest.Sum
	w.must(p.db.Look(context.Background(), func(tx replica.Tx) error {
		rows, err := tx.Placed(0, 1<<30)
		for _, r := range rows {
			if r.Bad != nil {
				why = fmt.Sprintf("%s: %v", p.name, r.Bad)
			}
			sum = sum.Add(r.Digest())
		}
		return err
	}))
	if sum != want && why == "" {
		why = fmt.Sprintf("the rows of %s add up to %v, the hub's to %v at %d", p.name, sum, want, pos)
	}
	return why
}

// check holds all sides against each other and against what was told.
func (w *world) check() {
	for _, office := range w.offices {
		w.checkOffice(string(office))
	}
}

func (w *world) checkOffice(office string) {
	log := w.log(office)
	var sum digest.Sum
	ids, marks, found := map[op.ID]bool{}, map[string]bool{}, map[string]int{}
	at := map[string]op.Entry{}
	for i, e := range log {
		if e.Pos != int64(i)+1 {
			w.fail("%s: entry %d of the log is at %d", office, i+1, e.Pos)
		}
		if ids[e.ID] {
			w.fail("op %s is on the hub twice", e.ID)
		}
		ids[e.ID] = true
		sum = sum.Add(digest.Of(e.ID, e.Pos, e.Eff, digest.Raw(e.Signed)))
		if mark := e.By + " " + e.Cell.String(); marks[mark] {
			w.counts["twins"]++
		} else {
			marks[mark] = true
			found[e.By]++
			at[e.By] = e
		}
	}
	if _, total, err := w.store.Total(context.Background(), office); err != nil || total != sum {
		w.fail("%s: the log adds up to %v, the hub says %v, %v", office, sum, total, err)
	}
	for _, t := range w.told {
		if t.office == office {
			w.checkTold(t, found[t.by], at[t.by])
			delete(found, t.by)
		}
	}
	for by, n := range found {
		w.fail("%s: %d ops by %q, whom nobody knows", office, n, by)
	}
	w.checkBookings(office, log)
	w.checkNumbers(office, log)
}

// checkTold: what was told to be done is there whole and once; what was not may
// be there whole, or not at all. And it is there at its time.
func (w *world) checkTold(t *told, n int, e op.Entry) {
	switch {
	case t.poison && n > 0:
		w.fail("%s was to be refused and is on the hub", t.by)
	case t.poison:
		w.counts["poison"]++
		if t.done && !t.excused && t.pc != nil && !t.pc.gone && !w.elsewhere(t) {
			w.fail("%s was refused, and is not kept by %s", t.by, t.pc.name)
		}
		return
	case t.done && !t.excused && n != t.ops:
		w.fail("%s was done, %d ops on %s of %s: the hub has %d", t.by, t.ops, t.id, t.office, n)
	case n != 0 && n != t.ops && !t.excused:
		w.fail("%s is there by half: %d of %d ops", t.by, n, t.ops)
	case n == 0:
		return
	}
	w.counts["actions"]++
	off := e.Eff.Ms() - t.at
	// Where a hub forgot and a PC forgot, one number may have meant two edits, and
	// what was written on top of the one lies after the other.
	twice := w.counts["hubs set back"] > 0 && w.counts["PCs set back"]+w.counts["PCs copied"] > 0
	if t.exact && !twice && (off < -75*second || off > 75*second+op.MaxAhead) {
		w.fail("%s by %s is %d s off the truth", t.by, e.ID, off/second)
	}
	if e.Eff.Ms() > w.now+op.MaxAhead {
		w.fail("%s lies %d s in the future", t.by, (e.Eff.Ms()-w.now)/second)
	}
}

// checkBookings: each booking says the same everywhere, shows each edit once,
// and raises the alarm where a card was handed over twice.
func (w *world) checkBookings(office string, log []op.Entry) {
	for i := range w.o.Bookings {
		id := spclep.BookingID(fmt.Sprintf("7F3KQR%02d", 22+i))
		var entries []op.Entry
		for _, e := range log {
			if e.Cell == record.Cell(id, e.Cell.Field) {
				entries = append(entries, e)
			}
		}
		b := record.Of(id, entries)
		want := shown(b)
		w.checkWinners(b)
		by := map[string]int{}
		handed, undone := 0, false
		for _, e := range append(slices.Clone(b.Facts), b.History...) {
			by[e.By]++
			handed += bool1(e.Cell.Field == spclep.HandedOver)
			undone = undone || e.Cell.Field == spclep.Undone
		}
		for _, t := range w.told {
			if t.fact == spclep.Undone && by[t.by] > t.ops {
				continue // two names for one act of taking back what was refused: it takes back nothing twice
			}
			if t.office == office && t.id == id && t.done && !t.excused && !t.poison && by[t.by] != t.ops {
				w.fail("booking %s shows %d of the %d ops of %s:%s", id, by[t.by], t.ops, t.by, ops(b, t.by))
			}
		}
		if handed > 1 && !undone && !b.Visit.TwoHandOvers {
			w.fail("booking %s was handed over %d times, without an alarm", id, handed)
		}
		for _, p := range w.pcs {
			if !p.gone && p.office == office {
				w.checkShown(p, b, want)
			}
		}
	}
}

// checkWinners: of edits that did not know each other the one written last in
// truth counts, where the clocks allow that to be known.
func (w *world) checkWinners(b record.Booking) {
	at := map[string]*told{}
	for _, t := range w.told {
		at[t.by] = t
	}
	twice := w.counts["hubs set back"] > 0 && w.counts["PCs set back"]+w.counts["PCs copied"] > 0
	for name, f := range b.Fields {
		won := at[f.Winner.By]
		for _, l := range f.Beaten {
			lost := at[l.By]
			if won != nil && lost != nil && won.exact && lost.exact && !twice && lost.at > won.at+2*75*second+op.MaxAhead {
				w.fail("booking %s: of %s the value of %s counts, though %s was written %d s later", b.ID, name, won.by, lost.by, (lost.at-won.at)/second)
			}
		}
	}
}

func bool1(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (w *world) checkShown(p *pc, b record.Booking, want string) {
	w.must(p.db.Look(context.Background(), func(tx replica.Tx) error {
		gone := false
		if err := p.each(tx, func(k replica.Kept) { gone = gone || k.Gone && k.Cell.Entity == string(b.ID) }); err != nil || gone {
			return err
		}
		mine, err := tx.Booking(b.ID)
		if got := shown(mine); err == nil && got != want {
			w.fail("booking %s: the hub's log says\n%s\n%s shows\n%s", b.ID, want, p.name, got)
		}
		return err
	}))
	if l, ok := p.db.(*memlog); ok && !p.damaged && len(b.Facts)+len(b.History) > 0 {
		if row, has := l.rows[b.ID]; has && row != record.RowOf(b) {
			w.fail("%s lists booking %s as %+v, want %+v", p.name, b.ID, row, record.RowOf(b))
		}
	}
}

func shown(b record.Booking) string {
	out := fmt.Sprintf("%s %q %q\n", b.Visit.State, b.Note, b.Email)
	for _, e := range append(slices.Clone(b.Facts), b.History...) {
		out += fmt.Sprintf("%s %v %d %s %s by %s\n", e.ID, e.Eff, e.Pos, e.Cell, e.Value, e.By)
	}
	for _, c := range b.Conflicts() {
		out += fmt.Sprintf("conflict %s: %s over %s\n", c.Field, c.Winner.ID, c.Loser.ID)
	}
	return out
}

// ops prints what a booking is made of, for a failure.
func ops(b record.Booking, by string) (out string) {
	for _, e := range append(slices.Clone(b.Facts), b.History...) {
		if by == "" || e.By == by {
			out += fmt.Sprintf("\n%s action %d %s %s base %v clock %v by %s", e.ID, e.Action, e.Cell, e.Value, e.Base, e.Clock, e.By)
		}
	}
	return out
}
