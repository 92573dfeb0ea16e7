package simtest

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/peer"
	"condica/sync/wire"
)

// A pc is one office PC: a real replica in a folder and a real machine. The
// world takes the part of link, of the clerk and of the power.
type pc struct {
	w       *world
	name    string
	key     ed25519.PrivateKey
	dir     string
	db      *localdb.DB
	m       *peer.Machine
	life    int // of the service: answers to an earlier one are void
	boot    int
	bootAt  int64 // true time of power-on
	wallOff int64 // how far its clock is ahead
	counter uint64
	wakeAt  int64
	flying  [2]bool
	acked   []acked
}

// acked is an action a clerk was told is done.
type acked struct {
	first op.ID
	ops   int
	at    int64 // true time
	id    spclep.BookingID
	boot  int
}

// wrong clocks, in ms ahead of the truth.
var offsets = []int64{0, 0, 1500, -90_000, 10 * 60_000, -6 * hour, -17 * 365 * 24 * hour, 34 * 365 * 24 * hour}

func (w *world) newPC(seed uint64, i int) *pc {
	p := &pc{w: w, name: fmt.Sprintf("pc%d", i+1), key: keyOf(seed, i), dir: w.folder(), bootAt: w.now - w.r.Int64N(hour)}
	p.wallOff = offsets[w.r.IntN(len(offsets))]
	token, err := w.hub.NewToken(w.t.Context(), "covasna", time.Hour, "https://hub.example.ro", "")
	w.must(err)
	e, err := w.hub.Enroll(w.t.Context(), wire.Enroll{V: wire.Version, Secret: token.Secret, Pub: p.key.Public().(ed25519.PublicKey), Name: p.name})
	w.must(err)
	p.open()
	w.must(p.db.SetOffice(w.t.Context(), e))
	p.start()
	return p
}

func (p *pc) reading() hlc.Reading {
	return hlc.Reading{Wall: p.w.now + p.wallOff, Boot: fmt.Sprintf("%s-%d", p.name, p.boot), Up: p.w.now - p.bootAt}
}

func (p *pc) open() {
	db, report, err := localdb.Open(context.Background(), p.dir, localdb.Options{Device: wire.DeviceOf(p.key.Public().(ed25519.PublicKey)), Now: p.reading})
	p.w.must(err)
	for _, r := range report {
		p.w.say("%s: %s", p.name, r)
	}
	p.db = db
	p.w.t.Cleanup(func() { db.Close() })
}

// start begins a life of the service.
func (p *pc) start() {
	ctx := p.w.t.Context()
	counter, err := p.db.Counter(ctx, 0)
	p.w.must(err)
	p.counter = max(p.counter, counter)
	unsent, anchored, err := p.db.Unsent(ctx)
	p.w.must(err)
	p.life++
	p.m, p.flying, p.wakeAt = peer.New(uint64(p.life)*7+uint64(p.boot)), [2]bool{}, 0
	p.step(peer.Start{Unsent: unsent, Anchored: anchored})
}

// restart ends the service without warning and starts it again; lost: the
// database file does not survive it.
func (p *pc) restart(newBoot, lost bool) {
	p.w.say("%s restarts, new boot %v, database lost %v", p.name, newBoot, lost)
	p.w.must(p.db.Close())
	if newBoot {
		p.boot, p.bootAt = p.boot+1, p.w.now-p.w.r.Int64N(60_000)
	}
	if lost {
		p.w.must(os.Remove(filepath.Join(p.dir, localdb.DBName)))
	}
	p.counter = 0
	p.open()
	p.start()
}

func (p *pc) step(e peer.Event) {
	now := p.reading().Up
	for _, a := range p.m.Step(now, e) {
		switch a := a.(type) {
		case peer.WakeAt:
			p.wake(a.Ms)
		case peer.Send:
			p.send(a)
		}
	}
}

func (p *pc) wake(at int64) {
	life := p.life
	p.wakeAt = at
	p.w.in(at-p.reading().Up, func() {
		if p.life == life && p.wakeAt == at {
			p.wakeAt = 0
			p.step(peer.Wake{})
		}
	})
}

// send writes a request as link does, and gives it to the world.
func (p *pc) send(s peer.Send) {
	if p.flying[s.Lane] {
		p.w.t.Fatalf("%s: two %v requests at once\n%s", p.name, s.Lane, p.w.tail())
	}
	p.flying[s.Lane] = true
	ctx, life := p.w.t.Context(), p.life
	req, err := p.db.Where(ctx)
	p.w.must(err)
	req.Limit = 1 + p.w.r.IntN(20)
	if _, err := p.db.Counter(ctx, p.counter); err != nil {
		p.w.must(err)
	}
	if s.Ops {
		ops, err := p.db.Outbox(ctx, 1+p.w.r.IntN(8), 1<<20)
		p.w.must(err)
		if len(ops) > 0 {
			seg := wire.SignSegment(p.key, ops)
			req.Segments = []wire.Segment{seg}
			first, err := wire.DecodeOp(seg.Device, ops[0])
			p.w.must(err)
			last, err := wire.DecodeOp(seg.Device, ops[len(ops)-1])
			p.w.must(err)
			if first.ID.Seq == req.Own+1 {
				req.Own = last.ID.Seq
			}
		}
	}
	sent := p.reading()
	req.SetClock(sent)
	body, err := wire.Encode(req)
	p.w.must(err)
	p.counter++
	p.w.say("%s sends %v, cursor %d, %d segments", p.name, s.Lane, req.Cursor, len(req.Segments))
	l := letter{s.Lane, body, wire.SignRequest(p.key, p.counter, "/v1/sync", body)}
	p.w.post(p, l, func(a wire.Answer, err error) {
		if p.life == life {
			p.hear(s.Lane, a, err, sent)
		}
	})
}

func (p *pc) hear(lane peer.Lane, a wire.Answer, err error, sent hlc.Reading) {
	p.flying[lane] = false
	if err != nil {
		p.w.say("%s %v: %v", p.name, lane, err)
		var u used
		if errors.As(err, &u) {
			p.counter = max(p.counter, uint64(u))
		}
		p.step(peer.Failed{Lane: lane})
		return
	}
	p.m.Step(p.reading().Up, peer.Got{Lane: lane})
	out, err := p.db.Save(p.w.t.Context(), a, sent, p.reading(), lane == peer.Main)
	p.w.must(err)
	p.w.say("%s saved %v: %+v, have %d", p.name, lane, out, a.Have)
	if out.Refused > 0 {
		p.w.t.Fatalf("%s: an edit was refused: %+v\n%s", p.name, a.Verdicts, p.w.tail())
	}
	if out.Unsent == 0 {
		p.w.must(p.db.Tidy(p.w.t.Context()))
	}
	p.step(peer.Saved{Lane: lane, Outcome: out})
}

// clerk does one of the things a clerk does, on one of a few bookings, so that
// desks meet on the same ones.
func (p *pc) clerk() {
	id := spclep.BookingID(fmt.Sprintf("7F3KQR%02d", 22+p.w.r.IntN(6)))
	kind := p.w.r.IntN(5)
	n := 0
	r, err := p.db.Edit(p.w.t.Context(), "", p.name, id, func(b record.Booking, _ localdb.Place) (drafts []op.Draft, err error) {
		drafts = p.drafts(b, kind)
		n = len(drafts)
		return drafts, nil
	})
	p.w.must(err)
	p.w.say("%s writes %d ops on %s: %s", p.name, n, id, r.Action)
	p.acked = append(p.acked, acked{r.Action, n, p.w.now, id, p.boot})
	unsent, _, err := p.db.Unsent(p.w.t.Context())
	p.w.must(err)
	p.step(peer.Edited{Unsent: unsent})
}

func (p *pc) drafts(b record.Booking, kind int) []op.Draft {
	fact := func(name string, v any) op.Draft {
		return op.Draft{Cell: record.Cell(b.ID, name), Fact: true, Value: p.json(v)}
	}
	// Long values, so that the journal is begun anew now and then.
	register := func(field string) op.Draft {
		text := fmt.Sprintf("%s la %d %s", p.name, p.w.now, strings.Repeat("n", 8000))
		return op.Draft{Cell: record.Cell(b.ID, field), Value: p.json(text), Base: b.Heads(field)}
	}
	switch kind {
	case 0:
		return []op.Draft{fact(spclep.Arrived, struct{}{})}
	case 1:
		return []op.Draft{fact(spclep.Filed, spclep.FiledValue{Number: "1-1", Due: 20800}), register(spclep.FieldNote)}
	case 2:
		if n := len(b.Facts); n > 0 {
			return []op.Draft{fact(spclep.Undone, spclep.UndoneValue{Action: b.Facts[n-1].ActionID().String()})}
		}
	case 3:
		return []op.Draft{register(spclep.FieldEmail)}
	}
	return []op.Draft{register(spclep.FieldNote)}
}

func (p *pc) json(v any) []byte {
	b, err := json.Marshal(v)
	p.w.must(err)
	return b
}
