package agent

import (
	"net"
	"strings"
	"testing"

	"condica/agent/api"
)

// The lender is found at another address than before. The guest is told where; a PC
// with another key there, or none, changes nothing, and what was said stays after a
// start.
func TestTheLenderHasMoved(t *testing.T) {
	c := newCity(t)
	lender, guest, other := c.pc(), c.pc(), c.pc()
	lends := func(d *desk) api.LANState {
		t.Helper()
		s, err := d.network.Lend(t.Context(), "127.0.0.1:0")
		c.must(err)
		return s
	}
	was, stranger := lends(lender), lends(other)
	if _, err := guest.network.Find(t.Context(), was.At); err == nil || !strings.Contains(err.Error(), "works at no other's desk") {
		t.Errorf("who is no guest looks for a lender: %v", err)
	}
	invitation, err := lender.network.Invite(t.Context(), "Ghișeul 2", was.At)
	c.must(err)
	_, err = guest.network.Join(t.Context(), invitation)
	c.must(err)
	now := lends(lender)
	for says, at := range map[string][]string{
		"does not answer":            was.At,
		"another PC answers":         stranger.At,
		"office's own network":       {"8.8.8.8:8471"},
		"want host:port":             {"8471"},
		"name one address, or up to": {},
	} {
		if _, err := guest.network.Find(t.Context(), at); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("it looks at %v: %v", at, err)
		}
		if s, err := guest.network.State(t.Context()); err != nil || s.At[0] != was.At[0] || !strings.Contains(s.Say, "does not answer") {
			t.Errorf("it looked at %v, and says %+v, %v", at, s, err)
		}
	}
	for range 2 {
		if s, err := guest.network.Find(t.Context(), []string{stranger.At[0], now.At[0]}); err != nil || s.At[1] != now.At[0] {
			t.Errorf("it is found: %+v, %v", s, err)
		}
	}
	guest.restart()
	if s, err := guest.network.State(t.Context()); err != nil || s.Lender == "" || s.Say != "" {
		t.Errorf("after a start: %+v, %v", s, err)
	}
	_, err = lender.network.Remove(t.Context(), "Ghișeul 2")
	c.must(err)
	if _, err := guest.network.Find(t.Context(), now.At); err == nil || !strings.Contains(err.Error(), "does not let this PC in") {
		t.Errorf("shut out, it looks for the lender: %v", err)
	}
}

// The address at which a PC lends its desk is taken from it while it runs: it says
// so, as it would after a start.
func TestTheLendersAddressIsGone(t *testing.T) {
	c := newCity(t)
	d := c.pc()
	_, err := d.network.Lend(t.Context(), "127.0.0.1:0")
	c.must(err)
	at := &net.TCPAddr{IP: net.IPv4(192, 168, 1, 10), Port: 8471}
	for _, of := range []struct {
		now  string
		says string
	}{{"192.168.1.10/24", ""}, {"192.168.1.23/24", "that address no more"}, {"192.168.1.10/24", ""}} {
		ip, own, err := net.ParseCIDR(of.now)
		c.must(err)
		own.IP = ip
		d.network.mu.Lock()
		d.network.at, d.network.system = at, func() []net.Addr { return []net.Addr{own} }
		d.network.mu.Unlock()
		if s, err := d.network.State(t.Context()); err != nil || !strings.Contains(s.Say, of.says) || (s.Say == "") != (of.says == "") {
			t.Errorf("it has %s: %+v, %v", of.now, s, err)
		}
	}
}
