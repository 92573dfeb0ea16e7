package agent

import (
	"testing"
	"time"
)

// A story moves a PC on by four hours, a PC whose wall clock is three hours
// behind. All its clocks go along by the same four hours and no more, and each
// reading is of one moment even where the story moves on while it is made.
func TestMovedOnClock(t *testing.T) {
	var ahead time.Duration
	asked := 0
	c := NewClock(-3 * time.Hour)
	c.Ahead = func() time.Duration { asked++; return ahead }

	before, wallBefore, systemBefore := c.Reading(), c.Wall(), c.System()
	ahead = 4 * time.Hour
	moved, wallMoved, systemMoved := c.Reading(), c.Wall(), c.System()
	ahead = 0
	after, wallAfter, systemAfter := c.Reading(), c.Wall(), c.System()

	const fourHours = int64(4 * time.Hour / time.Millisecond)
	for clock, at := range map[string][3]int64{
		"the wall clock of a reading": {before.Wall, moved.Wall, after.Wall},
		"the running time":            {before.Up, moved.Up, after.Up},
		"the wall clock":              {wallBefore.UnixMilli(), wallMoved.UnixMilli(), wallAfter.UnixMilli()},
		"the system's clock":          {systemBefore.UnixMilli(), systemMoved.UnixMilli(), systemAfter.UnixMilli()},
	} {
		if at[0] > at[1]-fourHours || at[1]-fourHours > at[2] {
			t.Errorf("%s showed %d, four hours ahead %d, and then %d", clock, at[0], at[1], at[2])
		}
	}
	if before.Boot != moved.Boot {
		t.Errorf("moved on, the PC is in run %s, and was in %s", moved.Boot, before.Boot)
	}
	if behind := systemMoved.Sub(wallMoved).Round(time.Hour); behind != 3*time.Hour {
		t.Errorf("moved on, its wall clock is behind by %s", behind)
	}
	if asked != 9 {
		t.Errorf("nine looks at the clocks asked %d times how far they are ahead", asked)
	}
}

// Nobody moves on the clock of a PC at work: it reads what the system reads.
func TestClockRunsByItself(t *testing.T) {
	c := NewClock(0)
	begin := time.Now()
	wall := c.Wall()
	if wall.Before(begin) || wall.After(time.Now()) {
		t.Errorf("the wall clock shows %s, the system's %s", wall, begin)
	}
}
