package localdb

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/crc32"
	"maps"
	"slices"
	"sync/atomic"

	"condica/localdb/file"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/replica"
	"condica/sync/wire"
)

// view reads the tables as sync/replica asks for them, in one transaction.
type view struct {
	ctx  context.Context
	q    queryer
	s    *replica.State
	torn *atomic.Bool // set when a row could not be read
}

// rtx is replica.Tx on SQLite. db is nil where only reading is allowed.
type rtx struct {
	view
	db *DB
}

var _ replica.Tx = (*rtx)(nil)

func (t *rtx) exec(query string, args ...any) (int64, error) {
	if t.db == nil {
		return 0, errReadOnly
	}
	res, err := t.db.tx.ExecContext(t.ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (t *rtx) run(query string, args ...any) error {
	_, err := t.exec(query, args...)
	return err
}

// State is the replica's, changed only by sync/replica.
func (v *view) State() *replica.State { return v.s }

func (v *view) me() string { return v.s.Device.String() }

const keptColumns = `device, seq, kind, entity, field, fact, eff, coalesce(pos, 0), sealed, verdict, say, gone, raw, crc`

// Op finds one op.
func (v *view) Op(id op.ID) (replica.Kept, bool, error) {
	rows, err := scanRows(v.q.QueryContext(v.ctx, `SELECT `+keptColumns+` FROM op WHERE device = ? AND seq = ?`, id.Device.String(), id.Seq))
	if err != nil || len(rows) == 0 {
		return replica.Kept{}, false, err
	}
	return rows[0].Kept, true, nil
}

// Add writes an op, if none is held under its id.
func (t *rtx) Add(k replica.Kept) (bool, error) {
	n, err := t.exec(`INSERT INTO op (device, seq, kind, entity, field, fact, eff, pos, sealed, verdict, say, gone, raw, crc)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (device, seq) DO NOTHING`, keptArgs(k)...)
	if err != nil {
		return false, fmt.Errorf("write op %s: %w", k.ID, err)
	}
	return n > 0, nil
}

// Set writes all of it anew.
func (t *rtx) Set(k replica.Kept) error {
	err := t.run(`UPDATE op SET kind = ?3, entity = ?4, field = ?5, fact = ?6, eff = ?7, pos = ?8, sealed = ?9, verdict = ?10, say = ?11, gone = ?12, raw = ?13, crc = ?14
		WHERE device = ?1 AND seq = ?2`, keptArgs(k)...)
	if err != nil {
		return fmt.Errorf("write op %s: %w", k.ID, err)
	}
	return nil
}

func keptArgs(k replica.Kept) []any {
	var pos any
	if k.Pos > 0 {
		pos = k.Pos
	}
	raw := k.Raw
	if k.Gone {
		raw = k.Sum[:]
	}
	return []any{k.ID.Device.String(), k.ID.Seq, k.Cell.Kind, k.Cell.Entity, k.Cell.Field, k.Fact, int64(k.Eff), pos, k.Sealed, k.Verdict, k.Say, k.Gone, raw, int64(crc32.Checksum(raw, castagnoli))}
}

// Remove takes an op out.
func (t *rtx) Remove(id op.ID) error {
	return t.run(`DELETE FROM op WHERE device = ? AND seq = ?`, id.Device.String(), id.Seq)
}

// Waiting lists own ops without place and verdict.
func (v *view) Waiting(unsealedOnly bool, limit int) ([]replica.Kept, error) {
	where := ""
	if unsealedOnly {
		where = ` AND sealed = 0`
	}
	return v.kept(`SELECT `+keptColumns+` FROM op INDEXED BY op_unsent WHERE device = ? AND pos IS NULL AND verdict = '' AND gone = 0`+where+` ORDER BY seq LIMIT ?`, v.me(), limit)
}

// Unplaced lists all ops without a place.
func (v *view) Unplaced(limit int) ([]replica.Kept, error) {
	return v.kept(`SELECT `+keptColumns+` FROM op INDEXED BY op_unplaced WHERE pos IS NULL ORDER BY device, seq LIMIT ?`, limit)
}

func (v *view) kept(query string, args ...any) ([]replica.Kept, error) {
	rows, err := scanRows(v.q.QueryContext(v.ctx, query, args...))
	out := make([]replica.Kept, 0, len(rows))
	for _, r := range rows {
		if r.Bad != nil {
			v.torn.Store(true)
			continue
		}
		out = append(out, r.Kept)
	}
	return out, err
}

// Torn lists what waits and is damaged.
func (v *view) Torn() (out []op.ID, err error) {
	rows, err := scanRows(v.q.QueryContext(v.ctx, `SELECT `+keptColumns+` FROM op INDEXED BY op_unsent WHERE pos IS NULL AND verdict = '' AND gone = 0`))
	for _, r := range rows {
		if r.Bad != nil {
			out = append(out, r.ID)
		}
	}
	return out, err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// HighUnsealed is the latest provisional time.
func (v *view) HighUnsealed() (hlc.Time, error) {
	var eff int64
	err := v.q.QueryRowContext(v.ctx, `SELECT coalesce(max(eff), 0) FROM op INDEXED BY op_unsent WHERE device = ? AND pos IS NULL AND verdict = '' AND sealed = 0`, v.me()).Scan(&eff)
	return hlc.Time(eff), err
}

// CountOwn counts a device's ops.
func (v *view) CountOwn(d hlc.Device) (n uint64, err error) {
	err = v.q.QueryRowContext(v.ctx, `SELECT count(*) FROM op WHERE device = ?`, d.String()).Scan(&n)
	return n, err
}

// CountWaiting counts what the hub has not answered.
func (v *view) CountWaiting(others bool, limit int) (n int, err error) {
	query := `SELECT count(*) FROM (SELECT 1 FROM op INDEXED BY op_unsent WHERE device = ? AND pos IS NULL AND verdict = '' AND gone = 0 LIMIT ?)`
	args := []any{v.me(), limit}
	if others {
		query, args = `SELECT count(*) FROM (SELECT 1 FROM op INDEXED BY op_unsent WHERE pos IS NULL AND verdict = '' AND gone = 0 AND kind <> ? LIMIT ?)`, []any{replica.Unreadable, limit}
	}
	err = v.q.QueryRowContext(v.ctx, query, args...).Scan(&n)
	return n, err
}

// Clashes says whether an own op is not the hub's.
func (v *view) Clashes() (yes bool, err error) {
	err = v.q.QueryRowContext(v.ctx, `SELECT EXISTS (SELECT 1 FROM op WHERE verdict = ? AND device = ?)`, wire.Clash, v.me()).Scan(&yes)
	return yes, err
}

// Placed lists ops by position.
func (v *view) Placed(after int64, limit int) ([]replica.Row, error) {
	return scanRows(v.q.QueryContext(v.ctx, `SELECT `+keptColumns+` FROM op WHERE pos > ? ORDER BY pos LIMIT ?`, after, limit))
}

// Unplace takes all places.
func (t *rtx) Unplace() error { return t.run(`UPDATE op SET pos = NULL WHERE pos IS NOT NULL`) }

// UnplaceOwn takes those of own ops after a number.
func (t *rtx) UnplaceOwn(after uint64) error {
	return t.run(`UPDATE op SET pos = NULL WHERE device = ? AND seq > ? AND pos IS NOT NULL`, t.me(), after)
}

// Booking folds one booking.
func (v *view) Booking(id spclep.BookingID) (record.Booking, error) { return v.booking(id) }

// Anchors reads them all.
func (v *view) Anchors() (hlc.Anchors, error) { return anchors(v.ctx, v.q) }

// SetAnchor writes one.
func (t *rtx) SetAnchor(a hlc.Anchor) error {
	return t.run(`INSERT OR REPLACE INTO anchor (boot, up, hub, wall, err) VALUES (?, ?, ?, ?, ?)`, a.Boot, a.Up, a.Hub, a.Wall, a.Err)
}

// Done finds what a request did.
func (v *view) Done(key string) (id op.ID, ok bool, err error) {
	var device string
	err = v.q.QueryRowContext(v.ctx, `SELECT device, action FROM done WHERE key = ?`, key).Scan(&device, &id.Seq)
	if errors.Is(err, sql.ErrNoRows) {
		return id, false, nil
	}
	if id.Device = v.s.Device; err == nil && device != "" {
		id.Device, err = hlc.ParseDevice(device)
	}
	return id, err == nil, err
}

// SetDone notes it.
func (t *rtx) SetDone(key string, first op.ID) error {
	return t.run(`INSERT INTO done (key, action, device) VALUES (?, ?, ?)`, key, first.Seq, first.Device.String())
}

// RenameDone follows ops to their new ids, the last first: they may move into
// one another's place.
func (t *rtx) RenameDone(to map[op.ID]op.ID) error {
	for _, from := range byNumber(to) {
		if err := t.run(`UPDATE done SET device = ?, action = ? WHERE action = ? AND device IN (?, '')`,
			to[from].Device.String(), to[from].Seq, from.Seq, from.Device.String()); err != nil {
			return err
		}
	}
	return nil
}

func byNumber(to map[op.ID]op.ID) []op.ID {
	return slices.SortedFunc(maps.Keys(to), func(a, b op.ID) int { return cmp.Compare(b.Seq, a.Seq) })
}

// Journal appends a record.
func (t *rtx) Journal(rec replica.Record) error {
	if t.db == nil {
		return errReadOnly
	}
	return t.db.journal.Append(rec)
}

func anchors(ctx context.Context, q queryer) (hlc.Anchors, error) {
	rows, err := q.QueryContext(ctx, `SELECT boot, up, hub, wall, err FROM anchor`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	as := hlc.Anchors{}
	for rows.Next() {
		var a hlc.Anchor
		if err := rows.Scan(&a.Boot, &a.Up, &a.Hub, &a.Wall, &a.Err); err != nil {
			return nil, err
		}
		as[a.Boot] = a
	}
	return as, rows.Err()
}

// scanRows reads rows of keptColumns. What of a row is no op is in its Bad.
func scanRows(rows *sql.Rows, err error) ([]replica.Row, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []replica.Row
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

func scanRow(rows *sql.Rows) (r replica.Row, err error) {
	var device string
	var eff int64
	var crc sql.NullInt64
	if err := rows.Scan(&device, &r.ID.Seq, &r.Cell.Kind, &r.Cell.Entity, &r.Cell.Field, &r.Fact, &eff, &r.Pos, &r.Sealed, &r.Verdict, &r.Say, &r.Gone, &r.Raw, &crc); err != nil {
		return r, err
	}
	r.Torn = crc.Valid && crc.Int64 != int64(crc32.Checksum(r.Raw, castagnoli))
	r.Eff = hlc.Time(eff)
	if r.ID.Device, r.Bad = hlc.ParseDevice(device); r.Bad != nil {
		return r, nil
	}
	if r.Gone {
		if r.Torn || len(r.Raw) != len(r.Sum) {
			r.Bad = fmt.Errorf("%w: the sum of op %s has %d bytes", file.ErrDamaged, r.ID, len(r.Raw))
		}
		copy(r.Sum[:], r.Raw)
		r.Raw, r.Action = nil, r.ID.Seq
		return r, nil
	}
	if r.Cell.Kind == replica.Unreadable {
		r.Action, r.Signed = r.ID.Seq, r.Raw
		return r, nil
	}
	o, err := wire.DecodeOp(r.ID.Device, r.Raw)
	switch {
	case r.Torn:
		r.Bad = fmt.Errorf("%w: the checksum of op %s does not fit it", file.ErrDamaged, r.ID)
	case err != nil:
		r.Bad = fmt.Errorf("%w: op %s: %w", file.ErrDamaged, r.ID, err)
	case o.ID.Seq != r.ID.Seq&^replica.Stray || o.Cell != r.Cell || o.Fact != r.Fact:
		r.Bad = fmt.Errorf("%w: the columns of op %s do not fit it", file.ErrDamaged, r.ID)
	default:
		id := r.ID
		r.Op = o
		r.ID = id
		if !r.Sealed {
			r.Signed = nil
		}
	}
	return r, nil
}
