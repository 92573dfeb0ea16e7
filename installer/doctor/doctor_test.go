package doctor

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // Windows has no Europe/Bucharest of its own

	"condica/agent"
	"condica/agent/api"
	"condica/hub/serve"
	"condica/installer/service"
	"condica/localdb"
	"condica/localdb/file"
	"condica/sync/wire"
)

// monday is a Monday morning in office hours.
var monday = time.Date(2026, 11, 23, 9, 10, 0, 0, time.FixedZone("EET", 2*60*60))

// An office is a hub and one PC that have met, with a service manager that
// says what it is told to.
type office struct {
	t     *testing.T
	hub   *serve.Running
	agent *agent.Agent
	dir   string
	clock agent.Clock
	stand service.Standing
}

func newOffice(t *testing.T) *office {
	o := &office{t: t, dir: t.TempDir(), clock: agent.NewClock(time.Until(monday)), stand: service.Standing{State: service.Running}}
	if err := os.Chmod(o.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	o.hub, err = serve.Start(t.Context(), serve.Options{Data: t.TempDir(), Listen: "127.0.0.1:0", Now: o.clock.Wall})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.hub.Close() })
	return o
}

func (o *office) token() wire.Token {
	o.t.Helper()
	tok, err := o.hub.Token(o.t.Context(), "covasna", time.Hour)
	if err != nil {
		o.t.Fatal(err)
	}
	return tok
}

// opens starts the agent; its end closes it.
func (o *office) opens() {
	o.t.Helper()
	var err error
	o.agent, err = agent.Start(o.t.Context(), agent.Options{
		Dir: o.dir, Listen: "127.0.0.1:0", Clock: o.clock, Zone: monday.Location(), Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { o.agent.Close() })
}

func (o *office) options() Options {
	return Options{Dir: o.dir, Now: o.clock.Wall, Clocks: o.clock.Reading, Service: func(context.Context) (service.Standing, error) { return o.stand, nil }}
}

// says checks that a finding has this level and says this.
func (o *office) says(check string, level Level, say string) {
	o.t.Helper()
	for _, f := range Examine(o.t.Context(), o.options()) {
		if f.Check != check {
			continue
		}
		if f.Level != level || !strings.Contains(f.Say, say) {
			o.t.Errorf("%s: got %s %q, want %s %q", check, f.Level, f.Say, level, say)
		}
		if f.Level == Fault && f.Do == "" {
			o.t.Errorf("%s: a fault without a word on what to do: %q", check, f.Say)
		}
		return
	}
	o.t.Errorf("nothing was said of %s", check)
}

// walkIn is a clerk's action, by the local API.
func (o *office) walkIn() {
	o.t.Helper()
	orders[api.Done](o, "walk-ins", json.RawMessage(`{"name":"Ion Pop","reason":"R11","urgent":true,"approved":"șef serviciu","why":"spitalizare","by":"Maria"}`))
}

// until waits until the service says so of itself.
func (o *office) until(what string, ok func(*api.Status) bool) {
	o.t.Helper()
	deadline := time.Now().Add(2 * time.Minute) // a net, no part of the story
	for st, _ := askStatus(o.t.Context(), o.dir); st == nil || !ok(st); st, _ = askStatus(o.t.Context(), o.dir) {
		if time.Now().After(deadline) {
			o.t.Fatalf("waited in vain: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// A PC from its installation to its first work: what doctor says at each step.
func TestDoctorFollowsAPC(t *testing.T) {
	o := newOffice(t)
	o.stand = service.Standing{State: service.Absent}
	o.says("service", Fault, "not installed")
	o.says("replica", Fine, "no replica yet")
	o.says("token", Warning, "not enrolled and no token waits")
	o.says("hub", Warning, "no hub is known")

	if err := service.LeaveToken(o.dir, o.token().String()); err != nil {
		t.Fatal(err)
	}
	o.stand = service.Standing{State: service.Stopped}
	o.says("service", Fault, "stopped")
	o.says("token", Warning, "a token for office covasna waits")
	o.says("hub", Fine, "answers in")
	o.says("tls", Fine, `issued by "Condica hub CA"`)

	o.opens()
	o.stand = service.Standing{State: service.Running}
	o.says("service", Fine, "its desk answers")
	o.until("the PC enrols by itself", func(st *api.Status) bool { return st.Enrolled && st.Hub.Reached })
	o.says("token", Fine, "enrolled in office covasna")
	o.says("clock", Fine, "agree")
	o.says("disk", Fine, "MB left")

	o.hub.Close()
	o.walkIn()
	o.says("hub", Warning, "does not answer")
	o.says("replica", Fine, "2 changes wait")
}

// A disk changes a row of the lists behind everybody's back; the PC puts it
// right, and doctor says what that tells of the disk. Then the key is lost.
func TestIllDiskAndLostKey(t *testing.T) {
	o := newOffice(t)
	o.opens()
	if _, err := o.agent.Enroll(t.Context(), o.token().String()); err != nil {
		t.Fatal(err)
	}
	o.walkIn()
	// An answer that comes after the disk has done its harm would write the row anew.
	o.until("the hub has it", func(st *api.Status) bool { return st.Sent && st.Cursor == 2 })
	o.says("replica", Fine, "the replica holds")
	disk, err := sql.Open("sqlite", file.URI(filepath.Join(o.dir, localdb.DBName), "rw", 100))
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	if _, err := disk.Exec(`UPDATE booking SET name = 'X'`); err != nil {
		t.Fatal(err)
	}
	o.walkIn() // and with it goes a look through the replica
	o.until("the row is put right", func(st *api.Status) bool { return st.Mended > 0 })
	o.says("replica", Warning, "found damaged and put right: 1 in all, the last on 2026-11-23")

	if err := o.agent.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(o.dir, "device.key")); err != nil {
		t.Fatal(err)
	}
	o.opens()
	o.says("token", Fault, "has lost the key")
}

// Whoever counts what a purge would destroy finds it in a stopped PC's folder,
// also where only the journal holds it, and leaves the folder as it was.
func TestUnsentIsCountedWithoutTouching(t *testing.T) {
	o := newOffice(t)
	if n, err := Unsent(t.Context(), o.dir, o.clock.Reading); n != 0 || err != nil {
		t.Errorf("an empty folder has %d unsent (%v)", n, err)
	}
	o.opens()
	if _, err := o.agent.Enroll(t.Context(), o.token().String()); err != nil {
		t.Fatal(err)
	}
	o.hub.Close()
	o.walkIn()
	if err := o.agent.Close(); err != nil {
		t.Fatal(err)
	}
	before := contents(t, o.dir)
	if n, err := Unsent(t.Context(), o.dir, o.clock.Reading); n != 2 || err != nil {
		t.Errorf("2 edits were made, %d are counted (%v)", n, err)
	}
	if after := contents(t, o.dir); after != before {
		t.Errorf("the folder was\n%s\nand is\n%s", before, after)
	}

	// A head crash over the database: the journal has it all.
	if err := os.WriteFile(filepath.Join(o.dir, "replica.db"), []byte(strings.Repeat("no database", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := Unsent(t.Context(), o.dir, o.clock.Reading); n != 2 || err != nil {
		t.Errorf("with the database damaged %d are counted (%v), want 2", n, err)
	}
	o.stand = service.Standing{State: service.Stopped}
	o.says("replica", Warning, "was damaged")

	if err := os.Remove(filepath.Join(o.dir, "device.key")); err != nil {
		t.Fatal(err)
	}
	if n, err := Unsent(t.Context(), o.dir, o.clock.Reading); err == nil {
		t.Errorf("without the PC's key %d are counted; nobody can know", n)
	}
}

// contents writes a folder down: names and what is in them.
func contents(t *testing.T, dir string) string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		all[path] = string(text)
		return err
	})
	text, jsonErr := json.Marshal(all)
	if err != nil || jsonErr != nil {
		t.Fatal(err, jsonErr)
	}
	return string(text)
}

// One PC lends its desk to another, and is switched off.
func TestDesksTogether(t *testing.T) {
	lender, guest := newOffice(t), newOffice(t)
	lender.says("lan", Fine, "while the service runs")
	lender.opens()
	if _, err := lender.agent.Enroll(t.Context(), lender.token().String()); err != nil {
		t.Fatal(err)
	}
	guest.opens()
	guest.says("lan", Fine, "lends it to no other")
	lends := orders[api.LANState](lender, "lan/lend", api.LendRequest{Listen: "127.0.0.1:0"})
	lender.says("lan", Fine, "let in: 0")
	i := orders[api.Invited](lender, "lan/invite", api.InviteRequest{Name: "Ghișeul 2", At: []string{lends.Listen}})
	orders[api.LANState](guest, "lan/join", api.JoinRequest(i))
	guest.says("lan", Fine, `as "Ghișeul 2"`)
	lender.says("lan", Fine, "let in: 1")
	if err := lender.agent.Close(); err != nil {
		t.Fatal(err)
	}
	guest.says("lan", Warning, "the host does not answer")
	other, err := net.Listen("tcp", lends.Listen)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lender.opens()
	lender.says("lan", Warning, "should lend its desk at "+lends.Listen)
}

// orders asks the service by the local API, as IT and scripts do.
func orders[A any](o *office, path string, what any) (a A) {
	o.t.Helper()
	c, err := api.ReadControl(o.dir)
	if err != nil {
		o.t.Fatal(err)
	}
	body, err := json.Marshal(what)
	if err != nil {
		o.t.Fatal(err)
	}
	r, err := http.NewRequest("POST", c.URL+api.Prefix+path, bytes.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.Token)
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil || resp.StatusCode != http.StatusOK {
		o.t.Fatalf("%s: status %d, %v", path, resp.StatusCode, err)
	}
	return a
}

// A filter on the line opens TLS: doctor names who issued its certificate.
func TestStrangerOnTheLineIsNamed(t *testing.T) {
	o := newOffice(t)
	tok, stranger := o.token(), newOffice(t)
	tok.Hub = stranger.hub.URL
	if err := service.LeaveToken(o.dir, tok.String()); err != nil {
		t.Fatal(err)
	}
	o.says("tls", Fault, "hangs on another authority")
}

// A clock that is off is a warning; a token that has run out a fault.
func TestWrongClock(t *testing.T) {
	o := newOffice(t)
	if err := service.LeaveToken(o.dir, o.token().String()); err != nil {
		t.Fatal(err)
	}
	o.clock = agent.NewClock(3 * time.Hour) // the hub's Date header tells the true time
	o.says("clock", Warning, "3h0m")
	o.clock = agent.NewClock(-20 * 365 * 24 * time.Hour)
	o.says("clock", Warning, "behind")
	o.clock = agent.NewClock(time.Until(monday) + 2*time.Hour)
	o.says("token", Fault, "has expired")
}

func TestWorst(t *testing.T) {
	for want, list := range map[Level][]Finding{
		Fine: {fine("a"), fine("b")}, Warning: {fine("a"), warning("", "b"), fine("c")}, Fault: {warning("", "a"), fault("x", "b"), warning("", "c")},
	} {
		if got := Worst(list); got != want {
			t.Errorf("%v: got %s, want %s", list, got, want)
		}
	}
}
