package bench

import (
	"context"
	"database/sql"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite"
)

// A bare is what SQLite alone costs through the same driver on the same disk:
// one table, WAL, synchronous=FULL, a prepared insert and nothing else.
type bare struct {
	tb     testing.TB
	db     *sql.DB
	insert *sql.Stmt
}

// rowSize is about what one op takes as JSON, in bytes.
const rowSize = 250

func newBare(tb testing.TB) *bare {
	tb.Helper()
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(tb.TempDir(), "bare.db")),
		RawQuery: "_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE op (n INTEGER PRIMARY KEY, raw BLOB NOT NULL) STRICT`); err != nil {
		tb.Fatal(err)
	}
	var mode string
	var synchronous int
	if err := db.QueryRow(`SELECT (SELECT journal_mode FROM pragma_journal_mode), (SELECT synchronous FROM pragma_synchronous)`).Scan(&mode, &synchronous); err != nil {
		tb.Fatal(err)
	}
	if mode != "wal" || synchronous != 2 {
		tb.Fatalf("the bare database has journal mode %s and synchronous %d, want wal and 2", mode, synchronous)
	}
	b := &bare{tb: tb, db: db}
	if b.insert, err = db.Prepare(`INSERT INTO op (raw) VALUES (?)`); err != nil {
		tb.Fatal(err)
	}
	return b
}

// commit inserts one row and commits it.
func (b *bare) commit() time.Duration {
	b.tb.Helper()
	began := time.Now()
	if _, err := b.insert.Exec(make([]byte, rowSize)); err != nil {
		b.tb.Fatal(err)
	}
	return time.Since(began)
}

// bulk inserts n rows and commits them together.
func (b *bare) bulk(n int) time.Duration {
	b.tb.Helper()
	began := time.Now()
	tx, err := b.db.BeginTx(context.Background(), nil)
	if err != nil {
		b.tb.Fatal(err)
	}
	defer tx.Rollback()
	insert := tx.Stmt(b.insert)
	for range n {
		if _, err := insert.Exec(make([]byte, rowSize)); err != nil {
			b.tb.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		b.tb.Fatal(err)
	}
	return time.Since(began)
}
