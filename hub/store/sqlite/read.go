package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"condica/hub/store"
	"condica/localdb/file"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/digest"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

type queryer interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// After gives the office's log after pos. Head is read first: an entry that
// comes in between is then beyond it, and the reader asks again.
func (s *Store) After(ctx context.Context, office string, pos int64, limit int) ([]store.Entry, int64, error) {
	head, err := head(ctx, s.r, office)
	if err != nil {
		return nil, 0, err
	}
	entries, err := after(ctx, s.r, office, pos, head, limit)
	return entries, head, err
}

func after(ctx context.Context, q queryer, office string, pos, head int64, limit int) ([]store.Entry, error) {
	return entries(q.QueryContext(ctx, `SELECT `+entryColumns+` FROM op WHERE office = ? AND pos > ? AND pos <= ? ORDER BY pos LIMIT ?`, office, pos, head, limit))
}

// Total is the digest of the office's log.
func (s *Store) Total(ctx context.Context, office string) (int64, digest.Sum, error) {
	return total(ctx, s.r, office)
}

func total(ctx context.Context, q queryer, office string) (pos int64, sum digest.Sum, err error) {
	var b []byte
	err = q.QueryRowContext(ctx, `SELECT summed, total FROM office WHERE id = ?`, office).Scan(&pos, &b)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, sum, nil
	case err != nil:
		return 0, sum, err
	}
	if err := sum.UnmarshalBinary(b); err != nil {
		return 0, sum, fmt.Errorf("%w: office %s: %w", file.ErrDamaged, office, err)
	}
	return pos, sum, nil
}

// Relayed counts what was brought back.
func (s *Store) Relayed(ctx context.Context, office string) (n int, err error) {
	err = s.r.QueryRowContext(ctx, `SELECT count(*) FROM op WHERE office = ? AND via <> ''`, office).Scan(&n)
	return n, err
}

func head(ctx context.Context, q queryer, office string) (head int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT head FROM office WHERE id = ?`, office).Scan(&head)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return head, err
}

// Heads gives the last position of each office.
func (s *Store) Heads(ctx context.Context) (map[string]int64, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT id, head FROM office WHERE head > 0`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	heads := map[string]int64{}
	for rows.Next() {
		var id string
		var head int64
		if err := rows.Scan(&id, &head); err != nil {
			return nil, err
		}
		heads[id] = head
	}
	return heads, rows.Err()
}

const entryColumns = `device, seq, pos, eff, clamped, at, via, raw`

func entries(rows *sql.Rows, err error) ([]store.Entry, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []store.Entry
	for rows.Next() {
		var (
			e           store.Entry
			device, via string
			seq         uint64
			eff, at, ps int64
			raw         []byte
		)
		if err := rows.Scan(&device, &seq, &ps, &eff, &e.Clamped, &at, &via, &raw); err != nil {
			return nil, err
		}
		d, err := hlc.ParseDevice(device)
		if err == nil {
			e.Op, err = wire.DecodeOp(d, raw)
		}
		if err == nil {
			e.Via, err = deviceOrNone(via)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: op %s:%d: %w", file.ErrDamaged, device, seq, err)
		}
		e.Eff, e.Pos, e.AtMs = hlc.Time(eff), ps, at
		out = append(out, e)
	}
	return out, rows.Err()
}

// Entity gives all entries of one entity.
func (s *Store) Entity(ctx context.Context, office, kind, entity string) ([]store.Entry, error) {
	return entityOf(ctx, s.r, office, kind, entity)
}

func entityOf(ctx context.Context, q queryer, office, kind, entity string) ([]store.Entry, error) {
	return entries(q.QueryContext(ctx, `SELECT `+entryColumns+` FROM op WHERE office = ? AND kind = ? AND entity = ? ORDER BY pos`, office, kind, entity))
}

// Rows lists bookings.
func (s *Store) Rows(ctx context.Context, office string, f store.Filter) ([]record.Row, error) {
	where, args := []string{"office = ?"}, []any{office}
	if f.Day != 0 {
		where, args = append(where, "day = ?"), append(args, int64(f.Day))
	}
	if f.State != "" {
		where, args = append(where, "state = ?"), append(args, string(f.State))
	}
	if f.ID != "" {
		where, args = append(where, "id = ?"), append(args, string(f.ID))
	}
	rows, err := s.r.QueryContext(ctx, `SELECT id, day, at, name, email, reason, origin, state, number, product, pickup, due, person, changed, words
		FROM booking WHERE `+strings.Join(where, " AND ")+` ORDER BY day, at, id`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []record.Row
	for rows.Next() {
		var r record.Row
		if err := rows.Scan(&r.ID, &r.Day, &r.At, &r.Name, &r.Email, &r.Reason, &r.Origin, &r.State, &r.Number, &r.Product, &r.Pickup, &r.Due, &r.Person, &r.Changed, &r.Words); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// TwoAlike lists registration numbers that several bookings carry.
func (s *Store) TwoAlike(ctx context.Context, office string) ([]store.Alike, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT number, id FROM booking WHERE office = ?1 AND number <> '' AND number IN (
		SELECT number FROM booking WHERE office = ?1 AND number <> '' GROUP BY number HAVING count(*) > 1) ORDER BY number, id`, office)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []store.Alike
	for rows.Next() {
		var number string
		var id spclep.BookingID
		if err := rows.Scan(&number, &id); err != nil {
			return nil, err
		}
		if n := len(out); n == 0 || out[n-1].Number != number {
			out = append(out, store.Alike{Number: number})
		}
		last := &out[len(out)-1]
		last.Bookings = append(last.Bookings, id)
	}
	return out, rows.Err()
}

// Refusals lists what was not taken.
func (s *Store) Refusals(ctx context.Context, office string) ([]store.Refusal, error) {
	rows, err := s.r.QueryContext(ctx, `SELECT r.device, r.seq, r.code, r.say, r.at, r.sum, r.raw FROM refused r JOIN device d ON d.id = r.device WHERE d.office = ? ORDER BY r.n`, office)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []store.Refusal
	for rows.Next() {
		var r store.Refusal
		var device string
		var sum []byte
		if err := rows.Scan(&device, &r.ID.Seq, &r.Code, &r.Say, &r.AtMs, &sum, &r.Raw); err != nil {
			return nil, err
		}
		if r.ID.Device, err = hlc.ParseDevice(device); err != nil {
			return nil, fmt.Errorf("%w: %w", file.ErrDamaged, err)
		}
		copy(r.Sum[:], sum)
		out = append(out, r)
	}
	return out, rows.Err()
}

// lastEff is the time of the op before seq in the device's log.
func lastEff(ctx context.Context, q queryer, d hlc.Device, seq uint64) (hlc.Time, error) {
	var eff int64
	err := q.QueryRowContext(ctx, `SELECT eff FROM op WHERE device = ? AND seq < ? ORDER BY seq DESC LIMIT 1`, d.String(), seq).Scan(&eff)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return hlc.Time(eff), err
}

func held(ctx context.Context, q queryer, id op.ID) (h store.Held, err error) {
	var raw, sum []byte
	var eff int64
	err = q.QueryRowContext(ctx, `SELECT pos, eff, raw FROM op WHERE device = ? AND seq = ?`, id.Device.String(), id.Seq).Scan(&h.Pos, &eff, &raw)
	if err == nil {
		h.Eff, h.Sum = hlc.Time(eff), store.Sum(raw)
		return h, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return h, err
	}
	err = q.QueryRowContext(ctx, `SELECT code, say, sum FROM refused WHERE device = ? AND seq = ? AND code <> ? ORDER BY n LIMIT 1`,
		id.Device.String(), id.Seq, wire.Clash).Scan(&h.Code, &h.Say, &sum)
	copy(h.Sum[:], sum)
	if errors.Is(err, sql.ErrNoRows) {
		return h, nil
	}
	return h, err
}
