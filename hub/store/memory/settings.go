package memory

import (
	"context"

	"condica/hub/store"
)

// AddSettings keeps a bundle.
func (s *Store) AddSettings(_ context.Context, p store.Published) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, old := range s.settings {
		if old.Number >= p.Number {
			return store.ErrUsed
		}
	}
	s.settings = append(s.settings, p)
	return nil
}

// SettingsHeads gives the highest number of each target.
func (s *Store) SettingsHeads(context.Context) (map[string]int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	heads := map[string]int64{}
	for _, p := range s.settings {
		heads[p.Target] = p.Number // they are kept in order
	}
	return heads, nil
}

// Settings gives a bundle by its number.
func (s *Store) Settings(_ context.Context, number int64) (store.Published, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, p := range s.settings {
		if p.Number == number {
			return p, nil
		}
	}
	return store.Published{}, store.ErrNone
}
