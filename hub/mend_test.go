package hub_test

import (
	"log/slog"
	"slices"
	"strings"
	"testing"

	"condica/hub"
	"condica/hub/store"
	"condica/hub/store/memory"
	"condica/spclep"
	"condica/sync/digest"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

func sumOf(e op.Entry) digest.Sum {
	return digest.Of(e.ID, e.Pos, e.Eff, digest.Raw(e.Signed))
}

// total is what the PC's copy of the log amounts to.
func (p *pc) total() string {
	var s digest.Sum
	for _, e := range p.held {
		s = s.Add(sumOf(e))
	}
	return s.Text()
}

// days is the same day by day. The first of all days is always named: a PC that
// has lost everything must be able to say so.
func (p *pc) days() []wire.DaySum {
	d := digest.Days{}
	for _, e := range p.held {
		d.Add(e.Eff, sumOf(e))
	}
	var out []wire.DaySum
	for day, s := range d {
		out = append(out, wire.DaySum{Day: day, Sum: s.Text()})
	}
	if len(out) == 0 {
		out = []wire.DaySum{{}}
	}
	return out
}

// Whatever was written, by PCs and by the hub, refused edits in between and
// times cut off: once a PC has read all of it, the hub's digest is the PC's.
func TestDigestOfTheWholeLog(t *testing.T) {
	tw := newTown(t)
	p, other := tw.enrol("one", "covasna"), tw.enrol("two", "covasna")
	if a := p.sync(); a.Digest != (digest.Sum{}).Text() {
		t.Errorf("of nothing: %q", a.Digest)
	}
	for n := range 3 {
		b := tw.book("covasna", n)
		p.writes(string(b.ID), spclep.Arrived, true, nil)
		p.writes("short", spclep.Arrived, true, nil) // refused
		other.writesAt(hlc.At(tw.now+999_999_999), string(b.ID), spclep.FieldNote, false, "from the future")
		p.sync()
		other.sync()
		if err := tw.hub.Cancel(t.Context(), "covasna", tw.book("covasna", n+5).ID, "citizen", "it"); err != nil {
			t.Fatal(err)
		}
		if a := p.sync(); a.Digest == "" || a.Digest != p.total() || a.Head != int64(len(p.held)) {
			t.Errorf("round %d: the hub says %q of %d edits, the PC has %q of %d", n, a.Digest, a.Head, p.total(), len(p.held))
		}
	}
	fresh := tw.enrol("three", "covasna")
	r := fresh.request()
	r.Limit = 5
	if a := fresh.send(r); a.Cursor >= a.Head || a.Digest != "" {
		t.Errorf("a PC that has read %d of %d was told %q", a.Cursor, a.Head, a.Digest)
	}
	if a := fresh.sync(); a.Digest != fresh.total() {
		t.Errorf("after the rest it was told %q, and has %q", a.Digest, fresh.total())
	}
}

// A log that was written by an earlier release has no digest yet: it comes with
// the requests, a part at a time, and none is sent before it is whole.
func TestDigestOfAnOldLog(t *testing.T) {
	tw := townInMemory(t)
	p := tw.enrol("one", "covasna")
	const old = 7000
	for range old {
		p.writes("BKNG2345", spclep.FieldNote, false, "x")
	}
	err := tw.store.Write(t.Context(), "covasna", func(tx store.Tx) error {
		for _, raw := range p.log {
			o, err := wire.DecodeOp(p.device(), raw)
			if err != nil {
				return err
			}
			if _, err := tx.Put(store.Entry{Entry: op.Entry{Op: o, Eff: o.Time}}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	first := p.send(p.request())
	if first.Digest != "" || first.Cursor != 5000 {
		t.Errorf("the first answer, up to %d, says %q", first.Cursor, first.Digest)
	}
	if a := p.send(p.request()); a.Cursor != old || a.Digest != p.total() {
		t.Errorf("the second, up to %d, says %q; the PC has %q", a.Cursor, a.Digest, p.total())
	}
	tw.book("covasna", 0)
	if a := p.send(p.request()); a.Head != old+1 || a.Digest != p.total() {
		t.Errorf("after a booking the hub says %q of %d, the PC has %q", a.Digest, a.Head, p.total())
	}
}

const dayMs = 86_400_000

// history gives a PC edits on so many days, three a day, and reads them.
func (tw *town) history(days int) *pc {
	tw.t.Helper()
	p := tw.enrol("one", "covasna")
	for day := range days {
		for range 3 {
			p.writesAt(hlc.At(tw.now+int64(day-days)*dayMs), "BKNG2345", spclep.FieldNote, false, "x")
		}
	}
	p.sync()
	return p
}

// compares asks for what is wrong with the PC's copy.
func (p *pc) compares() *wire.Mend {
	p.town.t.Helper()
	r := p.request()
	r.Days = p.days()
	a := p.send(r)
	if a.Mend == nil {
		p.town.t.Fatal("no days were compared")
	}
	return a.Mend
}

// One byte of one edit rots on the PC's disk, one edit is gone, one is there
// that never was: exactly those days come back, whole, with every edit's bytes.
func TestOnlyDifferingDaysComeBack(t *testing.T) {
	tw := newTown(t)
	p := tw.history(9)
	if m := p.compares(); m.At != p.cursor || len(m.Days) != 0 || len(m.Entries) != 0 {
		t.Errorf("nothing is wrong, and back came %+v", m)
	}
	whole := slices.Clone(p.held)
	day := func(i int) int64 { return digest.DayOf(whole[i].Eff) }
	never := whole[0]
	never.ID.Seq, never.Eff = 99, hlc.At(tw.now-40*dayMs)
	rotten := whole[7]
	rotten.Signed = slices.Clone(rotten.Signed)
	rotten.Signed[20] ^= 1

	p.held = append(slices.Concat(whole[:7], []op.Entry{rotten}, whole[8:13], whole[14:]), never)
	m := p.compares()
	if want := []int64{digest.DayOf(never.Eff), day(7), day(13)}; !slices.Equal(m.Days, want) {
		t.Errorf("days %v, want %v", m.Days, want)
	}
	var got []int64
	for _, e := range m.Entries {
		got = append(got, e.Pos)
		if e.Device != p.device() || string(e.Op) != string(whole[e.Pos-1].Signed) || e.Seq != 0 {
			t.Errorf("at %d came %+v", e.Pos, e)
		}
	}
	if want := []int64{7, 8, 9, 13, 14, 15}; !slices.Equal(got, want) {
		t.Errorf("edits at %v, want %v", got, want)
	}

	p.held = whole[:12] // days that the PC does not have at all
	if m := p.compares(); len(m.Days) != 5 || len(m.Entries) != 15 {
		t.Errorf("days %v with %d edits; five days are missing", m.Days, len(m.Entries))
	}
}

// What lies beyond the PC's place is not missing, and a time the hub has moved
// stands with the edit.
func TestDaysUpToThePlace(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	p.writesAt(hlc.At(tw.now+9*dayMs), "BKNG2345", spclep.FieldNote, false, "from the future")
	p.sync()
	tw.enrol("two", "covasna").writes("BKNG2345", spclep.FieldNote, false, "not read yet")
	tw.book("covasna", 0)
	if m := p.compares(); m.At != 1 || len(m.Days) != 0 {
		t.Errorf("the PC stands at 1, and back came %+v", m)
	}
	p.cursor, p.tip, p.held = 1, p.held[0].ID.String(), nil
	m := p.compares()
	if m.At != 1 || len(m.Entries) != 1 || m.Entries[0].Eff != hlc.At(noon) {
		t.Errorf("up to 1 came %+v", m)
	}
}

// A PC that has lost weeks is answered by whole days, the oldest first, no more
// than a line can carry; the rest when it asks again.
func TestManyDaysAtATime(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	const days, each = 8, 25
	for day := range days {
		for range each {
			p.writesAt(hlc.At(tw.now+int64(day-days)*dayMs), "BKNG2345", spclep.FieldNote, false, strings.Repeat("x", 31<<10))
		}
		p.send(p.request(p.log[day*each:]...))
	}
	for p.send(p.request()).Cursor != days*each {
	}
	whole := p.held
	p.held = nil
	asked := 0
	for len(p.held) < days*each {
		asked++
		m := p.compares()
		if len(m.Entries) == 0 || len(m.Entries)%each != 0 || m.Entries[0].Pos != int64(len(p.held))+1 {
			t.Fatalf("asked %d times, %d edits are here; back came days %v with %d edits", asked, len(p.held), m.Days, len(m.Entries))
		}
		size := 0
		for _, e := range m.Entries {
			size += len(e.Op)
			p.held = append(p.held, whole[e.Pos-1])
		}
		if size > wire.MaxBody {
			t.Errorf("%d bytes came at once", size)
		}
	}
	if asked < 2 {
		t.Errorf("%d MB came in %d answers", days*each*31>>10, asked)
	}
}

// A day that is more than an answer may hold comes all the same: a day is never
// cut, and one that never came would never be healed.
func TestALargeDay(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	const edits = 80
	for i := range edits {
		p.writes("BKNG2345", spclep.FieldNote, false, strings.Repeat("x", 31<<10))
		p.send(p.request(p.log[i:]...))
	}
	for p.send(p.request()).Cursor != edits {
	}
	p.held = nil
	if m := p.compares(); len(m.Entries) != edits {
		t.Errorf("days %v with %d edits", m.Days, len(m.Entries))
	}
}

// It is the hub's disk that rots: its log no longer adds up to what was written.
// No PC is made like it; IT reads of it in the hub's log.
func TestDamagedHubMendsNobody(t *testing.T) {
	var said strings.Builder
	tw := townOn(t, memory.New(), hub.Config{Log: slog.New(slog.NewTextHandler(&said, nil))})
	p := tw.history(3)
	err := tw.store.Write(t.Context(), "covasna", func(tx store.Tx) error {
		pos, sum, err := tx.Total()
		if err != nil {
			return err
		}
		return tx.SetTotal(pos, sum.Add(sumOf(p.held[0])))
	})
	if err != nil {
		t.Fatal(err)
	}
	r := p.request()
	r.Days = p.days()[1:]
	if a := p.send(r); a.Mend != nil || !strings.Contains(said.String(), "damaged") {
		t.Errorf("back came %+v, and the hub's log says %q", a.Mend, said.String())
	}
}

// A PC that must compare everything anew is not sent days of a log that it is
// about to forget.
func TestNoDaysWithAReset(t *testing.T) {
	tw := newTown(t)
	p := tw.history(3)
	r := p.request()
	r.Days, r.Cursor, r.Tip = p.days()[:1], p.cursor+1, ""
	if a := p.send(r); a.From != 0 || a.Mend != nil {
		t.Errorf("answered from %d with %+v", a.From, a.Mend)
	}
}
