package localdb_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"condica/hub"
	"condica/hub/store/memory"
	"condica/localdb"
	"condica/localdb/file"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/peer"
	"condica/sync/wire"
)

// A parish is one office in the story: a real hub, and PCs that talk to it as
// the line does, one exchange at a time.
type parish struct {
	t   *testing.T
	hub *hub.Server
	url string
	now int64 // the hub's time, which is the true one, ms
}

// parishNoon is when a story begins: Tuesday, 24 November 2026.
const parishNoon = int64(1_795_521_600_000)

func newParish(t *testing.T) *parish {
	t.Helper()
	p := &parish{t: t, now: parishNoon}
	p.open()
	return p
}

// open starts a hub that knows nothing.
func (p *parish) open() {
	p.t.Helper()
	ref, err := spclep.Builtin()
	p.must(err)
	p.hub, err = hub.New(context.Background(), hub.Config{Store: memory.New(), Reference: ref, Now: func() int64 { return p.now }})
	p.must(err)
	s := httptest.NewServer(p.hub.Handler())
	p.url = s.URL
	p.t.Cleanup(func() { p.hub.Close(); s.Close() })
}

func (p *parish) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

// later lets time pass.
func (p *parish) later(d time.Duration) { p.now += d.Milliseconds() }

// A parishPC is one office PC: its folder, its key, its clock, its replica.
type parishPC struct {
	*localdb.DB
	p     *parish
	dir   string
	key   ed25519.PrivateKey
	wall  int64 // by so much its clock is wrong, ms
	boot  string
	on    int64  // when it was switched on, the true time
	used  uint64 // number of the last request
	found []string
}

func (p *parish) pc(name string) *parishPC {
	p.t.Helper()
	seed := sha256.Sum256([]byte(name))
	c := &parishPC{p: p, dir: p.t.TempDir(), key: ed25519.NewKeyFromSeed(seed[:]), boot: name, on: parishNoon - 1_000_000}
	c.open()
	c.p.must(c.SetOffice(p.t.Context(), c.enrol()))
	return c
}

func (c *parishPC) enrol() wire.Enrolled {
	c.p.t.Helper()
	token, err := c.p.hub.NewToken(c.p.t.Context(), "covasna", time.Hour, c.p.url, "")
	c.p.must(err)
	e, err := c.p.hub.Enroll(c.p.t.Context(), wire.Enroll{V: wire.Version, Secret: token.Secret, Pub: c.key.Public().(ed25519.PublicKey), Name: c.boot})
	c.p.must(err)
	return e
}

func (c *parishPC) open() {
	c.p.t.Helper()
	o := localdb.Options{Device: wire.DeviceOf(c.key.Public().(ed25519.PublicKey)), Now: c.reading, Found: func(say string) { c.found = append(c.found, say) }}
	db, report, err := localdb.Open(context.Background(), c.dir, o)
	c.p.must(err)
	c.found = append(c.found, report...)
	c.DB = db
	c.p.t.Cleanup(func() { db.Close() })
}

func (c *parishPC) reading() hlc.Reading {
	return hlc.Reading{Wall: c.p.now + c.wall, Boot: c.boot, Up: c.p.now - c.on}
}

// budget is what link gives a look through the replica before each request.
const budget = 5000

// talk makes one round trip.
func (c *parishPC) talk() peer.Outcome {
	c.p.t.Helper()
	ctx := c.p.t.Context()
	c.p.must(c.Scrub(ctx, budget))
	req, err := c.Where(ctx)
	c.p.must(err)
	_, anchored, err := c.Unsent(ctx)
	c.p.must(err)
	if anchored {
		ops, err := c.Outbox(ctx, wire.MaxOps, 1<<20)
		c.p.must(err)
		if len(ops) > 0 {
			req.Segments = []wire.Segment{wire.SignSegment(c.key, ops)}
		}
	}
	c.p.must(c.Complete(ctx, &req, 1<<20))
	c.used++
	c.used, err = c.Counter(ctx, c.used)
	c.p.must(err)
	sent := c.reading()
	req.SetClock(sent)
	out, err := c.Save(ctx, c.post(req, c.used), sent, c.reading(), true)
	c.p.must(err)
	c.p.now += 10
	return out
}

func (c *parishPC) post(req wire.Request, n uint64) wire.Answer {
	c.p.t.Helper()
	body, err := wire.Encode(req)
	c.p.must(err)
	r, err := http.NewRequest(http.MethodPost, c.p.url+"/v1/sync", bytes.NewReader(body))
	c.p.must(err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(wire.SignatureHeader, wire.SignRequest(c.key, n, "/v1/sync", body))
	resp, err := http.DefaultClient.Do(r)
	c.p.must(err)
	defer resp.Body.Close()
	var text bytes.Buffer
	_, err = text.ReadFrom(resp.Body)
	c.p.must(err)
	if resp.StatusCode != http.StatusOK {
		c.p.t.Fatalf("the hub answers %s: %s", resp.Status, text.String())
	}
	a, err := wire.DecodeAnswer(text.Bytes())
	c.p.must(err)
	return a
}

// settle talks until there is nothing more to say; most is how often at most.
func (c *parishPC) settle(most int) {
	c.p.t.Helper()
	var out peer.Outcome
	for range most {
		if out = c.talk(); out.Anchored && out.Unsent == 0 && !out.More && !out.Differs {
			return
		}
	}
	c.p.t.Fatalf("after %d exchanges %+v; %s", most, out, strings.Join(c.found, "; "))
}

// does writes one action of one draft.
func (c *parishPC) does(id spclep.BookingID, field string, fact bool, value any) localdb.Receipt {
	c.p.t.Helper()
	r, err := c.Edit(c.p.t.Context(), "", "Ana", id, func(b record.Booking, _ localdb.Place) ([]op.Draft, error) {
		v, err := json.Marshal(value)
		d := op.Draft{Cell: record.Cell(id, field), Fact: fact, Value: v}
		if !fact {
			d.Base = b.Heads(field)
		}
		return []op.Draft{d}, err
	})
	c.p.must(err)
	c.p.now += 1000
	return r
}

// walkIn is a person without a booking, on a day.
func (c *parishPC) walkIn(id spclep.BookingID, name string, day spclep.Day) {
	c.p.t.Helper()
	c.does(id, spclep.Booked, true, spclep.BookedValue{Name: name, Email: "cineva@example.ro", Reason: "R08", Day: day, At: 600, Origin: spclep.OriginWalkIn})
}

// alter is somebody else's hand, or a sick disk, in the replica's file.
func (c *parishPC) alter(query string, args ...any) {
	c.p.t.Helper()
	db, err := sql.Open("sqlite", file.URI(filepath.Join(c.dir, localdb.DBName), "rw", 100))
	c.p.must(err)
	defer db.Close()
	res, err := db.Exec(query, args...)
	c.p.must(err)
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		c.p.t.Fatalf("%s altered nothing", query)
	}
}

// shows is all that lists, records and search show.
func (c *parishPC) shows(ids ...spclep.BookingID) string {
	c.p.t.Helper()
	ctx := c.p.t.Context()
	var b strings.Builder
	for _, id := range ids {
		r, err := c.Booking(ctx, id)
		c.p.must(err)
		fmt.Fprintf(&b, "%s %s %q %q %d facts, %d edits\n", id, r.Visit.State, r.Name, r.Note, len(r.Facts), len(r.History))
	}
	rows, err := c.Day(ctx, storyDay)
	c.p.must(err)
	for _, r := range rows {
		fmt.Fprintf(&b, "%+v\n", r)
	}
	found, err := c.Search(ctx, "exemplu", storyDay, 50)
	c.p.must(err)
	fmt.Fprintf(&b, "%d found\n", len(found))
	return b.String()
}

const storyDay = spclep.Day(20781)

// holdsTheSame: hub and PC have one log, by digest.
func (c *parishPC) holdsTheSame() {
	c.p.t.Helper()
	st, err := c.Standing(c.p.t.Context())
	c.p.must(err)
	pos, sum, err := c.p.hub.Store.Total(c.p.t.Context(), "covasna")
	c.p.must(err)
	if st.Digest != sum.Text() || st.Cursor != pos || st.Unsent != 0 {
		c.p.t.Errorf("the PC holds %d ops to %s with %d unsent, the hub %d to %s", st.Cursor, st.Digest, st.Unsent, pos, sum.Text())
	}
}

const (
	ana  = spclep.BookingID("2222AAAA")
	dan  = spclep.BookingID("2222BBBB")
	ema  = spclep.BookingID("2222CCCC")
	note = "vine cu mama"
)

// sick is an office of two PCs with three people; the first PC's disk is about to
// go bad.
func sick(t *testing.T) (p *parish, c *parishPC) {
	p = newParish(t)
	c, other := p.pc("one"), p.pc("two")
	c.settle(5)
	other.settle(5)
	for i, id := range []spclep.BookingID{ana, dan, ema} {
		other.walkIn(id, fmt.Sprintf("Persoană Exemplu %d", i+1), storyDay)
	}
	other.settle(5)
	c.settle(5)
	c.does(ana, spclep.Arrived, true, nil)
	c.does(ana, spclep.FieldNote, false, note)
	c.does(dan, spclep.Arrived, true, nil)
	c.settle(5)
	other.settle(5)
	return p, c
}

// One row of the file changes without a word. At the next contact, or the one
// after it, the PC has found it and put it right, says so, and holds what the
// hub holds.
func TestSilentCorruption(t *testing.T) {
	const (
		theNote = `device = (SELECT device FROM op WHERE field = 'note') AND field = 'note'`
		fromTwo = `pos = 2`
	)
	for name, alter := range map[string]string{
		"a letter of a value":              `UPDATE op SET raw = CAST(replace(CAST(raw AS TEXT), 'mama', 'tata') AS BLOB) WHERE ` + theNote,
		"a byte that makes it no op":       `UPDATE op SET raw = CAST(replace(CAST(raw AS TEXT), '"v"', '"v') AS BLOB) WHERE ` + theNote,
		"zeros":                            `UPDATE op SET raw = zeroblob(length(raw)) WHERE ` + fromTwo,
		"two change places":                `UPDATE op SET pos = CASE pos WHEN 1 THEN -1 ELSE -2 END WHERE pos IN (1, 2); UPDATE op SET pos = pos + 3 WHERE pos < 0`,
		"a place far ahead":                `UPDATE op SET pos = 7000 WHERE ` + theNote,
		"no place":                         `UPDATE op SET pos = NULL WHERE ` + fromTwo,
		"no place, an own one":             `UPDATE op SET pos = NULL WHERE ` + theNote,
		"the effective time":               `UPDATE op SET eff = eff + 65536 * 90000000 WHERE ` + theNote,
		"the field beside it":              `UPDATE op SET field = 'receipt' WHERE ` + theNote,
		"the booking beside it":            `UPDATE op SET entity = '2222BBBB' WHERE ` + theNote,
		"a fact beside it":                 `UPDATE op SET fact = 1 WHERE ` + theNote,
		"a verdict":                        `UPDATE op SET verdict = 'refused' WHERE ` + theNote,
		"unsealed":                         `UPDATE op SET sealed = 0 WHERE ` + theNote,
		"let go":                           `UPDATE op SET gone = 1 WHERE ` + theNote,
		"deleted":                          `DELETE FROM op WHERE ` + fromTwo,
		"deleted, an own one":              `DELETE FROM op WHERE ` + theNote,
		"the number":                       `UPDATE op SET seq = 900 WHERE ` + theNote,
		"the author is no device":          `UPDATE op SET device = 'x' || substr(device, 2) WHERE ` + fromTwo,
		"the author is no device, own":     `UPDATE op SET device = 'x' || substr(device, 2) WHERE ` + theNote,
		"doubled under another number":     `INSERT INTO op (device, seq, kind, entity, field, fact, eff, pos, sealed, verdict, say, gone, raw, crc) SELECT device, 900, kind, entity, field, fact, eff, NULL, sealed, verdict, say, gone, raw, crc FROM op WHERE ` + theNote,
		"doubled at a place ahead":         `INSERT INTO op (device, seq, kind, entity, field, fact, eff, pos, sealed, verdict, say, gone, raw, crc) SELECT device, 900, kind, entity, field, fact, eff, pos + 1000, sealed, verdict, say, gone, raw, crc FROM op WHERE ` + theNote,
		"doubled where the next will come": `INSERT INTO op (device, seq, kind, entity, field, fact, eff, pos, sealed, verdict, say, gone, raw, crc) SELECT device, 900, kind, entity, field, fact, eff, (SELECT max(pos) + 1 FROM op), sealed, verdict, say, gone, raw, crc FROM op WHERE ` + theNote,
		"a list shows another state":       `UPDATE booking SET state = 'filed' WHERE id = '2222AAAA'`,
		"a list shows another name":        `UPDATE booking SET name = 'X' WHERE id = '2222BBBB'`,
		"a list shows another day":         `UPDATE booking SET day = 1 WHERE id = '2222BBBB'`,
		"a list lacks a booking":           `DELETE FROM booking WHERE id = '2222AAAA'`,
		"a list shows what is not":         `UPDATE booking SET id = '9999ZZZZ' WHERE id = '2222AAAA'`,
		"search has forgotten":             `DELETE FROM booking_fts WHERE rowid = (SELECT n FROM booking WHERE id = '2222CCCC')`,
	} {
		for _, when := range []string{"at work", "at night"} {
			t.Run(name+" "+when, func(t *testing.T) {
				t.Parallel()
				p, c := sick(t)
				before := c.shows(ana, dan, ema)
				for _, one := range strings.Split(alter, ";") {
					c.alter(one)
				}
				if when == "at night" {
					p.must(c.Close())
					c.open()
				}
				c.settle(4)
				c.settle(4) // the lists are looked through once more
				if after := c.shows(ana, dan, ema); after != before {
					t.Errorf("the desk shows\n%sand not\n%s", after, before)
				}
				c.holdsTheSame()
				st, err := c.Standing(t.Context())
				p.must(err)
				if st.Mended.Ops == 0 || st.Mended.AtMs < parishNoon || st.Refused != 0 {
					t.Errorf("it says it mended %+v; %d refused", st.Mended, st.Refused)
				}
				if n := st.Mended.Ops; n > 8 {
					t.Errorf("%d mended: one row had changed", n)
				}
				// The next day's work goes on, and there is nothing more to mend.
				c.does(ema, spclep.Arrived, true, nil)
				c.settle(4)
				c.holdsTheSame()
				if now, err := c.Standing(t.Context()); err != nil || now.Mended != st.Mended {
					t.Errorf("later it mended again: %+v, %v", now.Mended, err)
				}
			})
		}
	}
}

// A look through a replica that is well holds up no clerk: it ends while
// somebody writes.
func TestScrubBesideAClerk(t *testing.T) {
	p, c := sick(t)
	_, err := c.Edit(t.Context(), "", "Ana", ema, func(record.Booking, localdb.Place) ([]op.Draft, error) {
		ctx, stop := context.WithTimeout(t.Context(), patience)
		defer stop()
		ended := make(chan error, 1)
		go func() { ended <- c.Scrub(ctx, budget) }()
		select {
		case err := <-ended:
			p.must(err)
		case <-ctx.Done():
			t.Error("the look waits for the clerk, and so would a clerk for the look")
		}
		return []op.Draft{{Cell: record.Cell(ema, spclep.Arrived), Fact: true}}, nil
	})
	p.must(err)
}

// A long log is looked through in parts, contact by contact. After a start, and
// where a row could not be read, it is looked through at once.
func TestScrubInParts(t *testing.T) {
	p, c := sick(t)
	for i := range 30 {
		c.does(ema, spclep.FieldNote, false, fmt.Sprintf("rândul %d", i))
	}
	c.settle(8)
	damage := func(what string) {
		t.Helper()
		c.alter(`UPDATE op SET raw = CAST(replace(CAST(raw AS TEXT), ?, 'rândul X') AS BLOB) WHERE field = 'note'`, what)
	}
	rounds := func() (n int) {
		t.Helper()
		for n = 1; n <= 12; n++ {
			p.must(c.Scrub(t.Context(), 5))
			req, err := c.Where(t.Context())
			p.must(err)
			p.must(c.Complete(t.Context(), &req, 1))
			if len(req.Days) > 0 {
				return n
			}
		}
		return n
	}
	damage("rândul 29")
	if n := rounds(); n < 2 || n > 9 {
		t.Errorf("5 of 38 edits at a time, and after %d looks the last was found", n)
	}
	c.settle(4)
	c.holdsTheSame()

	damage("rândul 28")
	p.must(c.Close())
	c.open()
	if n := rounds(); n != 1 {
		t.Errorf("after a start it took %d looks", n)
	}
	c.settle(4)
	c.holdsTheSame()
}

// A PC whose program was brought up to date has a log without a digest. It adds
// it up by itself, and nothing counts as mended.
func TestReplicaOfBefore(t *testing.T) {
	p, c := sick(t)
	p.must(c.Close())
	c.alter(`UPDATE meta SET value = json_remove(json_set(value, '$.summed', json('false')), '$.total', '$.sum') WHERE key = 'state'`)
	c.open()
	if st, err := c.Standing(t.Context()); err != nil || st.Digest != "" {
		t.Fatalf("the story needs a log without a digest: %+v, %v", st, err)
	}
	c.settle(3)
	c.holdsTheSame()
	if st, err := c.Standing(t.Context()); err != nil || st.Mended.Ops > 0 || len(c.found) > 0 {
		t.Errorf("%+v, %v; %q", st.Mended, err, c.found)
	}
}

// What waits for the line is not on the hub, and no digest covers it: the
// journal puts it right before it is sent.
func TestScrubOfWhatWaits(t *testing.T) {
	for name, alter := range map[string]string{
		"a letter":       `UPDATE op SET raw = CAST(replace(CAST(raw AS TEXT), 'trei', 'zece') AS BLOB) WHERE pos IS NULL AND field = 'note'`,
		"zeros":          `UPDATE op SET raw = zeroblob(30) WHERE pos IS NULL AND field = 'note'`,
		"another number": `UPDATE op SET seq = 900 WHERE pos IS NULL AND field = 'note'`,
		"another field":  `UPDATE op SET field = 'receipt' WHERE pos IS NULL AND field = 'note'`,
		"deleted":        `DELETE FROM op WHERE pos IS NULL AND field = 'note'`,
		"nobody's":       `UPDATE op SET device = 'nobody' WHERE pos IS NULL AND field = 'note'`,
		"doubled":        `INSERT INTO op (device, seq, kind, entity, field, fact, eff, pos, sealed, verdict, say, gone, raw, crc) SELECT device, 900, kind, entity, field, fact, eff, pos, sealed, verdict, say, gone, raw, crc FROM op WHERE pos IS NULL AND field = 'note'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, c := sick(t)
			c.does(ema, spclep.Arrived, true, nil)
			c.does(ema, spclep.FieldNote, false, "trei")
			c.does(ema, spclep.FieldReceipt, false, "123")
			before := c.shows(ana, dan, ema)
			c.alter(alter)
			p.later(11 * time.Minute)
			c.settle(6)
			if after := c.shows(ana, dan, ema); after != before {
				t.Errorf("the desk shows\n%sand not\n%s", after, before)
			}
			c.holdsTheSame()
			got, _, err := p.hub.Booking(t.Context(), "covasna", ema)
			if err != nil || got.Note != "trei" || got.Receipt != "123" || len(got.History) != 2 {
				t.Errorf("the hub shows %q %q, %d edits, %v", got.Note, got.Receipt, len(got.History), err)
			}
			if st, err := c.Standing(t.Context()); err != nil || st.Mended.Ops == 0 || len(c.found) == 0 {
				t.Errorf("it says nothing of it: %+v, %v", st.Mended, err)
			}
		})
	}
}
