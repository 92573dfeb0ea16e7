package localdb_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// Whatever bytes lie in its files or come from the hub: the desk opens, in a
// bounded time and with bounded memory, what was acknowledged is not taken
// away by them, and the next action can be written.

const (
	maxOpen   = 10 * time.Second // on the slowest machine that fuzzes
	maxMemory = 256 << 20        // bytes from Go's heap in all, and of the process beyond what it had
)

// A shop is a PC in the middle of its work, as its files lie there when the
// power goes: edits that the hub has taken, one that it refused, one on its way
// and one not yet sent.
type shop struct {
	files  map[string][]byte // as the power left them
	sealed map[string][]byte // a moment later: all has been on its way once
	closed map[string][]byte // put away properly: no WAL
	device hlc.Device
	now    hlc.Reading
	acted  map[op.ID]string // own ops that were acknowledged to a clerk: their cells
	unsent map[op.ID]string // those of them that only this PC has
	answer []byte           // the hub's next one
}

func newShop(f testing.TB) shop {
	f.Helper()
	s := newStreet(f, false)
	s.batch = 100
	for i := range 6 {
		s.b.notes(spclep.BookingID(fmt.Sprintf("7F3KQR%02d", i+22)), "de la B")
	}
	s.b.syncs()
	s.a.syncs()
	s.a.notes("7F3KQR22", "unu")
	s.a.writes()
	s.a.does("7F3KQR23", "teleported")
	s.a.syncs()
	s.a.notes("7F3KQR24", "pe drum")
	_, err := s.a.db.Outbox(f.Context(), 100, 1<<20)
	s.must(err)
	s.a.notes("7F3KQR25", "de trimis")
	s.b.notes("7F3KQR26", "încă una")
	s.b.syncs()

	p := shop{files: s.a.files(), device: hlc.Device(deviceOf(s.a.key)), now: s.a.reading(), acted: map[op.ID]string{}, unsent: map[op.ID]string{}}
	queue, err := s.a.db.Queue(f.Context(), 100)
	s.must(err)
	for _, o := range queue {
		p.acted[o.ID] = o.Cell.String()
		if o.Pos == 0 && o.Verdict == "" {
			p.unsent[o.ID] = o.Cell.String()
		}
	}
	if len(p.acted) != 6 || len(p.unsent) != 2 {
		f.Fatalf("the story has %d edits, %d of them unsent", len(p.acted), len(p.unsent))
	}
	p.answer = s.a.asksFor()
	p.sealed = s.a.files()
	if a, err := wire.DecodeAnswer(p.answer); err != nil || len(a.Verdicts) == 0 || len(a.Entries) == 0 {
		f.Fatalf("the hub answers %+v, %v", a, err)
	}
	s.must(s.a.db.Close())
	p.closed = s.a.files()
	return p
}

// files are the PC's files as they lie there now.
func (p *clockPC) files() map[string][]byte {
	p.s.t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{localdb.DBName, localdb.DBName + "-wal", localdb.JournalName} {
		b, err := os.ReadFile(filepath.Join(p.dir, name))
		if !errors.Is(err, os.ErrNotExist) {
			p.s.must(err)
			files[name] = b
		}
	}
	return files
}

// notes writes the note of a booking.
func (p *clockPC) notes(id spclep.BookingID, text string) {
	p.s.t.Helper()
	_, err := p.db.Edit(p.s.t.Context(), "", "Ana", id, func(b record.Booking, _ localdb.Place) ([]op.Draft, error) {
		v, err := json.Marshal(text)
		return []op.Draft{{Cell: record.Cell(id, spclep.FieldNote), Value: v, Base: b.Heads(spclep.FieldNote)}}, err
	})
	p.s.must(err)
}

// does writes a fact.
func (p *clockPC) does(id spclep.BookingID, fact string) {
	p.s.t.Helper()
	_, err := p.db.Edit(p.s.t.Context(), "", "Ana", id, func(record.Booking, localdb.Place) ([]op.Draft, error) {
		return []op.Draft{{Cell: record.Cell(id, fact), Fact: true, Value: []byte(`{}`)}}, nil
	})
	p.s.must(err)
}

// asksFor gives the answer that the hub would give to all that is unsent.
func (p *clockPC) asksFor() []byte {
	p.s.t.Helper()
	ctx := p.s.t.Context()
	req, err := p.db.Where(ctx)
	p.s.must(err)
	ops, err := p.db.Outbox(ctx, 100, 1<<20)
	p.s.must(err)
	req.Segments = []wire.Segment{wire.SignSegment(p.key, ops)}
	body, err := wire.Encode(req)
	p.s.must(err)
	p.counter++
	rec := post(p.s.hub, body, wire.SignRequest(p.key, p.counter, "/v1/sync", body))
	return rec.Body.Bytes()
}

// lay puts the shop's files into a folder.
func (p shop) lay(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := folder(t)
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// opens opens a folder within the bounds.
func (p shop) opens(t *testing.T, dir string) *localdb.DB {
	t.Helper()
	began, heap, all := time.Now(), taken(), resident(t)
	db, _, err := localdb.Open(context.Background(), dir, localdb.Options{Device: p.device, Now: func() hlc.Reading { return p.now }})
	if err != nil {
		t.Fatalf("the desk does not open: %v", err)
	}
	t.Cleanup(func() { db.Close() })
	if took := time.Since(began); took > maxOpen {
		t.Fatalf("to open took %s", took)
	}
	if h, r := taken()-heap, resident(t)-all; h > maxMemory || r > maxMemory {
		t.Fatalf("to open took %d MB from the heap, and %d MB in all", h>>20, r>>20)
	}
	return db
}

// works: the pages can be shown, and the next action is written.
func works(t *testing.T, db *localdb.DB) {
	t.Helper()
	ctx := t.Context()
	_, err := db.Edit(ctx, "", "Ana", "7F3KQR29", func(record.Booking, localdb.Place) ([]op.Draft, error) {
		return []op.Draft{{Cell: record.Cell("7F3KQR29", spclep.FieldNote), Value: []byte(`"merge"`)}}, nil
	})
	if err != nil {
		t.Fatalf("the next action is refused: %v", err)
	}
	b, err := db.Booking(ctx, "7F3KQR29")
	if err != nil || b.Note != "merge" {
		t.Fatalf("the next action is not shown: %q, %v", b.Note, err)
	}
}

// holds: the ops are there, each as what it was. Those that could not be sent
// any more are not counted.
func holds(t *testing.T, db *localdb.DB, ops map[op.ID]string) {
	t.Helper()
	queue, err := db.Queue(t.Context(), 100_000)
	if err != nil {
		t.Fatalf("what is unsent cannot be listed: %v", err)
	}
	missing := maps.Clone(ops)
	moved := map[string]bool{}
	for _, o := range queue {
		if missing[o.ID] == o.Cell.String() {
			delete(missing, o.ID)
		}
		moved[o.Cell.String()] = true
	}
	for id, cell := range missing {
		if !moved[cell] { // it may have been given a number behind the hub's
			t.Fatalf("the edit %s of %s is gone", id, cell)
		}
	}
}

// besides gives the ops of which the answer does not bring the bytes: what the
// hub says was written is what counts.
func besides(ops map[op.ID]string, a wire.Answer) map[op.ID]string {
	ops = maps.Clone(ops)
	entries := a.Entries
	if a.Mend != nil {
		entries = slices.Concat(entries, a.Mend.Entries)
	}
	for _, e := range entries {
		var o struct {
			Seq uint64 `json:"q"`
		}
		if json.Unmarshal(e.Op, &o) == nil {
			delete(ops, op.ID{Device: e.Device, Seq: o.Seq})
		}
	}
	return ops
}

func taken() int64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

// resident is how many bytes the process has in memory, SQLite's own included;
// 0 where the system does not say.
func resident(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var all, here int64
	if _, err := fmt.Sscan(string(b), &all, &here); err != nil {
		t.Fatal(err)
	}
	return here * int64(os.Getpagesize())
}

// FuzzJournal lays another journal there. summed: its lines get the checksums
// they would need, so that what stands in them is looked at. alone: there is no
// database.
func FuzzJournal(f *testing.F) {
	p := newShop(f)
	f.Add(p.files[localdb.JournalName], false, true)
	f.Add(p.files[localdb.JournalName], true, false)
	f.Add([]byte("00000000 {}\n\n\x00\x00\n"), false, false)
	f.Add([]byte(`{"d":"`+p.device.String()+`","next":18446744073709551615,"high":"140737488355327.65535","number":-1,"office":"covasna"}`), true, true)
	f.Add([]byte(`{"d":"`+p.device.String()+`","moved":1,"ops":[{"q":9,"c":"a/b/c","v":1,"t":"1.0","w":[1,"b",2]}]}`), true, false)
	f.Add([]byte(`{"d":"`+p.device.String()+`","ops":[{"q":9,"c":"a/b/c","v":1,"t":"as a newer program writes it","w":[1,"b",2]}]}`), true, false)
	f.Fuzz(func(t *testing.T, text []byte, summed, alone bool) {
		if summed {
			text = sum(text)
		}
		files := maps.Clone(p.files)
		if alone {
			files = map[string][]byte{}
		}
		files[localdb.JournalName] = text
		dir := p.lay(t, files)
		db := p.opens(t, dir)
		if !alone && !summed {
			holds(t, db, p.acted)
		}
		works(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		works(t, p.opens(t, dir))
	})
}

// sum puts before each line the checksum of it.
func sum(text []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(text) {
		line = bytes.TrimSuffix(line, []byte("\n"))
		if len(line) > 9 && line[8] == ' ' {
			line = line[9:]
		}
		fmt.Fprintf(&b, "%08x %s\n", crc32.Checksum(line, crc32.MakeTable(crc32.Castagnoli)), line)
	}
	return b.Bytes()
}

// FuzzDatabase writes over some bytes of the database or its WAL, or cuts it
// there. What only this PC has is in the journal too, and stays.
func FuzzDatabase(f *testing.F) {
	p := newShop(f)
	f.Add(false, uint32(0), []byte("not a database"), false)
	f.Add(false, uint32(4096), make([]byte, 40_960), false)
	f.Add(false, uint32(5000), []byte{0}, true)
	f.Add(false, uint32(16), []byte{0xff, 0xff}, false)
	f.Add(false, uint32(18), []byte{'0'}, false)
	f.Add(false, uint32(46), []byte("00"), false)
	f.Add(false, uint32(44), []byte("0000"), true)
	f.Add(true, uint32(0), make([]byte, 32), false)
	f.Add(true, uint32(4152), []byte{1, 2, 3}, true)
	for _, name := range []string{"CREATE", "booking", `"c":`, "op_by", "state"} {
		for _, wal := range []bool{false, true} {
			_, b := p.file(wal)
			i := bytes.Index(b, []byte(name))
			if i < 0 {
				f.Fatalf("%s is nowhere in the file: WAL %v", name, wal)
			}
			f.Add(wal, uint32(i), []byte{'X'}, false)
		}
	}
	// One byte each: of the device in the state, of a row of an index, of the
	// name of a column.
	for _, bad := range []struct {
		at     string
		behind int
		over   string
	}{{`"device":"`, 10, "0"}, {"booking7F3KQRST5ef3b5f2", -3, "A"}, {"product TEXT", 0, "x"}} {
		i := bytes.LastIndex(p.closed[localdb.DBName], []byte(bad.at))
		if i < 0 {
			f.Fatalf("%s is nowhere in the database", bad.at)
		}
		f.Add(false, uint32(i+bad.behind), []byte(bad.over), false)
	}
	// A letter of the cell of an edit that was sent and not answered, in its row and
	// wherever else it stands.
	text := []byte("booking7F3KQR24note")
	for i, b := 0, p.closed[localdb.DBName]; bytes.Contains(b[i:], text); i += len(text) {
		i += bytes.Index(b[i:], text)
		f.Add(false, uint32(i+len(text)-4), []byte("0"), false)
	}
	// A byte of the checksum that stands behind each edit.
	end := []byte(`"y":"Ana"}` + "\x00\x00")
	for i, b := 0, p.closed[localdb.DBName]; bytes.Contains(b[i:], end); i += len(end) {
		i += bytes.Index(b[i:], end)
		f.Add(false, uint32(i+len(end)-1), []byte("0"), false)
	}
	f.Fuzz(func(t *testing.T, wal bool, at uint32, over []byte, cut bool) {
		files, b := p.file(wal)
		b = slices.Clone(b)
		i := int(at) % len(b)
		n := copy(b[i:], over)
		if cut {
			b = b[:i+n]
		}
		files = maps.Clone(files)
		files[name(wal)] = b
		if !wal && i < 72 && i+n > 60 {
			// A later schema (byte 60) or another program (byte 68) is refused, and left
			// as it is.
			return
		}
		db := p.opens(t, p.lay(t, files))
		holds(t, db, p.unsent)
		if _, err := db.Standing(t.Context()); err != nil {
			t.Fatalf("where the PC stands cannot be said: %v", err)
		}
		works(t, db)
	})
}

func name(wal bool) string {
	if wal {
		return localdb.DBName + "-wal"
	}
	return localdb.DBName
}

// file gives the WAL of a PC whose power went, or the database of one that was
// put away: otherwise the one would hide the other.
func (p shop) file(wal bool) (files map[string][]byte, b []byte) {
	files = p.closed
	if wal {
		files = p.files
	}
	return files, files[name(wal)]
}

// FuzzAnswer saves whatever comes through the door of wire as the hub's answer.
// main: to a request that brought what was unsent; sealed: all that is unsent
// has been sent before.
func FuzzAnswer(f *testing.F) {
	p := newShop(f)
	f.Add(p.answer, true, true)
	f.Add(p.answer, false, false)
	for _, bent := range []struct{ old, new string }{
		{`"have":`, `"have":9`}, {`"p":`, `"p":1`}, {`"q":`, `"q":2`}, {`"a":[{`, `"a":[{"x":"refused",`}, {`"a":[{`, `"a":[{"n":7000,`},
		{`"e":"`, `"e":"x`}, {`"f":`, `"f":1`}, {`"t":`, `"t":99999`}, {`"o":{`, `"o":{"zz":1,`},
	} {
		f.Add([]byte(strings.Replace(string(p.answer), bent.old, bent.new, 1)), true, true)
	}
	for _, have := range []string{"9007199254740991", "9007199254740992", "4611686018427387903", "4611686018427387904", "9223372036854775807", "18446744073709551615"} {
		f.Add([]byte(`{"v":1,"e":"x","t":1795262400000,"p":1,"have":`+have+`}`), true, true)
		f.Add([]byte(`{"v":1,"e":"x","t":1795262400000,"p":1,"have":1,"ops":[{"p":1,"q":`+have+`}]}`), true, true)
		f.Add([]byte(`{"v":1,"e":"x","t":1795262400000,"p":1,"have":1,"ops":[{"p":1,"d":"`+p.device.String()+`","o":{"q":`+have+`,"c":"a/b/c","v":1,"t":"1.0","w":[1,"b",2]}}]}`), true, true)
		f.Add([]byte(`{"v":1,"e":"x","t":`+have+`,"p":1,"have":1}`), true, false)
	}
	f.Fuzz(func(t *testing.T, b []byte, main, sealed bool) {
		a, err := wire.DecodeAnswer(b)
		if err != nil {
			return
		}
		files := p.files
		if sealed {
			files = p.sealed
		}
		dir := p.lay(t, files)
		db := p.opens(t, dir)
		later := p.now
		later.Up += 40
		later.Wall += 40
		if _, err := db.Save(t.Context(), a, p.now, later, main); err != nil {
			holds(t, db, p.acted)
		} else {
			holds(t, db, besides(p.unsent, a))
		}
		works(t, db)
		if _, _, err := db.Unsent(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		works(t, p.opens(t, dir))
	})
}

// A file system that was damaged may say of the journal that it is endless: it
// is not read into memory for that.
func TestJournalWithoutEnd(t *testing.T) {
	p := newShop(t)
	dir := p.lay(t, p.files)
	if err := os.Truncate(filepath.Join(dir, localdb.JournalName), 512<<20); err != nil {
		t.Fatal(err)
	}
	db := p.opens(t, dir)
	holds(t, db, p.acted)
	works(t, db)
}
