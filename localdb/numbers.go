package localdb

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"condica/sync/replica"
	"condica/sync/wire"
)

// SkipNumbers keeps the registration numbers that this PC gives out above those
// that the office knows under its desk's number: where a hub was lost with its
// keys, and the PCs have come to the new one in another order, the desk may have
// been another PC's before.
func (db *DB) SkipNumbers(ctx context.Context) error {
	return db.write(ctx, func(t *rtx) error {
		prefix := strconv.Itoa(t.s.Desk) + "-"
		rows, err := t.q.QueryContext(ctx, `SELECT number FROM booking WHERE number > ? AND number < ?`, prefix, strconv.Itoa(t.s.Desk)+".")
		if err != nil {
			return fmt.Errorf("read registration numbers: %w", err)
		}
		numbers, err := scanIDs(rows)
		if err != nil {
			return fmt.Errorf("read registration numbers: %w", err)
		}
		highest := t.s.Number
		for _, n := range numbers {
			// One that is no running number was not given out by a desk.
			if number, err := strconv.Atoi(strings.TrimPrefix(string(n), prefix)); err == nil && number <= wire.NumberMax {
				highest = max(highest, number)
			}
		}
		if highest == t.s.Number {
			return nil
		}
		t.s.Number = highest
		return t.Journal(t.s.Mark()) // a replica made anew from the journal must know it too
	})
}

// Numbers lists the plain registration numbers in use between two. The index has
// them as texts: those of one length are in order.
func (v *view) Numbers(from, to int64) (out []int64, err error) {
	for low := int64(1); low <= to; low *= 10 {
		a, b := max(from, low), min(to, low*10-1)
		if a > b {
			continue
		}
		rows, err := v.q.QueryContext(v.ctx, `SELECT number FROM booking WHERE number <> '' AND number BETWEEN ? AND ? AND length(number) = ?`,
			strconv.FormatInt(a, 10), strconv.FormatInt(b, 10), len(strconv.FormatInt(a, 10)))
		if err != nil {
			return nil, fmt.Errorf("read registration numbers: %w", err)
		}
		texts, err := scanIDs(rows)
		if err != nil {
			return nil, fmt.Errorf("read registration numbers: %w", err)
		}
		for _, text := range texts {
			if n, ok := replica.PlainNumber(string(text)); ok {
				out = append(out, n)
			}
		}
	}
	return out, nil
}

// Alike is bookings whose applications carry one registration number.
type Alike struct {
	Number string
	Rows   []Row // two or more, by id
}

// TwoAlike lists the registration numbers that several bookings carry, in the
// order of the texts. No two PCs are given the same; it takes a copied PC, one or
// a hub that was set back, or a number typed by hand.
func (db *DB) TwoAlike(ctx context.Context) ([]Alike, error) {
	rows, err := db.rows(ctx, `SELECT `+rowColumns+` FROM booking WHERE number <> '' AND number IN (
		SELECT number FROM booking WHERE number <> '' GROUP BY number HAVING count(*) > 1) ORDER BY number, id`)
	if err != nil {
		return nil, fmt.Errorf("read registration numbers: %w", err)
	}
	var out []Alike
	for _, r := range rows {
		if n := len(out); n == 0 || out[n-1].Number != r.Number {
			out = append(out, Alike{Number: r.Number})
		}
		last := &out[len(out)-1]
		last.Rows = append(last.Rows, r)
	}
	return out, nil
}
