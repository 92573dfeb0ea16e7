// Package file opens one SQLite file as Condica needs it: durable, one writer
// beside many readers, the schema brought up by numbered steps, the pages
// checked. It knows no table, mends nothing and throws nothing away.
package file

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite"
)

// A Spec says which file, and what it must be.
type Spec struct {
	Path    string
	AppID   int32 // marks the file as this program's, so that a wrong file is refused instead of filled
	Schema  fs.FS // one *.sql a step, in the order of their names
	CacheKB int   // of each connection
	Whole   bool  // each entry of each index is checked too, which takes longer on a large file
}

// A File is one open database. W has one connection, R several that cannot
// write.
type File struct{ W, R *sql.DB }

// ErrDamaged is what the check of the file found.
var ErrDamaged = errors.New("the file is damaged")

// Open opens or makes the file. Where it fails, nothing stays open.
func Open(ctx context.Context, s Spec) (f *File, err error) {
	if err := touch(s.Path); err != nil {
		return nil, err
	}
	if err := checkHeader(s.Path); err != nil {
		return nil, err
	}
	f = &File{}
	defer func() {
		if err != nil {
			err = errors.Join(s.plain(err), f.Close())
			f = nil
		}
	}()
	if f.W, err = sql.Open("sqlite", URI(s.Path, "rw", s.CacheKB)); err != nil {
		return f, err
	}
	f.W.SetMaxOpenConns(1)
	if err := s.migrate(ctx, f.W); err != nil {
		return f, err
	}
	if err := s.check(ctx, f.W); err != nil {
		return f, err
	}
	if f.R, err = sql.Open("sqlite", URI(s.Path, "ro", s.CacheKB)); err != nil {
		return f, err
	}
	f.R.SetMaxOpenConns(4)
	return f, nil
}

// Close closes the file. What was committed is on disk, and the log of writes
// is in the database: the readers go first, for SQLite leaves the log lying
// where the last connection is one that may not write.
func (f *File) Close() error {
	var errs []error
	for _, d := range []*sql.DB{f.R, f.W} {
		if d != nil {
			errs = append(errs, d.Close(), returned(d))
		}
	}
	return errors.Join(errs...)
}

// returnedWithin bounds the wait for connections that are in use at the end.
const returnedWithin = 10 * time.Second

// returned waits until a closed pool has no connection left: database/sql rolls
// a transaction whose context has ended back beside its caller, and its Close
// does not wait for that.
func returned(d *sql.DB) error {
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	end := time.NewTimer(returnedWithin)
	defer end.Stop()
	for d.Stats().OpenConnections > 0 {
		select {
		case <-look.C:
		case <-end.C:
			return fmt.Errorf("%d connections are still in use after %s", d.Stats().OpenConnections, returnedWithin)
		}
	}
	return nil
}

// Folder makes the folder for a file, if it lies where SQLite's locks hold.
func Folder(dir string) error {
	if strings.HasPrefix(dir, `\\`) {
		return fmt.Errorf("%s is a network folder; SQLite's locks do not hold there", dir)
	}
	return os.MkdirAll(dir, 0o700)
}

// touch makes the file if it is not there: the driver would say of a folder
// that may not be written only "unable to open database file".
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// URI names the file with its pragmas: they must ride in the name, because a
// PRAGMA by Exec reaches one pooled connection only. mode is rw or ro.
//
//   - busy_timeout first, so that the others wait for a lock too;
//   - WAL with synchronous FULL: a commit survives a power cut;
//   - one writer that locks at BEGIN: a reading transaction that turns writer
//     would fail at once with SQLITE_BUSY_SNAPSHOT;
//   - secure_delete: a person's row that is deleted is gone from the file.
//
// The name is a file: URI, or mode=ro would be ignored without a word.
func URI(path, mode string, cacheKB int) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // file:///C:/...
	}
	q := url.Values{"mode": {mode}, "_txlock": {"immediate"}}
	if mode == "ro" {
		q.Set("_txlock", "deferred")
	}
	for _, p := range []string{
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"secure_delete(1)", "temp_store(memory)", fmt.Sprintf("cache_size(-%d)", cacheKB), fmt.Sprintf("journal_size_limit(%d)", cacheKB<<10),
	} {
		if mode == "ro" && strings.HasPrefix(p, "journal_") {
			continue
		}
		q.Add("_pragma", p)
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return u.String()
}

// migrate brings the schema up, one numbered file a step, all in one
// transaction: two programs may start beside each other on a fresh folder, and
// only one of them may make the tables. user_version is the number of the last
// step.
func (s Spec) migrate(ctx context.Context, w *sql.DB) error {
	tx, err := w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var app, version, tables int
	if err := tx.QueryRowContext(ctx, `SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
		(SELECT count(*) FROM sqlite_schema)`).Scan(&app, &version, &tables); err != nil {
		return err
	}
	name := filepath.Base(s.Path)
	if app != int(s.AppID) && (app != 0 || version != 0 || tables != 0) {
		return fmt.Errorf("%s is another program's database (application id %#x)", name, app)
	}
	steps, err := fs.Glob(s.Schema, "*.sql")
	if err != nil {
		return err
	}
	if version > len(steps) {
		return fmt.Errorf("%s was written by a newer Condica (schema %d, this program knows %d)", name, version, len(steps))
	}
	for i := version; i < len(steps); i++ {
		text, err := fs.ReadFile(s.Schema, steps[i])
		if err != nil {
			return err
		}
		step := fmt.Sprintf("%s\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;", text, s.AppID, i+1)
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("%s: %w", steps[i], err)
		}
	}
	return tx.Commit()
}

// plain turns SQLite's words for a file that may not be written (READONLY 8,
// CANTOPEN 14) into ours.
func (s Spec) plain(err error) error {
	var e *sqlite.Error
	if errors.As(err, &e) && (e.Code()&0xff == 8 || e.Code()&0xff == 14) {
		return fmt.Errorf("%s cannot be written by this user: %w", filepath.Base(s.Path), err)
	}
	return err
}
