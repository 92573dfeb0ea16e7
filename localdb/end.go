package localdb

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"condica/spclep"
	"condica/sync/hlc"
)

// Happened lists the bookings on which one of the named facts was noted from
// one moment up to before another, both the hub's ms, by time of the booking. A
// fact that was taken back since counts here too: whoever asks reads the
// booking.
func (db *DB) Happened(ctx context.Context, fromMs, toMs int64, facts ...string) ([]Row, error) {
	if len(facts) == 0 {
		return nil, nil
	}
	args := []any{fromMs, int64(hlc.At(fromMs)), int64(hlc.At(toMs))}
	for _, f := range facts {
		args = append(args, f)
	}
	// A booking whose latest fact is older cannot be meant: that spares most of
	// the log.
	return db.rows(ctx, `SELECT `+rowColumns+` FROM booking WHERE changed >= ? AND EXISTS (
		SELECT 1 FROM op WHERE kind = 'booking' AND entity = booking.id AND fact = 1 AND eff >= ? AND eff < ?
		AND field IN (?`+strings.Repeat(`, ?`, len(facts)-1)+`)) ORDER BY +day, at, id`, args...)
}

// Overlooked counts the bookings of earlier days, back to since, that nobody has
// said anything about: neither that the person came nor that they did not. last
// is the latest such day; 0: there is none.
func (db *DB) Overlooked(ctx context.Context, since, before spclep.Day) (n int, last spclep.Day, err error) {
	err = db.r.QueryRowContext(ctx, `SELECT count(*), coalesce(max(day), 0) FROM booking WHERE state = ? AND day >= ? AND day < ?`,
		string(spclep.StateBooked), int64(since), int64(before)).Scan(&n, &last)
	return n, last, err
}

// A Pending is a booking with ops that the hub has not accepted.
type Pending struct {
	ID       spclep.BookingID
	Name     string // empty where the booking itself is not held
	Unsent   int
	Refused  int
	OldestMs int64 // when the oldest of them was written, effective ms
}

// Pending lists every booking with own ops that are unsent, or with ops in
// quarantine that no person has looked at, the oldest first. Together they are what Standing counts.
func (db *DB) Pending(ctx context.Context) ([]Pending, error) {
	// Left to itself SQLite reads the whole log of this PC for the few that wait.
	rows, err := db.r.QueryContext(ctx, `SELECT o.entity, coalesce(b.name, ''), sum(o.unsent), sum(1 - o.unsent), min(o.eff) FROM (
			SELECT entity, eff, 1 AS unsent FROM op INDEXED BY op_unsent WHERE pos IS NULL AND verdict = '' AND gone = 0 AND device = ?
			UNION ALL
			SELECT entity, eff, 0 FROM op WHERE verdict <> '' AND (device, seq) NOT IN (SELECT device, seq FROM closed)
		) o LEFT JOIN booking b ON b.id = o.entity GROUP BY o.entity ORDER BY min(o.eff), o.entity`, db.me())
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Pending
	for rows.Next() {
		var p Pending
		var oldest int64
		if err := rows.Scan(&p.ID, &p.Name, &p.Unsent, &p.Refused, &oldest); err != nil {
			return nil, err
		}
		p.OldestMs = hlc.Time(oldest).Ms()
		out = append(out, p)
	}
	return out, rows.Err()
}

// Traced counts the lines of one kind about one thing, and gives the last
// written.
func (db *DB) Traced(ctx context.Context, what, about string) (n int, last Trace, err error) {
	last = Trace{What: what, About: about}
	err = db.r.QueryRowContext(ctx, `SELECT count(*) OVER (), at, by FROM trace WHERE what = ? AND about = ? ORDER BY n DESC LIMIT 1`, what, about).
		Scan(&n, &last.AtMs, &last.By)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, last, nil
	}
	return n, last, err
}
