package localdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"condica/localdb/journal"
	"condica/sync/op"
	"condica/sync/replica"
	"condica/sync/wire"
)

// compareEvery is how often what is unsent is held against the journal, in ms:
// with weeks of work that takes a moment on an old PC.
const compareEvery = 10 * 60_000

// scrubWaiting looks at what no digest covers: ops without a place or with one
// that the replica has not come to yet, and what stands beside the placed ones.
func (db *DB) scrubWaiting(ctx context.Context) error {
	var odd []replica.Row
	var waiting int
	err := db.look(ctx, func(t *rtx) (err error) {
		if odd, err = t.odd(); err != nil {
			return err
		}
		waiting, err = t.CountWaiting(false, 1)
		return err
	})
	if err != nil {
		return err
	}
	torn := false
	for _, r := range odd {
		mended, err := db.mendOdd(ctx, r)
		if err != nil {
			return err
		}
		torn = torn || !mended
	}
	now := db.now().Up
	if waiting == 0 && !torn || !torn && db.compared > 0 && now-db.compared < compareEvery {
		return nil
	}
	db.compared = now
	return db.compare(ctx)
}

// mendWaiting puts right by the ops in them the rows that no list would show, so
// that what a clerk did is in sight before the first request. A full disk can
// wait for it.
func (db *DB) mendWaiting(ctx context.Context) error {
	var odd []replica.Row
	err := db.look(ctx, func(t *rtx) (err error) {
		odd, err = t.odd()
		return err
	})
	for _, r := range odd {
		if _, err = db.mendOdd(ctx, r); err != nil {
			break
		}
	}
	if errors.Is(err, ErrFull) {
		return nil
	}
	return err
}

// odd lists the rows that cannot stand as they do.
func (v *view) odd() (out []replica.Row, err error) {
	rows, err := scanRows(v.q.QueryContext(v.ctx, `SELECT `+keptColumns+` FROM op WHERE pos IS NULL
		UNION ALL SELECT `+keptColumns+` FROM op WHERE pos > ?
		UNION ALL SELECT `+keptColumns+` FROM op WHERE verdict <> '' AND +pos <= ?`, v.s.Cursor, v.s.Cursor))
	for _, r := range rows {
		if r.Bad != nil || r.Pos > 0 && r.Verdict != "" {
			out = append(out, r)
		}
	}
	return out, err
}

// mendOdd puts a row right by the op in it: that is what was signed. Not mended:
// the op itself cannot be read.
func (db *DB) mendOdd(ctx context.Context, r replica.Row) (mended bool, err error) {
	o, bad := wire.DecodeOp(r.ID.Device, r.Raw)
	if bad != nil || r.Gone || r.Torn {
		return false, nil
	}
	o.ID.Seq |= r.ID.Seq & replica.Stray
	k := r.Kept
	k.Op = o
	if k.Pos > 0 {
		k.Verdict, k.Say = "", ""
	}
	err = db.write(ctx, func(t *rtx) error {
		t.s.Mended = replica.Mended{AtMs: t.s.LastOK, Ops: t.s.Mended.Ops + 1}
		if err := t.rehome(r, k); err != nil {
			return err
		}
		return t.Project([]op.Entry{r.Entry, k.Entry})
	})
	if err != nil {
		return false, fmt.Errorf("mend op %s: %w", r.ID, err)
	}
	db.found(fmt.Sprintf("op %s stood in the log under wrong words; it was written anew as %s", r.ID, k.ID))
	return true, nil
}

// rehome writes k where r stands, or under its own number if that is another.
func (t *rtx) rehome(r replica.Row, k replica.Kept) error {
	if k.ID == r.ID {
		return t.Set(k)
	}
	if err := t.Remove(r.ID); err != nil {
		return err
	}
	_, err := t.Add(k) // where one is held already, this was its double
	return err
}

// What makes an op's row unreadable or wrong whatever is in it: an author that
// is none, and a placed op that passes for one still to be stamped.
const (
	nobodys  = `(length(device) <> 16 OR device GLOB '*[^0-9a-f]*')`
	unsealed = `(pos IS NOT NULL AND sealed = 0)`
)

// scrubMarks reads every row of the log for these two. What is nobody's is
// thrown out: journal and hub have it under its name.
func (db *DB) scrubMarks(ctx context.Context) error {
	var any bool
	if err := db.r.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM op WHERE `+nobodys+` OR `+unsealed+`)`).Scan(&any); err != nil || !any {
		return err
	}
	var gone, marked int64
	err := db.write(ctx, func(t *rtx) (err error) {
		if gone, err = t.exec(`DELETE FROM op WHERE ` + nobodys); err != nil {
			return err
		}
		marked, err = t.exec(`UPDATE op SET sealed = 1 WHERE ` + unsealed)
		t.s.Mended = replica.Mended{AtMs: t.s.LastOK, Ops: t.s.Mended.Ops + int(gone+marked)}
		return err
	})
	if err != nil {
		return fmt.Errorf("mend the log: %w", err)
	}
	db.found(fmt.Sprintf("%d edits of nobody were thrown out of the log, %d that the hub holds passed for unsent", gone, marked))
	return db.compare(ctx)
}

// compare holds what is unsent against the journal, whose lines have checksums,
// and writes anew what the database has otherwise.
func (db *DB) compare(ctx context.Context) error {
	step := func(got *replica.Replayed) func(*rtx) error {
		return func(t *rtx) (err error) {
			records, err := db.journaled()
			if err == nil {
				*got, err = replica.Replay(t, records)
			}
			return err
		}
	}
	var got replica.Replayed
	err := db.look(ctx, step(&got))
	if !errors.Is(err, errReadOnly) {
		return err
	}
	// The journal may only have been older than the moment looked at.
	err = db.write(ctx, func(t *rtx) error {
		if err := step(&got)(t); err != nil {
			return err
		}
		if n := got.Restored + got.Mended; n > 0 {
			t.s.Mended = replica.Mended{AtMs: t.s.LastOK, Ops: t.s.Mended.Ops + n}
		}
		return nil
	})
	if n := got.Restored + got.Mended; err == nil && n > 0 {
		db.found(fmt.Sprintf("%d unsent edits were missing or damaged in the replica and were put right from the journal", n))
	}
	return err
}

// journaled reads the journal's records beside whoever writes it.
func (db *DB) journaled() ([]replica.Record, error) {
	text, err := os.ReadFile(filepath.Join(db.dir, JournalName))
	if err != nil {
		return nil, err
	}
	_, records, _, err := journal.Open(copied{bytes.NewReader(text)}, JournalName)
	return records, err
}

// copied is a journal's file in memory. Nothing that is done to it counts.
type copied struct{ text *bytes.Reader }

func (c copied) Open(string) (journal.File, error)      { return c, nil }
func (c copied) Replace(string, string) error           { return errReadOnly }
func (c copied) ReadAt(b []byte, at int64) (int, error) { return c.text.ReadAt(b, at) }
func (c copied) WriteAt([]byte, int64) (int, error)     { return 0, errReadOnly }
func (c copied) Size() (int64, error)                   { return c.text.Size(), nil }
func (c copied) Truncate(int64) error                   { return nil }
func (c copied) Sync() error                            { return nil }
func (c copied) Close() error                           { return nil }
