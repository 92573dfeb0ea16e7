package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"condica/hub/store"
	"condica/localdb/file"
	"condica/sync/hlc"
)

const deviceColumns = `id, office, kind, desk, name, pub, added, revoked, last, have, high, seen, health, settings`

// Device finds a device.
func (s *Store) Device(ctx context.Context, id hlc.Device) (store.Device, error) {
	return device(ctx, s.r, id)
}

func device(ctx context.Context, q queryer, id hlc.Device) (store.Device, error) {
	ds, err := devices(q.QueryContext(ctx, `SELECT `+deviceColumns+` FROM device WHERE id = ?`, id.String()))
	if err != nil || len(ds) == 0 {
		return store.Device{}, errors.Join(err, none(len(ds)))
	}
	return ds[0], nil
}

func none(found int) error {
	if found == 0 {
		return store.ErrNone
	}
	return nil
}

// Devices lists an office's devices.
func (s *Store) Devices(ctx context.Context, office string) ([]store.Device, error) {
	return devicesOf(ctx, s.r, office)
}

func devicesOf(ctx context.Context, q queryer, office string) ([]store.Device, error) {
	return devices(q.QueryContext(ctx, `SELECT `+deviceColumns+` FROM device WHERE office = ? ORDER BY added, desk, id`, office))
}

func devices(rows *sql.Rows, err error) ([]store.Device, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []store.Device
	for rows.Next() {
		var d store.Device
		var id, health, settings string
		var seen int64
		if err := rows.Scan(&id, &d.Office, &d.Kind, &d.Desk, &d.Name, &d.Pub, &d.AddedMs, &d.RevokedMs, &d.LastMs, &d.Have, &d.Window.High, &seen, &health, &settings); err != nil {
			return nil, err
		}
		if d.ID, err = hlc.ParseDevice(id); err != nil {
			return nil, fmt.Errorf("%w: %w", file.ErrDamaged, err)
		}
		d.Window.Seen = uint64(seen)
		if health != "" {
			d.Health = json.RawMessage(health)
		}
		if settings != "" {
			d.Settings = json.RawMessage(settings)
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// AddToken keeps a token.
func (s *Store) AddToken(ctx context.Context, t store.Token) error {
	_, err := s.w.ExecContext(ctx, `INSERT INTO token (hash, office, expires, made) VALUES (?, ?, ?, ?)`, t.Hash[:], t.Office, t.Expires, t.MadeMs)
	return err
}

// Token finds a token.
func (s *Store) Token(ctx context.Context, hash [32]byte) (store.Token, error) {
	return token(ctx, s.r, hash)
}

func token(ctx context.Context, q queryer, hash [32]byte) (store.Token, error) {
	t := store.Token{Hash: hash}
	var by string
	err := q.QueryRowContext(ctx, `SELECT office, expires, made, used_by FROM token WHERE hash = ?`, hash[:]).Scan(&t.Office, &t.Expires, &t.MadeMs, &by)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return t, store.ErrNone
	case err != nil || by == "":
		return t, err
	}
	t.UsedBy, err = hlc.ParseDevice(by)
	return t, err
}

// Secret gives or makes a secret.
func (s *Store) Secret(ctx context.Context, name string, fresh func() ([]byte, error)) ([]byte, error) {
	if v, err := secret(ctx, s.r, name); !errors.Is(err, sql.ErrNoRows) {
		return v, err
	}
	tx, err := s.w.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	if v, err := secret(ctx, tx, name); !errors.Is(err, sql.ErrNoRows) {
		return v, err // another process was quicker
	}
	v, err := fresh()
	if err != nil {
		return nil, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO secret (name, value) VALUES (?, ?)`, name, v); err != nil {
		return nil, err
	}
	return v, tx.Commit()
}

func secret(ctx context.Context, q queryer, name string) (v []byte, err error) {
	err = q.QueryRowContext(ctx, `SELECT value FROM secret WHERE name = ?`, name).Scan(&v)
	return v, err
}

// SetSecret replaces a secret.
func (s *Store) SetSecret(ctx context.Context, name string, value []byte) error {
	_, err := s.w.ExecContext(ctx, `INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, name, value)
	return err
}
