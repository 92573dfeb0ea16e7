package record

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"

	"condica/spclep"
	"condica/sync/hlc"
	"condica/sync/op"
)

// Two desks of one office and the hub write on one booking; what do all of
// them then show?

var (
	desk1 = hlc.Device{1}
	desk2 = hlc.Device{2}
	hub   = hlc.Device{9}
)

const id = spclep.BookingID("7F3KQRST")

// pen writes entries as one device would, numbering them.
type pen struct {
	device hlc.Device
	seq    uint64
}

func (p *pen) fact(minute int64, name string, value any) op.Entry {
	return p.write(minute, name, value, true)
}

func (p *pen) write(minute int64, field string, value any, fact bool, base ...op.ID) op.Entry {
	p.seq++
	b, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	t := hlc.At(minute * 60_000)
	return op.Entry{Eff: t, Op: op.Op{ID: op.ID{Device: p.device, Seq: p.seq}, Action: p.seq, Cell: Cell(id, field), Fact: fact, Value: b, Base: base, Time: t, By: "clerk"}}
}

func booked(minute int64) op.Entry {
	h := pen{device: hub}
	return h.fact(minute, spclep.Booked, spclep.BookedValue{Name: "Șerban Dănuț", Email: "serban@example.ro", Reason: "R01", Day: 20700, At: 540})
}

func scanned(p *pen, minute int64) op.Entry {
	return p.fact(minute, spclep.Booked, spclep.BookedValue{Reason: "R01", Day: 20700, At: 540, Origin: spclep.OriginScanned})
}

func undo(p *pen, minute int64, e op.Entry) op.Entry {
	return p.fact(minute, spclep.Undone, spclep.UndoneValue{Action: e.ActionID().String()})
}

func TestDerive(t *testing.T) {
	a, b := &pen{device: desk1}, &pen{device: desk2}
	noShow := spclep.SentAwayValue{Ground: spclep.GroundNoShow}
	for _, c := range []struct {
		story string
		facts []op.Entry
		state spclep.State
		check func(v spclep.Visit) bool
	}{
		{"nothing is known", nil, spclep.StateNone, func(v spclep.Visit) bool { return v.Booked == nil }},
		{"two desks check in the same person: the earlier counts, the other is shown",
			[]op.Entry{booked(1), b.fact(11, spclep.Arrived, nil), a.fact(10, spclep.Arrived, nil)}, spclep.StateArrived,
			func(v spclep.Visit) bool {
				return v.First[spclep.Arrived].AtMs == 600_000 && len(v.Doubles) == 1 && v.Doubles[0].Device == desk2.String() && !v.TwoHandOvers
			}},
		{"one card, two hand-overs: the red alarm, both kept",
			[]op.Entry{booked(1), a.fact(10, spclep.HandedOver, spclep.HandedOverValue{To: "holder"}), b.fact(12, spclep.HandedOver, spclep.HandedOverValue{To: "parent"})}, spclep.StateHandedOver,
			func(v spclep.Visit) bool { return v.TwoHandOvers && v.HandedOver.To == "holder" && len(v.Doubles) == 1 }},
		{"cancelled on the hub after the person came: presence stands",
			[]op.Entry{booked(1), a.fact(10, spclep.Arrived, nil), b.fact(15, spclep.Cancelled, spclep.CancelledValue{Ground: "citizen"})}, spclep.StateArrived,
			func(v spclep.Visit) bool { return v.CancelledAfterArrival && v.Cancelled != nil }},
		{"cancelled and nobody came",
			[]op.Entry{booked(1), a.fact(15, spclep.Cancelled, nil)}, spclep.StateCancelled,
			func(v spclep.Visit) bool { return !v.CancelledAfterArrival }},
		{"one desk noted a no-show, the other saw the person, whichever was first",
			[]op.Entry{booked(1), a.fact(10, spclep.SentAway, noShow), b.fact(12, spclep.Arrived, nil)}, spclep.StateArrived,
			func(v spclep.Visit) bool { return v.NoShowBesideArrival }},
		{"an application beats a no-show noted beside it",
			[]op.Entry{booked(1), a.fact(20, spclep.SentAway, noShow), b.fact(12, spclep.Arrived, nil), b.fact(13, spclep.Filed, spclep.FiledValue{Number: "2-00001"})}, spclep.StateFiled,
			func(v spclep.Visit) bool { return v.NoShowBesideArrival && v.Filed.Number == "2-00001" }},
		{"sent away for papers after arriving is no contradiction",
			[]op.Entry{booked(1), a.fact(10, spclep.Arrived, nil), a.fact(11, spclep.SentAway, spclep.SentAwayValue{Ground: spclep.GroundPapersMissing})}, spclep.StateSentAway,
			func(v spclep.Visit) bool { return !v.NoShowBesideArrival }},
		{"a late check-in does not take a card back",
			[]op.Entry{booked(1), a.fact(10, spclep.HandedOver, nil), b.fact(30, spclep.Arrived, nil)}, spclep.StateHandedOver, nil},
		{"an extension moves the due day, a shorter one does not",
			[]op.Entry{a.fact(1, spclep.Filed, spclep.FiledValue{Due: 100}), a.fact(2, spclep.Extended, spclep.ExtendedValue{Due: 115}), a.fact(3, spclep.Extended, spclep.ExtendedValue{Due: 90})}, spclep.StateFiled,
			func(v spclep.Visit) bool { return v.Due >= 100 && len(v.Doubles) == 0 }},
		{"the code was scanned first, the hub's booking comes later and is the fuller one",
			[]op.Entry{scanned(a, 5), booked(9), scanned(b, 12)}, spclep.StateBooked,
			func(v spclep.Visit) bool { return v.Booked.Name == "Șerban Dănuț" && len(v.Doubles) == 0 }},
		{"the hub's booking was made before the scan, as it mostly is",
			[]op.Entry{scanned(a, 12), booked(1)}, spclep.StateBooked,
			func(v spclep.Visit) bool { return v.Booked.Name == "Șerban Dănuț" && len(v.Doubles) == 0 }},
		{"a fact from a newer program counts though its value cannot be read",
			[]op.Entry{booked(1), a.fact(10, spclep.Filed, []int{1, 2})}, spclep.StateFiled,
			func(v spclep.Visit) bool { return v.Filed != nil }},
		{"a person has settled the two hand-overs: no alarm, and both stay on the record",
			handedTwice(a, b, false), spclep.StateHandedOver, func(v spclep.Visit) bool { return !v.TwoHandOvers && len(v.Doubles) == 0 && len(v.Settled) == 1 }},
		{"a third hand-over after the first two were settled alarms anew",
			handedTwice(a, b, true), spclep.StateHandedOver, func(v spclep.Visit) bool { return v.TwoHandOvers && len(v.Doubles) == 1 }},
		{"a no-show noted beside the person's visit was looked at: the person is still here",
			noShowSettled(a, b), spclep.StateArrived, func(v spclep.Visit) bool { return !v.NoShowBesideArrival }},
		{"a slip printed twice moves nothing and is no double",
			[]op.Entry{a.fact(10, spclep.Arrived, nil), a.fact(11, spclep.Printed, spclep.PrintedValue{What: spclep.PrintSlip}), b.fact(12, spclep.Printed, spclep.PrintedValue{What: spclep.PrintSlip})},
			spclep.StateArrived, func(v spclep.Visit) bool { return len(v.Doubles) == 0 }},
		{"a fact nobody here knows changes nothing", []op.Entry{booked(1), a.fact(10, "weighed", 5)}, spclep.StateBooked, nil},
	} {
		v := ofAnyOrder(t, c.story, c.facts).Visit
		if v.State != c.state || c.check != nil && !c.check(v) {
			t.Errorf("%s: state %q, want %q; %+v", c.story, v.State, c.state, v)
		}
	}
}

// handedTwice is a card given out twice and settled; more: and once more.
func handedTwice(a, b *pen, more bool) []op.Entry {
	holder := spclep.HandedOverValue{To: "holder"}
	out := []op.Entry{a.fact(10, spclep.HandedOver, holder), b.fact(12, spclep.HandedOver, holder)}
	out = append(out, a.fact(20, spclep.Settled, spclep.SettledValue{Actions: []string{out[1].ActionID().String()}}))
	if more {
		out = append(out, b.fact(30, spclep.HandedOver, holder))
	}
	return out
}

func noShowSettled(a, b *pen) []op.Entry {
	away := a.fact(10, spclep.SentAway, spclep.SentAwayValue{Ground: spclep.GroundNoShow})
	return []op.Entry{away, b.fact(12, spclep.Arrived, nil), a.fact(20, spclep.Settled, spclep.SettledValue{Actions: []string{away.ActionID().String()}})}
}

// An undo can be undone, and that again; the last word counts.
func TestUndoOfUndo(t *testing.T) {
	a, b := &pen{device: desk1}, &pen{device: desk2}
	facts := []op.Entry{booked(1), a.fact(10, spclep.Arrived, nil)}
	arrived := facts[1]
	want := []spclep.State{spclep.StateBooked, spclep.StateArrived, spclep.StateBooked}
	target := arrived
	for i, p := range []*pen{a, b, a} {
		u := undo(p, int64(20+i), target)
		facts, target = append(facts, u), u
		if v := ofAnyOrder(t, "undo", facts).Visit; v.State != want[i] {
			t.Errorf("after %d undos the state is %q, want %q", i+1, v.State, want[i])
		}
	}
	// A second check-in after the undone one is no double.
	facts = append(facts, b.fact(40, spclep.Arrived, nil))
	if v := ofAnyOrder(t, "again", facts).Visit; v.State != spclep.StateArrived || len(v.Doubles) != 0 || v.First[spclep.Arrived].AtMs != 40*60_000 {
		t.Errorf("checked in anew: %+v", v)
	}
	// An undo of something that is not here harms nothing.
	lost := a.fact(50, spclep.Undone, spclep.UndoneValue{Action: "0100000000000000:99"})
	if v := ofAnyOrder(t, "lost", append(facts, lost, a.fact(51, spclep.Undone, nil))).Visit; v.State != spclep.StateArrived {
		t.Errorf("an undo without a target changed the state to %q", v.State)
	}
}

// ofAnyOrder reads the booking, and again in other orders: the desks never get
// entries in the same one.
func ofAnyOrder(t *testing.T, story string, entries []op.Entry) Booking {
	t.Helper()
	want := Of(id, entries)
	r := rand.New(rand.NewPCG(1, 3))
	for range 10 {
		mixed := append([]op.Entry(nil), entries...)
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if got := Of(id, mixed); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: another order gives another booking:\n%+v\n%+v", story, got, want)
		}
	}
	return want
}

// Two desks corrected the e-mail apart: the later counts, the other is listed
// until somebody settles it; an equal value is no conflict.
func TestConflicts(t *testing.T) {
	a, b := &pen{device: desk1}, &pen{device: desk2}
	first := booked(1)
	x := a.write(10, spclep.FieldEmail, "a@example.ro", false)
	y := b.write(12, spclep.FieldEmail, "b@example.ro", false)
	z := b.write(13, spclep.FieldNote, "cu mama", false)
	k := ofAnyOrder(t, "apart", []op.Entry{first, x, y, z})
	cs := k.Conflicts()
	if k.Email != "b@example.ro" || k.Note != "cu mama" || len(cs) != 1 || cs[0].Loser.ID != x.ID || !k.NeedsPerson() {
		t.Fatalf("email %q, conflicts %+v", k.Email, cs)
	}
	if heads := k.Heads(spclep.FieldEmail); len(heads) == 0 || heads[0] != y.ID {
		t.Errorf("a new e-mail would be written on top of %v", heads)
	}
	settled := a.write(20, spclep.FieldEmail, "a@example.ro", false, y.ID, x.ID)
	if k = ofAnyOrder(t, "settled", []op.Entry{first, x, y, settled}); k.Email != "a@example.ro" || k.NeedsPerson() {
		t.Errorf("settled: email %q, needs a person %v", k.Email, k.NeedsPerson())
	}
	same := b.write(12, spclep.FieldEmail, "a@example.ro", false)
	if k = ofAnyOrder(t, "same", []op.Entry{first, x, same}); k.NeedsPerson() {
		t.Error("two desks wrote the same value, and it was called a conflict")
	}
}

// A row is found by what a clerk may type, in either spelling.
func TestWords(t *testing.T) {
	for s, want := range map[string]string{
		"Șerban": "Șerban", "Pârvu": "Pârvu Pîrvu", "Łukasz": "Lukasz", "Groß": "Gross", "": "",
	} {
		if got := Words(s); got != want {
			t.Errorf("Words(%q) = %q, want %q", s, got, want)
		}
	}
}
