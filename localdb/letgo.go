package localdb

import (
	"context"
	"fmt"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/replica"
)

const (
	dayMs      = 24 * 60 * 60 * 1000
	letGoBatch = 20 // bookings in one transaction: a clerk may have to wait for them
)

// LetGo forgets, of the office's bookings that are closed, those whose day and
// last change lie more than days before nowMs, which must be the hub's time and
// no PC's: at most limit of them. What a hub has not placed stays, and what waits
// for a person. Of a booking that was let go before, what has come since goes too.
// Afterwards their words are in none of the replica's files. It gives how many
// bookings and ops went; fewer than limit: there were no more.
func (db *DB) LetGo(ctx context.Context, days int, nowMs int64, limit int) (bookings, ops int, err error) {
	before := nowMs - int64(days)*dayMs
	if days <= 0 || before <= 0 {
		return 0, 0, nil
	}
	for _, list := range []string{closedBookings, lateComers} {
		b, o, err := db.letGoOf(ctx, list, before, limit-bookings)
		bookings, ops = bookings+b, ops+o
		if err != nil {
			return bookings, ops, fmt.Errorf("let go what is past its time: %w", err)
		}
	}
	if ops == 0 {
		return 0, 0, nil
	}
	if err := db.wipe(ctx); err != nil {
		return bookings, ops, fmt.Errorf("wipe what was let go: %w", err)
	}
	return bookings, ops, nil
}

// The bookings that may be let go, after one of them by id: those that the lists
// show as closed, and those let go before of which something came later.
const (
	closedBookings = `SELECT id FROM booking WHERE id > ?1 AND person = 0 AND changed < ?2 AND (day + 1) * 86400000 <= ?2
		AND state NOT IN ('filed', 'ready') ORDER BY id LIMIT ?3`
	lateComers = `SELECT DISTINCT entity FROM op AS late WHERE kind = 'booking' AND gone = 0 AND entity > ?1 AND ?2 > 0
		AND EXISTS (SELECT 1 FROM op WHERE kind = late.kind AND entity = late.entity AND gone = 1) ORDER BY entity LIMIT ?3`
)

// letGoOf goes through one of the lists until limit bookings are gone. Those
// that may not go stay on it, so it is walked and not asked from its beginning.
func (db *DB) letGoOf(ctx context.Context, list string, before int64, limit int) (bookings, ops int, err error) {
	for after := ""; bookings < limit; {
		rows, err := db.r.QueryContext(ctx, list, after, before, min(letGoBatch, limit-bookings))
		if err != nil {
			return bookings, ops, err
		}
		ids, err := scanIDs(rows)
		if err != nil || len(ids) == 0 {
			return bookings, ops, err
		}
		after = string(ids[len(ids)-1])
		var b, o int
		err = db.write(ctx, func(t *rtx) error {
			b, o = 0, 0
			for _, id := range ids {
				n, err := t.letGo(id, before)
				if err != nil {
					return fmt.Errorf("booking %s: %w", id, err)
				}
				if n > 0 {
					b, o = b+1, o+n
				}
			}
			return nil
		})
		if err != nil {
			return bookings, ops, err
		}
		bookings, ops = bookings+b, ops+o
	}
	return bookings, ops, nil
}

// letGo asks the log itself once more, and not the lists.
func (t *rtx) letGo(id spclep.BookingID, before int64) (ops int, err error) {
	rows, err := scanRows(t.q.QueryContext(t.ctx, `SELECT `+keptColumns+` FROM op WHERE kind = ? AND entity = ?`, record.Kind, string(id)))
	if err != nil {
		return 0, err
	}
	var held []replica.Kept
	var entries []op.Entry
	last := hlc.Time(0)
	late := false
	for _, r := range rows {
		if r.Bad != nil {
			return 0, nil // until it is mended
		}
		held = append(held, r.Kept)
		if r.Gone {
			late = true
			continue
		}
		entries, last = append(entries, r.Entry), max(last, r.Eff)
	}
	if !late && !closed(record.RowOf(record.Of(id, entries)), last.Ms(), before) {
		return 0, nil
	}
	return replica.LetGo(t, id, held)
}

// closed: nobody comes for it any more. An application that was taken and a card
// that nobody collected are not, however old.
func closed(r Row, changedMs, before int64) bool {
	if r.Person || changedMs >= before || (int64(r.Day)+1)*dayMs > before {
		return false
	}
	switch r.State {
	case spclep.StateHandedOver, spclep.StateCancelled:
		return true
	case spclep.StateBooked, spclep.StateSentAway, spclep.StateArrived:
		return r.Day > 0
	}
	return false
}

// wipe takes the words of what was let go out of the files: out of search's
// index, which only marks what is deleted, out of the journal, and out of the
// database's pages and log of writes.
func (db *DB) wipe(ctx context.Context) error {
	if err := db.mergeSearch(ctx); err != nil {
		return err
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	if err := db.restartJournal(ctx); err != nil {
		return err
	}
	// Where a reader is in the way now, a later one gets it: nobody waits here.
	if _, err := db.tx.ExecContext(ctx, `PRAGMA busy_timeout = 200`); err != nil {
		return err
	}
	_, err := db.tx.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	_, back := db.tx.ExecContext(ctx, `PRAGMA busy_timeout = 10000`)
	if err == nil {
		err = back
	}
	return err
}

// mergeSearch has the index written anew, a part at a time. The first part says
// that all of it is meant.
func (db *DB) mergeSearch(ctx context.Context) error {
	for pages := int64(-mergePages); ; pages = mergePages {
		var changed int64
		err := db.write(ctx, func(t *rtx) error {
			before, err := t.changes()
			if err == nil {
				err = t.run(`INSERT INTO booking_fts (booking_fts, rank) VALUES ('merge', ?)`, pages)
			}
			if err != nil {
				return err
			}
			after, err := t.changes()
			changed = after - before
			return err
		})
		if err != nil || changed < 2 { // as FTS5 says that there is nothing left to merge
			return err
		}
	}
}

// mergePages is how many pages of the index are written at once.
const mergePages = 250

func (t *rtx) changes() (n int64, err error) {
	err = t.q.QueryRowContext(t.ctx, `SELECT total_changes()`).Scan(&n)
	return n, err
}
