package localdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"condica/localdb/file"
	"condica/sync/hlc"
	"condica/sync/wire"
)

// state is where this PC stands; it is written as one meta row in the
// transaction it belongs to.
type state struct {
	Office  string   `json:"office"`
	Desk    int      `json:"desk"`    // this PC's number in the office, for registration numbers
	Next    uint64   `json:"next"`    // Seq of the next own op
	High    hlc.Time `json:"high"`    // the clock's high-water mark
	Sealed  hlc.Time `json:"sealed"`  // the last own Time sent out
	Number  int      `json:"number"`  // the last registration number given here
	Epoch   string   `json:"epoch"`   // of the hub
	Cursor  int64    `json:"cursor"`  // the last position held without a gap
	Head    int64    `json:"head"`    // the hub's last position, as last heard
	LastOK  int64    `json:"last"`    // hub ms of the last answer saved
	Floor   int64    `json:"floor"`   // hub ms of the last answer after which every edit without its time was written
	Keys    []byte   `json:"keys"`    // the hub's booking keys, as sent
	Counter uint64   `json:"counter"` // requests are counted below this number
	Gap     bool     `json:"gap"`     // the log lacks own ops below Next: the hub is asked for all of them
}

func (db *DB) loadState(ctx context.Context) error {
	s, err := readState(ctx, db.r)
	if err != nil {
		return err
	}
	s.Next = max(s.Next, 1)
	db.state = s
	return nil
}

type queryer interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

func readState(ctx context.Context, q queryer) (s state, err error) {
	var text string
	switch err := q.QueryRowContext(ctx, `SELECT value FROM meta WHERE key = 'state'`).Scan(&text); {
	case errors.Is(err, sql.ErrNoRows):
		return s, nil
	case err != nil:
		return s, fmt.Errorf("read state: %w", err)
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("%w: state: %w", file.ErrDamaged, err)
	}
	return s, nil
}

func writeState(ctx context.Context, tx *txn, s state) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO meta (key, value) VALUES ('state', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value`, string(text))
	return err
}

// write runs one writing transaction: f works on a copy of the state, which
// becomes the state when the commit has reached the disk.
func (db *DB) write(ctx context.Context, f func(tx *txn, s *state) error) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	s := db.state
	mark := db.journal.mark()
	err := db.tx.run(ctx, func() error {
		if err := f(db.tx, &s); err != nil {
			return err
		}
		return writeState(ctx, db.tx, s)
	})
	if err == nil {
		db.state = s
		return nil
	}
	if e := db.journal.rewind(mark); e != nil {
		return errors.Join(err, e)
	}
	return err
}

// Office is where this PC was enrolled; empty: nowhere yet.
func (db *DB) Office(ctx context.Context) (string, error) {
	s, err := readState(ctx, db.r)
	return s.Office, err
}

// SetOffice notes what enrolment said: the office and this PC's number in it.
func (db *DB) SetOffice(ctx context.Context, e wire.Enrolled) error {
	return db.write(ctx, func(_ *txn, s *state) (err error) {
		if s.Office != "" && s.Office != e.Office {
			return fmt.Errorf("this replica holds office %s and cannot take in office %s", s.Office, e.Office)
		}
		s.Office, s.Desk = e.Office, e.Desk
		if s.Keys, err = json.Marshal(e.Keys); err != nil {
			return err
		}
		// A replica made anew from the journal must know whose it is.
		return db.journal.append(db.markOf(*s))
	})
}

func (db *DB) anchors(ctx context.Context, q queryer) (hlc.Anchors, error) {
	rows, err := q.QueryContext(ctx, `SELECT boot, up, hub, wall, err FROM anchor`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	as := hlc.Anchors{}
	for rows.Next() {
		var a hlc.Anchor
		if err := rows.Scan(&a.Boot, &a.Up, &a.Hub, &a.Wall, &a.Err); err != nil {
			return nil, err
		}
		as[a.Boot] = a
	}
	return as, rows.Err()
}
