package localdb

import (
	"context"
	"database/sql"
	"errors"

	"condica/sync/replica"
)

// prepared is a reading transaction that parses each of its queries once: a look
// through many bookings asks the same of each.
type prepared struct {
	tx    *sql.Tx
	stmts map[string]*sql.Stmt
}

// lookLong is look for those who ask much.
func (db *DB) lookLong(ctx context.Context, f func(*rtx) error) (err error) {
	tx, err := db.r.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return err
	}
	defer tx.Rollback()
	var s replica.State
	if s, err = readState(ctx, tx); err != nil {
		return err
	}
	p := &prepared{tx, map[string]*sql.Stmt{}}
	defer func() { err = errors.Join(err, p.close()) }()
	return f(&rtx{view: view{ctx: ctx, q: p, s: &s, torn: &db.torn}})
}

func (p *prepared) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := p.stmts[query]; ok {
		return s, nil
	}
	s, err := p.tx.PrepareContext(ctx, query)
	if err == nil {
		p.stmts[query] = s
	}
	return s, err
}

// QueryContext runs a query. Its rows must be read before the same query runs
// again.
func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := p.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// QueryRowContext runs a query of one row.
func (p *prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := p.stmt(ctx, query)
	if err != nil {
		return p.tx.QueryRowContext(ctx, query, args...) // fails alike, and a Row cannot carry our error
	}
	return s.QueryRowContext(ctx, args...)
}

func (p *prepared) close() error {
	var errs []error
	for _, s := range p.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
