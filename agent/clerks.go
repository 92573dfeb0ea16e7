package agent

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"condica/agent/clerk"
)

// pepperFile holds the PC's own secret that is mixed into the PINs chosen on it.
// It is no part of the replica: a copy of that alone tells nobody a PIN.
const (
	pepperFile  = "pin-pepper"
	pepperBytes = 32
)

// roster signs clerks in on this PC.
func (a *Agent) roster() *clerk.Roster {
	return clerk.New(clerk.Config{
		Store: a.db, Now: a.o.Clock.Reading, Secret: rand.Text,
		Random: func(b []byte) { rand.Read(b) },
		Pepper: func() ([]byte, error) { return pepper(filepath.Join(a.o.Dir, pepperFile)) },
		Fault: func(err error) {
			a.o.Log.Warn("what belongs to signing in could not be written; it holds until the service ends", "error", err)
			a.fault(err)
		},
	})
}

// pepper reads the secret, or makes it. One that is damaged is made anew: PINs
// chosen here then count no more, and the centre's do again.
func pepper(path string) ([]byte, error) {
	held, err := os.ReadFile(path)
	if err == nil && len(held) == pepperBytes {
		return held, nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the secret of this PC's PINs: %w", err)
	}
	fresh := make([]byte, pepperBytes)
	rand.Read(fresh)
	if err := writeFile(path, fresh); err != nil {
		return nil, fmt.Errorf("the secret of this PC's PINs: %w", err)
	}
	return fresh, nil
}
