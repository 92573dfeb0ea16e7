package file

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"

	"modernc.org/sqlite"
)

// SQLite's codes (sqlite.org/rescode.html) on which something is decided here.
const (
	codeError     = 1
	codeCorrupt   = 11
	codeFull      = 13
	codeNotADB    = 26
	codeShortRead = 522  // IOERR: the file ends before a page of it
	codeShmSize   = 4874 // IOERR: the shared memory of the log of writes finds no room
	codeData      = 8202 // IOERR: a checksum of the file system does not fit
	codeCorruptFS = 8458 // IOERR: the file system says that it is damaged
)

// magic is what a database begins with.
const magic = "SQLite format 3\x00"

// checkHeader looks at what of the first 100 bytes makes SQLite take a damaged
// file for one of a later SQLite (sqlite.org/fileformat.html, 1.3): it would
// open it for reading only, or not at all.
func checkHeader(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var h [100]byte
	n, err := io.ReadFull(f, h[:])
	switch {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return err
	case n == 0 || !strings.HasPrefix(magic, string(h[:min(n, len(magic))])):
		return nil // empty, or SQLite says itself what it is
	case n < len(h):
		return fmt.Errorf("%w: it ends after %d bytes", ErrDamaged, n)
	}
	write, read, schema := h[18], h[19], binary.BigEndian.Uint32(h[44:])
	if write > 2 || read > 2 || schema > 4 {
		return fmt.Errorf("%w: its header names formats %d, %d and %d", ErrDamaged, write, read, schema)
	}
	return nil
}

// check looks through the pages, and holds the tables against what the steps
// make: a bit that has changed in a table's definition is no fault of a page.
func (s Spec) check(ctx context.Context, w *sql.DB) error {
	pragma := `PRAGMA quick_check(1)`
	if s.Whole {
		pragma = `PRAGMA integrity_check(1)`
	}
	var verdict string
	var e *sqlite.Error
	switch err := w.QueryRowContext(ctx, pragma).Scan(&verdict); {
	case errors.As(err, &e) && e.Code() == codeError:
		// Nothing is wrong with the statement: it is the definitions it works from.
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	case err != nil:
		return err
	case verdict != "ok":
		return fmt.Errorf("%w: %s", ErrDamaged, verdict)
	}
	return s.checkSchema(ctx, w)
}

func (s Spec) checkSchema(ctx context.Context, w *sql.DB) error {
	got, err := definitions(ctx, w)
	if err != nil {
		return err
	}
	fresh, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		return err
	}
	defer fresh.Close()
	fresh.SetMaxOpenConns(1) // each connection would have a memory of its own
	if err := s.migrate(ctx, fresh); err != nil {
		return err
	}
	want, err := definitions(ctx, fresh)
	if err != nil {
		return err
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("%w: its tables are not as they were made", ErrDamaged)
	}
	return nil
}

// definitions gives the text by which each table and index is defined. What a
// search table makes below itself is left out: it is another SQLite's to make it
// otherwise.
func definitions(ctx context.Context, db *sql.DB) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, `SELECT coalesce(type, ''), coalesce(name, ''), coalesce(tbl_name, ''), coalesce(sql, '') FROM sqlite_schema`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out, shadowed := map[string]string{}, []string{}
	for rows.Next() {
		var kind, name, table, text string
		if err := rows.Scan(&kind, &name, &table, &text); err != nil {
			return nil, err
		}
		if strings.HasPrefix(text, "CREATE VIRTUAL TABLE") {
			shadowed = append(shadowed, name+"_")
		}
		out[name] = kind + " " + table + " " + text
	}
	for _, prefix := range shadowed {
		maps.DeleteFunc(out, func(name, _ string) bool { return strings.HasPrefix(name, prefix) })
	}
	return out, rows.Err()
}

// Damaged tells a broken file from one that is only locked, full or forbidden,
// and from a disk that cannot be read now.
func Damaged(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return errors.Is(err, ErrDamaged)
	}
	switch e.Code() {
	case codeShortRead, codeData, codeCorruptFS:
		return true
	}
	return e.Code()&0xff == codeCorrupt || e.Code()&0xff == codeNotADB || errors.Is(err, ErrDamaged)
}

// Full tells that the disk has no room for what was to be written, whoever says
// so: SQLite or the system.
func Full(err error) bool {
	var e *sqlite.Error
	if errors.As(err, &e) && (e.Code()&0xff == codeFull || e.Code() == codeShmSize) {
		return true
	}
	return noRoom(err)
}
