package spclep

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// A DueAsk is an application whose due day is asked.
type DueAsk struct {
	Office  OfficeID
	Product Product
	Filed   Day      // day of registration
	Pickup  OfficeID // "" is the office of filing
}

// Due is when the card must be there, and how that was reckoned.
type Due struct {
	By           Day    `json:"by"`
	EstimateFrom Day    `json:"estimate_from,omitempty"` // T06
	EstimateTo   Day    `json:"estimate_to,omitempty"`
	Steps        []Step `json:"steps"`
}

// A Step is one term of a Due.
type Step struct {
	Rule   string `json:"rule"`
	N      int    `json:"n"`
	Unit   string `json:"unit"`  // "calendar-day" or "working-day"
	Until  Day    `json:"until"` // where the term ends
	Status string `json:"status"`
}

// Keys and units of terms.
const (
	termDecide    = "decide"           // T01
	termExtend    = "extend"           // T02
	termHandover  = "handover"         // T03
	termElsewhere = "pickup-elsewhere" // T04
	termEstimate  = "estimate"         // T06
	termExtract   = "land-extract"     // T07

	CalendarDay = "calendar-day"
	WorkingDay  = "working-day"
)

// term finds a term for a family of cards; the narrower layer wins.
func (r *Reference) term(key string, o OfficeID, family string, d Day) *termRow {
	for _, l := range r.layersOf(o) {
		for i, t := range l.Terms {
			if t.Key == key && t.validOn(d) && (len(t.Families) == 0 || slices.Contains(t.Families, family)) {
				return &l.Terms[i]
			}
		}
	}
	return nil
}

// Due says by when an application filed on a day must be answered (T01), a CIS
// handed over (T03), and a CEI ready at another office (T04, added to T01);
// T05 refuses another office for everything else. The estimate is the
// office's own (T06) and binds nobody. Working days are those of the office of
// filing.
func (r *Reference) Due(q DueAsk) (Due, error) {
	if err := r.known(q.Office); err != nil {
		return Due{}, err
	}
	if q.Filed == 0 {
		return Due{}, errors.New("the day of registration is missing")
	}
	if q.Product != "" && r.product(q.Product) == nil {
		return Due{}, fmt.Errorf("product %q is not in bundle %d", q.Product, r.Number())
	}
	var due Due
	family := r.familyOf(q.Product)
	due.By = r.step(&due, r.term(termDecide, q.Office, family, q.Filed), q.Office, q.Filed)
	due.By = max(due.By, r.step(&due, r.term(termHandover, q.Office, family, q.Filed), q.Office, q.Filed))
	if q.Pickup != "" && q.Pickup != q.Office {
		return r.dueElsewhere(due, q, family)
	}
	if t := r.term(termEstimate, q.Office, family, q.Filed); t != nil {
		due.EstimateFrom, due.EstimateTo = r.after(q.Office, q.Filed, t.N, t.Unit), r.after(q.Office, q.Filed, max(t.N, t.Max), t.Unit)
	}
	return due, nil
}

func (r *Reference) dueElsewhere(due Due, q DueAsk, family string) (Due, error) {
	if err := r.known(q.Pickup); err != nil {
		return Due{}, err
	}
	t := r.term(termElsewhere, q.Office, family, q.Filed)
	if t == nil {
		return Due{}, refuse("T05", "pickup-elsewhere", "product", string(q.Product))
	}
	due.By = r.step(&due, t, q.Office, due.By)
	return due, nil
}

// step adds one term to a Due and gives its end; no term ends at once.
func (r *Reference) step(due *Due, t *termRow, o OfficeID, from Day) Day {
	if t == nil {
		return from
	}
	until := r.after(o, from, t.N, t.Unit)
	due.Steps = append(due.Steps, Step{t.Rule, t.N, t.Unit, until, t.status()})
	return until
}

func (r *Reference) after(o OfficeID, from Day, n int, unit string) Day {
	if unit == WorkingDay {
		return r.AddWorkingDays(o, from, n)
	}
	return from.Add(n)
}

// Extend moves a due day by the head of service's 1 to 15 days (T02).
func (r *Reference) Extend(due Day, days int) (Day, error) {
	most := 15
	if t := r.term(termExtend, "", familyNone, due); t != nil {
		most = t.N
	}
	if days < 1 || days > most {
		return due, refuse("T02", "extension-days", "n", strconv.Itoa(days), "max", strconv.Itoa(most))
	}
	return due.Add(days), nil
}

// LandExtract says whether a land-registry extract may be taken at a filing
// (R01.8, T07): issued at most 30 days before, both ends counted, and not
// after it.
func (r *Reference) LandExtract(issued, filing Day) error {
	most := 30
	if t := r.term(termExtract, "", familyNone, filing); t != nil {
		most = t.N
	}
	old := int(filing) - int(issued)
	switch {
	case issued == 0:
		return refuse("R01.8", "extract-day-missing")
	case old < 0:
		return refuse("R01.8", "extract-from-future", "issued", issued.RO(), "filing", filing.RO())
	case old > most:
		return refuse("R01.8", "extract-too-old", "issued", issued.RO(), "n", strconv.Itoa(old), "max", strconv.Itoa(most))
	}
	return nil
}
