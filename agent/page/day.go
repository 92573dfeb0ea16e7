package page

import (
	"net/http"
	"slices"
	"time"

	"condica/agent/desk"
	"condica/spclep"
	"condica/spclep/record"
)

// dayPage is the list of one day.
type dayPage struct {
	Day, Weekday   string
	ISO            string // Day, for addresses
	Previous, Next string // the working days beside it
	Today          string // empty: this is today
	Closed         string // why no citizen is received
	Notice         string // from central IT
	Rows           []listRow
	Counts         []count
	PrintedAt      string
}

// listRow is a booking in a list.
type listRow struct {
	record.Row
	Date        string
	Title       string // of the reason
	State       stateWord
	Mark        string // walk-in, urgent, scanned
	Seen, Asked int    // papers
	DueRO       string
	Late        bool // the due day has passed
	First       bool // the next one who waits
}

type count struct {
	State stateWord
	N     int
}

func (p *pages) day(w http.ResponseWriter, r *http.Request) error {
	d, m, err := p.office.Here(r.Context())
	if err != nil {
		return err
	}
	day := d.Today(m)
	if text := r.URL.Query().Get("zi"); text != "" {
		if day, err = spclep.ParseDay(text); err != nil {
			return &halt{http.StatusBadRequest, "halt.day"}
		}
	}
	rows, err := p.office.DB().Day(r.Context(), day)
	if err != nil {
		return err
	}
	body := dayPage{
		Day: day.RO(), ISO: day.String(), Weekday: p.weekday(day), Previous: before(d, day).String(),
		Next: after(d, day).String(), Notice: p.office.Rules().Settings.Texts.Notice, PrintedAt: p.stamp(m.Ms),
	}
	if day != d.Today(m) {
		body.Today = "/"
	}
	if h, err := d.Ref.Hours(d.Office, day); err == nil && h.Closed {
		body.Closed = h.Why
	}
	if body.Rows, err = p.rows(r, d, m, rows); err != nil {
		return err
	}
	body.mark(day == d.Today(m))
	body.Counts = p.counts(rows)
	p.show(w, r, http.StatusOK, "day", view{Title: p.words.t("day.title", day.RO()), Nav: "day", Focus: true, Body: body})
	return nil
}

// before is the last working day before a day, or one that was closed for once; a calendar that is closed for
// months must not hold a clerk up.
func before(d desk.Desk, day spclep.Day) spclep.Day {
	for back := 1; back <= 31; back++ {
		if d.Ref.WorkingDay(d.Office, day.Add(-back)) || closedByWord(d, day.Add(-back)) {
			return day.Add(-back)
		}
	}
	return day - 1
}

// after is the next day that a clerk may want to see.
func after(d desk.Desk, day spclep.Day) spclep.Day {
	for next := day + 1; next <= day.Add(31); next++ {
		if d.Ref.WorkingDay(d.Office, next) || closedByWord(d, next) {
			return next
		}
	}
	return day + 1
}

// closedByWord tells a weekday that was closed for once from a weekend and a
// public holiday: people may be booked on it, and must hear of it.
func closedByWord(d desk.Desk, day spclep.Day) bool {
	w := day.Weekday()
	_, holiday := d.Ref.Holiday(day)
	return w != time.Saturday && w != time.Sunday && !holiday && !d.Ref.WorkingDay(d.Office, day)
}

// mark finds the first of today who waits.
func (b *dayPage) mark(today bool) {
	for i, row := range b.Rows {
		if today && row.Row.State == spclep.StateBooked {
			b.Rows[i].First = true
			return
		}
	}
}

func (p *pages) rows(r *http.Request, d desk.Desk, m desk.Moment, rows []record.Row) ([]listRow, error) {
	titles := map[spclep.Reason]string{}
	for _, info := range d.Ref.Reasons(d.Office, d.Today(m)) {
		titles[info.Code] = info.Title
	}
	out := make([]listRow, len(rows))
	for i, row := range rows {
		item := listRow{Row: row, Title: titles[row.Reason], State: p.state(row.State), DueRO: row.Due.RO()}
		if row.Origin != "" {
			item.Mark = p.orKey("origin.", row.Origin)
		}
		b, err := p.office.DB().Booking(r.Context(), row.ID)
		if err != nil {
			return nil, err
		}
		item.Seen, item.Asked = seen(d, b)
		out[i] = item
	}
	return out, nil
}

// seen counts the papers that are brought, and those of them that were ticked.
func seen(d desk.Desk, b record.Booking) (seen, asked int) {
	list, err := d.Ref.Papers(d.Ask(b))
	if err != nil {
		return 0, 0 // the visit's page says what is wrong with the rules
	}
	for _, item := range list.Papers {
		if item.When != spclep.AtFiling || item.Form == spclep.AtDesk {
			continue
		}
		asked++
		if b.Ticks[item.ID] != (record.Tick{}) {
			seen++
		}
	}
	return seen, asked
}

// counts says how many stand where, in the order of a visit.
func (p *pages) counts(rows []record.Row) []count {
	var out []count
	for _, s := range states() {
		n := 0
		for _, row := range rows {
			if row.State == s {
				n++
			}
		}
		if n > 0 {
			out = append(out, count{p.state(s), n})
		}
	}
	return out
}

// states in the order in which a visit runs.
func states() []spclep.State {
	return []spclep.State{
		spclep.StateBooked, spclep.StateArrived, spclep.StateFiled, spclep.StateReady,
		spclep.StateHandedOver, spclep.StateSentAway, spclep.StateCancelled,
	}
}

// pickups lists the cards that lie here, and those that are awaited.
func (p *pages) pickups(w http.ResponseWriter, r *http.Request) error {
	d, m, err := p.office.Here(r.Context())
	if err != nil {
		return err
	}
	lists := map[spclep.State][]listRow{}
	for _, s := range []spclep.State{spclep.StateReady, spclep.StateFiled} {
		rows, err := p.office.DB().InState(r.Context(), s, maxPickups+1)
		if err != nil {
			return err
		}
		lists[s] = p.cards(d, m, rows)
	}
	h, err := d.Ref.Hours(d.Office, d.Today(m))
	if err != nil {
		return err
	}
	p.show(w, r, http.StatusOK, "pickups", view{Title: p.words.t("pickups.title"), Nav: "pickups", Body: struct {
		Ready, Filed []listRow
		More         bool
		Open         bool
		Hours        string
	}{first(lists[spclep.StateReady]), first(lists[spclep.StateFiled]), len(lists[spclep.StateReady]) > maxPickups || len(lists[spclep.StateFiled]) > maxPickups, h.Open(spclep.HoursPickup, d.Clock(m)), hours(h, spclep.HoursPickup)}})
	return nil
}

const maxPickups = 300

func first(rows []listRow) []listRow { return rows[:min(len(rows), maxPickups)] }

func (p *pages) cards(d desk.Desk, m desk.Moment, rows []record.Row) []listRow {
	out := make([]listRow, len(rows))
	for i, row := range rows {
		out[i] = listRow{Row: row, Title: p.product(row.Product), State: p.state(row.State), DueRO: row.Due.RO(),
			Late: row.Due != 0 && row.Due < d.Today(m) && row.State == spclep.StateFiled}
	}
	return out
}

// hours are the spans of one kind, as 13:00-14:00.
func hours(h spclep.DayHours, kind string) string {
	var out []string
	for _, i := range h.Intervals {
		if i.Kind == kind {
			out = append(out, i.From.String()+"–"+i.To.String())
		}
	}
	return join(", ", slices.Compact(out)...)
}
