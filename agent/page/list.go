package page

import (
	"net/http"

	"condica/agent/desk"
	"condica/agent/office"
	"condica/spclep"
	"condica/spclep/record"
)

// Lines for writing by hand while the PC is off: at least so many.
const (
	minBlank   = 5
	minWalkIns = 5
)

// listPage is the day on paper: what a desk needs to go on through a power cut.
type listPage struct {
	head
	beside
	Closed     string
	Rows       []listRow
	Blank      []int  // numbers of the empty lines for new bookings
	WalkIns    []int  // and of those for people without one
	WalkInOpen string // their hours; empty: none on that day
}

// dayList is the printable list of a day.
func (p *pages) dayList(w http.ResponseWriter, r *http.Request) error {
	d, m, err := p.office.Here(r.Context())
	if err != nil {
		return err
	}
	day, err := dayOf(r.URL.Query().Get("zi"), d.Today(m))
	if err != nil {
		return err
	}
	rows, err := p.office.DB().Day(r.Context(), day)
	if err != nil {
		return err
	}
	out := listScreen{officePaper: officePaper{beside: p.beside(d, day, d.Today(m))}}
	if out.printing, err = p.printingList(r, printedDay, "/lista", day); err != nil {
		return err
	}
	paper := p.official()
	body := listPage{head: paper.head(d.Office, m.Ms, d.Ref.Number(), out.Copy), beside: paper.beside(d, day, d.Today(m))}
	if body.Rows, err = paper.rows(r, d, m, rows); err != nil {
		return err
	}
	if err := body.byHand(d, m, day, rows); err != nil {
		return err
	}
	out.Blank, out.WalkIns = len(body.Blank), len(body.WalkIns)
	if out.Sheet, err = paper.draw("list", body); err != nil {
		return err
	}
	p.show(w, r, http.StatusOK, "list", view{Title: p.words.t("list.title", day.RO()), Nav: "day", Body: out})
	return nil
}

// listScreen is the screen around it.
type listScreen struct {
	officePaper
	Blank, WalkIns int // empty lines
}

// byHand adds the empty lines: as many as people could still be booked, for the
// rest of a day that has begun.
func (b *listPage) byHand(d desk.Desk, m desk.Moment, day spclep.Day, rows []record.Row) error {
	h, err := d.Ref.Hours(d.Office, day)
	if err != nil {
		return err
	}
	b.Closed, b.WalkInOpen = h.Why, hours(h, spclep.HoursWalkIn)
	from, free := spclep.Minute(0), 0
	if day == d.Today(m) {
		from = d.Clock(m)
	}
	if day >= d.Today(m) {
		if free, err = office.FreePlaces(d, day, from, rows); err != nil {
			return err
		}
	}
	b.Blank = lines(len(b.Rows), max(free, minBlank))
	b.WalkIns = lines(len(b.Rows)+len(b.Blank), minWalkIns)
	return nil
}

// lines are the numbers of n lines after another.
func lines(after, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = after + i + 1
	}
	return out
}

// Line is the number of the booking at a place, from 1: a page that was lost is
// missed.
func (listPage) Line(i int) int { return i + 1 }
