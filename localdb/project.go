package localdb

import (
	"database/sql"
	"errors"
	"fmt"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/op"
	"condica/sync/wire"
)

// Project writes anew the row of every booking that entries touch. Own and
// pulled ops take this same way.
func (t *rtx) Project(entries []op.Entry) error {
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
		if err := t.projectOne(spclep.BookingID(id), touched[id]); err != nil {
			return fmt.Errorf("project booking %s: %w", id, err)
		}
	}
	return nil
}

// projectOne folds the booking out of the log. One that has no row yet has most
// often no ops but these, and need not be read.
func (t *rtx) projectOne(id spclep.BookingID, entries []op.Entry) error {
	var n, held, gone int64
	var words string
	err := t.q.QueryRowContext(t.ctx, `SELECT n, words FROM booking WHERE id = ?`, string(id)).Scan(&n, &words)
	isNew := errors.Is(err, sql.ErrNoRows)
	if err != nil && !isNew {
		return err
	}
	if isNew {
		if err := t.q.QueryRowContext(t.ctx, `SELECT count(*), coalesce(sum(gone), 0) FROM op WHERE kind = ? AND entity = ?`, record.Kind, string(id)).Scan(&held, &gone); err != nil {
			return err
		}
		switch {
		case held == 0 || gone > 0:
			return nil // let go: what comes late is not shown again
		case held == int64(len(entries)):
			return t.insertRow(record.RowOf(record.Of(id, entries)))
		}
	}
	b, err := t.booking(id)
	switch {
	case err != nil:
		return err
	case len(b.Facts)+len(b.History) == 0:
		return t.Forget(id)
	case isNew:
		return t.insertRow(record.RowOf(b))
	}
	return t.updateRow(n, words, record.RowOf(b))
}

// Forget takes the booking out of lists and search.
func (t *rtx) Forget(id spclep.BookingID) error {
	var n int64
	err := t.q.QueryRowContext(t.ctx, `SELECT n FROM booking WHERE id = ?`, string(id)).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil {
		err = t.run(`DELETE FROM booking_fts WHERE rowid = ?`, n)
	}
	if err == nil {
		err = t.run(`DELETE FROM booking WHERE n = ?`, n)
	}
	return err
}

// booking folds all entries of one booking. What was refused does not count; an
// own edit whose number another machine has used does, and is about to get a
// number of its own. An op that cannot be read is left
// out until the hub has sent it again: the rest of the booking is needed now.
func (v *view) booking(id spclep.BookingID) (record.Booking, error) {
	ks, err := v.kept(`SELECT `+keptColumns+` FROM op WHERE kind = ? AND entity = ? AND gone = 0 AND (verdict = '' OR verdict = ? AND device = ?)`,
		record.Kind, string(id), wire.Clash, v.me())
	if err != nil {
		return record.Booking{}, fmt.Errorf("read booking %s: %w", id, err)
	}
	entries := make([]op.Entry, len(ks))
	for i, k := range ks {
		entries[i] = k.Entry
	}
	return record.Of(id, entries), nil
}

// A Row is a booking as lists show it.
type Row = record.Row

func (t *rtx) insertRow(r Row) error {
	if t.db == nil {
		return errReadOnly
	}
	res, err := t.db.tx.ExecContext(t.ctx, `INSERT INTO booking (id, day, at, name, email, reason, origin, state, number, product, pickup, due, person, changed, words)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, columns(r)...)
	if err != nil {
		return err
	}
	n, err := res.LastInsertId()
	if err != nil {
		return err
	}
	return t.index(n, r.Words)
}

func (t *rtx) updateRow(n int64, words string, r Row) error {
	if err := t.run(`UPDATE booking SET id = ?, day = ?, at = ?, name = ?, email = ?, reason = ?, origin = ?, state = ?,
			number = ?, product = ?, pickup = ?, due = ?, person = ?, changed = ?, words = ? WHERE n = ?`, append(columns(r), n)...); err != nil {
		return err
	}
	if words == r.Words {
		return nil
	}
	return t.index(n, r.Words)
}

func columns(r Row) []any {
	return []any{string(r.ID), int64(r.Day), int64(r.At), r.Name, r.Email, string(r.Reason), r.Origin, string(r.State),
		r.Number, string(r.Product), string(r.Pickup), int64(r.Due), r.Person, r.Changed, r.Words}
}

func (t *rtx) index(n int64, words string) error {
	return t.run(`INSERT OR REPLACE INTO booking_fts (rowid, words) VALUES (?, ?)`, n, words)
}
