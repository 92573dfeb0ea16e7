package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"condica/agent/api"
)

// An office of two PCs: the second works at the desk of the first, which gets
// another address on the way. On either, "condica status" says at whose desk it
// works and whether that one answers; IT tells the second where the first one is,
// and what was done before is there.
func TestTheLenderGetsAnotherAddress(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	c.startPC("pc1", monday)
	c.startPC("pc2", monday)
	c.enroll("pc1")
	must(t, "condica-hub", "bookings", "add", "--data", c.hubDir(), "--now", "2026-11-20T10:00:00+02:00", "--office", "botosani",
		"--reason", "R01", "--day", "2026-11-23", "--time", "10:00", "--name", "Exemplu Unu", "--email", "unu@example.ro")
	c.inStep("pc1")
	says := func(pc, lan string, texts ...string) {
		t.Helper()
		out := c.condica(pc, "status")
		for _, s := range texts {
			if !strings.Contains(out, s) {
				t.Errorf("%s: its status lacks %q: %s", pc, s, out)
			}
		}
		if got := read[api.Status](t, "condica", "status", "--json", "--data", c.pcDir(pc)).LAN; !strings.Contains(got.Say, lan) || (got.Say == "") != (lan == "") {
			t.Errorf("%s: its status says %+v", pc, got)
		}
	}
	if out := c.condica("pc1", "status"); strings.Contains(out, "works at") || strings.Contains(out, "lends at") {
		t.Errorf("a PC by itself says %s", out)
	}
	was := c.lends("pc1")
	c.condica("pc2", "lan", "join", c.invites("pc1", "Ghișeul 2", was))
	lender := read[api.Status](t, "condica", "status", "--json", "--data", c.pcDir("pc2")).LAN
	if lender.Lender == "" || lender.Seat != "Ghișeul 2" || len(lender.At) != 1 || lender.At[0] != was {
		t.Errorf("the second PC's status says %+v", lender)
	}
	// The second PC is enrolled nowhere, and says all the same where it works.
	says("pc2", "", "not enrolled", "works at", lender.Lender, `"Ghișeul 2"; it answers`)
	says("pc1", "", "lends at", was, "let in: 1")
	c.enroll("pc2")
	says("pc2", "", "Botoșani", "works at", lender.Lender, "it answers")

	ion := guest{c: c, pc: "pc2", name: "Ion Probă"}
	id := string(read[api.Bookings](t, "condica", "bookings", "--day", "2026-11-23", "--json", "--data", c.pcDir("pc1")).Bookings[0].ID)
	ion.sees("/vizita/"+id+"/prezent", url.Values{"cheie": {"0123456789abcdef-1"}}, http.StatusOK, "Prezența a fost notată")
	now := c.lends("pc1")
	ion.sees("/", nil, http.StatusServiceUnavailable, "nu răspunde", "Lucrează pe acest PC")
	says("pc2", "does not answer", "works at", "not now: the host does not answer")
	c.pcs["pc1"].stop()
	if _, errs, code := say(t, "condica", "lan", "find", now, "--data", c.pcDir("pc2")); code == 0 || !strings.Contains(errs, "does not answer") {
		t.Errorf("it is off, and was found: exit %d: %s", code, errs)
	}
	c.startPC("pc1", monday)
	if out := c.condica("pc2", "lan", "find", was, now); !strings.Contains(out, was+", "+now) || strings.Contains(out, "not now") {
		t.Errorf("it is found: %s", out)
	}
	says("pc2", "", "it answers")
	ion.sees("/cauta?q="+id, nil, http.StatusOK, "Ion Probă", "ghișeul „Ghișeul 2”")
	c.condica("pc2", "lan", "leave")
	if out := c.condica("pc2", "status"); strings.Contains(out, "works at") {
		t.Errorf("it has left, and says %s", out)
	}
	if _, errs, code := say(t, "condica", "lan", "find", now, "--data", c.pcDir("pc2")); code != exitRefused || !strings.Contains(errs, "at no other's desk") {
		t.Errorf("it is nobody's guest, and looks for one: exit %d: %s", code, errs)
	}
}

// lends makes a PC lend its desk, at a port to which it can come back, and says where.
func (c *country) lends(pc string) string {
	c.t.Helper()
	return read[api.LANState](c.t, "condica", "lan", "lend", "--listen", "127.0.0.1:"+ownPort(c.t), "--data", c.pcDir(pc), "--json").Listen
}

// invites is an invitation to the PC that lends its desk at an address.
func (c *country) invites(pc, name, at string) string {
	c.t.Helper()
	return read[api.Invited](c.t, "condica", "lan", "invite", name, "--data", c.pcDir(pc), "--at", at, "--json").Invitation
}
