package hub_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"condica/hub"
	"condica/hub/store"
	"condica/hub/store/memory"
	"condica/spclep"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// again is a hub on an empty store, on the same day; with keys it has the
// secrets of the one before.
func (tw *town) again(keys bool) *town {
	tw.t.Helper()
	s := memory.New()
	if keys {
		secrets, err := tw.store.AllSecrets(tw.t.Context())
		if err == nil {
			err = s.AddSecrets(tw.t.Context(), secrets)
		}
		if err != nil {
			tw.t.Fatal(err)
		}
	}
	fresh := townOn(tw.t, s, hub.Config{})
	fresh.now = tw.now + 3_600_000
	return fresh
}

// relayed is what a PC holds of others, as it brings it back.
func (p *pc) relayed() (out []wire.Relayed) {
	for _, e := range p.held {
		if e.ID.Device != p.device() {
			r := wire.Relayed{Device: e.ID.Device, Op: e.Signed}
			if e.Eff != e.Time {
				r.Eff = e.Eff
			}
			out = append(out, r)
		}
	}
	return out
}

// brings sends what the PC holds of others and gives the verdicts on it.
func (p *pc) brings(relay ...wire.Relayed) wire.Answer {
	p.town.t.Helper()
	r := p.request()
	r.Relay = relay
	return p.send(r)
}

// content is an office's log without its places: who wrote what, and when it
// counts.
func (tw *town) content(office string) (out []string) {
	tw.t.Helper()
	entries, _, err := tw.store.After(tw.t.Context(), office, 0, 1000)
	if err != nil {
		tw.t.Fatal(err)
	}
	for _, e := range entries {
		out = append(out, e.ID.String()+" "+e.Eff.String()+" "+string(e.Signed))
	}
	slices.Sort(out)
	return out
}

// The hub has lost its database. One PC of three is gone for good, and so is
// the pen with which the hub itself wrote: the PC that was sent all of it
// brings it back, with the times that counted, and who did that is noted. Then
// the hub goes on writing above its old numbers.
func TestRelayRebuildsTheLog(t *testing.T) {
	tw := newTown(t)
	b := tw.book("covasna", 0)
	gone, one := tw.enrol("gone", "covasna"), tw.enrol("one", "covasna")
	gone.writesAt(hlc.At(tw.now+50*dayMs), string(b.ID), spclep.FieldNote, false, "from a wrong clock")
	gone.writes(string(b.ID), spclep.Arrived, true, nil)
	gone.sync()
	one.writes(string(b.ID), spclep.FieldNote, false, "one", op.ID{Device: gone.device(), Seq: 1})
	one.sync()
	if err := tw.hub.Cancel(t.Context(), "covasna", tw.book("covasna", 1).ID, "citizen", "it"); err != nil {
		t.Fatal(err)
	}
	one.sync()
	want := tw.content("covasna")

	fresh := tw.again(true)
	one.town = fresh
	relay := one.relayed()
	one.comesBackByToken()
	a := one.brings(relay...)
	if len(a.Verdicts) == 0 || a.Head != int64(len(relay)) {
		t.Fatalf("brought %d edits, answered %+v", len(relay), a)
	}
	for _, v := range a.Verdicts {
		if v.Dev == (hlc.Device{}) || v.Code != "" || v.Pos == 0 {
			t.Errorf("verdict %+v", v)
		}
	}
	one.sync()
	if got := fresh.content("covasna"); !slices.Equal(got, want) {
		t.Errorf("the log says\n%s\nand said\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	d, err := fresh.store.Device(t.Context(), gone.device())
	if err != nil || d.Kind != store.Gone || d.Office != "covasna" || d.Have != 2 || len(d.Pub) != 0 {
		t.Errorf("the PC that is gone: %+v, %v", d, err)
	}
	lines, err := fresh.hub.History(t.Context(), "covasna", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if (l.Via == one.device()) != (l.Device != one.device()) {
			t.Errorf("%s by %s is said to be brought by %s", l.Cell, l.Device, l.Via)
		}
	}
	if !slices.ContainsFunc(lines, func(l hub.Line) bool { return l.Clamped && string(l.Value) == `"from a wrong clock"` }) {
		t.Error("that a time was cut off is forgotten")
	}

	last, fromNow := lastOf(lines, "hub"), fresh.book("covasna", 5)
	if a := one.sync(); a.Digest != one.total() {
		t.Errorf("the hub's digest is %q, the PC's %q", a.Digest, one.total())
	}
	if id := one.booking(fromNow.ID).Facts[0].ID; id.Device != last.Device || id.Seq <= last.Seq {
		t.Errorf("the hub's pen goes on with %s after %s", id, last)
	}
	if pens := devicesOf(t, fresh, store.Hub); len(pens) != 1 || len(pens[0].Pub) == 0 {
		t.Errorf("the hub's pens: %+v", pens)
	}
}

func lastOf(lines []hub.Line, by string) (last op.ID) {
	for _, l := range lines {
		if l.By == by && l.ID.Seq > last.Seq {
			last = l.ID
		}
	}
	return last
}

func devicesOf(t *testing.T, tw *town, kind string) []store.Device {
	t.Helper()
	all, err := tw.store.Devices(t.Context(), "covasna")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(all, func(d store.Device) bool { return d.Kind != kind })
}

// comesBackByToken enrols the PC's old key on another hub.
func (p *pc) comesBackByToken() {
	p.town.t.Helper()
	if _, code := p.town.enrols(p, wire.Enroll{Secret: p.town.token(spclep.OfficeID(p.office)).Secret}); code != "" {
		p.town.t.Fatal(code)
	}
}

// Two PCs bring back the same edits, one of them a log in which the other's
// own are missing: each edit is placed once, and both are told where.
func TestRelayTwice(t *testing.T) {
	tw := newTown(t)
	one, two, three := tw.enrol("one", "covasna"), tw.enrol("two", "covasna"), tw.enrol("three", "covasna")
	for range 4 {
		three.writes("BKNG2345", spclep.FieldNote, false, "x")
	}
	three.sync()
	one.sync()
	two.sync()
	fresh := tw.again(true)
	for _, p := range []*pc{one, two, three} {
		p.town = fresh
	}
	relay, again := one.relayed(), two.relayed()
	one.comesBackByToken()
	two.comesBackByToken()
	want := []wire.Verdict{{Dev: three.device(), Seq: 1, N: 4, Pos: 1}}
	for _, a := range []wire.Answer{one.brings(relay...), two.brings(again...), one.brings(relay...)} {
		if !reflect.DeepEqual(a.Verdicts, want) || a.Head != 4 {
			t.Errorf("answered %+v with the log up to %d", a.Verdicts, a.Head)
		}
	}
	// The author comes back: half of its log is here by others' hands.
	three.comesBackByToken()
	three.writes("BKNG2345", spclep.FieldNote, false, "since")
	if a := three.send(three.request()); a.Have != 4 {
		t.Errorf("the author is told that the hub has %d of its edits", a.Have)
	}
	if a := three.send(three.request(three.log...)); a.Have != 5 || a.Head != 5 || !reflect.DeepEqual(a.Verdicts, []wire.Verdict{{Seq: 1, N: 5, Pos: 1}}) {
		t.Errorf("the author's own are answered with %+v, have %d, head %d", a.Verdicts, a.Have, a.Head)
	}
}

// Own and relayed edits in one request: the PC's own verdicts come first, and
// runs of different authors are not joined.
func TestRelayBesideOwn(t *testing.T) {
	tw := newTown(t)
	one := tw.enrol("one", "covasna")
	a, b := &pc{town: tw, key: keyOf("lost a")}, &pc{town: tw, key: keyOf("lost b")}
	for range 2 {
		one.writes("BKNG2345", spclep.FieldNote, false, "own")
		a.writes("BKNG2345", spclep.FieldNote, false, "a")
		b.writes("BKNG2345", spclep.FieldNote, false, "b")
	}
	r := one.request(one.log...)
	r.Relay = []wire.Relayed{{Device: a.device(), Op: a.log[0]}, {Device: b.device(), Op: b.log[1]}, {Device: a.device(), Op: a.log[1]}}
	got := one.send(r).Verdicts
	want := []wire.Verdict{{Seq: 1, N: 2, Pos: 4}, {Dev: a.device(), Seq: 1, Pos: 1}, {Dev: b.device(), Seq: 2, Pos: 2}, {Dev: a.device(), Seq: 2, Pos: 3}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("answered %+v, want %+v", got, want)
	}
	if d, err := tw.store.Device(t.Context(), b.device()); err != nil || d.Have != 0 {
		t.Errorf("of b the hub claims %d without a gap, %v", d.Have, err)
	}
}

// What is brought back is not believed blindly: not another office's, not the
// bearer's own, nothing unreadable; and none of that bars the way for what the
// author itself sends. Other bytes under a number that is held are a clash.
func TestRelayRefused(t *testing.T) {
	tw := newTown(t)
	one, two, far := tw.enrol("one", "covasna"), tw.enrol("two", "covasna"), tw.enrol("far", "botosani")
	for _, p := range []*pc{one, two, far} {
		p.writes("BKNG2345", spclep.FieldNote, false, "first")
		p.writes("BKNG2345", spclep.FieldNote, false, "second")
	}
	two.send(two.request(two.log[:1]...))
	other := &pc{town: tw, key: two.key}
	other.writes("BKNG2345", spclep.FieldNote, false, "other bytes")
	broken := []byte(`{"q":2,"c":"nowhere","t":"1.0","w":[1,"b",1]}`)
	a := one.brings(
		wire.Relayed{Device: far.device(), Op: far.log[0]},
		wire.Relayed{Device: one.device(), Op: one.log[0]},
		wire.Relayed{Device: two.device(), Op: broken},
		wire.Relayed{Device: two.device(), Op: []byte(`"no op at all"`)},
		wire.Relayed{Device: two.device(), Op: other.log[0]},
	)
	var got []string
	for _, v := range a.Verdicts {
		got = append(got, op.ID{Device: v.Dev, Seq: v.Seq}.String()+" "+v.Code)
	}
	want := []string{far.device().String() + ":1 refused", one.device().String() + ":1 refused", two.device().String() + ":2 refused", two.device().String() + ":1 clash"}
	if !slices.Equal(got, want) || a.Head != 1 {
		t.Errorf("answered %q with the log up to %d, want %q", got, a.Head, want)
	}
	kept, err := tw.store.Refusals(t.Context(), "covasna")
	if err != nil || len(kept) != 1 || kept[0].Code != wire.Clash || string(kept[0].Raw) != string(other.log[0]) {
		t.Errorf("kept for the console: %+v, %v", kept, err)
	}
	for _, p := range []*pc{one, two, far} {
		a := p.sync()
		if v := byNumber(a); a.Have != 2 || len(v) != 2 || v[1].Code != "" || v[2].Code != "" {
			t.Errorf("the author %s itself was then answered %+v, have %d", p.device(), a.Verdicts, a.Have)
		}
	}
	r := one.request()
	r.Relay = []wire.Relayed{{Op: two.log[0]}}
	if _, tr := one.try(r); tr == nil || tr.status != 400 {
		t.Errorf("an edit of nobody's: %+v", tr)
	}
}

// What has been judged is not judged again: a fact only the hub may write, and
// the work of a PC that was revoked since.
func TestRelayIsNotJudgedAgain(t *testing.T) {
	tw := newTown(t)
	one, stolen := tw.enrol("one", "covasna"), tw.enrol("stolen", "covasna")
	stolen.writes("BKNG2345", spclep.Arrived, true, nil)
	pen := &pc{town: tw, key: keyOf("the pen of another hub")}
	pen.writes("BKNG2345", spclep.Cancelled, true, spclep.CancelledValue{Ground: "citizen"})
	if err := tw.hub.Revoke(t.Context(), stolen.device()); err != nil {
		t.Fatal(err)
	}
	a := one.brings(wire.Relayed{Device: stolen.device(), Op: stolen.log[0]}, wire.Relayed{Device: pen.device(), Op: pen.log[0]})
	if a.Head != 2 {
		t.Errorf("answered %+v", a.Verdicts)
	}
	if b, _, err := tw.hub.Booking(t.Context(), "covasna", "BKNG2345"); err != nil || b.Visit.State != spclep.StateArrived {
		t.Errorf("the booking shows %q, %v", b.Visit.State, err)
	}
	if rows, err := tw.store.Rows(t.Context(), "covasna", store.Filter{ID: "BKNG2345"}); err != nil || len(rows) != 1 || rows[0].State != spclep.StateArrived {
		t.Errorf("listed as %+v, %v", rows, err)
	}
	if n, err := tw.store.Relayed(t.Context(), "covasna"); n != 2 || err != nil {
		t.Errorf("counted as brought back: %d, %v", n, err)
	}
}

// A relayed time may not lie in the hub's future either, and not before what
// the edit was written on top of.
func TestRelayedTimes(t *testing.T) {
	tw := newTown(t)
	one, lost := tw.enrol("one", "covasna"), &pc{town: tw, key: keyOf("lost")}
	first := lost.writesAt(hlc.At(tw.now-5000), "BKNG2345", spclep.FieldNote, false, "a")
	lost.writesAt(hlc.At(tw.now-9000), "BKNG2345", spclep.FieldNote, false, "b", first)
	lost.writesAt(hlc.At(tw.now-1000), "BKNG2345", spclep.FieldNote, false, "c")
	one.brings(
		wire.Relayed{Device: lost.device(), Op: lost.log[0]},
		wire.Relayed{Device: lost.device(), Op: lost.log[1]},
		wire.Relayed{Device: lost.device(), Op: lost.log[2], Eff: hlc.At(tw.now + 9*dayMs)},
	)
	entries, _, err := tw.store.After(t.Context(), "covasna", 0, 9)
	if err != nil || len(entries) != 3 {
		t.Fatal(len(entries), err)
	}
	if entries[1].Eff != entries[0].Eff.After() {
		t.Errorf("the edit on top counts at %s, the one below at %s", entries[1].Eff, entries[0].Eff)
	}
	if entries[2].Eff != hlc.At(tw.now) || !entries[2].Clamped {
		t.Errorf("a time of next week became %s", entries[2].Eff)
	}
}

// An edit of a PC with a wrong clock counted from when it came. The hub is set
// back, the PC sends it again a day later with the time it had: it counts from
// then and not from now, so that nothing written since loses to it.
func TestSendingAgainMakesNothingNewer(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("future", "covasna")
	p.writesAt(hlc.At(tw.now+34*365*dayMs), "BKNG2345", spclep.FieldNote, false, "2060")
	p.writes("BKNG2345", spclep.FieldEmail, false, "in time")
	first := byNumber(p.sync())[1].Eff
	if first != hlc.At(noon) {
		t.Fatalf("at first it counts at %s", first)
	}
	p.town = tw.again(true).after(1)
	p.comesBackByToken()
	r := p.request(p.log...)
	r.Segments[0].Effs = []hlc.Time{first}
	if v := byNumber(p.send(r)); v[1].Eff != first || v[1].Pos == 0 {
		t.Errorf("sent again it counts at %s, want %s", v[1].Eff, first)
	}
	lines, err := p.town.hub.History(t.Context(), "covasna", 0)
	if err != nil || !lines[0].Clamped {
		t.Errorf("that its time was cut off is forgotten: %+v, %v", lines, err)
	}
}

// A hint never makes an edit later than it would be without one.
func TestHintsOnlyMoveBack(t *testing.T) {
	tw := newTown(t)
	for name, c := range map[string]struct {
		at, hint, want hlc.Time
	}{
		"later than its stamp":             {hlc.At(noon - 5000), hlc.At(noon - 1000), hlc.At(noon - 5000)},
		"earlier than its stamp":           {hlc.At(noon - 5000), hlc.At(noon - 9000), hlc.At(noon - 9000)},
		"later than now, stamp in 2060":    {hlc.At(noon + 34*365*dayMs), hlc.At(noon + 60_000), hlc.At(noon)},
		"next week":                        {hlc.At(noon + 34*365*dayMs), hlc.At(noon + 7*dayMs), hlc.At(noon)},
		"none":                             {hlc.At(noon - 5000), 0, hlc.At(noon - 5000)},
		"later than a stamp a bit too far": {hlc.At(noon + 60_000), hlc.At(noon + 90_000), hlc.At(noon + 60_000)},
	} {
		p := tw.enrol(name, "covasna")
		p.writesAt(c.at-1, "BKNG2345", spclep.FieldNote, false, name) // the first edit lies a count later
		r := p.request(p.log...)
		r.Segments[0].Effs = []hlc.Time{c.hint}
		v := byNumber(p.send(r))[1]
		got := v.Eff
		if got == 0 {
			got = c.at
		}
		if got != c.want {
			t.Errorf("%s: counts at %s, want %s", name, got, c.want)
		}
	}
}

// A PC deletes what is past its retention. A hub that lost all of it waits for
// nothing that cannot come.
func TestPastRetention(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	for range 6 {
		p.writes("BKNG2345", spclep.FieldNote, false, "x")
	}
	send := func(first uint64, ops ...[]byte) uint64 {
		r := p.request(ops...)
		r.First = first
		return p.send(r).Have
	}
	if have := send(0, p.log[3]); have != 0 {
		t.Errorf("edit 4 came alone, and the hub claims %d", have)
	}
	if have := send(4); have != 4 {
		t.Errorf("the PC can send from 4 on, and the hub claims %d", have)
	}
	if have := send(2); have != 4 {
		t.Errorf("an older word took the hub back to %d", have)
	}
	if have := send(0, p.log[5]); have != 4 {
		t.Errorf("edit 5 is missing, and the hub claims %d", have)
	}
	if have := send(4, p.log[4]); have != 6 {
		t.Errorf("all that can come has come, and the hub claims %d", have)
	}
	if have := send(9); have != 8 {
		t.Errorf("nothing below 9 can come, and the hub claims %d", have)
	}
}
