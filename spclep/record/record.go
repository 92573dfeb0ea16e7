// Package record reads one booking out of its ops: the facts that happened,
// the registers as settled, and what lost. PC and hub use the same reading. It
// decides no rule of the office and no winner of its own, and stores nothing.
package record

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"condica/spclep"
	"condica/sync/op"
)

// Kind is the entity kind of bookings in cells.
const Kind = "booking"

// Cell names a field or fact of a booking.
func Cell(id spclep.BookingID, field string) op.Cell {
	return op.Cell{Kind: Kind, Entity: string(id), Field: field}
}

// A Field is one register, settled: the edit that counts and the parallel ones
// it beat, best first.
type Field struct {
	Winner op.Entry
	Beaten []op.Entry
}

// A Tick says what of a paper was seen at the desk.
type Tick = spclep.PaperTick

// A Booking is everything its ops say.
type Booking struct {
	ID      spclep.BookingID
	Visit   spclep.Visit
	Facts   []op.Entry // by effective stamp
	Fields  map[string]Field
	History []op.Entry // all edits of registers, by effective stamp
	Name    string
	Email   string
	Reason  spclep.Reason
	Note    string
	Receipt string
	Land    spclep.Day // on the land-registry extract
	Answers map[string]string
	Ticks   map[string]Tick
}

// Of reads the booking id out of all its entries, in any order. Entries of
// other bookings must not be among them. It depends only on the set.
func Of(id spclep.BookingID, entries []op.Entry) Booking {
	b := Booking{ID: id, Fields: map[string]Field{}, Answers: map[string]string{}, Ticks: map[string]Tick{}}
	registers := map[string][]op.Entry{}
	entries = distinct(entries)
	for _, e := range entries {
		if e.Fact {
			b.Facts = append(b.Facts, e)
		} else {
			registers[e.Cell.Field] = append(registers[e.Cell.Field], e)
			b.History = append(b.History, e)
		}
	}
	slices.SortFunc(b.Facts, op.Compare)
	slices.SortFunc(b.History, op.Compare)
	b.Visit = spclep.Derive(facts(b.Facts))
	for field, edits := range registers {
		if winner, beaten, ok := op.Settle(edits); ok {
			b.Fields[field] = Field{winner, beaten}
		}
	}
	b.read()
	return b
}

// Heads names the edits a new edit of the field is written on top of.
func (b Booking) Heads(field string) []op.ID {
	f, ok := b.Fields[field]
	if !ok {
		return nil
	}
	return []op.ID{f.Winner.ID}
}

// A Conflict is one value that lost against a parallel edit, and stays in
// sight until a person keeps or restores it.
type Conflict struct {
	Field  string
	Winner op.Entry
	Loser  op.Entry
}

// Conflicts lists what lost on this booking, by field.
func (b Booking) Conflicts() []Conflict {
	var out []Conflict
	for name, f := range b.Fields {
		for _, l := range f.Beaten {
			if string(l.Value) != string(f.Winner.Value) {
				out = append(out, Conflict{name, f.Winner, l})
			}
		}
	}
	slices.SortFunc(out, func(x, y Conflict) int {
		if c := strings.Compare(x.Field, y.Field); c != 0 {
			return c
		}
		return -op.Compare(x.Loser, y.Loser)
	})
	return out
}

// NeedsPerson reports whether something on the booking waits for a person: a
// value that lost, a double, or a card handed out twice.
func (b Booking) NeedsPerson() bool {
	v := b.Visit
	return len(b.Conflicts()) > 0 || v.TwoHandOvers || v.CancelledAfterArrival || v.NoShowBesideArrival || len(v.Doubles) > 0
}

func (b *Booking) read() {
	if k := b.Visit.Booked; k != nil {
		b.Name, b.Email, b.Reason = k.Name, k.Email, k.Reason
	}
	for name, f := range b.Fields {
		v := f.Winner.Value
		switch {
		case name == spclep.FieldName:
			read(v, &b.Name)
		case name == spclep.FieldEmail:
			read(v, &b.Email)
		case name == spclep.FieldReason:
			read(v, &b.Reason)
		case name == spclep.FieldNote:
			read(v, &b.Note)
		case name == spclep.FieldReceipt:
			read(v, &b.Receipt)
		case name == spclep.FieldLand:
			read(v, &b.Land)
		case strings.HasPrefix(name, spclep.PrefixAnswer):
			var s string
			if read(v, &s) && s != "" {
				b.Answers[strings.TrimPrefix(name, spclep.PrefixAnswer)] = s
			}
		case strings.HasPrefix(name, spclep.PrefixPaper):
			var t Tick
			if read(v, &t) {
				b.Ticks[strings.TrimPrefix(name, spclep.PrefixPaper)] = t
			}
		}
	}
}

// read takes the value if it is what this program expects; a newer program's
// shape is left alone.
func read(v json.RawMessage, into any) bool { return json.Unmarshal(v, into) == nil }

// distinct leaves out twins. What takes back a twin that is left out takes back
// the edit; and of two that then take back the same, one is a twin too.
func distinct(entries []op.Entry) []op.Entry {
	entries, names := op.Distinct(entries)
	if names == nil {
		return entries
	}
	for i, e := range entries {
		switch {
		case e.Fact && e.Cell.Field == spclep.Undone:
			entries[i].Value = undoes(e.Value, names)
		case e.Fact && e.Cell.Field == spclep.Settled:
			entries[i].Value = settles(e.Value, names)
		}
	}
	entries, _ = op.Distinct(entries)
	return entries
}

// facts are the entries as spclep knows them.
func facts(entries []op.Entry) []spclep.Fact {
	out := make([]spclep.Fact, len(entries))
	for i, e := range entries {
		out[i] = spclep.Fact{
			Name: e.Cell.Field, Value: e.Value, Action: e.ActionID().String(), By: e.By,
			Device: e.ID.Device.String(), Why: e.Why, AtMs: e.Eff.Ms(),
		}
	}
	return out
}

func undoes(value json.RawMessage, names map[op.ID]op.ID) json.RawMessage {
	var v spclep.UndoneValue
	if !read(value, &v) {
		return value
	}
	id, err := op.ParseID(v.Action)
	if to, ok := names[id]; err == nil && ok {
		return fmt.Appendf(nil, `{"x":%q}`, to)
	}
	return value
}

func settles(value json.RawMessage, names map[op.ID]op.ID) json.RawMessage {
	var v spclep.SettledValue
	if !read(value, &v) {
		return value
	}
	for i, action := range v.Actions {
		id, err := op.ParseID(action)
		if to, ok := names[id]; err == nil && ok {
			v.Actions[i] = to.String()
		}
	}
	out, err := json.Marshal(v)
	if err != nil {
		return value
	}
	return out
}
