package hlc

import "testing"

// What a PC believes of its clock in the morning: right, as wrong as it was,
// set right over night, dead.
func TestGuess(t *testing.T) {
	const (
		hour  = int64(3_600_000)
		heard = int64(1_795_000_000_000) // yesterday's last contact
		years = 20 * 365 * 24 * hour
	)
	yesterday := func(off int64) Anchors {
		return Anchors{"old": {Boot: "old", Up: 5, Hub: heard, Wall: heard + off, Err: 10}}
	}
	for _, c := range []struct {
		what    string
		anchors Anchors
		wall    int64
		heard   int64
		ms      int64
		clock   Quality
	}{
		{"measured in this run", Anchors{"new": {Boot: "new", Up: 0, Hub: heard, Wall: 7, Err: 10}}, 99, heard, heard + 1000, Measured},
		{"typed in this run", Anchors{"new": {Boot: "new", Up: 0, Hub: heard, Wall: 7, Err: TypedErr}}, 99, heard, heard + 1000, Plausible},
		{"a right clock", yesterday(0), heard + 16*hour, heard, heard + 16*hour, Plausible},
		{"seven minutes fast, as before", yesterday(420_000), heard + 16*hour + 420_000, heard, heard + 16*hour, Plausible},
		{"in 2046, as before", yesterday(years), heard + 16*hour + years, heard, heard + 16*hour, Plausible},
		{"set right since", yesterday(years), heard + 16*hour, heard, heard + 16*hour, Plausible},
		{"battery dead", yesterday(0), 1_230_768_000_000, heard, heard, Lost},
		{"jumped to 2046", yesterday(0), heard + years, heard, heard, Lost},
		{"three months switched off", yesterday(0), heard + 90*24*hour, heard, heard, Lost},
		{"never heard the hub", nil, 1_230_768_000_000, 0, 1_230_768_000_000, Plausible},
	} {
		ms, clock := c.anchors.Guess(Reading{Wall: c.wall, Boot: "new", Up: 1000}, c.heard)
		if ms != c.ms || clock != c.clock {
			t.Errorf("%s: %d (%d), want %d (%d)", c.what, ms, clock, c.ms, c.clock)
		}
	}
}
