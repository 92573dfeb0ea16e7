package hub

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// taken is what became of a request in the office's log.
type taken struct {
	epoch    string
	reset    bool  // the PC must compare everything anew
	from     int64 // its answer begins after this position
	have     uint64
	verdicts []wire.Verdict
}

// take writes what a request brings, all in one transaction: its counter, its
// ops, its health. A replayed request leaves nothing.
func (s *Server) take(ctx context.Context, me store.Device, counter uint64, req wire.Request) (taken, error) {
	var out taken
	placed := false
	err := s.Store.Write(ctx, me.Office, func(tx store.Tx) error {
		t := taking{tx: tx, now: s.Now(), newer: req.V > wire.Version, devices: map[hlc.Device]*store.Device{}, touched: map[string]bool{}}
		d, err := t.device(me.ID)
		if err != nil {
			return err
		}
		if d.RevokedMs != 0 {
			return fail(http.StatusForbidden, "revoked", "this PC has been revoked by central IT")
		}
		var ok bool
		if d.Window, ok = d.Window.Admit(counter); !ok {
			return &failure{status: http.StatusConflict, counter: d.Window.High, Problem: wire.Problem{
				Code: "counter", Say: fmt.Sprintf("request number %d has been used; go on after %d", counter, d.Window.High)}}
		}
		if out, err = s.stand(tx, req); err != nil {
			return err
		}
		for _, seg := range req.Segments {
			if err := t.segment(seg); err != nil {
				return err
			}
		}
		if err := contact(d, t.now, req); err != nil {
			return err
		}
		if err := t.finish(); err != nil {
			return err
		}
		out.have, out.verdicts, placed = d.Have, runs(t.verdicts[me.ID]), t.placed
		return nil
	})
	if err == nil && placed {
		s.news.ring(me.Office)
	}
	return out, err
}

// stand finds out whether PC and hub speak of the same log. A PC that has read
// further than the log goes, or holds another op at its place, knows a life of
// the log that is lost: the hub was restored from a backup. The log gets a new
// epoch, once; every PC that brings the old one sends again what is missing.
func (s *Server) stand(tx store.Tx, req wire.Request) (taken, error) {
	epoch, err := s.epoch(tx)
	if err != nil {
		return taken{}, err
	}
	if req.Epoch != epoch {
		return taken{epoch: epoch, reset: true}, nil
	}
	head, err := tx.Head()
	if err != nil {
		return taken{}, err
	}
	id, _, err := tx.At(req.Cursor)
	if err != nil {
		return taken{}, err
	}
	if req.Cursor <= head && (req.Tip == "" || req.Cursor == 0 || id.String() == req.Tip) {
		return taken{epoch: epoch, from: req.Cursor}, nil
	}
	if epoch, err = s.newEpoch(); err != nil {
		return taken{}, err
	}
	s.Log.Warn("an office's log has been restored to an earlier state", "head", head, "cursor", req.Cursor, "epoch", epoch)
	return taken{epoch: epoch, reset: true}, tx.SetEpoch(epoch)
}

// taking is one transaction at work on ops. The same steps serve PCs' ops and
// the hub's own.
type taking struct {
	tx       store.Tx
	now      int64
	newer    bool // the sender speaks a later version: unknown facts are carried
	devices  map[hlc.Device]*store.Device
	touched  map[string]bool // bookings
	verdicts map[hlc.Device][]wire.Verdict
	placed   bool
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
	for _, raw := range seg.Ops {
		v, err := t.one(seg.Device, raw, last+1)
		if err != nil {
			return fmt.Errorf("op %s:%d: %w", seg.Device, v.Seq, err)
		}
		if t.verdicts == nil {
			t.verdicts = map[hlc.Device][]wire.Verdict{}
		}
		t.verdicts[seg.Device] = append(t.verdicts[seg.Device], v)
		last = v.Seq
	}
	return t.advance(d)
}

// one gives an op its verdict. next is the number it has if it cannot say so
// itself.
func (t *taking) one(d hlc.Device, raw []byte, next uint64) (wire.Verdict, error) {
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
		return t.refuse(id, wire.Clash, "the hub holds another edit under this number", raw)
	case bad == nil:
		bad = mayCome(o, t.newer)
	}
	if bad != nil {
		return t.refuse(id, wire.Refused, bad.Error(), raw)
	}
	return t.put(o)
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

// put gives an op its time and its place.
func (t *taking) put(o op.Op) (wire.Verdict, error) {
	v := wire.Verdict{Seq: o.ID.Seq}
	before, err := t.tx.LastEff(o.ID.Device, o.ID.Seq)
	if err != nil {
		return v, err
	}
	after, err := t.tx.Eff(o.Base)
	if err != nil {
		return v, err
	}
	e := store.Entry{Entry: op.Entry{Op: o}, AtMs: t.now}
	e.Eff, e.Clamped = op.Effective(o.Time, t.now, append(after, before)...)
	if v.Pos, err = t.tx.Put(e); err != nil {
		return v, err
	}
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

// finish writes what the ops have changed beside the log.
func (t *taking) finish() error {
	for _, d := range t.devices {
		if err := t.tx.SetDevice(*d); err != nil {
			return err
		}
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
	if err := json.Unmarshal(raw, &o); err != nil || o.Seq == 0 || o.Seq > 1<<62 {
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
	if v.Seq != run.Seq+n || v.Code != run.Code || v.Say != run.Say || v.Eff != 0 || run.Eff != 0 {
		return false
	}
	return v.Code != "" || v.Pos == run.Pos+int64(n)
}
