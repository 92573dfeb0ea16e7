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

const deviceColumns = `id, office, kind, desk, name, pub, added, revoked, last, have, high, seen, health, settings, old, retired, heir, cloned, boot, boots, number`

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
		d, err := scanDevice(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

func scanDevice(rows *sql.Rows) (d store.Device, err error) {
	var id, old, heir, health, settings, boots string
	var seen int64
	if err := rows.Scan(&id, &d.Office, &d.Kind, &d.Desk, &d.Name, &d.Pub, &d.AddedMs, &d.RevokedMs, &d.LastMs, &d.Have, &d.Window.High, &seen,
		&health, &settings, &old, &d.RetiredMs, &heir, &d.Cloned, &d.Boot, &boots, &d.Number); err != nil {
		return d, err
	}
	d.Window.Seen = uint64(seen)
	if health != "" {
		d.Health = json.RawMessage(health)
	}
	if settings != "" {
		d.Settings = json.RawMessage(settings)
	}
	if d.ID, err = hlc.ParseDevice(id); err == nil {
		d.Heir, err = deviceOrNone(heir)
	}
	if err == nil {
		d.Old, err = deviceOrNone(old)
	}
	if err == nil {
		err = json.Unmarshal([]byte(boots), &d.Boots)
	}
	if err != nil {
		return d, fmt.Errorf("%w: device %s: %w", file.ErrDamaged, id, err)
	}
	return d, nil
}

// deviceOrNone reads a column that is empty where there is no device.
func deviceOrNone(s string) (hlc.Device, error) {
	if s == "" {
		return hlc.Device{}, nil
	}
	return hlc.ParseDevice(s)
}

func orNone(d hlc.Device) string {
	if d == (hlc.Device{}) {
		return ""
	}
	return d.String()
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
