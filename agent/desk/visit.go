package desk

import (
	"strings"

	"condica/spclep"
	"condica/spclep/code"
	"condica/spclep/record"
	"condica/sync/op"
)

// CheckIn notes that the person stands at the desk (B09).
func (d Desk) CheckIn() Action {
	return func(b record.Booking, m Moment) ([]op.Draft, error) {
		if err := known(b); err != nil {
			return nil, err
		}
		if _, err := d.Ref.MayCheckIn(d.checkIn(b, m)); err != nil {
			return nil, err
		}
		return one(fact(b, spclep.Arrived, nil))
	}
}

// CheckInNotes says what a clerk should know before checking in: early, late.
// A refusal comes back as the error.
func (d Desk) CheckInNotes(b record.Booking, m Moment) ([]spclep.Note, error) {
	return d.Ref.MayCheckIn(d.checkIn(b, m))
}

func (d Desk) checkIn(b record.Booking, m Moment) spclep.CheckInAsk {
	return spclep.CheckInAsk{Office: d.Office, Visit: b.Visit, Today: d.Today(m), Now: d.Clock(m)}
}

// Accept takes a signed booking code that the replica has not seen yet: the
// booking was made after the last contact. The clerk types the name. The code
// must have been verified. The person is checked in with it.
func (d Desk) Accept(c code.Booking, name string) Action {
	return func(b record.Booking, m Moment) ([]op.Draft, error) {
		if b.Visit.Booked != nil {
			return d.CheckIn()(b, m)
		}
		office, err := d.Ref.Office(d.Office)
		if err != nil {
			return nil, err
		}
		if office.Code != c.Office {
			return nil, refuse(elsewhere)
		}
		if name = squeeze(name); name == "" {
			return nil, refuse(codeHasNoName)
		}
		v := spclep.BookedValue{Name: name, Reason: c.Reason, Day: c.Day, At: c.At, Origin: spclep.OriginScanned, Bundle: d.Ref.Number()}
		ask := d.checkIn(b, m)
		ask.Visit = spclep.Visit{State: spclep.StateBooked, Booked: &v}
		if _, err := d.Ref.MayCheckIn(ask); err != nil {
			return nil, err
		}
		return all(func(add adder) {
			add(fact(b, spclep.Booked, v))
			add(fact(b, spclep.Arrived, nil))
		})
	}
}

// A Walk is a person without a booking.
type Walk struct {
	Name     string
	Reason   spclep.Reason
	Urgent   bool   // a justified urgency (B33)
	Approved string // by the head of service
	Why      string
}

// WalkIn takes a person without a booking, in walk-in hours or as an urgency
// (B33, B34, X16).
func (d Desk) WalkIn(w Walk) Action {
	return func(b record.Booking, m Moment) ([]op.Draft, error) {
		if b.Visit.State != spclep.StateNone {
			return nil, refuse(idIsTaken)
		}
		if w.Name = squeeze(w.Name); w.Name == "" {
			return nil, refuse(walkInUnnamed)
		}
		today, now := d.Today(m), d.Clock(m)
		if err := d.Ref.MayWalkIn(d.Office, today, now, w.Reason, w.Urgent, w.Approved, w.Why); err != nil {
			return nil, err
		}
		if err := d.headOnly(); w.Urgent && err != nil {
			return nil, err
		}
		v := spclep.BookedValue{Name: w.Name, Reason: w.Reason, Day: today, At: now, Origin: spclep.OriginWalkIn, Bundle: d.Ref.Number()}
		if w.Urgent {
			v.Origin, v.Approved = spclep.OriginUrgent, w.Approved
		}
		return all(func(add adder) {
			booked, err := fact(b, spclep.Booked, v)
			booked.Why = w.Why
			add(booked, err)
			add(fact(b, spclep.Arrived, nil))
		})
	}
}

// SendAway ends the visit without an application, on one of the grounds
// B10-B13. missing names papers of the checklist, for papers-missing.
func (d Desk) SendAway(ground string, missing []string, note string) Action {
	return func(b record.Booking, m Moment) ([]op.Draft, error) {
		if err := known(b); err != nil {
			return nil, err
		}
		if err := d.Ref.MaySendAway(d.Office, b.Visit, ground, missing, d.Ask(b)); err != nil {
			return nil, err
		}
		return one(fact(b, spclep.SentAway, spclep.SentAwayValue{Ground: ground, Missing: missing, Note: squeeze(note)}))
	}
}

// An Application is what the clerk enters when taking it.
type Application struct {
	Number  string          // empty: the PC's next number
	Product spclep.Product  // empty: what reason and answers lead to
	Pickup  spclep.OfficeID // empty: here
	Birth   spclep.Day      // where the age decides
	Despite string          // the clerk's reason for taking it though papers were not seen
}

// File takes the application: it needs the person at the desk and the papers
// seen (B12) or a reason that stays on the record, and computes the day by
// which the card is due (T01-T05).
func (d Desk) File(in Application) Action {
	return func(b record.Booking, m Moment) ([]op.Draft, error) {
		if err := known(b); err != nil {
			return nil, err
		}
		ask, err := d.application(b, in)
		if err != nil {
			return nil, err
		}
		today := d.Today(m)
		missing, err := d.Ref.MayFile(d.Office, b.Visit, ask, b.Land, today, b.Ticks)
		if err != nil {
			return nil, err
		}
		if in.Despite = squeeze(in.Despite); len(missing) > 0 && in.Despite == "" {
			return nil, papersMissing(missing)
		}
		due, err := d.Ref.Due(spclep.DueAsk{Office: d.Office, Product: ask.Product, Filed: today, Pickup: in.Pickup})
		if err != nil {
			return nil, err
		}
		number := squeeze(in.Number)
		if number == "" {
			number = m.Number
		}
		filed, err := fact(b, spclep.Filed, spclep.FiledValue{
			Number: number, Product: ask.Product, Pickup: in.Pickup, Day: today,
			Due: due.By, Bundle: d.Ref.Number(), Birth: in.Birth,
		})
		filed.Why = in.Despite
		return one(filed, err)
	}
}

func papersMissing(missing []spclep.Paper) error {
	var ids, titles []string
	for _, p := range missing {
		ids, titles = append(ids, p.ID), append(titles, p.Title)
	}
	r := refuse(papersUnseen, "papers", strings.Join(ids, ", "), "titles", strings.Join(titles, "; "))
	r.Args["papers"] = strings.Join(ids, ",") // for scripts
	return r
}

// Missing lists the papers not seen yet that an application would need.
func (d Desk) Missing(b record.Booking, in Application, m Moment) ([]spclep.Paper, error) {
	ask, err := d.application(b, in)
	if err != nil {
		return nil, err
	}
	return d.Ref.MayFile(d.Office, b.Visit, ask, b.Land, d.Today(m), b.Ticks)
}

// application is the booking's Ask with what the clerk entered.
func (d Desk) application(b record.Booking, in Application) (spclep.Ask, error) {
	ask := d.Ask(b)
	ask.Product = in.Product
	if in.Birth != 0 {
		ask.Answers = with(ask.Answers, "birth", in.Birth.String())
	}
	if ask.Product == "" {
		fee, err := d.Ref.Fee(ask)
		if err != nil {
			return ask, err
		}
		ask.Product = fee.Product
	}
	return ask, nil
}

// Extend is the head of service's extension of at most 15 days (T02).
func (d Desk) Extend(days int, why string) Action {
	return func(b record.Booking, m Moment) ([]op.Draft, error) {
		if b.Visit.State != spclep.StateFiled {
			return nil, refuse(notOpen)
		}
		if why = squeeze(why); why == "" {
			return nil, refuse(extensionUnreasoned)
		}
		if err := d.headOnly(); err != nil {
			return nil, err
		}
		due, err := d.Ref.Extend(b.Visit.Filed.Due, days)
		if err != nil {
			return nil, err
		}
		e, err := fact(b, spclep.Extended, spclep.ExtendedValue{Due: due, Days: days, Reason: why})
		e.Why = why
		return one(e, err)
	}
}

// MarkReady notes that the card lies in the office.
func (d Desk) MarkReady() Action {
	return func(b record.Booking, m Moment) ([]op.Draft, error) {
		if b.Visit.State != spclep.StateFiled {
			return nil, refuse(notOpen)
		}
		return one(fact(b, spclep.Ready, nil))
	}
}

// HandOver gives the card to someone who may collect it (table 7, R02.8,
// R14.8). name is the person's, where it is not the holder.
func (d Desk) HandOver(to, name string, permit bool) Action {
	return func(b record.Booking, m Moment) ([]op.Draft, error) {
		if err := known(b); err != nil {
			return nil, err
		}
		if err := d.Ref.MayHandOver(d.handOver(b, to, permit, m)); err != nil {
			return nil, err
		}
		if name = squeeze(name); name == "" && to != "holder" {
			return nil, refuse(collectorUnnamed)
		}
		return one(fact(b, spclep.HandedOver, spclep.HandedOverValue{To: to, Name: name, PermitSurrendered: permit}))
	}
}

func (d Desk) handOver(b record.Booking, to string, permit bool, m Moment) spclep.HandOverAsk {
	return spclep.HandOverAsk{
		Office: d.Office, Visit: b.Visit, To: to, Today: d.Today(m), Now: d.Clock(m),
		Birth: d.Birth(b), Reason: b.Reason, Permit: permit, Answers: b.Answers,
	}
}

// HandOverNotes says what a clerk should know before handing over, such as
// that it is not pickup hours.
func (d Desk) HandOverNotes(b record.Booking, m Moment) []spclep.Note {
	return d.Ref.HandOverNotes(d.handOver(b, "holder", false, m))
}

// Birth is the person's day of birth as far as it was asked.
func (d Desk) Birth(b record.Booking) spclep.Day {
	if f := b.Visit.Filed; f != nil && f.Birth != 0 {
		return f.Birth
	}
	day, err := spclep.ParseDay(b.Answers["birth"])
	if err != nil {
		return 0
	}
	return day
}

// Collectors lists who may take this booking's card.
func (d Desk) Collectors(b record.Booking, m Moment) []spclep.Collector {
	if b.Visit.Filed == nil {
		return nil
	}
	return d.Ref.Collectors(d.Office, b.Visit.Filed.Product, d.Birth(b), d.Today(m))
}

func known(b record.Booking) error {
	if b.Visit.State == spclep.StateNone {
		return refuse(noSuchBooking)
	}
	return nil
}

func with(a spclep.Answers, key, value string) spclep.Answers {
	out := spclep.Answers{key: value}
	for k, v := range a {
		if k != key {
			out[k] = v
		}
	}
	return out
}

func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

type adder func(op.Draft, error)

// all gathers drafts; the first error ends it.
func all(f func(adder)) ([]op.Draft, error) {
	var out []op.Draft
	var first error
	f(func(d op.Draft, err error) {
		if first == nil {
			first = err
		}
		out = append(out, d)
	})
	return out, first
}

func one(d op.Draft, err error) ([]op.Draft, error) { return []op.Draft{d}, err }
