// Package desk is what a clerk may do: check in, tick papers, send away, take
// an application, hand a card over, undo. A booking goes in; edits to be
// written come out, or the rule that forbids it. It writes and sends nothing,
// reads no clock, and leaves to op which of two edits wins.
package desk

import (
	"encoding/json"
	"slices"
	"time"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/op"
)

// A Desk is one office's counter under one reference bundle.
type Desk struct {
	Ref     *spclep.Reference
	Office  spclep.OfficeID
	Zone    *time.Location // of the office's wall clock
	Role    Role           // of who acts
	UndoFor time.Duration  // how long an action can be taken back by whoever is no head of service; 0: for ever
}

// A Role is what somebody at the desk may decide.
type Role string

// Roles. Where an office has no accounts nobody can be told from another, and
// everybody may do what the head of service may, within the limit of undoing.
const (
	RoleUntold Role = ""
	RoleClerk  Role = "clerk"
	RoleHead   Role = "head"
)

// headOnly refuses what only the head of service decides (A12).
func (d Desk) headOnly() error {
	if d.Role == RoleClerk {
		return refuse(headDecides)
	}
	return nil
}

// A Moment is when and with what an action is taken.
type Moment struct {
	Ms     int64  // the hub's time as well as it is known
	Number string // the next free registration number of this PC
}

// An Action decides on one booking: the edits to write, or a
// *spclep.Refusal, or an error for a request that makes no sense.
type Action func(b record.Booking, m Moment) ([]op.Draft, error)

// Today is the office's day at m.
func (d Desk) Today(m Moment) spclep.Day { return spclep.DayOf(d.local(m)) }

// Clock is the office's time of day at m.
func (d Desk) Clock(m Moment) spclep.Minute { return spclep.MinuteOf(d.local(m)) }

func (d Desk) local(m Moment) time.Time { return time.UnixMilli(m.Ms).In(d.Zone) }

// Ask is what decides the booking's checklist and fee: by the day of the
// appointment, or of the application once it was taken.
func (d Desk) Ask(b record.Booking) spclep.Ask {
	a := spclep.Ask{Office: d.Office, Reason: b.Reason, Answers: b.Answers}
	if b.Visit.Booked != nil {
		a.Day = b.Visit.Booked.Day
	}
	if f := b.Visit.Filed; f != nil {
		a.Product, a.Day = f.Product, f.Day
	}
	return a
}

func fact(b record.Booking, name string, value any) (op.Draft, error) {
	d := op.Draft{Cell: record.Cell(b.ID, name), Fact: true}
	if value == nil {
		return d, nil
	}
	v, err := json.Marshal(value)
	d.Value = v
	return d, err
}

// register writes a field on top of what the booking shows now.
func register(b record.Booking, field string, value any) (op.Draft, error) {
	v, err := json.Marshal(value)
	return op.Draft{Cell: record.Cell(b.ID, field), Value: v, Base: b.Heads(field)}, err
}

// same reports whether the field already shows the value.
func same(b record.Booking, d op.Draft) bool {
	f, ok := b.Fields[d.Cell.Field]
	return ok && slices.Equal(f.Winner.Value, d.Value)
}
