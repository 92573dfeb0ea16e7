package main

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"condica/agent"
)

// The PC that lends the desk is replaced while the line is down: its folder goes to
// a new one, which has another address. Nothing of what was done at the second desk
// is lost, and that one goes on under its name once it is told where to ask; so it
// does when it is replaced itself.
func TestThePCsOfADeskAreReplaced(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	c.startPC("pc1", monday)
	c.startPC("pc2", monday)
	c.enroll("pc1")
	c.book()
	c.inStep("pc1")
	before := len(c.log())
	c.hub.stop()
	c.lent("pc1", "pc2", "Ghișeul 2")
	ion := guest{c: c, pc: "pc2", name: "Ion Probă"}
	day := c.day("pc1", "2026-11-23")
	arrives := func(n int) {
		ion.sees("/vizita/"+day[n].ID+"/prezent", url.Values{"cheie": {"0123456789abcdef-" + day[n].ID}}, http.StatusOK, "Prezența a fost notată")
	}
	arrives(0)
	c.pcs["pc1"].kill()
	if err := os.CopyFS(c.pcDir("new1"), os.DirFS(c.pcDir("pc1"))); err != nil {
		t.Fatal(err)
	}
	c.startPC("new1", monday)
	now := c.lends("new1")
	ion.sees("/", nil, http.StatusServiceUnavailable, "nu răspunde")
	c.condica("pc2", "lan", "find", now)
	ion.sees("/cauta?q="+day[0].ID, nil, http.StatusOK, "Ion Probă", "ghișeul „Ghișeul 2”")
	arrives(1)

	c.pcs["pc2"].kill()
	if err := os.CopyFS(c.pcDir("new2"), os.DirFS(c.pcDir("pc2"))); err != nil {
		t.Fatal(err)
	}
	c.startPC("new2", monday)
	ion.pc = "new2"
	arrives(2)
	c.startHub()
	c.inStep("new1")
	var by []string
	for _, l := range c.log()[before:] {
		if strings.HasSuffix(l.Cell, "/arrived") {
			by = append(by, l.By)
		}
	}
	if len(by) != 3 || strings.Join(by, "|") != strings.Repeat("Ion Probă · la Ghișeul 2|", 2)+"Ion Probă · la Ghișeul 2" {
		t.Errorf("the hub holds the arrivals of %q", by)
	}
}

// A service is taken off a PC for good, or for a while: whoever does it is told what
// that means at the office's other PCs, whether or not it still runs.
func TestWhatTheOthersAreToDo(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	c.startPC("pc1", monday)
	c.startPC("pc2", monday)
	c.enroll("pc1")
	if s := agent.Desks(c.pcDir("pc1")); goneFromLAN(s, true) != "" || goneFromLAN(s, false) != "" || keptForLAN(s) != "" {
		t.Errorf("a PC by itself: %+v", s)
	}
	c.lent("pc1", "pc2", "Ghișeul 2")
	tells := func() {
		t.Helper()
		lender, guest := agent.Desks(c.pcDir("pc1")), agent.Desks(c.pcDir("pc2"))
		for _, said := range []struct{ is, has string }{
			{goneFromLAN(lender, true), `have none now: "Ghișeul 2"`},
			{goneFromLAN(lender, false), `wait until the service is back: "Ghișeul 2"`},
			{keptForLAN(lender), `done at "Ghișeul 2" is kept here`},
			{goneFromLAN(guest, true), `condica lan remove "Ghișeul 2"`},
		} {
			if !strings.Contains(said.is, said.has) {
				t.Errorf("it says %q, and lacks %q", said.is, said.has)
			}
		}
		if goneFromLAN(guest, false) != "" || keptForLAN(guest) != "" {
			t.Errorf("a guest that comes back tells somebody %q, %q", goneFromLAN(guest, false), keptForLAN(guest))
		}
	}
	tells()
	c.pcs["pc1"].stop()
	c.pcs["pc2"].stop()
	tells()
}
