package desk

import (
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/op"
)

// Settle notes that a person has looked at what happened twice or apart: a
// second check-in, a cancellation of someone who had come. A card handed out
// twice is the head of service's to settle, with a reason; what happened stays
// on the record.
func (d Desk) Settle(why string) Action {
	return func(b record.Booking, m Moment) ([]op.Draft, error) {
		open := unsettled(b.Visit)
		if len(open) == 0 {
			return nil, refuse(nothingToSettle)
		}
		why = squeeze(why)
		if b.Visit.TwoHandOvers {
			if err := d.headOnly(); err != nil {
				return nil, err
			}
			if why == "" {
				return nil, refuse(settledUnreasoned)
			}
		}
		f, err := fact(b, spclep.Settled, spclep.SettledValue{Actions: open})
		f.Why = why
		return one(f, err)
	}
}

// unsettled names the actions that wait for a person.
func unsettled(v spclep.Visit) (out []string) {
	for _, f := range v.Doubles {
		out = append(out, f.Action)
	}
	if v.CancelledAfterArrival {
		out = append(out, v.First[spclep.Cancelled].Action)
	}
	if v.NoShowBesideArrival {
		out = append(out, v.First[spclep.SentAway].Action)
	}
	return out
}

// Print notes that a paper of the visit was printed: spclep.PrintSlip or
// spclep.PrintMissing, in a language of the pages. A slip needs an application.
func (d Desk) Print(what, lang string) Action {
	return func(b record.Booking, m Moment) ([]op.Draft, error) {
		if err := known(b); err != nil {
			return nil, err
		}
		if what == spclep.PrintSlip && b.Visit.Filed == nil {
			return nil, refuse(notTaken)
		}
		return one(fact(b, spclep.Printed, spclep.PrintedValue{What: what, Lang: lang}))
	}
}
