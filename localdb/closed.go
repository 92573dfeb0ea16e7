package localdb

import (
	"context"
	"fmt"

	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/replica"
)

// CloseRefused notes that a person has looked at an op which the hub will never
// take. It stays in the log and in the queue with its reason; it no longer
// counts as refused. What is not refused is left alone: ok is false.
func (db *DB) CloseRefused(ctx context.Context, id op.ID, by, why string) (ok bool, err error) {
	nowMs, _, _, err := db.Now(ctx)
	if err != nil {
		return false, err
	}
	err = db.write(ctx, func(t *rtx) error {
		n, err := t.exec(`INSERT OR IGNORE INTO closed (device, seq, by, why, at)
			SELECT device, seq, ?, ?, ? FROM op WHERE device = ? AND seq IN (?, ?) AND verdict <> ''`,
			by, why, nowMs, id.Device.String(), id.Seq, id.Seq|replica.Stray)
		ok = n > 0
		if err != nil {
			return fmt.Errorf("close refused op: %w", err)
		}
		return nil
	})
	return ok, err
}

// closed lists the refused ops that a person has looked at.
func (db *DB) closed(ctx context.Context) (map[op.ID]struct{}, error) {
	rows, err := db.r.QueryContext(ctx, `SELECT device, seq FROM closed`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[op.ID]struct{}{}
	for rows.Next() {
		var device string
		var id op.ID
		if err := rows.Scan(&device, &id.Seq); err != nil {
			return nil, err
		}
		if id.Device, err = hlc.ParseDevice(device); err != nil {
			return nil, err
		}
		out[id] = struct{}{}
	}
	return out, rows.Err()
}
