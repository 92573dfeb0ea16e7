package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/digest"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// tx is one writing transaction; ctx is that of the Write it lives in.
type tx struct {
	ctx    context.Context
	tx     *sql.Tx
	office string
}

// Write runs f in one transaction. SQLite has one writer, so the office's lock
// is the file's.
func (s *Store) Write(ctx context.Context, office string, f func(store.Tx) error) error {
	t, err := s.w.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer t.Rollback()
	if _, err := t.ExecContext(ctx, `INSERT INTO office (id) VALUES (?) ON CONFLICT (id) DO NOTHING`, office); err != nil {
		return err
	}
	if err := f(&tx{ctx, t, office}); err != nil {
		return err
	}
	return t.Commit()
}

func (t *tx) exec(query string, args ...any) error {
	_, err := t.tx.ExecContext(t.ctx, query, args...)
	return err
}

func (t *tx) Epoch() (epoch string, err error) {
	err = t.tx.QueryRowContext(t.ctx, `SELECT epoch FROM office WHERE id = ?`, t.office).Scan(&epoch)
	return epoch, err
}

func (t *tx) SetEpoch(epoch string) error {
	return t.exec(`UPDATE office SET epoch = ? WHERE id = ?`, epoch, t.office)
}

func (t *tx) Head() (int64, error) { return head(t.ctx, t.tx, t.office) }

func (t *tx) At(pos int64) (id op.ID, ok bool, err error) {
	var device string
	err = t.tx.QueryRowContext(t.ctx, `SELECT device, seq FROM op WHERE office = ? AND pos = ?`, t.office, pos).Scan(&device, &id.Seq)
	if errors.Is(err, sql.ErrNoRows) {
		return id, false, nil
	}
	if err != nil {
		return id, false, err
	}
	id.Device, err = hlc.ParseDevice(device)
	return id, err == nil, err
}

func (t *tx) After(pos int64, limit int) ([]store.Entry, error) {
	return after(t.ctx, t.tx, t.office, pos, math.MaxInt64, limit)
}

func (t *tx) Total() (int64, digest.Sum, error) { return total(t.ctx, t.tx, t.office) }

func (t *tx) SetTotal(pos int64, sum digest.Sum) error {
	b, err := sum.MarshalBinary()
	if err != nil {
		return err
	}
	return t.exec(`UPDATE office SET summed = ?, total = ? WHERE id = ?`, pos, b, t.office)
}

func (t *tx) Numbers() (n store.Numbers, err error) {
	err = t.tx.QueryRowContext(t.ctx, `SELECT number, leapt FROM office WHERE id = ?`, t.office).Scan(&n.Next, &n.Leapt)
	return n, err
}

func (t *tx) SetNumbers(n store.Numbers) error {
	return t.exec(`UPDATE office SET number = ?, leapt = ? WHERE id = ?`, n.Next, n.Leapt, t.office)
}

func (t *tx) Held(id op.ID) (store.Held, error) { return held(t.ctx, t.tx, id) }

func (t *tx) Bytes(id op.ID) (out [][]byte, err error) {
	rows, err := t.tx.QueryContext(t.ctx, `SELECT raw FROM op WHERE device = ?1 AND seq = ?2
		UNION ALL SELECT raw FROM refused WHERE device = ?1 AND seq = ?2 AND code <> ?3`, id.Device.String(), id.Seq, wire.Clash)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		if err := rows.Scan(&raw); err != nil {
			return nil, err
		}
		out = append(out, raw)
	}
	return out, rows.Err()
}

func (t *tx) LastEff(d hlc.Device, seq uint64) (hlc.Time, error) {
	return lastEff(t.ctx, t.tx, d, seq)
}

func (t *tx) Eff(ids []op.ID) ([]hlc.Time, error) {
	var out []hlc.Time
	for _, id := range ids {
		var eff int64
		err := t.tx.QueryRowContext(t.ctx, `SELECT eff FROM op WHERE device = ? AND seq = ? AND office = ?`, id.Device.String(), id.Seq, t.office).Scan(&eff)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, hlc.Time(eff))
	}
	return out, nil
}

func (t *tx) LastSeq(d hlc.Device) (last uint64, err error) {
	err = t.tx.QueryRowContext(t.ctx, `SELECT max(coalesce((SELECT max(seq) FROM op WHERE device = ?1), 0), coalesce((SELECT max(seq) FROM refused WHERE device = ?1), 0))`, d.String()).Scan(&last)
	return last, err
}

func (t *tx) Put(e store.Entry) (pos int64, err error) {
	d, err := t.Device(e.ID.Device)
	if err != nil || d.Office != t.office {
		return 0, errors.Join(fmt.Errorf("op %s: its device does not belong to office %s", e.ID, t.office), err)
	}
	if err := t.tx.QueryRowContext(t.ctx, `UPDATE office SET head = head + 1 WHERE id = ? RETURNING head`, t.office).Scan(&pos); err != nil {
		return 0, err
	}
	err = t.exec(`INSERT INTO op (device, seq, office, pos, kind, entity, field, eff, clamped, at, via, raw) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.ID.Device.String(), e.ID.Seq, t.office, pos, e.Cell.Kind, e.Cell.Entity, e.Cell.Field, int64(e.Eff), e.Clamped, e.AtMs, orNone(e.Via), e.Signed)
	if err != nil {
		return 0, fmt.Errorf("place op %s: %w", e.ID, err)
	}
	return pos, nil
}

func (t *tx) Refuse(r store.Refusal) error {
	return t.exec(`INSERT INTO refused (device, seq, code, say, at, sum, raw) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		r.ID.Device.String(), r.ID.Seq, r.Code, r.Say, r.AtMs, r.Sum[:], r.Raw)
}

func (t *tx) Entity(kind, entity string) ([]op.Entry, error) {
	es, err := entityOf(t.ctx, t.tx, t.office, kind, entity)
	out := make([]op.Entry, len(es))
	for i, e := range es {
		out[i] = e.Entry
	}
	return out, err
}

func (t *tx) Project(r record.Row) error {
	return t.exec(`INSERT OR REPLACE INTO booking (office, id, day, at, name, email, reason, origin, state, number, product, pickup, due, person, changed, words, who)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		t.office, string(r.ID), int64(r.Day), int64(r.At), r.Name, r.Email, string(r.Reason), r.Origin, string(r.State), r.Number,
		string(r.Product), string(r.Pickup), int64(r.Due), r.Person, r.Changed, r.Words, store.Person(r.Name, r.Email))
}

func (t *tx) Taken(day spclep.Day) (map[spclep.Minute]int, error) {
	rows, err := t.tx.QueryContext(t.ctx, `SELECT at, origin, state FROM booking WHERE office = ? AND day = ?`, t.office, int64(day))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	taken := map[spclep.Minute]int{}
	for rows.Next() {
		var r record.Row
		if err := rows.Scan(&r.At, &r.Origin, &r.State); err != nil {
			return nil, err
		}
		if store.HoldsSlot(r) {
			taken[r.At]++
		}
	}
	return taken, rows.Err()
}

func (t *tx) ActiveOf(person string, from spclep.Day) (n int, err error) {
	err = t.tx.QueryRowContext(t.ctx, `SELECT count(*) FROM booking WHERE office = ? AND who = ? AND state = 'booked' AND day >= ?`, t.office, person, int64(from)).Scan(&n)
	return n, err
}

func (t *tx) Device(id hlc.Device) (store.Device, error) { return device(t.ctx, t.tx, id) }

func (t *tx) Devices() ([]store.Device, error) { return devicesOf(t.ctx, t.tx, t.office) }

func (t *tx) SetDevice(d store.Device) error {
	if d.Office != t.office {
		return fmt.Errorf("device %s does not belong to office %s", d.ID, t.office)
	}
	boots, err := json.Marshal(append([]string{}, d.Boots...))
	if err != nil {
		return err
	}
	res, err := t.tx.ExecContext(t.ctx, `INSERT INTO device (`+deviceColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, desk = excluded.desk, name = excluded.name, pub = excluded.pub, added = excluded.added,
			revoked = excluded.revoked, last = excluded.last, have = excluded.have, high = excluded.high, seen = excluded.seen, health = excluded.health,
			settings = excluded.settings, old = excluded.old, retired = excluded.retired, heir = excluded.heir, cloned = excluded.cloned, boot = excluded.boot, boots = excluded.boots, number = excluded.number
		WHERE office = excluded.office`,
		d.ID.String(), d.Office, d.Kind, d.Desk, d.Name, append([]byte{}, d.Pub...), d.AddedMs, d.RevokedMs, d.LastMs, d.Have, d.Window.High, int64(d.Window.Seen),
		string(d.Health), string(d.Settings), orNone(d.Old), d.RetiredMs, orNone(d.Heir), d.Cloned, d.Boot, string(boots), d.Number)
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fmt.Errorf("device %s does not belong to office %s", d.ID, t.office), err)
	}
	return nil
}

func (t *tx) TakeToken(hash [32]byte, by hlc.Device) (store.Token, error) {
	if err := t.exec(`UPDATE token SET used_by = ? WHERE hash = ? AND office = ? AND used_by = ''`, by.String(), hash[:], t.office); err != nil {
		return store.Token{}, err
	}
	tk, err := token(t.ctx, t.tx, hash)
	if err == nil && tk.Office != t.office {
		return store.Token{}, store.ErrNone
	}
	return tk, err
}
