package hub_test

import (
	"encoding/json"
	"slices"
	"testing"

	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/peer"
	"condica/sync/wire"
)

// A replica is a real office database that talks to the hub by hand.
type replica struct {
	*pc
	db *localdb.DB
	up int64
}

func (tw *town) replica(name string) *replica {
	tw.t.Helper()
	r := &replica{pc: tw.enrol(name, "covasna"), up: 1000}
	r.open(tw.t.TempDir())
	if err := r.db.SetOffice(tw.t.Context(), wire.Enrolled{Device: r.device(), Office: "covasna", Desk: 1, Epoch: r.epoch, HubMs: tw.now, Keys: tw.hub.QRKeys()}); err != nil {
		tw.t.Fatal(err)
	}
	return r
}

func (r *replica) open(dir string) {
	r.town.t.Helper()
	db, report, err := localdb.Open(r.town.t.Context(), dir, localdb.Options{Device: r.device(), Now: r.reading})
	if err != nil || len(report) > 0 {
		r.town.t.Fatalf("open the replica: %v, %v", report, err)
	}
	r.town.t.Cleanup(func() { db.Close() })
	r.db = db
}

func (r *replica) reading() hlc.Reading {
	r.up++
	return hlc.Reading{Wall: 1_230_768_000_000 + r.up, Boot: "boot", Up: r.up}
}

// edits writes what a clerk does.
func (r *replica) edits(id spclep.BookingID, field string, fact bool, value string) {
	r.town.t.Helper()
	_, err := r.db.Edit(r.town.t.Context(), "", "clerk", id, func(b record.Booking, _ localdb.Place) ([]op.Draft, error) {
		d := op.Draft{Cell: record.Cell(id, field), Fact: fact, Value: json.RawMessage(value)}
		if !fact {
			d.Base = b.Heads(field)
		}
		return []op.Draft{d}, nil
	})
	if err != nil {
		r.town.t.Fatal(err)
	}
}

// exchange makes one round trip and gives how many edits are still unsent.
func (r *replica) exchange() (unsent int) { return r.answered().Unsent }

// answered makes one round trip.
func (r *replica) answered() peer.Outcome {
	r.town.t.Helper()
	t := r.town.t
	ctx := t.Context()
	req, err := r.db.Where(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, anchored, err := r.db.Unsent(ctx); err != nil {
		t.Fatal(err)
	} else if anchored {
		ops, err := r.db.Outbox(ctx, 100, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if len(ops) > 0 {
			req.Segments = []wire.Segment{wire.SignSegment(r.key, ops)}
		}
	}
	if err := r.db.Complete(ctx, &req, 1<<20); err != nil {
		t.Fatal(err)
	}
	r.counter++
	sent := r.reading()
	status, _, body := r.raw(mustJSON(t, req), r.counter)
	if status != 200 {
		t.Fatalf("status %d: %s", status, body)
	}
	a, err := wire.DecodeAnswer(body)
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.db.Save(ctx, a, sent, r.reading(), true)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// settles talks until nothing is unsent.
func (r *replica) settles() {
	r.town.t.Helper()
	unsent := 0
	for range 6 {
		if unsent = r.exchange(); unsent == 0 {
			if r.exchange() == 0 {
				return
			}
		}
	}
	r.town.t.Errorf("%d edits are unsent after six exchanges", unsent)
}

// A real replica, a real hub: work goes up, comes down on the other PC; a
// refused edit stays on its PC with the reason, and nothing waits behind it.
func TestReplicas(t *testing.T) {
	tw := newTown(t)
	b := tw.book("covasna", 0)
	one, two := tw.replica("one"), tw.replica("two")
	one.settles()
	one.edits(b.ID, spclep.Arrived, true, ``)
	one.edits(b.ID, "teleported", true, ``)
	one.edits(b.ID, spclep.FieldEmail, false, `"noua@example.ro"`)
	one.settles()
	two.settles()
	got, err := two.db.Booking(t.Context(), b.ID)
	if err != nil || got.Visit.State != spclep.StateArrived || got.Email != "noua@example.ro" {
		t.Errorf("the second PC shows %s, %q, %v", got.Visit.State, got.Email, err)
	}
	st, err := one.db.Standing(t.Context())
	if err != nil || st.Refused != 1 || st.Unsent != 0 {
		t.Errorf("the first PC stands at %+v, %v", st, err)
	}
}

// The hub that had refused an edit is put back to before it: the PCs end as
// they were, with nothing unsent for ever.
func TestReplicasAndRestoredHub(t *testing.T) {
	live, backup := t.TempDir(), t.TempDir()
	tw := townIn(t, live)
	b := tw.book("covasna", 0)
	one, two := tw.replica("one"), tw.replica("two")
	one.settles()
	two.settles()
	tw.shut(live, backup)

	tw = townIn(t, live).after(1)
	one.town, two.town = tw, tw
	one.edits(b.ID, spclep.Arrived, true, ``)
	one.edits(b.ID, "teleported", true, ``)
	one.edits(b.ID, spclep.FieldEmail, false, `"noua@example.ro"`)
	one.settles()
	two.settles()
	tw.shut(live, "")

	tw = townIn(t, backup).after(2)
	one.town, two.town = tw, tw
	two.edits(b.ID, spclep.FieldNote, false, `"x"`)
	two.settles()
	one.settles()
	two.settles()
	for _, r := range []*replica{one, two} {
		got, err := r.db.Booking(t.Context(), b.ID)
		if err != nil || got.Visit.State != spclep.StateArrived || got.Email != "noua@example.ro" || got.Note != "x" {
			t.Errorf("a PC shows %s, %q, %q, %v", got.Visit.State, got.Email, got.Note, err)
		}
	}
	if rec, _, err := tw.hub.Booking(t.Context(), "covasna", b.ID); err != nil || rec.Visit.State != spclep.StateArrived || rec.Email != "noua@example.ro" {
		t.Errorf("the hub shows %s, %q, %v", rec.Visit.State, rec.Email, err)
	}
}

// The hub's database is lost for good, while one PC has work that it has not
// sent. The PCs come back and make the log anew, what the hub itself had
// written among it; the times stay, and all three end with one log.
func TestReplicasRebuildTheHub(t *testing.T) {
	tw := newTown(t)
	b := tw.book("covasna", 0)
	one, two := tw.replica("one"), tw.replica("two")
	one.settles()
	one.edits(b.ID, spclep.Arrived, true, ``)
	one.edits(b.ID, "teleported", true, ``) // refused
	one.settles()
	two.settles()
	two.edits(b.ID, spclep.FieldEmail, false, `"noua@example.ro"`)
	two.settles()
	one.settles()
	before := tw.content("covasna")
	two.edits(b.ID, spclep.FieldNote, false, `"not sent yet"`)

	fresh := tw.again(true)
	for _, r := range []*replica{one, two} {
		r.town = fresh
		r.comesBackByToken()
		if unsent := r.exchange(); unsent == 0 {
			t.Error("a PC has nothing to tell the empty hub")
		}
	}
	for range 2 {
		one.settles()
		two.settles()
	}
	after := fresh.content("covasna")
	for _, e := range before {
		if !slices.Contains(after, e) {
			t.Errorf("lost: %s", e)
		}
	}
	if len(after) != len(before)+1 {
		t.Errorf("the log has %d edits, it had %d and one was added", len(after), len(before))
	}
	for _, r := range []*replica{one, two} {
		got, err := r.db.Booking(t.Context(), b.ID)
		if err != nil || got.Visit.State != spclep.StateArrived || got.Email != "noua@example.ro" || got.Note != "not sent yet" || len(got.Conflicts()) != 0 {
			t.Errorf("a PC shows %s, %q, %q, %v", got.Visit.State, got.Email, got.Note, err)
		}
		if out := r.answered(); out.Differs || out.More || out.Unsent != 0 {
			t.Errorf("a PC ends with %+v", out)
		}
	}
	if st := fresh.stands("covasna"); st.Relayed == 0 || st.Gone != 0 {
		t.Errorf("IT sees %+v", st)
	}
}
