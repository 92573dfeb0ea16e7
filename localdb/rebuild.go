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
		if err := db.journal.append(db.markOf(db.state)); err != nil {
			return report, err
		}
		n, err := db.copyOutbox(ctx)
		if n > 0 {
			report = append(report, fmt.Sprintf("the journal was missing; %d unsent edits were copied into a new one", n))
		}
		return report, err
	}
	restored, damaged := 0, len(report) > 0
	err = db.write(ctx, func(tx *txn, s *state) error {
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
	if damaged {
		_, err = db.copyOutbox(ctx)
	}
	return report, err
}

// copyOutbox writes what the hub has not acknowledged into the journal once
// more: after damage the journal holds less than the database.
func (db *DB) copyOutbox(ctx context.Context) (copied int, err error) {
	rows, err := db.tx.QueryContext(ctx, `SELECT sealed, raw FROM op WHERE device = ? AND pos IS NULL ORDER BY seq`, db.device.String())
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	rec, size := journalRecord{Device: db.device}, 0
	flush := func() error {
		if len(rec.Ops) == 0 {
			return nil
		}
		copied += len(rec.Ops)
		full := rec
		rec.Ops, size = nil, 0
		return db.journal.append(full)
	}
	for rows.Next() {
		var sealed bool
		var raw []byte
		if err := rows.Scan(&sealed, &raw); err != nil {
			return copied, err
		}
		if sealed != rec.Sealed || size+len(raw) > maxSeal {
			if err := flush(); err != nil {
				return copied, err
			}
		}
		rec.Sealed, rec.Ops, size = sealed, append(rec.Ops, raw), size+len(raw)
	}
	return copied, errors.Join(rows.Err(), flush())
}

// markOf is what a replica that has only the journal must know to go on.
func (db *DB) markOf(s state) journalRecord {
	return journalRecord{Device: db.device, Next: s.Next, High: s.High, Number: s.Number, Office: s.Office, Desk: s.Desk, Keys: s.Keys}
}

// replay puts one record back. Ops of another device (the PC was given a new
// key) stay as that device's.
func (db *DB) replay(ctx context.Context, tx *txn, s *state, rec journalRecord) (restored int, err error) {
	own := rec.Device == db.device
	if rec.Moved > 0 && own {
		if err := db.takeOut(ctx, tx, rec); err != nil {
			return 0, err
		}
	}
	if own {
		s.Next, s.High, s.Number = max(s.Next, rec.Next), max(s.High, rec.High), max(s.Number, rec.Number)
		if s.Office == "" {
			s.Office, s.Desk, s.Keys = rec.Office, rec.Desk, rec.Keys
		}
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
func putBack(ctx context.Context, tx *txn, e op.Entry, raw []byte, sealed bool) (bool, error) {
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

func reseal(ctx context.Context, tx *txn, e op.Entry, raw []byte) error {
	_, err := tx.ExecContext(ctx, `UPDATE op SET raw = ?, eff = ?, sealed = 1 WHERE device = ? AND seq = ?`,
		raw, int64(e.Eff), e.ID.Device.String(), e.ID.Seq)
	return err
}

// Tidy starts a fresh journal when the hub has answered everything and the old
// one has grown; what it refused stays in it. It is called after an answer was saved; the clerk never
// waits for it beyond one write.
func (db *DB) Tidy(ctx context.Context) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.journal.size < compactAt {
		return nil
	}
	var unsent, refused int // ops, bytes
	err := db.tx.QueryRowContext(ctx, `SELECT coalesce(sum(verdict = ''), 0), coalesce(sum(length(raw)), 0) FROM op WHERE pos IS NULL AND device = ?`, db.device.String()).Scan(&unsent, &refused)
	if err != nil || unsent > 0 || refused > compactAt/2 {
		return err
	}
	if err := db.journal.restart(db.markOf(db.state)); err != nil {
		return err
	}
	_, err = db.copyOutbox(ctx)
	return err
}
