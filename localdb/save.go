package localdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"condica/localdb/file"
	"condica/sync/hlc"
	"condica/sync/peer"
	"condica/sync/replica"
	"condica/sync/wire"
)

// Outbox gives the next own ops to send, in the order of the log, at most max
// and at most maxBytes of them. Those never sent before are sealed first: they
// get the times at which they truly happened, and from then on are the same
// bytes in every try.
func (db *DB) Outbox(ctx context.Context, max, maxBytes int) ([][]byte, error) {
	var waiting bool
	if err := db.r.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM op INDEXED BY op_unsent WHERE device = ? AND pos IS NULL AND verdict = '' AND sealed = 0)`, db.me()).Scan(&waiting); err != nil {
		return nil, err
	}
	if waiting {
		if err := db.write(ctx, func(t *rtx) error { return replica.Seal(t, db.now()) }); err != nil {
			return nil, fmt.Errorf("seal edits: %w", err)
		}
	}
	return db.sealed(ctx, max, maxBytes)
}

// sealed reads the next own ops whose times are final.
func (db *DB) sealed(ctx context.Context, max, maxBytes int) ([][]byte, error) {
	rows, err := db.r.QueryContext(ctx, `SELECT raw FROM op INDEXED BY op_unsent WHERE device = ? AND pos IS NULL AND verdict = '' AND sealed = 1 AND gone = 0 ORDER BY seq LIMIT ?`, db.me(), max)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out [][]byte
	size := 0
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return nil, err
		}
		if size += len(raw); size > maxBytes && len(out) > 0 {
			break
		}
		out = append(out, raw)
	}
	return out, rows.Err()
}

// Save writes an answer in one transaction (replica.Save).
func (db *DB) Save(ctx context.Context, a wire.Answer, sent, received hlc.Reading, main bool) (out peer.Outcome, err error) {
	err = db.write(ctx, func(t *rtx) (err error) {
		if out, err = replica.Save(t, a, sent, received, main); err != nil {
			return err
		}
		return saveBeside(ctx, db.tx, a)
	})
	return out, err
}

// Unsent gives what the machine wants to know at its start and after a click.
func (db *DB) Unsent(ctx context.Context) (unsent int, anchored bool, err error) {
	s, err := readState(ctx, db.r)
	if err != nil {
		return 0, false, err
	}
	return replica.Unsent(&rtx{view: view{ctx: ctx, q: db.r, s: &s, torn: &db.torn}}, db.now().Boot)
}

// Where gives what a request says of this replica.
func (db *DB) Where(ctx context.Context) (r wire.Request, err error) {
	s, err := readState(ctx, db.r)
	if err != nil {
		return r, err
	}
	var first, tip uint64
	var tipDevice string
	if err := db.r.QueryRowContext(ctx, `SELECT coalesce(min(seq), 0) FROM op INDEXED BY op_unplaced WHERE device = ? AND pos IS NULL AND verdict <> ?`, s.Device.String(), wire.Refused).Scan(&first); err != nil {
		return r, err
	}
	var device hlc.Device
	if s.Cursor > 0 {
		err := db.r.QueryRowContext(ctx, `SELECT device, seq FROM op WHERE pos = ?`, s.Cursor).Scan(&tipDevice, &tip)
		if err == nil {
			device, err = hlc.ParseDevice(tipDevice)
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return r, err
		}
	}
	if r, err = s.Where(tip, first, device); err != nil {
		return r, fmt.Errorf("%w: %w", file.ErrDamaged, err)
	}
	return r, nil
}

// Complete adds to a request what a hub needs that has lost something or
// differs, at most maxBytes of ops.
func (db *DB) Complete(ctx context.Context, r *wire.Request, maxBytes int) error {
	s, err := readState(ctx, db.r)
	if err != nil || !s.Asks() {
		return err
	}
	return db.look(ctx, func(t *rtx) error { return replica.Complete(t, r, maxBytes) })
}

// Counter gives the number after which requests may be counted, at least
// atLeast, and keeps a block of numbers in reserve, so that no number is used
// twice though not every request is written down.
func (db *DB) Counter(ctx context.Context, atLeast uint64) (uint64, error) {
	db.mu.Lock()
	now, reserved := db.counter, db.state.Counter
	fits := now > 0 && atLeast+16 < reserved // a request may be tried a few times
	db.mu.Unlock()
	if fits {
		return max(now, atLeast), nil
	}
	err := db.write(ctx, func(t *rtx) error {
		now = max(t.s.Counter, atLeast) + 1
		db.counter, t.s.Counter = now, now+counterBlock
		return nil
	})
	return now, err
}

// counterBlock is how many requests go out between two writes of the counter.
const counterBlock = 1000

// Tidy starts a fresh journal when the hub has answered everything and the old
// one has grown; what it refused stays in it. It is called after an answer was
// saved; the clerk never waits for it beyond one write.
func (db *DB) Tidy(ctx context.Context) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.journal.Size() < compactAt {
		return nil
	}
	var unsent, refused int // ops, bytes
	err := db.tx.QueryRowContext(ctx, `SELECT coalesce(sum(verdict = ''), 0), coalesce(sum(length(raw)), 0) FROM op INDEXED BY op_unplaced WHERE pos IS NULL AND device = ?`, db.me()).Scan(&unsent, &refused)
	if err != nil || unsent > 0 || refused > compactAt/2 {
		return err
	}
	return db.restartJournal(ctx)
}

// compactAt is the size in bytes after which an empty outbox starts a fresh
// journal.
const compactAt = 256 << 10

// restartJournal begins the journal anew from what the log holds. It is called
// under mu.
func (db *DB) restartJournal(ctx context.Context) error {
	s := db.state
	records, err := replica.Fresh(&rtx{view: view{ctx: ctx, q: db.tx, s: &s, torn: &db.torn}})
	if err != nil {
		return err
	}
	return db.journal.Restart(records)
}
