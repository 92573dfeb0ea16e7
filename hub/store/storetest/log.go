package storetest

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// A Log is what the replica's op log and the hub's store have in common: edits
// go in, in any order and more than once, and a booking comes out.
type Log interface {
	// Add takes entries with their effective times. One that is here already
	// changes nothing.
	Add(ctx context.Context, entries []op.Entry) error
	Booking(ctx context.Context, id spclep.BookingID) (record.Booking, error)
	// Since gives the entries after a position, in order.
	Since(ctx context.Context, pos int64, limit int) ([]op.Entry, error)
}

// RunLog holds a log to the contract. open gives a fresh, empty one each time.
func RunLog(t *testing.T, open func(*testing.T) Log) {
	t.Run("what comes twice counts once", func(t *testing.T) { repeatFree(t, open(t)) })
	t.Run("the order of arrival does not matter", func(t *testing.T) {
		for seed := range uint64(12) {
			orderFree(t, open(t), seed)
		}
	})
	t.Run("parallel edits settle alike", func(t *testing.T) { bothWays(t, open, 1000, 2000) })
	t.Run("equal stamps are settled by device", func(t *testing.T) { bothWays(t, open, 1000, 1000) })
	t.Run("what is not known is carried", func(t *testing.T) { carried(t, open(t)) })
}

const visitor = spclep.BookingID("BKNG2345")

// A tale is a history of one booking by two desks and the hub.
type tale struct {
	entries []op.Entry
	seq     map[hlc.Device]uint64
}

func (h *tale) add(w *writer, ms int64, field string, fact bool, value string, base ...op.ID) op.ID {
	if h.seq == nil {
		h.seq = map[hlc.Device]uint64{}
	}
	h.seq[w.id()]++
	seq := h.seq[w.id()]
	o := op.Op{ID: op.ID{Device: w.id(), Seq: seq}, Action: seq, Cell: record.Cell(visitor, field), Fact: fact, Value: json.RawMessage(value), Base: base, Time: hlc.At(ms), By: "clerk"}
	h.entries = append(h.entries, sealed(o).Entry)
	return o.ID
}

// story: booked on the hub, checked in at two desks apart, one check-in taken
// back, the e-mail changed by both and by the hub, an application, a hand-over
// by each of two desks.
func story() []op.Entry {
	hub, one, two := named("hub"), named("desk one"), named("desk two")
	var h tale
	h.add(hub, 1000, spclep.Booked, true, `{"n":"Ion Mostră","e":"ion@example.ro","r":"R05","d":"2026-11-24","t":"09:00"}`)
	mail := h.add(hub, 1001, spclep.FieldEmail, false, `"popescu@example.ro"`)
	arrived := h.add(one, 2000, spclep.Arrived, true, ``)
	h.add(two, 2500, spclep.Arrived, true, ``)
	h.add(one, 2600, spclep.FieldEmail, false, `"unu@example.ro"`, mail)
	h.add(two, 2590, spclep.FieldEmail, false, `"doi@example.ro"`, mail)
	h.add(one, 2700, spclep.Undone, true, `{"x":"`+arrived.String()+`"}`)
	note := h.add(two, 2800, spclep.FieldNote, false, `"a"`)
	h.add(two, 2700, spclep.FieldNote, false, `"b"`, note) // knows, though its stamp is earlier
	h.add(two, 2900, spclep.Filed, true, `{"nr":"2-00001","p":"CIS","d":"2026-11-24","due":"2027-01-05","b":1}`)
	h.add(one, 3000, spclep.Ready, true, ``)
	h.add(one, 3100, spclep.HandedOver, true, `{"to":"holder"}`)
	h.add(two, 3999, spclep.HandedOver, true, `{"to":"holder"}`)
	h.entries[len(h.entries)-1].Eff = hlc.At(3050) // from a clock that ran ahead: the hub's time counts
	return h.entries
}

// told is all a booking says, in one text.
func told(b record.Booking) string {
	var s strings.Builder
	v := b.Visit
	fmt.Fprintf(&s, "%s %q %q note %q state %s due %s two hand-overs %v person %v\n", b.ID, b.Name, b.Email, b.Note, v.State, v.Due, v.TwoHandOvers, b.NeedsPerson())
	for _, f := range b.Facts {
		fmt.Fprintf(&s, "%s %s by %s\n", f.Eff, f.Cell.Field, f.ID)
	}
	for _, d := range v.Doubles {
		fmt.Fprintf(&s, "double %s %s\n", d.Name, d.Device)
	}
	names := []string{}
	for name := range b.Fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f := b.Fields[name]
		fmt.Fprintf(&s, "%s is %s by %s", name, f.Winner.Value, f.Winner.ID)
		for _, l := range f.Beaten {
			fmt.Fprintf(&s, ", beat %s by %s", l.Value, l.ID)
		}
		s.WriteString("\n")
	}
	return s.String()
}

func add(t *testing.T, l Log, entries ...op.Entry) {
	t.Helper()
	if err := l.Add(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
}

func wants(t *testing.T, l Log, want string) {
	t.Helper()
	if got := told(must[record.Booking](t)(l.Booking(t.Context(), visitor))); got != want {
		t.Errorf("the booking says\n%s\nwant\n%s", got, want)
	}
}

func repeatFree(t *testing.T, l Log) {
	entries := story()
	want := told(record.Of(visitor, entries))
	add(t, l, entries...)
	add(t, l, entries...)
	for _, e := range entries {
		add(t, l, e)
	}
	wants(t, l, want)
	got := must[[]op.Entry](t)(l.Since(t.Context(), 0, 100))
	if len(got) != len(entries) {
		t.Errorf("the log holds %d entries, want %d", len(got), len(entries))
	}
	for i, e := range got {
		if e.Pos != int64(i)+1 {
			t.Errorf("entry %d is at position %d", i+1, e.Pos)
		}
	}
	if rest := must[[]op.Entry](t)(l.Since(t.Context(), 5, 3)); len(rest) != 3 || rest[0].Pos != 6 {
		t.Errorf("after position 5, at most 3: %d entries", len(rest))
	}
}

func orderFree(t *testing.T, l Log, seed uint64) {
	entries := story()
	want := told(record.Of(visitor, entries))
	r := rand.New(rand.NewPCG(seed, 1))
	r.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	for len(entries) > 0 {
		n := 1 + r.IntN(len(entries))
		add(t, l, entries[:n]...)
		entries = entries[n:]
	}
	if got := told(must[record.Booking](t)(l.Booking(t.Context(), visitor))); got != want {
		t.Errorf("seed %d: the booking says\n%s\nwant\n%s", seed, got, want)
	}
}

// bothWays adds two edits that did not know each other in either order. With
// equal stamps the greater device wins.
func bothWays(t *testing.T, open func(*testing.T) Log, msA, msB int64) {
	one, two := named("desk one"), named("desk two")
	var h tale
	h.add(one, msA, spclep.FieldEmail, false, `"unu@example.ro"`)
	h.add(two, msB, spclep.FieldEmail, false, `"doi@example.ro"`)
	a, b := h.entries[0], h.entries[1]
	winner, loser := a, b
	if b.Stamp().Compare(a.Stamp()) > 0 {
		winner, loser = b, a
	}
	for _, order := range [][]op.Entry{{a, b}, {b, a}} {
		l := open(t)
		for _, e := range order {
			add(t, l, e)
		}
		got := must[record.Booking](t)(l.Booking(t.Context(), visitor))
		f := got.Fields[spclep.FieldEmail]
		if f.Winner.ID != winner.ID || len(f.Beaten) != 1 || f.Beaten[0].ID != loser.ID || len(got.Conflicts()) != 1 {
			t.Errorf("%s counts and %d were beaten, want %s over %s", f.Winner.ID, len(f.Beaten), winner.ID, loser.ID)
		}
	}
}

// carried: kinds, fields and parts of an op that this program does not know
// come out byte for byte, and disturb no booking.
func carried(t *testing.T, l Log) {
	w := named("newer desk")
	raws := []string{
		`{"q":1,"c":"gadget/77/colour","v":{"deep":[1,2.50,"ș"]},"t":"1000.0","w":[1000,"b1",5],"zz":{"new":true}}`,
		`{"q":2,"c":"booking/BKNG2345/hologram","v":"x","t":"1001.0","w":[1001,"b1",6],"zz":1e3}`,
		`{"q":3,"c":"booking/BKNG2345/teleported","f":1,"t":"1002.0","w":[1002,"b1",7]}`,
	}
	var entries []op.Entry
	for _, raw := range raws {
		o, err := wire.DecodeOp(w.id(), []byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, op.Entry{Op: o, Eff: o.Time})
	}
	add(t, l, entries...)
	for i, e := range must[[]op.Entry](t)(l.Since(t.Context(), 0, 10)) {
		if string(e.Signed) != raws[i] {
			t.Errorf("carried as %s, want %s", e.Signed, raws[i])
		}
	}
	b := must[record.Booking](t)(l.Booking(t.Context(), visitor))
	if b.Visit.State != spclep.StateNone || string(b.Fields["hologram"].Winner.Value) != `"x"` {
		t.Errorf("the booking shows state %q and %v", b.Visit.State, b.Fields)
	}
}
