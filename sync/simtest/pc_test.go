package simtest

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/peer"
	"condica/sync/replica"
	"condica/sync/wire"
)

// A local is a replica: on SQLite, or on a simulated disk.
type local interface {
	Device() hlc.Device
	Edit(ctx context.Context, key, by string, id spclep.BookingID, decide func(record.Booking, localdb.Place) ([]op.Draft, error)) (localdb.Receipt, error)
	Where(context.Context) (wire.Request, error)
	Outbox(ctx context.Context, most, maxBytes int) ([][]byte, error)
	Complete(ctx context.Context, r *wire.Request, maxBytes int) error
	Save(ctx context.Context, a wire.Answer, sent, received hlc.Reading, main bool) (peer.Outcome, error)
	Unsent(context.Context) (int, bool, error)
	Counter(ctx context.Context, atLeast uint64) (uint64, error)
	Tidy(context.Context) error
	Scrub(ctx context.Context, budget int) error
	SetOffice(context.Context, wire.Enrolled) error
	Rekey(context.Context, wire.Enrolled) error
	UnsentMarks(context.Context) ([]wire.Unsent, error)
	Look(context.Context, func(replica.Tx) error) error
	Close() error
}

// A pc is one office PC: a real replica and a real machine. The world takes the
// part of link, agent, clerk and power.
type pc struct {
	w      *world
	name   string
	office string
	gone   bool // replaced by another machine

	// On its disk.
	disk    *disk
	tables  *tables // in memory worlds
	dir     string  // in SQLite worlds
	key     ed25519.PrivateKey
	next    ed25519.PrivateKey // on its way to be the key
	cert    string
	newCert string // of next
	keys    int    // made so far
	backups []image

	db      local
	m       *peer.Machine
	life    int // of the service: answers to an earlier one are void
	boot    string
	boots   int
	bootAt  int64 // true time of power-on
	wallOff int64 // how far its clock is ahead
	drift   int64 // millionths
	blind   bool  // a run of the PC ended without contact: its times cannot all be known
	counter uint64
	wakeAt  int64
	flying  [2]bool
	asking  bool // for a new key, or for its old place
	silent  bool // it may say nothing more under its key
	setBack bool // to an image, just now
	torn    bool // the database is gone; it is begun with the journal
	damaged bool // some row of it, once: lists made of it are localdb's to look through
}

// image is a PC's disk as it was.
type image struct {
	at            int64
	disk          *disk
	tables        *tables
	dir           string
	key           ed25519.PrivateKey
	next          ed25519.PrivateKey
	cert, newCert string
	free          []replica.Range // registration numbers to give
}

// wrong clocks, in ms ahead of the truth: minutes, hours, the years 2009, 2060
// and 1976, 2076.
var offsets = []int64{0, 1500, -90_000, 10 * minute, -6 * hour, 17 * hour, -17 * 365 * 24 * hour, 34 * 365 * 24 * hour, -50 * 365 * 24 * hour, 50 * 365 * 24 * hour}

// newYear2009 is where a PC without a battery begins.
const newYear2009 = 1_230_768_000_000

func (w *world) newPC(office string) *pc {
	p := w.machine(fmt.Sprintf("pc%d", len(w.pcs)+1), office)
	p.disk, p.tables = newDisk(w.r), newTables()
	if w.o.SQLite {
		p.dir = w.folder()
	}
	p.key = p.makeKey()
	e, err := w.hub.Enroll(context.Background(), wire.Enroll{V: wire.Version, Secret: w.token(office), Pub: pub(p.key), Name: p.name})
	w.must(err)
	p.cert = e.Cert
	p.open()
	w.must(p.db.SetOffice(context.Background(), e))
	w.in(0, p.start)
	return p
}

// machine is a PC that is switched on, with nothing on its disk yet.
func (w *world) machine(name, office string) *pc {
	p := &pc{w: w, name: name, office: office}
	if w.o.Drift {
		p.drift = w.r.Int64N(200) - 100
	}
	p.powerOn()
	p.boot = p.name + "-first"
	if w.o.WrongClock {
		p.wallOff = offsets[w.r.IntN(len(offsets))]
	}
	w.pcs = append(w.pcs, p)
	return p
}

func (p *pc) powerOn() {
	p.boots++
	p.boot, p.bootAt = fmt.Sprintf("%s-%d", p.name, p.boots), p.w.now-p.w.r.Int64N(minute)
	if p.w.o.DeadBattery {
		p.wallOff = newYear2009 - p.bootAt
	}
}

func (p *pc) makeKey() ed25519.PrivateKey {
	p.keys++
	return p.w.key(fmt.Sprintf("%s key %d", p.name, p.keys))
}

func pub(key ed25519.PrivateKey) ed25519.PublicKey { return key.Public().(ed25519.PublicKey) }

func (p *pc) reading() hlc.Reading {
	up := p.w.now - p.bootAt
	up += up * p.drift / 1_000_000
	if p.w.o.Coarse {
		wall := (p.w.now + p.wallOff) / second * second
		return hlc.Reading{Wall: wall, Boot: p.boot, Up: wall - p.wallOff - p.bootAt}
	}
	return hlc.Reading{Wall: p.w.now + p.wallOff, Boot: p.boot, Up: up}
}

// open opens what lies on the disk. The agent's part: which key is the right one
// the replica says. On a full disk the service does not come up, and is begun
// again.
func (p *pc) open() bool {
	device := wire.DeviceOf(pub(p.key))
	if p.w.o.SQLite {
		db, report, err := localdb.Open(context.Background(), p.dir, localdb.Options{Device: device, Now: p.reading})
		p.w.must(err)
		for _, r := range report {
			p.w.say("%s: %s", p.name, r)
		}
		p.db = db
	} else {
		l, err := openLog(p.disk, p.tables, device, p.reading)
		if errors.Is(err, errFull) {
			p.w.say("%s does not come up: %v", p.name, err)
			p.w.in(10*second, p.begin)
			return false
		}
		p.w.must(err)
		p.db = l
	}
	if p.next != nil && wire.DeviceOf(pub(p.next)) == p.db.Device() {
		p.key, p.cert, p.next = p.next, p.newCert, nil
	}
	if p.db.Device() != wire.DeviceOf(pub(p.key)) {
		p.w.fail("%s writes as %s and has the key of %s", p.name, p.db.Device(), device)
	}
	return true
}

func (p *pc) close() {
	if p.db != nil {
		p.db.Close()
	}
}

// alive runs something of the service. Where the disk says that it ends there,
// it ends there, and begins anew a little later.
func (p *pc) alive(f func()) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case crash:
			p.w.say("%s ends: %s", p.name, e.at)
			p.end(p.w.chance(p.w.o.PowerCut))
		default:
			panic(e)
		}
	}()
	f()
}

// end is the end of the service, or of the power, at this moment.
func (p *pc) end(power bool) {
	if p.w.o.SQLite {
		// As the files lie there now, with nothing closed.
		dir := p.w.folder()
		copyFolder(p.w, p.dir, dir)
		p.db.Close()
		p.dir = dir
	} else if power {
		p.disk.powerCut()
		if p.w.chance(p.w.o.TornDB) {
			p.w.say("%s: the database is torn with it", p.name)
			p.w.counts["databases lost"]++
			p.tables, p.torn = newTables(), true
		}
	}
	p.life++
	p.flying, p.asking, p.silent, p.db, p.m = [2]bool{}, false, false, nil, nil
	if power {
		p.off()
		p.powerOn()
	}
	p.w.in(50+p.w.r.Int64N(20_000), p.begin)
}

// off notes whether the run of the PC that ends had been measured.
func (p *pc) off() {
	p.blind = true // what is unsealed now gets its time from another run
	p.w.inexact(p)
}

// begin begins a life of the service.
func (p *pc) begin() {
	if p.gone || p.db != nil {
		return
	}
	if p.torn {
		p.torn = false
		p.again()
		return
	}
	p.alive(func() {
		if p.open() {
			p.w.keeps(p)
			p.start()
		}
	})
}

func (p *pc) start() {
	if p.gone {
		return
	}
	if p.db == nil {
		p.begin()
		return
	}
	p.alive(func() {
		ctx := context.Background()
		counter, err := p.db.Counter(ctx, 0)
		if p.broken(err) {
			return
		}
		p.counter = counter
		unsent, anchored, err := p.db.Unsent(ctx)
		p.w.must(err)
		p.life++
		p.m, p.flying, p.asking, p.silent, p.wakeAt = peer.New(uint64(p.life)*7+uint64(p.boots)+p.w.seed), [2]bool{}, false, false, 0
		if !p.w.o.Poll {
			p.m.Step(0, peer.Rhythm{PollEvery: int64(p.w.o.PollEvery) * minute, Wait: false})
			p.m = peer.New(uint64(p.life)*7 + uint64(p.boots) + p.w.seed)
			p.rhythm(unsent, anchored)
			return
		}
		p.step(peer.Start{Unsent: unsent, Anchored: anchored})
	})
}

// rhythm starts a machine that asks now and then.
func (p *pc) rhythm(unsent int, anchored bool) {
	for _, a := range p.m.Step(p.reading().Up, peer.Rhythm{PollEvery: int64(p.w.o.PollEvery) * minute, Wait: false}) {
		if s, ok := a.(peer.Send); ok {
			p.do(s)
		}
	}
	p.step(peer.Start{Unsent: unsent, Anchored: anchored})
}

// broken: a full disk is met again a little later; any other fault is one.
func (p *pc) broken(err error) bool {
	if err == nil {
		return false
	}
	if !errors.Is(err, errFull) {
		p.w.fail("%s: %v", p.name, err)
	}
	p.w.say("%s: %v", p.name, err)
	life := p.life
	p.w.in(5*second, func() {
		if p.life == life {
			p.start()
		}
	})
	return true
}

func (p *pc) step(e peer.Event) {
	if p.m == nil {
		return
	}
	now := p.reading().Up
	for _, a := range p.m.Step(now, e) {
		switch a := a.(type) {
		case peer.WakeAt:
			p.wake(a.Ms)
		case peer.Send:
			p.do(a)
		}
	}
}

func (p *pc) wake(at int64) {
	life := p.life
	p.wakeAt = at
	// Its own running time may be slow or fast: a little later is soon enough.
	p.w.in(at-p.reading().Up+at/5000, func() {
		if p.life == life && p.wakeAt == at {
			p.wakeAt = 0
			p.alive(func() { p.step(peer.Wake{}) })
		}
	})
}

// do sends a request; one that cannot be written fails like a line.
func (p *pc) do(s peer.Send) {
	if p.flying[s.Lane] {
		p.w.fail("%s: two %v requests at once", p.name, s.Lane)
	}
	p.flying[s.Lane] = true
	l, sent, err := p.request(s)
	life := p.life
	if err != nil {
		if !errors.Is(err, errFull) && !errors.Is(err, replica.ErrNoAnchor) {
			p.w.fail("%s: %v", p.name, err)
		}
		p.w.in(1, func() { p.heard(life, s.Lane, nil, err, sent) })
		return
	}
	p.deliver(life, s.Lane, l, sent, 1)
}

// deliver posts a request; one whose number is used goes out at once with
// another, as link does it.
func (p *pc) deliver(life int, lane peer.Lane, l letter, sent hlc.Reading, try int) {
	p.w.post(l, lane == peer.Poll && try == 1, func(b []byte, err error) {
		var u used
		if errors.As(err, &u) && try < 3 && p.life == life && !p.gone {
			p.counter = max(p.counter, uint64(u)) + 1
			l.signature = wire.SignRequest(p.key, p.counter, l.path, l.body)
			p.deliver(life, lane, l, sent, try+1)
			return
		}
		p.heard(life, lane, b, err, sent)
	})
}

// request writes a request as link does.
func (p *pc) request(s peer.Send) (l letter, sent hlc.Reading, err error) {
	ctx, w := context.Background(), p.w
	if err := p.db.Scrub(ctx, 5000); err != nil {
		return l, sent, err
	}
	req, err := p.db.Where(ctx)
	if err != nil {
		return l, sent, err
	}
	req.Limit = 1 + w.r.IntN(30)
	if w.calm {
		req.Limit = 500
	}
	if _, err := p.db.Counter(ctx, p.counter); err != nil {
		return l, sent, err
	}
	if s.Ops {
		if err := p.segments(&req); err != nil {
			return l, sent, err
		}
	}
	if err := p.db.Complete(ctx, &req, 1<<16); err != nil {
		return l, sent, err
	}
	sent = p.reading()
	req.SetClock(sent)
	req.V += w.o.SkewPC
	if w.o.SkewPC < 0 { // an earlier program asks for no numbers
		req.Numbers, req.Desks = nil, ""
	}
	body, err := wire.Encode(req)
	w.must(err)
	if w.o.SkewPC > 0 {
		body = append([]byte(`{"zz":{"of":"a later program"},`), body[1:]...)
	}
	p.counter++
	w.say("%s sends %v: cursor %d, %d segments, %d relayed, %d days", p.name, s.Lane, req.Cursor, len(req.Segments), len(req.Relay), len(req.Days))
	return letter{"/v1/sync", wire.SignRequest(p.key, p.counter, "/v1/sync", body), body}, sent, nil
}

func (p *pc) segments(req *wire.Request) error {
	ops, err := p.db.Outbox(context.Background(), 1+p.w.r.IntN(8), 1<<20)
	if err != nil || len(ops) == 0 {
		return err
	}
	seg := wire.SignSegment(p.key, ops)
	req.Segments = []wire.Segment{seg}
	first, err := wire.DecodeOp(seg.Device, ops[0])
	p.w.must(err)
	last, err := wire.DecodeOp(seg.Device, ops[len(ops)-1])
	p.w.must(err)
	if first.ID.Seq == req.Own+1 {
		req.Own = last.ID.Seq
	}
	return nil
}

// heard is the end of a request.
func (p *pc) heard(life int, lane peer.Lane, body []byte, err error, sent hlc.Reading) {
	if p.life != life || p.gone {
		return
	}
	p.flying[lane] = false
	var a wire.Answer
	if err == nil {
		a, err = wire.DecodeAnswer(p.w.fromAnother(body))
	}
	if err != nil {
		p.alive(func() { p.failed(lane, err) })
		return
	}
	p.alive(func() {
		p.m.Step(p.reading().Up, peer.Got{Lane: lane})
		out, err := p.db.Save(context.Background(), a, sent, p.reading(), lane == peer.Main)
		if err != nil {
			if !errors.Is(err, errFull) {
				p.w.fail("%s: save: %v", p.name, err)
			}
			p.step(peer.Failed{Lane: lane})
			return
		}
		p.w.say("%s saved %v: %+v, have %d, head %d", p.name, lane, out, a.Have, a.Head)
		if free := p.free(); out.Reset && len(free) > 0 {
			p.w.fail("%s goes on giving numbers that a hub which was set back has forgotten: %v", p.name, free)
		}
		if out.Unsent == 0 {
			if err := p.db.Tidy(context.Background()); err != nil && !errors.Is(err, errFull) {
				p.w.fail("%s: tidy: %v", p.name, err)
			}
		}
		p.step(peer.Saved{Lane: lane, Outcome: out})
		if out.Rekey {
			p.rekey()
		}
	})
}

func (p *pc) failed(lane peer.Lane, err error) {
	p.w.say("%s %v: %v", p.name, lane, err)
	var u used
	if errors.As(err, &u) {
		p.counter = max(p.counter, uint64(u))
	}
	var word *wire.Problem
	if errors.As(err, &word) {
		switch word.Code {
		case "retired":
			p.rekey()
			return
		case "unknown-device":
			p.comeBack()
		case "revoked":
			p.w.fail("%s was revoked", p.name)
		}
	}
	p.step(peer.Failed{Lane: lane})
}

// fromAnother makes of an answer one of a hub that is older or newer.
func (w *world) fromAnother(body []byte) []byte {
	if w.o.SkewHub == 0 || len(body) < 3 || body[0] != '{' {
		return body
	}
	var parts map[string]json.RawMessage
	if json.Unmarshal(body, &parts) != nil || parts["v"] == nil {
		return body
	}
	parts["v"] = fmt.Appendf(nil, "%d", wire.Version+w.o.SkewHub)
	if w.o.SkewHub > 0 {
		parts["zz"] = []byte(`["of a later hub"]`)
	} else if !w.calm {
		for _, unknown := range []string{"d", "md", "nr", "ds"} { // to an earlier hub
			delete(parts, unknown)
		}
	}
	out, err := json.Marshal(parts)
	w.must(err)
	return out
}

func copyFolder(w *world, from, to string) {
	es, err := os.ReadDir(from)
	w.must(err)
	for _, e := range es {
		b, err := os.ReadFile(filepath.Join(from, e.Name()))
		w.must(err)
		w.must(os.WriteFile(filepath.Join(to, e.Name()), b, 0o600))
	}
}
