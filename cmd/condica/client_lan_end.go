package main

import (
	"fmt"
	"strings"

	"condica/agent/api"
)

// goneFromLAN says what is to be done on the office's other PCs when this one's
// service goes, and its data with it or not; empty: nothing.
func goneFromLAN(s api.LANState, forGood bool) string {
	names := quoted(s.Guests)
	switch {
	case s.Lender != "" && forGood:
		return fmt.Sprintf("It worked at the desk of %s as %q: what was done here is there. On %s, condica lan remove %q ends that.\n", s.Lender, s.Seat, s.Lender, s.Seat)
	case len(s.Guests) == 0:
		return ""
	case forGood:
		return fmt.Sprintf("Other PCs worked at its desk and have none now: %s. On each of them, condica lan leave; or condica lan join, for another PC's.\n", names)
	case s.Listen != "":
		return fmt.Sprintf("Other PCs work at its desk and wait until the service is back: %s. Condica lan leave makes one of them work by itself.\n", names)
	}
	return ""
}

// keptForLAN says whose work is lost with this PC's, beside its own.
func keptForLAN(s api.LANState) string {
	if len(s.Guests) == 0 {
		return ""
	}
	return " (what was done at " + quoted(s.Guests) + " is kept here too)"
}

func quoted(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(out, ", ")
}
