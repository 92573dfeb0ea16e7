//go:build !windows

package localdb

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"condica/spclep"
	"condica/sync/hlc"
)

// The disk is full: the action is refused before "done", nothing half of it is
// kept, and when there is room again the work goes on.
func TestFullDisk(t *testing.T) {
	c := &counter{TB: t, dir: t.TempDir(), clock: hlc.Reading{Wall: storyNoon, Boot: "b1", Up: 1000}}
	cmd, out := child(t, "full", c.dir)
	text, err := io.ReadAll(out)
	c.must(err)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	c.open()
	c.held(string(text))
	if len(c.report) > 0 {
		t.Errorf("report %v", c.report)
	}
	// The journal alone says the same.
	c.must(c.Close())
	c.must(os.Remove(c.path(DBName)))
	c.open()
	c.held(string(text))
}

// held compares what the child said with what is here.
func (c *counter) held(said string) {
	c.Helper()
	refused := 0
	for line := range strings.Lines(said) {
		var n int
		var done bool
		if _, err := fmt.Sscan(line, &n, &done); err != nil {
			c.Fatal(line)
		}
		want := spclep.StateReady
		if !done {
			refused++
			want = spclep.StateNone
		}
		if s := c.state(fmt.Sprintf("%08d", n)); s != want {
			c.Errorf("action %d, done %v, is %q", n, done, s)
		}
	}
	if refused < 10 {
		c.Errorf("only %d actions were refused", refused)
	}
}

// childFull writes until the files may grow no more, goes on trying at several
// sizes, and then gets room again.
func childFull(dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	db := childOpen(dir)
	var free syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &free); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	n := 0
	try := func() bool {
		n++
		err := childArrives(db, n)
		fmt.Println(n, err == nil)
		return err == nil
	}
	for try() && n < 10 {
	}
	for _, name := range []string{JournalName, DBName + "-wal"} {
		for room := range uint64(6) {
			limit := free
			st, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				fmt.Println("error:", err)
				os.Exit(1)
			}
			// Only the file that is largest can be the first to hit the limit, so
			// the journal's turn needs it to be small: both limits are tried.
			limit.Cur = uint64(st.Size()) + room*100
			if err := errors.Join(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)); err != nil {
				fmt.Println("error:", err)
				os.Exit(1)
			}
			for i := 0; i < 8 && try(); i++ {
			}
			try()
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &free); err != nil {
				fmt.Println("error:", err)
				os.Exit(1)
			}
			if !try() {
				fmt.Println("error: with room again it is still refused")
				os.Exit(1)
			}
		}
	}
	if err := db.Close(); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}
