package hub_test

import (
	"reflect"
	"strings"
	"testing"

	"condica/spclep"
	"condica/sync/hlc"
	"condica/sync/wire"
)

// An answer was lost and the PC sends everything again, twice: each edit is in
// the log once, and the verdicts are the same.
func TestSentAgain(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	for _, f := range []string{spclep.Arrived, spclep.Ready} {
		p.writes("BKNG2345", f, true, nil)
	}
	p.writes("BKNG2345", spclep.FieldNote, false, "a")
	first := p.send(p.request(p.log...))
	want := []wire.Verdict{{Seq: 1, N: 3, Pos: 1}}
	for range 2 {
		p.cursor, p.tip = 0, ""
		again := p.send(p.request(p.log...))
		if !reflect.DeepEqual(first.Verdicts, want) || !reflect.DeepEqual(again.Verdicts, want) || again.Head != 3 || again.Have != 3 {
			t.Errorf("the first time %+v, again %+v (head %d, have %d)", first.Verdicts, again.Verdicts, again.Head, again.Have)
		}
	}
}

// Poison among good work: each bad edit is refused with its reason, is kept,
// and stands in nobody's way.
func TestPoison(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	good := func() { p.writes("BKNG2345", spclep.FieldNote, false, "good") }
	poison := map[uint64]string{}
	bad := func(reason string, write func()) {
		good()
		write()
		poison[p.seq] = reason
	}
	asIs := func(raw string) func() {
		return func() { p.seq++; p.log = append(p.log, []byte(raw)) }
	}
	bad("is not the id of a booking", func() { p.writes("short", spclep.Arrived, true, nil) })
	bad("is not the id of a booking", func() { p.writes("bkng2345", spclep.Arrived, true, nil) })
	bad("is not a fact of a booking", func() { p.writes("BKNG2345", "teleported", true, nil) })
	bad("given back on the hub", func() { p.writes("BKNG2345", spclep.Cancelled, true, nil) })
	bad("is made on the hub", func() { p.writes("BKNG2345", spclep.Booked, true, spclep.BookedValue{Name: "x"}) })
	bad("cannot be read", func() { p.writes("BKNG2345", spclep.Booked, true, "text") })
	bad("has no value", func() { p.writes("BKNG2345", spclep.FieldNote, false, nil) })
	bad("at most", func() { p.writes("BKNG2345", spclep.FieldNote, false, strings.Repeat("x", 40<<10)) })
	bad("want kind/entity/field", asIs(`{"q":18,"c":"nowhere","v":1,"t":"1.0","w":[1,"b",1]}`))
	bad("want milliseconds.count", asIs(`{"q":20,"c":"a/b/c","v":1,"t":"yesterday","w":[1,"b",1]}`))
	bad("at most", asIs(`{"q":22,"c":"a/b/c","v":"`+strings.Repeat("x", wire.MaxOpBytes)+`","t":"1.0","w":[1,"b",1]}`))
	bad("", asIs(`"not even an object"`))
	good()
	for _, f := range []string{spclep.OriginWalkIn, spclep.OriginUrgent, spclep.OriginScanned} {
		p.writes("BKNG2346", spclep.Booked, true, spclep.BookedValue{Name: "x", Reason: "R05", Day: 1, Origin: f})
	}

	for round := range 2 { // the second time the hub knows them all
		p.cursor, p.tip = 0, ""
		verdicts := byNumber(p.send(p.request(p.log...)))
		if len(verdicts) != int(p.seq) {
			t.Fatalf("%d verdicts for %d edits", len(verdicts), p.seq)
		}
		for seq, v := range verdicts {
			reason, isBad := poison[seq]
			switch {
			case isBad && (v.Code != wire.Refused || !strings.Contains(v.Say, reason)):
				t.Errorf("round %d: edit %d: %+v, want it refused with %q", round, seq, v, reason)
			case !isBad && (v.Code != "" || v.Pos == 0):
				t.Errorf("round %d: good edit %d: %+v", round, seq, v)
			}
		}
	}
	if a := p.sync(); a.Have != p.seq || a.Head != int64(p.seq)-int64(len(poison)) {
		t.Errorf("the hub has %d of %d edits, %d in the log", a.Have, p.seq, a.Head)
	}
	lines, err := tw.hub.History(t.Context(), "covasna", 0)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, l := range lines {
		if l.Verdict == wire.Refused && strings.Contains(l.Say, poison[l.ID.Seq]) {
			refused++
		}
	}
	if len(lines) != int(p.seq) || refused != len(poison) {
		t.Errorf("the history has %d lines, %d of them refused; want %d and %d", len(lines), refused, p.seq, len(poison))
	}
}

// byNumber spreads runs of verdicts.
func byNumber(a wire.Answer) map[uint64]wire.Verdict {
	out := map[uint64]wire.Verdict{}
	for _, v := range a.Verdicts {
		for i := range max(v.N, 1) {
			one := v
			one.Seq, one.N = v.Seq+i, 0
			if v.Code == "" {
				one.Pos = v.Pos + int64(i)
			}
			out[one.Seq] = one
		}
	}
	return out
}

// A fact that a newer program speaks of is carried for its like; kinds and
// fields nobody here knows always are, byte for byte.
func TestUnknownIsCarried(t *testing.T) {
	tw := newTown(t)
	one, two := tw.enrol("one", "covasna"), tw.enrol("two", "covasna")
	one.log = [][]byte{
		[]byte(`{"q":1,"c":"gadget/7/colour","v":{"a":[1,2.50]},"t":"1000.0","w":[1,"b",1],"zz":{"x":1}}`),
		[]byte(`{"q":2,"c":"booking/BKNG2345/hologram","v":"<&>","t":"1001.0","w":[1,"b",1]}`),
		[]byte(`{"q":3,"c":"booking/BKNG2345/posted","f":1,"t":"1002.0","w":[1,"b",1]}`),
	}
	one.seq = 3
	r := one.request(one.log...)
	r.V = wire.Version + 1
	if a := one.send(r); a.Have != 3 || a.Head != 3 {
		t.Fatalf("answered %+v", a)
	}
	two.sync()
	if len(two.held) != 3 {
		t.Fatalf("the other PC holds %d edits", len(two.held))
	}
	for i, e := range two.held {
		if string(e.Signed) != string(one.log[i]) {
			t.Errorf("carried as %s, want %s", e.Signed, one.log[i])
		}
	}
}

// said is an office's history: the verdict and the value of each edit.
func (tw *town) said(office spclep.OfficeID) (out []string) {
	tw.t.Helper()
	lines, err := tw.hub.History(tw.t.Context(), office, 0)
	if err != nil {
		tw.t.Fatal(err)
	}
	for _, l := range lines {
		out = append(out, l.Verdict+" "+string(l.Value))
	}
	return out
}

// A cloned disk: two PCs write different edits under one number. The second is
// told so; both are kept, and the first one's stands.
func TestClash(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	clone := &pc{town: tw, key: p.key, office: p.office, epoch: p.epoch, counter: 50}
	p.writes("BKNG2345", spclep.FieldNote, false, "original")
	clone.writes("BKNG2345", spclep.FieldNote, false, "clone")
	clone.writes("BKNG2345", spclep.FieldNote, false, "later")
	p.sync()
	for range 2 {
		v := byNumber(clone.send(clone.request(clone.log...)))
		if v[1].Code != wire.Clash || v[1].Say == "" || v[2].Code != "" || v[2].Pos != 2 {
			t.Errorf("the clone was told %+v", v)
		}
	}
	want := []string{`accepted "original"`, `accepted "later"`, `clash "clone"`}
	if said := tw.said("covasna"); !reflect.DeepEqual(said, want) {
		t.Errorf("the history says %q, want %q", said, want)
	}
}

// A PC is set back to an image and uses anew the first number of an action that
// was on its way. The letter comes late: the second number is free, and stays so,
// for half an action is nobody's. The next life of the PC may use it.
func TestLateLetterOfAnActionIsNotTakenByHalf(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	image := *p
	p.action = 1
	p.writes("BKNG2345", spclep.FieldNote, false, "late, the first half")
	p.writes("BKNG2345", spclep.FieldEmail, false, "late@example.ro")
	p.action = 0
	p.writes("BKNG2346", spclep.FieldNote, false, "late, another action")
	image.writes("BKNG2345", spclep.FieldNote, false, "in the next life")
	if v := byNumber(image.sync()); v[1].Pos != 1 {
		t.Fatalf("the next life was told %+v", v)
	}
	p.counter = 50
	for range 2 {
		v := byNumber(p.send(p.request(p.log...)))
		if v[1].Code != wire.Clash || v[2].Code != wire.Clash || v[2].Say == v[1].Say || v[3].Code != "" {
			t.Errorf("the late letter was answered %+v", v)
		}
	}
	image.counter = 100
	image.writes("BKNG2345", spclep.FieldEmail, false, "next@example.ro")
	if v := byNumber(image.sync()); v[2].Code != "" || v[2].Pos != 3 {
		t.Errorf("the next life's second edit was told %+v", v)
	}
	want := []string{`accepted "in the next life"`, `accepted "late, another action"`, `accepted "next@example.ro"`, `clash "late, the first half"`, `clash "late@example.ro"`}
	if said := tw.said("covasna"); !reflect.DeepEqual(said, want) {
		t.Errorf("the history says %q, want %q", said, want)
	}
}

// A PC from 2060: its edits count from now, in its order, with the original
// kept; one from 2009 counts as it is written; who knows comes after.
func TestWrongClocks(t *testing.T) {
	tw := newTown(t)
	future, past := tw.enrol("future", "covasna"), tw.enrol("past", "covasna")
	ahead := hlc.At(tw.now + 34*365*86_400_000)
	a := future.writesAt(ahead, "BKNG2345", spclep.FieldNote, false, "2060")
	future.writesAt(ahead, "BKNG2345", spclep.Arrived, true, nil)
	v := byNumber(future.sync())
	if v[1].Eff != hlc.At(tw.now) || v[2].Eff != hlc.At(tw.now).After() {
		t.Errorf("the edits from 2060 count at %s and %s, want %s and just after", v[1].Eff, v[2].Eff, hlc.At(tw.now))
	}
	back := hlc.At(1_230_768_000_000)
	past.writesAt(back, "BKNG2346", spclep.FieldNote, false, "2009")
	past.writesAt(back, "BKNG2345", spclep.FieldNote, false, "knows", a)
	v = byNumber(past.sync())
	if v[1].Eff != 0 {
		t.Errorf("the edit from 2009 was moved to %s", v[1].Eff)
	}
	if v[2].Eff != hlc.At(tw.now).After() {
		t.Errorf("an edit that knows one at %s counts at %s", hlc.At(tw.now), v[2].Eff)
	}
	lines, err := tw.hub.History(t.Context(), "covasna", 0)
	if err != nil {
		t.Fatal(err)
	}
	if l := lines[0]; !l.Clamped || l.Original.Ms() != ahead.Ms() || l.Effective != hlc.At(tw.now) {
		t.Errorf("the history says %+v", l)
	}
	if l := lines[2]; l.Clamped {
		t.Errorf("offline work of 2009 is flagged: %+v", l)
	}
	future.sync()
	b, _, err := tw.hub.Booking(t.Context(), "covasna", "BKNG2345")
	if err != nil || b.Note != "knows" || len(b.Conflicts()) != 0 {
		t.Errorf("the note is %q, %v", b.Note, err)
	}
}

// The log of a PC arrives out of order, through another PC of the office:
// nothing is lost, and what is held without a gap is told exactly.
func TestByOtherHands(t *testing.T) {
	tw := newTown(t)
	one, two := tw.enrol("one", "covasna"), tw.enrol("two", "covasna")
	for range 3 {
		one.writes("BKNG2345", spclep.FieldNote, false, "x")
	}
	r := two.request()
	r.Segments = []wire.Segment{wire.SignSegment(one.key, one.log[1:])}
	if a := two.send(r); len(a.Verdicts) != 0 || a.Have != 0 || a.Head != 2 {
		t.Errorf("the bearer was answered %+v", a)
	}
	if a := one.send(one.request()); a.Have != 0 {
		t.Errorf("the hub claims to have %d edits without a gap", a.Have)
	}
	if a := one.send(one.request(one.log...)); a.Have != 3 || a.Head != 3 {
		t.Errorf("after the first edit came: have %d, head %d", a.Have, a.Head)
	}
}

// Two PCs change one e-mail apart, and the hub a third time: the later stamp
// stands on all, and what lost is listed.
func TestParallelEdits(t *testing.T) {
	tw := newTown(t)
	b := tw.book("covasna", 0)
	one, two := tw.enrol("one", "covasna"), tw.enrol("two", "covasna")
	one.sync()
	two.sync()
	one.writesAt(hlc.At(tw.now+1000), string(b.ID), spclep.FieldEmail, false, "unu@example.ro")
	two.writesAt(hlc.At(tw.now+500), string(b.ID), spclep.FieldEmail, false, "doi@example.ro")
	for range 2 {
		one.sync()
		two.sync()
	}
	for _, p := range []*pc{one, two} {
		got := p.booking(b.ID)
		if c := got.Conflicts(); got.Email != "unu@example.ro" || len(c) != 1 || string(c[0].Loser.Value) != `"doi@example.ro"` {
			t.Errorf("a PC shows %q, conflicts %v", got.Email, c)
		}
	}
	tw.now += 5000
	if err := tw.hub.SetField(t.Context(), "covasna", b.ID, spclep.FieldEmail, "hub@example.ro", "it"); err != nil {
		t.Fatal(err)
	}
	one.sync()
	if got := one.booking(b.ID); got.Email != "hub@example.ro" {
		t.Errorf("after the hub's correction the PC shows %q", got.Email)
	}
}
