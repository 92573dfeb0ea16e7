package hub

import (
	"context"

	"condica/hub/store"
	"condica/sync/digest"
	"condica/sync/wire"
)

// maxCatchUp is how many entries one transaction reads to bring an old log's
// digest on: the office's PCs wait for it.
const maxCatchUp = 10 * page

func sumOf(e store.Entry) digest.Sum { return digest.Of(e.ID, e.Pos, e.Eff, digest.Raw(e.Signed)) }

// sum notes an op that has just got its place.
func (t *taking) sum(e store.Entry) {
	if t.fresh.N == 0 {
		t.from = e.Pos - 1
	}
	t.fresh = t.fresh.Add(sumOf(e))
}

// follow brings the digest of the log to its head: from what was put here or,
// where the log is older than its digest, from the log itself.
func (t *taking) follow() error {
	pos, sum, err := t.tx.Total()
	if err != nil {
		return err
	}
	if t.fresh.N > 0 && pos == t.from {
		return t.tx.SetTotal(pos+t.fresh.N, sum.Add(t.fresh))
	}
	head, err := t.tx.Head()
	if err != nil || pos >= head {
		return err
	}
	for most := pos + maxCatchUp; pos < head && pos < most; {
		entries, err := t.tx.After(pos, page)
		if err != nil {
			return err
		}
		for _, e := range entries {
			sum, pos = sum.Add(sumOf(e)), e.Pos
		}
	}
	return t.tx.SetTotal(pos, sum)
}

// digest says in an answer what the whole log amounts to, for a PC that has
// read all of it.
func (s *Server) digest(ctx context.Context, office string, a *wire.Answer) error {
	if a.Cursor != a.Head {
		return nil
	}
	pos, sum, err := s.Store.Total(ctx, office)
	if err == nil && pos == a.Head {
		a.Digest = sum.Text()
	}
	return err
}
