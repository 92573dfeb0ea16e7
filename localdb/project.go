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
func project(ctx context.Context, tx *txn, entries []op.Entry) error {
	touched := map[string][]op.Entry{}
	var order []string
	for _, e := range entries {
		if e.Cell.Kind != record.Kind {
			continue
		}
		if touched[e.Cell.Entity] == nil {
			order = append(order, e.Cell.Entity)
		}
		touched[e.Cell.Entity] = append(touched[e.Cell.Entity], e)
	}
	for _, id := range order {
		if err := projectOne(ctx, tx, spclep.BookingID(id), touched[id]); err != nil {
			return fmt.Errorf("project booking %s: %w", id, err)
		}
	}
	return nil
}

// projectOne folds the booking out of the log; one that has no row yet has no
// ops but these, and need not be read.
func projectOne(ctx context.Context, tx *txn, id spclep.BookingID, entries []op.Entry) error {
	var n int64
	var words string
	err := tx.QueryRowContext(ctx, `SELECT n, words FROM booking WHERE id = ?`, string(id)).Scan(&n, &words)
	if errors.Is(err, sql.ErrNoRows) {
		return insertRow(ctx, tx, record.RowOf(record.Of(id, entries)))
	}
	if err != nil {
		return err
	}
	b, err := booking(ctx, tx, id)
	if err != nil {
		return err
	}
	return updateRow(ctx, tx, n, words, record.RowOf(b))
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

func insertRow(ctx context.Context, tx *txn, r Row) error {
	res, err := tx.ExecContext(ctx, `INSERT INTO booking (id, day, at, name, email, reason, origin, state, number, product, pickup, due, person, changed, words)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, columns(r)...)
	if err != nil {
		return err
	}
	n, err := res.LastInsertId()
	if err != nil {
		return err
	}
	return index(ctx, tx, n, r.Words)
}

func updateRow(ctx context.Context, tx *txn, n int64, words string, r Row) error {
	if _, err := tx.ExecContext(ctx, `UPDATE booking SET id = ?, day = ?, at = ?, name = ?, email = ?, reason = ?, origin = ?, state = ?,
			number = ?, product = ?, pickup = ?, due = ?, person = ?, changed = ?, words = ? WHERE n = ?`, append(columns(r), n)...); err != nil {
		return err
	}
	if words == r.Words {
		return nil
	}
	return index(ctx, tx, n, r.Words)
}

func columns(r Row) []any {
	return []any{string(r.ID), int64(r.Day), int64(r.At), r.Name, r.Email, string(r.Reason), r.Origin, string(r.State),
		r.Number, string(r.Product), string(r.Pickup), int64(r.Due), r.Person, r.Changed, r.Words}
}

func index(ctx context.Context, tx *txn, n int64, words string) error {
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO booking_fts (rowid, words) VALUES (?, ?)`, n, words)
	return err
}
