package clerk_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"condica/agent/clerk"
	"condica/spclep/settings"
	"condica/sync/hlc"
)

// A cabinet keeps what outlives the service, as the replica does.
type cabinet struct {
	n      map[string]int
	last   map[string]hlc.Reading
	pins   map[string][2]string
	traces []string
	full   error // the disk
}

func (c *cabinet) Tries(_ context.Context, who string) (int, hlc.Reading, error) {
	return c.n[who], c.last[who], nil
}

func (c *cabinet) SetTries(_ context.Context, who string, n int, last hlc.Reading) error {
	if c.full == nil {
		c.n[who], c.last[who] = n, hlc.Reading{Boot: last.Boot, Up: last.Up}
	}
	return c.full
}

func (c *cabinet) PIN(_ context.Context, who string) (string, string, error) {
	return c.pins[who][0], c.pins[who][1], nil
}

func (c *cabinet) SetPIN(_ context.Context, who, replaces, verifier string) error {
	c.pins[who] = [2]string{replaces, verifier}
	return nil
}

func (c *cabinet) Trace(_ context.Context, what, by, about string) error {
	c.traces = append(c.traces, fmt.Sprintf("%s %s/%s", what, by, about))
	return c.full
}

// A counter is a desk with clerks, and the PC's clocks in the test's hand.
type counter struct {
	*testing.T
	*clerk.Roster
	kept   *cabinet
	now    hlc.Reading
	pepper []byte
	all    []settings.Clerk
	drawn  int
	faults int
}

const (
	anaPIN = "402917"
	ionPIN = "118256"
)

func newCounter(t *testing.T) *counter {
	c := &counter{T: t, now: hlc.Reading{Boot: "b1", Up: 1000}, pepper: []byte("the PC's own secret"),
		kept: &cabinet{n: map[string]int{}, last: map[string]hlc.Reading{}, pins: map[string][2]string{}}}
	c.account("Ana Exemplu", settings.RoleHead, anaPIN)
	c.account("Ion Exemplu", settings.RoleClerk, ionPIN)
	c.all = append(c.all, settings.Clerk{Name: "Radu Exemplu", Role: settings.RoleClerk})
	c.restart()
	return c
}

func (c *counter) random(b []byte) {
	for i := range b {
		c.drawn++
		b[i] = byte(c.drawn * 7)
	}
}

func (c *counter) account(name, role, pin string) {
	c.all = append(c.all, settings.Clerk{Name: name, Role: role, PIN: clerk.Make(pin, c.random).String()})
}

// restart starts the service anew.
func (c *counter) restart() {
	c.Roster = clerk.New(clerk.Config{Store: c.kept, Now: func() hlc.Reading { return c.now }, Random: c.random,
		Secret: func() string { c.drawn++; return fmt.Sprintf("secret-%d", c.drawn) },
		Pepper: func() ([]byte, error) { return c.pepper, nil }, Fault: func(error) { c.faults++ }})
}

func (c *counter) later(d time.Duration) { c.now.Up += d.Milliseconds() }

// try gives what the desk says to a PIN: "in", "wrong", "wait 30s", or "wrong,
// wait 30s".
func (c *counter) try(name, pin string) string {
	c.Helper()
	_, err := c.Check(c.Context(), clerk.Accounts(c.all), name, pin)
	return said(c.T, err)
}

func said(t *testing.T, err error) string {
	t.Helper()
	var no *clerk.RefusedError
	switch {
	case err == nil:
		return "in"
	case !errors.As(err, &no):
		t.Fatal(err)
	case no.Wrong && no.Wait == 0:
		return "wrong"
	case no.Wrong:
		return "wrong, wait " + no.Wait.String()
	}
	return "wait " + no.Wait.String()
}

// says holds a row of tries against what must be answered to each.
func (c *counter) says(name, pin string, want ...string) {
	c.Helper()
	for i, w := range want {
		if got := c.try(name, pin); got != w {
			c.Errorf("try %d of %s: %s, want %s", i+1, name, got, w)
		}
	}
}
