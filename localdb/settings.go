package localdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"condica/sync/wire"
)

// Roles of a row of settings.
const (
	roleProven    = "proven"
	roleCandidate = "candidate"
	roleRefused   = "refused"
)

// Settings is which signed bundles the replica keeps. A number is as the hub
// listed it; 0: none.
type Settings struct {
	Proven    int64
	Candidate int64
	Tries     int // how often the candidate was put in force
	Refused   int64
	Code, Say string // of the refusal
}

// Settings reads it, without the bundles themselves.
func (db *DB) Settings(ctx context.Context) (Settings, error) {
	rows, err := db.r.QueryContext(ctx, `SELECT role, number, tries, code, say FROM settings`)
	if err != nil {
		return Settings{}, err
	}
	defer rows.Close()
	var s Settings
	for rows.Next() {
		var role, code, say string
		var number int64
		var tries int
		if err := rows.Scan(&role, &number, &tries, &code, &say); err != nil {
			return s, err
		}
		switch role {
		case roleProven:
			s.Proven = number
		case roleCandidate:
			s.Candidate, s.Tries = number, tries
		case roleRefused:
			s.Refused, s.Code, s.Say = number, code, say
		}
	}
	return s, rows.Err()
}

// ProvenSettings gives the last proven bundle; "" if there is none.
func (db *DB) ProvenSettings(ctx context.Context) (box string, err error) {
	return db.settingsBox(ctx, roleProven)
}

// CandidateSettings gives the bundle that waits to be judged; "" if none does.
func (db *DB) CandidateSettings(ctx context.Context) (box string, err error) {
	return db.settingsBox(ctx, roleCandidate)
}

func (db *DB) settingsBox(ctx context.Context, role string) (box string, err error) {
	err = db.r.QueryRowContext(ctx, `SELECT box FROM settings WHERE role = ?`, role).Scan(&box)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return box, err
}

// saveSettings keeps a bundle that came with an answer, in the answer's own
// transaction. One that is held already, or was refused, changes nothing: both
// requests under way may bring it.
func saveSettings(ctx context.Context, tx *txn, s *wire.Settings) error {
	if s == nil {
		return nil
	}
	var known bool
	if err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM settings WHERE number = ?)`, s.Number).Scan(&known); err != nil || known {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO settings (role, number, box) VALUES (?, ?, ?)`, roleCandidate, s.Number, s.Box)
	return err
}

// TrySettings counts that the candidate is put in force to be proven, before it
// is: a program that it brings down must know so afterwards.
func (db *DB) TrySettings(ctx context.Context, number int64) error {
	return db.onCandidate(ctx, number, func(tx *txn) error {
		_, err := tx.ExecContext(ctx, `UPDATE settings SET tries = tries + 1 WHERE role = ?`, roleCandidate)
		return err
	})
}

// ProveSettings makes the candidate the last proven one.
func (db *DB) ProveSettings(ctx context.Context, number int64) error {
	return db.onCandidate(ctx, number, func(tx *txn) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM settings WHERE role <> ?`, roleCandidate); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE settings SET role = ?, tries = 0`, roleProven)
		return err
	})
}

// RefuseSettings drops the candidate and keeps why.
func (db *DB) RefuseSettings(ctx context.Context, number int64, code, say string) error {
	return db.onCandidate(ctx, number, func(tx *txn) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM settings WHERE role = ?`, roleCandidate); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO settings (role, number, box, code, say) VALUES (?, ?, '', ?, ?)`, roleRefused, number, code, say)
		return err
	})
}

// DropProvenSettings forgets a bundle that can no longer be read; the hub is
// then asked for one again.
func (db *DB) DropProvenSettings(ctx context.Context) error {
	return db.write(ctx, func(*rtx) error {
		_, err := db.tx.ExecContext(ctx, `DELETE FROM settings WHERE role = ?`, roleProven)
		return err
	})
}

// ErrSuperseded: another bundle has taken the candidate's place.
var ErrSuperseded = errors.New("another bundle has come in its place")

// onCandidate writes while the candidate is still that one.
func (db *DB) onCandidate(ctx context.Context, number int64, f func(*txn) error) error {
	return db.write(ctx, func(*rtx) error {
		var same bool
		if err := db.tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM settings WHERE role = ? AND number = ?)`, roleCandidate, number).Scan(&same); err != nil {
			return err
		}
		if !same {
			return fmt.Errorf("settings %d: %w", number, ErrSuperseded)
		}
		return f(db.tx)
	})
}
