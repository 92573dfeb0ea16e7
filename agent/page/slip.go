package page

import (
	"html/template"
	"net/http"

	"condica/spclep"
	"condica/spclep/code"
)

// slipPage is what a person is given for collecting the card.
type slipPage struct {
	ID                                 spclep.BookingID
	Name, Number, Product, Filed, Due  string
	Office, Address, Pickup, PrintedAt string
	Hours                              string
	Bundle                             int
	Code                               template.HTML
}

// slip is the printable slip of an application.
func (p *pages) slip(w http.ResponseWriter, r *http.Request) error {
	id, err := bookingID(r)
	if err != nil {
		return err
	}
	d, m, err := p.office.Here(r.Context())
	if err != nil {
		return err
	}
	b, err := p.office.DB().Booking(r.Context(), id)
	if err != nil {
		return err
	}
	filed := b.Visit.Filed
	if filed == nil {
		return &halt{http.StatusNotFound, "halt.slip"}
	}
	svg, err := code.SVG(code.Slip(id))
	if err != nil {
		return err
	}
	here, err := d.Ref.Office(d.Office)
	if err != nil {
		return err
	}
	pickup := d.Office
	if filed.Pickup != "" {
		pickup = filed.Pickup
	}
	p.show(w, r, http.StatusOK, "slip", view{Title: p.words.t("slip.title", filed.Number), Body: slipPage{
		ID: id, Name: b.Name, Number: filed.Number, Product: p.product(filed.Product), Filed: filed.Day.RO(), Due: b.Visit.Due.RO(),
		Office: here.Name, Address: here.Address, Pickup: p.officeName(pickup), PrintedAt: p.stamp(m.Ms),
		Hours: p.pickupHours(pickup, b.Visit.Due), Bundle: filed.Bundle,
		Code: template.HTML(svg), // drawn by package code from an id of 8 symbols
	}})
	return nil
}

// pickupHours are the hours for collecting at an office in a week of the due
// day, as far as the bundle knows them.
func (p *pages) pickupHours(o spclep.OfficeID, due spclep.Day) string {
	ref := p.office.Reference()
	var out []string
	for day := due; day < due+7; day++ {
		h, err := ref.Hours(o, day)
		if err == nil && !h.Closed {
			if text := hours(h, spclep.HoursPickup); text != "" {
				out = append(out, text)
			}
		}
	}
	if len(out) == 0 {
		return ""
	}
	return out[0]
}
