package page

import (
	"cmp"
	"net/http"

	"condica/agent/desk"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
)

// queued is one op on its way to the hub.
type queued struct {
	When, What, By string
	ID             spclep.BookingID
	Name           string
	State          string // key under queue.
	Reason         string // why it was refused, in the hub's words
}

const maxQueue = 200

// queue shows every own edit and what became of it.
func (p *pages) queue(w http.ResponseWriter, r *http.Request) error {
	d, err := p.office.Desk(r.Context())
	if err != nil {
		return err
	}
	st, err := p.office.Status(r.Context())
	if err != nil {
		return err
	}
	outgoing, err := p.office.DB().Queue(r.Context(), maxQueue)
	if err != nil {
		return err
	}
	bookings := map[string]record.Booking{}
	items := make([]queued, len(outgoing))
	for i, o := range outgoing {
		b, held := bookings[o.Cell.Entity]
		if !held {
			if b, err = p.office.DB().Booking(r.Context(), spclep.BookingID(o.Cell.Entity)); err != nil {
				return err
			}
			bookings[o.Cell.Entity] = b
		}
		items[i] = p.queued(d, b, o)
	}
	p.show(w, r, http.StatusOK, "queue", view{Title: p.words.t("queue.title"), Nav: "queue", Body: struct {
		Sent            bool
		Unsent, Refused int
		Items           []queued
	}{st.Sent(), st.Unsent, st.Refused, items}})
	return nil
}

func (p *pages) queued(d desk.Desk, b record.Booking, o localdb.Outgoing) queued {
	return queued{
		When: p.stamp(o.Eff.Ms()), What: p.line(d, b, o.Entry), By: o.By, ID: b.ID, Name: b.Name,
		State: outgoingState(o), Reason: o.Say,
	}
}

func outgoingState(o localdb.Outgoing) string {
	switch {
	case o.Verdict != "":
		return o.Verdict
	case o.Pos > 0:
		return "accepted"
	case o.Sealed:
		return "sent"
	}
	return "unsent"
}

// help is the short help, with what every state means.
func (p *pages) help(w http.ResponseWriter, r *http.Request) error {
	desk := cmp.Or(p.office.Rules().Settings.Texts.HelpDesk, p.o.HelpDesk, p.words.t("help.desk"))
	p.show(w, r, http.StatusOK, "help", view{Title: p.words.t("help.title"), Nav: "help", Body: struct {
		States   []spclep.State
		HelpDesk string
	}{states(), desk}})
	return nil
}
