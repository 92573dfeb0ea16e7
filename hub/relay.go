package hub

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"

	"condica/hub/store"
	"condica/sync/hlc"
	"condica/sync/wire"
)

// named: an op without its author would be answered as the bearer's own.
func named(relay []wire.Relayed) error {
	for i, r := range relay {
		if r.Device == (hlc.Device{}) {
			return fail(http.StatusBadRequest, "request", fmt.Sprintf("relayed op %d names no author", i+1))
		}
	}
	return nil
}

// relay takes an op that a hub had placed and this one has lost, from a PC of
// the office that was sent it. It was judged when it first came, so nothing in
// it is judged again; but its author's signature is gone, so the entry says
// who brought it.
func (t *taking) relay(via hlc.Device, r wire.Relayed) error {
	seq := number(r.Op, 0)
	if seq == 0 {
		return nil // under which number could it be answered?
	}
	v, err := t.back(via, r, seq)
	if err != nil {
		return err
	}
	v.Dev = r.Device
	t.relayed = append(t.relayed, v)
	return nil
}

// back gives a relayed op its verdict. What is refused here is not kept: that
// would stand in the way of what the author itself may still send.
func (t *taking) back(via hlc.Device, r wire.Relayed, seq uint64) (wire.Verdict, error) {
	o, bad := wire.DecodeOp(r.Device, r.Op)
	if bad != nil {
		return wire.Verdict{Seq: seq, Code: wire.Refused, Say: unreadable(bad).Error()}, nil
	}
	if r.Device == via {
		return wire.Verdict{Seq: seq, Code: wire.Refused, Say: wire.Refuse(wire.WhyOwn, "a PC sends its own edits under its own signature").Error()}, nil
	}
	author, err := t.author(r.Device)
	if err != nil {
		return wire.Verdict{}, err
	}
	if author == nil {
		return wire.Verdict{Seq: seq, Code: wire.Refused, Say: wire.Refuse(wire.WhyElsewhere, "its author is of another office").Error()}, nil
	}
	held, err := t.tx.Held(o.ID)
	if err != nil {
		return wire.Verdict{}, err
	}
	if held != (store.Held{}) {
		if held.Sum == store.Sum(r.Op) {
			return again(o, o.ID, held), nil
		}
		return t.refuse(o.ID, wire.Clash, another, r.Op)
	}
	v, err := t.put(o, cmp.Or(r.Eff, o.Time), via)
	if err != nil {
		return v, err
	}
	return v, t.advance(author)
}

// author finds who wrote a relayed op; nil if that is a device of another
// office. One that this hub does not know, or no longer, gets a place without
// a key: nothing can be signed for it.
func (t *taking) author(id hlc.Device) (*store.Device, error) {
	if d, ok := t.devices[id]; ok {
		return d, nil
	}
	d, err := t.tx.Device(id)
	switch {
	case errors.Is(err, store.ErrNone):
		if d = penOf(t.office, t.pen, t.now); d.ID != id {
			d = store.Device{ID: id, Office: t.office, Kind: store.Gone, AddedMs: t.now}
		}
		// At once: an op can only be placed under a device that is there.
		if err := t.tx.SetDevice(d); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	case d.Office != t.office:
		return nil, nil
	}
	t.devices[id] = &d
	return &d, nil
}
