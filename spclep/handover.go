package spclep

import (
	"strconv"
	"strings"
)

// A HandOverAsk is a card about to be given out.
type HandOverAsk struct {
	Office  OfficeID
	Visit   Visit
	To      string // as Collector.To
	Today   Day
	Now     Minute
	Birth   Day // 0 takes the one on the application
	Reason  Reason
	Permit  bool    // the residence permit was surrendered (R14.8)
	Answers Answers // residence_permit=no lifts R14.8
}

// MayHandOver says whether a card may be given to a person: it lies in the
// office and was not given before, the person is one who may collect it by
// age (table 7, R02.8), and a new citizen has surrendered the residence
// permit (R14.8).
func (r *Reference) MayHandOver(q HandOverAsk) error {
	if err := r.known(q.Office); err != nil {
		return err
	}
	switch q.Visit.State {
	case StateReady:
	case StateHandedOver:
		return refuse("R17", "already-handed-over")
	case StateFiled:
		return refuse("R17", "not-ready")
	default:
		return refuse("R17", "not-filed")
	}
	q = q.complete()
	if err := r.mayCollect(q); err != nil {
		return err
	}
	if q.Reason == citizenshipReason && !q.Permit && r.read(q.Answers, nil)[keyPermit] != answeredNo {
		return refuse("R14.8", "permit-not-surrendered")
	}
	return nil
}

// complete takes from the visit what the ask leaves open.
func (q HandOverAsk) complete() HandOverAsk {
	if q.Birth == 0 && q.Visit.Filed != nil {
		q.Birth = q.Visit.Filed.Birth
	}
	if q.Reason == "" && q.Visit.Booked != nil {
		q.Reason = q.Visit.Booked.Reason
	}
	return q
}

func (r *Reference) mayCollect(q HandOverAsk) error {
	var product Product
	if q.Visit.Filed != nil {
		product = q.Visit.Filed.Product
	}
	var titles, rules []string
	for _, c := range r.Collectors(q.Office, product, q.Birth, q.Today) {
		if c.To == q.To {
			return nil
		}
		titles, rules = append(titles, c.Title), append(rules, c.Rule)
	}
	rule := "R02.8"
	if len(rules) > 0 {
		rule = rules[0]
	}
	return refuse(rule, "collector-not-allowed", "to", strconv.Quote(q.To), "allowed", strings.Join(titles, ", "))
}

// HandOverNotes are what the clerk should know before giving a card: it is
// outside the hours for it (H03, G07), or was to be collected elsewhere (T04).
func (r *Reference) HandOverNotes(q HandOverAsk) []Note {
	var out []Note
	if h, err := r.Hours(q.Office, q.Today); err == nil && !h.Open(HoursPickup, q.Now) {
		out = append(out, Note{"H03", "outside-pickup-hours", "cards are not given out at this hour", "În afara programului de eliberare a actelor.", nil})
	}
	if f := q.Visit.Filed; f != nil && f.Pickup != "" && f.Pickup != q.Office {
		out = append(out, Note{"T04", "pickup-elsewhere", "the card was to be collected at " + string(f.Pickup), "S-a cerut ridicarea actului de la alt serviciu.", nil})
	}
	return out
}
