package localdb

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"condica/localdb/file"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/peer"
	"condica/sync/wire"
)

// Save writes an answer in one transaction: verdicts, the other PCs' ops, the
// cursor, the hub's time. sent and received are this PC's readings around the
// exchange. main tells an answer to the request that carries ops from one of
// the long poll, which may be older than what was saved meanwhile.
func (db *DB) Save(ctx context.Context, a wire.Answer, sent, received hlc.Reading, main bool) (peer.Outcome, error) {
	var out peer.Outcome
	err := db.write(ctx, func(tx *txn, s *state) (err error) {
		if anchor, ok := hlc.Measure(sent, received, a.HubMs); ok {
			if err := db.saveAnchor(ctx, tx, anchor); err != nil {
				return err
			}
		}
		if !main && s.Epoch != "" && s.Epoch != a.Epoch {
			// The poll may have been answered by the hub as it was before; which
			// of the two it now is the next ordinary exchange tells.
			out.More = true
			out.Unsent, out.Anchored, err = db.after(ctx, tx, received.Boot)
			return err
		}
		if out.Reset, err = db.newEpoch(ctx, tx, s, a); err != nil {
			return err
		}
		if err := db.giveWay(ctx, tx, s, a.Have); err != nil {
			return err
		}
		if main && !out.Reset {
			if err := db.forgetBeyond(ctx, tx, a.Have); err != nil {
				return err
			}
		}
		touched, refused, err := db.saveVerdicts(ctx, tx, a.Verdicts)
		if err != nil {
			return err
		}
		pulled, err := db.saveEntries(ctx, tx, s, a)
		if err != nil {
			return err
		}
		out.Pulled, out.Refused = len(pulled), refused
		s.LastOK, s.Head = max(s.LastOK, a.HubMs), a.Head
		if err := db.raiseFloor(ctx, tx, s, a.HubMs); err != nil {
			return err
		}
		if err := saveSettings(ctx, tx, a.Settings); err != nil {
			return err
		}
		if len(a.Keys) > 0 {
			if s.Keys, err = json.Marshal(a.Keys); err != nil {
				return err
			}
		}
		if err := db.lookForGap(ctx, tx, s); err != nil {
			return err
		}
		out.More = s.Cursor < a.Head
		out.Unsent, out.Anchored, err = db.after(ctx, tx, received.Boot)
		if err != nil {
			return err
		}
		return project(ctx, tx, append(touched, pulled...))
	})
	return out, err
}

// raiseFloor: where every edit has its time already, those to come lie after
// this answer, whatever the clocks of a later run of the PC will say.
func (db *DB) raiseFloor(ctx context.Context, tx *txn, s *state, hubMs int64) error {
	var waiting bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM op WHERE device = ? AND pos IS NULL AND verdict = '' AND sealed = 0)`, db.device.String()).Scan(&waiting)
	if err == nil && !waiting {
		s.Floor = max(s.Floor, hubMs)
	}
	return err
}

func (db *DB) saveAnchor(ctx context.Context, tx *txn, a hlc.Anchor) error {
	anchors, err := db.anchors(ctx, tx)
	if err != nil {
		return err
	}
	if old, ok := anchors[a.Boot]; ok && !hlc.Better(a, old) {
		return nil
	}
	_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO anchor (boot, up, hub, wall, err) VALUES (?, ?, ?, ?, ?)`, a.Boot, a.Up, a.Hub, a.Wall, a.Err)
	return err
}

// newEpoch: a hub of another epoch has been restored from a backup or made
// anew. Its positions mean nothing here, and what it acknowledged before may
// be gone: all of it counts as unsent until it says otherwise.
func (db *DB) newEpoch(ctx context.Context, tx *txn, s *state, a wire.Answer) (reset bool, err error) {
	old := s.Epoch
	s.Epoch = a.Epoch
	if old == "" || old == a.Epoch {
		return false, nil
	}
	s.Cursor = 0
	_, err = tx.ExecContext(ctx, `UPDATE op SET pos = NULL WHERE pos IS NOT NULL`)
	return true, err
}

// forgetBeyond: the hub holds less of this PC's log than it once acknowledged,
// so the rest is sent again. Where it stops at an op that it never had, or that
// is missing here too, it has lost nothing.
func (db *DB) forgetBeyond(ctx context.Context, tx *txn, have uint64) error {
	_, err := tx.ExecContext(ctx, `UPDATE op SET pos = NULL WHERE device = ?1 AND seq > ?2 AND pos IS NOT NULL
		AND EXISTS (SELECT 1 FROM op WHERE device = ?1 AND seq = ?2 + 1 AND pos IS NOT NULL)`, db.device.String(), have)
	return err
}

func (db *DB) saveVerdicts(ctx context.Context, tx *txn, verdicts []wire.Verdict) (touched []op.Entry, refused int, err error) {
	for _, v := range verdicts {
		for i := range max(v.N, 1) {
			seq := v.Seq + i
			switch {
			case v.Code != "":
				_, err = tx.ExecContext(ctx, `UPDATE op SET verdict = ?, say = ? WHERE device = ? AND seq = ? AND pos IS NULL`, v.Code, v.Say, db.device.String(), seq)
				refused++
			case v.Pos <= 0:
				return nil, 0, fmt.Errorf("answer: verdict on op %d has neither position nor code", seq)
			default:
				err = db.place(ctx, tx, seq, v.Pos+int64(i), v.Eff)
			}
			if err != nil {
				return nil, 0, err
			}
			if v.Code != "" || v.Eff != 0 {
				es, err := db.own(ctx, tx, seq)
				if err != nil {
					return nil, 0, err
				}
				touched = append(touched, es...)
			}
		}
	}
	return touched, refused, nil
}

// place notes an own op as accepted. eff is zero where the hub took the stamp
// as it was.
func (db *DB) place(ctx context.Context, tx *txn, seq uint64, pos int64, eff hlc.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE op SET pos = ?, verdict = '', say = '', eff = CASE WHEN ? = 0 THEN eff ELSE ? END WHERE device = ? AND seq = ?`,
		pos, int64(eff), int64(eff), db.device.String(), seq)
	return err
}

// placeUnlessClash: an op that clashes is not the one the hub speaks of.
func (db *DB) placeUnlessClash(ctx context.Context, tx *txn, w wire.Entry) error {
	var verdict string
	if err := tx.QueryRowContext(ctx, `SELECT verdict FROM op WHERE device = ? AND seq = ?`, db.device.String(), w.Seq).Scan(&verdict); err != nil || verdict == wire.Clash {
		return err
	}
	return db.place(ctx, tx, w.Seq, w.Pos, w.Eff)
}

func (db *DB) own(ctx context.Context, tx *txn, seq uint64) ([]op.Entry, error) {
	return scanEntries(tx.QueryContext(ctx, `SELECT device, seq, eff, coalesce(pos, 0), sealed, raw FROM op WHERE device = ? AND seq = ?`, db.device.String(), seq))
}

// saveEntries writes the office's log on from the cursor. What lies before the
// cursor is here already; what does not join on to it is left for the next
// round.
func (db *DB) saveEntries(ctx context.Context, tx *txn, s *state, a wire.Answer) (fresh []op.Entry, err error) {
	if a.From > s.Cursor {
		return nil, nil
	}
	for _, w := range a.Entries {
		if w.Pos <= s.Cursor {
			continue
		}
		e, isNew, err := db.saveEntry(ctx, tx, s, w)
		if err != nil {
			return nil, fmt.Errorf("entry at %d: %w", w.Pos, err)
		}
		if isNew {
			fresh = append(fresh, e)
		}
		s.Cursor = w.Pos
		// Only the mark for new edits moves. Edits written before this contact keep
		// their own time, or a late answer would make them win.
		s.High = max(s.High, e.Eff)
	}
	return fresh, nil
}

// saveEntry writes one entry. isNew: something a person sees may have changed.
func (db *DB) saveEntry(ctx context.Context, tx *txn, s *state, w wire.Entry) (e op.Entry, isNew bool, err error) {
	if len(w.Op) == 0 { // an own op that is here already
		es, err := db.own(ctx, tx, w.Seq)
		if err != nil || len(es) == 0 {
			return e, false, errors.Join(err, missing(len(es), w.Seq))
		}
		e = es[0]
		if w.Eff != 0 {
			e.Eff = w.Eff
		}
		return e, w.Eff != 0, db.placeUnlessClash(ctx, tx, w)
	}
	o, err := wire.DecodeOp(w.Device, w.Op)
	if err != nil {
		return e, false, err
	}
	e = op.Entry{Op: o, Eff: w.Eff, Pos: w.Pos}
	if e.Eff == 0 {
		e.Eff = o.Time
	}
	if o.ID.Device == db.device {
		s.Gap = s.Gap || o.ID.Seq > s.Next
		s.Next = max(s.Next, o.ID.Seq+1)
		s.sawNumber(o)
	}
	if isNew, err := insertNew(ctx, tx, e, w.Op); err != nil || isNew {
		return e, isNew, err
	}
	var held []byte
	err = tx.QueryRowContext(ctx, `SELECT raw FROM op WHERE device = ? AND seq = ?`, o.ID.Device.String(), o.ID.Seq).Scan(&held)
	switch {
	case err != nil:
		return e, false, err
	case !bytes.Equal(held, w.Op):
		return e, false, db.noteClash(ctx, tx, o.ID)
	}
	_, err = tx.ExecContext(ctx, `UPDATE op SET pos = ?, eff = ?, raw = ?, sealed = 1, verdict = '', say = '' WHERE device = ? AND seq = ?`,
		e.Pos, int64(e.Eff), []byte(w.Op), o.ID.Device.String(), o.ID.Seq)
	return e, true, err
}

func missing(found int, seq uint64) error {
	if found > 0 {
		return nil
	}
	return fmt.Errorf("the hub speaks of own op %d, which is not here", seq)
}

// noteClash: the hub holds another op under an id of the log here. Ours is
// kept aside with its reason; a person is shown it.
func (db *DB) noteClash(ctx context.Context, tx *txn, id op.ID) error {
	_, err := tx.ExecContext(ctx, `UPDATE op SET verdict = ?, say = ? WHERE device = ? AND seq = ? AND pos IS NULL`,
		wire.Clash, "the hub holds another edit under this number", id.Device.String(), id.Seq)
	return err
}

func (db *DB) after(ctx context.Context, tx *txn, boot string) (unsent int, anchored bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM (SELECT 1 FROM op WHERE device = ? AND pos IS NULL AND verdict = '' LIMIT 1000)),
		EXISTS (SELECT 1 FROM anchor WHERE boot = ? AND err <= ?)`, db.device.String(), boot, hlc.MaxMeasured).Scan(&unsent, &anchored)
	return unsent, anchored, err
}

// Unsent gives what the machine wants to know at its start and after a click.
// No more than 1,000 are counted: weeks without a line must not make each click
// dearer.
func (db *DB) Unsent(ctx context.Context) (unsent int, anchored bool, err error) {
	err = db.r.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM (SELECT 1 FROM op WHERE device = ? AND pos IS NULL AND verdict = '' LIMIT 1000)),
		EXISTS (SELECT 1 FROM anchor WHERE boot = ? AND err <= ?)`, db.device.String(), db.now().Boot, hlc.MaxMeasured).Scan(&unsent, &anchored)
	return unsent, anchored, err
}

// Where gives what a request says of this replica: its office, the epoch and
// position it stands at with the op held there, and up to where its own log is
// held here and answered by the hub. Of ops below that the hub may speak by
// number alone: it is known that both mean the same op.
func (db *DB) Where(ctx context.Context) (r wire.Request, err error) {
	s, err := readState(ctx, db.r)
	if err != nil {
		return r, err
	}
	r = wire.Request{V: wire.Version, Office: s.Office, Epoch: s.Epoch, Cursor: s.Cursor}
	if !s.Gap {
		err := db.r.QueryRowContext(ctx, `SELECT coalesce((SELECT min(seq) FROM op WHERE device = ? AND pos IS NULL AND verdict = ''), ?) - 1`,
			db.device.String(), max(s.Next, 1)).Scan(&r.Own)
		if err != nil {
			return r, err
		}
	}
	if len(s.Keys) > 0 {
		var keys []wire.QRKey
		if err := json.Unmarshal(s.Keys, &keys); err != nil {
			return r, fmt.Errorf("%w: keys: %w", file.ErrDamaged, err)
		}
		r.Keys = wire.KeysSum(keys)
	}
	if s.Cursor == 0 {
		return r, nil
	}
	err = db.r.QueryRowContext(ctx, `SELECT device || ':' || seq FROM op WHERE pos = ?`, s.Cursor).Scan(&r.Tip)
	if errors.Is(err, sql.ErrNoRows) {
		return r, nil
	}
	return r, err
}

// Counter gives the number after which requests may be counted, at least
// atLeast, and keeps a block of numbers in reserve, so that no number is used
// twice though not every request is written down.
func (db *DB) Counter(ctx context.Context, atLeast uint64) (uint64, error) {
	db.mu.Lock()
	now, reserved := db.counter, db.state.Counter
	fits := now > 0 && atLeast+16 < reserved // a request may be tried a few times
	db.mu.Unlock()
	if fits {
		return max(now, atLeast), nil
	}
	err := db.write(ctx, func(_ *txn, s *state) error {
		now = max(s.Counter, atLeast) + 1
		db.counter, s.Counter = now, now+counterBlock
		return nil
	})
	return now, err
}

// counterBlock is how many requests go out between two writes of the counter.
const counterBlock = 1000
