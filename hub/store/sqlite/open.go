// Package sqlite is the hub's store in one SQLite file: the demo, a pilot, one
// county. Several processes may have it open, so that the command line works
// beside the running hub. It decides nothing and mends nothing: a damaged hub
// is restored from a backup, by a person.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"modernc.org/sqlite"

	"condica/hub/store"
)

//go:embed schema/*.sql
var schema embed.FS

// DBName is the file in the data folder.
const DBName = "hub.db"

// applicationID marks the file as a Condica hub ("CDCH"), so that a wrong file
// is refused instead of filled.
const applicationID = 0x43444348

// A Store is one open hub.db.
type Store struct{ w, r *sql.DB }

var _ store.Store = (*Store)(nil)

// Open opens or makes the hub's database in dir.
func Open(ctx context.Context, dir string) (*Store, error) {
	if strings.HasPrefix(dir, `\\`) {
		return nil, fmt.Errorf("open hub's data: %s is a network folder; SQLite's locks do not hold there", dir)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open hub's data: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open hub's data: %w", err)
	}
	s := &Store{}
	if err := s.open(ctx, filepath.Join(dir, DBName)); err != nil {
		return nil, fmt.Errorf("open hub's data in %s: %w", dir, errors.Join(plain(err), s.Close()))
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, path string) (err error) {
	// The driver would say only "unable to open database file".
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if s.w, err = sql.Open("sqlite", dsn(path, "rw")); err != nil {
		return err
	}
	s.w.SetMaxOpenConns(1)
	if err := migrate(ctx, s.w); err != nil {
		return err
	}
	var verdict string
	if err := s.w.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, verdict)
	}
	if s.r, err = sql.Open("sqlite", dsn(path, "ro")); err != nil {
		return err
	}
	s.r.SetMaxOpenConns(4)
	return nil
}

// Close closes the file. What was committed is on disk.
func (s *Store) Close() error {
	var errs []error
	for _, d := range []*sql.DB{s.r, s.w} {
		if d != nil {
			errs = append(errs, d.Close())
		}
	}
	return errors.Join(errs...)
}

// dsn names the file with its pragmas, for the reasons given at the replica's:
// they must ride in the name, busy_timeout first, FULL for power cuts, and the
// writer locks at BEGIN.
func dsn(path, mode string) string {
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
		"secure_delete(1)", "temp_store(memory)", "cache_size(-16384)", "journal_size_limit(16777216)",
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
// transaction: a command may start beside the hub on a fresh folder, and only
// one of them may make the tables.
func migrate(ctx context.Context, w *sql.DB) error {
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
	if app != applicationID && (app != 0 || version != 0 || tables != 0) {
		return fmt.Errorf("%s is another program's database (application id %#x)", DBName, app)
	}
	files, err := schema.ReadDir("schema")
	if err != nil {
		return err
	}
	if version > len(files) {
		return fmt.Errorf("%s was written by a newer Condica (schema %d, this program knows %d)", DBName, version, len(files))
	}
	for i := version; i < len(files); i++ {
		text, err := schema.ReadFile("schema/" + files[i].Name())
		if err != nil {
			return err
		}
		step := fmt.Sprintf("%s\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;", text, applicationID, i+1)
		if _, err := tx.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("%s: %w", files[i].Name(), err)
		}
	}
	return tx.Commit()
}

// errDamaged is what quick_check found.
var errDamaged = errors.New("the file is damaged")

// plain turns SQLite's words for a broken file (CORRUPT 11, NOTADB 26) and one
// that may not be written (READONLY 8, CANTOPEN 14) into ours.
func plain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case 11, 26:
		return fmt.Errorf("%s is damaged or no database; restore it from a backup: %w", DBName, err)
	case 8, 14:
		return fmt.Errorf("%s cannot be written by this user: %w", DBName, err)
	}
	return err
}
