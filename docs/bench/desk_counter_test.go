package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"condica/agent/office"
	"condica/agent/page"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/link"
	"condica/sync/op"
	"condica/sync/wire"
)

// The desk's office has walk-in hours, which the town's has not.
const counterOffice = spclep.OfficeID("covasna")

var (
	ownPC   = hlc.Device{1, 1, 1, 1}
	otherPC = hlc.Device{2, 2, 2, 2}
	hubName = hlc.Device{9, 9, 9, 9}
)

// A deskPC is one office PC: the desk's pages over a replica. Its clock is in
// the run's hand, its line is cut, and a hub is what its answers say.
type deskPC struct {
	testing.TB
	ref    *spclep.Reference
	zone   *time.Location
	db     *localdb.DB
	office *office.Office
	pages  http.Handler

	wall    int64 // ms: the hub's time and the PC's
	pos     int64 // last position of the hub's log
	seq     map[hlc.Device]uint64
	given   int64 // the highest registration number that anybody was given
	apart   int   // conflicts that wait for a person
	books   []booked
	working []spclep.Day // the days to come, the first of them today
}

// newDeskPC opens the desk on n bookings.
func newDeskPC(tb testing.TB, n int) *deskPC {
	tb.Helper()
	c := &deskPC{TB: tb, seq: map[hlc.Device]uint64{}}
	var err error
	c.ref, err = spclep.Builtin()
	c.must(err)
	c.zone, err = time.LoadLocation("Europe/Bucharest")
	c.must(err)
	c.wall = c.at(firstDay, 8*60)
	c.db, _, err = localdb.Open(context.Background(), filepath.Join(tb.TempDir(), "data"), localdb.Options{Device: ownPC, Now: c.reading})
	c.must(err)
	tb.Cleanup(func() { c.db.Close() })
	c.must(c.db.SetOffice(context.Background(), wire.Enrolled{Office: string(counterOffice), Desk: 1}))
	c.fill(n)
	c.office = office.New(office.Config{DB: c.db, Ref: c.ref, Zone: c.zone,
		Random: func(b []byte) { rand.Read(b) }, Up: func() int64 { return c.reading().Up }})
	c.office.SetLine(cut{})
	c.pages = page.New(c.office, page.Options{Log: slog.New(slog.DiscardHandler), Version: "bench", Hosts: []string{deskHost}, Random: rand.Text})
	return c
}

// cut is a line without a centre at its end.
type cut struct{}

func (cut) Ring()               {}
func (cut) Status() link.Status { return link.Status{Kind: link.Unreachable} }

func (c *deskPC) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// at is a time of day in ms.
func (c *deskPC) at(d spclep.Day, m spclep.Minute) int64 {
	y, month, day := d.Date()
	return time.Date(y, month, day, 0, int(m), 0, 0, c.zone).UnixMilli()
}

// now moves the clock, never back.
func (c *deskPC) now(d spclep.Day, m spclep.Minute) { c.wall = max(c.wall, c.at(d, m)) }

func (c *deskPC) reading() hlc.Reading {
	return hlc.Reading{Wall: c.wall, Boot: "boot", Up: c.wall - 1_500_000_000_000}
}

// save hears an answer of the hub, as of now.
func (c *deskPC) save(a wire.Answer) {
	c.Helper()
	a.V, a.Epoch, a.HubMs, a.From = wire.Version, "e1", c.wall, c.pos
	for i := range a.Entries {
		c.pos++
		a.Entries[i].Pos = c.pos
	}
	a.Head = c.pos
	r := c.reading()
	_, err := c.db.Save(context.Background(), a, r, r, false)
	c.must(err)
}

// entry is an edit as the hub passes it on: by the hub itself, by the other PC,
// or by this one before its replica was made anew.
func (c *deskPC) entry(by hlc.Device, ms int64, id spclep.BookingID, field string, fact bool, value any) wire.Entry {
	c.Helper()
	c.seq[by]++
	o := op.Op{
		ID: op.ID{Device: by, Seq: c.seq[by]}, Action: c.seq[by], Cell: record.Cell(id, field), Fact: fact,
		Time: hlc.At(ms), Clock: hlc.Reading{Wall: ms, Boot: "b", Up: 1},
	}
	o.By = map[hlc.Device]string{ownPC: "Ghișeul 1", otherPC: "Ghișeul 2"}[by]
	if value != nil {
		v, err := json.Marshal(value)
		c.must(err)
		o.Value = v
	}
	raw, err := wire.EncodeOp(o)
	c.must(err)
	return wire.Entry{Device: by, Op: bytes.Clone(raw)}
}

// night: the line is back for a moment. The hub takes what the day has written,
// and fills the stock of registration numbers.
func (c *deskPC) night() {
	c.Helper()
	raws, err := c.db.Outbox(context.Background(), 1<<20, 1<<30)
	c.must(err)
	var a wire.Answer
	for _, raw := range raws {
		o, err := wire.DecodeOp(ownPC, raw)
		c.must(err)
		a.Entries = append(a.Entries, wire.Entry{Seq: o.ID.Seq})
	}
	st, err := c.db.Standing(context.Background())
	c.must(err)
	if st.NumbersLeft < wire.NumberBlock {
		a.Numbers = &wire.Numbers{From: c.given + 1, To: c.given + wire.NumberBlock}
		c.given += wire.NumberBlock
	}
	c.save(a)
	if unsent, _, err := c.db.Unsent(context.Background()); err != nil || unsent != 0 {
		c.Fatalf("%d edits wait after the hub took all, %v", unsent, err)
	}
}
