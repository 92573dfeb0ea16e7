package office

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"condica/agent/desk"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/op"
)

// A DayEnd is what happened at the office on one day, as far as this PC knows.
type DayEnd struct {
	Day           spclep.Day
	Booked        int              // had a booking for the day; urgencies and people without one are not among them
	Came          int              // of Booked
	Cancelled     int              // of Booked: given back before the visit
	Awaited       int              // of Booked: nobody has said whether they came
	WalkIns       int              // came without a booking
	Urgent        int              // came as an approved urgency
	Filed         []Tally          // applications taken on the day, by product, the most first
	SentAway      []Tally          // visits ended on the day without an application, by ground, the most first
	Ready, Handed int              // cards that came in on the day, and that were given out
	AtDesk        time.Duration    // from check-in to the application or to leaving, on average
	Timed         int              // visits that AtDesk is the average of; 0: it is not known
	Absent        []record.Booking // of Awaited: proposed as no-shows (MayBeAbsent)
	NotedAbsent   []record.Booking // of Booked: noted as no-shows
	Overlooked    int              // as Awaited, of the month before the day
	Last          spclep.Day       // the latest day that has such
}

// A Tally is how many of one code.
type Tally struct {
	Code string // a spclep.Product, or a ground
	N    int
}

// lookBack is how many days are searched for bookings that were overlooked.
const lookBack = 31

// DayEnd gathers the figures of a day.
func (o *Office) DayEnd(ctx context.Context, day spclep.Day) (DayEnd, error) {
	d, m, err := o.Here(ctx)
	if err != nil {
		return DayEnd{}, err
	}
	e := DayEnd{Day: day}
	expected, err := o.cfg.DB.Day(ctx, day)
	if err == nil {
		err = o.eachOf(ctx, expected, func(b record.Booking) { e.expect(d, m, b) })
	}
	if err != nil {
		return e, err
	}
	from, to := o.span(day)
	touched, err := o.cfg.DB.Happened(ctx, from, to, spclep.Filed, spclep.SentAway, spclep.Ready, spclep.HandedOver)
	filed, away := map[string]int{}, map[string]int{}
	if err == nil {
		err = o.eachOf(ctx, touched, func(b record.Booking) { e.count(b.Visit, from, to, filed, away) })
	}
	if err != nil {
		return e, err
	}
	e.Filed, e.SentAway = tallies(filed), tallies(away)
	if e.Timed > 0 {
		e.AtDesk /= time.Duration(e.Timed)
	}
	e.Overlooked, e.Last, err = o.cfg.DB.Overlooked(ctx, day.Add(-lookBack), day)
	return e, err
}

func (o *Office) eachOf(ctx context.Context, rows []record.Row, f func(record.Booking)) error {
	for _, row := range rows {
		b, err := o.cfg.DB.Booking(ctx, row.ID)
		if err != nil {
			return err
		}
		f(b)
	}
	return nil
}

// span is a day of the office in ms, its end not included.
func (o *Office) span(day spclep.Day) (fromMs, toMs int64) {
	start := func(d spclep.Day) int64 {
		y, m, n := d.Date()
		return time.Date(y, m, n, 0, 0, 0, 0, o.cfg.Zone).UnixMilli()
	}
	return start(day), start(day + 1)
}

// expect counts a visit that belongs to the day.
func (e *DayEnd) expect(d desk.Desk, m desk.Moment, b record.Booking) {
	v, origin := b.Visit, ""
	if v.Booked != nil {
		origin = v.Booked.Origin
	}
	switch origin {
	case spclep.OriginWalkIn:
		e.WalkIns++
	case spclep.OriginUrgent:
		e.Urgent++
	default:
		e.Booked++
		e.fate(d, m, b)
	}
	arrived, left := v.First[spclep.Arrived].AtMs, leftAt(v)
	if arrived > 0 && left > arrived {
		e.AtDesk += time.Duration(left-arrived) * time.Millisecond
		e.Timed++
	}
}

// fate is what became of somebody who had a booking.
func (e *DayEnd) fate(d desk.Desk, m desk.Moment, b record.Booking) {
	v := b.Visit
	_, came := v.First[spclep.Arrived]
	switch {
	case came || v.Filed != nil:
		e.Came++
	case v.State == spclep.StateCancelled:
		e.Cancelled++
	case v.State == spclep.StateBooked:
		e.Awaited++
		if MayBeAbsent(d, v, m) {
			e.Absent = append(e.Absent, b)
		}
	case v.SentAway != nil && v.SentAway.Ground == spclep.GroundNoShow:
		e.NotedAbsent = append(e.NotedAbsent, b)
	}
}

// leftAt is when the desk was done with the person, in ms; 0: not known.
func leftAt(v spclep.Visit) int64 {
	if f, ok := v.First[spclep.Filed]; ok {
		return f.AtMs
	}
	return v.First[spclep.SentAway].AtMs
}

// count adds what was done on the day, whenever the booking was for.
func (e *DayEnd) count(v spclep.Visit, from, to int64, filed, away map[string]int) {
	on := func(fact string) bool {
		f, ok := v.First[fact]
		return ok && f.AtMs >= from && f.AtMs < to
	}
	if on(spclep.Filed) {
		filed[string(v.Filed.Product)]++
	}
	if v.State == spclep.StateSentAway && on(spclep.SentAway) {
		away[v.SentAway.Ground]++
	}
	if on(spclep.Ready) {
		e.Ready++
	}
	if on(spclep.HandedOver) {
		e.Handed++
	}
}

func tallies(counts map[string]int) []Tally {
	var out []Tally
	for _, code := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, Tally{code, counts[code]})
	}
	slices.SortStableFunc(out, func(a, b Tally) int { return cmp.Compare(b.N, a.N) })
	return out
}

// MayBeAbsent says whether a no-show may be proposed for a visit (B10): the
// person is awaited, and is later than the tolerance allows (G03). Nobody is
// proposed within it, for a later day, or without a booking of their own.
func MayBeAbsent(d desk.Desk, v spclep.Visit, m desk.Moment) bool {
	k, today := v.Booked, d.Today(m)
	switch {
	case v.State != spclep.StateBooked || k == nil || k.Origin == spclep.OriginWalkIn || k.Origin == spclep.OriginUrgent:
		return false
	case !slices.Contains(d.Ref.Grounds(d.Office, k.Day), spclep.GroundNoShow):
		return false
	case k.Day != today:
		return k.Day != 0 && k.Day < today
	}
	return d.Clock(m) > k.At+tolerance(d, *k)
}

func tolerance(d desk.Desk, k spclep.BookedValue) spclep.Minute {
	s, ok := d.Ref.Setting("late_tolerance_min", d.Office, "", k.Reason, k.Day)
	if !ok || s.Value == nil {
		return 0
	}
	return spclep.Minute(*s.Value)
}

// StillInTime is the refusal's code of a no-show that may not be noted yet.
const StillInTime = "still-in-time"

// NoShow notes a proposed no-show: desk.SendAway, but for nobody who is still in
// time when it is written.
func NoShow(d desk.Desk) desk.Action {
	return func(b record.Booking, m desk.Moment) ([]op.Draft, error) {
		if b.Visit.State == spclep.StateBooked && !MayBeAbsent(d, b.Visit, m) {
			return nil, &spclep.Refusal{Rule: "G03", Code: StillInTime, Say: "the person may still come: the time for being late is not over",
				Text: "Persoana mai poate veni: timpul admis pentru întârziere nu a trecut."}
		}
		return d.SendAway(spclep.GroundNoShow, nil, "")(b, m)
	}
}

// Handed are the bookings with a card given out on a day.
func (o *Office) Handed(ctx context.Context, day spclep.Day) (out []record.Booking, err error) {
	from, to := o.span(day)
	rows, err := o.cfg.DB.Happened(ctx, from, to, spclep.HandedOver)
	if err == nil {
		err = o.eachOf(ctx, rows, func(b record.Booking) { out = append(out, b) })
	}
	return out, err
}

// Day is the calendar day of a moment in ms, by the office's clock.
func (o *Office) Day(ms int64) spclep.Day { return spclep.DayOf(time.UnixMilli(ms).In(o.cfg.Zone)) }

// FreePlaces is how many more people could be booked for a day, from a time of
// day on: what is left of each slot.
func FreePlaces(d desk.Desk, day spclep.Day, from spclep.Minute, booked []record.Row) (int, error) {
	slots, err := d.Ref.Slots(d.Office, day)
	if err != nil {
		return 0, err
	}
	taken := map[spclep.Minute]int{}
	for _, row := range booked {
		if row.State != spclep.StateCancelled && row.State != spclep.StateSentAway {
			taken[row.At]++
		}
	}
	n := 0
	for _, at := range slots {
		if at >= from {
			n += max(0, d.Ref.Capacity(d.Office, day)-taken[at])
		}
	}
	return n, nil
}
