package localdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"condica/spclep"
	"condica/sync/op"
	"condica/sync/wire"
)

// giveWay: the hub holds this PC's log up to have, and here are edits under
// those numbers that were never sent: the PC was set back to an earlier state
// (a restored disk, a lost data folder) and clerks went on before it reached the
// hub. Nobody has seen their numbers yet, so they move behind the hub's.
func (db *DB) giveWay(ctx context.Context, tx *txn, s *state, have uint64) error {
	s.Gap = s.Gap || have >= s.Next
	s.Next = max(s.Next, have+1)
	var first sql.NullInt64
	err := tx.QueryRowContext(ctx, `SELECT min(seq) FROM op WHERE device = ? AND sealed = 0 AND pos IS NULL AND verdict = '' AND seq <= ?`,
		db.device.String(), have).Scan(&first)
	if err != nil || !first.Valid {
		return err
	}
	from := uint64(first.Int64)
	entries, err := scanEntries(tx.QueryContext(ctx, `SELECT device, seq, eff, 0, sealed, raw FROM op
		WHERE device = ? AND sealed = 0 AND pos IS NULL AND verdict = '' AND seq >= ? ORDER BY seq`, db.device.String(), from))
	if err != nil {
		return err
	}
	rec := journalRecord{Device: db.device, Moved: from}
	by := s.Next - from
	for i := range entries {
		moveBy(&entries[i].Op, from, by)
		raw, err := wire.EncodeOp(entries[i].Op)
		if err != nil {
			return err
		}
		rec.Ops = append(rec.Ops, raw)
	}
	s.Next = entries[len(entries)-1].ID.Seq + 1
	if err := db.takeOut(ctx, tx, rec); err != nil {
		return err
	}
	for i, e := range entries {
		if err := insert(ctx, tx, e, rec.Ops[i], false); err != nil {
			return err
		}
	}
	return db.journal.append(rec)
}

// moveBy gives an op and what it says of other moved ops the new numbers.
func moveBy(o *op.Op, from, by uint64) {
	moved := func(id op.ID) op.ID {
		if id.Device == o.ID.Device && id.Seq >= from {
			id.Seq += by
		}
		return id
	}
	o.Action = moved(o.ActionID()).Seq
	for i := range o.Base {
		o.Base[i] = moved(o.Base[i])
	}
	var undone spclep.UndoneValue
	if o.Fact && o.Cell.Field == spclep.Undone && json.Unmarshal(o.Value, &undone) == nil {
		if id, err := op.ParseID(undone.Action); err == nil && moved(id) != id {
			o.Value = fmt.Appendf(nil, `{"x":%q}`, moved(id))
		}
	}
	o.ID.Seq += by
}

// takeOut removes the moved ops under their old numbers, and lets the requests
// that made them answer with the new ones.
func (db *DB) takeOut(ctx context.Context, tx *txn, rec journalRecord) error {
	if len(rec.Ops) == 0 {
		return errors.New("ops were moved, but none is named")
	}
	first, err := wire.DecodeOp(rec.Device, rec.Ops[0])
	if err != nil {
		return err
	}
	by := first.ID.Seq - rec.Moved
	if _, err := tx.ExecContext(ctx, `DELETE FROM op WHERE device = ? AND seq >= ? AND seq < ? AND sealed = 0`, db.device.String(), rec.Moved, first.ID.Seq); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE done SET action = action + ?1, last = last + ?1 WHERE action >= ?2 AND action < ?3`, by, rec.Moved, first.ID.Seq)
	return err
}

// lookForGap finds out whether the own log is whole here, where that is in
// doubt.
func (db *DB) lookForGap(ctx context.Context, tx *txn, s *state) error {
	if !s.Gap {
		return nil
	}
	var held uint64
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM op WHERE device = ?`, db.device.String()).Scan(&held)
	s.Gap = held != max(s.Next, 1)-1
	return err
}
