package hub_test

import (
	"reflect"
	"testing"
	"time"

	"condica/hub/store"
	"condica/spclep"
	"condica/sync/wire"
)

// unsent names edits of the PC's log for the hub.
func (p *pc) unsent(seqs ...uint64) (out []wire.Unsent) {
	p.town.t.Helper()
	for _, seq := range seqs {
		o, err := wire.DecodeOp(p.device(), p.log[seq-1])
		if err != nil {
			p.town.t.Fatal(err)
		}
		mark := o.Mark()
		out = append(out, wire.Unsent{Seq: seq, Sum: mark[:]})
	}
	return out
}

// device is what the hub holds of a PC.
func (tw *town) device(p *pc) store.Device {
	tw.t.Helper()
	d, err := tw.store.Device(tw.t.Context(), p.device())
	if err != nil {
		tw.t.Fatal(err)
	}
	return d
}

// code is the hub's answer to an ordinary request; "" if it is a good one.
func (p *pc) code() string {
	if _, tr := p.try(p.request()); tr != nil {
		return tr.Code
	}
	return ""
}

// The key of a PC is in use on two machines. Each makes a key of its own and
// says so under the old one: it goes on in the same office under a new number,
// is told which of its edits are here, and nothing more is taken from the old.
func TestFollowingByKey(t *testing.T) {
	tw := newTown(t)
	other, old := tw.enrol("other", "covasna"), tw.enrol("Ghișeul 2", "covasna")
	old.writes("BKNG2345", spclep.Arrived, true, nil)
	old.writes("short", spclep.Arrived, true, nil) // refused for good
	old.sync()
	clone := &pc{town: tw, key: old.key, office: old.office, epoch: old.epoch, counter: old.counter + 5, seq: 2, log: old.log[:2:2]}
	clone.writes("BKNG2345", spclep.FieldNote, false, "the clone's")
	old.writes("BKNG2345", spclep.FieldNote, false, "never sent")
	clone.sync()
	old.log = append(old.log, nil)

	one, two := &pc{town: tw, key: keyOf("machine one")}, &pc{town: tw, key: keyOf("machine two")}
	ask := wire.Enroll{Name: "from the machine", Old: old.device(), Unsent: old.unsent(1, 2, 3)}
	first, code := tw.enrols(one, ask, old)
	if code != "" || first.Device != one.device() || first.Office != "covasna" || first.Desk != 3 || first.Epoch == "" || len(first.Keys) != 1 || first.Cert == "" {
		t.Fatalf("answered %+v, %q", first, code)
	}
	if !reflect.DeepEqual(first.Held, []uint64{1}) {
		t.Errorf("said to be here: %v, want the placed one: a refused one is refused again, and under the third number is the clone's", first.Held)
	}
	if again, code := tw.enrols(one, ask, old); code != "" || !reflect.DeepEqual(again, first) {
		t.Errorf("asked again: %+v, %q; the first answer may have been lost", again, code)
	}
	second, code := tw.enrols(two, wire.Enroll{Old: old.device(), Unsent: clone.unsent(3)}, clone)
	if code != "" || second.Desk != 4 || !reflect.DeepEqual(second.Held, []uint64{3}) {
		t.Errorf("the other machine: %+v, %q", second, code)
	}
	if code := old.code(); code != "retired" {
		t.Errorf("the old key: %q", code)
	}
	if d := tw.device(old); d.RetiredMs != noon || d.Heir != one.device() || d.Desk != 2 {
		t.Errorf("kept of the old one: %+v", d)
	}
	if d := tw.device(one); d.Name != "Ghișeul 2" || d.Old != old.device() || d.Kind != store.PC {
		t.Errorf("kept of the new one: %+v", d)
	}
	one.office, one.epoch = "covasna", first.Epoch
	one.writes("BKNG2345", spclep.FieldEmail, false, "x@example.ro")
	if a := one.sync(); a.Have != 1 || a.Head != 3 {
		t.Errorf("the new one is answered %+v", a)
	}
	r := other.request()
	r.Segments = []wire.Segment{wire.SignSegment(old.key, old.log[2:3])}
	if _, tr := other.try(r); tr == nil || tr.Code != "segment" {
		t.Errorf("an edit of the old key, by another PC: %+v", tr)
	}
	if a := other.brings(wire.Relayed{Device: old.device(), Op: old.log[0]}); a.Verdicts[0].Pos == 0 {
		t.Errorf("the old PC's work, brought back: %+v", a.Verdicts)
	}
}

// Nobody takes another's place: the key must be the old one's, the old one a PC
// that central IT has not shut out.
func TestFollowingRefused(t *testing.T) {
	tw := newTown(t)
	old, other, stolen, far := tw.enrol("old", "covasna"), tw.enrol("other", "covasna"), tw.enrol("stolen", "covasna"), tw.enrol("far", "botosani")
	if err := tw.hub.Revoke(t.Context(), stolen.device()); err != nil {
		t.Fatal(err)
	}
	fresh, stranger := &pc{town: tw, key: keyOf("fresh")}, &pc{town: tw, key: keyOf("stranger")}
	tooMany := make([]wire.Unsent, wire.MaxUnsent+1)
	for name, c := range map[string]struct {
		p      *pc
		ask    wire.Enroll
		signer []*pc
		code   string
	}{
		"no signature":         {fresh, wire.Enroll{Old: old.device()}, nil, "token-unknown"},
		"another PC's key":     {fresh, wire.Enroll{Old: old.device()}, []*pc{other}, "signature"},
		"a stranger's key":     {fresh, wire.Enroll{Old: stranger.device()}, []*pc{stranger}, "unknown-device"},
		"a revoked PC":         {fresh, wire.Enroll{Old: stolen.device()}, []*pc{stolen}, "revoked"},
		"nobody is followed":   {fresh, wire.Enroll{}, []*pc{old}, "signature"},
		"it follows itself":    {old, wire.Enroll{Old: old.device()}, []*pc{old}, "body"},
		"onto another office":  {far, wire.Enroll{Old: old.device()}, []*pc{old}, "device-elsewhere"},
		"onto a revoked PC":    {stolen, wire.Enroll{Old: old.device()}, []*pc{old}, "revoked"},
		"more than is allowed": {fresh, wire.Enroll{Old: old.device(), Unsent: tooMany}, []*pc{old}, "body"},
	} {
		if _, code := tw.enrols(c.p, c.ask, c.signer...); code != c.code {
			t.Errorf("%s: %q, want %q", name, code, c.code)
		}
	}
	if old.code() != "" {
		t.Error("the old one was retired by one of these")
	}
	body := mustJSON(t, wire.Enroll{V: wire.Version, Pub: fresh.pub(), Old: old.device()})
	changed := mustJSON(t, wire.Enroll{V: wire.Version, Pub: stranger.pub(), Old: old.device()})
	var got wire.Problem
	if status := fresh.post("/v1/enroll", changed, map[string]string{wire.SignatureHeader: wire.SignRequest(old.key, 1, "/v1/enroll", body)}, &got); status != 401 {
		t.Errorf("a key that was put into a signed enrolment: %d %+v", status, got)
	}
	if status := fresh.post("/v1/enroll", body, map[string]string{wire.SignatureHeader: wire.SignRequest(old.key, 1, "/v1/sync", body)}, &got); status != 401 {
		t.Errorf("a signature for another purpose: %d %+v", status, got)
	}
}

// A PC has lost its key with its disk. With a new token it says who it was: the
// old device is retired, and what it holds of its old log it need not send. In
// another office, or of a device that nobody knows, there is nobody to retire.
func TestFollowingByToken(t *testing.T) {
	tw := newTown(t)
	old, far := tw.enrol("old", "covasna"), tw.enrol("far", "botosani")
	old.writes("BKNG2345", spclep.Arrived, true, nil)
	old.sync()
	ask := wire.Enroll{Secret: tw.token("covasna").Secret, Name: "new", Old: old.device(), Unsent: old.unsent(1)}
	heir := &pc{town: tw, key: keyOf("new")}
	for range 2 {
		e, code := tw.enrols(heir, ask)
		if code != "" || e.Desk != 2 || !reflect.DeepEqual(e.Held, []uint64{1}) {
			t.Errorf("answered %+v, %q", e, code)
		}
	}
	if code := old.code(); code != "retired" {
		t.Errorf("the old key: %q", code)
	}
	if _, code := tw.join(tw.token("covasna").Secret, "old"); code != "retired" {
		t.Errorf("the old key with a token: %q", code)
	}
	for name, who := range map[string]*pc{"of another office": far, "nobody knows": {key: keyOf("unknown")}} {
		p := &pc{town: tw, key: keyOf("follows a PC " + name)}
		if e, code := tw.enrols(p, wire.Enroll{Secret: tw.token("covasna").Secret, Old: who.device()}); code != "" || e.Held != nil || tw.device(p).Old != (store.Device{}).Old {
			t.Errorf("it was a PC %s: %+v, %q", name, e, code)
		}
	}
	if code := far.code(); code != "" {
		t.Errorf("a PC of another office was retired: %q", code)
	}
}

// The hub's own pen is no PC: nobody enrols under its key, nobody follows it.
func TestThePenIsNoPC(t *testing.T) {
	tw := newTown(t)
	tw.book("covasna", 0)
	pen := devicesOf(t, tw, store.Hub)[0]
	body := mustJSON(t, wire.Enroll{V: wire.Version, Secret: tw.token("covasna").Secret, Pub: pen.Pub})
	var got wire.Problem
	if status := (&pc{town: tw}).post("/v1/enroll", body, nil, &got); status != 403 || got.Code != "device-elsewhere" {
		t.Errorf("under its key: %d %+v", status, got)
	}
	if _, code := tw.enrols(&pc{key: keyOf("pc")}, wire.Enroll{Secret: tw.token("covasna").Secret, Old: pen.ID}); code != "" {
		t.Errorf("a PC that says it was the pen: %q", code)
	}
	if pen := devicesOf(t, tw, store.Hub)[0]; pen.RetiredMs != 0 {
		t.Error("the hub's pen was retired")
	}
	tw.book("covasna", 1)
}

// The hub has lost its database and kept its secrets. PCs come back by their
// certificates to the numbers they had, without anybody's help; what the others
// had brought back of them meanwhile is theirs.
func TestComingBack(t *testing.T) {
	tw := newTown(t)
	var certs []string
	pcs := []*pc{{key: keyOf("one")}, {key: keyOf("two")}, {key: keyOf("three")}}
	for _, p := range pcs {
		p.town, p.office = tw, "covasna"
		e, code := tw.enrols(p, wire.Enroll{Secret: tw.token("covasna").Secret, Name: "PC " + p.device().String()})
		if code != "" {
			t.Fatal(code)
		}
		certs, p.epoch = append(certs, e.Cert), e.Epoch
	}
	one, two, three := pcs[0], pcs[1], pcs[2]
	three.writes("BKNG2345", spclep.Arrived, true, nil)
	three.sync()
	one.sync()

	fresh := tw.again(true)
	for _, p := range pcs {
		p.town = fresh
	}
	if code := two.code(); code != "unknown-device" {
		t.Errorf("a PC that the hub has forgotten: %q", code)
	}
	// Somebody new is let in before the others are back, and gets number 1.
	if e, code := fresh.join(fresh.token("covasna").Secret, "new"); code != "" || e.Desk != 1 {
		t.Fatalf("the new PC: %+v, %q", e, code)
	}
	for _, i := range []int{2, 1, 0} {
		want := []int{4, 2, 3}[i] // number 1 is no longer free
		for range 2 {
			e, code := fresh.enrols(pcs[i], wire.Enroll{Cert: certs[i], Name: "another name"})
			if code != "" || e.Desk != want || e.Office != "covasna" || e.Cert == "" {
				t.Errorf("PC %d: %+v, %q; want number %d", i+1, e, code, want)
			}
		}
		if d := fresh.device(pcs[i]); d.Name != "PC "+d.ID.String() || d.AddedMs != noon {
			t.Errorf("kept of it: %+v", d)
		}
	}
	if a := one.brings(one.relayed()...); a.Head != 1 {
		t.Errorf("brought back: %+v", a)
	}
	if a := three.sync(); a.Have != 1 || a.Head != 1 {
		t.Errorf("the author is answered %+v", a)
	}
}

// A PC of which others have brought back work, before it came itself, is no
// longer gone when it comes: it may send again, in its own name.
func TestComingBackFromGone(t *testing.T) {
	tw := newTown(t)
	one, two := tw.enrol("one", "covasna"), &pc{town: tw, key: keyOf("two"), office: "covasna"}
	e, _ := tw.enrols(two, wire.Enroll{Secret: tw.token("covasna").Secret, Name: "two"})
	two.epoch = e.Epoch
	two.writes("BKNG2345", spclep.Arrived, true, nil)
	two.sync()
	one.sync()
	fresh := tw.again(true)
	one.town, two.town = fresh, fresh
	one.comesBackByToken()
	one.brings(one.relayed()...)
	if d := fresh.device(two); d.Kind != store.Gone || d.Desk != 0 {
		t.Fatalf("before it comes: %+v", d)
	}
	if code := two.code(); code != "unknown-device" {
		t.Errorf("before it comes: %q", code)
	}
	if e, code := fresh.enrols(two, wire.Enroll{Cert: e.Cert}); code != "" || e.Desk != 2 {
		t.Fatalf("coming back: %+v, %q", e, code)
	}
	two.writes("BKNG2345", spclep.FieldNote, false, "since")
	if a := two.sync(); a.Have != 2 || a.Head != 2 {
		t.Errorf("answered %+v", a)
	}
	if d := fresh.device(two); d.Kind != store.PC || d.Name != "two" {
		t.Errorf("kept of it: %+v", d)
	}
}

// A certificate is good on this hub, for this key, and not for one that was
// shut out.
func TestCertificateRefused(t *testing.T) {
	tw := newTown(t)
	p, stolen := &pc{town: tw, key: keyOf("one")}, &pc{town: tw, key: keyOf("stolen")}
	e, _ := tw.enrols(p, wire.Enroll{Secret: tw.token("covasna").Secret})
	s, _ := tw.enrols(stolen, wire.Enroll{Secret: tw.token("covasna").Secret})
	if err := tw.hub.Revoke(t.Context(), stolen.device()); err != nil {
		t.Fatal(err)
	}
	fresh := tw.again(true)
	if err := fresh.hub.RevokeUnknown(t.Context(), stolen.device(), "covasna"); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		tw   *town
		p    *pc
		cert string
		code string
	}{
		"on a hub with other keys":        {tw.again(false), p, e.Cert, "certificate"},
		"for another key":                 {fresh, stolen, e.Cert, "certificate"},
		"cut short":                       {fresh, p, e.Cert[:len(e.Cert)-4], "certificate"},
		"changed":                         {fresh, p, "A" + e.Cert[1:], "certificate"},
		"no certificate":                  {fresh, p, "?", "certificate"},
		"of a PC that is revoked":         {tw, stolen, s.Cert, "revoked"},
		"of one revoked before it came":   {fresh, stolen, s.Cert, "revoked"},
		"good":                            {fresh, p, e.Cert, ""},
		"good, where the PC is known yet": {tw, p, e.Cert, ""},
	} {
		if got, code := c.tw.enrols(c.p, wire.Enroll{Cert: c.cert}); code != c.code || code == "" && got.Cert != e.Cert {
			t.Errorf("%s: %+v, %q", name, got, code)
		}
	}
}

// The hub is set back to before a PC got a new key: the new one's certificate
// says whom it followed, and the old key is shut out again.
func TestComingBackAsHeir(t *testing.T) {
	tw := newTown(t)
	old, heir := &pc{town: tw, key: keyOf("old"), office: "covasna"}, &pc{town: tw, key: keyOf("heir"), office: "covasna"}
	first, _ := tw.enrols(old, wire.Enroll{Secret: tw.token("covasna").Secret})
	second, _ := tw.enrols(heir, wire.Enroll{Old: old.device()}, old)
	fresh := tw.again(true)
	old.town, heir.town = fresh, fresh
	if e, code := fresh.enrols(old, wire.Enroll{Cert: first.Cert}); code != "" || e.Desk != 1 {
		t.Fatalf("%+v, %q", e, code)
	}
	if code := old.code(); code != "" {
		t.Errorf("before the new one came: %q", code)
	}
	if e, code := fresh.enrols(heir, wire.Enroll{Cert: second.Cert}); code != "" || e.Desk != 2 || e.Held != nil {
		t.Errorf("%+v, %q", e, code)
	}
	if code := old.code(); code != "retired" {
		t.Errorf("then: %q", code)
	}
	if d := fresh.device(old); d.Heir != heir.device() {
		t.Errorf("kept: %+v", d)
	}
	if _, code := fresh.enrols(old, wire.Enroll{Cert: first.Cert}); code != "retired" {
		t.Errorf("its certificate: %q", code)
	}
}

// A PC that waits for news under a key that is replaced hears so at once.
func TestReplacedWhileWaiting(t *testing.T) {
	tw := newTown(t)
	old := tw.enrol("old", "covasna")
	waiting := old.polls(hold)
	tw.untilWaiting(1)
	began := time.Now()
	if _, code := tw.enrols(&pc{key: keyOf("new")}, wire.Enroll{Old: old.device()}, old); code != "" {
		t.Fatal(code)
	}
	if _, tr := waiting(); tr == nil || tr.Code != "retired" || time.Since(began) >= hold*time.Millisecond {
		t.Errorf("answered %+v", tr)
	}
}

// Before a retired PC's edits are looked at it is sent away: they are its to
// give out anew.
func TestRetiredSendsNothing(t *testing.T) {
	tw := newTown(t)
	old := tw.enrol("old", "covasna")
	if _, code := tw.enrols(&pc{key: keyOf("new")}, wire.Enroll{Old: old.device()}, old); code != "" {
		t.Fatal(code)
	}
	id := old.writes("BKNG2345", spclep.Arrived, true, nil)
	if _, tr := old.try(old.request(old.log...)); tr == nil || tr.status != 403 || tr.Code != "retired" {
		t.Errorf("answered %+v", tr)
	}
	if err := tw.store.Write(t.Context(), "covasna", func(tx store.Tx) error {
		held, err := tx.Held(id)
		if held != (store.Held{}) {
			t.Errorf("held: %+v", held)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
