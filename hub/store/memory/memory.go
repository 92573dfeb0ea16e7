// Package memory is the hub's store without a disk, for simulations and quick
// tests. It keeps the whole contract but outlives no process.
package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/digest"
	"condica/sync/hlc"
	"condica/sync/op"
)

// A Store is an empty hub's store until it is written to.
type Store struct {
	mu      sync.RWMutex
	offices map[string]*office
	ops     map[op.ID]store.Entry
	refused map[op.ID][]store.Refusal
	asks    []store.Refusal
	devices map[hlc.Device]store.Device
	tokens  map[[32]byte]store.Token
	secrets map[string][]byte

	settings []store.Published // by number
}

type office struct {
	epoch string
	log   []op.ID // place n is position n+1
	rows  map[string]record.Row

	summed int64 // total covers positions up to this one
	total  digest.Sum

	numbers store.Numbers
}

// New makes an empty store.
func New() *Store {
	return &Store{
		offices: map[string]*office{}, ops: map[op.ID]store.Entry{}, refused: map[op.ID][]store.Refusal{},
		devices: map[hlc.Device]store.Device{}, tokens: map[[32]byte]store.Token{}, secrets: map[string][]byte{},
	}
}

var _ store.Store = (*Store)(nil)

// Write runs f under the one lock there is, and undoes its steps if it fails.
func (s *Store) Write(ctx context.Context, name string, f func(store.Tx) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.offices[name] == nil {
		s.offices[name] = &office{rows: map[string]record.Row{}}
	}
	tx := &tx{s: s, name: name, o: s.offices[name]}
	err := f(tx)
	if err != nil {
		for _, undo := range slices.Backward(tx.undo) {
			undo()
		}
	}
	return err
}

// After gives the office's log after pos.
func (s *Store) After(_ context.Context, name string, pos int64, limit int) ([]store.Entry, int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.offices[name]
	if o == nil {
		return nil, 0, nil
	}
	return s.after(o, pos, limit), int64(len(o.log)), nil
}

func (s *Store) after(o *office, pos int64, limit int) (out []store.Entry) {
	head := int64(len(o.log))
	for _, id := range o.log[min(max(pos, 0), head):min(max(pos, 0)+int64(limit), head)] {
		out = append(out, s.ops[id])
	}
	return out
}

// Total is the digest of the office's log.
func (s *Store) Total(_ context.Context, name string) (int64, digest.Sum, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.offices[name]
	if o == nil {
		return 0, digest.Sum{}, nil
	}
	return o.summed, o.total, nil
}

// Relayed counts what was brought back.
func (s *Store) Relayed(_ context.Context, name string) (n int, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if o := s.offices[name]; o != nil {
		for _, id := range o.log {
			if s.ops[id].Via != (hlc.Device{}) {
				n++
			}
		}
	}
	return n, nil
}

// Heads gives the last position of each office.
func (s *Store) Heads(context.Context) (map[string]int64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	heads := map[string]int64{}
	for name, o := range s.offices {
		if len(o.log) > 0 {
			heads[name] = int64(len(o.log))
		}
	}
	return heads, nil
}

// Entity gives all entries of one entity.
func (s *Store) Entity(_ context.Context, name, kind, entity string) ([]store.Entry, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.entity(s.offices[name], kind, entity), nil
}

func (s *Store) entity(o *office, kind, entity string) []store.Entry {
	var out []store.Entry
	if o == nil {
		return nil
	}
	for _, id := range o.log {
		if e := s.ops[id]; e.Cell.Kind == kind && e.Cell.Entity == entity {
			out = append(out, e)
		}
	}
	return out
}

// Rows lists bookings.
func (s *Store) Rows(_ context.Context, name string, f store.Filter) ([]record.Row, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.offices[name]
	if o == nil {
		return nil, nil
	}
	var out []record.Row
	for _, r := range o.rows {
		if (f.Day == 0 || f.Day == r.Day) && (f.State == "" || f.State == r.State) && (f.ID == "" || f.ID == r.ID) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b record.Row) int {
		return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// TwoAlike lists registration numbers that several bookings carry.
func (s *Store) TwoAlike(_ context.Context, name string) ([]store.Alike, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.offices[name]
	if o == nil {
		return nil, nil
	}
	by := map[string][]spclep.BookingID{}
	for _, r := range o.rows {
		if r.Number != "" {
			by[r.Number] = append(by[r.Number], r.ID)
		}
	}
	var out []store.Alike
	for _, number := range slices.Sorted(maps.Keys(by)) {
		if ids := by[number]; len(ids) > 1 {
			slices.Sort(ids)
			out = append(out, store.Alike{Number: number, Bookings: ids})
		}
	}
	return out, nil
}

// Refusals lists what was not taken.
func (s *Store) Refusals(_ context.Context, name string) ([]store.Refusal, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []store.Refusal
	for _, r := range s.asks {
		if s.devices[r.ID.Device].Office == name {
			out = append(out, r)
		}
	}
	return out, nil
}

// Device finds a device.
func (s *Store) Device(_ context.Context, id hlc.Device) (store.Device, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.device(id)
}

func (s *Store) device(id hlc.Device) (store.Device, error) {
	d, ok := s.devices[id]
	if !ok {
		return d, store.ErrNone
	}
	return d, nil
}

// Devices lists an office's devices.
func (s *Store) Devices(_ context.Context, name string) ([]store.Device, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.devicesOf(name), nil
}

func (s *Store) devicesOf(name string) []store.Device {
	out := slices.DeleteFunc(slices.Collect(maps.Values(s.devices)), func(d store.Device) bool { return d.Office != name })
	slices.SortFunc(out, func(a, b store.Device) int {
		return cmp.Or(cmp.Compare(a.AddedMs, b.AddedMs), cmp.Compare(a.Desk, b.Desk), cmp.Compare(a.ID.String(), b.ID.String()))
	})
	return out
}

// AddToken keeps a token.
func (s *Store) AddToken(_ context.Context, t store.Token) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[t.Hash] = t
	return nil
}

// Token finds a token.
func (s *Store) Token(_ context.Context, hash [32]byte) (store.Token, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	t, ok := s.tokens[hash]
	if !ok {
		return t, store.ErrNone
	}
	return t, nil
}

// Secret gives or makes a secret.
func (s *Store) Secret(_ context.Context, name string, fresh func() ([]byte, error)) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.secrets[name]; ok {
		return slices.Clone(v), nil
	}
	v, err := fresh()
	if err == nil {
		s.secrets[name] = slices.Clone(v)
	}
	return v, err
}

// SetSecret replaces a secret.
func (s *Store) SetSecret(_ context.Context, name string, value []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.secrets[name] = slices.Clone(value)
	return nil
}

// AllSecrets gives all secrets.
func (s *Store) AllSecrets(context.Context) (map[string][]byte, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := map[string][]byte{}
	for name, v := range s.secrets {
		out[name] = slices.Clone(v)
	}
	return out, nil
}

// AddSecrets keeps secrets that are not there yet.
func (s *Store) AddSecrets(_ context.Context, secrets map[string][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, v := range secrets {
		if old, ok := s.secrets[name]; ok && !bytes.Equal(old, v) {
			return fmt.Errorf("secret %s: %w", name, store.ErrOther)
		}
	}
	for name, v := range secrets {
		s.secrets[name] = slices.Clone(v)
	}
	return nil
}

// Close does nothing.
func (s *Store) Close() error { return nil }
