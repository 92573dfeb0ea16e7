package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"condica/hub/store"
)

// AddSettings keeps a bundle. The number is compared by the statement that
// writes it, so that two who publish cannot both pass.
func (s *Store) AddSettings(ctx context.Context, p store.Published) error {
	r, err := s.w.ExecContext(ctx, `INSERT INTO settings (number, target, published, box) SELECT ?1, ?2, ?3, ?4
		WHERE ?1 > (SELECT coalesce(max(number), 0) FROM settings)`, p.Number, p.Target, p.AtMs, p.Box)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return store.ErrUsed
}

// SettingsHeads gives the highest number of each target.
func (s *Store) SettingsHeads(ctx context.Context) (map[string]int64, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT target, max(number) FROM settings GROUP BY target`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	heads := map[string]int64{}
	for rows.Next() {
		var target string
		var number int64
		if err := rows.Scan(&target, &number); err != nil {
			return nil, err
		}
		heads[target] = number
	}
	return heads, rows.Err()
}

// Settings gives a bundle by its number.
func (s *Store) Settings(ctx context.Context, number int64) (store.Published, error) {
	p := store.Published{Number: number}
	err := s.r.QueryRowContext(ctx, `SELECT target, published, box FROM settings WHERE number = ?`, number).Scan(&p.Target, &p.AtMs, &p.Box)
	if errors.Is(err, sql.ErrNoRows) {
		return p, store.ErrNone
	}
	return p, err
}
