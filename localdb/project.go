package localdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"condica/localdb/file"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// project writes anew the row of every booking that entries touch. Own and
// pulled ops take this same way.
func project(ctx context.Context, tx *sql.Tx, entries []op.Entry) error {
	done := map[string]bool{}
	for _, e := range entries {
		if e.Cell.Kind != record.Kind || done[e.Cell.Entity] {
			continue
		}
		done[e.Cell.Entity] = true
		b, err := booking(ctx, tx, spclep.BookingID(e.Cell.Entity))
		if err != nil {
			return err
		}
		if err := writeRow(ctx, tx, record.RowOf(b)); err != nil {
			return fmt.Errorf("project booking %s: %w", b.ID, err)
		}
	}
	return nil
}

// booking folds all entries of one booking.
func booking(ctx context.Context, q queryer, id spclep.BookingID) (record.Booking, error) {
	entries, err := scanEntries(q.QueryContext(ctx, `SELECT device, seq, eff, coalesce(pos, 0), sealed, raw FROM op WHERE kind = ? AND entity = ? AND verdict = ''`, record.Kind, string(id)))
	if err != nil {
		return record.Booking{}, fmt.Errorf("read booking %s: %w", id, err)
	}
	return record.Of(id, entries), nil
}

// scanEntries reads rows of device, seq, eff, pos, sealed, raw.
func scanEntries(rows *sql.Rows, err error) ([]op.Entry, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []op.Entry
	for rows.Next() {
		e, err := scanEntry(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

func scanEntry(rows *sql.Rows) (op.Entry, error) {
	var (
		device   string
		seq      uint64
		eff, pos int64
		sealed   bool
		raw      []byte
	)
	if err := rows.Scan(&device, &seq, &eff, &pos, &sealed, &raw); err != nil {
		return op.Entry{}, err
	}
	d, err := hlc.ParseDevice(device)
	if err != nil {
		return op.Entry{}, fmt.Errorf("%w: op %s:%d: %w", file.ErrDamaged, device, seq, err)
	}
	o, err := wire.DecodeOp(d, raw)
	if err != nil {
		return op.Entry{}, fmt.Errorf("%w: op %s:%d: %w", file.ErrDamaged, device, seq, err)
	}
	if !sealed {
		o.Signed = nil
	}
	return op.Entry{Op: o, Eff: hlc.Time(eff), Pos: pos}, nil
}

// A Row is a booking as lists show it.
type Row = record.Row

func writeRow(ctx context.Context, tx *sql.Tx, r Row) error {
	var n int64
	var words string
	err := tx.QueryRowContext(ctx, `SELECT n, words FROM booking WHERE id = ?`, string(r.ID)).Scan(&n, &words)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	isNew := err != nil
	args := []any{string(r.ID), int64(r.Day), int64(r.At), r.Name, r.Email, string(r.Reason), r.Origin, string(r.State),
		r.Number, string(r.Product), string(r.Pickup), int64(r.Due), r.Person, r.Changed, r.Words}
	if isNew {
		res, err := tx.ExecContext(ctx, `INSERT INTO booking (id, day, at, name, email, reason, origin, state, number, product, pickup, due, person, changed, words)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, args...)
		if err != nil {
			return err
		}
		if n, err = res.LastInsertId(); err != nil {
			return err
		}
	} else if _, err := tx.ExecContext(ctx, `UPDATE booking SET id = ?, day = ?, at = ?, name = ?, email = ?, reason = ?, origin = ?, state = ?,
			number = ?, product = ?, pickup = ?, due = ?, person = ?, changed = ?, words = ? WHERE n = ?`, append(args, n)...); err != nil {
		return err
	}
	if !isNew && words == r.Words {
		return nil
	}
	_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO booking_fts (rowid, words) VALUES (?, ?)`, n, r.Words)
	return err
}
