package localdb

import (
	"fmt"
	"testing"

	"condica/sync/hlc"
	"condica/sync/wire"
)

// Wrong PINs and a chosen PIN outlive the service, and are forgotten when they
// are set to nothing or replaced.
func TestTriesAndPINsOutliveTheService(t *testing.T) {
	c := newCounter(t)
	c.must(c.SetTries(t.Context(), "Ana", 3, c.clock))
	c.must(c.SetTries(t.Context(), "Ana", 4, hlc.Reading{Boot: "b1", Up: 2000}))
	c.must(c.SetPIN(t.Context(), "Ana", "the first", "v1"))
	c.must(c.SetPIN(t.Context(), "Ana", "the second", "v2"))
	c.reopen()
	if n, last, err := c.Tries(t.Context(), "Ana"); n != 4 || last != (hlc.Reading{Boot: "b1", Up: 2000}) || err != nil {
		t.Errorf("kept: %d at %+v, %v", n, last, err)
	}
	if replaces, v, err := c.PIN(t.Context(), "Ana"); replaces != "the second" || v != "v2" || err != nil {
		t.Errorf("the PIN kept replaces %q: %q, %v", replaces, v, err)
	}
	c.must(c.SetTries(t.Context(), "Ana", 0, hlc.Reading{}))
	for _, who := range []string{"Ana", "Ion"} {
		if n, _, err := c.Tries(t.Context(), who); n != 0 || err != nil {
			t.Errorf("%s: %d tries, %v", who, n, err)
		}
	}
	if replaces, v, err := c.PIN(t.Context(), "Ion"); replaces+v != "" || err != nil {
		t.Errorf("who chose none has %q %q, %v", replaces, v, err)
	}
}

// traced is the trace as text, the last line first.
func (c *counter) traced() (out string) {
	c.Helper()
	lines, err := c.Traces(c.Context(), 10)
	c.must(err)
	for _, l := range lines {
		out += fmt.Sprintf("%d %s %s %s\n", (l.AtMs-storyNoon)/dayMs, l.What, l.By, l.About)
	}
	return out
}

// A trace goes after 400 days of the hub's time, and never because a
// clerk has typed a wrong year.
func TestTraceEnds(t *testing.T) {
	c := newCounter(t)
	c.hears(c.clock.Wall)
	c.must(c.Trace(t.Context(), "signed-in", "Ana", ""))
	c.must(c.Trace(t.Context(), "wait-lifted", "Ana", "Ion"))
	c.later(399 * dayMs)
	c.must(c.Trace(t.Context(), "signed-out", "Ana", ""))
	if got, want := c.traced(), "399 signed-out Ana \n0 wait-lifted Ana Ion\n0 signed-in Ana \n"; got != want {
		t.Errorf("after 399 days\n%swant\n%s", got, want)
	}
	c.later(2 * dayMs)
	c.must(c.Trace(t.Context(), "signed-in", "Ion", ""))
	if got, want := c.traced(), "401 signed-in Ion \n399 signed-out Ana \n"; got != want {
		t.Errorf("after 401 days\n%swant\n%s", got, want)
	}
	c.newBoot("b2")
	c.must(c.SetNow(t.Context(), c.clock.Wall+30*365*dayMs))
	c.must(c.Trace(t.Context(), "signed-in", "Ana", ""))
	if lines, err := c.Traces(t.Context(), 10); err != nil || len(lines) != 3 {
		t.Errorf("a clerk who typed 2056 left %d lines, %v", len(lines), err)
	}
	if lines, err := c.Traces(t.Context(), 1); err != nil || len(lines) != 1 || lines[0].By != "Ana" {
		t.Errorf("the last line alone: %+v, %v", lines, err)
	}
}

// hears is a contact with the hub at a time of its clock.
func (c *counter) hears(ms int64) {
	c.Helper()
	_, err := c.Save(c.Context(), wire.Answer{V: wire.Version, Epoch: "e1", HubMs: ms}, c.clock, c.clock, true)
	c.must(err)
}
