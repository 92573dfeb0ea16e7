package page_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
	_ "time/tzdata" // Windows has no zones of its own

	"condica/agent/office"
	"condica/agent/page"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/code"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/link"
	"condica/sync/op"
	"condica/sync/wire"
)

// host is the address under which the tests speak to the desk.
const host = "127.0.0.1:8743"

// monday is the day of the stories; Covasna takes walk-ins from 13:00 to 15:00.
var monday = spclep.NewDay(2026, time.November, 23)

// A counter is one office PC at work, with a clock and a line in the test's
// hand and a hub that is only its answers.
type counter struct {
	slow int64  // ms by which the clocks of the other PCs are slow
	dir  string // of the replica
	*testing.T
	db     *localdb.DB
	office *office.Office
	pages  http.Handler
	clerk  string // who works; empty: nobody said
	key    ed25519.PrivateKey

	mu   sync.Mutex
	wall int64 // the hub's time
	skew int64 // of the PC's clock against it
	boot string
	pos  int64 // last position of the hub's log
	seq  uint64
	keys int // of forms, given out so far
	line *line
}

// line is what the office knows of its line.
type line struct {
	mu     sync.Mutex
	status link.Status
	rings  int
}

func (l *line) Ring() { l.mu.Lock(); l.rings++; l.mu.Unlock() }
func (l *line) Status() link.Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}
func (l *line) is(s link.Status) { l.mu.Lock(); l.status = s; l.mu.Unlock() }

var (
	here  = hlc.Device{1, 1, 1, 1}
	other = hlc.Device{2, 2, 2, 2}
	hub   = hlc.Device{9, 9, 9, 9}
)

// bucharest is the office's zone.
func bucharest(t testing.TB) *time.Location {
	zone, err := time.LoadLocation("Europe/Bucharest")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// at opens a counter at a time of day on the Monday, enrolled in Covasna and
// in touch with its hub.
func at(t *testing.T, clock string) *counter {
	t.Helper()
	c := &counter{T: t, dir: t.TempDir(), line: &line{status: link.Status{Reached: true}}}
	c.wall = c.when(monday, clock)
	seed := bytes.Repeat([]byte{7}, ed25519.SeedSize)
	c.key = ed25519.NewKeyFromSeed(seed)
	ref, err := spclep.Builtin()
	c.must(err)
	c.db, _, err = localdb.Open(t.Context(), c.dir, localdb.Options{Device: here, Now: c.reading})
	c.must(err)
	t.Cleanup(func() { c.db.Close() })
	c.must(c.db.SetOffice(t.Context(), wire.Enrolled{Office: "covasna", Desk: 1}))
	n := 0
	c.office = office.New(office.Config{DB: c.db, Ref: ref, Zone: bucharest(t), Up: func() int64 { return c.reading().Up },
		Random: func(b []byte) { n++; copy(b, fmt.Sprintf("%05d", n)) }})
	c.office.SetLine(c.line)
	c.pages = c.serve(host, "localhost:8743")
	c.save(wire.Answer{Keys: []wire.QRKey{{ID: 1, Pub: c.key.Public().(ed25519.PublicKey)}}})
	return c
}

// serve makes the pages under some names.
func (c *counter) serve(hosts ...string) http.Handler {
	return page.New(c.office, page.Options{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Version: "1.0", Hosts: hosts,
		Random: func() string {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.keys++
			return fmt.Sprintf("cheia-%026d", c.keys)
		},
	})
}

func (c *counter) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// when is a time of day in ms.
func (c *counter) when(d spclep.Day, clock string) int64 {
	c.Helper()
	t, err := time.ParseInLocation("2006-01-02 15:04", d.String()+" "+clock, bucharest(c.T))
	c.must(err)
	return t.UnixMilli()
}

// now moves the clock to a time of day; the PC has been running all along.
func (c *counter) now(d spclep.Day, clock string) { c.wall = c.when(d, clock) }

func (c *counter) reading() hlc.Reading {
	return hlc.Reading{Wall: c.wall + c.skew, Boot: "boot" + c.boot, Up: c.wall - 1_700_000_000_000}
}

// save hears an answer of the hub, as of now.
func (c *counter) save(a wire.Answer) {
	c.Helper()
	a.V, a.Epoch, a.HubMs, a.From, a.Head = wire.Version, "e1", c.wall, c.pos, max(a.Head, c.pos+int64(len(a.Entries)))
	for i := range a.Entries {
		c.pos++
		a.Entries[i].Pos = c.pos
	}
	r := c.reading()
	_, err := c.db.Save(context.Background(), a, r, r, false)
	c.must(err)
}

// entry is an edit by another device, as the hub passes it on.
func (c *counter) entry(by hlc.Device, clerk string, ms int64, id spclep.BookingID, field string, fact bool, value any, base ...op.ID) wire.Entry {
	c.Helper()
	c.seq++
	o := op.Op{
		ID: op.ID{Device: by, Seq: c.seq}, Action: c.seq, Cell: record.Cell(id, field), Fact: fact, Base: base,
		Time: hlc.At(ms), Clock: hlc.Reading{Wall: ms - c.slow, Boot: "b", Up: 1}, By: clerk,
	}
	if value != nil {
		v, err := json.Marshal(value)
		c.must(err)
		o.Value = v
	}
	raw, err := wire.EncodeOp(o)
	c.must(err)
	return wire.Entry{Device: by, Op: raw}
}

// books puts a booking of the hub into the replica.
func (c *counter) books(id spclep.BookingID, name string, reason spclep.Reason, d spclep.Day, clock string) {
	c.Helper()
	minute, err := spclep.ParseMinute(clock)
	c.must(err)
	c.save(wire.Answer{Entries: []wire.Entry{c.entry(hub, "", c.wall-3_600_000, id, spclep.Booked, true,
		spclep.BookedValue{Name: name, Email: "programare@example.ro", Reason: reason, Day: d, At: minute})}})
}

// elsewhere is something another PC of the office did.
func (c *counter) elsewhere(clerk string, ms int64, id spclep.BookingID, field string, fact bool, value any) {
	c.Helper()
	c.save(wire.Answer{Entries: []wire.Entry{c.entry(other, clerk, ms, id, field, fact, value)}})
}

// qr is the code of a booking as the hub signs it.
func (c *counter) qr(key ed25519.PrivateKey, number uint8, officeCode uint16, id spclep.BookingID, reason spclep.Reason, clock string) string {
	c.Helper()
	minute, err := spclep.ParseMinute(clock)
	c.must(err)
	text, err := code.Sign(key, code.Booking{Key: number, Office: officeCode, ID: id, Day: monday, At: minute, Reason: reason})
	c.must(err)
	return text
}

// A sheet is an answer of the desk.
type sheet struct {
	*httptest.ResponseRecorder
	c    *counter
	text string // what a person reads
}

func (c *counter) send(r *http.Request) sheet {
	if c.clerk != "" {
		r.AddCookie(&http.Cookie{Name: "lucrator", Value: url.QueryEscape(c.clerk)})
	}
	r.Host = host
	w := httptest.NewRecorder()
	c.pages.ServeHTTP(w, r)
	return sheet{w, c, readable(w.Body.String())}
}

func (c *counter) open(path string) sheet {
	c.Helper()
	s := c.send(httptest.NewRequest(http.MethodGet, path, nil))
	if hole := regexp.MustCompile(`\[[a-z0-9-]+\.[a-z0-9.-]*\]`).FindString(s.text); hole != "" {
		c.Errorf("%s: the catalogue has no %s", path, hole)
	}
	return s
}

// find scans or types into the box on every page.
func (c *counter) find(q string) sheet {
	c.Helper()
	return c.open("/cauta?q=" + url.QueryEscape(q))
}

func (c *counter) post(path string, form url.Values) sheet {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", "null")
	return c.send(r)
}

// fill takes the form of an action off the page as a browser would send it,
// with what the clerk enters.
func (s sheet) fill(action string, entered url.Values) url.Values {
	s.c.Helper()
	form := formOf(s.Body.String(), action)
	if form == nil {
		s.c.Fatalf("the page has no form for %s:\n%s", action, s.text)
	}
	for field, values := range entered {
		form[field] = values
	}
	return form
}

// press fills and sends a form, and follows to the page that comes after.
func (s sheet) press(action string, entered url.Values) sheet {
	s.c.Helper()
	return s.c.post(action, s.fill(action, entered)).follow()
}

func (s sheet) follow() sheet {
	s.c.Helper()
	if s.Code != http.StatusSeeOther {
		return s
	}
	return s.c.open(s.Header().Get("Location"))
}

// shows holds the page against what must be read on it.
func (s sheet) shows(want ...string) sheet {
	s.c.Helper()
	for _, w := range want {
		if !strings.Contains(s.text, w) {
			s.c.Errorf("the page (%d) does not say %q:\n%s", s.Code, w, s.text)
		}
	}
	return s
}

func (s sheet) hides(not ...string) sheet {
	s.c.Helper()
	for _, w := range not {
		if strings.Contains(s.text, w) {
			s.c.Errorf("the page (%d) says %q:\n%s", s.Code, w, s.text)
		}
	}
	return s
}

func (s sheet) is(status int) sheet {
	s.c.Helper()
	if s.Code != status {
		s.c.Errorf("status %d, want %d:\n%s", s.Code, status, s.text)
	}
	for _, m := range regexp.MustCompile(`href="#([^"]+)"`).FindAllStringSubmatch(s.Body.String(), -1) {
		id, err := url.PathUnescape(m[1])
		if s.c.must(err); !strings.Contains(s.Body.String(), ` id="`+id+`"`) {
			s.c.Errorf("the page links to #%s, which it does not have", m[1])
		}
	}
	return s
}

var (
	scripts = regexp.MustCompile(`(?s)<(style|script|svg)\b.*?</(style|script|svg)>`)
	tags    = regexp.MustCompile(`<[^>]*>`)
	spaces  = regexp.MustCompile(`\s+`)
)

// readable is the page without its tags.
func readable(page string) string {
	page = scripts.ReplaceAllString(page, " ")
	return strings.TrimSpace(spaces.ReplaceAllString(html.UnescapeString(tags.ReplaceAllString(page, "")), " "))
}

var (
	forms   = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	inputs  = regexp.MustCompile(`(?s)<input\b([^>]*)>|<select\b([^>]*)>(.*?)</select>`)
	options = regexp.MustCompile(`(?s)<option\b([^>]*)>`)
	attrs   = regexp.MustCompile(`([a-z-]+)(?:="([^"]*)")?`)
)

func attributes(tag string) map[string]string {
	out := map[string]string{}
	for _, m := range attrs.FindAllStringSubmatch(tag, -1) {
		out[m[1]] = html.UnescapeString(m[2])
	}
	return out
}

// formOf reads the fields of the first form of an action; nil if there is none.
func formOf(page, action string) url.Values {
	for _, m := range forms.FindAllStringSubmatch(page, -1) {
		if attributes(m[1])["action"] != action {
			continue
		}
		out := url.Values{}
		for _, in := range inputs.FindAllStringSubmatch(m[2], -1) {
			if in[1] != "" {
				addInput(out, attributes(in[1]))
			} else {
				addSelect(out, attributes(in[2])["name"], in[3])
			}
		}
		return out
	}
	return nil
}

func addInput(out url.Values, a map[string]string) {
	if _, on := a["checked"]; !on && (a["type"] == "radio" || a["type"] == "checkbox") {
		return
	}
	out.Add(a["name"], a["value"])
}

func addSelect(out url.Values, name, inner string) {
	chosen, any := "", false
	for _, m := range options.FindAllStringSubmatch(inner, -1) {
		a := attributes(m[1])
		if _, on := a["selected"]; on || !any {
			chosen, any = a["value"], true
		}
	}
	out.Add(name, chosen)
}
