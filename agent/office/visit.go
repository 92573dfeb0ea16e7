package office

import (
	"context"

	"condica/agent/desk"
	"condica/spclep"
	"condica/spclep/record"
)

// A Visit is one booking with everything a clerk needs to see on one page.
type Visit struct {
	record.Booking
	Today     spclep.Day
	Now       spclep.Minute
	NowMs     int64 // the hub's time as well as it is known
	Reason    spclep.ReasonInfo
	Questions []spclep.Question
	List      spclep.Checklist
	Fee       spclep.Fee
	Due       spclep.Due // if the application were taken now
	Notes     []spclep.Note
	Stop      *spclep.Refusal    // why the person cannot be checked in, while booked
	Missing   []spclep.Paper     // not seen yet, while the person is at the desk
	FileStop  *spclep.Refusal    // why the application cannot be taken, besides missing papers
	Collect   []spclep.Collector // who may take the card
	Land      string             // what is wrong with the land-registry extract; empty: nothing
	Changed   bool               // the list is another than the person was shown when booking
	Rules     string             // an error of the rules themselves, such as an unknown reason
}

// Visit gathers the page of one booking. A booking that is not known has the
// state StateNone. A fault of the rules does not hide the booking: it stands
// in Rules.
func (o *Office) Visit(ctx context.Context, id spclep.BookingID) (Visit, error) {
	d, m, err := o.Here(ctx)
	if err != nil {
		return Visit{}, err
	}
	b, err := o.cfg.DB.Booking(ctx, id)
	if err != nil {
		return Visit{}, err
	}
	v := Visit{Booking: b, Today: d.Today(m), Now: d.Clock(m), NowMs: m.Ms}
	if b.Visit.State == spclep.StateNone {
		return v, nil
	}
	if err := v.fill(d, m); err != nil {
		v.Rules = err.Error()
	}
	return v, nil
}

func (v *Visit) fill(d desk.Desk, m desk.Moment) (err error) {
	ask := d.Ask(v.Booking)
	for _, r := range d.Ref.Reasons(d.Office, ask.Day) {
		if r.Code == v.Booking.Reason {
			v.Reason = r
		}
	}
	if v.Questions, err = d.Ref.Questions(ask); err != nil {
		return err
	}
	if v.List, err = d.Ref.Papers(ask); err != nil {
		return err
	}
	if v.Fee, err = d.Ref.Fee(ask); err != nil {
		return err
	}
	if v.Due, err = d.Ref.Due(spclep.DueAsk{Office: d.Office, Product: v.Fee.Product, Filed: v.Today}); err != nil {
		return err
	}
	if k := v.Booking.Visit.Booked; k != nil && v.Booking.Visit.Filed == nil {
		v.Changed = d.Ref.ListChanged(d.Office, *k, v.Booking.Reason)
	}
	v.steps(d, m)
	return nil
}

// steps says what stands for or against the next step.
func (v *Visit) steps(d desk.Desk, m desk.Moment) {
	b := v.Booking
	switch b.Visit.State {
	case spclep.StateBooked, spclep.StateCancelled, spclep.StateSentAway:
		notes, err := d.CheckInNotes(b, m)
		v.Notes = notes
		v.Stop, _ = spclep.Refused(err)
	case spclep.StateArrived:
		missing, err := d.Missing(b, desk.Application{}, m)
		v.Missing = missing
		if r, ok := spclep.Refused(err); ok && len(missing) == 0 {
			v.FileStop = r
		}
		if b.Land != 0 {
			if err := d.Ref.LandExtract(b.Land, v.Today); err != nil {
				v.Land = err.Error()
				if r, ok := spclep.Refused(err); ok {
					v.Land = r.Text
				}
			}
		}
	case spclep.StateReady:
		v.Notes = d.HandOverNotes(b, m)
		v.Collect = d.Collectors(b, m)
	}
}
