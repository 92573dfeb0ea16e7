package localdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// begunName marks a folder that has held a replica: one without its files is not
// the first start of a new PC. In it stands the name of a damaged database that
// is being set aside, until what can be read of it is in the new one: a stop in
// between must not leave that behind.
const begunName = "replica.begun"

func (db *DB) begun() (begun bool, aside string, err error) {
	text, err := os.ReadFile(filepath.Join(db.dir, begunName))
	if errors.Is(err, os.ErrNotExist) {
		return false, "", nil
	}
	if err != nil {
		return false, "", err
	}
	name := strings.TrimSpace(string(text))
	if name != filepath.Base(name) || !strings.HasPrefix(name, DBName+asideMark) {
		return true, "", nil
	}
	aside = filepath.Join(db.dir, name)
	if _, err := os.Lstat(aside); err != nil {
		return true, "", nil // the stop came before it got its name
	}
	path := filepath.Join(db.dir, DBName)
	if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
		return true, aside, moveLogs(path, aside) // or in the middle
	}
	return true, aside, nil
}

// note writes the mark. When it returns, that is on the disk.
func (db *DB) note(aside string) error {
	f, err := folder(db.dir).Open(begunName)
	if err != nil {
		return err
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(aside), 0)
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// setAside renames the database and its companions to names that say so.
func (db *DB) setAside() (name string, err error) {
	path := filepath.Join(db.dir, DBName)
	aside, err := freeName(path)
	if err != nil {
		return "", err
	}
	name = filepath.Base(aside)
	if err := db.note(name); err != nil {
		return "", err
	}
	if err := os.Rename(path, aside); err != nil {
		return "", err
	}
	if err := moveLogs(path, aside); err != nil {
		return "", err
	}
	return name, syncDir(db.dir)
}

// moveLogs renames the database's companions: SQLite finds them by its name.
func moveLogs(path, aside string) error {
	for _, ext := range []string{"-wal", "-shm"} {
		if err := os.Rename(path+ext, aside+ext); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	return nil
}

const asideMark = ".damaged-"

// freeName is a name for what is damaged and set aside.
func freeName(path string) (string, error) {
	for i := 1; ; i++ {
		aside := fmt.Sprint(path, asideMark, i)
		_, err := os.Lstat(aside)
		if errors.Is(err, os.ErrNotExist) {
			return aside, nil
		}
		if err != nil {
			return "", err
		}
	}
}
