package localdb

import (
	"context"

	"condica/sync/hlc"
)

// traceDays is how long a trace stays.
const traceDays = 400

// A Trace is one line of what was done at this PC beside the bookings.
type Trace struct {
	AtMs  int64 // the hub's time as well as it was known
	What  string
	By    string
	About string
}

// Trace writes a line, as of now, and removes those past their time. By a PC's
// own clock nothing is removed: fifty years may have passed since yesterday.
func (db *DB) Trace(ctx context.Context, what, by, about string) error {
	now, clock, _, err := db.Now(ctx)
	if err != nil {
		return err
	}
	return db.write(ctx, func(t *rtx) error {
		if clock == hlc.Measured {
			if err := t.run(`DELETE FROM trace WHERE at < ?`, now-traceDays*dayMs); err != nil {
				return err
			}
		}
		return t.run(`INSERT INTO trace (at, what, by, about) VALUES (?, ?, ?, ?)`, now, what, by, about)
	})
}

// Traces reads the latest lines, the last written first.
func (db *DB) Traces(ctx context.Context, limit int) ([]Trace, error) {
	rows, err := db.r.QueryContext(ctx, `SELECT at, what, by, about FROM trace ORDER BY n DESC LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Trace
	for rows.Next() {
		var t Trace
		if err := rows.Scan(&t.AtMs, &t.What, &t.By, &t.About); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}
