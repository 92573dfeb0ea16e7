package localdb

import (
	"context"
	"fmt"
	"strconv"
	"strings"
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
			if number, err := strconv.Atoi(strings.TrimPrefix(string(n), prefix)); err == nil {
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
