package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"condica/agent/desk"
	"condica/spclep"
)

// What a scan can have found.
const (
	FoundBooking = "booking" // one booking that is meant without doubt
	FoundSlip    = "slip"    // the same, read from a slip: the person comes for the card
	FoundNew     = "new"     // a signed booking the replica has not seen yet
	FoundList    = "list"    // what the letters of a name match
	FoundNone    = "none"
)

// A ScanRequest is what came from the scanner, or was typed. With Accept a
// signed code, seen before or not, is taken and the person checked in.
type ScanRequest struct {
	Common
	Text   string `json:"text"`
	Accept bool   `json:"accept"`
	Name   string `json:"name"` // of the person, for accept: the code holds none
}

// A Scan is what was found.
type Scan struct {
	Found    string           `json:"found"`
	ID       spclep.BookingID `json:"id"`             // of the one booking; empty for a list
	Code     *Code            `json:"code,omitempty"` // of a booking that is new here
	Bookings []Row            `json:"bookings"`       // what a search found, those of today first
	Done     *Done            `json:"done,omitempty"` // with accept
}

// A Code is what a booking's QR says.
type Code struct {
	Day    spclep.Day    `json:"day"`
	Time   spclep.Minute `json:"time"`
	Reason spclep.Reason `json:"reason"`
	Key    uint8         `json:"key"` // of the hub, that signed it
}

func scan(d *door, r *http.Request) (any, error) {
	q, err := read[ScanRequest](r)
	if err != nil {
		return nil, err
	}
	if q.Text = strings.TrimSpace(q.Text); q.Text == "" {
		return nil, bad(errors.New("text is missing: what the scanner read"))
	}
	if q.Accept {
		return d.accept(r.Context(), q)
	}
	f, err := d.o.Find(r.Context(), q.Text)
	if err != nil {
		return nil, err
	}
	out := Scan{ID: f.ID, Bookings: d.rows(f.Rows)}
	switch {
	case f.New != nil:
		out.Found, out.Code = FoundNew, &Code{f.New.Day, f.New.At, f.New.Reason, f.New.Key}
	case f.Slip:
		out.Found = FoundSlip
	case f.ID != "":
		out.Found = FoundBooking
	case len(f.Rows) > 0:
		out.Found = FoundList
	default:
		out.Found = FoundNone
	}
	return out, nil
}

// accept takes the code as the rules let it: a booking that has come in
// meanwhile is checked in.
func (d *door) accept(ctx context.Context, q ScanRequest) (any, error) {
	k, err := d.o.Desk(ctx)
	if err != nil {
		return nil, err
	}
	c, err := d.o.Verify(ctx, q.Text)
	if err != nil {
		return nil, err
	}
	done, err := d.do(ctx, q.Common, "accept", c.ID, k.Accept(c, q.Name))
	if err != nil {
		return nil, err
	}
	return Scan{Found: FoundBooking, ID: c.ID, Bookings: []Row{}, Done: done}, nil
}

// A WalkInRequest is a person without a booking.
type WalkInRequest struct {
	Common
	Name     string        `json:"name"`
	Reason   spclep.Reason `json:"reason"`
	Urgent   bool          `json:"urgent"`   // a justified urgency, outside walk-in hours
	Approved string        `json:"approved"` // by this head of service
	Why      string        `json:"why"`
}

func walkIn(d *door, r *http.Request) (any, error) {
	q, err := read[WalkInRequest](r)
	if err != nil {
		return nil, err
	}
	if q.Reason == "" {
		return nil, bad(errors.New("reason is missing: want R01 to R17"))
	}
	counter, err := d.o.Desk(r.Context())
	if err != nil {
		return nil, err
	}
	id, receipt, err := d.o.WalkIn(r.Context(), q.keyFor("walk-in", ""), q.by(), counter, desk.Walk{
		Name: q.Name, Reason: q.Reason, Urgent: q.Urgent, Approved: q.Approved, Why: q.Why,
	})
	if err != nil {
		return nil, err
	}
	return d.done(r.Context(), id, receipt), nil
}
