package hub

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/digest"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// taking is one transaction at work on ops. The same steps serve PCs' ops and
// the hub's own.
type taking struct {
	tx       store.Tx
	office   string
	now      int64
	newer    bool              // the sender speaks a later version: unknown facts are carried
	pen      ed25519.PublicKey // the hub's in this office, where ops may be brought back
	devices  map[hlc.Device]*store.Device
	touched  map[string]bool // bookings
	verdicts map[hlc.Device][]wire.Verdict
	relayed  []wire.Verdict
	torn     op.ID // the last action of which a number stands for another edit here
	placed   bool
	from     int64      // the position before the first op that was put here
	fresh    digest.Sum // of all that were
}

func newTaking(tx store.Tx, office string, now int64) taking {
	return taking{
		tx: tx, office: office, now: now,
		devices: map[hlc.Device]*store.Device{}, touched: map[string]bool{}, verdicts: map[hlc.Device][]wire.Verdict{},
	}
}

// all takes what a request of the PC d brings. What comes back from before is
// taken first: it was there first.
func (t *taking) all(d *store.Device, req wire.Request) error {
	for i, r := range req.Relay {
		if err := t.relay(d.ID, r); err != nil {
			return fmt.Errorf("relayed op %d: %w", i+1, err)
		}
	}
	for _, seg := range req.Segments {
		if err := t.segment(seg); err != nil {
			return err
		}
	}
	return t.past(d, req.First)
}

func (t *taking) device(id hlc.Device) (*store.Device, error) {
	if d, ok := t.devices[id]; ok {
		return d, nil
	}
	d, err := t.tx.Device(id)
	if err != nil {
		return nil, fmt.Errorf("device %s: %w", id, err)
	}
	t.devices[id] = &d
	return &d, nil
}

func (t *taking) segment(seg wire.Segment) error {
	d, err := t.device(seg.Device)
	if err != nil {
		return err
	}
	last := d.Have
	for i, raw := range seg.Ops {
		hint := hlc.Time(0)
		if i < len(seg.Effs) {
			hint = seg.Effs[i]
		}
		v, err := t.one(seg.Device, raw, hint, last+1)
		if err != nil {
			return fmt.Errorf("op %s:%d: %w", seg.Device, v.Seq, err)
		}
		t.verdicts[seg.Device] = append(t.verdicts[seg.Device], v)
		last = v.Seq
	}
	return t.advance(d)
}

// one gives an op its verdict. hint is the time at which it counted before the
// hub lost it, 0 if there is none; next the number it has if it cannot say so
// itself.
func (t *taking) one(d hlc.Device, raw []byte, hint hlc.Time, next uint64) (wire.Verdict, error) {
	o, bad := wire.DecodeOp(d, raw)
	id := op.ID{Device: d, Seq: number(raw, next)}
	sum := store.Sum(raw)
	held, err := t.tx.Held(id)
	if err != nil {
		return wire.Verdict{Seq: id.Seq}, err
	}
	switch {
	case held != (store.Held{}) && held.Sum == sum:
		return again(o, id, held), nil
	case held != (store.Held{}):
		if bad == nil {
			t.torn = o.ActionID()
		}
		return t.refuse(id, wire.Clash, another, raw)
	case bad == nil && o.ActionID() == t.torn:
		// Its own number is free: another life of its PC has used only the first
		// of them so far. Taken, it would stand in the log as part of that action.
		return t.refuse(id, wire.Clash, rest, raw)
	case bad == nil:
		bad = mayCome(o, t.newer)
	}
	if bad != nil {
		return t.refuse(id, wire.Refused, unreadable(bad).Error(), raw)
	}
	return t.put(o, t.earlier(o.Time, hint), hlc.Device{})
}

// Say of a clash.
const (
	another = "the hub holds another edit under this number"
	rest    = "the hub holds another edit under a number of the same action"
)

// earlier is the time by which an op is to be placed: a hint may only move it
// back, to where it was before its author's future was cut off. Sending an op
// again must never make it newer.
func (t *taking) earlier(at, hint hlc.Time) hlc.Time {
	if now, _ := op.Effective(at, t.now); hint != 0 && hint < now {
		return hint
	}
	return at
}

// again is the verdict on an op that is here already.
func again(o op.Op, id op.ID, held store.Held) wire.Verdict {
	v := wire.Verdict{Seq: id.Seq, Pos: held.Pos, Code: held.Code, Say: held.Say}
	if held.Code == "" && held.Eff != o.Time {
		v.Eff = held.Eff
	}
	return v
}

func (t *taking) refuse(id op.ID, code, say string, raw []byte) (wire.Verdict, error) {
	r := store.Refusal{ID: id, Code: code, Say: say, Raw: raw[:min(len(raw), wire.MaxOpBytes)], Sum: store.Sum(raw), AtMs: t.now}
	return wire.Verdict{Seq: id.Seq, Code: code, Say: say}, t.tx.Refuse(r)
}

// put gives an op its place, and its time: at, after what it comes after. via
// is the PC that brought it, if that is not its author.
func (t *taking) put(o op.Op, at hlc.Time, via hlc.Device) (wire.Verdict, error) {
	v := wire.Verdict{Seq: o.ID.Seq}
	before, err := t.tx.LastEff(o.ID.Device, o.ID.Seq)
	if err != nil {
		return v, err
	}
	after, err := t.tx.Eff(o.Base)
	if err != nil {
		return v, err
	}
	e := store.Entry{Entry: op.Entry{Op: o}, AtMs: t.now, Via: via}
	e.Eff, e.Clamped = op.Effective(at, t.now, append(after, before)...)
	e.Clamped = e.Clamped || at < o.Time // it was, by the hub that first took it
	if e.Pos, err = t.tx.Put(e); err != nil {
		return v, err
	}
	t.sum(e)
	v.Pos = e.Pos
	if e.Eff != o.Time {
		v.Eff = e.Eff
	}
	if o.Cell.Kind == record.Kind {
		t.touched[o.Cell.Entity] = true
	}
	t.placed = true
	return v, nil
}

// advance moves up to where the device's log is held without a gap. A refused
// op is held too: its author need not send it again.
func (t *taking) advance(d *store.Device) error {
	for {
		held, err := t.tx.Held(op.ID{Device: d.ID, Seq: d.Have + 1})
		if err != nil || held == (store.Held{}) {
			return err
		}
		d.Have++
	}
}

// past moves over what the PC can no longer send: nobody would ever fill that
// gap, and what lies behind it is held.
func (t *taking) past(d *store.Device, first uint64) error {
	if first <= d.Have+1 {
		return nil
	}
	if err := t.advance(d); err != nil || first <= d.Have+1 {
		return err
	}
	d.Have = first - 1
	return t.advance(d)
}

// finish writes what the ops have changed beside the log.
func (t *taking) finish() error {
	for _, d := range t.devices {
		if err := t.tx.SetDevice(*d); err != nil {
			return err
		}
	}
	if err := t.follow(); err != nil {
		return err
	}
	return t.project()
}

// project writes the rows of the bookings that were touched.
func (t *taking) project() error {
	for id := range t.touched {
		entries, err := t.tx.Entity(record.Kind, id)
		if err != nil {
			return err
		}
		if err := t.tx.Project(record.RowOf(record.Of(spclep.BookingID(id), entries))); err != nil {
			return fmt.Errorf("project booking %s: %w", id, err)
		}
	}
	clear(t.touched)
	return nil
}

// number reads an op's number even where the rest of it is broken.
func number(raw []byte, next uint64) uint64 {
	var o struct {
		Seq uint64 `json:"q"`
	}
	if err := json.Unmarshal(raw, &o); err != nil || o.Seq == 0 || o.Seq > wire.MaxSeq {
		return next
	}
	return o.Seq
}

// runs joins verdicts that follow each other into one.
func runs(verdicts []wire.Verdict) []wire.Verdict {
	var out []wire.Verdict
	for _, v := range verdicts {
		if n := len(out); n > 0 && follows(out[n-1], v) {
			out[n-1].N = max(out[n-1].N, 1) + 1
			continue
		}
		out = append(out, v)
	}
	return slices.Clip(out)
}

func follows(run, v wire.Verdict) bool {
	n := max(run.N, 1)
	if v.Dev != run.Dev || v.Seq != run.Seq+n || v.Code != run.Code || v.Say != run.Say || v.Eff != 0 || run.Eff != 0 {
		return false
	}
	return v.Code != "" || v.Pos == run.Pos+int64(n)
}

// unreadable gives an error that is no refusal of its own its reason.
func unreadable(bad error) error {
	var own *wire.RefusalError
	if errors.As(bad, &own) {
		return own
	}
	return wire.Refuse(wire.WhyUnreadable, "%v", bad)
}
