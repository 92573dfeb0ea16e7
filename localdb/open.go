// Package localdb is one office's replica in SQLite: the ops, what they add up
// to, the outbox and its journal, search, and repair. It decides nothing: who
// may edit is agent/desk's word, which edit wins is op's, what an answer changes
// is sync/replica's, when to talk is peer's. It opens no socket.
package localdb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"condica/localdb/file"
	"condica/localdb/journal"
	"condica/sync/hlc"
	"condica/sync/replica"
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
	Device hlc.Device         // this PC, if the replica does not know yet who it is
	Now    func() hlc.Reading // the PC's clocks
	Found  func(say string)   // is told what Scrub has found and put right; may be nil
	Doubt  string             // why the database is not to be believed, though it may look well; it is made anew then
}

// A DB is one open replica. Reads run beside each other and beside the one
// writer; every method may be called from many goroutines.
type DB struct {
	dir     string
	now     func() hlc.Reading
	found   func(say string)
	file    *file.File
	r       *sql.DB // of file
	tx      *txn    // on file's writer, under mu
	journal *journal.Journal

	device atomic.Pointer[hlc.Device]
	torn   atomic.Bool // a row could not be read: the log is to be looked through

	mu      sync.Mutex    // held by the one writing transaction
	state   replica.State // as of the last commit; read and written under mu
	counter uint64        // the first number of the reserved block of request numbers, under mu

	scrub    sync.Mutex // over the three below
	pass     replica.Pass
	row      int64 // booking rows were checked up to this one
	compared int64 // Up when the journal was last held against the log
}

// A Report says what Open found and mended, in sentences for the log and the
// status page; empty when all was in order.
type Report []string

// Open opens or makes the replica in dir. A database that is damaged is set
// aside and made anew from the journal; the hub fills in the rest. Acknowledged
// actions that are in neither are named in the report.
func Open(ctx context.Context, dir string, o Options) (*DB, Report, error) {
	if err := file.Folder(dir); err != nil {
		return nil, nil, fmt.Errorf("open replica: %w", err)
	}
	db := &DB{dir: dir, now: o.Now, found: o.Found}
	if db.found == nil {
		db.found = func(string) {}
	}
	db.torn.Store(true) // until it has been looked through
	var report Report
	if err := db.openTrusted(ctx, o.Doubt); err != nil {
		if !file.Damaged(err) {
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
	more, err := db.openJournal(ctx, o.Device)
	if err != nil {
		db.closeDB()
		return nil, report, fmt.Errorf("open journal: %w", err)
	}
	if err := db.write(ctx, func(t *rtx) error {
		t.s.Gap = true // until it has been looked for
		return replica.LookForGap(t)
	}); err != nil {
		return nil, report, errors.Join(fmt.Errorf("open replica: %w", err), db.Close())
	}
	return db, append(report, more...), nil
}

// openJournal opens the journal and puts back into the log what the database
// does not hold.
func (db *DB) openJournal(ctx context.Context, device hlc.Device) (Report, error) {
	j, records, torn, err := journal.Open(folder(db.dir), JournalName)
	if err != nil {
		return nil, err
	}
	report := Report(torn)
	if len(records) > 0 {
		device = records[len(records)-1].Device
	}
	var got replica.Replayed
	unsent := 0
	err = db.write(ctx, func(t *rtx) (err error) {
		if t.s.Device == (hlc.Device{}) {
			t.s.Device = device
		}
		if got, err = replica.Replay(t, records); err != nil {
			return err
		}
		unsent, err = t.CountWaiting(false, 1_000_000)
		return err
	})
	db.journal = j
	if err != nil {
		return report, errors.Join(err, j.Close())
	}
	if got.Restored > 0 {
		report = append(report, fmt.Sprintf("%d edits were put back from the journal", got.Restored))
	}
	if got.Mended > 0 {
		report = append(report, fmt.Sprintf("%d unsent edits were damaged in the replica and were put right from the journal", got.Mended))
	}
	if len(records) > 0 && len(torn) == 0 && device == db.Device() {
		return report, nil
	}
	if len(records) == 0 && unsent > 0 {
		report = append(report, fmt.Sprintf("the journal was missing; %d unsent edits were copied into a new one", unsent))
	}
	// What the journal lost is copied once more from the database; and one that is
	// of before this PC took another name is begun anew.
	db.mu.Lock()
	defer db.mu.Unlock()
	return report, db.restartJournal(ctx)
}

// Close closes the files. What was acknowledged is already on disk.
func (db *DB) Close() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	return errors.Join(db.closeDB(), db.journal.Close())
}

func (db *DB) closeDB() error {
	if db.file == nil {
		return nil
	}
	db.tx.close()
	return db.file.Close()
}

func (db *DB) openTrusted(ctx context.Context, doubt string) error {
	if doubt != "" {
		return fmt.Errorf("%w: %s", file.ErrDamaged, doubt)
	}
	return db.openDB(ctx)
}

func (db *DB) openDB(ctx context.Context) error {
	steps, err := fs.Sub(schema, "schema")
	if err != nil {
		return err
	}
	f, err := file.Open(ctx, file.Spec{Path: filepath.Join(db.dir, DBName), AppID: applicationID, Schema: steps, CacheKB: 4096})
	if err != nil {
		return err
	}
	db.file, db.r, db.tx = f, f.R, &txn{pool: f.W}
	if err := errors.Join(db.tx.connect(ctx), db.loadState(ctx)); err != nil {
		return errors.Join(err, db.closeDB())
	}
	return nil
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
