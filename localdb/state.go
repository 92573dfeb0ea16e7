package localdb

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"condica/localdb/file"
	"condica/sync/hlc"
	"condica/sync/replica"
	"condica/sync/wire"
)

func (db *DB) loadState(ctx context.Context) error {
	s, err := readState(ctx, db.r)
	if err != nil {
		return err
	}
	s.Next = max(s.Next, 1)
	db.setState(s)
	return nil
}

// setState is called under mu, or before anybody else knows the DB.
func (db *DB) setState(s replica.State) {
	db.state = s
	db.device.Store(&s.Device)
}

// Device is this PC as it writes.
func (db *DB) Device() hlc.Device { return *db.device.Load() }

// me is its name in the table op.
func (db *DB) me() string { return db.Device().String() }

type queryer interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

func readState(ctx context.Context, q queryer) (s replica.State, err error) {
	var text string
	switch err := q.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'state'`).Scan(&text); {
	case errors.Is(err, sql.ErrNoRows):
		return s, nil
	case err != nil:
		return s, fmt.Errorf("read state: %w", err)
	}
	if !sealFits(text) {
		return s, fmt.Errorf("%w: the checksum of the state does not fit it", file.ErrDamaged)
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("%w: state: %w", file.ErrDamaged, err)
	}
	return s, nil
}

// The state's text ends with its own checksum, as one more field: a bit that
// changes in the name of this PC, or in its numbers, must not be believed.
const sumField = `,"sum":"`

func seal(text []byte) string {
	text = bytes.TrimSuffix(text, []byte("}"))
	return fmt.Sprintf(`%s%s%08x"}`, text, sumField, crc32.Checksum(text, castagnoli))
}

// sealFits is true also of a text written before there was a checksum.
func sealFits(text string) bool {
	at := len(text) - len(sumField) - len(`01234567"}`)
	if at < 0 || text[at:at+len(sumField)] != sumField {
		return !strings.Contains(text, sumField)
	}
	return text == seal([]byte(text[:at]))
}

func writeState(ctx context.Context, tx *txn, s replica.State) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ('state', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, seal(text))
	return err
}

// write runs one writing transaction: f works on a copy of the state, which
// becomes the state when the commit has reached the disk.
func (db *DB) write(ctx context.Context, f func(*rtx) error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.writeLocked(ctx, f)
}

func (db *DB) writeLocked(ctx context.Context, f func(*rtx) error) error {
	s := db.state
	var mark int64
	if db.journal != nil {
		mark = db.journal.Size()
	}
	err := db.tx.run(ctx, func() error {
		if err := f(&rtx{view: view{ctx: ctx, q: db.tx, s: &s, torn: &db.torn}, db: db}); err != nil {
			return err
		}
		return writeState(ctx, db.tx, s)
	})
	if err == nil {
		db.setState(s)
		return nil
	}
	if file.Full(err) {
		err = fmt.Errorf("%w: %w", ErrFull, err)
	}
	if db.journal == nil {
		return err
	}
	if e := db.journal.Rewind(mark); e != nil {
		return errors.Join(err, e)
	}
	return err
}

// ErrFull: nothing was written, because the disk has no room for it. With room
// again the same is done as ever.
var ErrFull = errors.New("the disk is full")

// look runs f over one moment of the replica, beside the writer. What f tries to
// write ends as errReadOnly; what it does to the state is not kept.
func (db *DB) look(ctx context.Context, f func(*rtx) error) error {
	tx, err := db.r.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	s, err := readState(ctx, tx)
	if err != nil {
		return err
	}
	return f(&rtx{view: view{ctx: ctx, q: tx, s: &s, torn: &db.torn}})
}

// Look lets f read one moment of the replica, beside the writer.
func (db *DB) Look(ctx context.Context, f func(replica.Tx) error) error {
	return db.look(ctx, func(t *rtx) error { return f(t) })
}

var errReadOnly = errors.New("this is only a look at the replica")

// Office is where this PC was enrolled; empty: nowhere yet.
func (db *DB) Office(ctx context.Context) (string, error) {
	s, err := readState(ctx, db.r)
	return s.Office, err
}

// SetOffice notes what enrolment said: the office and this PC's number in it.
func (db *DB) SetOffice(ctx context.Context, e wire.Enrolled) error {
	return db.write(ctx, func(t *rtx) (err error) {
		s := t.s
		if s.Office != "" && s.Office != e.Office {
			return fmt.Errorf("this replica holds office %s and cannot take in office %s", s.Office, e.Office)
		}
		if s.Desk != e.Desk {
			s.Number = 0
		}
		s.Office, s.Desk = e.Office, e.Desk
		if s.Keys, err = json.Marshal(e.Keys); err != nil {
			return err
		}
		// A replica made anew from the journal must know whose it is.
		return t.Journal(s.Mark())
	})
}

// Rekey lets this PC go on under the name that the hub has given it, with all
// that is unsent (replica.Rekey).
func (db *DB) Rekey(ctx context.Context, e wire.Enrolled) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	var fresh []replica.Record
	err := db.writeLocked(ctx, func(t *rtx) (err error) {
		if err := replica.Rekey(t, e); err != nil {
			return err
		}
		if t.s.Keys, err = json.Marshal(e.Keys); err != nil {
			return err
		}
		fresh, err = replica.Fresh(t)
		return err
	})
	if err != nil {
		return fmt.Errorf("take the new name: %w", err)
	}
	return db.journal.Restart(fresh)
}

// UnsentMarks says, for the hub, what is held here of the own log without its
// answer.
func (db *DB) UnsentMarks(ctx context.Context) (out []wire.Unsent, err error) {
	err = db.look(ctx, func(t *rtx) (err error) {
		out, err = replica.UnsentMarks(t)
		return err
	})
	return out, err
}
