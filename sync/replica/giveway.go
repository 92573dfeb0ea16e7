package replica

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"

	"condica/spclep"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// giveWay: the hub holds this PC's log up to have, and here are edits under
// those numbers that were never sent: the PC was set back to an earlier state
// (a restored disk, a lost data folder) and clerks went on before it reached the
// hub. Nobody has seen their numbers yet, so they move behind the hub's.
func giveWay(tx Tx, have uint64) error {
	s := tx.State()
	if have >= s.Next {
		s.Gap = true
		if err := forgetNumbers(tx); err != nil {
			return err
		}
	}
	s.Next = max(s.Next, have+1)
	first, err := tx.Waiting(true, 1)
	if err != nil || len(first) == 0 || first[0].ID.Seq > have {
		return err
	}
	return giveWayFrom(tx, first[0].ID.Seq)
}

// giveWayFrom moves all unsealed edits from a number on behind the log.
func giveWayFrom(tx Tx, from uint64) error {
	if err := forgetNumbers(tx); err != nil {
		return err
	}
	s := tx.State()
	waiting, err := tx.Waiting(true, all)
	if err != nil {
		return err
	}
	var moving []Kept
	to := map[op.ID]op.ID{}
	for _, k := range waiting {
		if k.ID.Seq >= from {
			moving = append(moving, k)
			to[k.ID] = op.ID{Device: s.Device, Seq: k.ID.Seq + s.Next - from}
		}
	}
	rec := Record{Device: s.Device, Moved: from}
	if rec.Ops, err = move(tx, moving, to); err != nil {
		return err
	}
	s.Next = to[moving[len(moving)-1].ID].Seq + 1
	return tx.Journal(rec)
}

// all is no limit.
const all = 1 << 31

// move gives ops new ids, and everything that speaks of them too.
func move(tx Tx, moving []Kept, to map[op.ID]op.ID) (raws []json.RawMessage, err error) {
	for _, k := range moving {
		if err := tx.Remove(k.ID); err != nil {
			return nil, err
		}
	}
	var touched []op.Entry
	for _, k := range moving {
		k.Op = renamed(k.Op, to)
		if k.Raw, err = wire.EncodeOp(k.Op); err != nil {
			return nil, err
		}
		k.Verdict, k.Say = "", ""
		if k.Sealed {
			k.Signed = k.Raw
		}
		added, err := tx.Add(k)
		if err != nil {
			return nil, err
		}
		if !added {
			return nil, fmt.Errorf("op %s is held already", k.ID)
		}
		raws, touched = append(raws, k.Raw), append(touched, k.Entry)
	}
	if err := tx.RenameDone(to); err != nil {
		return nil, err
	}
	return raws, tx.Project(touched)
}

// renamed gives an op and what it says of other moved ops the new names.
func renamed(o op.Op, to map[op.ID]op.ID) op.Op {
	name := func(id op.ID) op.ID {
		if n, ok := to[id]; ok {
			return n
		}
		return id
	}
	action := name(o.ActionID())
	o.ID = name(o.ID)
	o.Action = action.Seq
	if action.Device != o.ID.Device {
		o.Action = o.ID.Seq // the first of the action stays behind under the old name
	}
	base := make([]op.ID, len(o.Base))
	for i, b := range o.Base {
		base[i] = name(b)
	}
	o.Base = base
	var undone spclep.UndoneValue
	if o.Fact && o.Cell.Field == spclep.Undone && json.Unmarshal(o.Value, &undone) == nil {
		if id, err := op.ParseID(undone.Action); err == nil && name(id) != id {
			o.Value = fmt.Appendf(nil, `{"x":%q}`, name(id))
		}
	}
	return o
}

// UnsentMarks says, for the hub, what this PC holds of its own log without knowing
// it placed.
func UnsentMarks(tx Tx) ([]wire.Unsent, error) {
	ks, err := unplacedOwn(tx)
	out := make([]wire.Unsent, 0, len(ks))
	for _, k := range ks {
		mark := k.Mark()
		out = append(out, wire.Unsent{Seq: k.ID.Seq &^ Stray, Sum: mark[:]})
	}
	return out, err
}

func unplacedOwn(tx Tx) (out []Kept, err error) {
	ks, err := tx.Unplaced(all)
	for _, k := range ks {
		if k.ID.Device == tx.State().Device && k.ID.Seq < 2*Stray && !k.Gone {
			out = append(out, k)
		}
	}
	slices.SortStableFunc(out, func(a, b Kept) int { return cmp.Compare(a.ID.Seq&^Stray, b.ID.Seq&^Stray) })
	return out, err
}

// Rekey lets this PC go on under another name: another machine writes under the
// old one too, or its key is lost. e is the hub's word: it takes nothing more
// from the old device, and e.Held is what it has of the edits that are without
// an answer here. All others are given new numbers in the log of the new device,
// in their order; those that were refused, too, to be refused again. The journal has to be begun anew once this is committed.
func Rekey(tx Tx, e wire.Enrolled) error {
	s := tx.State()
	if s.Device == e.Device {
		return nil // done before
	}
	held := map[uint64]bool{}
	for _, seq := range e.Held {
		held[seq] = true
	}
	unplaced, err := unplacedOwn(tx)
	if err != nil {
		return err
	}
	var moving []Kept
	to := map[op.ID]op.ID{}
	var sealed hlc.Time
	for _, k := range unplaced {
		if held[k.ID.Seq] && k.ID.Seq < Stray {
			continue
		}
		moving = append(moving, k)
		to[k.ID] = op.ID{Device: e.Device, Seq: uint64(len(moving))}
		// One that was set aside was known by the number without the bit.
		to[op.ID{Device: s.Device, Seq: k.ID.Seq &^ Stray}] = to[k.ID]
		if k.Sealed {
			sealed = max(sealed, k.Time)
		}
	}
	s.Device, s.Next, s.Have, s.Sealed = e.Device, uint64(len(moving))+1, 0, sealed
	s.Gap, s.Clash = false, false
	s.Free, s.Given = nil, 0 // the other machine may hold them, too
	if s.Desk != e.Desk {
		s.Desk, s.Number = e.Desk, 0
	}
	_, err = move(tx, moving, to)
	return err
}

// Fresh gives the records with which a fresh journal begins: the mark, and what
// the hub has not acknowledged.
func Fresh(tx Tx) ([]Record, error) {
	s := tx.State()
	records := []Record{s.Mark()}
	ks, err := tx.Unplaced(all)
	if err != nil {
		return nil, err
	}
	rec, size := Record{Device: s.Device}, 0
	for _, k := range ks {
		if k.ID.Device != s.Device || k.Gone || k.ID.Seq >= Stray {
			continue
		}
		if len(rec.Ops) > 0 && (k.Sealed != rec.Sealed || size+len(k.Raw) > maxSeal) {
			records = append(records, rec)
			rec.Ops, size = nil, 0
		}
		rec.Sealed, rec.Ops, size = k.Sealed, append(rec.Ops, k.Raw), size+len(k.Raw)
	}
	if len(rec.Ops) > 0 {
		records = append(records, rec)
	}
	return records, nil
}

// Mark is what a replica that has only the journal must know to go on.
func (s *State) Mark() Record {
	return Record{Device: s.Device, Next: s.Next, High: s.High, Number: s.Number, Free: s.Free, Given: s.Given, Office: s.Office, Desk: s.Desk, Keys: s.Keys}
}
