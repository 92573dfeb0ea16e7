package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"condica/localdb/file"
)

// Backup writes the store as it stands at one moment into a new file, which is
// checked and on disk when it has its name. Nobody who writes meanwhile has to
// wait. The file holds the hub's keys and is closed to other users. One that is
// there already is not written over.
func (s *Store) Backup(ctx context.Context, path string) (err error) {
	if path, err = filepath.Abs(path); err != nil {
		return err
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(err, fmt.Errorf("%s is there already, and a backup is not written over another", path))
	}
	// Under another name first: half a backup must not look like one. SQLite
	// would make a file that all can read; into an empty one it writes too.
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.part")
	if err != nil {
		return err
	}
	part := f.Name()
	if err = f.Close(); err == nil {
		err = s.writeInto(ctx, part)
	}
	if err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(part))
	}
	return syncDir(filepath.Dir(path))
}

// writeInto fills an empty file, checks it and brings it to disk.
func (s *Store) writeInto(ctx context.Context, part string) error {
	if _, err := s.r.ExecContext(ctx, `VACUUM INTO ?`, part); err != nil {
		return fmt.Errorf("write %s: %w", part, err)
	}
	if err := checked(ctx, part); err != nil {
		return fmt.Errorf("read %s back: %w", part, err)
	}
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// checked reads all pages of a database.
func checked(ctx context.Context, path string) error {
	db, err := sql.Open("sqlite", file.URI(path, "ro", 1024))
	if err != nil {
		return err
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", file.ErrDamaged, verdict)
	}
	return nil
}
