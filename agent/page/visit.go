package page

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"condica/agent/desk"
	"condica/agent/office"
	"condica/spclep"
	"condica/spclep/record"
)

// kept is a form that could not be done, as it was filled in.
type kept struct {
	deed   string
	values url.Values
}

// visitPage is one booking on one page.
type visitPage struct {
	office.Visit
	kept
	DrawnFor  string
	When      string
	Changed   string // what to say of a list that is another than the person was shown
	Product   string // what reason and answers lead to, in words
	Questions []asked
	Filing    []paper
	AtPickup  []paper
	Seen      int // of Filing
	Asked     int // of Filing: those that are brought
	Birth     string
	AskBirth  bool
	AskLand   bool // a land-registry extract may be among the papers
	Grounds   []string
	Reasons   []spclep.ReasonInfo
	Products  []spclep.ProductInfo
	Offices   []spclep.Office
	Here      spclep.OfficeID
	Permit    bool // a residence permit is surrendered with this reason (R14.8)
	Conflicts []conflict
	Doubles   []double
	History   []action
	Approval  *approvalForm // nil: nobody's PIN is needed
	Arrived   *said         // who checked the person in
	Scanned   string        // the code was scanned again: how far the visit is, and who did that
	Settle    bool          // something happened twice or apart, and waits for a person
}

// asked is a question with what the form shows as its answer.
type asked struct {
	spclep.Question
	Field, Value string
}

// paper is one line of the checklist with what was seen of it.
type paper struct {
	spclep.Paper
	Field, Was string
	Missing    bool
	// Boxes are the ways to tick it: original, copy, not-applicable.
	Boxes []box
}

type box struct {
	Value string
	On    bool
}

func (p *pages) visit(w http.ResponseWriter, r *http.Request) error {
	id, err := bookingID(r)
	if err != nil {
		return err
	}
	return p.showVisit(w, r, http.StatusOK, id, kept{})
}

func (p *pages) showVisit(w http.ResponseWriter, r *http.Request, status int, id spclep.BookingID, k kept, problems ...problem) error {
	d, err := p.office.Desk(r.Context())
	if err != nil {
		return err
	}
	v, err := p.office.Visit(r.Context(), id)
	if err != nil {
		return err
	}
	if v.Booking.Visit.State == spclep.StateNone {
		return &halt{http.StatusNotFound, "halt.booking"}
	}
	body := p.visitPage(d, v, k)
	body.DrawnFor, body.Approval = drawnFor(r), p.approvalForm(r)
	if r.Method == http.MethodGet && r.URL.Query().Has("scanat") {
		body.Scanned = p.scannedAgain(d, v.Booking)
	}
	p.show(w, r, status, "visit", view{
		Title: v.Name, Here: "/vizita/" + string(id), Problems: problems, Body: body,
	})
	return nil
}

func (p *pages) visitPage(d desk.Desk, v office.Visit, k kept) visitPage {
	booked := v.Booking.Visit.Booked
	day := d.Ask(v.Booking).Day
	out := visitPage{
		Visit: v, kept: k, Product: p.product(v.Fee.Product), Grounds: grounds(d, v),
		Reasons: d.Ref.Reasons(d.Office, day), Offices: d.Ref.Offices(), Here: d.Office,
		Permit: v.Booking.Reason == "R14", Birth: d.Birth(v.Booking).String(),
	}
	if booked != nil {
		out.When = p.words.t("day.when", p.weekday(booked.Day), booked.Day.RO(), booked.At.String())
	}
	if v.Changed && booked != nil {
		out.Changed = p.words.t("visit.list-changed", booked.Bundle, d.Ref.Number(), d.Ref.Issued().RO())
	}
	for _, q := range v.Questions {
		field := spclep.PrefixAnswer + q.Key
		out.Questions = append(out.Questions, asked{q, field, shownValue(v.Booking, field, map[string]string{field: q.Default})})
		out.AskBirth = out.AskBirth || field == birthAnswer
	}
	for _, info := range d.Ref.Products() {
		if slices.Contains(v.Reason.Products, info.Code) {
			out.Products = append(out.Products, info)
		}
	}
	p.papers(&out)
	out.AskLand = v.Booking.Land != 0 || slices.ContainsFunc(v.List.Papers, func(item spclep.Paper) bool { return item.MaxAgeDays > 0 })
	out.Conflicts = p.conflictsOf(d, v.Booking)
	out.Doubles = p.doublesOf(d, v.Booking)
	out.History = p.history(d, v.Booking, v.NowMs)
	if f, ok := v.Booking.Visit.First[spclep.Arrived]; ok {
		s := p.said(d, v.Booking, entryOf(v.Booking, f))
		out.Arrived = &s
	}
	at := v.Booking.Visit
	out.Settle = len(at.Doubles) > 0 || at.CancelledAfterArrival || at.NoShowBesideArrival
	return out
}

// scannedAgain says what became of a code that was scanned before: when, by
// whom, at which desk. It is empty while the person is awaited.
func (p *pages) scannedAgain(d desk.Desk, b record.Booking) string {
	last := map[spclep.State]string{
		spclep.StateArrived: spclep.Arrived, spclep.StateFiled: spclep.Filed, spclep.StateReady: spclep.Ready,
		spclep.StateHandedOver: spclep.HandedOver, spclep.StateSentAway: spclep.SentAway, spclep.StateCancelled: spclep.Cancelled,
	}
	f, ok := b.Visit.First[last[b.Visit.State]]
	if !ok {
		return ""
	}
	s := p.said(d, b, entryOf(b, f))
	return p.words.t("visit.scanned", p.factName(f.Name), s.When, s.By, s.Where)
}

// grounds are those on which this visit may be ended; one that the rules would
// refuse whatever else the form says is not offered.
func grounds(d desk.Desk, v office.Visit) []string {
	ask := d.Ask(v.Booking)
	return slices.DeleteFunc(d.Ref.Grounds(d.Office, ask.Day), func(g string) bool {
		refusal, ok := spclep.Refused(d.Ref.MaySendAway(d.Office, v.Booking.Visit, g, nil, ask))
		return ok && g != spclep.GroundPapersMissing && refusal != nil
	})
}

func (p *pages) papers(v *visitPage) {
	for _, item := range v.List.Papers {
		line := paperLine(item, v.Visit)
		if item.When != spclep.AtFiling {
			v.AtPickup = append(v.AtPickup, line)
			continue
		}
		v.Filing = append(v.Filing, line)
		if item.Form != spclep.AtDesk {
			v.Asked++
			if line.Was != "" {
				v.Seen++
			}
		}
	}
}

func paperLine(item spclep.Paper, v office.Visit) paper {
	t := v.Ticks[item.ID]
	line := paper{Paper: item, Field: spclep.PrefixPaper + item.ID, Was: tickText(t)}
	line.Missing = slices.ContainsFunc(v.Missing, func(m spclep.Paper) bool { return m.ID == item.ID })
	if item.Form == spclep.AtDesk {
		line.Boxes = []box{{"original", t.Original}}
		return line
	}
	if item.Form != spclep.Copy {
		line.Boxes = append(line.Boxes, box{"original", t.Original})
	}
	if item.Form != spclep.Original {
		line.Boxes = append(line.Boxes, box{"copy", t.Copy})
	}
	// Only what the source asks "if it is the case" can be none of this person's;
	// a required paper needs a reason to do without it.
	if item.IfApplicable || t.NotApplicable {
		line.Boxes = append(line.Boxes, box{"not-applicable", t.NotApplicable})
	}
	return line
}

// Val is a field of a form: as it was filled in, if it could not be done, or
// else as the record has it.
func (k kept) Val(deed, field, now string) string {
	if k.deed == deed {
		return k.values.Get(field)
	}
	return now
}

// Has reports whether a box or option of a form is on.
func (k kept) Has(deed, field, value string, now bool) bool {
	if k.deed == deed {
		return slices.Contains(k.values[field], value)
	}
	return now
}

// Opened reports whether a form that is folded away must stand open.
func (k kept) Opened(deed string) bool { return k.deed == deed }

// IsMissing reports whether the form says, or the record shows, that a paper is
// missing.
func (v visitPage) IsMissing(p paper) bool { return v.Has("trimis", "lipsa", p.ID, p.Missing) }

// Elsewhere is the office where the card is to be collected, if not here.
func (v visitPage) Elsewhere() spclep.OfficeID {
	if f := v.Booking.Visit.Filed; f != nil {
		return f.Pickup
	}
	return ""
}

func (p *pages) weekday(d spclep.Day) string {
	return p.words.t("weekday." + strings.ToLower(d.Weekday().String()))
}

func (p *pages) product(code spclep.Product) string {
	for _, info := range p.office.Reference().Products() {
		if info.Code == code {
			return info.Title
		}
	}
	return string(code)
}

// reason is how an office offers a reason on a day; the zero one if not.
func (p *pages) reason(d desk.Desk, day spclep.Day, code spclep.Reason) spclep.ReasonInfo {
	for _, info := range d.Ref.Reasons(d.Office, day) {
		if info.Code == code {
			return info
		}
	}
	return spclep.ReasonInfo{}
}

// stateWord is a state as pages show it: a sign and a word, never colour alone.
type stateWord struct{ Code, Sign, Word string }

func (p *pages) state(s spclep.State) stateWord {
	key := "state." + string(s)
	return stateWord{string(s), p.words.t(key + ".sign"), p.words.t(key)}
}
