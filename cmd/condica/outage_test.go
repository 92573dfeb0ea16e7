package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"condica/sync/hlc"
)

// A country is a hub and its office PCs as real processes. Its wall clock
// begins on a Monday morning and runs on, through every restart.
type country struct {
	t     *testing.T
	dir   string
	began time.Time
	hub   *process
	port  string
	pcs   map[string]*process
}

// monday is when the story begins: the office of Botoșani has 22 slots on it.
var monday = time.Date(2026, 11, 23, 8, 55, 0, 0, time.FixedZone("EET", 2*60*60))

func newCountry(t *testing.T) *country {
	return &country{t: t, dir: t.TempDir(), began: time.Now(), pcs: map[string]*process{}}
}

// now is to the nanosecond: a hub that lost a fraction of a second at each start
// would tell its PCs apart by it.
func (c *country) now(start time.Time) string {
	return start.Add(time.Since(c.began)).Format(time.RFC3339Nano)
}

func (c *country) hubDir() string           { return filepath.Join(c.dir, "hub") }
func (c *country) pcDir(name string) string { return filepath.Join(c.dir, name) }
func (c *country) condica(pc string, args ...string) string {
	c.t.Helper()
	return must(c.t, "condica", append(args, "--data", c.pcDir(pc))...)
}

// startHub starts the hub, on the port it had before.
func (c *country) startHub() {
	c.t.Helper()
	if c.port == "" {
		c.port = ownPort(c.t)
	}
	c.hub = start(c.t, "condica-hub", "serve", "--data", c.hubDir(), "--listen", "127.0.0.1:"+c.port, "--now", c.now(monday), "--json")
	url := c.hub.url("hub")
	c.port = url[strings.LastIndex(url, ":")+1:]
}

// ownPort is a port to which a program that was away can come back. It lies below
// those that systems give out by themselves (Linux from 32768 on, Windows from
// 49152), so that nobody gets it meanwhile.
func ownPort(t *testing.T) string {
	t.Helper()
	var err error
	for range 100 {
		port := fmt.Sprint(20_000 + rand.IntN(12_000))
		var ln net.Listener
		if ln, err = net.Listen("tcp", "127.0.0.1:"+port); err == nil {
			ln.Close()
			return port
		}
	}
	t.Fatal(err)
	return ""
}

// startPC starts an office PC whose wall clock shows its own idea of now.
func (c *country) startPC(name string, wall time.Time) {
	c.t.Helper()
	c.pcs[name] = start(c.t, "condica", "run", "--data", c.pcDir(name), "--listen", "127.0.0.1:0", "--now", c.now(wall), "--no-ticket", "--json")
}

func (c *country) enroll(name string) {
	c.t.Helper()
	token := strings.TrimSpace(must(c.t, "condica-hub", "token", "new", "--data", c.hubDir(), "--office", "botosani", "--now", c.now(monday)))
	c.condica(name, "enroll", "--token", token)
}

type statusAnswer struct {
	Sent   bool  `json:"sent"`
	Unsent int   `json:"unsent"`
	Cursor int64 `json:"cursor"`
	Head   int64 `json:"head"`
	Person int   `json:"person"`
}

func (c *country) status(pc string) statusAnswer {
	c.t.Helper()
	return read[statusAnswer](c.t, "condica", "status", "--json", "--data", c.pcDir(pc))
}

// inStep waits until the PC has sent everything and holds what the hub holds.
func (c *country) inStep(pc string) {
	c.t.Helper()
	until(c.t, pc+" is in step with the hub", func() bool {
		s := c.status(pc)
		return s.Sent && s.Cursor == int64(len(c.log()))
	})
}

type logLine struct {
	Pos       int64           `json:"pos"`
	ID        string          `json:"id"`
	Cell      string          `json:"cell"`
	Fact      bool            `json:"fact"`
	Value     json.RawMessage `json:"value"`
	By        string          `json:"by"`
	Device    string          `json:"device"`
	Effective hlc.Time        `json:"effective"`
	Verdict   string          `json:"verdict"`
}

func (c *country) log() (lines []logLine) {
	c.t.Helper()
	out := must(c.t, "condica-hub", "log", "--data", c.hubDir(), "--office", "botosani", "--json")
	d := json.NewDecoder(strings.NewReader(out))
	for d.More() {
		var l logLine
		if err := d.Decode(&l); err != nil {
			c.t.Fatal(err)
		}
		lines = append(lines, l)
	}
	return lines
}

// book puts sixty bookings on the hub: 22 on Monday, the others on the days
// after.
func (c *country) book() {
	c.t.Helper()
	var csv strings.Builder
	csv.WriteString("office,name,email,reason,day,time\n")
	days := []struct {
		day string
		n   int
	}{{"2026-11-23", 22}, {"2026-11-24", 22}, {"2026-11-25", 16}}
	n := 0
	for _, d := range days {
		first := 9 * 60
		if d.day == "2026-11-25" {
			first = 10 * 60
		}
		for i := range d.n {
			n++
			at := first + 20*i
			fmt.Fprintf(&csv, "botosani,Persoană Exemplu %02d,p%02d@example.ro,R08,%s,%02d:%02d\n", n, n, d.day, at/60, at%60)
		}
	}
	file := filepath.Join(c.dir, "list.csv")
	if err := os.WriteFile(file, []byte(csv.String()), 0o600); err != nil {
		c.t.Fatal(err)
	}
	must(c.t, "condica-hub", "bookings", "add", "--data", c.hubDir(), "--file", file, "--now", "2026-11-20T10:00:00+02:00")
}

type bookingRow struct {
	ID    string `json:"id"`
	Time  string `json:"time"`
	State string `json:"state"`
	Email string `json:"email"`
}

func (c *country) day(pc, day string) []bookingRow {
	c.t.Helper()
	return read[struct {
		Bookings []bookingRow `json:"bookings"`
	}](c.t, "condica", "bookings", "--day", day, "--json", "--data", c.pcDir(pc)).Bookings
}

// papers are what Botoșani asks for R08 of a single person (R08B.1 to R08B.5).
func bringAll(t *testing.T, c *country, pc, id string) {
	t.Helper()
	v := read[struct {
		Rules struct {
			Missing []struct {
				ID string `json:"id"`
			} `json:"missing"`
		} `json:"rules"`
	}](t, "condica", "visit", id, "--json", "--data", c.pcDir(pc))
	if len(v.Rules.Missing) == 0 {
		t.Fatalf("booking %s: nothing is missing though nothing was shown", id)
	}
	args := []string{"set", id}
	for _, p := range v.Rules.Missing {
		args = append(args, "paper."+p.ID+"=original+copy")
	}
	c.condica(pc, args...)
}

// hands work at the first PC's desk: by command or in a browser.
type hands interface {
	checkIn(id string)
	bringAll(id string) // and tick every paper
	file(id string)
	ready(id string)
	handOver(id string)
	restarted() // the PC was killed and is back
	look(what string)
}

// byCommand works with the command's verbs.
type byCommand struct{ *country }

func (h byCommand) checkIn(id string)  { h.condica("pc1", "check-in", id) }
func (h byCommand) bringAll(id string) { bringAll(h.t, h.country, "pc1", id) }
func (h byCommand) file(id string)     { h.condica("pc1", "file", id) }
func (h byCommand) ready(id string)    { h.condica("pc1", "ready", id) }
func (h byCommand) handOver(id string) { h.condica("pc1", "hand-over", id) }
func (h byCommand) restarted()         {}
func (h byCommand) look(string)        {}

func TestOutage(t *testing.T) {
	outage(t, func(c *country) hands { return byCommand{c} })
}

// outage: the line is down for a morning. Twenty people are checked in, ten
// applications taken, five cards handed over; the PC is killed twice in
// between. When the line is back the hub holds exactly that, once each and in
// order, and a second PC of the office sees it all.
func outage(t *testing.T, by func(*country) hands) {
	c := newCountry(t)
	c.startHub()
	c.book()
	c.startPC("pc1", monday)
	c.enroll("pc1")
	c.inStep("pc1")
	today := c.day("pc1", "2026-11-23")
	if len(today) != 22 {
		t.Fatalf("the desk shows %d bookings on Monday, want 22", len(today))
	}
	before := len(c.log())
	c.hub.stop()

	h := by(c)
	var done []string // what the clerk was told "done", as cells, in order
	did := func(fact, id string, act func(string)) {
		act(id)
		done = append(done, "booking/"+id+"/"+fact)
	}
	h.look("line-down")
	for i, b := range today[:20] {
		did("arrived", b.ID, h.checkIn)
		if i < 10 {
			h.bringAll(b.ID)
			did("filed", b.ID, h.file)
		}
		if i == 6 || i == 14 {
			c.pcs["pc1"].kill()
			c.startPC("pc1", monday)
			h.restarted()
		}
	}
	for _, b := range today[:5] {
		did("ready", b.ID, h.ready)
		did("handed-over", b.ID, h.handOver)
	}
	h.look("queue")
	if s := c.status("pc1"); s.Sent || s.Unsent < len(done) {
		t.Fatalf("after the morning the desk says %+v; %d facts were done", s, len(done))
	}
	c.pcs["pc1"].kill()
	c.startPC("pc1", monday)
	h.restarted()

	c.startHub()
	c.inStep("pc1")
	h.look("line-back")
	log := c.log()
	assertFacts(t, log[before:], done)
	assertOrder(t, log)

	c.startPC("pc2", monday)
	c.enroll("pc2")
	c.inStep("pc2")
	if one, two := c.day("pc1", "2026-11-23"), c.day("pc2", "2026-11-23"); !slices.Equal(one, two) {
		t.Fatalf("the two desks differ:\n%v\n%v", one, two)
	}
	states := map[string]int{}
	for _, b := range c.day("pc2", "2026-11-23") {
		states[b.State]++
	}
	if want := map[string]int{"handed-over": 5, "filed": 5, "arrived": 10, "booked": 2}; !maps.Equal(states, want) {
		t.Fatalf("the second desk shows %v, want %v", states, want)
	}
	parallel(t, c, today[21].ID)
	h.restarted()
	h.look("conflict")
}

// assertFacts: the hub has each fact that was done once, in the order in which
// it was done, and no other.
func assertFacts(t *testing.T, log []logLine, done []string) {
	t.Helper()
	var got []string
	for _, l := range log {
		if l.Verdict != "accepted" {
			t.Errorf("op %s on %s: verdict %q", l.ID, l.Cell, l.Verdict)
		}
		if l.Fact {
			got = append(got, l.Cell)
		}
	}
	if !slices.Equal(got, done) {
		t.Fatalf("the hub holds %d facts, %d were done:\n%v\n%v", len(got), len(done), got, done)
	}
}

// assertOrder: positions have no gap, and each author's times only grow.
func assertOrder(t *testing.T, log []logLine) {
	t.Helper()
	last := map[string]hlc.Time{}
	for i, l := range log {
		if l.Pos != int64(i)+1 {
			t.Fatalf("entry %d has position %d", i+1, l.Pos)
		}
		if l.Effective <= last[l.Device] {
			t.Fatalf("entry %d: time %s does not lie after %s", l.Pos, l.Effective, last[l.Device])
		}
		last[l.Device] = l.Effective
	}
}

// parallel: both PCs change one field apart. The first to write has a clock
// that stands in 2060, the second in 2009; the hub is down. The later one in
// truth counts, and the other value is listed on both.
func parallel(t *testing.T, c *country, id string) {
	t.Helper()
	c.hub.stop()
	c.pcs["pc1"].stop()
	c.pcs["pc2"].stop()
	c.startPC("pc1", time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC))
	c.startPC("pc2", time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC))
	c.condica("pc1", "set", id, "note=sună înainte", "--by", "Ghișeul 1")
	c.condica("pc2", "set", id, "note=vine cu mama", "--by", "Ghișeul 2")
	c.startHub()
	for _, pc := range []string{"pc1", "pc2"} {
		c.inStep(pc)
	}
	for _, pc := range []string{"pc1", "pc2"} {
		v := read[struct {
			Note      string `json:"note"`
			Conflicts []struct {
				Field string `json:"field"`
				Loser struct {
					Value string `json:"value"`
					By    string `json:"by"`
				} `json:"loser"`
			} `json:"conflicts"`
		}](t, "condica", "visit", id, "--json", "--data", c.pcDir(pc))
		if v.Note != "vine cu mama" {
			t.Errorf("%s shows %q, want the value written later in truth", pc, v.Note)
		}
		if len(v.Conflicts) != 1 || v.Conflicts[0].Loser.Value != "sună înainte" || v.Conflicts[0].Loser.By != "Ghișeul 1" {
			t.Errorf("%s lists %+v, want the value that lost, with its author", pc, v.Conflicts)
		}
		if list := c.condica(pc, "conflicts"); !strings.Contains(list, id) {
			t.Errorf("%s: the list of conflicts lacks %s: %q", pc, id, list)
		}
	}
}
