package api

import (
	"encoding/json"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
)

// An Entry is one edit of the log: a fact, or a value of a field.
type Entry struct {
	Op     string          `json:"op"`     // device:number, for ever its name
	Action string          `json:"action"` // the first op of the same act of a clerk
	Name   string          `json:"name"`   // of the fact or field
	Value  json.RawMessage `json:"value"`  // as in the log (docs/protocol.md)
	By     string          `json:"by"`
	Why    string          `json:"why"`
	Device string          `json:"device"`
	ThisPC bool            `json:"this_pc"`

	AtMs      int64  `json:"at_ms"` // when it happened, in the hub's time
	At        string `json:"at"`
	Stamp     string `json:"stamp"`      // the same with its count: ms.count
	WrittenMs int64  `json:"written_ms"` // as its author stamped it
	Written   string `json:"written"`
	Clock     Clock  `json:"clock"` // of the author at that moment

	Base     []string `json:"base,omitempty"` // the values it replaced knowingly
	Sent     bool     `json:"sent"`           // the hub has it
	Position int64    `json:"position,omitempty"`
}

// A Past entry also says what became of it.
type Past struct {
	Entry
	Counts bool `json:"counts"` // it makes the state, or the value shown
	Undone bool `json:"undone"`
}

// A Clock is what the author's clocks showed, right or wrong.
type Clock struct {
	WallMs int64  `json:"wall_ms"`
	Wall   string `json:"wall"`
	Boot   string `json:"boot"`  // names one run of the PC
	UpMs   int64  `json:"up_ms"` // since power-on
}

func (d *door) entry(e op.Entry) Entry {
	out := Entry{
		Op: e.ID.String(), Action: e.ActionID().String(), Name: e.Cell.Field, Value: e.Value, By: e.By, Why: e.Why,
		Device: e.ID.Device.String(), ThisPC: d.o.Mine(e.ID.Device),
		AtMs: e.Eff.Ms(), At: d.at(e.Eff.Ms()), Stamp: e.Eff.String(), WrittenMs: e.Time.Ms(), Written: d.at(e.Time.Ms()),
		Clock: d.clock(e.Clock), Position: e.Pos,
	}
	// What other PCs wrote came by way of the hub.
	out.Sent = e.Pos > 0 || !out.ThisPC
	for _, b := range e.Base {
		out.Base = append(out.Base, b.String())
	}
	return out
}

func (d *door) clock(c hlc.Reading) Clock { return Clock{c.Wall, d.at(c.Wall), c.Boot, c.Up} }

// facts lists what happened. The fact that counts is the first of its name
// that was not taken back.
func (d *door) facts(b record.Booking) []Past {
	out := []Past{}
	for _, f := range b.Facts {
		e := Past{Entry: d.entry(f)}
		e.Undone = b.Visit.Undone[e.Action]
		e.Counts = !e.Undone && (e.Name == spclep.Undone || b.Visit.First[e.Name].Action == e.Action)
		out = append(out, e)
	}
	return out
}

// history lists every value a field ever had.
func (d *door) history(b record.Booking) []Past {
	out := []Past{}
	for _, h := range b.History {
		e := d.entry(h)
		out = append(out, Past{Entry: e, Counts: b.Fields[e.Name].Winner.ID == h.ID})
	}
	return out
}

// A Conflict is a value that lost against one written at the same time.
// Restore or keep its loser's op to settle it.
type Conflict struct {
	Field  string `json:"field"`
	Winner Entry  `json:"winner"`
	Loser  Entry  `json:"loser"`
}

func (d *door) conflicts(b record.Booking) []Conflict {
	out := []Conflict{}
	for _, c := range b.Conflicts() {
		out = append(out, Conflict{c.Field, d.entry(c.Winner), d.entry(c.Loser)})
	}
	return out
}

// doubles are facts that happened again after the one that counts.
func (d *door) doubles(b record.Booking) []Entry {
	out := []Entry{}
	for _, e := range d.facts(b) {
		for _, twice := range b.Visit.Doubles {
			if twice.Name == e.Name && twice.Action == e.Action {
				out = append(out, e.Entry)
			}
		}
	}
	return out
}

// An Alarm is something on a booking that a person must look at.
type Alarm struct {
	Code string `json:"code"`
	Say  string `json:"say"`
	Text string `json:"text"` // Romanian
}

func alarms(b record.Booking) []Alarm {
	out := []Alarm{}
	for _, a := range []struct {
		on bool
		Alarm
	}{
		{b.Visit.TwoHandOvers, Alarm{"two-hand-overs", "the card was handed over twice", "Actul a fost înmânat de două ori."}},
		{b.Visit.CancelledAfterArrival, Alarm{"cancelled-after-arrival", "a cancellation came in for a person who had already come", "Programarea a fost anulată, dar persoana se prezentase deja."}},
		{b.Visit.NoShowBesideArrival, Alarm{"no-show-beside-arrival", "one desk noted a no-show, another saw the person", "Un ghișeu a notat neprezentarea, altul a văzut persoana."}},
	} {
		if a.on {
			out = append(out, a.Alarm)
		}
	}
	return out
}
