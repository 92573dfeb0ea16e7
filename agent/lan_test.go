package agent

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The PC starts before its network: its own desk is open all the same, it says
// why it lends nothing, and lends as soon as the address is there.
func TestTheNetworkComesLater(t *testing.T) {
	c := newCity(t)
	d := c.pc()
	s, err := d.network.Lend(t.Context(), "127.0.0.1:0")
	c.must(err)
	if strings.HasSuffix(s.Listen, ":0") || len(s.At) != 1 || s.Say != "" {
		t.Fatalf("it lends: %+v", s)
	}
	c.must(d.Close())
	other, err := net.Listen("tcp", s.Listen)
	c.must(err)
	d.start()
	now, err := d.network.State(t.Context())
	c.must(err)
	if now.Listen != s.Listen || len(now.At) != 0 || !strings.Contains(now.Say, s.Listen) {
		t.Errorf("the address is not there: %+v", now)
	}
	if _, err := d.network.Invite(t.Context(), "Ghișeul 2", nil); err == nil {
		t.Error("it invites to nowhere")
	}
	c.must(other.Close())
	d.until("it lends again", func() bool {
		now, err := d.network.State(t.Context())
		c.must(err)
		return len(now.At) == 1 && now.Say == ""
	})
	_, err = d.network.Lend(t.Context(), "")
	c.must(err)
	if free, err := net.Listen("tcp", s.Listen); err != nil {
		t.Errorf("it lends no more, and %v", err)
	} else {
		free.Close()
	}
}

// A lender and its guest are started anew, in either order, and the guest works
// there as before. What does not go together is refused with its reason, and a
// torn file of a guest costs nothing but the way to the lender.
func TestLenderAndGuestComeBack(t *testing.T) {
	c := newCity(t)
	lender, guest := c.pc(), c.pc()
	s, err := lender.network.Lend(t.Context(), "127.0.0.1:0")
	c.must(err)
	invitation, err := lender.network.Invite(t.Context(), "Ghișeul 2", []string{s.Listen})
	c.must(err)
	if _, err := lender.network.Join(t.Context(), invitation); err == nil || !strings.Contains(err.Error(), "lends its own desk") {
		t.Errorf("a lender joins: %v", err)
	}
	if _, err := guest.network.Join(t.Context(), invitation); err != nil {
		t.Fatal(err)
	}
	if _, err := guest.network.Lend(t.Context(), "127.0.0.1:0"); err == nil || !strings.Contains(err.Error(), "works at the desk of another") {
		t.Errorf("a guest lends: %v", err)
	}
	lender.restart()
	guest.restart()
	lender.restart()
	if s, err := guest.network.State(t.Context()); err != nil || s.Seat != "Ghișeul 2" || s.Say != "" {
		t.Errorf("the guest says %+v, %v", s, err)
	}
	if s, err := lender.network.State(t.Context()); err != nil || len(s.Guests) != 1 {
		t.Errorf("the lender says %+v, %v", s, err)
	}
	// The settings are proven on the PC's own desk, not on the lender's.
	c.must(lender.Close())
	if ill := guest.faults(t.Context()); len(ill) > 0 {
		t.Errorf("its own desk cannot: %v", ill)
	}
	c.must(guest.Close())
	c.must(os.WriteFile(filepath.Join(guest.dir, visitingFile), []byte(`{"host":`), 0o600))
	guest.start()
	if s, err := guest.network.State(t.Context()); err != nil || s.Lender != "" || !guest.log.has("guest.json") {
		t.Errorf("with a torn file: %+v, %v", s, err)
	}
}
