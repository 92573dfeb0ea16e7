package hub_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"condica/hub"
	"condica/hub/store"
	"condica/hub/store/memory"
	"condica/hub/store/sqlite"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// noon is the hub's time when a story begins: Tuesday, 24 November 2026.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).UnixMilli()

// A town is a hub on a loopback port with its clock in our hands.
type town struct {
	t     *testing.T
	hub   *hub.Server
	store store.Store
	url   string
	now   int64 // ms
	stop  func()
}

// newTown opens a hub on a fresh SQLite store.
func newTown(t *testing.T) *town {
	t.Helper()
	s, err := sqlite.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return townOn(t, s, hub.Config{})
}

func townInMemory(t *testing.T) *town { return townOn(t, memory.New(), hub.Config{}) }

func townOn(t *testing.T, s store.Store, c hub.Config) *town {
	t.Helper()
	tw := &town{t: t, store: s, now: noon}
	ref, err := spclep.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	c.Store, c.Reference = s, ref
	c.Now = func() int64 { return tw.now }
	if tw.hub, err = hub.New(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(tw.hub.Handler())
	tw.url = server.URL
	tw.stop = func() { tw.hub.Close(); server.Close() }
	t.Cleanup(func() { tw.stop() })
	return tw
}

func (tw *town) token(office spclep.OfficeID) wire.Token {
	tw.t.Helper()
	tok, err := tw.hub.NewToken(tw.t.Context(), office, time.Hour, tw.url, "")
	if err != nil {
		tw.t.Fatal(err)
	}
	return tok
}

// A pc is an office PC that keeps what it was told in memory.
type pc struct {
	town    *town
	key     ed25519.PrivateKey
	office  string
	counter uint64
	epoch   string
	cursor  int64
	tip     string
	seq     uint64
	action  uint64      // of what it writes next; 0: an action of its own
	log     [][]byte    // its own ops, sealed
	held    []op.Entry  // what it has pulled
	zstd    *wire.Codec // nil: plain
}

func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// enrol gives a PC its place.
func (tw *town) enrol(name string, office spclep.OfficeID) *pc {
	tw.t.Helper()
	p := &pc{town: tw, key: keyOf(name), office: string(office)}
	tok := tw.token(office)
	var e wire.Enrolled
	if status := p.post("/v1/enroll", mustJSON(tw.t, wire.Enroll{V: 1, Secret: tok.Secret, Pub: p.pub(), Name: name}), nil, &e); status != 200 {
		tw.t.Fatalf("enrol %s: status %d", name, status)
	}
	p.epoch = e.Epoch
	return p
}

func (p *pc) pub() []byte        { return p.key.Public().(ed25519.PublicKey) }
func (p *pc) device() hlc.Device { return wire.DeviceOf(p.pub()) }

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := wire.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// writes adds an op to the PC's log, stamped at the hub's time.
func (p *pc) writes(booking, field string, fact bool, value any, base ...op.ID) op.ID {
	return p.writesAt(hlc.At(p.town.now), booking, field, fact, value, base...)
}

func (p *pc) writesAt(at hlc.Time, booking, field string, fact bool, value any, base ...op.ID) op.ID {
	p.town.t.Helper()
	p.seq++
	o := op.Op{ID: op.ID{Device: p.device(), Seq: p.seq}, Action: cmp.Or(p.action, p.seq), Cell: record.Cell(spclep.BookingID(booking), field), Fact: fact,
		Base: base, Time: at + hlc.Time(p.seq), Clock: hlc.Reading{Wall: at.Ms(), Boot: "b1", Up: 1000}, By: "clerk"}
	if value != nil {
		o.Value = mustJSON(p.town.t, value)
	}
	raw, err := wire.EncodeOp(o)
	if err != nil {
		p.town.t.Fatal(err)
	}
	p.log = append(p.log, raw)
	return o.ID
}

// request is what the PC has to say, with the ops given.
func (p *pc) request(ops ...[]byte) wire.Request {
	r := wire.Request{V: wire.Version, Office: p.office, Epoch: p.epoch, Cursor: p.cursor, Tip: p.tip, Own: p.seq}
	if len(ops) > 0 {
		r.Segments = []wire.Segment{wire.SignSegment(p.key, ops)}
	}
	return r
}

// send makes one exchange and keeps what was answered.
func (p *pc) send(r wire.Request) wire.Answer {
	p.town.t.Helper()
	a, problem := p.try(r)
	if problem != nil {
		p.town.t.Fatalf("sync: %s: %s", problem.Code, problem.Say)
	}
	return a
}

// sync sends the whole log and pulls all there is.
func (p *pc) sync() wire.Answer {
	p.town.t.Helper()
	return p.send(p.request(p.log...))
}

type trouble struct {
	wire.Problem
	status int
	header http.Header
}

func (p *pc) try(r wire.Request) (wire.Answer, *trouble) {
	p.town.t.Helper()
	p.counter++
	status, header, body := p.raw(mustJSON(p.town.t, r), p.counter)
	if status != 200 {
		tr := &trouble{status: status, header: header}
		if err := json.Unmarshal(body, &tr.Problem); err != nil {
			p.town.t.Fatalf("status %d with %q: %v", status, body, err)
		}
		return wire.Answer{}, tr
	}
	a, err := wire.DecodeAnswer(body)
	if err != nil {
		p.town.t.Fatal(err)
	}
	p.keep(a)
	return a, nil
}

// keep does with an answer what a replica does.
func (p *pc) keep(a wire.Answer) {
	p.town.t.Helper()
	if a.Epoch != p.epoch {
		p.epoch, p.cursor, p.tip, p.held = a.Epoch, 0, "", nil
	}
	for _, w := range a.Entries {
		if w.Pos <= p.cursor {
			continue
		}
		raw, device := []byte(w.Op), w.Device
		if len(raw) == 0 {
			raw, device = p.log[w.Seq-1], p.device()
		}
		o, err := wire.DecodeOp(device, raw)
		if err != nil {
			p.town.t.Fatal(err)
		}
		e := op.Entry{Op: o, Eff: w.Eff, Pos: w.Pos}
		if e.Eff == 0 {
			e.Eff = o.Time
		}
		p.held, p.cursor, p.tip = append(p.held, e), w.Pos, o.ID.String()
	}
}

// raw posts a sync body as it is.
func (p *pc) raw(body []byte, counter uint64) (status int, header http.Header, answer []byte) {
	p.town.t.Helper()
	req, err := http.NewRequest(http.MethodPost, p.town.url+"/v1/sync", bytes.NewReader(body))
	if err != nil {
		p.town.t.Fatal(err)
	}
	if p.zstd != nil {
		packed, isPacked := p.zstd.Pack(body)
		if isPacked {
			req.Header.Set("Content-Encoding", "zstd")
		}
		req.Header.Set("Accept-Encoding", "zstd")
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(packed)), int64(len(packed))
		body = packed
	}
	req.Header.Set(wire.SignatureHeader, wire.SignRequest(p.key, counter, "/v1/sync", body))
	return p.do(req)
}

func (p *pc) do(req *http.Request) (int, http.Header, []byte) {
	p.town.t.Helper()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		p.town.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.town.t.Fatal(err)
	}
	if resp.Header.Get("Content-Encoding") == "zstd" {
		if b, err = p.zstd.Unpack(b); err != nil {
			p.town.t.Fatal(err)
		}
	}
	return resp.StatusCode, resp.Header, b
}

// post sends anything and reads the answer into out, or the problem.
func (p *pc) post(path string, body []byte, header map[string]string, out any) int {
	p.town.t.Helper()
	req, err := http.NewRequest(http.MethodPost, p.town.url+path, bytes.NewReader(body))
	if err != nil {
		p.town.t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	status, _, b := p.do(req)
	if err := json.Unmarshal(b, out); err != nil {
		p.town.t.Fatalf("%s answered %d with %q", path, status, b)
	}
	return status
}

// book makes a booking on the hub, for the n-th slot of a day far enough away.
func (tw *town) book(office spclep.OfficeID, n int) hub.Booked {
	tw.t.Helper()
	day := tw.hub.Reference.NextWorkingDay(office, tw.hub.Today().Add(7))
	slots, err := tw.hub.Reference.Slots(office, day)
	if err != nil || len(slots) <= n {
		tw.t.Fatalf("slots of %s: %v, %v", day, slots, err)
	}
	b, err := tw.hub.Book(tw.t.Context(), hub.BookAsk{Office: office, Reason: "R05", Day: day, At: slots[n],
		Name: fmt.Sprintf("Mostră Ion %c", 'A'+n), Email: fmt.Sprintf("p%d@example.ro", n), Consent: true, By: "hub"})
	if err != nil {
		tw.t.Fatal(err)
	}
	return b
}

// booking reads a booking as the PC holds it.
func (p *pc) booking(id spclep.BookingID) record.Booking {
	var mine []op.Entry
	for _, e := range p.held {
		if e.Cell.Kind == record.Kind && e.Cell.Entity == string(id) {
			mine = append(mine, e)
		}
	}
	return record.Of(id, mine)
}
