package file

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// The office closes while a page is still being read: the log of writes is in
// the database all the same when Close returns, and nothing is left beside it.
func TestCloseWaitsForReaders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.db")
	steps := fstest.MapFS{"001.sql": {Data: []byte("CREATE TABLE visit (id TEXT PRIMARY KEY) STRICT;")}}
	f, err := Open(t.Context(), Spec{Path: path, AppID: 1, Schema: steps, CacheKB: 100})
	if err != nil {
		t.Fatal(err)
	}
	reader, err := f.R.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reader.ExecContext(t.Context(), `SELECT count(*) FROM visit`); err != nil {
		t.Fatal(err)
	}
	left := make(chan error)
	go func() {
		for { // until Close has begun
			if err := f.R.PingContext(t.Context()); err != nil && strings.Contains(err.Error(), "closed") {
				break
			}
		}
		left <- reader.Close()
	}()
	if err := errors.Join(f.Close(), <-left); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the log of writes lies beside the closed database: %v", err)
	}
}
