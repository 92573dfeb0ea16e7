package spclep

import (
	"slices"
	"strconv"
	"strings"
)

// A CheckInAsk is a person standing at the desk with a booking.
type CheckInAsk struct {
	Office OfficeID
	Visit  Visit
	Today  Day
	Now    Minute
}

// MayCheckIn says whether a person with a booking may be taken as present:
// once, on the day of the booking (B09), and not after it was cancelled (B14).
// Too early (B20), too late (G03) and a closed day (B15) stop nobody who
// stands at an open desk; they are notes.
func (r *Reference) MayCheckIn(q CheckInAsk) (notes []Note, err error) {
	if err := r.known(q.Office); err != nil {
		return nil, err
	}
	switch q.Visit.State {
	case StateBooked:
	case StateNone:
		return nil, refuse("B09", "no-booking")
	case StateCancelled:
		return nil, refuse("B14", "cancelled")
	case StateSentAway:
		return nil, refuse("B14", "sent-away", "ground", q.Visit.ground())
	default:
		return nil, hasPassed(q.Visit.State)
	}
	if q.Visit.Booked == nil {
		return nil, refuse("B09", "no-booking")
	}
	if day := q.Visit.Booked.Day; day != q.Today {
		return nil, refuse("B09", "other-day", "day", day.RO())
	}
	return r.arrivalNotes(q), nil
}

func (v Visit) ground() string {
	if v.SentAway == nil {
		return ""
	}
	return v.SentAway.Ground
}

// hasPassed refuses a step that the visit has already taken.
func hasPassed(s State) error {
	switch s {
	case StateArrived:
		return refuse("B09", "already-arrived")
	case StateHandedOver:
		return refuse("R17", "already-handed-over")
	}
	return refuse("B09", "already-filed")
}

func (r *Reference) arrivalNotes(q CheckInAsk) []Note {
	var out []Note
	b := q.Visit.Booked
	s := scope{q.Office, "", b.Reason, q.Today}
	early := b.At - Minute(r.setting("arrive_early_min", s, 0))
	late := b.At + Minute(r.setting("late_tolerance_min", s, 0))
	switch {
	case b.Origin == "walk-in" || b.Origin == "urgent":
	case q.Now < early:
		out = append(out, Note{"B20", "early", "the booking is for " + b.At.String(), "Programarea este la ora " + b.At.String() + ".", map[string]string{"at": b.At.String()}})
	case q.Now > late:
		out = append(out, Note{"G03", "late", "the booking was for " + b.At.String(), "Programarea a fost la ora " + b.At.String() + "; șeful de serviciu hotărăște dacă persoana mai este primită.", map[string]string{"at": b.At.String()}})
	}
	if h, err := r.Hours(q.Office, q.Today); err == nil && h.Closed {
		out = append(out, Note{"B15", "closed-day", "the calendar has the office closed: " + h.Why, "După calendar, azi nu se lucrează cu publicul: " + h.Why + ".", map[string]string{"why": h.Why}})
	}
	return out
}

// MayWalkIn says whether a person without a booking may be taken: in the hours
// for it (B34), or at any time where the head of service approved an urgency
// and the reason is written down (B33, X16). Collecting a card needs no
// booking (B19) and only an open day.
func (r *Reference) MayWalkIn(o OfficeID, d Day, at Minute, reason Reason, urgent bool, approvedBy, why string) error {
	if err := r.known(o); err != nil {
		return err
	}
	if _, ok := r.offer(o, reason, d); !ok {
		return refuse("B25", "reason-not-offered", "reason", string(reason))
	}
	if urgent {
		return urgency(approvedBy, why)
	}
	h, err := r.Hours(o, d)
	switch {
	case err != nil:
		return err
	case h.Closed:
		return refuse(h.Rule, "closed-day", "day", d.RO(), "why", h.Why)
	case reason != pickupReason && !h.Open(HoursWalkIn, at):
		return refuse("B34", "no-walk-in-hours", "at", at.String(), "day", d.RO())
	}
	return nil
}

func urgency(approvedBy, why string) error {
	switch {
	case strings.TrimSpace(approvedBy) == "":
		return refuse("B33", "urgency-not-approved")
	case strings.TrimSpace(why) == "":
		return refuse("B33", "urgency-no-reason")
	}
	return nil
}

// MaySendAway says whether a visit may be cancelled at the desk on a ground
// that this office uses (B10 to B13, X09). Papers said to be missing must be
// named, and stand on the list of the ask (B12).
func (r *Reference) MaySendAway(o OfficeID, v Visit, ground string, missing []string, a Ask) error {
	if err := r.known(o); err != nil {
		return err
	}
	if v.State != StateBooked && v.State != StateArrived {
		return refuse("B13", "not-waiting", "state", orElse(string(v.State), "unknown"))
	}
	row := r.ground(o, ground, a.Day)
	switch {
	case row == nil:
		return refuse("X09", "ground-unknown", "ground", strconv.Quote(ground), "known", strings.Join(r.Grounds(o, a.Day), ", "))
	case row.Off:
		return refuse("X09", "ground-off", "ground", ground)
	case ground == GroundNoShow && v.State == StateArrived:
		return refuse("B10", "has-arrived")
	case ground == GroundPapersMissing:
		return r.areOnList(missing, a)
	}
	return nil
}

func (r *Reference) areOnList(missing []string, a Ask) error {
	if len(missing) == 0 {
		return refuse("B12", "missing-unnamed")
	}
	c, err := r.Papers(a)
	if err != nil {
		return err
	}
	for _, id := range missing {
		if !slices.ContainsFunc(c.Papers, func(p Paper) bool { return p.ID == id }) {
			return refuse("B12", "paper-not-on-list", "paper", id)
		}
	}
	return nil
}

// Grounds are those an office uses on a day (X09).
func (r *Reference) Grounds(o OfficeID, d Day) []string {
	var out []string
	for _, l := range r.layersOf(o) {
		for _, g := range l.Grounds {
			if row := r.ground(o, g.Ground, d); row != nil && !row.Off && !slices.Contains(out, g.Ground) {
				out = append(out, g.Ground)
			}
		}
	}
	return out
}

func (r *Reference) ground(o OfficeID, ground string, d Day) *groundRow {
	for _, l := range r.layersOf(o) {
		for i, g := range l.Grounds {
			if g.Ground == ground && g.validOn(d) {
				return &l.Grounds[i]
			}
		}
	}
	return nil
}
