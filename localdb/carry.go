package localdb

import (
	"context"
	"fmt"

	"condica/sync/peer"
	"condica/sync/replica"
	"condica/sync/wire"
)

// Carry gives the next own ops for a file, as Outbox does for the line, but
// where this run of the PC was never measured their times are the best estimate
// there is (replica.SealByEstimate). untimed counts edits that stay out because
// nobody knows the hour; left those for which there was no room.
func (db *DB) Carry(ctx context.Context, max, maxBytes int) (ops [][]byte, untimed, left int, err error) {
	err = db.write(ctx, func(t *rtx) (err error) {
		untimed, err = replica.SealByEstimate(t, db.now())
		return err
	})
	if err != nil {
		return nil, 0, 0, fmt.Errorf("seal edits: %w", err)
	}
	if ops, err = db.sealed(ctx, max, maxBytes); err != nil {
		return nil, 0, 0, err
	}
	var waiting int
	err = db.r.QueryRowContext(ctx, `SELECT count(*) FROM op INDEXED BY op_unsent WHERE device = ? AND pos IS NULL AND verdict = '' AND sealed = 1 AND gone = 0`, db.me()).Scan(&waiting)
	return ops, untimed, waiting - len(ops), err
}

// SaveCarried writes an answer that came as a file (replica.SaveCarried).
func (db *DB) SaveCarried(ctx context.Context, a wire.Answer) (out peer.Outcome, stale bool, err error) {
	err = db.write(ctx, func(t *rtx) (err error) {
		if out, stale, err = replica.SaveCarried(t, a, db.now()); err != nil || stale {
			return err
		}
		return saveBeside(ctx, db.tx, a)
	})
	return out, stale, err
}

// saveBeside keeps what an answer brings beside the log.
func saveBeside(ctx context.Context, tx *txn, a wire.Answer) error {
	if err := saveSettings(ctx, tx, a.Settings); err != nil {
		return err
	}
	return saveDesks(ctx, tx, a.Desks)
}
