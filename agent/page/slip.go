package page

import (
	"html/template"
	"net/http"

	"condica/agent/desk"
	"condica/spclep"
	"condica/spclep/code"
	"condica/spclep/record"
)

// slipPage is what a person is given for collecting the card.
type slipPage struct {
	head
	ID                                spclep.BookingID
	Strip                             bool // of 80 mm, or else half a sheet of A4
	Long                              bool // a strip that names things in two languages, or where offices are
	Name, Number, Product, Filed, Due string
	Pickup                            string // where to collect
	PickupAt                          spclep.Contact
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
	paper, err := p.paperIn(r.URL.Query().Get(langField))
	if err != nil {
		return err
	}
	out := citizenPaper{printing: p.printingOf(r, b, spclep.PrintSlip, paper.words.lang), ID: id}
	body, err := paper.slipOf(d, b, m.Ms, out.Copy)
	if err != nil {
		return err
	}
	body.Strip = sheet(r) == sheetStrip
	if out.Sheet, err = paper.draw("slip", body); err != nil {
		return err
	}
	p.show(w, r, http.StatusOK, "slip", view{Title: p.titled(p.words.t("slip.title", filed.Number), out.printing), Body: out})
	return nil
}

// slipOf fills the slip in, with the office of collecting as it is on the day of
// collecting.
func (p *pages) slipOf(d desk.Desk, b record.Booking, ms int64, copy int) (slipPage, error) {
	svg, err := code.SVG(code.Slip(b.ID))
	if err != nil {
		return slipPage{}, err
	}
	filed, due := b.Visit.Filed, b.Visit.Due
	pickup := d.Office
	if filed.Pickup != "" {
		pickup = filed.Pickup
	}
	out := slipPage{
		head: p.head(d.Office, ms, filed.Bundle, copy),
		ID:   b.ID, Name: b.Name, Number: filed.Number, Product: p.product(filed.Product), Filed: filed.Day.RO(), Due: due.RO(),
		Pickup: p.officeName(pickup), PickupAt: p.contact(pickup, due), Hours: p.week(pickup, due, spclep.HoursPickup),
		Code: template.HTML(svg), // drawn by package code from an id of 8 symbols
	}
	out.Long = p.words.lang != languages[0] || out.Contact != spclep.Contact{} || out.PickupAt != spclep.Contact{}
	return out, nil
}
