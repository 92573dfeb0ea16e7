package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"condica/localdb"
	"condica/localdb/file"
)

// doubtFile keeps, a line each, why the service has ended because of the
// replica.
const doubtFile = "replica.doubt"

// Failed gives the error with which this process cannot go on: the replica's
// file is damaged under its hands, and is mended at the next start. Who runs the
// agent ends it then.
func (a *Agent) Failed() <-chan error { return a.failed }

// fault is told each error of the replica that came up on the way.
func (a *Agent) fault(err error) {
	if !file.Damaged(err) || errors.Is(err, file.ErrDamaged) && !a.unreadable() {
		return
	}
	a.failOnce.Do(func() {
		if err := a.noteDoubt(err); err != nil {
			a.o.Log.Error("why the service ends could not be noted", "error", err)
		}
		err = fmt.Errorf("the replica is damaged; the service ends, and mends it at its next start: %w", err)
		a.o.Log.Error("the service cannot go on", "error", err)
		a.failed <- err
	})
}

// unreadable: it is not one row that is damaged, which is mended from the hub
// while work goes on, but what nothing goes on without.
func (a *Agent) unreadable() bool {
	_, err := a.db.Standing(a.ctx)
	return file.Damaged(err)
}

func (a *Agent) noteDoubt(why error) error {
	f, err := os.OpenFile(filepath.Join(a.o.Dir, doubtFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(f, strings.ReplaceAll(why.Error(), "\n", "; "))
	return errors.Join(err, f.Close())
}

// openDB opens the replica. What the check at the start does not see and SQLite
// stumbles over at work, a second time, is not believed a third time.
func (a *Agent) openDB() (err error) {
	doubt := ""
	text, err := os.ReadFile(filepath.Join(a.o.Dir, doubtFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if lines := strings.Split(strings.TrimSpace(string(text)), "\n"); len(lines) > 1 {
		doubt = lines[len(lines)-1]
	}
	a.db, a.Report, err = localdb.Open(a.ctx, a.o.Dir, localdb.Options{
		Device: deviceOf(a.key), Now: a.o.Clock.Reading, Found: a.found, Doubt: doubt, Doing: a.front.doing,
	})
	for _, line := range a.Report {
		a.found(line)
	}
	if err != nil || doubt == "" {
		return err
	}
	return os.Remove(filepath.Join(a.o.Dir, doubtFile))
}

// found says what the replica has mended in itself.
func (a *Agent) found(say string) { a.o.Log.Warn("replica", "found", say) }
