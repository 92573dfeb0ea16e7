package page

import (
	"context"
	"net/http"
	"time"

	"condica/agent/office"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/link"
)

// A statusLine is the calm line under the title: parts that follow each other,
// and a mark that does not rest on colour.
type statusLine struct {
	Mark    string // "on", "off", "none"
	Parts   []string
	Unsent  string       // for the page's title; empty: all sent
	Person  int          // bookings on which something waits for a person
	Queue   int          // ops that are unsent or refused
	Alarms  []record.Row // cards that were handed out twice
	Office  string
	Filling *filling // the replica is not filled yet
	Lost    string   // what the PC's clock shows, if it cannot be right and nobody knows the time
}

// filling is how far the first fill is, or the one after a repair.
type filling struct {
	Done, All         int64
	DoneText, AllText string
}

// fewLeft is up to how many edits a replica is said to be filled but for the
// latest; with more to come, people who are booked may be missing.
const fewLeft = 200

// fewNumbers is from how many registration numbers on it is told that they run
// low: two days' work of a small office.
const fewNumbers = 100

// status is the line alone, for the script that keeps it fresh.
func (p *pages) status(w http.ResponseWriter, r *http.Request) error {
	p.write(w, http.StatusOK, "halt", "status", p.statusLine(r.Context()))
	return nil
}

// statusLine never fails: when the replica cannot be read, it says that.
func (p *pages) statusLine(ctx context.Context) statusLine {
	st, err := p.office.Status(ctx)
	if err != nil {
		p.fault(err)
		return statusLine{Mark: "none", Parts: []string{p.words.t("status.fault")}}
	}
	line := statusLine{Mark: "off", Person: st.Person, Queue: st.Unsent + st.Refused, Office: p.officeName(spclep.OfficeID(st.Office))}
	switch {
	case st.Office == "":
		line.Mark, line.Parts = "none", []string{p.words.t("status.unenrolled")}
		return line
	case !st.Line:
		line.add(p.words.t("status.starting"))
	case st.Hub.Reached:
		line.Mark = "on"
		line.add(p.words.t("status.on"))
	default:
		line.add(p.words.t("status."+kind(st.Hub), p.since(st)))
	}
	p.sent(&line, st)
	p.held(&line, st)
	p.putRight(&line, st)
	if st.Lost {
		line.Lost = time.UnixMilli(st.NowMs + st.OffMs).In(p.office.Zone()).Format("02.01.2006 15:04")
	}
	if st.Person > 0 {
		p.alarms(ctx, &line)
	}
	return line
}

// alarms finds the cards that were handed out twice: every desk of the office
// sees that on every page until a person has settled it.
func (p *pages) alarms(ctx context.Context, line *statusLine) {
	rows, err := p.office.DB().NeedPerson(ctx)
	if err != nil {
		line.add(p.words.t("status.fault"))
		return
	}
	for _, row := range rows {
		if row.State != spclep.StateHandedOver {
			continue
		}
		b, err := p.office.DB().Booking(ctx, row.ID)
		if err != nil {
			line.add(p.words.t("status.fault"))
			return
		}
		if b.Visit.TwoHandOvers {
			line.Alarms = append(line.Alarms, row)
		}
	}
}

func (l *statusLine) add(part string) { l.Parts = append(l.Parts, part) }

// kind is the failure as the catalogue knows it.
func kind(s link.Status) string {
	switch s.Kind {
	case link.Captive, link.Untrusted, link.Turned, link.Busy, link.HubFault, link.Local, link.Retired, link.Unlinked:
		return s.Kind
	}
	return link.Unreachable
}

// since is when the hub was last heard, which outlives a restart of the PC;
// without any, when the link noticed.
func (p *pages) since(st office.Status) string {
	if st.LastOK > 0 {
		return p.moment(st.LastOK, st.NowMs, true)
	}
	return p.moment(st.SinceMs, st.NowMs, true)
}

func (p *pages) sent(line *statusLine, st office.Status) {
	if st.Unsent > 0 {
		line.Unsent = p.words.n("status.unsent", st.Unsent)
		line.add(p.words.t("status.oldest", line.Unsent, p.moment(st.OldestMs, st.NowMs, false)))
	}
	if st.Refused > 0 {
		line.add(p.words.n("status.refused", st.Refused))
	}
	if st.Sent() {
		line.add(p.words.t("status.sent"))
	}
}

// held says what the replica holds, or how far its filling is.
func (p *pages) held(line *statusLine, st office.Status) {
	if left := st.Head - st.Cursor; left > fewLeft {
		line.Filling = &filling{st.Cursor, st.Head, p.words.number(int(st.Cursor)), p.words.number(int(st.Head))}
	} else if left > 0 {
		line.add(p.words.t("status.filling", p.words.number(int(st.Cursor)), p.words.number(int(st.Head))))
	}
	if st.Bookings > 0 {
		line.add(p.words.t("status.held", days(st.From, st.To), p.words.number(st.Bookings)))
	}
	switch left := st.NumbersLeft; {
	case st.LastOK == 0 || left >= fewNumbers:
	case left == 0:
		line.add(p.words.t("status.numbers-none", st.Desk))
	default:
		line.add(p.words.n("status.numbers", left))
	}
	if st.ClockOff() {
		key, off := "status.clock-ahead", time.Duration(st.OffMs)*time.Millisecond
		if off < 0 {
			key, off = "status.clock-behind", -off
		}
		line.add(p.words.t(key, p.span(off)))
	}
}

// newsFor is how long it is said that something about this PC was put right.
const newsFor = 7 * 24 * time.Hour

// putRight says what this PC has done about itself lately, so that nobody
// wonders.
func (p *pages) putRight(line *statusLine, st office.Status) {
	lately := func(ms int64) bool { return ms > 0 && st.NowMs-ms < newsFor.Milliseconds() }
	if lately(st.Mended.AtMs) {
		line.add(p.words.n("status.mended", st.Mended.Ops, p.moment(st.Mended.AtMs, st.NowMs, true)))
	}
	if lately(st.Renewed) {
		line.add(p.words.t("status.renewed", p.moment(st.Renewed, st.NowMs, true)))
	}
}

// span is a length of time in its largest whole unit.
func (p *pages) span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return p.words.n("span.days", int(d/(24*time.Hour)))
	case d >= 2*time.Hour:
		return p.words.n("span.hours", int(d/time.Hour))
	}
	return p.words.n("span.minutes", int(d/time.Minute))
}

// moment is a time on the office's wall: the hour alone for today where
// wanted, the year where it is another one.
func (p *pages) moment(ms, nowMs int64, always bool) string {
	at, now := p.at(ms), p.at(nowMs)
	switch {
	case at.Year() != now.Year():
		return at.Format("02.01.2006 15:04")
	case !always && at.YearDay() == now.YearDay():
		return at.Format("15:04")
	}
	return at.Format("02.01 15:04")
}

func (p *pages) at(ms int64) time.Time { return time.UnixMilli(ms).In(p.office.Zone()) }

// stamp is a time in full, for what is kept or printed.
func (p *pages) stamp(ms int64) string { return p.at(ms).Format("02.01.2006 15:04") }

// days is a span of days without the year.
func days(from, to spclep.Day) string {
	if from == 0 || to == 0 {
		return "?"
	}
	if from == to {
		return from.RO()[:5]
	}
	return from.RO()[:5] + "–" + to.RO()[:5]
}

// officeName is what the bundle calls an office, or its id.
func (p *pages) officeName(id spclep.OfficeID) string {
	if o, err := p.office.Reference().Office(id); err == nil {
		return o.Name
	}
	return string(id)
}
