package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"condica/agent/api"
	"condica/localdb"
	"condica/spclep"
)

var (
	kills    = flag.Int("kills", 40, "how often the service is killed")
	killSeed = flag.Uint64("killseed", 1, "from which the moments are drawn")
)

// Four clerks work at one PC through the local API, and its service is killed
// without warning again and again, now and then while it is still starting; the
// hub comes and goes, and is killed too. Every action a clerk was told is done
// is there after the next start, and in the end on the hub, once.
func TestKilledAtWork(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	c.book()
	c.startPC("pc1", monday)
	c.enroll("pc1")
	c.inStep("pc1")
	before := len(c.log())

	r := rand.New(rand.NewPCG(*killSeed, 300))
	desk := newWindow()
	clerks, home := fourClerks(t, desk, *killSeed, nil)
	inTime, hubDown := 0, 0
	checked := make([]int, len(clerks))
	for range *kills {
		if r.IntN(5) == 0 {
			c.hubComesOrGoes(r)
		}
		if c.hub == nil {
			hubDown++
		}
		desk.open(c.control("pc1"))
		c.killAfter("pc1", time.Duration(r.IntN(250_000))*time.Microsecond)
		if r.IntN(6) == 0 {
			inTime++
			c.killAtStart("pc1", time.Duration(r.IntN(120_000))*time.Microsecond)
		}
		c.startPC("pc1", monday)
		for i, k := range clerks {
			done := k.told()
			c.stillThere("pc1", done[checked[i]:])
			checked[i] = len(done)
		}
	}
	if c.hub == nil {
		c.startHub()
	}
	desk.open(c.control("pc1"))
	desk.close()
	home()
	c.inStep("pc1")
	for i, k := range clerks {
		c.stillThere("pc1", k.told()[checked[i]:])
	}
	total := onceEach(t, c.log()[before:], clerks)
	if total < *kills {
		t.Errorf("only %d actions in %d lives of the service: that is no work", total, *kills)
	}
	t.Logf("%d kills, %d more while it started, %d with the hub away: %d actions done, %s; the hub holds %d edits",
		*kills, inTime, hubDown, total, asked(clerks), len(c.log())-before)
}

// The replica and the journal of a PC are both gone, its key and its hub are not:
// it still knows its office, says what it cannot know any more, is filled from
// the hub, and the next application has a number of its own.
func TestBothFilesGone(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	c.book()
	c.startPC("pc1", monday)
	c.enroll("pc1")
	c.inStep("pc1")
	h := byCommand{c}
	today := c.day("pc1", "2026-11-23")
	file := func(id string) {
		h.checkIn(id)
		h.bringAll(id)
		h.file(id)
	}
	file(today[0].ID)
	c.inStep("pc1")
	c.pcs["pc1"].kill()
	files, err := filepath.Glob(filepath.Join(c.pcDir("pc1"), localdb.DBName+"*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range append(files, filepath.Join(c.pcDir("pc1"), localdb.JournalName)) {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	c.startPC("pc1", monday)
	if said := c.pcs["pc1"].errs.String(); !strings.Contains(said, "in neither the replica nor the journal") {
		t.Errorf("nothing is said of the loss:\n%s", said)
	}
	c.inStep("pc1")
	file(today[1].ID)
	c.inStep("pc1")
	if rows := c.day("pc1", "2026-11-23"); rows[0].State != "filed" || rows[1].State != "filed" || len(rows) != len(today) {
		t.Errorf("the desk shows %+v", rows)
	}
	first, second := c.record("pc1", spclep.BookingID(today[0].ID)), c.record("pc1", spclep.BookingID(today[1].ID))
	if first.Filed == nil || second.Filed == nil || first.Filed.Number == second.Filed.Number {
		t.Errorf("applications %+v and %+v", first.Filed, second.Filed)
	}
}

// control is how to find the running service of a PC.
func (c *country) control(pc string) api.Control {
	c.t.Helper()
	at, err := api.ReadControl(c.pcDir(pc))
	if err != nil {
		c.t.Fatal(err)
	}
	return at
}

// killAfter lets the service live for so long. It must not end by itself.
func (c *country) killAfter(pc string, life time.Duration) {
	c.t.Helper()
	p := c.pcs[pc]
	select {
	case <-p.done:
		c.t.Fatalf("the service ended by itself\n%s", p.errs)
	case <-time.After(life):
	}
	p.kill()
}

// killAtStart starts the service and kills it before it is ready, or hardly so.
func (c *country) killAtStart(pc string, life time.Duration) {
	c.t.Helper()
	var errs bytes.Buffer
	cmd := exec.Command(program(c.t, "condica"), "run", "--data", c.pcDir(pc), "--listen", "127.0.0.1:0", "--now", c.now(monday), "--no-ticket", "--json")
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		c.t.Fatalf("the service ended by itself: %v\n%s", err, &errs)
	case <-time.After(life):
	}
	cmd.Process.Kill()
	<-ended
}

// hubComesOrGoes: when it goes, it is stopped or killed.
func (c *country) hubComesOrGoes(r *rand.Rand) {
	c.t.Helper()
	switch {
	case c.hub == nil:
		c.startHub()
		return
	case r.IntN(2) == 0:
		c.hub.stop()
	default:
		c.hub.kill()
	}
	c.hub = nil
}

// stillThere: what clerks were told is done is in the records that the service
// shows.
func (c *country) stillThere(pc string, done []told) {
	c.t.Helper()
	shown := map[spclep.BookingID]api.Visit{}
	for _, d := range done {
		if _, ok := shown[d.id]; !ok {
			shown[d.id] = c.record(pc, d.id)
		}
		v := shown[d.id]
		if !slices.ContainsFunc(slices.Concat(v.Facts, v.History), func(e api.Past) bool { return e.Action == d.action && e.Name == d.name }) {
			c.t.Errorf("%s was done as %s, and is not there", d.cell(), d.action)
		}
	}
}

// record is one booking as the service has it; empty if it knows none.
func (c *country) record(pc string, id spclep.BookingID) (v api.Visit) {
	c.t.Helper()
	out, status, err := call(c.control(pc), "GET", "visits/"+string(id), nil)
	if err != nil || status != http.StatusOK && status != http.StatusNotFound {
		c.t.Fatalf("visit %s: %d, %v: %s", id, status, err, out)
	}
	if err := json.Unmarshal(out, &v); err != nil {
		c.t.Fatalf("visit %s: %v: %s", id, err, out)
	}
	return v
}

// onceEach holds the hub's log against what the clerks were told, and gives how
// many actions that were. An action nobody waited for to the end is there once
// or not at all; nothing else is there.
func onceEach(t *testing.T, log []logLine, clerks []*clerk) (total int) {
	t.Helper()
	held, numbers := map[string]int{}, map[string]string{}
	for _, l := range log {
		if l.Verdict != "accepted" {
			t.Errorf("%s on %s: verdict %q", l.ID, l.Cell, l.Verdict)
		}
		if !l.Fact {
			l.Cell += " " + string(l.Value)
		}
		held[l.Cell]++
		if !strings.HasSuffix(l.Cell, "/"+spclep.Filed) {
			continue
		}
		var filed spclep.FiledValue
		if err := json.Unmarshal(l.Value, &filed); err != nil {
			t.Fatal(err)
		}
		if other := numbers[filed.Number]; other != "" {
			t.Errorf("registration number %s is on %s and on %s", filed.Number, other, l.Cell)
		}
		numbers[filed.Number] = l.Cell
	}
	for _, k := range clerks {
		actions := map[string]bool{}
		for _, d := range k.told() {
			actions[d.action] = true
			if n := held[d.cell()]; n != 1 {
				t.Errorf("%s was done, and is on the hub %d times", d.cell(), n)
			}
			delete(held, d.cell())
		}
		for _, d := range k.left {
			if n := held[d.cell()]; n > 1 {
				t.Errorf("%s, sent once, is on the hub %d times", d.cell(), n)
			}
			delete(held, d.cell())
		}
		total += len(actions)
	}
	for cell, n := range held {
		t.Errorf("the hub holds %s (%d times), which nobody did", cell, n)
	}
	return total
}
