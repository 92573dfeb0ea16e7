package memory

import (
	"maps"
	"slices"
)

// Copy is the store as it stands, as a backup of it would be: neither changes
// with the other.
func (s *Store) Copy() *Store {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := &Store{
		offices: map[string]*office{}, ops: maps.Clone(s.ops), refused: maps.Clone(s.refused), asks: slices.Clone(s.asks),
		devices: maps.Clone(s.devices), tokens: maps.Clone(s.tokens), secrets: maps.Clone(s.secrets), settings: slices.Clone(s.settings),
	}
	for name, o := range s.offices {
		c.offices[name] = &office{epoch: o.epoch, log: slices.Clone(o.log), rows: maps.Clone(o.rows), summed: o.summed, total: o.total, numbers: o.numbers}
	}
	return c
}

// Bare is an empty store with the secrets of this one: a hub that has lost
// its database and kept its keys.
func (s *Store) Bare() *Store {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := New()
	c.secrets = maps.Clone(s.secrets)
	return c
}
