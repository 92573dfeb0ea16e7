package desk

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"condica/spclep"
	"condica/spclep/code"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
)

// A counter is one booking at a desk with a clock that the story moves; the
// drafts of each action become ops as on a PC.
type counter struct {
	t       *testing.T
	desk    Desk
	id      spclep.BookingID
	at      time.Time
	entries []op.Entry
	seq     uint64
	last    op.ID // the last action
}

const monday = "2026-11-23"

func newCounter(t *testing.T, office spclep.OfficeID) *counter {
	t.Helper()
	ref, err := spclep.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Bucharest")
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{t: t, desk: Desk{Ref: ref, Office: office, Zone: zone}, id: "ABCD2345"}
	c.clock(monday + " 09:20")
	return c
}

func (c *counter) clock(s string) {
	c.t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", s, c.desk.Zone)
	if err != nil {
		c.t.Fatal(err)
	}
	c.at = at
}

func (c *counter) moment() Moment { return Moment{Ms: c.at.UnixMilli(), Number: "1-00001"} }

func (c *counter) booking() record.Booking { return record.Of(c.id, c.entries) }

func (c *counter) write(device byte, drafts []op.Draft) {
	first := c.seq + 1
	for _, d := range drafts {
		c.seq++
		id := op.ID{Device: hlc.Device{device}, Seq: c.seq}
		c.entries = append(c.entries, op.Entry{Eff: hlc.At(c.at.UnixMilli()) + hlc.Time(c.seq), Op: op.Op{
			ID: id, Action: first, Cell: d.Cell, Fact: d.Fact, Value: d.Value, Base: d.Base, Why: d.Why,
		}})
	}
	c.last = op.ID{Device: hlc.Device{device}, Seq: first}
}

// booked puts in what the hub wrote.
func (c *counter) booked(reason spclep.Reason, day string, at string) {
	c.t.Helper()
	d, err := spclep.ParseDay(day)
	if err != nil {
		c.t.Fatal(err)
	}
	m, err := spclep.ParseMinute(at)
	if err != nil {
		c.t.Fatal(err)
	}
	v, _ := json.Marshal(spclep.BookedValue{Name: "Ana Exemplu", Email: "ana@example.ro", Reason: reason, Day: d, At: m})
	c.write(9, []op.Draft{{Cell: record.Cell(c.id, spclep.Booked), Fact: true, Value: v}})
}

func (c *counter) try(a Action) error {
	drafts, err := a(c.booking(), c.moment())
	if err == nil {
		c.write(1, drafts)
	}
	return err
}

func (c *counter) must(what string, a Action) {
	c.t.Helper()
	if err := c.try(a); err != nil {
		c.t.Fatalf("%s: %v", what, err)
	}
}

func (c *counter) refused(what, code string, a Action) {
	c.t.Helper()
	r, ok := spclep.Refused(c.try(a))
	if !ok || r.Code != code {
		c.t.Fatalf("%s: got %+v, want a refusal %q", what, r, code)
	}
	if r.Rule == "" || r.Say == "" || r.Text == "" {
		c.t.Fatalf("%s: the refusal %+v lacks rule or words", what, r)
	}
}

func (c *counter) state(want spclep.State) {
	c.t.Helper()
	if got := c.booking().Visit.State; got != want {
		c.t.Fatalf("the visit is %q, want %q", got, want)
	}
}

// bringAll ticks every paper of the checklist as it is asked for.
func (c *counter) bringAll() {
	c.t.Helper()
	b := c.booking()
	list, err := c.desk.Ref.Papers(c.desk.Ask(b))
	if err != nil {
		c.t.Fatal(err)
	}
	values := map[string]string{}
	for _, p := range list.Papers {
		if p.When == spclep.AtPickup {
			continue
		}
		values[spclep.PrefixPaper+p.ID] = "original+copy"
	}
	c.must("tick the papers", c.desk.Set(values))
}

// A person with a booking comes on time, brings everything, and gets the card.
func TestWholeVisit(t *testing.T) {
	c := newCounter(t, "covasna")
	c.booked("R08", monday, "09:20")
	c.must("check in", c.desk.CheckIn())
	c.state(spclep.StateArrived)
	c.bringAll()
	c.must("take the application", c.desk.File(Application{}))
	c.state(spclep.StateFiled)
	f := c.booking().Visit.Filed
	if f.Number != "1-00001" || f.Product == "" || f.Day.String() != monday || f.Due.String() != "2026-12-23" {
		t.Fatalf("application %+v: want the PC's number, a product, and 30 days (T01)", f)
	}
	c.refused("hand over before the card is there", "not-ready", c.desk.HandOver("holder", "", false))
	c.clock("2026-12-10 13:10")
	c.must("the card came", c.desk.MarkReady())
	c.must("hand over", c.desk.HandOver("holder", "", false))
	c.state(spclep.StateHandedOver)
	c.refused("hand over again", "already-handed-over", c.desk.HandOver("holder", "", false))
}

// The head of service adds days once the application is in; a reason is asked.
func TestExtension(t *testing.T) {
	c := newCounter(t, "covasna")
	c.booked("R08", monday, "09:20")
	c.refused("extend nothing", "no-open-application", c.desk.Extend(15, "lipsă blanchete"))
	c.must("check in", c.desk.CheckIn())
	c.bringAll()
	c.must("file", c.desk.File(Application{}))
	c.refused("no reason", "reason-missing", c.desk.Extend(15, "  "))
	if _, ok := spclep.Refused(c.try(c.desk.Extend(16, "lipsă blanchete"))); !ok {
		t.Fatal("16 days were granted; T02 allows 15")
	}
	c.must("15 days", c.desk.Extend(15, "lipsă blanchete"))
	if due := c.booking().Visit.Due.String(); due != "2027-01-07" {
		t.Fatalf("due %s, want 2027-01-07", due)
	}
}

// Papers are missing: the application is not taken, the person is sent away
// with the papers named, and comes back after an undo.
func TestPapersMissing(t *testing.T) {
	c := newCounter(t, "botosani")
	c.booked("R08", monday, "09:20")
	c.must("check in", c.desk.CheckIn())
	missing, err := c.desk.Missing(c.booking(), Application{}, c.moment())
	if len(missing) == 0 {
		t.Fatalf("nothing is missing though nothing was ticked (%v)", err)
	}
	c.refused("file without papers", "papers-missing", c.desk.File(Application{}))
	c.must("send away", c.desk.SendAway(spclep.GroundPapersMissing, []string{missing[0].ID}, ""))
	c.state(spclep.StateSentAway)
	c.refused("undo the arrival under it", "later-steps", c.desk.Undo(op.ID{Device: hlc.Device{1}, Seq: 2}, ""))
	c.must("undo", c.desk.Undo(c.last, "le avea în mașină"))
	c.state(spclep.StateArrived)
	c.bringAll()
	c.must("file", c.desk.File(Application{}))
}

// The wrong day, a no-show, a double check-in.
func TestCheckInRefusals(t *testing.T) {
	c := newCounter(t, "covasna")
	c.refused("nobody", "unknown-booking", c.desk.CheckIn())
	c.booked("R08", "2026-11-24", "09:20")
	if r, ok := spclep.Refused(c.try(c.desk.CheckIn())); !ok || r.Rule != "B09" {
		t.Fatalf("a booking of tomorrow: %+v, want rule B09", r)
	}
	c.clock("2026-11-24 09:15")
	c.must("check in", c.desk.CheckIn())
	if _, ok := spclep.Refused(c.try(c.desk.CheckIn())); !ok {
		t.Fatal("checked in twice at one desk")
	}
}

// A signed code that the replica has not seen: the name is typed, the person
// is taken in; when the hub's own booking comes later, it is no double.
func TestUnseenCode(t *testing.T) {
	c := newCounter(t, "covasna")
	office, err := c.desk.Ref.Office("covasna")
	if err != nil {
		t.Fatal(err)
	}
	day, _ := spclep.ParseDay(monday)
	seen := code.Booking{Office: office.Code, ID: c.id, Day: day, At: 9*60 + 20, Reason: "R08"}
	other := seen
	other.Office = 999
	c.refused("another office's", "other-office", c.desk.Accept(other, "Ana Exemplu"))
	c.refused("no name", "code-has-no-name", c.desk.Accept(seen, " "))
	c.must("accept", c.desk.Accept(seen, " Ana   Exemplu "))
	c.state(spclep.StateArrived)
	at := c.at
	c.clock("2026-11-20 12:00")
	c.booked("R08", monday, "09:20")
	c.at = at
	b := c.booking()
	if b.Visit.State != spclep.StateArrived || len(b.Visit.Doubles) != 0 || b.Email != "ana@example.ro" {
		t.Fatalf("after the hub's booking came: state %q, doubles %v, e-mail %q", b.Visit.State, b.Visit.Doubles, b.Email)
	}
}

// Fields: checked before anything is written, left alone where nothing
// changes, given back by undo.
func TestSetAndUndo(t *testing.T) {
	c := newCounter(t, "covasna")
	c.booked("R01", monday, "09:20")
	for _, bad := range []struct{ field, value, want string }{
		{"answer.civil", "complicated", "civil"},
		{"answer.shoe-size", "43", "shoe-size"},
		{"paper.R01.1", "seen", "original"},
		{"land-extract", "yesterday", "YYYY-MM-DD"},
		{"colour", "red", "colour"},
		{"reason", "R99", "R99"},
	} {
		err := c.try(c.desk.Set(map[string]string{"note": "x", bad.field: bad.value}))
		if err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s=%s: %v, want an error naming %q", bad.field, bad.value, err, bad.want)
		}
	}
	if n := len(c.entries); n != 1 {
		t.Fatalf("%d ops after bad values, want only the booking", n)
	}
	c.must("set", c.desk.Set(map[string]string{"answer.civil": "married", "email": "noua@example.ro"}))
	if err := c.try(c.desk.Set(map[string]string{"answer.civil": "married"})); !errors.Is(err, ErrNoChange) {
		t.Fatalf("the same again: %v", err)
	}
	c.must("undo", c.desk.Undo(c.last, ""))
	b := c.booking()
	if b.Email != "ana@example.ro" || b.Answers["civil"] != "" {
		t.Fatalf("after undo: e-mail %q, civil %q", b.Email, b.Answers["civil"])
	}
	c.refused("undo twice", "nothing-to-undo", c.desk.Undo(op.ID{Device: hlc.Device{1}, Seq: 2}, ""))
}

// An answer can be taken back; one that was never given needs no taking back.
func TestAnswerTakenBack(t *testing.T) {
	c := newCounter(t, "covasna")
	c.booked("R02", monday, "09:20")
	if err := c.try(c.desk.Set(map[string]string{"answer.birth": ""})); err == nil {
		t.Fatal("an answer that was never given was taken back")
	}
	c.must("say", c.desk.Set(map[string]string{"answer.birth": "2014-05-01"}))
	c.must("take back", c.desk.Set(map[string]string{"answer.birth": ""}))
	if birth, said := c.booking().Answers["birth"]; said {
		t.Fatalf("after it was taken back: birth %q", birth)
	}
}

// Papers are missing, and the clerk takes the application all the same: the
// reason stays on the record.
func TestDespite(t *testing.T) {
	c := newCounter(t, "covasna")
	c.booked("R08", monday, "09:20")
	c.must("check in", c.desk.CheckIn())
	c.refused("without a word", "papers-missing", c.desk.File(Application{Despite: "  "}))
	c.must("with a reason", c.desk.File(Application{Despite: "aduce chitanța mâine"}))
	facts := c.booking().Facts
	if why := facts[len(facts)-1].Why; why != "aduce chitanța mâine" {
		t.Fatalf("the record says %q", why)
	}
}

// Two desks changed one field apart: the loser can be restored with one
// action, and with it the conflict is settled; keeping settles it too.
func TestConflict(t *testing.T) {
	for _, restore := range []bool{true, false} {
		c := newCounter(t, "covasna")
		c.booked("R08", monday, "09:20")
		set := func(device byte, value string) op.ID {
			v, _ := json.Marshal(value)
			c.write(device, []op.Draft{{Cell: record.Cell(c.id, spclep.FieldNote), Value: v}})
			return c.last
		}
		loser := set(1, "sună înainte")
		c.at = c.at.Add(time.Minute)
		set(2, "vine cu mama")
		if b := c.booking(); b.Note != "vine cu mama" || len(b.Conflicts()) != 1 {
			t.Fatalf("note %q, conflicts %v", b.Note, b.Conflicts())
		}
		want := "vine cu mama"
		c.at = c.at.Add(time.Minute)
		if restore {
			want = "sună înainte"
			c.must("restore", c.desk.Restore(loser))
		} else {
			c.must("keep", c.desk.Keep(loser))
		}
		if b := c.booking(); b.Note != want || len(b.Conflicts()) != 0 {
			t.Fatalf("after settling: note %q, conflicts %v", b.Note, b.Conflicts())
		}
		c.refused("settle again", "no-conflict", c.desk.Restore(loser))
	}
}

// Without a booking: in walk-in hours, or approved by the head of service.
func TestWalkIn(t *testing.T) {
	c := newCounter(t, "covasna")
	w := Walk{Name: "Ödön Példa", Reason: "R08"}
	if _, ok := spclep.Refused(c.try(c.desk.WalkIn(w))); !ok {
		t.Fatal("a walk-in at 09:20 was taken; Covasna's walk-in hours are 13-15 (H02)")
	}
	w.Urgent, w.Why = true, "zbor mâine"
	if _, ok := spclep.Refused(c.try(c.desk.WalkIn(w))); !ok {
		t.Fatal("an urgency without the head of service was taken (B33)")
	}
	w.Approved = "șef serviciu"
	c.must("urgency", c.desk.WalkIn(w))
	c.state(spclep.StateArrived)

	c = newCounter(t, "covasna")
	c.clock(monday + " 13:30")
	c.must("walk-in hours", c.desk.WalkIn(Walk{Name: "Ödön Példa", Reason: "R08"}))
	c.refused("the id again", "id-taken", c.desk.WalkIn(Walk{Name: "Ödön Példa", Reason: "R08"}))
}
