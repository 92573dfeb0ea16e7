package bench

import (
	"database/sql"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
)

// A bareReader is what SQLite alone takes to find one of as many bookings: by an
// index, and by the beginnings of words in a plain FTS5 table.
type bareReader struct {
	tb         testing.TB
	one, match *sql.Stmt
}

func newBareReader(tb testing.TB, books []booked) *bareReader {
	tb.Helper()
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(tb.TempDir(), "read.db")),
		RawQuery: "_txlock=immediate&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	b := &bareReader{tb: tb}
	if err := b.fill(db, books); err != nil {
		tb.Fatal(err)
	}
	if b.one, err = db.Prepare(`SELECT name, email, day FROM booking WHERE code = ?`); err != nil {
		tb.Fatal(err)
	}
	if b.match, err = db.Prepare(`SELECT name, email, code FROM person WHERE person MATCH ? LIMIT 50`); err != nil {
		tb.Fatal(err)
	}
	return b
}

func (b *bareReader) fill(db *sql.DB, books []booked) error {
	if _, err := db.Exec(`
		CREATE TABLE booking (code TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, day INTEGER NOT NULL) STRICT;
		CREATE VIRTUAL TABLE person USING fts5 (name, email, code, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3')`); err != nil {
		return err
	}
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, k := range books {
		if _, err := tx.Exec(`INSERT INTO booking VALUES (?, ?, ?, ?)`, string(k.ID), k.Name, k.Email, int64(k.Day)); err != nil {
			return err
		}
		if _, err := tx.Exec(`INSERT INTO person VALUES (?, ?, ?)`, k.Name, k.Email, string(k.ID)); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// row reads one row by its index.
func (b *bareReader) row(k booked) time.Duration {
	b.tb.Helper()
	began := time.Now()
	var name, email string
	var day int64
	if err := b.one.QueryRow(string(k.ID)).Scan(&name, &email, &day); err != nil {
		b.tb.Fatal(err)
	}
	return time.Since(began)
}

// words reads the first fifty rows that a query finds.
func (b *bareReader) words(query string) time.Duration {
	b.tb.Helper()
	match := matchOf(query)
	began := time.Now()
	rows, err := b.match.Query(match)
	if err != nil {
		b.tb.Fatal(err)
	}
	defer rows.Close()
	found := 0
	for ; rows.Next(); found++ {
		var name, email, code string
		if err := rows.Scan(&name, &email, &code); err != nil {
			b.tb.Fatal(err)
		}
	}
	took := time.Since(began)
	if err := rows.Err(); err != nil || found == 0 {
		b.tb.Fatalf("the bare table found %d rows for %s, %v", found, match, err)
	}
	return took
}

// matchOf asks for the beginning of every word, in FTS5's language.
func matchOf(query string) string {
	words := strings.FieldsFunc(query, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, w := range words {
		words[i] = `"` + w + `"*`
	}
	return strings.Join(words, " AND ")
}
