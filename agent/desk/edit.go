package desk

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/op"
)

// Fields lists the plain fields a clerk may set.
var fields = []string{spclep.FieldName, spclep.FieldEmail, spclep.FieldNote, spclep.FieldReceipt, spclep.FieldLand, spclep.FieldReason}

// Set writes fields, answers ("answer.civil") and ticks ("paper.R01.1"), each
// checked before any is written. Values already shown are left alone; if none
// is left, nothing is written and the error is ErrNoChange.
func (d Desk) Set(values map[string]string) Action {
	return func(b record.Booking, m Moment) ([]op.Draft, error) {
		if err := known(b); err != nil {
			return nil, err
		}
		var out []op.Draft
		for _, field := range slices.Sorted(maps.Keys(values)) {
			draft, err := d.set(b, field, values[field])
			if err != nil {
				return nil, err
			}
			if !same(b, draft) {
				out = append(out, draft)
			}
		}
		if len(out) == 0 {
			return nil, ErrNoChange
		}
		return out, nil
	}
}

// ErrNoChange: everything already was as asked.
var ErrNoChange = fmt.Errorf("nothing to change: the booking shows these values already")

func (d Desk) set(b record.Booking, field, text string) (op.Draft, error) {
	switch {
	case strings.HasPrefix(field, spclep.PrefixAnswer):
		if _, said := b.Fields[field]; said && text == "" { // taken back: not said
			return register(b, field, text)
		}
		key := strings.TrimPrefix(field, spclep.PrefixAnswer)
		ask := d.Ask(b)
		ask.Answers = with(ask.Answers, key, text)
		if err := d.Ref.CheckAnswers(ask); err != nil {
			return op.Draft{}, err
		}
		return register(b, field, text)
	case strings.HasPrefix(field, spclep.PrefixPaper):
		t, err := ParseTick(text)
		if err != nil {
			return op.Draft{}, err
		}
		return register(b, field, t)
	case field == spclep.FieldLand:
		day, err := d.landExtract(text)
		if err != nil {
			return op.Draft{}, err
		}
		return register(b, field, day)
	case field == spclep.FieldReason:
		return d.setReason(b, spclep.Reason(text))
	case field == spclep.FieldName && squeeze(text) == "":
		return op.Draft{}, refuse(nameEmptied)
	case slices.Contains(fields, field):
		return register(b, field, squeeze(text))
	}
	return op.Draft{}, fmt.Errorf("field %q: want one of %s, or answer.KEY or paper.ITEM", field, strings.Join(fields, ", "))
}

func (d Desk) landExtract(text string) (spclep.Day, error) {
	if text == "" {
		return 0, nil
	}
	return spclep.ParseDay(text)
}

func (d Desk) setReason(b record.Booking, r spclep.Reason) (op.Draft, error) {
	ask := d.Ask(b)
	for _, info := range d.Ref.Reasons(d.Office, ask.Day) {
		if info.Code == r {
			return register(b, spclep.FieldReason, r)
		}
	}
	return op.Draft{}, fmt.Errorf("reason %q: this office does not offer it", r)
}

// ParseTick reads what was seen of a paper: any of the words original, copy
// and not-applicable, joined by +; none for nothing.
func ParseTick(s string) (record.Tick, error) {
	var t record.Tick
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == '+' || r == ',' || r == ' ' }) {
		switch w {
		case "original":
			t.Original = true
		case "copy":
			t.Copy = true
		case "not-applicable":
			t.NotApplicable = true
		case "none":
		default:
			return t, fmt.Errorf("tick %q: want original, copy, original+copy, not-applicable or none", s)
		}
	}
	return t, nil
}

// Restore writes a value that lost against a parallel edit again, on top of
// both: the conflict is settled with it.
func (d Desk) Restore(loser op.ID) Action {
	return settle(loser, func(c record.Conflict) json.RawMessage { return c.Loser.Value })
}

// Keep settles a conflict in favour of the value that counts already.
func (d Desk) Keep(loser op.ID) Action {
	return settle(loser, func(c record.Conflict) json.RawMessage { return c.Winner.Value })
}

func settle(loser op.ID, pick func(record.Conflict) json.RawMessage) Action {
	return func(b record.Booking, m Moment) ([]op.Draft, error) {
		for _, c := range b.Conflicts() {
			if c.Loser.ID == loser {
				return []op.Draft{{Cell: c.Loser.Cell, Value: pick(c), Base: []op.ID{c.Winner.ID, c.Loser.ID}}}, nil
			}
		}
		return nil, refuse(conflictOver)
	}
}

// order is how far along a visit a fact stands; an action can be undone only
// while nothing later rests on it.
var order = map[string]int{
	spclep.Booked: 1, spclep.Arrived: 2, spclep.SentAway: 3, spclep.Filed: 3, spclep.Extended: 4, spclep.Ready: 4, spclep.HandedOver: 5,
}

// Undo takes an action back as a traced action of its own. Facts are marked as
// undone; registers get back the value they had.
func (d Desk) Undo(action op.ID, why string) Action {
	return func(b record.Booking, m Moment) ([]op.Draft, error) {
		facts, registers := d.written(b, action)
		if len(facts) == 0 && len(registers) == 0 {
			return nil, refuse(undoneAlready)
		}
		if err := d.inTime(append(facts, registers...), m); err != nil {
			return nil, err
		}
		if err := undoable(b, action, facts); err != nil {
			return nil, err
		}
		return all(func(add adder) {
			if len(facts) > 0 {
				u, err := fact(b, spclep.Undone, spclep.UndoneValue{Action: action.String()})
				u.Why = squeeze(why)
				add(u, err)
			}
			for _, e := range registers {
				add(op.Draft{Cell: e.Cell, Value: previous(b, e), Base: b.Heads(e.Cell.Field), Why: squeeze(why)}, nil)
			}
		})
	}
}

// inTime refuses to take back what was done too long ago, but by the head of
// service.
func (d Desk) inTime(entries []op.Entry, m Moment) error {
	if d.UndoFor == 0 || d.Role == RoleHead {
		return nil
	}
	for _, e := range entries {
		if m.Ms-e.Eff.Ms() > d.UndoFor.Milliseconds() {
			return refuse(undoTooLate, "hours", strconv.Itoa(int(d.UndoFor.Hours())))
		}
	}
	return nil
}

// written finds what the action wrote and still counts.
func (d Desk) written(b record.Booking, action op.ID) (facts, registers []op.Entry) {
	for _, f := range b.Facts {
		if f.ActionID() == action && !b.Visit.Undone[action.String()] {
			facts = append(facts, f)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.Fields)) {
		if w := b.Fields[name].Winner; w.ActionID() == action {
			registers = append(registers, w)
		}
	}
	return facts, registers
}

func undoable(b record.Booking, action op.ID, facts []op.Entry) error {
	last := 0
	for _, f := range facts {
		last = max(last, order[f.Cell.Field])
	}
	for name, f := range b.Visit.First {
		if order[name] > last && last > 0 && f.Action != action.String() {
			return refuse(laterStep)
		}
	}
	return nil
}

// previous is the value of the edit that e replaced, or null.
func previous(b record.Booking, e op.Entry) json.RawMessage {
	for _, h := range b.History {
		if slices.Contains(e.Base, h.ID) {
			return h.Value
		}
	}
	return json.RawMessage("null")
}
