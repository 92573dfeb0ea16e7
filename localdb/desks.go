package localdb

import (
	"context"
	"fmt"

	"condica/localdb/file"
	"condica/sync/hlc"
	"condica/sync/wire"
)

// A Desk is one of the office's PCs as the hub calls it.
type Desk struct {
	Number int // in the office, from 1
	Name   string
}

// Desks gives the desk of each PC that ever wrote in the office, as the hub last
// said; this PC's own also where the hub has said nothing yet.
func (db *DB) Desks(ctx context.Context) (map[hlc.Device]Desk, error) {
	s, err := readState(ctx, db.r)
	if err != nil {
		return nil, err
	}
	out := map[hlc.Device]Desk{}
	if s.Desk > 0 {
		out[s.Device] = Desk{Number: s.Desk}
	}
	rows, err := db.r.QueryContext(ctx, `SELECT device, number, name FROM desk`)
	if err != nil {
		return nil, fmt.Errorf("read desks: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		var d Desk
		if err := rows.Scan(&text, &d.Number, &d.Name); err != nil {
			return nil, fmt.Errorf("read desks: %w", err)
		}
		device, err := hlc.ParseDevice(text)
		if err != nil {
			return nil, fmt.Errorf("%w: desks: %w", file.ErrDamaged, err)
		}
		out[device] = d
	}
	return out, rows.Err()
}

// saveDesks keeps the list that came with an answer, in the answer's own
// transaction.
func saveDesks(ctx context.Context, tx *txn, desks []wire.Desk) error {
	if len(desks) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM desk`); err != nil {
		return fmt.Errorf("keep desks: %w", err)
	}
	for _, d := range desks {
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO desk (device, number, name) VALUES (?, ?, ?)`, d.Device.String(), d.Desk, d.Name); err != nil {
			return fmt.Errorf("keep desks: %w", err)
		}
	}
	return nil
}
