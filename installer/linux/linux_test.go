package linux_test

import (
	"strings"
	"testing"

	"condica/installer/linux"
)

// The unit for a program in another place is the package's, but for that.
func TestUnitForAnotherPlace(t *testing.T) {
	text, err := linux.Unit("/usr/local/bin/condica")
	if err != nil {
		t.Fatal(err)
	}
	own, err := linux.Unit(linux.Program)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Replace(string(own), linux.Program, "/usr/local/bin/condica", 1); string(text) != want || string(own) == want {
		t.Errorf("the unit is\n%s\nwant\n%s", text, want)
	}
	for _, exe := range []string{"condica", "/opt/100%/condica", "/opt/my program/condica", "/opt/$HOME/condica", "/opt/a\nExecStart=/bin/sh"} {
		if text, err := linux.Unit(exe); err == nil {
			t.Errorf("%q became a unit:\n%s", exe, text)
		}
	}
}
