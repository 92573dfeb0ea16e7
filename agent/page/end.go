package page

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"condica/agent/desk"
	"condica/agent/office"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/code"
	"condica/spclep/record"
)

// endPage is the end of a day: what was done, who did not come, what was not
// sent.
type endPage struct {
	head
	officePaper
	office.DayEnd
	Filed, Away   []figure // in words
	AtDesk        string   // empty: not known
	Late, Absent  []absent // proposed; noted
	Lost          bool     // nobody knows what time it is, so nobody is shown as late
	Person        int      // bookings on which something waits for a person
	Sent          bool
	Unsent        int
	Refused       int
	Since         string // when the oldest of them was written
	Pending       []pending
	Numbers       int    // registration numbers left to this PC from the hub
	LastRO, LastZ string // the latest day with bookings that were overlooked
}

// figure is a count with what is counted.
type figure struct {
	What string
	N    int
}

// absent is a person who had a booking and did not come.
type absent struct {
	ID       spclep.BookingID
	At       spclep.Minute
	Name     string
	Reason   spclep.Reason
	Title    string // of the reason
	Chosen   bool
	When, By string // who noted it
}

// pending is a booking with ops that the hub has not accepted.
type pending struct {
	localdb.Pending
	Since string
}

// end is the day's end.
func (p *pages) end(w http.ResponseWriter, r *http.Request) error {
	done := ""
	if n, err := strconv.Atoi(r.URL.Query().Get("notati")); err == nil && n > 0 {
		done = p.words.n("end.noted", n)
	}
	q := r.URL.Query()
	return p.showEnd(w, r, http.StatusOK, ended{day: q.Get("zi"), done: done})
}

// ended is what the page says beside the day itself.
type ended struct {
	day      string // as 2006-01-02; empty: today
	done     string
	chosen   map[spclep.BookingID]bool // of the no-shows proposed; nil: all of them
	problems []problem
}

func (p *pages) showEnd(w http.ResponseWriter, r *http.Request, status int, e ended) error {
	d, m, err := p.office.Here(r.Context())
	if err != nil {
		return err
	}
	day, err := dayOf(e.day, d.Today(m))
	if err != nil {
		return err
	}
	body := endPage{}
	if body.DayEnd, err = p.office.DayEnd(r.Context(), day); err != nil {
		return err
	}
	if body.printing, err = p.printingList(r, printedEnd, "/sfarsit", day); err != nil {
		return err
	}
	if err := p.unsent(r.Context(), &body); err != nil {
		return err
	}
	on := p.official().endInWords(d, m, body, nil)
	body = p.endInWords(d, m, body, e.chosen)
	if body.Sheet, err = p.official().draw("end", on); err != nil {
		return err
	}
	p.show(w, r, status, "end", view{
		Title: p.words.t("end.title", day.RO()), Nav: "end", Here: "/sfarsit?zi=" + day.String(), Done: e.done, Problems: e.problems, Body: body,
	})
	return nil
}

// endInWords is the day's end in the language of these pages.
func (p *pages) endInWords(d desk.Desk, m desk.Moment, body endPage, chosen map[spclep.BookingID]bool) endPage {
	body.head, body.beside = p.head(d.Office, m.Ms, d.Ref.Number(), body.printing.Copy), p.beside(d, body.Day, d.Today(m))
	p.figures(&body)
	p.absentees(d, &body, chosen)
	return body
}

// figures puts the counts into words.
func (p *pages) figures(body *endPage) {
	for _, t := range body.DayEnd.Filed {
		body.Filed = append(body.Filed, figure{p.product(spclep.Product(t.Code)), t.N})
	}
	for _, t := range body.DayEnd.SentAway {
		body.Away = append(body.Away, figure{p.orKey("ground.", t.Code), t.N})
	}
	if body.Timed > 0 {
		body.AtDesk = p.span(body.DayEnd.AtDesk)
	}
	if body.Overlooked > 0 {
		body.LastRO, body.LastZ = body.Last.RO(), body.Last.String()
	}
}

// absentees are those to propose and those already noted.
func (p *pages) absentees(d desk.Desk, body *endPage, chosen map[spclep.BookingID]bool) {
	line := func(b record.Booking) absent {
		a := absent{ID: b.ID, Name: b.Name, Reason: b.Reason, Title: p.reason(d, body.DayEnd.Day, b.Reason).Title, Chosen: chosen == nil || chosen[b.ID]}
		if b.Visit.Booked != nil {
			a.At = b.Visit.Booked.At
		}
		return a
	}
	for _, b := range body.DayEnd.Absent {
		body.Late = append(body.Late, line(b))
	}
	for _, b := range body.NotedAbsent {
		a, f := line(b), b.Visit.First[spclep.SentAway]
		a.When, a.By = p.stamp(f.AtMs), f.By
		body.Absent = append(body.Absent, a)
	}
}

// unsent names all that the hub has not accepted.
func (p *pages) unsent(ctx context.Context, body *endPage) error {
	st, err := p.office.Status(ctx)
	if err != nil {
		return err
	}
	body.Lost, body.Person, body.Sent, body.Unsent, body.Refused, body.Numbers = st.Lost, st.Person, st.Sent(), st.Unsent, st.Refused, st.NumbersLeft
	waiting, err := p.office.DB().Pending(ctx)
	if err != nil {
		return err
	}
	for _, w := range waiting {
		body.Pending = append(body.Pending, pending{w, p.stamp(w.OldestMs)})
	}
	if len(body.Pending) > 0 {
		body.Since = body.Pending[0].Since
	}
	return nil
}

// noShows notes the chosen ones, each for itself: one that cannot be noted
// stops none of the others.
func (p *pages) noShows(w http.ResponseWriter, r *http.Request) error {
	_, refused := doKey(r)
	e := ended{day: r.PostForm.Get("zi"), chosen: map[spclep.BookingID]bool{}}
	var ids []spclep.BookingID
	for _, text := range r.PostForm["cine"] {
		id, err := code.ParseID(text)
		if err != nil {
			return &halt{http.StatusBadRequest, "halt.form"}
		}
		ids, e.chosen[id] = append(ids, id), true
	}
	if wrong, ok := p.problemOf(refused); ok {
		e.problems = []problem{wrong}
		return p.showEnd(w, r, http.StatusUnprocessableEntity, e)
	}
	if refused != nil {
		return refused
	}
	n, err := p.noteAll(r, ids, &e)
	if err != nil {
		return err
	}
	if len(e.problems) > 0 {
		return p.showEnd(w, r, http.StatusUnprocessableEntity, e)
	}
	http.Redirect(w, r, "/sfarsit?"+url.Values{"zi": {e.day}, "notati": {strconv.Itoa(n)}}.Encode(), http.StatusSeeOther)
	return nil
}

// noteAll gives how many were noted. A person's line has a key of its own: who
// else is chosen makes it no other wish.
func (p *pages) noteAll(r *http.Request, ids []spclep.BookingID, e *ended) (n int, err error) {
	d, err := p.office.Desk(r.Context())
	if err != nil {
		return 0, err
	}
	st, err := p.office.Status(r.Context())
	switch {
	case err != nil:
		return 0, err
	case st.Lost:
		e.problems = []problem{{Text: p.words.t("end.clock"), Field: "cine"}}
		return 0, nil
	case len(ids) == 0:
		e.problems = []problem{{Text: p.words.t("end.nobody"), Field: "cine"}}
		return 0, nil
	}
	for _, id := range ids {
		_, err := p.office.Do(r.Context(), r.PostForm.Get(keyField)+":"+string(id), p.author(r), id, office.NoShow(d))
		if err == nil {
			n++
			continue
		}
		wrong, ok := p.problemOf(err)
		if !ok && n == 0 && len(e.problems) == 0 {
			return 0, err
		}
		if !ok {
			wrong.Text = p.words.t("halt.fault")
			p.o.Log.Error("a no-show could not be noted", "error", err)
			p.fault(err)
		}
		if wrong.code == office.StillInTime {
			wrong.Text, wrong.Said = p.words.t("end.still-in-time"), nil
		}
		if wrong.Said == nil {
			wrong.Said = plain(wrong.Text)
		}
		wrong.Said = p.words.around("end.not-noted", plain(p.nameOf(r.Context(), id)), wrong.Said)
		wrong.Text = wrong.Said.String()
		e.problems = append(e.problems, wrong)
	}
	if n > 0 {
		e.done = p.words.n("end.noted", n)
	}
	return n, nil
}

// nameOf is the person's name, or the code of a booking that is not held.
func (p *pages) nameOf(ctx context.Context, id spclep.BookingID) string {
	b, err := p.office.DB().Booking(ctx, id)
	if err != nil || b.Name == "" {
		return string(id)
	}
	return b.Name
}
