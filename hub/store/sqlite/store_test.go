package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"condica/hub/store"
	"condica/hub/store/sqlite"
	"condica/hub/store/storetest"
	"condica/sync/hlc"
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

// A hub's file of an earlier release is taken on as it is: its log is there,
// nothing is brought back, nobody is retired, and the digest begins at 0.
func TestEarlierFile(t *testing.T) {
	dir := t.TempDir()
	var steps []string
	for _, name := range []string{"001_hub.sql", "002_settings.sql"} {
		text, err := os.ReadFile(filepath.Join("schema", name))
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, string(text))
	}
	steps = append(steps, `PRAGMA application_id = 0x43444348; PRAGMA user_version = 2;
		INSERT INTO office (id, head, epoch) VALUES ('covasna', 1, 'e1');
		INSERT INTO device VALUES ('a100000000000000', 'covasna', 'pc', 1, 'PC 1', x'01', 5, 0, 6, 1, 7, 1, '', '');
		INSERT INTO op VALUES ('a100000000000000', 1, 'covasna', 1, 'a', 'b', 'c', 65536, 0, 1, CAST('{"q":1,"c":"a/b/c","v":1,"t":"1.0","w":[1,"b",1]}' AS BLOB))`)
	if err := foreign(filepath.Join(dir, sqlite.DBName), strings.Join(steps, "\n")); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	entries, head, err := s.After(t.Context(), "covasna", 0, 9)
	if err != nil || head != 1 || len(entries) != 1 || entries[0].Via != (hlc.Device{}) {
		t.Errorf("the log: %+v up to %d, %v", entries, head, err)
	}
	devices, err := s.Devices(t.Context(), "covasna")
	if err != nil || len(devices) != 1 || devices[0].RetiredMs != 0 || devices[0].Cloned || len(devices[0].Boots) != 0 || devices[0].Window.High != 7 {
		t.Errorf("the PC: %+v, %v", devices, err)
	}
	if pos, sum, err := s.Total(t.Context(), "covasna"); pos != 0 || sum.N != 0 || err != nil {
		t.Errorf("the digest: %d, %+v, %v", pos, sum, err)
	}
}

// A backup is made while others write: it is one moment of the store, whole,
// closed to others, and never over another file.
func TestBackup(t *testing.T) {
	dir, to := t.TempDir(), filepath.Join(t.TempDir(), "hub's backup #1?.db")
	s := open(t, dir)
	if err := s.Write(t.Context(), "covasna", func(tx store.Tx) error { return tx.SetEpoch("before") }); err != nil {
		t.Fatal(err)
	}
	if err := s.AddSecrets(t.Context(), map[string][]byte{"ca": {1}}); err != nil {
		t.Fatal(err)
	}
	err := open(t, dir).Write(t.Context(), "covasna", func(tx store.Tx) error {
		return errors.Join(tx.SetEpoch("not committed"), s.Backup(t.Context(), to))
	})
	if err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(to); err != nil || runtime.GOOS != "windows" && st.Mode().Perm() != 0o600 {
		t.Errorf("the backup: %v, %v", st, err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(to), "*")); err != nil || len(left) != 1 {
		t.Errorf("left beside it: %q, %v", left, err)
	}
	was, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), to); err == nil || !strings.Contains(err.Error(), "there already") {
		t.Errorf("over another: %v", err)
	}
	if now, err := os.ReadFile(to); err != nil || !bytes.Equal(now, was) {
		t.Errorf("the one that was there was changed: %v", err)
	}
	if err := s.Backup(t.Context(), filepath.Join(dir, "nowhere", "backup")); err == nil {
		t.Error("a backup in a folder that is not there")
	}
	broken, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Backup(broken, to+"2"); err == nil {
		t.Error("a backup that was broken off passed")
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(to), "*")); err != nil || len(left) != 1 {
		t.Errorf("left by the one that broke off: %q, %v", left, err)
	}

	again := t.TempDir()
	if err := os.WriteFile(filepath.Join(again, sqlite.DBName), was, 0o600); err != nil {
		t.Fatal(err)
	}
	restored := open(t, again)
	if secrets, err := restored.AllSecrets(t.Context()); err != nil || len(secrets) != 1 {
		t.Errorf("restored: %v, %v", secrets, err)
	}
	err = restored.Write(t.Context(), "covasna", func(tx store.Tx) error {
		if e, err := tx.Epoch(); e != "before" || err != nil {
			t.Errorf("restored with epoch %q, %v", e, err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
