package agent

import (
	"time"

	"condica/sync/hlc"
)

// A Clock is the PC's clocks: the only place in the agent that reads them.
// Shift moves the wall clock, for demos and tests; the running time is never
// moved.
type Clock struct {
	Shift time.Duration
	boot  string
}

// NewClock reads the name of this run of the PC once.
func NewClock(shift time.Duration) Clock { return Clock{Shift: shift, boot: bootName()} }

// Wall is the time of day as the PC shows it.
func (c Clock) Wall() time.Time { return time.Now().Add(c.Shift) }

// Reading reads all clocks at once.
func (c Clock) Reading() hlc.Reading {
	return hlc.Reading{Wall: c.Wall().UnixMilli(), Boot: c.boot, Up: upMs()}
}
