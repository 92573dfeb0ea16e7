package localdb

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/replica"
)

// scrubLists holds the next rows of the lists against the log, and, once round,
// looks for bookings that have none.
func (db *DB) scrubLists(ctx context.Context, most int) error {
	var wrong []spclep.BookingID
	var last int64
	err := db.lookLong(ctx, func(t *rtx) (err error) {
		wrong, last, err = t.wrongRows(db.row, most)
		if err != nil || last > 0 {
			return err
		}
		more, err := t.withoutRow()
		wrong = append(wrong, more...)
		return err
	})
	if err != nil {
		return fmt.Errorf("look through the lists: %w", err)
	}
	for _, id := range wrong {
		if err := db.mendRow(ctx, id); err != nil {
			return fmt.Errorf("mend the row of booking %s: %w", id, err)
		}
	}
	if last == 0 {
		err = db.scrubMarks(ctx)
	}
	db.row = last
	return err
}

// A listed booking is its row as the file has it.
type listed struct {
	n     int64
	Row        // with Words
	found bool // search knows it
}

// listed reads rows of the lists.
func (v *view) listed(where string, args ...any) ([]listed, error) {
	rows, err := v.q.QueryContext(v.ctx, `SELECT `+rowColumns+`, words, n, EXISTS (SELECT 1 FROM booking_fts WHERE booking_fts.rowid = booking.n) FROM booking `+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []listed
	for rows.Next() {
		var l listed
		r := &l.Row
		if err := rows.Scan(&r.ID, &r.Day, &r.At, &r.Name, &r.Email, &r.Reason, &r.Origin, &r.State, &r.Number, &r.Product, &r.Pickup, &r.Due, &r.Person, &r.Changed, &r.Words, &l.n, &l.found); err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, rows.Err()
}

// wrongRows names the bookings, of up to most rows after a place, that the log
// tells otherwise. last is the place to go on from; 0: that were the last.
func (v *view) wrongRows(after int64, most int) (wrong []spclep.BookingID, last int64, err error) {
	rows, err := v.listed(`WHERE n > ? ORDER BY n LIMIT ?`, after, most)
	if err != nil {
		return nil, 0, err
	}
	for _, l := range rows {
		want, err := v.wanted(l.ID)
		if err != nil {
			return nil, 0, err
		}
		if !want.fits([]listed{l}) {
			wrong = append(wrong, l.ID)
		}
		last = l.n
	}
	if len(rows) < most {
		last = 0
	}
	return wrong, last, nil
}

// withoutRow names the bookings that the log tells of and no list shows.
func (v *view) withoutRow() (out []spclep.BookingID, err error) {
	rows, err := v.q.QueryContext(v.ctx, `SELECT DISTINCT entity FROM op WHERE kind = ? AND NOT EXISTS (SELECT 1 FROM booking WHERE id = entity)`, record.Kind)
	if err != nil {
		return nil, err
	}
	ids, err := scanIDs(rows)
	for _, id := range ids {
		want, err := v.wanted(id)
		if err != nil {
			return nil, err
		}
		if !want.fits(nil) {
			out = append(out, id)
		}
	}
	return out, err
}

func scanIDs(rows *sql.Rows) (ids []spclep.BookingID, err error) {
	defer rows.Close()
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, spclep.BookingID(id))
	}
	return ids, rows.Err()
}

// A wish is a booking's row as the log tells it.
type wish struct {
	Row
	shown bool // it has one at all
	torn  bool // part of it cannot be read: nothing is known
}

// fits tells whether the rows of a booking, one or none, are as they should be.
func (w wish) fits(rows []listed) bool {
	switch {
	case w.torn:
		return true
	case !w.shown || len(rows) == 0:
		return !w.shown && len(rows) == 0
	}
	return rows[0].Row == w.Row && rows[0].found
}

func (v *view) wanted(id spclep.BookingID) (wish, error) {
	var gone bool
	if err := v.q.QueryRowContext(v.ctx, `SELECT EXISTS (SELECT 1 FROM op WHERE kind = ? AND entity = ? AND gone = 1)`, record.Kind, string(id)).Scan(&gone); err != nil || gone {
		return wish{}, err
	}
	var torn atomic.Bool
	here := *v
	here.torn = &torn
	b, err := here.booking(id)
	if err != nil {
		return wish{}, err
	}
	if torn.Load() {
		v.torn.Store(true)
		return wish{torn: true}, nil
	}
	return wish{Row: record.RowOf(b), shown: len(b.Facts)+len(b.History) > 0}, nil
}

// mendRow writes a booking's row anew, if the log still tells otherwise.
func (db *DB) mendRow(ctx context.Context, id spclep.BookingID) error {
	fits := false
	err := db.write(ctx, func(t *rtx) error {
		want, err := t.wanted(id)
		if err != nil {
			return err
		}
		rows, err := t.listed(`WHERE id = ?`, string(id))
		if err != nil {
			return err
		}
		if fits = want.fits(rows); fits {
			return nil
		}
		t.s.Mended = replica.Mended{AtMs: t.s.LastOK, Ops: t.s.Mended.Ops + 1}
		switch {
		case !want.shown:
			return t.Forget(id)
		case len(rows) == 0:
			return t.insertRow(want.Row)
		}
		return t.updateRow(rows[0].n, "", want.Row) // "": search is told anew in any case
	})
	if err == nil && !fits {
		db.found(fmt.Sprintf("the lists showed booking %s otherwise than the log; its row was written anew", id))
	}
	return err
}
