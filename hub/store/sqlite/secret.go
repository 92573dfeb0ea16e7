package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"condica/hub/store"
)

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

// AllSecrets gives all secrets.
func (s *Store) AllSecrets(ctx context.Context) (map[string][]byte, error) {
	return secrets(s.r.QueryContext(ctx, `SELECT name, value FROM secret`))
}

func secrets(rows *sql.Rows, err error) (map[string][]byte, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string][]byte{}
	for rows.Next() {
		var name string
		var value []byte
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		out[name] = value
	}
	return out, rows.Err()
}

// AddSecrets keeps secrets that are not there yet.
func (s *Store) AddSecrets(ctx context.Context, add map[string][]byte) error {
	tx, err := s.w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	held, err := secrets(tx.QueryContext(ctx, `SELECT name, value FROM secret`))
	if err != nil {
		return err
	}
	for name, value := range add {
		old, ok := held[name]
		switch {
		case ok && !bytes.Equal(old, value):
			return fmt.Errorf("secret %s: %w", name, store.ErrOther)
		case ok:
			continue
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO secret (name, value) VALUES (?, ?)`, name, value); err != nil {
			return err
		}
	}
	return tx.Commit()
}
