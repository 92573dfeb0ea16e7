package localdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// A txn is the writer's transaction. It runs on one connection that is kept,
// with statements that SQLite has parsed once for good: a first fill runs the
// same six for every booking, and a clerk's action is mostly parsing otherwise.
// It is used under DB.mu.
type txn struct {
	pool  *sql.DB
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// maxStmts bounds the parsed statements; localdb has about forty.
const maxStmts = 200

// connect takes the writer's connection, if it is not held.
func (t *txn) connect(ctx context.Context) error {
	if t.conn != nil {
		return nil
	}
	conn, err := t.pool.Conn(ctx)
	if err != nil {
		return err
	}
	t.conn, t.stmts = conn, map[string]*sql.Stmt{}
	return nil
}

// run runs f in a transaction; an error of f undoes all of it.
func (t *txn) run(ctx context.Context, f func() error) error {
	if err := t.begin(ctx); err != nil {
		return err
	}
	err := f()
	if err == nil {
		// Not to be broken off half-way: it must be known whether it happened.
		_, err = t.ExecContext(context.WithoutCancel(ctx), `COMMIT`)
	}
	if err == nil {
		return nil
	}
	// The clerk may have closed the page: what was begun is undone all the same.
	// A full disk has SQLite roll back by itself; then there is nothing to undo.
	if _, undo := t.conn.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`); undo != nil {
		t.close()
	}
	return err
}

// begin locks the file for writing; a connection that has broken is replaced.
func (t *txn) begin(ctx context.Context) error {
	for try := 0; ; try++ {
		if err := t.connect(ctx); err != nil {
			return err
		}
		_, err := t.ExecContext(ctx, `BEGIN IMMEDIATE`)
		broken := errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone)
		if !broken || try > 0 {
			return err
		}
		t.close()
	}
}

func (t *txn) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if s, ok := t.stmts[query]; ok {
		return s, nil
	}
	s, err := t.conn.PrepareContext(ctx, query)
	if err == nil && len(t.stmts) < maxStmts {
		t.stmts[query] = s
	}
	return s, err
}

// ExecContext runs a statement.
func (t *txn) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	s, err := t.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.ExecContext(ctx, args...)
}

// QueryContext runs a query. Its rows must be read before the same query runs
// again.
func (t *txn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	s, err := t.stmt(ctx, query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(ctx, args...)
}

// QueryRowContext runs a query of one row.
func (t *txn) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	s, err := t.stmt(ctx, query)
	if err != nil {
		return t.conn.QueryRowContext(ctx, query, args...) // fails alike, and a Row cannot carry our error
	}
	return s.QueryRowContext(ctx, args...)
}

func (t *txn) close() {
	for _, s := range t.stmts {
		s.Close()
	}
	if t.conn != nil {
		t.conn.Close()
	}
	t.conn, t.stmts = nil, nil
}
