package agent

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"condica/agent/api"
	counter "condica/agent/desk"
	centre "condica/hub"
	"condica/hub/store"
	"condica/hub/store/memory"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/link"
	"condica/sync/op"
	"condica/sync/wire"
)

// A city is a hub on a loopback port, and office PCs that are enrolled with it.
type city struct {
	t   *testing.T
	hub *centre.Server
	url string
}

func newCity(t *testing.T) *city {
	t.Helper()
	c := &city{t: t}
	ref, err := spclep.Builtin()
	c.must(err)
	c.hub, err = centre.New(context.Background(), centre.Config{Store: memory.New(), Reference: ref, Now: func() int64 { return time.Now().UnixMilli() }})
	c.must(err)
	s := httptest.NewServer(c.hub.Handler())
	c.url = s.URL
	t.Cleanup(func() { c.hub.Close(); s.Close() })
	return c
}

func (c *city) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *city) token(office spclep.OfficeID) string {
	c.t.Helper()
	t, err := c.hub.NewToken(c.t.Context(), office, time.Hour, c.url, "")
	c.must(err)
	return t.String()
}

func (c *city) device(id hlc.Device) store.Device {
	c.t.Helper()
	d, err := c.hub.Store.Device(c.t.Context(), id)
	c.must(err)
	return d
}

// A desk is one office PC with its whole agent.
type desk struct {
	*Agent
	c   *city
	dir string
	log *said
}

// said is what the service has written into its log.
type said struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func (s *said) has(text string) bool { return strings.Contains(s.String(), text) }

// pc is an office PC that is enrolled and in step with the hub.
func (c *city) pc() *desk {
	c.t.Helper()
	d := c.pcOf("covasna")
	d.inStep()
	return d
}

func (c *city) pcOf(office spclep.OfficeID) *desk {
	c.t.Helper()
	d := &desk{c: c, dir: c.t.TempDir(), log: &said{}}
	d.start()
	_, err := d.Enroll(c.t.Context(), c.token(office))
	c.must(err)
	return d
}

func (d *desk) start() {
	d.c.t.Helper()
	a, err := Start(context.Background(), Options{Dir: d.dir, Listen: "127.0.0.1:0", Clock: NewClock(0), Zone: time.UTC, Log: slog.New(slog.NewTextHandler(d.log, nil))})
	d.c.must(err)
	d.Agent = a
	d.c.t.Cleanup(func() { a.Close() })
}

func (d *desk) restart() {
	d.c.t.Helper()
	d.c.must(d.Close())
	d.start()
}

// until waits for a condition and says what it waited for.
func (d *desk) until(what string, ok func() bool) {
	d.c.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(2 * time.Minute) // a net, no part of any story
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			d.c.t.Fatalf("waited in vain: %s\n%s", what, d.log)
		}
	}
}

// inStep: everything is sent, and the log is the hub's by its digest.
func (d *desk) inStep() {
	d.c.t.Helper()
	d.until("the PC holds what the hub holds", func() bool {
		st, err := d.Office().Status(d.c.t.Context())
		d.c.must(err)
		pos, sum, err := d.c.hub.Store.Total(d.c.t.Context(), "covasna")
		d.c.must(err)
		return st.Hub.Reached && st.Sent() && st.Cursor == pos && st.Digest == sum.Text()
	})
}

// writes is a clerk's note on a walk-in.
func (d *desk) writes(id spclep.BookingID, note string) {
	d.c.t.Helper()
	_, err := d.Office().Do(d.c.t.Context(), "", "Ana", id, func(b record.Booking, _ counter.Moment) ([]op.Draft, error) {
		return []op.Draft{{Cell: record.Cell(id, spclep.FieldNote), Value: []byte(`"` + note + `"`), Base: b.Heads(spclep.FieldNote)}}, nil
	})
	d.c.must(err)
}

// hubShows is what the hub holds of a booking's note, the winner first.
func (c *city) hubShows(id spclep.BookingID) (note string, edits int) {
	c.t.Helper()
	b, _, err := c.hub.Booking(c.t.Context(), "covasna", id)
	c.must(err)
	return b.Note, len(b.History)
}

// another machine with this PC's key takes a new one: the hub takes nothing more
// from the old.
func (d *desk) takenOver() {
	d.c.t.Helper()
	_, next, err := ed25519.GenerateKey(nil)
	d.c.must(err)
	way := link.Way{Hub: d.c.url, Name: "copy", Times: func() []time.Time { return []time.Time{time.Now()} }}
	_, err = way.Rekey(d.c.t.Context(), d.key, next, link.Was{Device: d.Device()})
	d.c.must(err)
}

func (d *desk) Device() hlc.Device { return d.db.Device() }

func (d *desk) fileKey(name string) hlc.Device {
	d.c.t.Helper()
	key, err := readKey(filepath.Join(d.dir, name))
	d.c.must(err)
	return deviceOf(key)
}

// A PC whose key is out of use takes another one while its clerk works, and
// everything that was written under either reaches the hub once. Its new
// certificate is kept, and its old name is known for its own.
func TestTakesANewKeyAtWork(t *testing.T) {
	c := newCity(t)
	d := c.pc()
	old := d.Device()
	d.writes("2222AAAA", "unu")
	d.inStep()
	d.takenOver()
	for _, note := range []string{"doi", "trei", "patru"} {
		d.writes("2222AAAA", note)
	}
	d.until("the PC has another name", func() bool { return d.Device() != old })
	d.writes("2222AAAA", "cinci")
	d.inStep()
	if note, edits := c.hubShows("2222AAAA"); note != "cinci" || edits != 5 {
		t.Errorf("the hub shows %q of %d edits", note, edits)
	}
	now, before := c.device(d.Device()), c.device(old)
	if now.RevokedMs != 0 || now.RetiredMs != 0 || now.Old != old || before.RetiredMs == 0 || before.Desk == now.Desk {
		t.Errorf("the hub knows it as %+v, before as %+v", now, before)
	}
	st, err := d.Office().Status(t.Context())
	if err != nil || st.Renewed == 0 || st.Desk != now.Desk || !d.Office().Mine(old) || !d.Office().Mine(d.Device()) || d.Office().Mine(hlc.Device{1}) {
		t.Errorf("%+v, %v", st, err)
	}
	was := d.Device()
	d.restart()
	d.writes("2222AAAA", "șase")
	d.inStep()
	h, _, err := enrolledHub(d.dir)
	if err != nil || d.Device() != was || d.fileKey(keyFile) != was || h.Certs[was] == "" || !d.Office().Mine(old) {
		t.Errorf("after a restart it is %s, its key %s, %+v, %v", d.Device(), d.fileKey(keyFile), h, err)
	}
	if _, err := os.Stat(filepath.Join(d.dir, nextFile)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the next key is still there: %v", err)
	}
}

// The PC goes down after each step of taking another key. It comes up, ends under
// one key that the hub knows, and has lost nothing.
func TestStoppedWhileTakingAKey(t *testing.T) {
	steps := []struct {
		name string
		do   func(d *desk, w *wire.Enrolled)
	}{
		{"the next key was made", func(d *desk, _ *wire.Enrolled) {
			_, err := nextKey(d.dir)
			d.c.must(err)
		}},
		{"the hub has said yes", func(d *desk, e *wire.Enrolled) {
			next, err := nextKey(d.dir)
			d.c.must(err)
			was, err := d.was(d.c.t.Context(), next)
			d.c.must(err)
			way := link.Way{Hub: d.c.url, Name: "PC", Times: d.times}
			*e, err = way.Rekey(d.c.t.Context(), d.key, next, was)
			d.c.must(err)
		}},
		{"the certificate was kept", func(d *desk, e *wire.Enrolled) {
			_, err := d.editHub(func(h *hub) { h.keep(*e, d.Device()) })
			d.c.must(err)
		}},
		{"the replica has its new name", func(d *desk, e *wire.Enrolled) {
			d.c.must(d.db.Rekey(d.c.t.Context(), *e))
		}},
		{"the key has its place", func(d *desk, _ *wire.Enrolled) {
			d.c.must(keepNext(d.dir))
		}},
	}
	for last, s := range steps {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			c := newCity(t)
			d := c.pc()
			old := d.Device()
			d.stopLink() // the line is down
			d.writes("2222AAAA", "unu")
			d.takenOver()
			d.writes("2222AAAA", "doi")
			var e wire.Enrolled
			for _, s := range steps[:last+1] {
				s.do(d, &e)
			}
			d.restart()
			d.until("the PC has another name", func() bool { return d.Device() != old })
			d.writes("2222AAAA", "trei")
			d.inStep()
			if note, edits := c.hubShows("2222AAAA"); note != "trei" || edits != 3 {
				t.Errorf("the hub shows %q of %d edits", note, edits)
			}
			h, _, err := enrolledHub(d.dir)
			if err != nil || d.fileKey(keyFile) != d.Device() || h.Certs[d.Device()] == "" || len(h.Former) != 1 || h.Former[0].Device != old {
				t.Errorf("its name is %s, its key %s, %+v, %v", d.Device(), d.fileKey(keyFile), h, err)
			}
			if e.Device != (hlc.Device{}) && d.Device() != e.Device {
				t.Errorf("the hub was asked for a third key: %s after %s", d.Device(), e.Device)
			}
			d.restart()
			d.inStep()
		})
	}
}

// The key is gone, or its file is no key: the desk works on and says that IT must
// enrol this PC again. With a token it goes on under a new key, with all that
// was unsent.
func TestKeyLost(t *testing.T) {
	for name, lose := range map[string]func(path string) error{
		"deleted": os.Remove,
		"zeros":   func(path string) error { return os.WriteFile(path, make([]byte, 100), 0o600) },
		"hub.json": func(path string) error {
			return errors.Join(os.Remove(path), os.WriteFile(filepath.Join(filepath.Dir(path), hubFile), []byte(`{"url":`), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCity(t)
			d := c.pc()
			old := d.Device()
			d.writes("2222AAAA", "unu")
			d.inStep()
			d.stopLink()
			d.writes("2222AAAA", "doi")
			c.must(d.Close())
			c.must(lose(filepath.Join(d.dir, keyFile)))
			d.start()
			d.writes("2222AAAA", "trei")
			st, err := d.Office().Status(t.Context())
			if err != nil || !st.Line || st.Hub.Kind != link.Unlinked || st.Hub.Say == "" || st.Unsent != 2 || d.Device() != old {
				t.Errorf("%+v, %v", st, err)
			}
			if _, err := d.Enroll(t.Context(), c.token("covasna")); err != nil {
				t.Fatal(err)
			}
			d.writes("2222AAAA", "patru")
			d.inStep()
			if note, edits := c.hubShows("2222AAAA"); note != "patru" || edits != 4 || d.Device() == old || c.device(old).RetiredMs == 0 {
				t.Errorf("the hub shows %q of %d edits; the PC is %s", note, edits, d.Device())
			}
			d.restart()
			d.inStep()
		})
	}
}

// A PC was revoked by mistake. Its token gives it a new key, for the old one is
// out for good.
func TestRevokedByMistake(t *testing.T) {
	c := newCity(t)
	d := c.pc()
	old := d.Device()
	c.must(c.hub.Revoke(t.Context(), old))
	d.writes("2222AAAA", "unu")
	d.until("the PC knows that it was turned away", func() bool {
		st, err := d.Office().Status(t.Context())
		return err == nil && st.Hub.Turned
	})
	if _, err := d.Enroll(t.Context(), c.token("covasna")); err != nil {
		t.Fatal(err)
	}
	d.inStep()
	if note, edits := c.hubShows("2222AAAA"); note != "unu" || edits != 1 || d.Device() == old || d.fileKey(keyFile) != d.Device() {
		t.Errorf("the hub shows %q of %d edits; the PC is %s", note, edits, d.Device())
	}
}

// Tokens that lead nowhere leave the PC as it was, with its line.
func TestTokenThatLeadsNowhere(t *testing.T) {
	c := newCity(t)
	d := c.pc()
	was := d.Device()
	var other *api.Problem
	if _, err := d.Enroll(t.Context(), c.token("botosani")); !errors.As(err, &other) || other.Code != "other-office" || !strings.Contains(other.Text, "Botoșani") {
		t.Errorf("another office's token: %v", err)
	}
	used := c.token("covasna")
	c.pc2(used)
	if _, err := d.Enroll(t.Context(), used); err == nil {
		t.Error("a used token was taken")
	}
	d.writes("2222AAAA", "unu")
	d.inStep()
	// One more of its own office is taken, and nothing changes by it.
	r, err := d.Enroll(t.Context(), c.token("covasna"))
	if err != nil || r.Desk != 1 || d.Device() != was {
		t.Errorf("%+v, %v; the PC is %s", r, err, d.Device())
	}
	d.writes("2222AAAA", "doi")
	d.inStep()
}

// pc2 uses a token up.
func (c *city) pc2(token string) {
	c.t.Helper()
	t, err := wire.ParseToken(token)
	c.must(err)
	_, key, err := ed25519.GenerateKey(nil)
	c.must(err)
	_, err = link.Enroll(c.t.Context(), t, key, "other", func() []time.Time { return []time.Time{time.Now()} })
	c.must(err)
}

// The database is damaged under the running service: it says that it cannot go
// on, once, and the next start mends it. One row that cannot be read ends nothing.
func TestDamageAtWork(t *testing.T) {
	for by, paths := range map[string][]string{
		"a clerk": {"/coada", "/vizita/2222BBBB"}, "a script": {api.Prefix + "queue", api.Prefix + "visits/2222BBBB"},
	} {
		t.Run("found by "+by, func(t *testing.T) {
			t.Parallel()
			damageAtWork(t, paths)
		})
	}
}

func damageAtWork(t *testing.T, paths []string) {
	c := newCity(t)
	d := c.pc()
	for _, id := range []spclep.BookingID{"2222AAAA", "2222BBBB", "2222CCCC"} {
		d.writes(id, strings.Repeat("vine cu mama ", 300))
	}
	d.inStep()
	d.stopLink()
	d.writes("2222AAAA", "netrimis")
	path := filepath.Join(d.dir, localdb.DBName)
	for _, ext := range []string{"", "-wal"} {
		text, err := os.ReadFile(path + ext)
		c.must(err)
		for at := 4096; at < len(text); at++ {
			text[at] ^= 0x5a
		}
		f, err := os.OpenFile(path+ext, os.O_WRONLY, 0)
		c.must(err)
		_, err = f.WriteAt(text, 0)
		c.must(errors.Join(err, f.Close()))
	}
	var failed error
	d.until("the service knows that it cannot go on", func() bool {
		for _, path := range paths {
			d.get(t.Context(), http.DefaultClient, path, nil) // fails, or not yet
		}
		select {
		case failed = <-d.Failed():
			return true
		default:
			return false
		}
	})
	if !strings.Contains(failed.Error(), "next start") || !d.log.has("the service cannot go on") {
		t.Errorf("it says %v", failed)
	}
	d.fault(failed) // again, and nobody waits for it
	d.restart()
	if len(d.Report) == 0 {
		t.Error("the start mended nothing")
	}
	d.inStep()
	for id, want := range map[spclep.BookingID]string{"2222AAAA": "netrimis", "2222CCCC": strings.Repeat("vine cu mama ", 300)} {
		b, err := d.db.Booking(t.Context(), id)
		if err != nil || b.Note != want {
			t.Errorf("%s shows %.20q, %v", id, b.Note, err)
		}
	}
	if !slices.ContainsFunc(d.Report, func(s string) bool { return strings.Contains(s, "damaged") }) {
		t.Errorf("it says %q", d.Report)
	}
}

// What the start finds in order, and SQLite stumbles over at work a second time,
// is not believed a third time: the database is made anew, and nothing is lost.
func TestDoubtedTwice(t *testing.T) {
	c := newCity(t)
	d := c.pc()
	d.writes("2222AAAA", "unu")
	d.inStep()
	d.stopLink()
	d.writes("2222AAAA", "doi")
	for times := range 3 {
		for range times {
			c.must(d.noteDoubt(errors.New("database disk image is malformed (11)\nand so on")))
		}
		d.restart()
		if doubted := len(d.Report) > 0 && strings.Contains(d.Report[0], "malformed"); doubted != (times == 2) {
			t.Errorf("after it was noted %d times more: %q", times, d.Report)
		}
	}
	d.inStep()
	if note, edits := c.hubShows("2222AAAA"); note != "doi" || edits != 2 {
		t.Errorf("the hub shows %q of %d edits", note, edits)
	}
	d.restart()
	if len(d.Report) > 0 {
		t.Errorf("it is doubted again: %q", d.Report)
	}
}

// IT has revoked the very key that the PC was about to take. It is shown as what it
// is, turned away, works on, and a token helps.
func TestNextKeyRevoked(t *testing.T) {
	c := newCity(t)
	d := c.pc()
	old := d.Device()
	d.stopLink()
	d.takenOver()
	next, err := nextKey(d.dir)
	c.must(err)
	way := link.Way{Hub: c.url, Name: "PC", Times: d.times}
	_, err = way.Rekey(t.Context(), d.key, next, link.Was{Device: old})
	c.must(err)
	c.must(c.hub.Revoke(t.Context(), deviceOf(next)))
	d.restart()
	d.until("the PC says that it was turned away", func() bool {
		st, err := d.Office().Status(t.Context())
		return err == nil && st.Hub.Turned && st.Hub.Kind == link.Turned
	})
	d.writes("2222AAAA", "unu")
	if _, err := d.Enroll(t.Context(), c.token("covasna")); err != nil {
		t.Fatal(err)
	}
	d.inStep()
	if note, edits := c.hubShows("2222AAAA"); note != "unu" || edits != 1 || d.Device() == old || d.Device() == deviceOf(next) {
		t.Errorf("the hub shows %q of %d edits; the PC is %s", note, edits, d.Device())
	}
}
