package service

import (
	"os"
	"path/filepath"
	"testing"
)

// What systemctl show prints, and what it means for the PC.
func TestStandingFromSystemd(t *testing.T) {
	for _, c := range []struct {
		out  string
		want Standing
	}{
		{"MainPID=0\nLoadState=not-found\nActiveState=inactive\nStatusText=\n", Standing{State: Absent}},
		{"MainPID=0\nLoadState=masked\nActiveState=inactive\nStatusText=\n", Standing{State: Absent}},
		{"MainPID=0\nLoadState=loaded\nActiveState=inactive\nStatusText=\n", Standing{State: Stopped}},
		{"MainPID=0\nLoadState=loaded\nActiveState=activating\nStatusText=\n", Standing{State: Starting}},
		{"MainPID=7\nLoadState=loaded\nActiveState=active\nStatusText=opening the replica = 3\n", Standing{Running, 7, "opening the replica = 3"}},
		{"MainPID=7\nLoadState=loaded\nActiveState=deactivating\nStatusText=\n", Standing{State: Stopping, PID: 7}},
		{"MainPID=0\nLoadState=loaded\nActiveState=failed\nStatusText=\n", Standing{State: Failed}},
	} {
		if got := readStanding(c.out); got != c.want {
			t.Errorf("%q: got %+v, want %+v", c.out, got, c.want)
		}
	}
}

// A broken-off installation left an empty unit: the next one writes it whole,
// and the one after that has nothing to do.
func TestUnitIsPutRight(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, unitName)
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{true, false} {
		changed, err := putUnit(dir, []byte("[Unit]\n"))
		if err != nil || changed != want {
			t.Errorf("installation %d: changed %v (%v), want %v", i+1, changed, err, want)
		}
	}
	if text, _ := os.ReadFile(path); string(text) != "[Unit]\n" {
		t.Errorf("the unit holds %q", text)
	}
	if _, err := putUnit(filepath.Join(dir, "none"), []byte("[Unit]\n")); err == nil {
		t.Error("a unit was written into a folder that is not there")
	}
}

func TestHiddenProgramIsRefused(t *testing.T) {
	for exe, ok := range map[string]bool{
		"/usr/local/bin/condica": true, "/opt/condica/condica": true,
		"/home/ana/condica": false, "/root/condica": false, "/tmp/condica": false,
	} {
		if err := reachable(exe); (err == nil) != ok {
			t.Errorf("%s: %v", exe, err)
		}
	}
}
