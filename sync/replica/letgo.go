package replica

import (
	"condica/spclep"
	"condica/sync/digest"
	"condica/sync/op"
)

// LetGo forgets one booking after its time of retention: of each op only the
// sum is left, so that the log still adds up. It is let go whole or not at all,
// and only if the hub has placed every op of it: gone says how many.
func LetGo(tx Tx, id spclep.BookingID, ops []Kept) (gone int, err error) {
	s := tx.State()
	for _, k := range ops {
		if k.Pos == 0 || k.Pos > s.Cursor || k.Verdict != "" {
			return 0, nil
		}
	}
	for _, k := range ops {
		if k.Gone {
			continue
		}
		k.Gone, k.Sum = true, digest.Raw(k.Raw)
		k.Raw, k.Op = nil, op.Op{ID: k.ID, Action: k.ID.Seq, Cell: k.Cell, Fact: k.Fact}
		if err := tx.Set(k); err != nil {
			return gone, err
		}
		gone++
	}
	s.Gone += gone
	return gone, tx.Forget(id)
}
