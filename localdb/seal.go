package localdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// ErrNoAnchor: this run of the PC has not yet been measured against the hub,
// so edits written in it cannot be given their time.
var ErrNoAnchor = errors.New("the hub's time is not known yet in this run of the PC")

// Outbox gives the next own ops to send, in the order of the log, at most max
// and at most maxBytes of them. Those never sent before are sealed first: they
// get the times at which they truly happened, and from then on are the same
// bytes in every try.
func (db *DB) Outbox(ctx context.Context, max, maxBytes int) ([][]byte, error) {
	if err := db.seal(ctx, max); err != nil {
		return nil, fmt.Errorf("seal edits: %w", err)
	}
	rows, err := db.r.QueryContext(ctx, `SELECT raw FROM op WHERE device = ? AND pos IS NULL AND verdict = '' AND sealed = 1 ORDER BY seq LIMIT ?`, db.device.String(), max)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out [][]byte
	size := 0
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return nil, err
		}
		if size += len(raw); size > maxBytes && len(out) > 0 {
			break
		}
		out = append(out, raw)
	}
	return out, rows.Err()
}

// seal corrects and freezes up to max unsealed ops.
func (db *DB) seal(ctx context.Context, max int) error {
	var waiting bool
	if err := db.r.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM op WHERE device = ? AND pos IS NULL AND verdict = '' AND sealed = 0)`, db.device.String()).Scan(&waiting); err != nil || !waiting {
		return err
	}
	return db.write(ctx, func(tx *txn, s *state) error {
		entries, err := scanEntries(tx.QueryContext(ctx, `SELECT device, seq, eff, 0, sealed, raw FROM op
			WHERE device = ? AND pos IS NULL AND verdict = '' AND sealed = 0 ORDER BY seq LIMIT ?`, db.device.String(), max))
		if err != nil || len(entries) == 0 {
			return err
		}
		entries = upTo(entries, maxSeal)
		anchors, err := db.anchors(ctx, tx)
		if err != nil {
			return err
		}
		reading := db.now()
		if a, ok := anchors[reading.Boot]; !ok || a.Err > hlc.MaxMeasured {
			return ErrNoAnchor
		}
		if err := db.correct(ctx, tx, s, entries, anchors, reading); err != nil {
			return err
		}
		return project(ctx, tx, entries)
	})
}

// maxSeal is how many bytes of values are sealed at once: a batch is one record
// of the journal.
const maxSeal = maxJournalRow / 4

// upTo gives the first entries whose values fit into size bytes, at least one.
func upTo(entries []op.Entry, size int) []op.Entry {
	for i, e := range entries {
		if size -= len(e.Value) + len(e.Why) + len(e.By); size < 0 && i > 0 {
			return entries[:i]
		}
	}
	return entries
}

// correct gives the entries their times and writes them back, journal first.
func (db *DB) correct(ctx context.Context, tx *txn, s *state, entries []op.Entry, anchors hlc.Anchors, reading hlc.Reading) error {
	readings := make([]hlc.Reading, len(entries))
	for i, e := range entries {
		readings[i] = e.Clock
	}
	times := hlc.Correct(readings, anchors, reading, s.Sealed, s.Floor)
	rec := journalRecord{Device: db.device, Sealed: true}
	last := s.Sealed
	for i := range entries {
		e := &entries[i]
		t, err := afterBases(ctx, tx, *e, max(times[i], last.After()))
		if err != nil {
			return err
		}
		e.Time, e.Eff, last = t, t, t
		raw, err := wire.EncodeOp(e.Op)
		if err != nil {
			return err
		}
		if err := reseal(ctx, tx, *e, raw); err != nil {
			return err
		}
		rec.Ops = append(rec.Ops, raw)
	}
	s.Sealed = last
	// A high-water mark from a wrong wall clock dies here, once nothing unsent
	// is stamped above it.
	var unsealed int64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(eff), 0) FROM op WHERE device = ? AND sealed = 0`, db.device.String()).Scan(&unsealed); err != nil {
		return err
	}
	s.High = max(s.Sealed, hlc.Time(unsealed))
	return db.journal.append(rec)
}

// afterBases moves t behind the edits this one was written on top of: who
// knows comes after what is known, whatever the clocks say.
func afterBases(ctx context.Context, tx *txn, e op.Entry, t hlc.Time) (hlc.Time, error) {
	for _, b := range e.Base {
		var eff int64
		err := tx.QueryRowContext(ctx, `SELECT eff FROM op WHERE device = ? AND seq = ?`, b.Device.String(), b.Seq).Scan(&eff)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return t, err
		}
		t = max(t, hlc.Time(eff).After())
	}
	return t, nil
}
