package spclep

import (
	"fmt"
	"slices"
	"strings"
)

// A Reference is one numbered bundle of everything that varies: offices,
// reasons, checklists, fees, terms, hours, holidays. It is read-only once
// loaded, and every rule is a method on it.
type Reference struct {
	head     headRow
	layers   []layerRow // national first, then counties, then offices
	national *layerRow
	offices  []*layerRow
	over     map[string]int // settings that central IT has replaced
}

// Status says how sure a row is (the rule of representation in docs/rules.md).
const (
	Confirmed    = "confirmed"
	Assumed      = "assumed"
	Contradicted = "contradicted"
)

// An Office is one SPCLEP. Where it is on a day, Contact tells.
type Office struct {
	ID     OfficeID `json:"id"`
	Name   string   `json:"name"`
	County string   `json:"county,omitempty"`
	Code   uint16   `json:"code"`  // in the booking's QR
	Desks  int      `json:"desks"` // bookings per slot when nothing dated says otherwise; see Capacity (G02)
	Links  []Link   `json:"links,omitempty"`
}

// A Link is a page an office sends citizens to (X17).
type Link struct {
	ID    string `json:"id" yaml:"id,required"`
	Title string `json:"title" yaml:"title,required"`
	URL   string `json:"url" yaml:"url,required"`
}

// ReasonInfo is a reason as one office offers it on one day (table 5.0, B25).
type ReasonInfo struct {
	Code           Reason    `json:"code"`
	Short          string    `json:"short"` // "CEI_U14"
	Title          string    `json:"title"` // Romanian
	Bookable       bool      `json:"bookable"`
	BookableStatus string    `json:"bookable_status"`
	Rule           string    `json:"rule"`               // what says whether it can be booked
	Products       []Product `json:"products,omitempty"` // what may be asked for; the first is the default
	Status         string    `json:"status"`             // assumed where the office has no list of its own
	Source         string    `json:"source"`
}

// ProductInfo is a thing that is made for the person.
type ProductInfo struct {
	Code   Product `json:"code"`
	Title  string  `json:"title"`          // Romanian
	Family string  `json:"family"`         // "CEI", "CIS", "CI", "CIP", or "none" for what is not a card
	Proxy  bool    `json:"proxy"`          // may be asked for by special power of attorney (X05)
	Note   string  `json:"note,omitempty"` // Romanian
	Source string  `json:"source"`
	Status string  `json:"status"`
}

// A Note is something the clerk should know that stops nothing.
type Note struct {
	Rule string            `json:"rule"`
	Code string            `json:"code"`
	Say  string            `json:"say"`            // English
	Text string            `json:"text"`           // Romanian
	Args map[string]string `json:"args,omitempty"` // what Say and Text speak of
}

// Number is the bundle's number; a later bundle has a higher one.
func (r *Reference) Number() int { return r.head.Bundle }

// Issued is the day the bundle was issued.
func (r *Reference) Issued() Day { return r.head.Issued }

// Offices are all offices, in the bundle's order.
func (r *Reference) Offices() []Office {
	var out []Office
	for _, l := range r.offices {
		out = append(out, r.officeOf(l))
	}
	return out
}

// Office finds an office; an unknown one is an error that names the known.
func (r *Reference) Office(id OfficeID) (Office, error) {
	for _, l := range r.offices {
		if l.ID == string(id) {
			return r.officeOf(l), nil
		}
	}
	return Office{}, r.known(id)
}

func (r *Reference) officeOf(l *layerRow) Office {
	return Office{OfficeID(l.ID), l.Name, l.County, uint16(l.Code),
		r.Capacity(OfficeID(l.ID), r.head.Issued), slices.Clone(l.Links)}
}

// known is an error unless the bundle holds the office.
func (r *Reference) known(id OfficeID) error {
	var ids []string
	for _, l := range r.offices {
		if l.ID == string(id) {
			return nil
		}
		ids = append(ids, l.ID)
	}
	return fmt.Errorf("office %q is not in bundle %d, which holds %s", id, r.Number(), strings.Join(ids, ", "))
}

// layersOf are the layers that speak for an office, the narrowest first. For
// an unknown office the nation alone speaks.
func (r *Reference) layersOf(id OfficeID) []*layerRow {
	var out []*layerRow
	for _, l := range r.offices {
		if l.ID != string(id) || id == "" {
			continue
		}
		out = append(out, l)
		for i, c := range r.layers {
			if c.Layer == layerCounty && c.ID == l.County {
				out = append(out, &r.layers[i])
			}
		}
	}
	return append(out, r.national)
}

// Kinds of layer.
const (
	layerNational = "national"
	layerCounty   = "county"
	layerOffice   = "office"
)

// name is what sources and settings call a layer.
func (l *layerRow) name() string {
	if l.Layer == layerNational {
		return layerNational
	}
	return l.ID
}

// Reasons are what an office offers on a day, in the order of table 5.0.
func (r *Reference) Reasons(o OfficeID, day Day) []ReasonInfo {
	var out []ReasonInfo
	for _, row := range r.national.Reasons {
		offer, ok := r.offer(o, row.Code, day)
		if !ok {
			continue
		}
		info := ReasonInfo{Code: row.Code, Short: row.Short, Title: row.Title, Bookable: row.Bookable,
			BookableStatus: orElse(row.Booking.Status, row.status()), Rule: orElse(row.Booking.Rule, "B25"),
			Status: offer.status(), Source: orElse(offer.Source, row.Source)}
		for _, p := range row.Products {
			info.Products = append(info.Products, p.Code)
		}
		out = append(out, info)
	}
	return out
}

// offer is the row by which an office offers a reason on a day.
func (r *Reference) offer(o OfficeID, code Reason, day Day) (offerRow, bool) {
	for _, l := range r.layersOf(o) {
		for _, row := range l.Offers {
			if row.Reason == code && row.validOn(day) {
				return row, true
			}
		}
	}
	return offerRow{}, false
}

func (r *Reference) reason(code Reason) *reasonRow {
	for i, row := range r.national.Reasons {
		if row.Code == code {
			return &r.national.Reasons[i]
		}
	}
	return nil
}

// Products are all things that are made for a person.
func (r *Reference) Products() []ProductInfo {
	var out []ProductInfo
	for _, p := range r.national.Products {
		out = append(out, ProductInfo{p.Code, p.Title, p.Family, p.Proxy, p.Note, p.Source, p.status()})
	}
	return out
}

func (r *Reference) product(code Product) *productRow {
	for i, row := range r.national.Products {
		if row.Code == code {
			return &r.national.Products[i]
		}
	}
	return nil
}

// familyOf is the family of a product, "none" for an unknown one.
func (r *Reference) familyOf(code Product) string {
	if p := r.product(code); p != nil {
		return p.Family
	}
	return "none"
}

// A Matter is something the sources leave unclear: a contradiction between
// them (X01 to X21) or a gap (G01 to G12), and how this bundle holds it.
type Matter struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Held   string `json:"held"`
	Source string `json:"source"`
	Status string `json:"status"`
}

// Matters are all contradictions and gaps, for the IT console.
func (r *Reference) Matters() []Matter {
	var out []Matter
	for _, l := range r.layers {
		for _, row := range append(slices.Clone(l.Contradictions), l.Gaps...) {
			out = append(out, Matter{row.ID, row.Title, row.Held, row.Source, row.status()})
		}
	}
	return out
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
