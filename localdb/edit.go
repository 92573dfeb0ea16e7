package localdb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// A Place is what a decision is given besides the booking: the office's PC and
// the hub's time as well as it is known here.
type Place struct {
	Office string
	Number string // the next free registration number of this PC
	NowMs  int64
	Clock  hlc.Quality // of NowMs
}

// A Receipt names the action that was written. Again: the key had been used,
// and this is what it did then.
type Receipt struct {
	Action op.ID
	AtMs   int64
	Again  bool
}

// Edit reads the booking, lets decide say what is to be written, and writes it
// in one transaction, journal included. When it returns without error the
// action is on disk twice. An error of decide is returned as it is, and
// nothing is written. key names the request; the same key writes only once.
func (db *DB) Edit(ctx context.Context, key, by string, id spclep.BookingID, decide func(record.Booking, Place) ([]op.Draft, error)) (Receipt, error) {
	var receipt Receipt
	err := db.write(ctx, func(tx *txn, s *state) error {
		if again, ok, err := db.doneBefore(ctx, tx, key); err != nil || ok {
			receipt = again
			return err
		}
		anchors, err := db.anchors(ctx, tx)
		if err != nil {
			return err
		}
		reading := db.now()
		nowMs, clock := anchors.Guess(reading, s.LastOK)
		before, err := booking(ctx, tx, id)
		if err != nil {
			return err
		}
		drafts, err := decide(before, Place{Office: s.Office, Number: s.nextNumber(), NowMs: nowMs, Clock: clock})
		if err != nil {
			return err
		}
		if len(drafts) == 0 {
			return errors.New("the action changes nothing")
		}
		entries := db.stamp(s, drafts, by, reading, nowMs)
		if err := db.append(ctx, tx, s, key, entries); err != nil {
			return err
		}
		receipt = Receipt{Action: entries[0].ActionID(), AtMs: entries[0].Eff.Ms()}
		return project(ctx, tx, entries)
	})
	return receipt, err
}

// stamp turns drafts into ops: ids from the log, provisional times.
func (db *DB) stamp(s *state, drafts []op.Draft, by string, reading hlc.Reading, nowMs int64) []op.Entry {
	clock := hlc.New(s.High)
	entries := make([]op.Entry, len(drafts))
	for i, d := range drafts {
		t := clock.Next(nowMs, 0)
		entries[i] = op.Entry{Eff: t, Op: op.Op{
			ID: op.ID{Device: db.device, Seq: s.Next + uint64(i)}, Action: s.Next,
			Cell: d.Cell, Fact: d.Fact, Value: d.Value, Base: d.Base, Why: d.Why,
			Time: t, Clock: reading, By: by,
		}}
	}
	s.Next += uint64(len(drafts))
	s.High = clock.High()
	return entries
}

// append writes own ops to the journal and the log.
func (db *DB) append(ctx context.Context, tx *txn, s *state, key string, entries []op.Entry) error {
	rec := journalRecord{Device: db.device, Key: key}
	for _, e := range entries {
		raw, err := wire.EncodeOp(e.Op)
		if err != nil {
			return err
		}
		if err := insert(ctx, tx, e, raw, false); err != nil {
			return err
		}
		rec.Ops = append(rec.Ops, raw)
		s.sawNumber(e.Op)
	}
	if key != "" {
		first, last := entries[0].ID.Seq, entries[len(entries)-1].ID.Seq
		if _, err := tx.ExecContext(ctx, `INSERT INTO done (key, action, last) VALUES (?, ?, ?)`, key, first, last); err != nil {
			return err
		}
	}
	return db.journal.append(rec)
}

func insert(ctx context.Context, tx *txn, e op.Entry, raw []byte, sealed bool) error {
	_, err := tx.ExecContext(ctx, insertOp, opColumns(e, raw, sealed)...)
	if err != nil {
		return fmt.Errorf("write op %s: %w", e.ID, err)
	}
	return nil
}

// insertNew writes an op of the hub's log, if none is held under its id.
func insertNew(ctx context.Context, tx *txn, e op.Entry, raw []byte) (isNew bool, err error) {
	res, err := tx.ExecContext(ctx, insertOp+` ON CONFLICT (device, seq) DO NOTHING`, opColumns(e, raw, true)...)
	if err != nil {
		return false, fmt.Errorf("write op %s: %w", e.ID, err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

const insertOp = `INSERT INTO op (device, seq, kind, entity, field, fact, eff, pos, sealed, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func opColumns(e op.Entry, raw []byte, sealed bool) []any {
	var pos any
	if e.Pos > 0 {
		pos = e.Pos
	}
	return []any{e.ID.Device.String(), e.ID.Seq, e.Cell.Kind, e.Cell.Entity, e.Cell.Field, e.Fact, int64(e.Eff), pos, sealed, raw}
}

func (db *DB) doneBefore(ctx context.Context, tx *txn, key string) (r Receipt, ok bool, err error) {
	if key == "" {
		return r, false, nil
	}
	var eff int64
	err = tx.QueryRowContext(ctx, `SELECT done.action, op.eff FROM done JOIN op ON op.device = ? AND op.seq = done.action WHERE done.key = ?`,
		db.device.String(), key).Scan(&r.Action.Seq, &eff)
	if errors.Is(err, sql.ErrNoRows) {
		return r, false, nil
	}
	r.Action.Device, r.AtMs, r.Again = db.device, hlc.Time(eff).Ms(), true
	return r, err == nil, err
}

// Registration numbers given out here are the PC's number in the office and a
// running one, so that two PCs without a line never give the same.
func (s *state) nextNumber() string { return fmt.Sprintf("%d-%05d", s.Desk, s.Number+1) }

// sawNumber keeps the running number above every own application, however it
// came back into the log.
func (s *state) sawNumber(o op.Op) {
	if !o.Fact || o.Cell.Field != spclep.Filed {
		return
	}
	var v spclep.FiledValue
	if json.Unmarshal(o.Value, &v) != nil {
		return
	}
	desk, n, _ := strings.Cut(v.Number, "-")
	if number, err := strconv.Atoi(n); err == nil && desk == strconv.Itoa(s.Desk) {
		s.Number = max(s.Number, number)
	}
}
