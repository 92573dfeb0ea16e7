package sqlite_test

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"condica/hub/store"
	"condica/hub/store/sqlite"
	"condica/hub/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, t.TempDir()) })
}

func open(t *testing.T, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestLog(t *testing.T) {
	storetest.RunLog(t, func(t *testing.T) storetest.Log { return storetest.LogOf(open(t, t.TempDir())) })
}

// What was committed is there when the file is opened again, and a second
// process sees it at once.
func TestTwoProcesses(t *testing.T) {
	dir := t.TempDir()
	one, two := open(t, dir), open(t, dir)
	if err := one.Write(t.Context(), "covasna", func(tx store.Tx) error { return tx.SetEpoch("e1") }); err != nil {
		t.Fatal(err)
	}
	err := two.Write(t.Context(), "covasna", func(tx store.Tx) error {
		if e, err := tx.Epoch(); e != "e1" || err != nil {
			t.Errorf("the other process sees epoch %q, %v", e, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Files that are not the hub's are refused in one sentence and left as they are.
func TestWrongFiles(t *testing.T) {
	for name, c := range map[string]struct {
		put  func(path string) error
		want string
	}{
		"another program's": {func(path string) error { return foreign(path, "CREATE TABLE x (y); PRAGMA application_id = 5") }, "another program's database"},
		"no application":    {func(path string) error { return foreign(path, "CREATE TABLE x (y)") }, "another program's database"},
		"a newer Condica": {func(path string) error {
			return foreign(path, "PRAGMA application_id = 0x43444348; PRAGMA user_version = 999")
		}, "newer Condica"},
		"no database": {func(path string) error { return os.WriteFile(path, bytes.Repeat([]byte("no database "), 1000), 0o600) }, "damaged or no database"},
		"a folder":    {func(path string) error { return os.Mkdir(path, 0o700) }, "is a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := c.put(filepath.Join(dir, sqlite.DBName)); err != nil {
				t.Fatal(err)
			}
			s, err := sqlite.Open(t.Context(), dir)
			if err == nil {
				s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("opening gave %v, want one sentence with %q", err, c.want)
			}
		})
	}
}

func foreign(path, statements string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	_, err = db.Exec(statements)
	return errors.Join(err, db.Close())
}
