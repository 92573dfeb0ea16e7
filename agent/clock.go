package agent

import (
	"time"

	"condica/sync/hlc"
)

// A Clock is the PC's clocks: the only place in the agent that reads them.
// Shift moves the wall clock, for demos and tests; the running time does not
// move with it.
type Clock struct {
	Shift time.Duration
	// Ahead moves wall clock and running time on together, for stories of a
	// whole day; nil: they run by themselves. Timers stay real. Many goroutines
	// ask it.
	Ahead func() time.Duration
	boot  string
}

// NewClock reads the name of this run of the PC once.
func NewClock(shift time.Duration) Clock { return Clock{Shift: shift, boot: bootName()} }

// Wall is the time of day as the PC shows it.
func (c Clock) Wall() time.Time { return c.System().Add(c.Shift) }

// System is the time of day without Shift: what the operating system says.
func (c Clock) System() time.Time { return time.Now().Add(c.ahead()) }

// Reading reads all clocks at once.
func (c Clock) Reading() hlc.Reading {
	// Asked once: moved on in between, the wall clock would seem to be set.
	ahead := c.ahead()
	return hlc.Reading{Wall: time.Now().Add(c.Shift + ahead).UnixMilli(), Boot: c.boot, Up: upMs() + ahead.Milliseconds()}
}

func (c Clock) ahead() time.Duration {
	if c.Ahead == nil {
		return 0
	}
	return c.Ahead()
}
