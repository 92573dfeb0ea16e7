package localdb

import (
	"context"
	"database/sql"
	"errors"

	"condica/sync/hlc"
)

// Tries reads how many wrong PINs stand against somebody, and by the PC's
// running time when the last one was; 0: none.
func (db *DB) Tries(ctx context.Context, who string) (n int, last hlc.Reading, err error) {
	err = db.r.QueryRowContext(ctx, `SELECT n, boot, up FROM tries WHERE who = ?`, who).Scan(&n, &last.Boot, &last.Up)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, hlc.Reading{}, nil
	}
	return n, last, err
}

// SetTries keeps it; n of 0 forgets it. Of last the run of the PC and its running
// time are kept.
func (db *DB) SetTries(ctx context.Context, who string, n int, last hlc.Reading) error {
	return db.write(ctx, func(t *rtx) error {
		if n == 0 {
			return t.run(`DELETE FROM tries WHERE who = ?`, who)
		}
		return t.run(`INSERT OR REPLACE INTO tries (who, n, boot, up) VALUES (?, ?, ?, ?)`, who, n, last.Boot, last.Up)
	})
}

// PIN reads the verifier of a PIN that was chosen on this PC, and what it
// replaces; "" if there is none.
func (db *DB) PIN(ctx context.Context, who string) (replaces, verifier string, err error) {
	err = db.r.QueryRowContext(ctx, `SELECT replaces, verifier FROM pin WHERE who = ?`, who).Scan(&replaces, &verifier)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", nil
	}
	return replaces, verifier, err
}

// SetPIN keeps one.
func (db *DB) SetPIN(ctx context.Context, who, replaces, verifier string) error {
	return db.write(ctx, func(t *rtx) error {
		return t.run(`INSERT OR REPLACE INTO pin (who, replaces, verifier) VALUES (?, ?, ?)`, who, replaces, verifier)
	})
}
