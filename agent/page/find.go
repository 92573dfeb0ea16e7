package page

import (
	"errors"
	"net/http"
	"unicode"

	"condica/agent/office"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/code"
	"condica/spclep/record"
)

const maxQuery = 400 // letters; a booking's code has 133

// find answers the scan and search box.
func (p *pages) find(w http.ResponseWriter, r *http.Request) error {
	q := clean(r.URL.Query().Get("q"))
	if len([]rune(q)) > maxQuery {
		return &halt{http.StatusBadRequest, "find.long"}
	}
	if q == "" {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	found, err := p.office.Find(r.Context(), q)
	if text, ok := p.mistaken(err); ok {
		p.show(w, r, http.StatusOK, "find", view{Title: p.words.t("find.title"), Focus: true, Problems: []problem{{Text: text}}, Body: findPage{}})
		return nil
	}
	switch {
	case err != nil:
		return err
	case found.New != nil:
		return p.newBooking(w, r, http.StatusOK, q, *found.New, nil)
	case found.ID != "":
		return p.found(w, r, q, found)
	}
	return p.list(w, r, q, found.Rows)
}

// found goes to the one booking that is meant; a slip of a card that this
// replica knows nothing of is told apart from a person who is unknown.
func (p *pages) found(w http.ResponseWriter, r *http.Request, q string, f office.Found) error {
	b, err := p.office.DB().Booking(r.Context(), f.ID)
	if err != nil {
		return err
	}
	if b.Visit.State != spclep.StateNone {
		to := "/vizita/" + string(f.ID)
		if !f.Slip && len(f.Rows) == 0 { // a code, not a name
			to += "?scanat=1"
		}
		http.Redirect(w, r, to, http.StatusSeeOther)
		return nil
	}
	text := p.words.t("find.unknown")
	if f.Slip {
		text = p.words.t("find.slip-unknown")
	}
	p.show(w, r, http.StatusOK, "find", view{Title: p.words.t("find.title"), Query: q, Focus: true, Problems: []problem{{Text: text}}, Body: findPage{}})
	return nil
}

// mistaken says what was held up instead of a booking's code.
func (p *pages) mistaken(err error) (string, bool) {
	var other *office.OtherOfficeError
	switch {
	case errors.As(err, &other):
		return p.words.t("find.other-office", other.Office, other.Code.Day.RO(), other.Code.At.String()), true
	case errors.Is(err, code.ErrIdentity):
		return p.words.t("find.identity"), true
	case errors.Is(err, code.ErrDamaged):
		return p.words.t("find.damaged"), true
	case errors.Is(err, code.ErrKey):
		return p.words.t("find.key"), true
	case errors.Is(err, code.ErrSignature):
		return p.words.t("find.signature"), true
	}
	return "", false
}

// findPage is what a search found.
type findPage struct {
	Asked bool
	Short bool // too few letters
	Rows  []listRow
}

func (p *pages) list(w http.ResponseWriter, r *http.Request, q string, rows []record.Row) error {
	d, m, err := p.office.Here(r.Context())
	if err != nil {
		return err
	}
	body := findPage{Asked: true, Short: letters(q) < localdb.MinSearch}
	if body.Rows, err = p.rows(r, d, m, rows); err != nil {
		return err
	}
	for i, row := range body.Rows {
		body.Rows[i].Date = row.Day.RO()
	}
	p.show(w, r, http.StatusOK, "find", view{Title: p.words.t("find.title"), Query: q, Focus: true, Body: body})
	return nil
}

func letters(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// newBooking shows a signed code of a booking that was made after the last
// contact: what it says, and a field for the name, which it does not hold.
func (p *pages) newBooking(w http.ResponseWriter, r *http.Request, status int, text string, c code.Booking, problems []problem) error {
	d, m, err := p.office.Here(r.Context())
	if err != nil {
		return err
	}
	seen := record.Booking{ID: c.ID, Visit: spclep.Visit{State: spclep.StateBooked, Booked: &spclep.BookedValue{Reason: c.Reason, Day: c.Day, At: c.At}}}
	notes, err := d.CheckInNotes(seen, m)
	stop, refused := spclep.Refused(err)
	if err != nil && !refused {
		return err
	}
	p.show(w, r, status, "new", view{Title: p.words.t("new.title"), Problems: problems, Body: struct {
		DrawnFor                     string
		Code, ID, When, Reason, Name string
		Notes                        []spclep.Note
		Stop                         *spclep.Refusal
	}{drawnFor(r), text, string(c.ID), p.words.t("day.when", p.weekday(c.Day), c.Day.RO(), c.At.String()),
		p.reason(d, c.Day, c.Reason).Title, clean(r.PostForm.Get("nume")), notes, stop}})
	return nil
}

// accept takes the signed code with the name the clerk typed, and checks the
// person in.
func (p *pages) accept(w http.ResponseWriter, r *http.Request) error {
	if err := p.texts(r.PostForm); err != nil {
		return err
	}
	text := r.PostForm.Get("cod")
	c, err := p.office.Verify(r.Context(), text)
	if _, ok := p.mistaken(err); ok || errors.Is(err, code.ErrNotACode) {
		return &halt{http.StatusBadRequest, "halt.form"}
	} else if err != nil {
		return err
	}
	d, err := p.office.Desk(r.Context())
	if err != nil {
		return err
	}
	key, err := doKey(r)
	if err == nil {
		_, err = p.office.Do(r.Context(), key, p.author(r), c.ID, d.Accept(c, clean(r.PostForm.Get("nume"))))
	}
	if wrong, ok := p.problemOf(err); ok {
		wrong.Field = "nume"
		return p.newBooking(w, r, http.StatusUnprocessableEntity, text, c, []problem{wrong})
	}
	if err != nil {
		return err
	}
	return p.back(w, r, c.ID, "prezent")
}
