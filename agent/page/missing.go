package page

import (
	"context"
	"net/http"
	"slices"

	"condica/agent/office"
	"condica/spclep"
)

// missingPage is the note that a person takes home: what is missing, and what
// to do next.
type missingPage struct {
	head
	ID                 spclep.BookingID
	Strip              bool
	Name, Reason, When string
	Away               bool // the visit has ended; or else the person stands at the desk
	Papers             []missingPaper
	Note               string // the clerk's
	Fee                spclep.Fee
	Links              []spclep.Link
	Booked, WalkIn     []string // hours for applications with and without a booking
}

// missingPaper is a paper to bring, with what of it was there.
type missingPaper struct {
	spclep.Paper
	Had string // what was seen of it; empty: nothing
}

// missingNote is the printable note.
func (p *pages) missingNote(w http.ResponseWriter, r *http.Request) error {
	id, err := bookingID(r)
	if err != nil {
		return err
	}
	paper, err := p.paperIn(r.URL.Query().Get(langField))
	if err != nil {
		return err
	}
	body, err := paper.missing(r.Context(), id)
	if err != nil {
		return err
	}
	b, err := p.office.DB().Booking(r.Context(), id)
	if err != nil {
		return err
	}
	out := citizenPaper{printing: p.printingOf(r, b, spclep.PrintMissing, paper.words.lang), ID: id}
	body.Copy, body.Strip = out.Copy, sheet(r) == sheetStrip
	if out.Sheet, err = paper.draw("missing", body); err != nil {
		return err
	}
	p.show(w, r, http.StatusOK, "missing", view{Title: p.titled(p.words.t("missing.title", b.Name), out.printing), Body: out})
	return nil
}

// missing gathers the note; a visit on which no paper is missing has none.
func (p *pages) missing(ctx context.Context, id spclep.BookingID) (missingPage, error) {
	d, m, err := p.office.Here(ctx)
	if err != nil {
		return missingPage{}, err
	}
	v, err := p.office.Visit(ctx, id)
	if err != nil {
		return missingPage{}, err
	}
	papers := p.missingPapers(v)
	if len(papers) == 0 {
		return missingPage{}, &halt{http.StatusNotFound, "halt.missing"}
	}
	out := missingPage{
		head: p.head(d.Office, m.Ms, d.Ref.Number(), 1), ID: id, Name: v.Name, Reason: v.Reason.Title, Papers: papers, Fee: v.Fee,
		Away:   v.Booking.Visit.State == spclep.StateSentAway,
		Booked: p.week(d.Office, v.Today, spclep.HoursBooked), WalkIn: p.week(d.Office, v.Today, spclep.HoursWalkIn),
	}
	if k := v.Booking.Visit.Booked; k != nil {
		out.When = p.words.t("day.when", p.weekday(k.Day), k.Day.RO(), k.At.String())
	}
	if out.Away {
		out.Note = v.Booking.Visit.SentAway.Note
	}
	if here, err := d.Ref.Office(d.Office); err == nil {
		out.Links = here.Links
	}
	return out, nil
}

// missingPapers are those the person was sent away for, or those not seen yet
// of a person at the desk. A paper that the rules no longer ask for keeps its
// number.
func (p *pages) missingPapers(v office.Visit) (out []missingPaper) {
	add := func(item spclep.Paper) {
		line := missingPaper{Paper: item}
		if t := v.Ticks[item.ID]; tickText(t) != "" {
			line.Had = p.tickWords(t)
		}
		out = append(out, line)
	}
	at := v.Booking.Visit
	if at.State == spclep.StateArrived {
		for _, item := range v.Missing {
			add(item)
		}
	}
	if at.State != spclep.StateSentAway {
		return out
	}
	for _, id := range at.SentAway.Missing {
		i := slices.IndexFunc(v.List.Papers, func(item spclep.Paper) bool { return item.ID == id })
		if i < 0 {
			add(spclep.Paper{ID: id, Title: id, Form: spclep.Unstated, Quantity: 1})
			continue
		}
		add(v.List.Papers[i])
	}
	return out
}
