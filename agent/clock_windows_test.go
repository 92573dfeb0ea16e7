package agent

import (
	"testing"

	"golang.org/x/sys/windows/registry"
)

// Every start of the service in one run of the PC finds the same name; once the
// run is over, and the volatile key with it, there is another.
func TestRunOfThePC(t *testing.T) {
	const key = runKey + "-test"
	end := func() { registry.DeleteKey(registry.CURRENT_USER, key) } // as switching off does
	end()
	t.Cleanup(end)
	one, err := runName(key)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := runName(key); err != nil || again != one || one == "" {
		t.Errorf("%q, and then %q, %v", one, again, err)
	}
	end()
	if next, err := runName(key); err != nil || next == one {
		t.Errorf("after the run it is still %q, %v", next, err)
	}
	if name := bootName(); name[0] != 'w' {
		t.Errorf("the registry keeps no name: %s", name)
	}
}
