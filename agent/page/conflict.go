package page

import (
	"net/http"
	"time"

	"condica/agent/desk"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/op"
)

// conflict is two values of one field, of which a person must choose.
type conflict struct {
	Booking spclep.BookingID
	Loser   string
	Field   parts
	Stands  said
	Lost    said
	Keep    parts // on the buttons
	Restore parts
	Rule    string // why the one stands
	First   bool   // on its page: F7 restores it
}

// said is a value with who wrote it. When is the corrected time; Clock is what
// the author's PC showed, where that was another.
type said struct {
	Value                  parts
	When, Clock, By, Where string
}

// double is a fact that happened again.
type double struct {
	What          string
	First, Second said
}

func (p *pages) conflictsOf(d desk.Desk, b record.Booking) []conflict {
	var out []conflict
	for _, c := range b.Conflicts() {
		stands, lost := p.said(d, b, c.Winner), p.said(d, b, c.Loser)
		out = append(out, conflict{
			Booking: b.ID, Loser: c.Loser.ID.String(), Field: p.fieldName(d, b, c.Field), Stands: stands, Lost: lost,
			Keep: p.words.around("conflict.keep", stands.Value), Restore: p.words.around("conflict.restore", lost.Value),
			Rule: p.ruled(c), First: len(out) == 0,
		})
	}
	return out
}

// ruled says in words what op.Wins decided between parallel edits.
func (p *pages) ruled(c record.Conflict) string {
	apart := time.Duration(c.Winner.Eff.Ms()-c.Loser.Eff.Ms()) * time.Millisecond
	if apart < time.Minute {
		return p.words.t("conflict.rule.close")
	}
	return p.words.t("conflict.rule.later", p.span(apart))
}

// wrongBy is from when on a PC's clock is said to have been wrong.
const wrongBy = 2 * time.Minute

func (p *pages) said(d desk.Desk, b record.Booking, e op.Entry) said {
	s := said{When: p.stamp(e.Eff.Ms()), By: by(e), Where: p.where(e)}
	if off := time.Duration(e.Clock.Wall-e.Eff.Ms()) * time.Millisecond; e.Clock.Wall != 0 && off.Abs() > wrongBy {
		s.Clock = p.stamp(e.Clock.Wall)
	}
	if e.Fact {
		s.Value = p.factText(b, e)
	} else {
		s.Value = p.valueText(d, b, e.Cell.Field, e.Value)
	}
	return s
}

func (p *pages) doublesOf(d desk.Desk, b record.Booking) []double {
	var out []double
	for _, again := range b.Visit.Doubles {
		first, second := entryOf(b, b.Visit.First[again.Name]), entryOf(b, again)
		out = append(out, double{p.factName(again.Name), p.said(d, b, first), p.said(d, b, second)})
	}
	return out
}

// entryOf finds the edit behind a fact.
func entryOf(b record.Booking, f spclep.Fact) op.Entry {
	for _, e := range b.Facts {
		if e.ActionID().String() == f.Action && e.Cell.Field == f.Name {
			return e
		}
	}
	return op.Entry{}
}

// waiting is a booking on which something waits for a person.
type waiting struct {
	record.Row
	State     stateWord
	Two       bool // one card was handed out twice
	Cancelled bool // cancelled, though the person had come
	NoShow    bool // noted absent, though the person had come
	Conflicts []conflict
	Doubles   []double
}

const maxWaiting = 100

// conflicts lists everything that waits for a person, cards handed out twice
// first.
func (p *pages) conflicts(w http.ResponseWriter, r *http.Request) error {
	d, err := p.office.Desk(r.Context())
	if err != nil {
		return err
	}
	rows, err := p.office.DB().NeedPerson(r.Context())
	if err != nil {
		return err
	}
	var alarms, rest []waiting
	for _, row := range rows[:min(len(rows), maxWaiting)] {
		b, err := p.office.DB().Booking(r.Context(), row.ID)
		if err != nil {
			return err
		}
		v := b.Visit
		item := waiting{row, p.state(v.State), v.TwoHandOvers, v.CancelledAfterArrival, v.NoShowBesideArrival, p.conflictsOf(d, b), p.doublesOf(d, b)}
		if item.Two {
			alarms = append(alarms, item)
		} else {
			rest = append(rest, item)
		}
	}
	alike, err := p.office.DB().TwoAlike(r.Context())
	if err != nil {
		return err
	}
	p.show(w, r, http.StatusOK, "conflicts", view{
		Title: p.words.t("conflicts.title"), Nav: "conflicts",
		Body: struct {
			DrawnFor string
			Items    []waiting
			Total    int
			Alike    []localdb.Alike
		}{drawnFor(r), append(alarms, rest...), len(rows), alike},
	})
	return nil
}
