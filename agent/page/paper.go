package page

import (
	"net/http"
	"net/url"
	"slices"

	"condica/agent/desk"
	"condica/spclep"
	"condica/spclep/record"
)

// Sizes of paper that a desk's printer may hold.
const (
	sheetA4     = "a4"
	sheetStrip  = "80" // a strip of 80 mm
	sheetCookie = "hartie"
	printNow    = "tipareste" // in the address: the print was noted, and the script may print
)

// printing is what the screen shows above a paper. The button writes down that
// the paper is printed before it is: what came out twice can be seen.
type printing struct {
	DrawnFor string
	Action   string // of the form
	What     string // which paper of a visit; empty: the page has only one
	Of       string // which day's list; empty: the paper is a visit's
	Lines    int    // to be filled by hand, as the paper is shown; 0: as many as it has by itself
	Lang     string // in which the paper is made; empty: there is nothing to choose
	Tongues  []choice
	Sheets   []sheetSize
	Before   string // how often it was printed; empty: never
	Noted    bool   // just now
	Copy     int    // which copy comes out, from 1
}

// sheetSize is one button; the Main one has the key.
type sheetSize struct {
	Value string // empty: there is nothing to choose
	Main  bool
}

// head is what every paper says of itself.
type head struct {
	Office string
	spclep.Contact
	PrintedAt string
	Bundle    int
	Copy      int // which copy it is, from 1
}

func (p *pages) head(o spclep.OfficeID, ms int64, bundle, copy int) head {
	return head{p.officeName(o), p.contact(o, p.office.Day(ms)), p.stamp(ms), bundle, copy}
}

// contact is empty for an office that the bundle in force does not hold.
func (p *pages) contact(o spclep.OfficeID, day spclep.Day) spclep.Contact {
	c, _ := p.office.Reference().Contact(o, day)
	return c
}

// printVisit notes that a paper of a visit is printed, and shows it to the
// printer.
func (p *pages) printVisit(w http.ResponseWriter, r *http.Request) error {
	id, err := bookingID(r)
	if err != nil {
		return err
	}
	d, err := p.office.Desk(r.Context())
	if err != nil {
		return err
	}
	key, err := doKey(r)
	if wrong, ok := p.problemOf(err); ok {
		return p.showVisit(w, r, http.StatusUnprocessableEntity, id, kept{}, wrong)
	}
	if err != nil {
		return err
	}
	what, sheet := r.PostForm.Get("ce"), r.PostForm.Get(sheetCookie)
	if !slices.Contains([]string{sheetA4, sheetStrip}, sheet) {
		return &halt{http.StatusBadRequest, "halt.form"}
	}
	paper, err := p.paperIn(r.PostForm.Get(langField))
	if err != nil {
		return err
	}
	path := "/vizita/" + string(id)
	switch what {
	case spclep.PrintSlip:
		path += "/bon"
	case spclep.PrintMissing:
		path += "/lipsa"
		_, err = paper.missing(r.Context(), id)
	default:
		return &halt{http.StatusBadRequest, "halt.form"}
	}
	if err == nil {
		_, err = p.office.Do(r.Context(), key, p.author(r), id, d.Print(what, paper.words.lang))
	}
	if err != nil {
		return err
	}
	http.SetCookie(w, &http.Cookie{Name: sheetCookie, Value: sheet, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: 365 * 24 * 60 * 60})
	http.Redirect(w, r, path+"?"+url.Values{sheetCookie: {sheet}, langField: {paper.words.lang}, printNow: {"1"}}.Encode(), http.StatusSeeOther)
	return nil
}

// sheet is the size of paper the address asks for, or that this browser printed
// on last.
func sheet(r *http.Request) string {
	asked := r.URL.Query().Get(sheetCookie)
	if c, err := r.Cookie(sheetCookie); asked == "" && err == nil {
		asked = c.Value
	}
	if asked == sheetStrip {
		return sheetStrip
	}
	return sheetA4
}

// printingOf is how often a paper of a visit was printed, and the buttons for
// doing it again, in the language the paper is shown in.
func (p *pages) printingOf(r *http.Request, b record.Booking, what, lang string) printing {
	out := printing{DrawnFor: drawnFor(r), Action: "/vizita/" + string(b.ID) + "/tiparit", What: what, Lang: lang, Tongues: choices(r, lang)}
	for _, s := range []string{sheetA4, sheetStrip} {
		out.Sheets = append(out.Sheets, sheetSize{s, s == sheet(r)})
	}
	n, last, by := 0, int64(0), ""
	for _, f := range b.Facts {
		if f.Cell.Field == spclep.Printed && !b.Visit.Undone[f.ActionID().String()] && value[spclep.PrintedValue](f).What == what {
			n, last, by = n+1, f.Eff.Ms(), f.By
		}
	}
	p.before(&out, r, n, last, by)
	return out
}

// before says how often something was printed, and which copy the next is.
func (p *pages) before(out *printing, r *http.Request, n int, lastMs int64, by string) {
	out.Noted = n > 0 && r.URL.Query().Get(printNow) == "1"
	out.Copy = n + 1
	if out.Noted {
		out.Copy = n
	}
	if n > 0 {
		out.Before = p.words.n("paper.before", n, p.stamp(lastMs), by)
	}
}

// week are the hours of one kind in an ordinary week from a day on, as
// "luni–joi 13:00–14:00". A closed day is looked up in the weeks after it.
func (p *pages) week(o spclep.OfficeID, from spclep.Day, kind string) []string {
	var open [7]string
	for day := from; day < from+28; day++ {
		at := &open[(int(day.Weekday())+6)%7]
		if h, err := p.office.Reference().Hours(o, day); err == nil && *at == "" {
			*at = hours(h, kind)
		}
	}
	monday := from.Add(-((int(from.Weekday()) + 6) % 7))
	var out []string
	for i := 0; i < len(open); {
		last := i
		for last+1 < len(open) && open[last+1] == open[i] {
			last++
		}
		if open[i] != "" {
			days := p.weekday(monday.Add(i))
			if last > i {
				days += "–" + p.weekday(monday.Add(last))
			}
			out = append(out, days+" "+open[i])
		}
		i = last + 1
	}
	return out
}

// Kinds of list that are printed, as the trace of this PC names them.
const (
	printedDay      = "printed-day"
	printedRegister = "printed-register"
	printedEnd      = "printed-end"
)

// printList notes that a list of a day is printed, and shows it to the printer
// as it was asked for.
func (p *pages) printList(kind, path string) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := stillTheirs(r); err != nil {
			return err
		}
		day, err := spclep.ParseDay(r.PostForm.Get("zi"))
		if err != nil {
			return &halt{http.StatusBadRequest, "halt.day"}
		}
		if _, err := p.office.Desk(r.Context()); err != nil {
			return err
		}
		if err := p.office.DB().Trace(r.Context(), kind, p.author(r), day.String()); err != nil {
			return err
		}
		q := url.Values{"zi": {day.String()}, printNow: {"1"}}
		if lines := r.PostForm.Get("libere"); lines != "" {
			q.Set("libere", lines)
		}
		http.Redirect(w, r, path+"?"+q.Encode(), http.StatusSeeOther)
		return nil
	}
}

// printingList is how often a day's list was printed at this PC, and the button
// for doing it again.
func (p *pages) printingList(r *http.Request, kind, path string, day spclep.Day) (printing, error) {
	out := printing{DrawnFor: drawnFor(r), Action: path + "/tiparit", Of: day.String(), Sheets: []sheetSize{{"", true}}}
	n, last, err := p.office.DB().Traced(r.Context(), kind, day.String())
	if err != nil {
		return out, err
	}
	p.before(&out, r, n, last.AtMs, last.By)
	return out, nil
}

// beside is a day with its links to the working days around it.
type beside struct {
	Date, Weekday, ISO string
	Previous, Next     string
	Now                bool // this is today
}

// dayOf is the day that was asked for, or today.
func dayOf(text string, today spclep.Day) (spclep.Day, error) {
	if text == "" {
		return today, nil
	}
	day, err := spclep.ParseDay(text)
	if err != nil {
		return 0, &halt{http.StatusBadRequest, "halt.day"}
	}
	return day, nil
}

func (p *pages) beside(d desk.Desk, day, today spclep.Day) beside {
	return beside{
		Date: day.RO(), Weekday: p.weekday(day), ISO: day.String(), Previous: before(d, day).String(), Next: after(d, day).String(), Now: day == today,
	}
}
