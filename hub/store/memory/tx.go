package memory

import (
	"fmt"

	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/digest"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// tx writes at once and remembers how to take each step back.
type tx struct {
	s    *Store
	name string
	o    *office
	undo []func()
}

func (t *tx) later(f func()) { t.undo = append(t.undo, f) }

func (t *tx) Epoch() (string, error) { return t.o.epoch, nil }

func (t *tx) SetEpoch(epoch string) error {
	old := t.o.epoch
	t.later(func() { t.o.epoch = old })
	t.o.epoch = epoch
	return nil
}

func (t *tx) Head() (int64, error) { return int64(len(t.o.log)), nil }

func (t *tx) At(pos int64) (op.ID, bool, error) {
	if pos < 1 || pos > int64(len(t.o.log)) {
		return op.ID{}, false, nil
	}
	return t.o.log[pos-1], true, nil
}

func (t *tx) After(pos int64, limit int) ([]store.Entry, error) {
	return t.s.after(t.o, pos, limit), nil
}

func (t *tx) Total() (int64, digest.Sum, error) { return t.o.summed, t.o.total, nil }

func (t *tx) SetTotal(pos int64, sum digest.Sum) error {
	oldPos, old := t.o.summed, t.o.total
	t.later(func() { t.o.summed, t.o.total = oldPos, old })
	t.o.summed, t.o.total = pos, sum
	return nil
}

func (t *tx) Numbers() (store.Numbers, error) { return t.o.numbers, nil }

func (t *tx) SetNumbers(n store.Numbers) error {
	old := t.o.numbers
	t.later(func() { t.o.numbers = old })
	t.o.numbers = n
	return nil
}

func (t *tx) Held(id op.ID) (store.Held, error) {
	if e, ok := t.s.ops[id]; ok {
		return store.Held{Pos: e.Pos, Eff: e.Eff, Sum: store.Sum(e.Signed)}, nil
	}
	for _, r := range t.s.refused[id] {
		if r.Code != wire.Clash {
			return store.Held{Sum: r.Sum, Code: r.Code, Say: r.Say}, nil
		}
	}
	return store.Held{}, nil
}

func (t *tx) Bytes(id op.ID) (out [][]byte, err error) {
	if e, ok := t.s.ops[id]; ok {
		out = append(out, e.Signed)
	}
	for _, r := range t.s.refused[id] {
		if r.Code != wire.Clash {
			out = append(out, r.Raw)
		}
	}
	return out, nil
}

func (t *tx) LastEff(d hlc.Device, seq uint64) (eff hlc.Time, err error) {
	var last uint64
	for id, e := range t.s.ops {
		if id.Device == d && id.Seq < seq && id.Seq > last {
			last, eff = id.Seq, e.Eff
		}
	}
	return eff, nil
}

func (t *tx) Eff(ids []op.ID) ([]hlc.Time, error) {
	var out []hlc.Time
	for _, id := range ids {
		if e, ok := t.s.ops[id]; ok && t.s.devices[id.Device].Office == t.name {
			out = append(out, e.Eff)
		}
	}
	return out, nil
}

func (t *tx) LastSeq(d hlc.Device) (last uint64, err error) {
	for id := range t.s.ops {
		if id.Device == d {
			last = max(last, id.Seq)
		}
	}
	for id := range t.s.refused {
		if id.Device == d {
			last = max(last, id.Seq)
		}
	}
	return last, nil
}

func (t *tx) Put(e store.Entry) (int64, error) {
	if _, held := t.s.ops[e.ID]; held {
		return 0, fmt.Errorf("op %s is held already", e.ID)
	}
	if t.s.devices[e.ID.Device].Office != t.name {
		return 0, fmt.Errorf("op %s: its device does not belong to office %s", e.ID, t.name)
	}
	e.Pos = int64(len(t.o.log)) + 1
	t.later(func() { delete(t.s.ops, e.ID); t.o.log = t.o.log[:e.Pos-1] })
	t.s.ops[e.ID] = e
	t.o.log = append(t.o.log, e.ID)
	return e.Pos, nil
}

func (t *tx) Refuse(r store.Refusal) error {
	for _, old := range t.s.refused[r.ID] {
		if old.Sum == r.Sum {
			return nil
		}
	}
	before, asks := t.s.refused[r.ID], t.s.asks
	t.later(func() {
		if t.s.asks = asks; len(before) > 0 {
			t.s.refused[r.ID] = before
			return
		}
		delete(t.s.refused, r.ID)
	})
	t.s.refused[r.ID] = append(before[:len(before):len(before)], r)
	t.s.asks = append(asks[:len(asks):len(asks)], r)
	return nil
}

func (t *tx) Entity(kind, entity string) ([]op.Entry, error) {
	var out []op.Entry
	for _, e := range t.s.entity(t.o, kind, entity) {
		out = append(out, e.Entry)
	}
	return out, nil
}

func (t *tx) Project(r record.Row) error {
	old, had := t.o.rows[string(r.ID)]
	t.later(func() {
		if had {
			t.o.rows[string(r.ID)] = old
			return
		}
		delete(t.o.rows, string(r.ID))
	})
	t.o.rows[string(r.ID)] = r
	return nil
}

func (t *tx) Taken(day spclep.Day) (map[spclep.Minute]int, error) {
	taken := map[spclep.Minute]int{}
	for _, r := range t.o.rows {
		if r.Day == day && store.HoldsSlot(r) {
			taken[r.At]++
		}
	}
	return taken, nil
}

func (t *tx) ActiveOf(person string, from spclep.Day) (n int, err error) {
	for _, r := range t.o.rows {
		if r.State == spclep.StateBooked && r.Day >= from && store.Person(r.Name, r.Email) == person {
			n++
		}
	}
	return n, nil
}

func (t *tx) Device(id hlc.Device) (store.Device, error) { return t.s.device(id) }

func (t *tx) Devices() ([]store.Device, error) { return t.s.devicesOf(t.name), nil }

func (t *tx) SetDevice(d store.Device) error {
	old, had := t.s.devices[d.ID]
	if d.Office != t.name || had && old.Office != t.name {
		return fmt.Errorf("device %s does not belong to office %s", d.ID, t.name)
	}
	t.later(func() {
		if had {
			t.s.devices[d.ID] = old
			return
		}
		delete(t.s.devices, d.ID)
	})
	t.s.devices[d.ID] = d
	return nil
}

func (t *tx) TakeToken(hash [32]byte, by hlc.Device) (store.Token, error) {
	token, ok := t.s.tokens[hash]
	if !ok || token.Office != t.name {
		return store.Token{}, store.ErrNone
	}
	if token.UsedBy == (hlc.Device{}) {
		old := token
		t.later(func() { t.s.tokens[hash] = old })
		token.UsedBy = by
		t.s.tokens[hash] = token
	}
	return token, nil
}
