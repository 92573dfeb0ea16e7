package main

import (
	"strings"
	"testing"

	"condica/agent/api"
)

// Who carries the stick is told how much has stayed, and what to do about it.
func TestCarriedOutSaysWhatIsLeft(t *testing.T) {
	say := func(c api.CarriedOut) string {
		var b strings.Builder
		printCarriedOut(&b, "/media/stick/request", c)
		return b.String()
	}
	if all := say(api.CarriedOut{Number: 7, Edits: 20}); strings.Contains(all, "left") || !strings.Contains(all, "holds request 7 with 20 edits") {
		t.Errorf("everything is in the file: %s", all)
	}
	some := say(api.CarriedOut{Number: 7, Edits: 8000, Left: 412})
	if want := "412 edits are left, for which the file had no room: once the hub has answered, make another file\n"; !strings.HasSuffix(some, want) {
		t.Errorf("there is more than a file holds: %s, want %s", some, want)
	}
}
