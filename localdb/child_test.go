package localdb

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
)

// Some stories need a process of their own, to be killed or to run into a
// limit: the test program runs itself again with the story's name here.
const childEnv = "CONDICA_LOCALDB_CHILD"

func TestMain(m *testing.M) {
	story, dir, _ := strings.Cut(os.Getenv(childEnv), ":")
	switch story {
	case "":
		os.Exit(m.Run())
	case "writes":
		childWrites(dir)
	case "full":
		childFull(dir)
	}
}

func child(t *testing.T, story, dir string) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+story+":"+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

func childOpen(dir string) *DB {
	now := hlc.Reading{Wall: storyNoon, Boot: "b1", Up: 1000}
	db, _, err := Open(context.Background(), dir, Options{Device: thisPC, Now: func() hlc.Reading { return now }})
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	return db
}

func childArrives(db *DB, n int) error {
	id := fmt.Sprintf("%08d", n)
	_, err := db.Edit(context.Background(), "key-"+id, "Ana", spclep.BookingID(id), func(record.Booking, Place) ([]op.Draft, error) {
		return []op.Draft{factDraft(id, spclep.Arrived, nil), factDraft(id, spclep.Ready, nil)}, nil
	})
	return err
}

// childWrites says each number when, and only when, its action is acknowledged.
func childWrites(dir string) {
	db := childOpen(dir)
	for n := 1; ; n++ {
		if err := childArrives(db, n); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Println(n)
	}
}

// The service is killed without warning, again and again: each acknowledged
// action is there, whole, and at most one that was not yet acknowledged.
func TestKilled(t *testing.T) {
	for round := range 4 {
		c := &counter{TB: t, dir: t.TempDir(), clock: hlc.Reading{Wall: storyNoon, Boot: "b1", Up: 1000}}
		cmd, out := child(t, "writes", c.dir)
		acked := 0
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if _, err := fmt.Sscan(lines.Text(), &acked); err != nil {
				t.Fatal(lines.Text())
			}
			if acked == 15+round*7 {
				c.must(cmd.Process.Kill())
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatal("the child ended by itself")
		}
		if round%2 == 1 {
			c.must(os.Remove(c.path(DBName))) // the journal alone must do
		}
		c.open()
		for n := 1; n <= acked; n++ {
			if s := c.state(fmt.Sprintf("%08d", n)); s != spclep.StateReady {
				t.Fatalf("round %d: action %d of %d acknowledged ones is %q", round, n, acked, s)
			}
		}
		if extra := c.unsent()/2 - acked; c.unsent()%2 != 0 || extra < 0 || extra > 1 {
			t.Errorf("round %d: %d ops for %d acknowledged actions of two", round, c.unsent(), acked)
		}
	}
}
