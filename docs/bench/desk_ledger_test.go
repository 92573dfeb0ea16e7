package bench

import (
	"cmp"
	"slices"
	"time"
)

// A taking is one thing that was measured, and what SQLite alone took beside it:
// one value a round, in ms.
type taking struct {
	What                     string
	P50, P99, Bare50, Bare99 series
	Best, Worst              float64 // of all rounds
	N                        int

	ours, theirs series // of the round that runs
}

// A ledger holds takings in the order in which they were first noted.
type ledger []*taking

// note writes down one time of ours and the bare one that was taken with it.
func (l *ledger) note(what string, ours, theirs time.Duration) {
	i := slices.IndexFunc(*l, func(t *taking) bool { return t.What == what })
	if i < 0 {
		i = len(*l)
		*l = append(*l, &taking{What: what})
	}
	t := (*l)[i]
	t.ours.took(ours)
	t.theirs.took(theirs)
}

// close ends a round.
func (l *ledger) close() {
	for _, t := range *l {
		t.P50.add(median(t.ours))
		t.P99.add(quantile(t.ours, 0.99))
		t.Bare50.add(median(t.theirs))
		t.Bare99.add(quantile(t.theirs, 0.99))
		if best := slices.Min(t.ours); t.N == 0 || best < t.Best {
			t.Best = best
		}
		t.Worst = max(t.Worst, slices.Max(t.ours))
		t.N += len(t.ours)
		t.ours, t.theirs = nil, nil
	}
}

// worst is the taking whose 99th percentile is highest, of some that there are.
func (l ledger) worst() *taking {
	return slices.MaxFunc(l, func(a, b *taking) int { return cmp.Compare(median(a.P99), median(b.P99)) })
}
