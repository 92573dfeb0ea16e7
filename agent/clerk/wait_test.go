package clerk_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"condica/agent/clerk"
	"condica/spclep/settings"
	"condica/sync/hlc"
)

// Somebody guesses at Ion's PIN: five tries, then waits that grow to a quarter
// of an hour. Within a wait even the right one is not looked at; after it Ion
// gets in, and begins with five tries again.
func TestGuessingIsSlowed(t *testing.T) {
	c := newCounter(t)
	c.says("Ion Exemplu", "000000", "wrong", "wrong", "wrong", "wrong", "wrong, wait 30s")
	c.says("Ion Exemplu", ionPIN, "wait 30s")
	c.says("Ana Exemplu", anaPIN, "in")
	for _, wait := range []string{"1m0s", "2m0s", "4m0s", "8m0s", "15m0s", "15m0s"} {
		c.later(15*time.Minute + time.Second)
		c.says("Ion Exemplu", "000000", "wrong, wait "+wait)
	}
	c.later(14 * time.Minute)
	c.says("Ion Exemplu", ionPIN, "wait 1m0s")
	c.later(time.Minute)
	c.says("Ion Exemplu", ionPIN, "in")
	c.says("Ion Exemplu", "000000", "wrong", "wrong", "wrong", "wrong", "wrong, wait 30s")
}

// A restart of the service, or of the PC with its clock anywhere, takes nothing
// off a wait and puts no more than itself on it.
func TestTheWaitOutlivesRestartsAndClocks(t *testing.T) {
	c := newCounter(t)
	c.says("Ion Exemplu", "000000", "wrong", "wrong", "wrong", "wrong", "wrong, wait 30s")
	c.later(10 * time.Second)
	c.restart()
	c.says("Ion Exemplu", ionPIN, "wait 20s")
	for _, wall := range []time.Time{time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC)} {
		c.now.Wall = wall.UnixMilli()
		c.says("Ion Exemplu", ionPIN, "wait 20s")
	}
	c.now = hlc.Reading{Boot: "b2", Up: 900_000, Wall: c.now.Wall}
	c.restart()
	c.says("Ion Exemplu", ionPIN, "wait 30s")
	c.later(20 * time.Second)
	c.restart()
	c.says("Ion Exemplu", ionPIN, "wait 10s")
	c.later(10 * time.Second)
	c.says("Ion Exemplu", ionPIN, "in")
}

// Who ends the service while a PIN is looked at has tried all the same.
func TestATryCountsBeforeItIsLookedAt(t *testing.T) {
	c := newCounter(t)
	for range 5 {
		c.pepper = nil
		c.kept.pins["Ion Exemplu"] = [2]string{"x", "y"}
		cut := errors.New("the power is cut")
		c.Roster = clerk.New(clerk.Config{Store: c.kept, Now: func() hlc.Reading { return c.now }, Pepper: func() ([]byte, error) { return nil, cut }, Fault: func(error) {}})
		if _, err := c.Check(t.Context(), clerk.Accounts(c.all), "Ion Exemplu", "000000"); !errors.Is(err, cut) {
			t.Fatal(err)
		}
	}
	c.restart()
	c.says("Ion Exemplu", ionPIN, "wait 30s")
}

// Going from name to name gives twenty tries in all, then one in three minutes;
// names without an account are counted too, and told from the others by
// nothing. Ana's own mistakes go when she signs in; those at others' names stay.
func TestGuessingFromNameToName(t *testing.T) {
	c := newCounter(t)
	for i := range 10 {
		c.account(fmt.Sprintf("Probă %d", i), settings.RoleClerk, "555666")
	}
	c.says("Ana Exemplu", "000000", "wrong", "wrong")
	tried := 2
	for _, name := range []string{"Nimeni", "Radu Exemplu", "Probă 0", "Probă 1", "Probă 2", "Probă 3", "Probă 4"} {
		for range 2 {
			c.says(name, "000000", "wrong")
			tried++
		}
	}
	c.says("Ana Exemplu", anaPIN, "in") // two fewer: fourteen stand
	c.says("Probă 5", "000000", "wrong", "wrong", "wrong", "wrong")
	c.says("Probă 6", "000000", "wrong", "wrong, wait 3m0s")
	c.says("Probă 7", "555666", "wait 3m0s")
	c.restart()
	c.later(2 * time.Minute)
	c.says("Probă 7", "555666", "wait 1m0s")
	c.later(time.Minute)
	c.says("Probă 7", "000000", "wrong, wait 3m0s")
	c.later(time.Hour)
	c.says("Probă 8", "000000", "wrong", "wrong", "wrong", "wrong", "wrong, wait 30s")
}

// On a full disk clerks get in to read, and guessing is slowed all the same.
func TestOnAFullDisk(t *testing.T) {
	c := newCounter(t)
	c.kept.full = errors.New("the disk is full")
	c.says("Ion Exemplu", "000000", "wrong", "wrong", "wrong", "wrong", "wrong, wait 30s")
	c.says("Ana Exemplu", anaPIN, "in")
	if c.faults == 0 {
		t.Error("nobody was told that nothing can be written")
	}
}

// The head of service lifts Ion's wait; the trace says who did what, and holds
// no PIN.
func TestTheHeadLiftsAWait(t *testing.T) {
	c := newCounter(t)
	c.says("Ion Exemplu", "000000", "wrong", "wrong", "wrong", "wrong", "wrong, wait 30s")
	held, err := c.Waiting(t.Context(), clerk.Accounts(c.all))
	if err != nil || len(held) != 1 || held[0] != (clerk.Waiting{Name: "Ion Exemplu", For: 30 * time.Second}) {
		t.Fatalf("waiting: %+v, %v", held, err)
	}
	if err := c.Lift(t.Context(), clerk.Accounts(c.all), "Ion Exemplu", "Ana Exemplu"); err != nil {
		t.Fatal(err)
	}
	c.says("Ion Exemplu", ionPIN, "in")
	want := []string{"wrong-pin /Ion Exemplu", "wrong-pin /Ion Exemplu", "wrong-pin /Ion Exemplu", "wrong-pin /Ion Exemplu",
		"wrong-pin /Ion Exemplu", "waits /Ion Exemplu", "wait-lifted Ana Exemplu/Ion Exemplu"}
	if !slices.Equal(c.kept.traces, want) {
		t.Errorf("traces %q", c.kept.traces)
	}
	if err := c.Lift(t.Context(), clerk.Accounts(c.all), "Nimeni", "Ana Exemplu"); err == nil {
		t.Error("a wait of nobody was lifted")
	}
}
