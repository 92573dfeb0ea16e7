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
	Doing  func(step string)  // is told what Open begins to do, one of Steps; may be nil
	Doubt  string             // why the database is not to be believed, though it may look well; it is made anew then
}

// Steps of Open that may take long on a slow disk.
const (
	StepCheck   = "check"   // the database is read from end to end
	StepJournal = "journal" // what only the journal holds is put back
	StepAnew    = "anew"    // the database is damaged and is made anew
)

// Steps lists them.
func Steps() []string { return []string{StepCheck, StepJournal, StepAnew} }

// A DB is one open replica. Reads run beside each other and beside the one
// writer; every method may be called from many goroutines.
type DB struct {
	dir     string
	now     func() hlc.Reading
	found   func(say string)
	doing   func(step string)
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
// aside and made anew from the journal, from what can still be read of it, and
// from the hub. Acknowledged actions of which nothing is left here are named in
// the report.
func Open(ctx context.Context, dir string, o Options) (*DB, Report, error) {
	if err := file.Folder(dir); err != nil {
		return nil, nil, fmt.Errorf("open replica: %w", err)
	}
	db := &DB{dir: dir, now: o.Now, found: o.Found}
	if db.found == nil {
		db.found = func(string) {}
	}
	if db.doing = o.Doing; db.doing == nil {
		db.doing = func(string) {}
	}
	db.torn.Store(true) // until it has been looked through
	report, err := db.start(ctx, o.Device, o.Doubt)
	if err == nil {
		return db, report, nil
	}
	if !file.Damaged(err) {
		return nil, report, fmt.Errorf("open replica: %w", err)
	}
	db.doing(StepAnew)
	aside, moveErr := db.setAside()
	if moveErr != nil {
		return nil, nil, fmt.Errorf("open replica: %w; setting it aside: %w", err, moveErr)
	}
	said := Report{fmt.Sprintf("the replica was damaged (%v) and was set aside as %s; it is made anew from the journal and the hub", err, aside)}
	report, err = db.start(ctx, o.Device, "")
	if err != nil {
		return nil, append(said, report...), fmt.Errorf("make replica anew: %w", err)
	}
	return db, append(said, report...), nil
}

// start opens both files and brings each up to the other. Where it fails,
// nothing stays open.
func (db *DB) start(ctx context.Context, device hlc.Device, doubt string) (report Report, err error) {
	if doubt != "" {
		return nil, fmt.Errorf("%w: %s", file.ErrDamaged, doubt)
	}
	defer func() {
		if err != nil && db.journal != nil {
			err = errors.Join(err, db.journal.Close())
			db.journal = nil
		}
		if err != nil {
			err = errors.Join(err, db.closeDB())
		}
	}()
	begun, aside, err := db.begun()
	if err != nil {
		return nil, err
	}
	db.doing(StepCheck)
	if err := db.openDB(ctx); err != nil {
		return nil, err
	}
	db.doing(StepJournal)
	report, err = db.openJournal(ctx, device, finds{begun: begun, aside: aside, state: db.state})
	if err != nil {
		return report, fmt.Errorf("open journal: %w", err)
	}
	err = db.settle(ctx, func(t *rtx) error {
		t.s.Gap = true // until it has been looked for
		return replica.LookForGap(t)
	})
	if err == nil {
		err = db.mendWaiting(ctx)
	}
	if err == nil && (!begun || aside != "") {
		err = db.note("")
	}
	return report, err
}

// openJournal opens the journal, puts back into the log what the database does
// not hold, and finds out what neither of them holds.
func (db *DB) openJournal(ctx context.Context, device hlc.Device, f finds) (report Report, err error) {
	j, records, report, err := journal.Open(folder(db.dir), JournalName)
	if err != nil {
		return nil, err
	}
	f.take(ctx, records, j.Found(), device)
	var got replica.Replayed
	var lost string
	unsent := 0
	err = db.settle(ctx, func(t *rtx) (err error) {
		if t.s.Device == (hlc.Device{}) {
			t.s.Device = f.device
		}
		if got, err = replica.Replay(t, f.all()); err != nil {
			return err
		}
		f.unread = got.Unread
		if lost, err = f.lost(t); err != nil {
			return err
		}
		unsent, err = t.CountWaiting(false, 1_000_000)
		return err
	})
	db.journal = j
	if err != nil {
		return report, err
	}
	report = append(f.torn(report), f.say(got, unsent)...)
	if lost != "" {
		report = append(report, lost)
	}
	if len(records) > 0 && !f.harmed() && len(f.saved.ops) == 0 && records[len(records)-1].Device == db.Device() {
		return report, nil
	}
	kept, err := db.renewJournal(ctx, f)
	if file.Full(err) {
		return report, nil // as it is it can be read and added to; it is begun anew when there is room
	}
	return append(report, kept...), err
}

// settle writes what the start has found. On a full disk a desk opens all the
// same, to be read, where nothing has to be put back: the state stays in memory
// until there is room.
func (db *DB) settle(ctx context.Context, f func(*rtx) error) error {
	err := db.write(ctx, f)
	if !errors.Is(err, ErrFull) {
		return err
	}
	var s replica.State
	looked := db.look(ctx, func(t *rtx) error {
		err := f(t)
		s = *t.s
		return err
	})
	if looked != nil {
		return err
	}
	db.setState(s)
	return nil
}

// renewJournal begins the journal anew: what it lost is copied once more from
// the database; and one that is of before this PC took another name goes.
func (db *DB) renewJournal(ctx context.Context, f finds) (Report, error) {
	kept, err := db.keepJournal(f)
	if err != nil {
		return nil, err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	return kept, db.restartJournal(ctx)
}

// keepJournal copies a damaged journal before it is begun anew: a person may
// read in it what no program can. One of which only the end is missing that was
// never acknowledged holds nothing of that kind.
func (db *DB) keepJournal(f finds) (Report, error) {
	if !f.harmed() || f.onlyTorn() {
		return nil, nil
	}
	path, err := freeName(filepath.Join(db.dir, JournalName))
	if err != nil {
		return nil, err
	}
	if err := db.journal.Keep(filepath.Base(path)); err != nil {
		return nil, fmt.Errorf("keep the damaged journal: %w", errors.Join(err, os.Remove(path)))
	}
	return Report{"the journal is begun anew; as it was found it is kept as " + filepath.Base(path)}, nil
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
	err := db.file.Close()
	db.file = nil
	return err
}

func (db *DB) openDB(ctx context.Context) error {
	steps, err := fs.Sub(schema, "schema")
	if err != nil {
		return err
	}
	f, err := file.Open(ctx, file.Spec{Path: filepath.Join(db.dir, DBName), AppID: applicationID, Schema: steps, CacheKB: 4096, Whole: true})
	if err != nil {
		return err
	}
	db.file, db.r, db.tx = f, f.R, &txn{pool: f.W}
	if err := errors.Join(db.tx.connect(ctx), db.loadState(ctx)); err != nil {
		return errors.Join(err, db.closeDB())
	}
	return nil
}
