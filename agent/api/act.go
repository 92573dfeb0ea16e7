package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"condica/agent/desk"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/code"
	"condica/spclep/record"
	"condica/sync/op"
)

// Common is what every action request may carry.
type Common struct {
	// Key names the request: sent again with the same key on the same booking,
	// the same action answers as it did, and writes nothing.
	Key string `json:"key"`
	By  string `json:"by"` // the clerk; empty: "script"
}

func (c Common) common() Common { return c }

// by is who the action is written down to.
func (c Common) by() string {
	if c.By == "" {
		return "script"
	}
	return c.By
}

// keyFor keeps one key from meaning two things.
func (c Common) keyFor(verb, booking string) string {
	if c.Key == "" {
		return ""
	}
	return fmt.Sprintf("api %s %s %s", verb, booking, c.Key)
}

func (c Common) check() error {
	switch {
	case len(c.Key) > maxKey:
		return bad(fmt.Errorf("key is longer than %d bytes", maxKey))
	case utf8.RuneCountInString(c.By) > maxBy:
		return bad(fmt.Errorf("by is longer than %d letters", maxBy))
	}
	return nil
}

// Done is the answer to an action. What it says has been written to the disk.
type Done struct {
	Action string `json:"action"` // names what was written; empty where all was as asked already
	AtMs   int64  `json:"at_ms"`  // when, in the hub's time
	At     string `json:"at"`
	Again  bool   `json:"again"` // nothing new was written
	// Missing are the papers that had not been seen when an application was
	// taken.
	Missing []spclep.Paper `json:"missing,omitempty"`
	Visit   *Visit         `json:"visit"` // as it now stands; null if it could not be read again
}

// do takes an action on one booking.
func (d *door) do(ctx context.Context, c Common, verb string, id spclep.BookingID, a desk.Action) (*Done, error) {
	receipt, err := d.o.Do(ctx, c.keyFor(verb, string(id)), c.by(), id, sensible(a))
	if errors.Is(err, desk.ErrNoChange) {
		receipt, err = localdb.Receipt{Again: true}, nil
	}
	if err != nil {
		return nil, err
	}
	return d.done(ctx, id, receipt), nil
}

// sensible marks an error that is no refusal as the request's fault.
func sensible(a desk.Action) desk.Action {
	return func(b record.Booking, m desk.Moment) ([]op.Draft, error) {
		drafts, err := a(b, m)
		var p *Problem
		if _, refused := spclep.Refused(err); err == nil || refused || errors.Is(err, desk.ErrNoChange) || errors.As(err, &p) {
			return drafts, err
		}
		return nil, bad(err)
	}
}

// held refuses a booking that nobody ever wrote of.
func held(a desk.Action) desk.Action {
	return func(b record.Booking, m desk.Moment) ([]op.Draft, error) {
		if unknown(b) {
			return nil, unknownBooking(string(b.ID))
		}
		return a(b, m)
	}
}

// done answers for an action that is on the disk: that the visit cannot be
// read again must not make it look undone.
func (d *door) done(ctx context.Context, id spclep.BookingID, r localdb.Receipt) *Done {
	out := &Done{AtMs: r.AtMs, At: d.at(r.AtMs), Again: r.Again}
	if r.Action != (op.ID{}) {
		out.Action = r.Action.String()
	}
	v, err := d.o.Visit(ctx, id)
	if err != nil {
		d.opt.Log.Error("a visit could not be read after an action", "booking", string(id), "error", err)
		return out
	}
	whole := d.visit(v)
	out.Visit = &whole
	return out
}

// read reads the body of an action request.
func read[Q interface{ common() Common }](r *http.Request) (q Q, err error) {
	if err := decode(r, &q); err != nil {
		return q, err
	}
	return q, q.common().check()
}

// named is the booking of the path.
func named(r *http.Request) (spclep.BookingID, error) {
	id, err := code.ParseID(r.PathValue("id"))
	if err != nil {
		return "", unknownBooking(r.PathValue("id"))
	}
	return id, nil
}
