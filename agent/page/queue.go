package page

import (
	"cmp"
	"net/http"
	"strings"

	"condica/agent/desk"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/op"
)

// queued is one op on its way to the hub.
type queued struct {
	When, By string
	What     parts
	ID       spclep.BookingID
	Name     string
	State    string // key under queue.
	Reason   string // why it was refused
	Hub      string // the same in the hub's words
	Op       string // its id, where a person has to close it
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
		DrawnFor                string
		Sent                    bool
		Unsent, Refused, Closed int
		Items                   []queued
		Carry                   carryPart
	}{drawnFor(r), st.Sent(), st.Unsent, st.Refused, st.Closed, items, p.carryPart(r, st)}})
	return nil
}

func (p *pages) queued(d desk.Desk, b record.Booking, o localdb.Outgoing) queued {
	q := queued{When: p.stamp(o.Eff.Ms()), What: p.line(d, b, o.Entry), By: by(o.Entry), ID: b.ID, Name: b.Name, State: outgoingState(o)}
	switch {
	case q.State == "accepted":
		q.State = afterwards(b, o.Entry)
	case o.Verdict != "":
		why, _, _ := strings.Cut(o.Say, ": ")
		q.Reason, q.Hub = p.orKey("queue.why.", why), o.Say
		if q.Reason == why {
			q.Reason = p.words.t("queue.why")
		}
		if !o.Closed {
			q.Op = o.ID.String()
		}
	}
	return q
}

func outgoingState(o localdb.Outgoing) string {
	switch {
	case o.Closed:
		return "closed"
	case o.Verdict != "":
		return o.Verdict
	case o.Pos > 0:
		return "accepted"
	case o.Sealed:
		return "sent"
	}
	return "unsent"
}

// afterwards says what became of an op that the hub has accepted: another PC's
// edit stands in its place, or it is one of two of the same.
func afterwards(b record.Booking, e op.Entry) string {
	for _, c := range b.Conflicts() {
		if c.Loser.ID == e.ID {
			return "lost"
		}
	}
	for _, f := range b.Visit.Doubles {
		if f.Action == e.ActionID().String() && f.Name == e.Cell.Field {
			return "double"
		}
	}
	return "accepted"
}

// closeRefused notes that a person has looked at an op that the hub will never
// take.
func (p *pages) closeRefused(w http.ResponseWriter, r *http.Request) error {
	if err := stillTheirs(r); err != nil {
		return err
	}
	id, err := op.ParseID(r.PostForm.Get("operatie"))
	if err != nil || id.Device != p.office.Device() {
		return &halt{http.StatusBadRequest, "halt.form"}
	}
	why := clean(r.PostForm.Get("motiv"))
	if why == "" || len(why) > maxText {
		return &halt{http.StatusUnprocessableEntity, "queue.no-reason"}
	}
	if _, err := p.office.DB().CloseRefused(r.Context(), id, p.author(r), why); err != nil {
		return err
	}
	http.Redirect(w, r, "/coada?facut=inchis", http.StatusSeeOther)
	return nil
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
