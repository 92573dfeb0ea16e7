package spclep

import (
	"fmt"
	"slices"
)

// A Fee is what one product costs on one day.
type Fee struct {
	Product Product    `json:"product"`
	Bani    *int       `json:"bani"` // hundredths of a leu; nil where no source gives it
	Text    string     `json:"text"` // Romanian: "70 lei", "gratuit", "întrebați la ghișeu"
	Places  []PayPlace `json:"places,omitempty"`
	Rule    string     `json:"rule"`
	Source  string     `json:"source,omitempty"`
	Status  string     `json:"status"`
	From    Day        `json:"from,omitempty"` // valid from this day
	To      Day        `json:"to,omitempty"`   // until the day before this one
}

// A PayPlace is where a fee is paid (P01 to P05).
type PayPlace struct {
	ID    string `json:"id"`
	Title string `json:"title"` // Romanian
}

// askAtDesk stands where no source gives an amount. It is never "gratuit".
const askAtDesk = "întrebați la ghișeu"

// Fee is what the product of an ask costs on its day (F01 to F08): by card
// product and not by reason (X04), by the row in force that day (X02, X03).
func (r *Reference) Fee(a Ask) (Fee, error) {
	if err := r.known(a.Office); err != nil {
		return Fee{}, err
	}
	if _, ok := r.offer(a.Office, a.Reason, a.Day); !ok || r.reason(a.Reason) == nil {
		return Fee{}, refuse("B25", "reason-not-offered", "reason", string(a.Reason))
	}
	answers := r.read(a.Answers, nil)
	product, err := r.productFor(a, answers)
	if err != nil {
		return Fee{}, err
	}
	a.Product = product
	return r.feeOf(a), nil
}

// feeOf is the fee of a settled product.
func (r *Reference) feeOf(a Ask) Fee {
	for _, l := range r.layersOf(a.Office) {
		for _, row := range l.Fees {
			if row.Product == a.Product && row.validOn(a.Day) {
				return Fee{a.Product, row.Bani, lei(row.Bani), r.places(a, row.Bani), row.Rule, row.Source, row.status(), row.Since, row.Until}
			}
		}
	}
	return Fee{Product: a.Product, Text: askAtDesk, Rule: string(a.Reason), Status: Assumed}
}

// places are where a fee is paid; nowhere, if it is known that nothing is due.
func (r *Reference) places(a Ask, bani *int) []PayPlace {
	if bani != nil && *bani == 0 {
		return nil
	}
	var out []PayPlace
	for _, l := range r.layersOf(a.Office) {
		for _, p := range l.Places {
			if p.validOn(a.Day) && slices.Contains(p.Families, r.familyOf(a.Product)) {
				out = append(out, PayPlace{p.ID, p.Title})
			}
		}
	}
	return out
}

func lei(bani *int) string {
	switch {
	case bani == nil:
		return askAtDesk
	case *bani == 0:
		return "gratuit"
	case *bani == 100:
		return "1 leu"
	case *bani%100 == 0:
		return fmt.Sprintf("%d lei", *bani/100)
	}
	return fmt.Sprintf("%d,%02d lei", *bani/100, *bani%100)
}
