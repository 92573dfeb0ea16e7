package api

import (
	"net/http"

	"condica/agent/office"
	"condica/spclep"
	"condica/spclep/code"
	"condica/spclep/record"
)

// A Visit is one booking whole: what was written, what happened, and what the
// rules make of it.
type Visit struct {
	ID    spclep.BookingID `json:"id"`
	State spclep.State     `json:"state"` // empty: taken back, as if it had never been
	Slip  string           `json:"slip"`  // text of the slip's QR
	Today spclep.Day       `json:"today"`
	Now   spclep.Minute    `json:"now"`

	Name        string        `json:"name"`
	Email       string        `json:"email"`
	Reason      spclep.Reason `json:"reason"`
	ReasonTitle string        `json:"reason_title"`
	Note        string        `json:"note"`
	Receipt     string        `json:"receipt"`
	LandExtract spclep.Day    `json:"land_extract"`

	Booked     *Booked     `json:"booked,omitempty"`
	Cancelled  *Cancelled  `json:"cancelled,omitempty"`
	SentAway   *SentAway   `json:"sent_away,omitempty"`
	Filed      *Filed      `json:"filed,omitempty"`
	HandedOver *HandedOver `json:"handed_over,omitempty"`
	Due        spclep.Day  `json:"due"` // with the head of service's extension

	Fields  map[string]Entry  `json:"fields"` // the values that count, by field
	Answers map[string]string `json:"answers"`
	Ticks   map[string]Tick   `json:"ticks"`
	Facts   []Past            `json:"facts"`   // by time
	History []Past            `json:"history"` // every value of every field, by time
	Sent    bool              `json:"sent"`    // the hub has all of it

	Rules     Rules      `json:"rules"`
	Conflicts []Conflict `json:"conflicts"`
	Doubles   []Entry    `json:"doubles"`
	Alarms    []Alarm    `json:"alarms"`
}

// Rules is what the rules in force make of a visit. Error: they could not be
// applied; the rest is then empty.
type Rules struct {
	Error      string             `json:"error,omitempty"`
	Questions  []spclep.Question  `json:"questions,omitempty"`
	Checklist  *spclep.Checklist  `json:"checklist,omitempty"`
	Changed    bool               `json:"list_changed,omitempty"` // it is another than the person was shown when booking
	Missing    []spclep.Paper     `json:"missing,omitempty"`      // not seen yet, while the person is at the desk
	Fee        *spclep.Fee        `json:"fee,omitempty"`
	Due        *spclep.Due        `json:"due,omitempty"` // if the application were taken today
	Notes      []spclep.Note      `json:"notes,omitempty"`
	CheckIn    *spclep.Refusal    `json:"check_in,omitempty"`     // why the person cannot be checked in
	File       *spclep.Refusal    `json:"file,omitempty"`         // why the application cannot be taken
	Extract    string             `json:"land_extract,omitempty"` // what is wrong with it, in Romanian
	Collectors []spclep.Collector `json:"collectors,omitempty"`
}

// Booked is the slot as it was taken.
type Booked struct {
	Name     string        `json:"name"`
	Email    string        `json:"email"`
	Reason   spclep.Reason `json:"reason"`
	Day      spclep.Day    `json:"day"`
	Time     spclep.Minute `json:"time"`
	Origin   string        `json:"origin"`
	Approved string        `json:"approved"`
	Bundle   int           `json:"bundle"`
	List     string        `json:"list"` // version of the list the person was shown; empty: none
}

// Cancelled says who gave the slot back.
type Cancelled struct {
	Ground string `json:"ground"`
}

// SentAway is a visit that ended without an application.
type SentAway struct {
	Ground  string   `json:"ground"`
	Missing []string `json:"missing,omitempty"`
	Note    string   `json:"note"`
}

// Filed is the application.
type Filed struct {
	Number  string          `json:"number"`
	Product spclep.Product  `json:"product"`
	Pickup  spclep.OfficeID `json:"pickup"` // empty: here
	Day     spclep.Day      `json:"day"`
	Due     spclep.Day      `json:"due"`
	Bundle  int             `json:"bundle"`
	Birth   spclep.Day      `json:"birth"`
}

// HandedOver says who took the card.
type HandedOver struct {
	To     string `json:"to"`
	Name   string `json:"name"`
	Permit bool   `json:"permit"` // the residence permit was surrendered
}

// A Tick is what was seen of a paper.
type Tick struct {
	Original      bool `json:"original"`
	Copy          bool `json:"copy"`
	NotApplicable bool `json:"not_applicable"`
}

func visit(d *door, r *http.Request) (any, error) {
	id, err := named(r)
	if err != nil {
		return nil, err
	}
	v, err := d.o.Visit(r.Context(), id)
	if err != nil {
		return nil, err
	}
	if unknown(v.Booking) {
		return nil, unknownBooking(string(id))
	}
	return d.visit(v), nil
}

// unknown: nothing was ever written of the booking. One that was taken back
// is known: the undo may be taken back too.
func unknown(b record.Booking) bool { return len(b.Facts) == 0 && len(b.History) == 0 }

func (d *door) visit(v office.Visit) Visit {
	b := v.Booking
	out := Visit{
		ID: b.ID, State: b.Visit.State, Slip: code.Slip(b.ID), Today: v.Today, Now: v.Now,
		Name: b.Name, Email: b.Email, Reason: b.Reason, ReasonTitle: v.Reason.Title, Note: b.Note, Receipt: b.Receipt, LandExtract: b.Land,
		Due: b.Visit.Due, Fields: map[string]Entry{}, Answers: b.Answers, Ticks: map[string]Tick{},
		Facts: d.facts(b), History: d.history(b), Sent: true,
		Rules: rules(v), Conflicts: d.conflicts(b), Doubles: d.doubles(b), Alarms: alarms(b),
	}
	out.values(b.Visit)
	for name, f := range b.Fields {
		out.Fields[name] = d.entry(f.Winner)
	}
	for item, t := range b.Ticks {
		out.Ticks[item] = Tick(t)
	}
	for _, e := range append(out.Facts, out.History...) {
		out.Sent = out.Sent && e.Sent
	}
	return out
}

// values spells out what the wire keeps under short names.
func (out *Visit) values(v spclep.Visit) {
	if b := v.Booked; b != nil {
		out.Booked = &Booked{b.Name, b.Email, b.Reason, b.Day, b.At, b.Origin, b.Approved, b.Bundle, b.List}
	}
	if c := v.Cancelled; c != nil {
		out.Cancelled = &Cancelled{c.Ground}
	}
	if s := v.SentAway; s != nil {
		out.SentAway = &SentAway{s.Ground, s.Missing, s.Note}
	}
	if f := v.Filed; f != nil {
		out.Filed = &Filed{f.Number, f.Product, f.Pickup, f.Day, f.Due, f.Bundle, f.Birth}
	}
	if h := v.HandedOver; h != nil {
		out.HandedOver = &HandedOver{h.To, h.Name, h.PermitSurrendered}
	}
}

func rules(v office.Visit) Rules {
	out := Rules{
		Error: v.Rules, Questions: v.Questions, Missing: v.Missing, Notes: v.Notes,
		Changed: v.Changed, CheckIn: v.Stop, File: v.FileStop, Extract: v.Land, Collectors: v.Collect,
	}
	if v.Rules != "" || v.Booking.Visit.State == spclep.StateNone {
		return out
	}
	out.Checklist, out.Fee, out.Due = &v.List, &v.Fee, &v.Due
	return out
}
