package storetest

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// naive is the store one would write first: a sequence gives the place, the
// commit comes when it comes. Here the first of each two commits waits for the
// second, as it may in any database with sequences.
type naive struct {
	mu    sync.Mutex
	next  int64
	log   []placed
	later chan struct{} // closed when the one behind has been read
	read  int64         // the furthest place a reader has been given
}

func (n *naive) Write(item int) error {
	n.mu.Lock()
	n.next++
	pos := n.next
	if pos == 1 {
		n.later = make(chan struct{})
	}
	later := n.later
	n.mu.Unlock()
	if pos == 1 {
		select {
		case <-later:
		case <-time.After(time.Minute):
			panic("nobody overtook the first writer")
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = append(n.log, placed{pos, item})
	return nil
}

func (n *naive) Read(after int64) ([]placed, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []placed
	for _, p := range n.log {
		if p.pos > after {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b placed) int { return int(a.pos - b.pos) })
	if len(out) > 0 && n.later != nil && n.read == 0 {
		n.read = out[len(out)-1].pos
		close(n.later)
	}
	return out, nil
}

// lenient hides the gap, as a reader does that trusts "greater than my
// cursor": then what was committed late is missed for ever.
type lenient struct {
	naive
	given int64
}

func (l *lenient) Read(after int64) ([]placed, error) {
	got, err := l.naive.Read(l.given)
	for i := range got {
		l.given = got[i].pos
		got[i].pos = after + int64(i) + 1
	}
	return got, err
}

// The check notices a store that commits out of the order of its positions:
// by the gap, and where the gap is hidden by what is missing in the end.
func TestFollowNoticesTheNaiveStore(t *testing.T) {
	if err := follow(&naive{}, 2, 3); err == nil || !strings.Contains(err.Error(), "gap") {
		t.Errorf("a gap went unnoticed: %v", err)
	}
	if err := follow(&lenient{}, 2, 3); err == nil || !strings.Contains(err.Error(), "saw 5 of 6") {
		t.Errorf("a missed change went unnoticed: %v", err)
	}
}
