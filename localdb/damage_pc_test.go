package localdb_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	_ "time/tzdata" // the office's zone, wherever the test runs

	"condica/hub"
	"condica/hub/store/sqlite"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/link"
	"condica/sync/op"
	"condica/sync/wire"
)

// dawn is the hub's time when a scene begins: 24 November 2026, 08:00 UTC.
const dawn = int64(1_795_507_200_000)

// teleported is a fact that no hub takes.
const teleported = "teleported"

// A centre is a real hub on a loopback port. Deaf, it takes what it is sent, and
// its answers are lost.
type centre struct {
	*hub.Server
	url    string
	booked []spclep.BookingID
	now    func() int64
	deaf   atomic.Bool
	took   chan struct{} // one for each answer lost
	stop   func()
}

func openCentre(t testing.TB, dir string, now func() int64, ref *spclep.Reference) *centre {
	t.Helper()
	store, err := sqlite.Open(t.Context(), dir)
	must(t, err)
	c := &centre{now: now, took: make(chan struct{}, 100)}
	c.Server, err = hub.New(context.Background(), hub.Config{Store: store, Now: now, Reference: ref})
	must(t, err)
	server := httptest.NewServer(c.line(c.Handler()))
	c.url = server.URL
	c.stop = sync.OnceFunc(func() {
		c.Close()
		server.Close()
		store.Close()
	})
	t.Cleanup(c.stop)
	return c
}

func (c *centre) line(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !c.deaf.Load() {
			next.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		next.ServeHTTP(answer, r)
		if answer.Code == http.StatusOK {
			c.took <- struct{}{}
			panic(http.ErrAbortHandler)
		}
		maps.Copy(w.Header(), answer.Header())
		w.WriteHeader(answer.Code) // "this request number has been used": the PC goes on behind it
		w.Write(answer.Body.Bytes())
	})
}

// book makes three days of bookings.
func (c *centre) book(t testing.TB) {
	t.Helper()
	day := c.Today().Add(6)
	for range 3 {
		day = c.Reference.NextWorkingDay("covasna", day.Add(1))
		slots, err := c.Reference.Slots("covasna", day)
		must(t, err)
		var asks []hub.BookAsk
		for i, at := range slots {
			asks = append(asks, hub.BookAsk{Office: "covasna", Reason: "R05", Day: day, At: at, Consent: true, By: "hub",
				Name: fmt.Sprintf("Exemplu Ion %c", 'A'+i), Email: fmt.Sprintf("p%d-%d@example.ro", day, i)})
		}
		made, err := c.BookAll(t.Context(), asks)
		must(t, err)
		for _, b := range made {
			c.booked = append(c.booked, b.ID)
		}
	}
}

// taken counts what the hub has accepted, of whomever, as its records have it.
func (c *centre) taken(t testing.TB) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, id := range c.booked {
		b, _, err := c.Booking(t.Context(), "covasna", id)
		must(t, err)
		count(out, b)
	}
	return out
}

// count adds every edit of a record.
func count(edits map[string]int, b record.Booking) {
	for _, e := range slices.Concat(b.Facts, b.History) {
		edits[whatOf(e.Op)]++
	}
}

// A fate is how far an edit had come when the power went.
type fate string

const (
	acked   fate = "acknowledged by the hub"
	unheard fate = "taken by the hub, whose answer was lost"
	sealed  fate = "sealed"
	written fate = "written"
	refused fate = "refused by the hub"
	fresh   fate = "written after the damage"
)

func (f fate) onHub() bool { return f == acked || f == unheard }

// A deed is an edit of which the clerk was told that it is done. No two say the
// same.
type deed struct {
	seq  uint64
	what string // entity/field and value
	fate fate
}

func (d deed) String() string { return fmt.Sprintf("edit %d (%s, %.60s)", d.seq, d.fate, d.what) }

func whatOf(o op.Op) string { return o.Cell.Entity + "/" + o.Cell.Field + " " + string(o.Value) }

// patience is a net below the stories, far beyond what they need.
const patience = 2 * time.Minute

// A pc is an office PC: a replica and its real link.
type pc struct {
	*testing.T
	hub    *centre
	dir    string
	boot   string
	began  time.Time
	db     *localdb.DB
	report localdb.Report
	deeds  []deed
	people int // that have been at the desk
}

var pcKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

func (p *pc) device() hlc.Device { return wire.DeviceOf(pcKey.Public().(ed25519.PublicKey)) }

func (p *pc) reading() hlc.Reading {
	up := time.Since(p.began).Milliseconds() + 1
	return hlc.Reading{Wall: dawn + up - 90_000, Boot: p.boot, Up: up}
}

func (p *pc) options() localdb.Options { return localdb.Options{Device: p.device(), Now: p.reading} }

func (p *pc) open() {
	p.Helper()
	db, report, err := localdb.Open(p.Context(), p.dir, p.options())
	must(p, err)
	p.keep(db, report)
}

func (p *pc) keep(db *localdb.DB, report localdb.Report) {
	p.db, p.report = db, report
	p.Cleanup(func() { db.Close() })
}

// enrol gives the PC its place on the hub.
func (p *pc) enrol() {
	p.Helper()
	token, err := p.hub.NewToken(p.Context(), "covasna", time.Hour, p.hub.url, "")
	must(p, err)
	e, err := link.Enroll(p.Context(), token, pcKey, "PC 1", func() []time.Time { return []time.Time{time.UnixMilli(dawn)} })
	must(p, err)
	must(p, p.db.SetOffice(p.Context(), e))
}

// begin starts a conversation with the hub; end ends it.
func (p *pc) begin(answered func()) (l *link.Link, end func()) {
	p.Helper()
	l, err := link.New(link.Config{Hub: p.hub.url, Key: pcKey, Now: p.reading, Log: slog.New(slog.DiscardHandler),
		Answered: func(wire.Answer) { answered() }}, p.db)
	must(p, err)
	ctx, cancel := context.WithCancel(p.Context())
	done := make(chan struct{})
	go func() { defer close(done); l.Run(ctx) }()
	return l, func() { cancel(); <-done }
}

// talk goes on until the hub has everything, and the PC too.
func (p *pc) talk() {
	p.Helper()
	answered := make(chan struct{}, 1)
	l, end := p.begin(func() {
		select {
		case answered <- struct{}{}:
		default:
		}
	})
	defer end()
	late := time.After(patience)
	for {
		select {
		case <-answered:
		case <-late:
			st, err := p.db.Standing(p.Context())
			p.Fatalf("the conversation does not come to rest: %+v; %+v, %v", l.Status(), st, err)
		}
		st, err := p.db.Standing(p.Context())
		must(p, err)
		if st.Unsent == 0 && st.Cursor == st.Head && st.Head > 0 {
			return
		}
	}
}

// talkInVain sends what there is; no answer comes back.
func (p *pc) talkInVain() {
	p.Helper()
	p.hub.deaf.Store(true)
	defer p.hub.deaf.Store(false)
	_, end := p.begin(func() {})
	defer end()
	select {
	case <-p.hub.took:
	case <-time.After(patience):
		p.Fatal("the hub was sent nothing")
	}
}

// write is one action of one edit or more.
func (p *pc) write(id spclep.BookingID, f fate, decide func(record.Booking, localdb.Place) []op.Draft) {
	p.Helper()
	var drafts []op.Draft
	r, err := p.db.Edit(p.Context(), "", "Ana", id, func(b record.Booking, at localdb.Place) ([]op.Draft, error) {
		drafts = decide(b, at)
		return drafts, nil
	})
	must(p, err)
	for i, d := range drafts {
		p.deeds = append(p.deeds, deed{r.Action.Seq + uint64(i), whatOf(op.Op{Cell: d.Cell, Value: d.Value}), f})
	}
}

// work sees n people: a note on each, and an application by every third.
func (p *pc) work(f fate, note string, n int) {
	p.Helper()
	for range n {
		who := p.people
		p.people++
		id := p.hub.booked[who%len(p.hub.booked)]
		p.write(id, f, func(b record.Booking, at localdb.Place) []op.Draft {
			drafts := []op.Draft{{Cell: record.Cell(id, spclep.FieldNote), Value: p.json(fmt.Sprint(who, " ", note)), Base: b.Heads(spclep.FieldNote)}}
			if who%3 == 0 {
				drafts = append(drafts, op.Draft{Cell: record.Cell(id, spclep.Filed), Fact: true, Value: p.json(spclep.FiledValue{Number: at.Number})})
			}
			return drafts
		})
	}
}

// oops writes what the hub will not take.
func (p *pc) oops(n int) {
	p.Helper()
	id := p.hub.booked[n]
	p.write(id, refused, func(record.Booking, localdb.Place) []op.Draft {
		return []op.Draft{{Cell: record.Cell(id, teleported), Fact: true, Value: p.json(n)}}
	})
}

// held counts what is here: in the records, and put aside.
func (p *pc) held() map[string]int {
	p.Helper()
	out := map[string]int{}
	for _, id := range p.hub.booked {
		b, err := p.db.Booking(p.Context(), id)
		if err != nil {
			p.Errorf("a booking cannot be read: %v", err)
		}
		count(out, b)
	}
	queue, err := p.db.Queue(p.Context(), 1000)
	if err != nil {
		p.Errorf("the queue cannot be read: %v", err)
	}
	for _, o := range queue {
		if o.Verdict != "" {
			out[whatOf(o.Op)]++
		}
	}
	return out
}

func (p *pc) json(v any) []byte {
	p.Helper()
	b, err := json.Marshal(v)
	must(p, err)
	return b
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func copyFolder(t testing.TB, from, to string) {
	t.Helper()
	files, err := os.ReadDir(from)
	must(t, err)
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(from, f.Name()))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(to, f.Name()), b, 0o600))
	}
}

// A scene is the folders of a hub and a PC at the moment the power goes.
type scene struct {
	name     string
	dir, hub string
	pc       *pc
	deeds    []deed
}

// stage plays a morning until then, with edits at every stage of their way to
// the hub. Long notes have the journal begun anew. inLog: the database has not
// been closed, so that most of it is still in the write-ahead log.
func stage(t *testing.T, name, note string, inLog bool) scene {
	t.Helper()
	dir, hubDir, began := t.TempDir(), t.TempDir(), time.Now()
	ref, err := spclep.Builtin()
	must(t, err)
	c := openCentre(t, hubDir, func() int64 { return dawn + time.Since(began).Milliseconds() }, ref)
	c.book(t)
	p := &pc{T: t, hub: c, dir: dir, boot: "b1", began: began}
	p.open()
	p.enrol()
	p.talk()
	p.work(acked, note, 3)
	p.talk()
	p.work(acked, note, 5)
	p.oops(1)
	if !inLog {
		must(t, p.db.Close())
		p.open()
	}
	p.talk()
	p.work(acked, "scurt", 4)
	p.oops(2)
	p.talk()
	p.work(unheard, "fără răspuns", 5)
	p.talkInVain()
	p.work(sealed, "sigilat", 5)
	_, err = p.db.Outbox(t.Context(), wire.MaxOps, 1<<20)
	must(t, err)
	p.work(written, "scris", 6)

	taken := c.taken(t)
	for _, d := range p.deeds {
		if d.fate.onHub() != (taken[d.what] == 1) {
			t.Fatalf("the scene is not as it is told: %s is on the hub %d times", d, taken[d.what])
		}
	}
	s := scene{name: name, dir: t.TempDir(), hub: t.TempDir(), pc: p, deeds: p.deeds}
	copyFolder(t, dir, s.dir)
	must(t, p.db.Close())
	c.stop()
	copyFolder(t, hubDir, s.hub)
	return s
}

// again gives the scene once more, in folders of its own, after the power is
// back.
func (s scene) again(t *testing.T) *pc {
	t.Helper()
	dir, hubDir := t.TempDir(), t.TempDir()
	copyFolder(t, s.dir, dir)
	copyFolder(t, s.hub, hubDir)
	c := openCentre(t, hubDir, s.pc.hub.now, s.pc.hub.Reference)
	c.booked = s.pc.hub.booked
	return &pc{T: t, hub: c, dir: dir, boot: "b2", began: s.pc.began, people: s.pc.people}
}
