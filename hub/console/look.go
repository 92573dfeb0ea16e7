package console

import (
	"cmp"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"condica/hub"
	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/code"
	"condica/spclep/record"
)

func (p *pages) offices(w http.ResponseWriter, r *http.Request) error {
	offices, err := p.hub.Offices(r.Context())
	if err != nil {
		return err
	}
	return p.show(w, http.StatusOK, "offices", frame{Title: "Oficii", Body: offices})
}

// officePage is one office on one day.
type officePage struct {
	Office   spclep.Office
	Day      spclep.Day
	Previous spclep.Day
	Next     spclep.Day
	Hours    spclep.DayHours
	Rows     []record.Row
	PCs      []pcRow
	Cloned   []store.Device // PCs whose key two machines use
	Alike    []hub.Alike    // registration numbers that several applications carry
	Ill      bool           // a PC's disk is to be looked at
	Relayed  int            // edits that PCs brought back
	Gone     int            // authors that are known only by them
	Reasons  []spclep.ReasonInfo
	Free     []spclep.Minute
	Asked    hub.BookAsk // what the form already says
	Refused  string      // why it was not booked
}

type pcRow struct {
	store.Device
	Says hub.Health
	Ill  bool // its disk is to be looked at
}

func (p *pages) office(w http.ResponseWriter, r *http.Request) error {
	o, err := p.which(r)
	if err != nil {
		return err
	}
	day := p.hub.Rules(o.ID).NextWorkingDay(o.ID, p.hub.Today())
	if s := r.FormValue("day"); s != "" {
		if day, err = spclep.ParseDay(s); err != nil {
			return errNotHere
		}
	}
	return p.showOffice(w, r, http.StatusOK, o, hub.BookAsk{Day: day}, "")
}

func (p *pages) showOffice(w http.ResponseWriter, r *http.Request, status int, o spclep.Office, asked hub.BookAsk, refused string) (err error) {
	v := officePage{Office: o, Day: asked.Day, Previous: asked.Day.Add(-1), Next: asked.Day.Add(1), Asked: asked, Refused: refused}
	if v.Hours, err = p.hub.Rules(o.ID).Hours(o.ID, v.Day); err != nil {
		return err
	}
	if v.Rows, err = p.hub.Store.Rows(r.Context(), string(o.ID), store.Filter{Day: v.Day}); err != nil {
		return err
	}
	if v.Free, err = p.hub.Free(r.Context(), o.ID, v.Day); err != nil {
		return err
	}
	devices, err := p.hub.Store.Devices(r.Context(), string(o.ID))
	if err != nil {
		return err
	}
	for _, d := range devices {
		switch {
		case d.Kind == store.PC:
			row := pcRow{d, hub.HealthOf(d), p.hub.IllDisk(d)}
			v.PCs, v.Ill = append(v.PCs, row), v.Ill || row.Ill
		case d.Kind == store.Gone && d.RevokedMs == 0 && d.RetiredMs == 0:
			v.Gone++
		}
		if hub.StillCloned(d, devices) {
			v.Cloned = append(v.Cloned, d)
		}
	}
	if v.Alike, err = p.hub.TwoAlike(r.Context(), o.ID); err != nil {
		return err
	}
	if v.Relayed, err = p.hub.Store.Relayed(r.Context(), string(o.ID)); err != nil {
		return err
	}
	v.Reasons = slices.DeleteFunc(p.hub.Rules(o.ID).Reasons(o.ID, v.Day), func(i spclep.ReasonInfo) bool { return !i.Bookable })
	return p.show(w, status, "office", frame{Title: o.Name, Body: v})
}

// book makes the booking of the form, or shows the form again with the reason
// why not.
func (p *pages) book(w http.ResponseWriter, r *http.Request) error {
	o, err := p.which(r)
	if err != nil {
		return err
	}
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	ask := hub.BookAsk{
		Office: o.ID, Reason: spclep.Reason(r.PostFormValue("reason")), Name: strings.TrimSpace(r.PostFormValue("name")),
		Email: strings.TrimSpace(r.PostFormValue("email")), Consent: r.PostFormValue("consent") == "yes", By: "hub",
	}
	if ask.Day, err = spclep.ParseDay(r.PostFormValue("day")); err != nil {
		return errNotHere
	}
	if ask.At, err = spclep.ParseMinute(r.PostFormValue("at")); err != nil {
		return p.showOffice(w, r, http.StatusUnprocessableEntity, o, ask, "Alegeți o oră liberă.")
	}
	b, err := p.hub.Book(r.Context(), ask)
	if refusal, ok := spclep.Refused(err); ok {
		return p.showOffice(w, r, http.StatusUnprocessableEntity, o, ask, cmp.Or(refusal.Text, refusal.Say)+" ("+refusal.Rule+")")
	}
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/booking/"+string(o.ID)+"/"+string(b.ID), http.StatusSeeOther)
	return nil
}

// bookingPage is all that is held of one booking.
type bookingPage struct {
	Office  spclep.Office
	Booking record.Booking
	Alike   []spclep.BookingID // whose applications carry its registration number too
	Code    string
	Picture template.HTML
	Lines   []hub.Line
}

func (p *pages) booking(w http.ResponseWriter, r *http.Request) error {
	o, err := p.which(r)
	if err != nil {
		return err
	}
	id, err := code.ParseID(r.PathValue("id"))
	if err != nil {
		return errNotHere
	}
	v := bookingPage{Office: o}
	var entries []store.Entry
	if v.Booking, entries, err = p.hub.Booking(r.Context(), o.ID, id); err != nil {
		return err
	}
	for _, e := range entries {
		v.Lines = append(v.Lines, hub.LineOf(e))
	}
	alike, err := p.hub.TwoAlike(r.Context(), o.ID)
	if err != nil {
		return err
	}
	for _, a := range alike {
		v.Alike = append(v.Alike, a.Others(id)...)
	}
	if v.Booking.Visit.Booked != nil && v.Booking.Visit.Booked.Origin == "" {
		if v.Code, err = p.hub.CodeOf(o.ID, v.Booking); err != nil {
			return err
		}
		svg, err := code.SVG(v.Code)
		if err != nil {
			return err
		}
		v.Picture = template.HTML(svg) // drawn here from squares; holds no text of anybody's
	}
	return p.show(w, http.StatusOK, "booking", frame{Title: string(id), Body: v})
}

// logPage is the end of an office's history.
type logPage struct {
	Office spclep.Office
	Lines  []hub.Line
	Left   int64 // ops before those shown
}

const maxLines = 500

func (p *pages) log(w http.ResponseWriter, r *http.Request) error {
	o, err := p.which(r)
	if err != nil {
		return err
	}
	heads, err := p.hub.Store.Heads(r.Context())
	if err != nil {
		return err
	}
	v := logPage{Office: o, Left: max(heads[string(o.ID)]-maxLines, 0)}
	if v.Lines, err = p.hub.History(r.Context(), o.ID, v.Left); err != nil {
		return err
	}
	slices.Reverse(v.Lines)
	return p.show(w, http.StatusOK, "log", frame{Title: "Jurnal " + o.Name, Body: v})
}
