package replica

import (
	"encoding/json"
	"fmt"

	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// Where gives what a request says of this replica: its office, the epoch and
// position it stands at with the op held there, and up to where its own log is
// held here and answered by the hub. Of ops below that the hub may speak by
// number alone: it is known that both mean the same op. tip is the op at the
// cursor, first the first own op that is not known to be the hub's, 0 for none.
func (s *State) Where(tip, first uint64, tipDevice hlc.Device) (wire.Request, error) {
	r := wire.Request{V: wire.Version, Office: s.Office, Epoch: s.Epoch, Cursor: s.Cursor, Numbers: s.numbersAt(), Desks: s.Desks}
	if r.Desks == "" {
		r.Desks = wire.DesksSum(nil)
	}
	if !s.Gap && !s.Full {
		if r.Own = max(s.Next, 1) - 1; first > 0 {
			r.Own = first - 1
		}
	}
	if len(s.Keys) > 0 {
		var keys []wire.QRKey
		if err := json.Unmarshal(s.Keys, &keys); err != nil {
			return r, fmt.Errorf("keys: %w", err)
		}
		r.Keys = wire.KeysSum(keys)
	}
	if tip > 0 {
		r.Tip = op.ID{Device: tipDevice, Seq: tip}.String()
	}
	return r, nil
}

// Asks says whether Complete has anything to add to a request.
func (s *State) Asks() bool { return s.Resend || s.Differs }

// Complete adds to a request what a hub needs that has lost something, or
// differs: the ops of others that it lacks, at most maxBytes of them, the times
// it once gave, from where on this PC's log can still be sent, the digests of
// the days.
func Complete(tx Tx, r *wire.Request, maxBytes int) (err error) {
	s := tx.State()
	if s.Differs && s.Cursor > 0 && !s.Resend {
		if r.Days, err = Days(tx); err != nil {
			return err
		}
	}
	if !s.Resend {
		return nil
	}
	for i := range r.Segments {
		if err := hints(tx, &r.Segments[i]); err != nil {
			return err
		}
	}
	if r.First, err = firstWhole(tx); err != nil || !s.relays() {
		return err
	}
	r.Relay, err = lost(tx, maxBytes)
	return err
}

// hints tells which effective times the ops of a segment once had.
func hints(tx Tx, seg *wire.Segment) error {
	effs, any := make([]hlc.Time, len(seg.Ops)), false
	for i, raw := range seg.Ops {
		o, err := wire.DecodeOp(seg.Device, raw)
		if err != nil {
			return err
		}
		k, ok, err := tx.Op(o.ID)
		if err != nil {
			return err
		}
		if ok && k.Eff != k.Time {
			effs[i], any = k.Eff, true
		}
	}
	if any {
		seg.Effs = effs
	}
	return nil
}

// firstWhole: the hub lacks an own op that was let go here. The next one that
// was not.
func firstWhole(tx Tx) (uint64, error) {
	s := tx.State()
	for seq := s.Have + 1; seq < s.Next; seq++ {
		k, ok, err := tx.Op(op.ID{Device: s.Device, Seq: seq})
		if err != nil {
			return 0, err
		}
		if ok && !k.Gone {
			return firstUnless(seq, s.Have+1), nil
		}
	}
	return firstUnless(s.Next, s.Have+1), nil
}

func firstUnless(seq, whole uint64) uint64 {
	if seq == whole {
		return 0
	}
	return seq
}

// lost lists what others wrote that a hub had placed and this one lacks.
func lost(tx Tx, maxBytes int) (out []wire.Relayed, err error) {
	s := tx.State()
	ks, err := tx.Unplaced(all)
	if err != nil {
		return nil, err
	}
	for _, k := range ks {
		if k.ID.Device == s.Device || k.Verdict != "" || k.Gone || k.Cell.Kind == Unreadable || k.ID.Seq >= Stray {
			continue
		}
		if maxBytes -= len(k.Raw); maxBytes < 0 && len(out) > 0 || len(out) == wire.MaxOps {
			break
		}
		r := wire.Relayed{Device: k.ID.Device, Op: k.Raw}
		if k.Eff != k.Time {
			r.Eff = k.Eff
		}
		out = append(out, r)
	}
	return out, nil
}
