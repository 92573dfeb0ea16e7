package hub

import (
	"context"
	"sync"
	"time"
)

// bells wake those who wait for news of an office. A bell carries no data:
// whoever hears it looks for itself.
type bells struct {
	mu      sync.Mutex
	offices map[string]*bell
	waiting int
}

type bell struct {
	rung    chan struct{} // closed when something happens
	waiting int
}

func newBells() *bells { return &bells{offices: map[string]*bell{}} }

// hear gives a channel that is closed at the next ring. leave must be called.
func (b *bells) hear(office string) (rung <-chan struct{}, leave func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.offices[office]
	if o == nil {
		o = &bell{rung: make(chan struct{})}
		b.offices[office] = o
	}
	o.waiting++
	b.waiting++
	return o.rung, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.waiting--
		if o.waiting--; o.waiting == 0 && b.offices[office] == o {
			delete(b.offices, office)
		}
	}
}

func (b *bells) ring(office string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o := b.offices[office]; o != nil {
		close(o.rung)
		delete(b.offices, office)
	}
}

func (b *bells) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting
}

// listened lists the offices somebody waits for.
func (b *bells) listened() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]string, 0, len(b.offices))
	for office := range b.offices {
		out = append(out, office)
	}
	return out
}

// watchEvery is how late news from another process on the same store may be.
const watchEvery = 500 * time.Millisecond

// watch rings for what other processes have written: a second hub, or a
// booking made on the command line. One look serves all who wait.
func (s *Server) watch() {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	seen := map[string]int64{}
	for {
		select {
		case <-s.done:
			return
		case <-tick.C:
		}
		if err := s.renew(context.Background()); err != nil {
			s.Log.Error("watch for settings", "err", err)
			continue
		}
		offices := s.news.listened()
		if len(offices) == 0 {
			continue
		}
		heads, err := s.Store.Heads(context.Background())
		if err != nil {
			s.Log.Error("watch for news", "err", err)
			continue
		}
		for _, office := range offices {
			if heads[office] != seen[office] {
				seen[office] = heads[office]
				s.news.ring(office)
			}
		}
	}
}

// WaitingNow counts the PCs that wait for news here.
func (s *Server) WaitingNow() int { return s.news.count() }
