package localdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	"condica/sync/op"
	"condica/sync/wire"
)

// openJournal opens the journal and puts back into the log what the database
// does not hold: after a damaged database all of it, after a stop between the
// journal's sync and the commit the last action.
func (db *DB) openJournal(ctx context.Context) (Report, error) {
	path := filepath.Join(db.dir, JournalName)
	records, good, report, err := readJournal(path)
	if err != nil {
		return nil, err
	}
	if db.journal, err = openJournalFile(path, good); err != nil {
		return nil, err
	}
	if len(records) == 0 {
		mark := journalRecord{Device: db.device, Next: db.state.Next, High: db.state.High, Number: db.state.Number}
		return report, db.journal.append(mark)
	}
	restored := 0
	err = db.write(ctx, func(tx *sql.Tx, s *state) error {
		for _, rec := range records {
			n, err := db.replay(ctx, tx, s, rec)
			if err != nil {
				return err
			}
			restored += n
		}
		return nil
	})
	if err != nil {
		return report, err
	}
	if restored > 0 {
		report = append(report, fmt.Sprintf("%d edits were put back from the journal", restored))
	}
	return report, nil
}

// replay puts one record back. Ops of another device (the PC was given a new
// key) stay as that device's.
func (db *DB) replay(ctx context.Context, tx *sql.Tx, s *state, rec journalRecord) (restored int, err error) {
	own := rec.Device == db.device
	if own {
		s.Next, s.High, s.Number = max(s.Next, rec.Next), max(s.High, rec.High), max(s.Number, rec.Number)
	}
	var entries []op.Entry
	for _, raw := range rec.Ops {
		o, err := wire.DecodeOp(rec.Device, raw)
		if err != nil {
			return restored, fmt.Errorf("journal: %w", err)
		}
		e := op.Entry{Op: o, Eff: o.Time}
		if own {
			s.Next, s.High = max(s.Next, o.ID.Seq+1), max(s.High, o.Time)
			s.sawNumber(o)
			if rec.Sealed {
				s.Sealed = max(s.Sealed, o.Time)
			}
		}
		put, err := putBack(ctx, tx, e, raw, rec.Sealed)
		if err != nil {
			return restored, err
		}
		if put {
			restored++
			entries = append(entries, e)
		}
	}
	if err := project(ctx, tx, entries); err != nil {
		return restored, err
	}
	if rec.Key == "" || !own || len(rec.Ops) == 0 {
		return restored, nil
	}
	first, err := wire.DecodeOp(rec.Device, rec.Ops[0])
	if err != nil {
		return restored, err
	}
	_, err = tx.ExecContext(ctx, `INSERT OR IGNORE INTO done (key, action, last) VALUES (?, ?, ?)`,
		rec.Key, first.ID.Seq, first.ID.Seq+uint64(len(rec.Ops))-1)
	return restored, err
}

// putBack writes the op if the log lacks it, or holds only the provisional
// form of one that was sealed.
func putBack(ctx context.Context, tx *sql.Tx, e op.Entry, raw []byte, sealed bool) (bool, error) {
	var held bool
	err := tx.QueryRowContext(ctx, `SELECT sealed FROM op WHERE device = ? AND seq = ?`, e.ID.Device.String(), e.ID.Seq).Scan(&held)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return true, insert(ctx, tx, e, raw, sealed)
	case err != nil:
		return false, err
	case held || !sealed:
		return false, nil
	}
	return true, reseal(ctx, tx, e, raw)
}

func reseal(ctx context.Context, tx *sql.Tx, e op.Entry, raw []byte) error {
	_, err := tx.ExecContext(ctx, `UPDATE op SET raw = ?, eff = ?, sealed = 1 WHERE device = ? AND seq = ?`,
		raw, int64(e.Eff), e.ID.Device.String(), e.ID.Seq)
	return err
}

// Tidy starts a fresh journal when the hub has acknowledged everything and the
// old one has grown. It is called after an answer was saved; the clerk never
// waits for it beyond one write.
func (db *DB) Tidy(ctx context.Context) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.journal.size < compactAt {
		return nil
	}
	var unsent int
	if err := db.w.QueryRowContext(ctx, `SELECT count(*) FROM op WHERE pos IS NULL AND device = ?`, db.device.String()).Scan(&unsent); err != nil || unsent > 0 {
		return err
	}
	return db.journal.restart(journalRecord{Device: db.device, Next: db.state.Next, High: db.state.High, Number: db.state.Number})
}
