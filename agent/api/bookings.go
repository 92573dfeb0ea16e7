package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"condica/localdb"
	"condica/spclep"
)

// maxRows is the most bookings one answer lists, but for those of a day.
const maxRows = 500

// Bookings is a list. More: there are others beyond it.
type Bookings struct {
	Day      spclep.Day `json:"day"` // the day asked for; empty: any
	Bookings []Row      `json:"bookings"`
	More     bool       `json:"more"`
}

// A Row is a booking in one line.
type Row struct {
	ID        spclep.BookingID `json:"id"`
	Day       spclep.Day       `json:"day"`
	Time      spclep.Minute    `json:"time"`
	Name      string           `json:"name"`
	Email     string           `json:"email"`
	Reason    spclep.Reason    `json:"reason"`
	Origin    string           `json:"origin"` // empty: made on the hub's pages
	State     spclep.State     `json:"state"`
	Number    string           `json:"number"` // of the application
	Product   spclep.Product   `json:"product"`
	Pickup    spclep.OfficeID  `json:"pickup"`
	Due       spclep.Day       `json:"due"`
	Person    bool             `json:"person"` // something waits for a person
	ChangedMs int64            `json:"changed_ms"`
	Changed   string           `json:"changed"`
}

func (d *door) row(r localdb.Row) Row {
	return Row{
		r.ID, r.Day, r.At, r.Name, r.Email, r.Reason, r.Origin, r.State, r.Number, r.Product, r.Pickup, r.Due, r.Person,
		r.Changed, d.at(r.Changed),
	}
}

func (d *door) rows(rows []localdb.Row) []Row {
	out := []Row{}
	for _, r := range rows {
		out = append(out, d.row(r))
	}
	return out
}

func states() []spclep.State {
	return []spclep.State{spclep.StateBooked, spclep.StateCancelled, spclep.StateArrived, spclep.StateSentAway, spclep.StateFiled, spclep.StateReady, spclep.StateHandedOver}
}

// bookings lists by day, state and words of a search, as many of them as are
// given; of today if none is.
func bookings(d *door, r *http.Request) (any, error) {
	k, m, err := d.o.Here(r.Context())
	if err != nil {
		return nil, err
	}
	ask, err := askedFor(r, k.Today(m))
	if err != nil {
		return nil, bad(err)
	}
	rows, err := d.find(r, ask, k.Today(m))
	if err != nil {
		return nil, err
	}
	more := len(rows) >= maxRows && (ask.q != "" || ask.day == 0)
	rows = slices.DeleteFunc(rows, func(b localdb.Row) bool {
		return ask.day != 0 && b.Day != ask.day || ask.state != "" && b.State != ask.state
	})
	return Bookings{Day: ask.day, Bookings: d.rows(rows), More: more}, nil
}

type listAsk struct {
	day   spclep.Day
	state spclep.State
	q     string
}

func askedFor(r *http.Request, today spclep.Day) (a listAsk, err error) {
	q := r.URL.Query()
	for key := range q {
		if key != "day" && key != "state" && key != "q" {
			return a, fmt.Errorf("parameter %q: want day, state or q", key)
		}
	}
	a.state, a.q = spclep.State(q.Get("state")), strings.TrimSpace(q.Get("q"))
	if a.state != "" && !slices.Contains(states(), a.state) {
		return a, fmt.Errorf("state %q: want one of %v", a.state, states())
	}
	switch day := q.Get("day"); {
	case day == "today" || day == "" && a.state == "" && a.q == "":
		a.day = today
	case day != "":
		a.day, err = spclep.ParseDay(day)
	}
	return a, err
}

func (d *door) find(r *http.Request, a listAsk, today spclep.Day) ([]localdb.Row, error) {
	switch {
	case a.q != "":
		return d.o.DB().Search(r.Context(), a.q, today, maxRows)
	case a.day != 0:
		return d.o.DB().Day(r.Context(), a.day)
	}
	return d.o.DB().InState(r.Context(), a.state, maxRows)
}
