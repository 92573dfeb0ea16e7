// Package localdb is one office's replica in SQLite: the ops, what they add up
// to, the outbox and its journal, search, and repair. It decides nothing: who
// may edit is agent/desk's word, which edit wins is op's, when to talk is
// peer's. It opens no socket.
package localdb

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
	"sync"

	"modernc.org/sqlite"

	"condica/sync/hlc"
)

//go:embed schema/*.sql
var schema embed.FS

// File names inside the data folder.
const (
	DBName      = "replica.db"
	JournalName = "journal"
)

// applicationID marks the file as a Condica replica ("CDCA"), so that a wrong
// file is refused instead of filled.
const applicationID = 0x43444341

// Options of Open.
type Options struct {
	Device hlc.Device         // this PC
	Now    func() hlc.Reading // the PC's clocks
}

// A DB is one open replica. Reads run beside each other and beside the one
// writer; every method may be called from many goroutines.
type DB struct {
	dir     string
	device  hlc.Device
	now     func() hlc.Reading
	w, r    *sql.DB
	journal *journal

	mu      sync.Mutex // held by the one writing transaction
	state   state      // as of the last commit; read and written under mu
	counter uint64     // the first number of the reserved block of request numbers, under mu
}

// A Report says what Open found and mended, in sentences for the log and the
// status page; empty when all was in order.
type Report []string

// Open opens or makes the replica in dir. A database that is damaged is set
// aside and made anew from the journal; the hub fills in the rest. Acknowledged
// actions that are in neither are named in the report.
func Open(ctx context.Context, dir string, o Options) (*DB, Report, error) {
	if strings.HasPrefix(dir, `\\`) {
		return nil, nil, fmt.Errorf("open replica: %s is a network folder; SQLite's locks do not hold there", dir)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, fmt.Errorf("open replica: %w", err)
	}
	db := &DB{dir: dir, device: o.Device, now: o.Now}
	var report Report
	if err := db.openDB(ctx); err != nil {
		if !damaged(err) {
			return nil, nil, fmt.Errorf("open replica: %w", err)
		}
		aside, moveErr := setAside(filepath.Join(dir, DBName))
		if moveErr != nil {
			return nil, nil, fmt.Errorf("open replica: %w; setting it aside: %w", err, moveErr)
		}
		report = append(report, fmt.Sprintf("the replica was damaged (%v) and was set aside as %s; it is made anew from the journal and the hub", err, aside))
		if err := db.openDB(ctx); err != nil {
			return nil, report, fmt.Errorf("make replica anew: %w", err)
		}
	}
	more, err := db.openJournal(ctx)
	if err != nil {
		db.closeDB()
		return nil, report, fmt.Errorf("open journal: %w", err)
	}
	if err := db.write(ctx, func(tx *sql.Tx, s *state) error {
		s.Gap = true // until it has been looked for
		return db.lookForGap(ctx, tx, s)
	}); err != nil {
		return nil, report, errors.Join(fmt.Errorf("open replica: %w", err), db.Close())
	}
	return db, append(report, more...), nil
}

// Close closes the files. What was acknowledged is already on disk.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	return errors.Join(db.closeDB(), db.journal.close())
}

func (db *DB) closeDB() error {
	var errs []error
	for _, d := range []*sql.DB{db.r, db.w} {
		if d != nil {
			errs = append(errs, d.Close())
		}
	}
	return errors.Join(errs...)
}

func (db *DB) openDB(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			db.closeDB()
		}
	}()
	path := filepath.Join(db.dir, DBName)
	if db.w, err = sql.Open("sqlite", dsn(path, "rwc")); err != nil {
		return err
	}
	db.w.SetMaxOpenConns(1)
	if err := migrate(ctx, db.w); err != nil {
		return err
	}
	if err := quickCheck(ctx, db.w); err != nil {
		return err
	}
	if db.r, err = sql.Open("sqlite", dsn(path, "ro")); err != nil {
		return err
	}
	db.r.SetMaxOpenConns(4)
	return db.loadState(ctx)
}

// dsn names the file with its pragmas: they must ride in the name, because a
// PRAGMA by Exec reaches one pooled connection only.
//
//   - busy_timeout first, so that the others wait for a lock too;
//   - WAL with synchronous FULL: a commit survives a power cut;
//   - one writer that locks at BEGIN: a reading transaction that turns writer
//     would fail at once with SQLITE_BUSY_SNAPSHOT;
//   - secure_delete: a person's row that is deleted is gone from the file.
//
// The name is a file: URI, or mode=ro would be ignored without a word.
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
		"secure_delete(1)", "temp_store(memory)", "cache_size(-4096)", "journal_size_limit(4194304)",
	} {
		if mode == "ro" && strings.HasPrefix(p, "journal_") {
			continue
		}
		q.Add("_pragma", p)
	}
	u := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return u.String()
}

// migrate brings the schema up, one numbered file a step; user_version is the
// number of the last.
func migrate(ctx context.Context, w *sql.DB) error {
	var app, version int
	if err := w.QueryRowContext(ctx, `PRAGMA application_id`).Scan(&app); err != nil {
		return err
	}
	if err := w.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	if app != applicationID && (app != 0 || version != 0) {
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
		step := fmt.Sprintf("BEGIN IMMEDIATE;\n%s\nPRAGMA application_id = %d;\nPRAGMA user_version = %d;\nCOMMIT;", text, applicationID, i+1)
		if _, err := w.ExecContext(ctx, step); err != nil {
			return fmt.Errorf("%s: %w", files[i].Name(), err)
		}
	}
	return nil
}

// errDamaged is what quickCheck found.
var errDamaged = errors.New("the file is damaged")

func quickCheck(ctx context.Context, w *sql.DB) error {
	var verdict string
	if err := w.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return fmt.Errorf("%w: %s", errDamaged, verdict)
	}
	return nil
}

// damaged tells a broken file (SQLITE_CORRUPT 11, SQLITE_NOTADB 26) from one
// that is only locked, full or forbidden.
func damaged(err error) bool {
	var e *sqlite.Error
	if errors.As(err, &e) {
		return e.Code()&0xff == 11 || e.Code()&0xff == 26
	}
	return errors.Is(err, errDamaged)
}

// setAside renames the database and its companions to names that say so.
func setAside(path string) (string, error) {
	for i := 1; ; i++ {
		aside := fmt.Sprintf("%s.damaged-%d", path, i)
		if _, err := os.Lstat(aside); err == nil {
			continue
		}
		if err := os.Rename(path, aside); err != nil {
			return "", err
		}
		for _, ext := range []string{"-wal", "-shm"} {
			if err := os.Rename(path+ext, aside+ext); err != nil && !errors.Is(err, os.ErrNotExist) {
				return "", err
			}
		}
		return filepath.Base(aside), nil
	}
}
