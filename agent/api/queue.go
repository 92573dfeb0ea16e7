package api

import (
	"fmt"
	"net/http"
	"strconv"

	"condica/localdb"
	"condica/sync/wire"
)

// States of an own edit on its way to the hub.
const (
	OpUnsent   = "unsent"   // the hub has not answered it
	OpAccepted = "accepted" // the hub has it
	OpRefused  = "refused"  // the hub will not take it; it is kept here
	OpClash    = "clash"    // the hub holds another edit under its number
)

// Limits of GET queue.
const (
	queueRows    = 200
	maxQueueRows = 5000
)

// Queue is what goes from here to the hub, the newest first: what it has not
// taken, then what it took last.
type Queue struct {
	Sent     bool       `json:"sent"`
	Unsent   int        `json:"unsent"`
	Refused  int        `json:"refused"`
	OldestMs int64      `json:"oldest_ms"`
	Oldest   string     `json:"oldest"`
	Ops      []Outgoing `json:"ops"`
}

// An Outgoing is one own edit.
type Outgoing struct {
	Entry
	Kind    string `json:"kind"`   // of what is edited: booking
	Entity  string `json:"entity"` // its id
	Fact    bool   `json:"fact"`
	State   string `json:"state"`
	Sealed  bool   `json:"sealed"` // its time is final: it was sent at least once
	Refusal string `json:"refusal,omitempty"`
}

func queue(d *door, r *http.Request) (any, error) {
	limit := queueRows
	if text := r.URL.Query().Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxQueueRows {
			return nil, bad(fmt.Errorf("limit %q: want a number from 1 to %d", text, maxQueueRows))
		}
		limit = n
	}
	st, err := d.o.Status(r.Context())
	if err != nil {
		return nil, err
	}
	ops, err := d.o.DB().Queue(r.Context(), limit)
	if err != nil {
		return nil, err
	}
	out := Queue{Sent: st.Sent(), Unsent: st.Unsent, Refused: st.Refused, OldestMs: st.OldestMs, Oldest: d.at(st.OldestMs), Ops: []Outgoing{}}
	for _, o := range ops {
		out.Ops = append(out.Ops, d.outgoing(o))
	}
	return out, nil
}

func (d *door) outgoing(o localdb.Outgoing) Outgoing {
	out := Outgoing{Entry: d.entry(o.Entry), Kind: o.Cell.Kind, Entity: o.Cell.Entity, Fact: o.Fact, Sealed: o.Sealed, Refusal: o.Say}
	switch {
	case o.Verdict == wire.Clash:
		out.State = OpClash
	case o.Verdict != "":
		out.State = OpRefused
	case o.Pos > 0:
		out.State = OpAccepted
	default:
		out.State = OpUnsent
	}
	return out
}

// Conflicts lists the bookings on which something waits for a person.
type Conflicts struct {
	Bookings []Waiting `json:"bookings"`
}

// Waiting is one of them, with all that waits.
type Waiting struct {
	Row
	Conflicts []Conflict `json:"conflicts"`
	Doubles   []Entry    `json:"doubles"`
	Alarms    []Alarm    `json:"alarms"`
}

func conflicts(d *door, r *http.Request) (any, error) {
	rows, err := d.o.DB().NeedPerson(r.Context())
	if err != nil {
		return nil, err
	}
	out := Conflicts{Bookings: []Waiting{}}
	for _, row := range rows {
		b, err := d.o.DB().Booking(r.Context(), row.ID)
		if err != nil {
			return nil, err
		}
		out.Bookings = append(out.Bookings, Waiting{d.row(row), d.conflicts(b), d.doubles(b), alarms(b)})
	}
	return out, nil
}
