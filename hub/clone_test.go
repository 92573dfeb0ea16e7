package hub

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Which rows of runs can only be two machines. Each letter is the run that a
// request came from, "." a request that does not say.
func TestCameFrom(t *testing.T) {
	many := strings.Join(strings.Split("ABCDEFGHIJKLMNOPQRSTUVWXYZ", ""), " ")
	for _, c := range []struct {
		runs, story string
		two         bool
	}{
		{"A A A", "one run", false},
		{"A B C D", "switched off every evening", false},
		{"A A B B B C", "several requests a run", false},
		{". A . A .", "a program that does not always say", false},
		{". . .", "one that never says", false},
		{"A B A", "two machines in turn", true},
		{"A B C A", "one of them was switched off in between", true},
		{"A B B . B A", "the other is heard again after a while", true},
		{many, "26 runs", false},
		{many + " J", "back after 16 others", true},
		{many + " I", "back after 17 others: forgotten", false},
		{"A L A", "a name without end is none", false},
	} {
		var now string
		var earlier []string
		two := false
		for _, run := range strings.Fields(c.runs) {
			run = strings.Trim(run, ".")
			if run == "L" && !strings.Contains(c.runs, "K") {
				run = strings.Repeat("L", maxBootName+1)
			}
			before := slices.Clone(earlier)
			var said bool
			was := earlier
			now, earlier, said = cameFrom(now, earlier, run)
			two = two || said
			if !slices.Equal(was, before) {
				t.Errorf("%s: the list that was given was written on", c.story)
			}
			if len(earlier) > maxBoots || slices.Contains(earlier, now) && !said {
				t.Errorf("%s: at %q, before %q", c.story, now, earlier)
			}
		}
		if two != c.two {
			t.Errorf("%s (%s): two machines: %v", c.story, c.runs, two)
		}
	}
	if now, earlier, _ := cameFrom("A", []string{"B"}, "C"); now != "C" || fmt.Sprint(earlier) != "[B A]" {
		t.Errorf("after C: %s, before it %v", now, earlier)
	}
}
