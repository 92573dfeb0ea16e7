package spclep

import (
	"encoding/json"
	"slices"
)

// BookingID is eight symbols of the QR alphabet: random, no meaning, and short
// enough to be typed. It is also the short code under the QR.
type BookingID string

// Names of facts: what has happened to a booking. A fact is never
// overwritten; an Undone fact names the action it takes back.
const (
	Booked     = "booked"      // the slot was taken: value BookedValue
	Cancelled  = "cancelled"   // given back on the hub: value CancelledValue
	Arrived    = "arrived"     // the person stands at the desk
	SentAway   = "sent-away"   // left without an application: value SentAwayValue
	Filed      = "filed"       // the application was taken: value FiledValue
	Extended   = "extended"    // head of service added days: value ExtendedValue (T02)
	Ready      = "ready"       // the card lies in the office
	HandedOver = "handed-over" // the card was given: value HandedOverValue
	Undone     = "undone"      // takes back one action: value UndoneValue
	Settled    = "settled"     // a person has looked at what happened twice: value SettledValue
	Printed    = "printed"     // a paper of this visit was printed: value PrintedValue
)

// Facts are the names above in the order in which a visit runs.
var Facts = []string{Booked, Cancelled, Arrived, SentAway, Filed, Extended, Ready, HandedOver, Undone, Settled, Printed}

// Fields are registers of a booking that may be replaced after it was made.
// An answer to a checklist question is the field "answer." + its key, a
// paper's tick the field "paper." + the item's id.
const (
	FieldName    = "name"
	FieldEmail   = "email"
	FieldReason  = "reason"
	FieldNote    = "note"
	FieldLand    = "land-extract" // day on the land-registry extract (R01.8)
	FieldReceipt = "receipt"      // number or date of the proof of payment (P06)
	PrefixAnswer = "answer."
	PrefixPaper  = "paper."
)

// BookedValue is what the citizen wrote on the hub (B21-B26), or the clerk for
// a person without a booking (B33, B34).
type BookedValue struct {
	Name     string `json:"n"`
	Email    string `json:"e,omitempty"`
	Reason   Reason `json:"r"`
	Day      Day    `json:"d"`
	At       Minute `json:"t"`
	Origin   string `json:"o,omitempty"` // "" booked on the hub, "walk-in", "urgent", "scanned"
	Approved string `json:"a,omitempty"` // urgent: who approved (B33)
	Bundle   int    `json:"b,omitempty"` // the reference bundle the citizen was shown
	List     string `json:"l,omitempty"` // Checklist.Version of the list the citizen was shown, without any answers; "": none was
}

// Origins of a booking that was not made on the hub's pages.
const (
	OriginWalkIn  = "walk-in" // without a booking, in walk-in hours (B34)
	OriginUrgent  = "urgent"  // approved by the head of service (B33)
	OriginScanned = "scanned" // a signed code the replica had not seen yet
)

// CancelledValue says who gave the slot back and why.
type CancelledValue struct {
	Ground string `json:"g"` // "citizen", "office-closed"
}

// Grounds for sending a person away (B10-B13, X09).
const (
	GroundNoShow        = "no-show"
	GroundDataMismatch  = "data-mismatch"
	GroundPapersMissing = "papers-missing"
	GroundRuleBreach    = "rule-breach"
)

// SentAwayValue is the ground for cancelling at the desk (B10-B13).
type SentAwayValue struct {
	Ground  string   `json:"g"`           // "no-show", "data-mismatch", "papers-missing", "rule-breach"
	Missing []string `json:"m,omitempty"` // item ids, for papers-missing
	Note    string   `json:"t,omitempty"`
}

// FiledValue is the application as it was taken.
type FiledValue struct {
	Number  string   `json:"nr"` // registration number
	Product Product  `json:"p"`
	Pickup  OfficeID `json:"o,omitempty"` // where the card will be collected; empty: here
	Day     Day      `json:"d"`           // day of registration
	Due     Day      `json:"due"`         // computed by the rules of bundle Bundle
	Bundle  int      `json:"b"`
	Birth   Day      `json:"birth,omitempty"` // asked only where the age decides who may collect
}

// ExtendedValue is the head of service's extension (T02).
type ExtendedValue struct {
	Due    Day    `json:"due"`
	Days   int    `json:"n"`
	Reason string `json:"why"`
}

// HandedOverValue says who took the card (table 7).
type HandedOverValue struct {
	To                string `json:"to"`               // "holder", "parent", "legal-representative", "art12-1"
	Name              string `json:"n,omitempty"`      // of the person, where it is not the holder
	PermitSurrendered bool   `json:"permit,omitempty"` // R14.8
}

// UndoneValue names the action taken back, and why.
type UndoneValue struct {
	Action string `json:"x"`
}

// SettledValue names the actions that a person has looked at: doubles, a
// cancellation or a no-show beside an arrival. They stay on the record.
type SettledValue struct {
	Actions []string `json:"x"`
}

// PrintedValue says what was printed, "slip" or "missing-papers", and in which
// language: "ro", "hu" or "en", empty where an older program printed it.
type PrintedValue struct {
	What string `json:"w"`
	Lang string `json:"l,omitempty"`
}

// Papers of a visit that are printed.
const (
	PrintSlip    = "slip"
	PrintMissing = "missing-papers"
)

// A Fact is one thing that happened, as the record tells it.
type Fact struct {
	Name   string          `json:"name"`
	Value  json.RawMessage `json:"value,omitempty"`
	Action string          `json:"action"`
	By     string          `json:"by,omitempty"`
	Device string          `json:"device"`
	Why    string          `json:"why,omitempty"`
	AtMs   int64           `json:"at_ms"` // effective time, ms since 1970 UTC
}

// State is where a visit stands. It is always derived from the facts.
type State string

// States of a visit, in the order in which it runs (table 2a).
const (
	StateNone       State = ""
	StateBooked     State = "booked"
	StateCancelled  State = "cancelled"
	StateArrived    State = "arrived"
	StateSentAway   State = "sent-away"
	StateFiled      State = "filed"
	StateReady      State = "ready"
	StateHandedOver State = "handed-over"
)

// A Visit is what the facts of one booking add up to.
type Visit struct {
	State      State
	Booked     *BookedValue
	Cancelled  *CancelledValue
	SentAway   *SentAwayValue
	Filed      *FiledValue
	HandedOver *HandedOverValue
	Due        Day // Filed.Due, or the later day of an extension
	// First is the fact that counts, by name: of two arrivals the earlier.
	First map[string]Fact
	// Doubles are facts that happened again after the one that counts - a second
	// check-in, a second application - and that nobody has settled yet.
	Doubles []Fact
	// TwoHandOvers is the red alarm: one card was handed out twice, and nobody
	// has settled it.
	TwoHandOvers bool
	// CancelledAfterArrival: a cancellation came in for a person who had
	// already come; presence stands and the cancellation is shown beside it.
	CancelledAfterArrival bool
	// NoShowBesideArrival: one desk noted a no-show, another saw the person.
	NoShowBesideArrival bool
	// Undone holds the ids of actions taken back, Settled those that a person has
	// looked at.
	Undone, Settled map[string]bool
}

// Derive adds up the facts of one booking. They must be sorted by effective
// stamp, earliest first; the answer depends on nothing else. A value that
// cannot be read counts as empty, so that a fact from a newer program still
// counts as having happened.
func Derive(facts []Fact) Visit {
	v := Visit{First: map[string]Fact{}, Undone: undone(facts), Settled: map[string]bool{}}
	for _, f := range facts {
		if v.Undone[f.Action] || f.Name == Undone || v.beside(f) {
			continue
		}
		first, again := v.First[f.Name]
		if again && f.Name == Booked && value[BookedValue](first).Origin != OriginScanned {
			continue // the desk took the code before the hub's booking had come
		}
		if again && f.Name != Extended && f.Name != Booked {
			v.Doubles = append(v.Doubles, f)
			continue
		}
		v.First[f.Name] = f
	}
	v.Doubles = slices.DeleteFunc(v.Doubles, func(f Fact) bool { return v.Settled[f.Action] })
	v.TwoHandOvers = slices.ContainsFunc(v.Doubles, func(f Fact) bool { return f.Name == HandedOver })
	v.read()
	v.State = v.state()
	_, come := v.First[Arrived]
	_, filed := v.First[Filed]
	v.CancelledAfterArrival = v.Cancelled != nil && (come || filed) && !v.Settled[v.First[Cancelled].Action]
	v.NoShowBesideArrival = v.NoShowBesideArrival && !v.Settled[v.First[SentAway].Action]
	return v
}

// beside takes the facts that stand beside a visit and do not move it.
func (v *Visit) beside(f Fact) bool {
	switch f.Name {
	case Settled:
		for _, action := range value[SettledValue](f).Actions {
			v.Settled[action] = true
		}
	case Printed: // pages count them
	default:
		return false
	}
	return true
}

// undone collects the actions taken back. An undo can itself be undone; the
// latest word counts, so undos are read from the last to the first.
func undone(facts []Fact) map[string]bool {
	out := map[string]bool{}
	for i := len(facts) - 1; i >= 0; i-- {
		f := facts[i]
		if f.Name != Undone || out[f.Action] {
			continue
		}
		out[value[UndoneValue](f).Action] = true
	}
	delete(out, "")
	return out
}

func (v *Visit) read() {
	if f, ok := v.First[Booked]; ok {
		v.Booked = value[BookedValue](f)
	}
	if f, ok := v.First[Cancelled]; ok {
		v.Cancelled = value[CancelledValue](f)
	}
	if f, ok := v.First[SentAway]; ok {
		v.SentAway = value[SentAwayValue](f)
	}
	if f, ok := v.First[Filed]; ok {
		v.Filed = value[FiledValue](f)
		v.Due = v.Filed.Due
	}
	if f, ok := v.First[Extended]; ok && v.Filed != nil {
		v.Due = max(v.Due, value[ExtendedValue](f).Due)
	}
	if f, ok := v.First[HandedOver]; ok {
		v.HandedOver = value[HandedOverValue](f)
	}
}

// state takes the furthest thing that happened: a hand-over beats a late
// check-in, an application beats a no-show noted on another desk. A no-show
// beside an arrival is one desk not having seen the person: presence stands.
func (v *Visit) state() State {
	if _, come := v.First[Arrived]; come && v.SentAway != nil && v.SentAway.Ground == GroundNoShow {
		v.NoShowBesideArrival = true
		if v.Filed == nil && v.HandedOver == nil {
			return StateArrived
		}
	}
	for _, s := range []struct {
		fact  string
		state State
	}{
		{HandedOver, StateHandedOver}, {Ready, StateReady}, {Filed, StateFiled},
		{SentAway, StateSentAway}, {Arrived, StateArrived}, {Cancelled, StateCancelled}, {Booked, StateBooked},
	} {
		if _, ok := v.First[s.fact]; ok {
			return s.state
		}
	}
	return StateNone
}

func value[T any](f Fact) *T {
	var v T
	if len(f.Value) > 0 && json.Unmarshal(f.Value, &v) != nil {
		v = *new(T)
	}
	return &v
}
