package spclep

import (
	"cmp"
	"slices"
)

// Kinds of hours; they may overlap (X15).
const (
	HoursBooked = "booked" // filing with a booking
	HoursWalkIn = "walkin" // filing without one
	HoursPickup = "pickup" // collecting cards
	HoursPublic = "public" // open to the public
	HoursStaff  = "staff"  // at work, door closed
)

// DayHours is one office on one day.
type DayHours struct {
	Closed    bool       `json:"closed"`
	Why       string     `json:"why,omitempty"`  // Romanian
	Rule      string     `json:"rule,omitempty"` // of the closing
	Intervals []Interval `json:"intervals,omitempty"`
}

// An Interval is a span of one kind, From inclusive, To exclusive.
type Interval struct {
	Kind   string `json:"kind"`
	From   Minute `json:"from"`
	To     Minute `json:"to"`
	Rule   string `json:"rule"`
	Status string `json:"status"`
}

// Open says whether hours of a kind run at a time of day.
func (h DayHours) Open(kind string, at Minute) bool {
	for _, i := range h.Intervals {
		if i.Kind == kind && i.From <= at && at < i.To {
			return true
		}
	}
	return false
}

// Hours are the hours of one day: closed days of any layer, then public
// holidays, then the week's rows (H01 to H08, B15). A recovered working day
// runs by the weekday its row names.
func (r *Reference) Hours(o OfficeID, d Day) (DayHours, error) {
	if err := r.known(o); err != nil {
		return DayHours{}, err
	}
	weekday := isoWeekday(d)
	if row := r.special(o, d); row != nil {
		if row.Kind == dayClosed {
			return DayHours{Closed: true, Why: row.Title, Rule: orElse(row.Rule, "B15")}, nil
		}
		if row.As > 0 {
			weekday = row.As
		}
	} else if name, ok := r.Holiday(d); ok {
		return DayHours{Closed: true, Why: "sărbătoare legală: " + name, Rule: "B15"}, nil
	}
	h := DayHours{Intervals: r.intervals(o, d, weekday)}
	if len(h.Intervals) == 0 {
		h.Closed, h.Why, h.Rule = true, "zi fără program cu publicul", "B15"
	}
	return h, nil
}

func (r *Reference) intervals(o OfficeID, d Day, weekday int) []Interval {
	var out []Interval
	for _, l := range r.layersOf(o) {
		for _, row := range l.Hours {
			if row.validOn(d) && slices.Contains(row.Days, weekday) {
				out = append(out, Interval{row.Kind, row.From, row.To, row.Rule, row.status()})
			}
		}
		if len(out) > 0 {
			break // the narrower layer has spoken for this weekday
		}
	}
	slices.SortStableFunc(out, func(a, b Interval) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

func isoWeekday(d Day) int { return (int(d.Weekday())+6)%7 + 1 }

// Slots are the starts of all slots of a day: whole slots within the hours for
// bookings (B06, H01, G07). None on a closed day.
func (r *Reference) Slots(o OfficeID, d Day) ([]Minute, error) {
	h, err := r.Hours(o, d)
	if err != nil {
		return nil, err
	}
	step := Minute(r.setting("slot_minutes", scope{Office: o, Day: d}, 20))
	var out []Minute
	for _, i := range h.Intervals {
		for at := i.From; i.Kind == HoursBooked && at+step <= i.To; at += step {
			if !slices.Contains(out, at) {
				out = append(out, at)
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// FreeSlots are the slots that can still be given, with what is taken by
// bookings and unexpired holds.
func (r *Reference) FreeSlots(o OfficeID, d Day, taken map[Minute]int) ([]Minute, error) {
	all, err := r.Slots(o, d)
	if err != nil {
		return nil, err
	}
	desks := r.Capacity(o, d)
	return slices.DeleteFunc(all, func(m Minute) bool { return taken[m] >= desks }), nil
}

// Capacity is how many people one slot of a day takes: the desks (G02).
func (r *Reference) Capacity(o OfficeID, d Day) int {
	return r.setting("desks", scope{Office: o, Day: d}, 1)
}
