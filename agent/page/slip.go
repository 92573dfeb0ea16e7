package page

import (
	"html/template"
	"net/http"

	"condica/spclep"
	"condica/spclep/code"
)

// slipPage is what a person is given for collecting the card.
type slipPage struct {
	head
	printing
	ID                                spclep.BookingID
	Strip                             bool // of 80 mm, or else half a sheet of A4
	Name, Number, Product, Filed, Due string
	Pickup, PickupAt                  string   // where to collect
	Hours                             []string // and when
	Code                              template.HTML
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
	pickup := d.Office
	if filed.Pickup != "" {
		pickup = filed.Pickup
	}
	at := p.head(pickup, m.Ms, filed.Bundle)
	p.show(w, r, http.StatusOK, "slip", view{Title: p.words.t("slip.title", filed.Number), Body: slipPage{
		head: p.head(d.Office, m.Ms, filed.Bundle), printing: p.printingOf(r, b, spclep.PrintSlip), Strip: sheet(r) == sheetStrip,
		ID: id, Name: b.Name, Number: filed.Number, Product: p.product(filed.Product), Filed: filed.Day.RO(), Due: b.Visit.Due.RO(),
		Pickup: at.Office, PickupAt: at.Address, Hours: p.week(pickup, b.Visit.Due, spclep.HoursPickup),
		Code: template.HTML(svg), // drawn by package code from an id of 8 symbols
	}})
	return nil
}
