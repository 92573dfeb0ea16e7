package localdb

import (
	"os"
	"path/filepath"

	"condica/localdb/journal"
)

// folder is the data folder as the journal knows it.
type folder string

// Open opens or makes a private file, and sees to it that its name is on disk.
func (d folder) Open(name string) (journal.File, error) {
	f, err := os.OpenFile(filepath.Join(string(d), name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syncDir(string(d)); err != nil {
		f.Close()
		return nil, err
	}
	return osFile{f}, nil
}

// Replace renames.
func (d folder) Replace(file, with string) error {
	if err := os.Rename(filepath.Join(string(d), file), filepath.Join(string(d), with)); err != nil {
		return err
	}
	return syncDir(string(d))
}

type osFile struct{ *os.File }

// Size is its length in bytes.
func (f osFile) Size() (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}
