package storetest

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"condica/hub/store"
)

// A positioned log is what a reader by cursor sees of a store. Write gives an
// item its place and returns when it is there for good; Read gives the items
// after a place, in order.
type positioned interface {
	Write(item int) error
	Read(after int64) (items []placed, err error)
}

type placed struct {
	pos  int64
	item int
}

// follow lets writers write beside each other while a reader follows by its
// cursor, and says what the reader missed, if anything: a place that came
// after the reader had passed it is a change that an office never sees.
func follow(log positioned, writers, each int) error {
	var wg sync.WaitGroup
	errs := make(chan error, writers)
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if err := log.Write(w*each + i); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()

	seen, cursor := map[int]bool{}, int64(0)
	for last := false; ; {
		items, err := log.Read(cursor)
		if err != nil {
			return err
		}
		for _, it := range items {
			if it.pos != cursor+1 {
				return fmt.Errorf("after position %d came %d: there is a gap", cursor, it.pos)
			}
			seen[it.item], cursor = true, it.pos
		}
		if last && len(items) == 0 {
			break
		}
		select {
		case <-done:
			last = true // and on to the end of what there is
		case err := <-errs:
			return err
		default:
		}
	}
	if len(seen) != writers*each {
		return fmt.Errorf("a reader that followed to position %d saw %d of %d items", cursor, len(seen), writers*each)
	}
	return nil
}

// Writers write beside each other; a reader that follows by its cursor misses
// none of it and meets no gap.
func nothingMissed(t *testing.T, s store.Store) {
	const writers, each = 4, 15
	log := &storeLog{s: s}
	for i := range writers {
		log.w = append(log.w, named(fmt.Sprint("writer", i)))
		join(t, s, office, log.w[i])
	}
	log.each = each
	if err := follow(log, writers, each); err != nil {
		t.Error(err)
	}
}

type storeLog struct {
	s    store.Store
	w    []*writer
	each int
}

func (l *storeLog) Write(item int) error {
	e := l.w[item/l.each].writes(1000, "BOOKING2", fmt.Sprintf("%d@example.ro", item))
	return l.s.Write(context.Background(), office, func(tx store.Tx) error { _, err := tx.Put(e); return err })
}

func (l *storeLog) Read(after int64) ([]placed, error) {
	entries, _, err := l.s.After(context.Background(), office, after, 7)
	var out []placed
	for _, e := range entries {
		for i, w := range l.w {
			if w.id() == e.ID.Device {
				out = append(out, placed{e.Pos, i*l.each + int(e.ID.Seq) - 1})
			}
		}
	}
	return out, err
}
