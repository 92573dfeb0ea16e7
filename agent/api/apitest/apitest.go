// Package apitest opens an office PC in a test: a real replica in a temporary
// folder, the built-in rules, a clock that stands still until it is moved, and
// a hub that is only its letters. No program contains it, and it opens no
// socket but the loopback one of Serve.
package apitest

import (
	"crypto/ed25519"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata" // the office's zone, wherever the test runs

	"condica/agent/api"
	"condica/agent/office"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/code"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// Token is what the service of Serve asks for.
const Token = "secret-of-this-service"

// An Office is one PC of SPCLEP Covasna and the hub's side of its letters.
type Office struct {
	*office.Office
	T   testing.TB
	Dir string // of the replica

	key, qr ed25519.PrivateKey // the hub's, for ops and for booking codes
	start   int64              // ms at which the story begins
	passed  atomic.Int64       // ms since then
	seq     uint64             // the hub's own log
	head    int64              // the office's log
	have    uint64             // of the PC's log
}

// Open opens PC 1 of Covasna at a time of its wall clock, "2026-11-23 09:25".
func Open(t testing.TB, at string) *Office {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Bucharest")
	must(t, err)
	now, err := time.ParseInLocation("2006-01-02 15:04", at, zone)
	must(t, err)
	ref, err := spclep.Builtin()
	must(t, err)
	f := &Office{T: t, Dir: t.TempDir(), start: now.UnixMilli(), key: key(1), qr: key(2)}
	device := wire.DeviceOf(key(3).Public().(ed25519.PublicKey))
	db, report, err := localdb.Open(t.Context(), f.Dir, localdb.Options{Device: device, Now: f.reading})
	must(t, err)
	if len(report) > 0 {
		t.Fatalf("a new replica has nothing to report, got %q", report)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	must(t, db.SetOffice(t.Context(), wire.Enrolled{Office: "covasna", Desk: 1}))
	var drawn byte
	f.Office = office.New(office.Config{
		DB: db, Ref: ref, Zone: zone,
		Up: func() int64 { return f.reading().Up },
		Random: func(b []byte) {
			drawn++
			b[0] = drawn
		},
	})
	f.letter(wire.Answer{})
	return f
}

func key(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(append(make([]byte, ed25519.SeedSize-1), n))
}

// Pass moves the clock on.
func (f *Office) Pass(d time.Duration) { f.passed.Add(d.Milliseconds()) }

func (f *Office) reading() hlc.Reading {
	passed := f.passed.Load()
	return hlc.Reading{Wall: f.start + passed, Boot: "boot-1", Up: 3_600_000 + passed}
}

// Book lets a booking of the hub's pages come in.
func (f *Office) Book(id spclep.BookingID, name string, reason spclep.Reason, day, at string) {
	f.T.Helper()
	f.fromHub(id, spclep.Booked, true, spclep.BookedValue{
		Name: name, Email: "cineva@example.ro", Reason: reason, Day: f.day(day), At: f.minute(at), Bundle: 1,
	})
}

// HubSets lets an edit of a field come in that the hub made without knowing
// of this PC's.
func (f *Office) HubSets(id spclep.BookingID, field, value string) {
	f.T.Helper()
	f.fromHub(id, field, false, value)
}

// HubSays lets a fact come in that happened elsewhere.
func (f *Office) HubSays(id spclep.BookingID, fact string, value any) {
	f.T.Helper()
	f.fromHub(id, fact, true, value)
}

func (f *Office) fromHub(id spclep.BookingID, field string, fact bool, value any) {
	f.T.Helper()
	raw, err := json.Marshal(value)
	must(f.T, err)
	f.seq++
	d := wire.DeviceOf(f.key.Public().(ed25519.PublicKey))
	o, err := wire.EncodeOp(op.Op{
		ID: op.ID{Device: d, Seq: f.seq}, Action: f.seq, Cell: record.Cell(id, field), Fact: fact, Value: raw,
		Time: hlc.At(f.reading().Wall) | hlc.Time(f.seq), Clock: f.reading(), By: "ghișeul 2",
	})
	must(f.T, err)
	f.letter(wire.Answer{Entries: []wire.Entry{{Pos: f.head + 1, Device: d, Op: o}}})
}

// Contact is a round trip: the hub takes all that waits here.
func (f *Office) Contact() {
	f.T.Helper()
	ops, err := f.DB().Outbox(f.T.Context(), wire.MaxOps, wire.MaxBody)
	must(f.T, err)
	var verdicts []wire.Verdict
	var entries []wire.Entry
	for i, raw := range ops {
		o, err := wire.DecodeOp(f.Device(), raw)
		must(f.T, err)
		pos := f.head + int64(i) + 1
		verdicts = append(verdicts, wire.Verdict{Seq: o.ID.Seq, Pos: pos})
		entries = append(entries, wire.Entry{Pos: pos, Seq: o.ID.Seq})
		f.have = o.ID.Seq
	}
	f.letter(wire.Answer{Verdicts: verdicts, Entries: entries})
}

// Refuse is a round trip in which the hub will not take what waits here.
func (f *Office) Refuse(say string) {
	f.T.Helper()
	ops, err := f.DB().Outbox(f.T.Context(), wire.MaxOps, wire.MaxBody)
	must(f.T, err)
	var verdicts []wire.Verdict
	for _, raw := range ops {
		o, err := wire.DecodeOp(f.Device(), raw)
		must(f.T, err)
		verdicts = append(verdicts, wire.Verdict{Seq: o.ID.Seq, Code: wire.Refused, Say: say})
		f.have = o.ID.Seq
	}
	f.letter(wire.Answer{Verdicts: verdicts})
}

// letter saves an answer of the hub, completed.
func (f *Office) letter(a wire.Answer) {
	f.T.Helper()
	a.V, a.Epoch, a.HubMs, a.Have, a.From = wire.Version, "epoch-1", f.reading().Wall, f.have, f.head
	a.Head = f.head + int64(len(a.Entries))
	a.Cursor, f.head = a.Head, a.Head
	a.Keys = []wire.QRKey{{ID: 1, Pub: f.qr.Public().(ed25519.PublicKey)}}
	_, err := f.DB().Save(f.T.Context(), a, f.reading(), f.reading(), true)
	must(f.T, err)
}

// QR is the text of a code as the hub signs it for an office, by its number.
func (f *Office) QR(office uint16, id spclep.BookingID, reason spclep.Reason, day, at string) string {
	f.T.Helper()
	text, err := code.Sign(f.qr, code.Booking{Key: 1, Office: office, ID: id, Day: f.day(day), At: f.minute(at), Reason: reason})
	must(f.T, err)
	return text
}

// Serve runs the door on a loopback port and notes it in Dir, as the service
// does.
func (f *Office) Serve(o api.Options) string {
	f.T.Helper()
	o.Token = Token
	mux := http.NewServeMux()
	mux.Handle(api.Prefix, api.New(f.Office, o))
	s := httptest.NewServer(mux)
	f.T.Cleanup(s.Close)
	must(f.T, api.WriteControl(f.Dir, api.Control{URL: s.URL, Token: Token, PID: 1}))
	return s.URL
}

func (f *Office) day(s string) spclep.Day {
	f.T.Helper()
	d, err := spclep.ParseDay(s)
	must(f.T, err)
	return d
}

func (f *Office) minute(s string) spclep.Minute {
	f.T.Helper()
	m, err := spclep.ParseMinute(s)
	must(f.T, err)
	return m
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
