package localdb

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/peer"
	"condica/sync/wire"
)

// Noon of the stories, by the hub's clock.
const storyNoon = int64(1_795_262_400_000)

var (
	thisPC  = hlc.Device{0xa1}
	otherPC = hlc.Device{0xb2}
	newPC   = hlc.Device{0xc3}
	theHub  = hlc.Device{0xc0}
)

// A counter is one office PC in a test: its folder, its clocks, its replica.
type counter struct {
	testing.TB
	dir   string
	clock hlc.Reading
	*DB
	report Report
}

func newCounter(t testing.TB) *counter {
	c := &counter{TB: t, dir: t.TempDir(), clock: hlc.Reading{Wall: storyNoon, Boot: "b1", Up: 1000}}
	c.open()
	c.must(c.SetOffice(t.Context(), wire.Enrolled{Office: "covasna", Desk: 2}))
	return c
}

func (c *counter) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *counter) open() {
	c.Helper()
	db, report, err := Open(context.Background(), c.dir, Options{Device: thisPC, Now: func() hlc.Reading { return c.clock }})
	c.must(err)
	c.DB, c.report = db, report
	c.Cleanup(func() { db.Close() })
}

func (c *counter) reopen() {
	c.Helper()
	c.must(c.Close())
	c.open()
}

// later lets time pass on all clocks of the PC.
func (c *counter) later(ms int64) { c.clock.Wall, c.clock.Up = c.clock.Wall+ms, c.clock.Up+ms }

// newBoot switches the PC off and on.
func (c *counter) newBoot(boot string) { c.clock.Boot, c.clock.Up = boot, 10 }

func factDraft(id, name string, value any) op.Draft {
	b, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return op.Draft{Cell: record.Cell(spclep.BookingID(id), name), Fact: true, Value: b}
}

// write is one action of one fact or more.
func (c *counter) write(key, id string, drafts ...op.Draft) Receipt {
	c.Helper()
	r, err := c.Edit(context.Background(), key, "Ana", spclep.BookingID(id), func(record.Booking, Place) ([]op.Draft, error) { return drafts, nil })
	c.must(err)
	return r
}

// register is an edit of a field on top of what stands there.
func (c *counter) register(id, field, value string) Receipt {
	c.Helper()
	r, err := c.Edit(context.Background(), "", "Ana", spclep.BookingID(id), func(b record.Booking, _ Place) ([]op.Draft, error) {
		v, err := json.Marshal(value)
		return []op.Draft{{Cell: record.Cell(b.ID, field), Value: v, Base: b.Heads(field)}}, err
	})
	c.must(err)
	return r
}

func (c *counter) arrive(id string) Receipt {
	c.Helper()
	return c.write("", id, factDraft(id, spclep.Arrived, struct{}{}))
}

func (c *counter) state(id string) spclep.State {
	c.Helper()
	b, err := c.Booking(context.Background(), spclep.BookingID(id))
	c.must(err)
	return b.Visit.State
}

// outbox is what would be sent now.
func (c *counter) outbox() [][]byte {
	c.Helper()
	ops, err := c.Outbox(context.Background(), wire.MaxOps, 1<<20)
	c.must(err)
	return ops
}

// save takes in an answer; main or poll.
func (c *counter) save(a wire.Answer, main bool) peer.Outcome {
	c.Helper()
	c.must(wireCheck(a))
	out, err := c.Save(context.Background(), a, c.clock, c.clock, main)
	c.must(err)
	return out
}

// wireCheck: only what comes through the door of wire reaches Save.
func wireCheck(a wire.Answer) error {
	b, err := wire.Encode(a)
	if err == nil {
		_, err = wire.DecodeAnswer(b)
	}
	return err
}

// everything gives all ops held, as id, eff, pos and bytes: two replicas that
// hold the same give the same.
func (c *counter) everything() string {
	c.Helper()
	rows, err := c.r.Query(`SELECT device, seq, eff, coalesce(pos, 0), verdict, raw FROM op ORDER BY device, seq`)
	c.must(err)
	defer rows.Close()
	var b strings.Builder
	for rows.Next() {
		var device, verdict, raw string
		var seq, eff, pos int64
		c.must(rows.Scan(&device, &seq, &eff, &pos, &verdict, &raw))
		fmt.Fprintf(&b, "%s:%d %d %d %q %s\n", device, seq, eff, pos, verdict, raw)
	}
	c.must(rows.Err())
	return b.String()
}

func (c *counter) unsent() int {
	c.Helper()
	n, _, err := c.Unsent(context.Background())
	c.must(err)
	return n
}

func (c *counter) path(name string) string { return filepath.Join(c.dir, name) }

// A town is the hub as far as a replica can tell: one office's log.
type town struct {
	testing.TB
	pc    hlc.Device // who asks
	epoch string
	now   int64
	log   []wire.Entry // with the whole op
	at    map[op.ID]int64
	have  map[hlc.Device]uint64
	no    map[op.ID]string // refusals
}

func newTown(t testing.TB) *town {
	return &town{TB: t, pc: thisPC, epoch: "e1", now: storyNoon, at: map[op.ID]int64{}, have: map[hlc.Device]uint64{}, no: map[op.ID]string{}}
}

// put takes one op in; the same id and bytes twice are one.
func (tn *town) put(d hlc.Device, raw []byte, eff hlc.Time) wire.Verdict {
	tn.Helper()
	o, err := wire.DecodeOp(d, raw)
	if err != nil {
		tn.Fatal(err)
	}
	v := wire.Verdict{Seq: o.ID.Seq}
	switch pos := tn.at[o.ID]; {
	case tn.no[o.ID] != "":
		v.Code, v.Say = wire.Refused, tn.no[o.ID]
	case pos > 0 && string(tn.log[pos-1].Op) != string(raw):
		v.Code, v.Say = wire.Clash, "another edit is here"
	case pos > 0:
		v.Pos, v.Eff = pos, tn.log[pos-1].Eff
	default:
		v.Pos, v.Eff = int64(len(tn.log))+1, eff
		tn.log = append(tn.log, wire.Entry{Pos: v.Pos, Device: d, Eff: eff, Op: raw})
		tn.at[o.ID] = v.Pos
	}
	for tn.at[op.ID{Device: d, Seq: tn.have[d] + 1}] > 0 || tn.no[op.ID{Device: d, Seq: tn.have[d] + 1}] != "" {
		tn.have[d]++
	}
	return v
}

// written puts an op of another author into the log.
func (tn *town) written(d hlc.Device, seq uint64, ms int64, draft op.Draft) {
	tn.Helper()
	raw, err := wire.EncodeOp(op.Op{ID: op.ID{Device: d, Seq: seq}, Action: seq, Cell: draft.Cell, Fact: draft.Fact, Value: draft.Value, Base: draft.Base, Time: hlc.At(ms), By: "Dan"})
	if err != nil {
		tn.Fatal(err)
	}
	tn.put(d, raw, 0)
}

// booked writes a booking by the hub's own hand.
func (tn *town) booked(seq uint64, id, name string) {
	tn.Helper()
	tn.written(theHub, seq, storyNoon-86_400_000, factDraft(id, spclep.Booked, spclep.BookedValue{Name: name, Email: "p" + id + "@example.ro", Reason: "R01", Day: 20780, At: 540}))
}

// answer is what the hub says to a replica that stands where it says.
func (tn *town) answer(where wire.Request, verdicts ...wire.Verdict) wire.Answer {
	if where.Epoch != tn.epoch {
		where.Cursor = 0
	}
	a := wire.Answer{V: wire.Version, Epoch: tn.epoch, HubMs: tn.now, Have: tn.have[tn.pc], Verdicts: verdicts, From: where.Cursor, Cursor: where.Cursor, Head: int64(len(tn.log))}
	for _, e := range tn.log[min(where.Cursor, a.Head):] {
		if o, err := wire.DecodeOp(e.Device, e.Op); err == nil && e.Device == tn.pc && o.ID.Seq <= where.Own {
			e = wire.Entry{Pos: e.Pos, Seq: o.ID.Seq, Eff: e.Eff}
		}
		a.Entries, a.Cursor = append(a.Entries, e), e.Pos
	}
	return a
}

// sync is one whole exchange, as link makes it: the first of a boot without ops.
func (c *counter) sync(tn *town) peer.Outcome {
	c.Helper()
	where, err := c.Where(context.Background())
	c.must(err)
	_, anchored, err := c.Unsent(context.Background())
	c.must(err)
	var verdicts []wire.Verdict
	if anchored {
		ops := c.outbox()
		for _, raw := range ops {
			verdicts = append(verdicts, tn.put(tn.pc, raw, 0))
		}
		if n := len(verdicts); n > 0 && verdicts[0].Seq == where.Own+1 {
			where.Own = verdicts[n-1].Seq
		}
	}
	return c.save(tn.answer(where, verdicts...), true)
}

// syncAll goes on until nothing is left to say; a replica that never comes to
// rest is stuck.
func (c *counter) syncAll(tn *town) {
	c.Helper()
	for range 20 {
		if out := c.sync(tn); out.Anchored && out.Unsent == 0 && !out.More {
			return
		}
	}
	c.Fatalf("after 20 exchanges %d ops are still unsent", c.unsent())
}
