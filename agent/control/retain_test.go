package control_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"condica/agent/control"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// books lets bookings come from the hub for the people of a day: as many as
// named, of which nobody came.
func (p *pc) books(when int64, ids ...string) {
	p.t.Helper()
	st, err := p.db.Standing(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	a := wire.Answer{V: 1, Epoch: "e1", HubMs: when, From: st.Cursor, Cursor: st.Cursor + int64(len(ids)), Head: st.Cursor + int64(len(ids))}
	for i, id := range ids {
		value, err := json.Marshal(spclep.BookedValue{Name: "Persoană Exemplu", Reason: "R01", Day: spclep.DayOf(time.UnixMilli(when).UTC()), At: 540})
		if err != nil {
			p.t.Fatal(err)
		}
		seq := uint64(st.Cursor) + uint64(i) + 1
		raw, err := wire.EncodeOp(op.Op{ID: op.ID{Device: hlc.Device{9}, Seq: seq}, Action: seq, Cell: record.Cell(spclep.BookingID(id), spclep.Booked), Fact: true, Value: value, Time: hlc.At(when) + hlc.Time(i)})
		if err != nil {
			p.t.Fatal(err)
		}
		a.Entries = append(a.Entries, wire.Entry{Pos: int64(seq), Device: hlc.Device{9}, Op: raw})
	}
	p.hears(a)
}

// hears saves an answer of the hub at the PC's present moment.
func (p *pc) hears(a wire.Answer) {
	p.t.Helper()
	if _, err := p.db.Save(p.t.Context(), a, p.clock, p.clock, true); err != nil {
		p.t.Fatal(err)
	}
}

// contact tells the PC the hub's time.
func (p *pc) contact(ms int64) {
	p.t.Helper()
	st, err := p.db.Standing(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	p.hears(wire.Answer{V: 1, Epoch: "e1", HubMs: ms, From: st.Cursor, Cursor: st.Cursor, Head: st.Head})
}

// aDay is what the running program does when it is woken, and again.
func (p *pc) aDay() {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); p.c.Run(ctx) }()
	for range 3 { // the third is taken when the second has been worked through
		p.wake <- time.Time{}
	}
	cancel()
	<-ended
}

func (p *pc) bookings() int {
	p.t.Helper()
	st, err := p.db.Standing(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return st.Bookings
}

// retains puts a time of retention in force.
func (p *pc) retains(it maker, number int64, days int) {
	p.t.Helper()
	p.receive(number, it.box(number, "covasna", [3]string{"settings.yaml", "format: 1\n", fmt.Sprintf("format: 1\nretention_days: %d\n", days)}))
	p.work()
	if r := p.c.Rules(); r.Number != number || r.Settings.RetentionDays != days {
		p.t.Fatalf("in force are %d with %d days", r.Number, r.Settings.RetentionDays)
	}
}

// The centre sets ninety days. What is older goes, the next day what has grown
// old since; with no such word nothing ever goes.
func TestRetention(t *testing.T) {
	p, it := newPC(t), newMaker(t, "root")
	p.books(noon-100*day, "2222AAAA", "2222BBBB")
	p.books(noon-89*day, "2222CCCC")
	p.contact(noon)
	p.aDay()
	if n := p.bookings(); n != 3 {
		t.Fatalf("%d of 3 are here though no time was set", n)
	}
	p.retains(it, 7, 90)
	p.aDay()
	if n := p.bookings(); n != 1 {
		t.Errorf("%d are here, want the one of 89 days ago", n)
	}
	p.clock.Up, p.clock.Wall = p.clock.Up+3*day, p.clock.Wall+3*day
	p.aDay()
	if n := p.bookings(); n != 0 || p.faulty > 0 {
		t.Errorf("three days later %d are here, %d faults", n, p.faulty)
	}
}

// The PC's clock stands in 2060, or was typed so: nothing goes until the hub has
// said what day it is, and then only what is old by that.
func TestRetentionByAWrongClock(t *testing.T) {
	p, it := newPC(t), newMaker(t, "root")
	p.books(noon-100*day, "2222AAAA")
	p.books(noon-10*day, "2222BBBB")
	p.clock = hlc.Reading{Wall: noon + 34*365*day, Boot: "another run", Up: 1000}
	p.restart()
	p.retains(it, 7, 90)
	p.aDay()
	if n := p.bookings(); n != 2 {
		t.Errorf("by the PC's own clock %d of 2 stay", n)
	}
	if err := p.db.SetNow(t.Context(), p.clock.Wall); err != nil {
		t.Fatal(err)
	}
	p.aDay()
	if n := p.bookings(); n != 2 {
		t.Errorf("by a clerk's word %d of 2 stay", n)
	}
	p.contact(noon)
	p.aDay()
	if n := p.bookings(); n != 1 {
		t.Errorf("by the hub's time %d stay, want 1", n)
	}
}

// Once a day is enough; a time that is set anew counts at once.
func TestRetentionOnceADay(t *testing.T) {
	p, it := newPC(t), newMaker(t, "root")
	p.retains(it, 7, 90)
	p.contact(noon)
	p.aDay()
	p.books(noon-100*day, "2222AAAA")
	p.contact(noon)
	p.aDay()
	if n := p.bookings(); n != 1 {
		t.Errorf("the same day it was looked again: %d are here", n)
	}
	p.retains(it, 8, 95)
	p.aDay()
	if n := p.bookings(); n != 0 {
		t.Errorf("with 95 days %d are here", n)
	}
}

var _ control.Store = (*localdb.DB)(nil)
