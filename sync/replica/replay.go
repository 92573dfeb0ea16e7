package replica

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"condica/sync/op"
	"condica/sync/wire"
)

// Replayed says what a replay of the journal changed.
type Replayed struct {
	Restored int // ops that the log did not hold, or only as they were before they were sealed
	Mended   int // ops that the log held otherwise: damaged
	Unread   int // records that no program of this version writes: they were passed over
}

// Replay puts back into the log what it does not hold of the journal: after a
// damaged database all of it, after a stop between the journal's sync and the
// commit the last action. Records of a device that this PC no longer is are of
// before its log was given a new name, and are in it already.
func Replay(tx Tx, records []Record) (Replayed, error) {
	s := tx.State()
	var out Replayed
	f := fold(records, s)
	out.Unread = f.unread
	var touched []op.Entry
	for _, seq := range slices.Sorted(maps.Keys(f.ops)) {
		j := f.ops[seq]
		s.Next, s.High = max(s.Next, seq+1), max(s.High, j.Time)
		s.saw(j.Op)
		if j.Sealed {
			s.Sealed = max(s.Sealed, j.Time)
		}
		changed, err := putBack(tx, j, &out)
		if err != nil {
			return out, err
		}
		if changed {
			touched = append(touched, j.Entry)
		}
	}
	for key, seq := range f.done {
		if _, ok, err := tx.Done(key); err != nil || ok {
			if err != nil {
				return out, err
			}
			continue
		}
		if err := tx.SetDone(key, op.ID{Device: s.Device, Seq: seq}); err != nil {
			return out, err
		}
	}
	return out, tx.Project(touched)
}

// putBack writes the op as the journal has it, if the log lacks it, holds only
// the provisional form of one that was sealed, or holds something else of what
// has no answer yet: the journal's lines have checksums, the log's rows do not.
func putBack(tx Tx, j Kept, out *Replayed) (changed bool, err error) {
	held, ok, err := tx.Op(j.ID)
	switch {
	case err != nil:
		return false, err
	case !ok:
		out.Restored++
		_, err := tx.Add(j)
		return true, err
	case held.Pos > 0 || held.Gone || held.Sealed && !j.Sealed:
		return false, nil
	case j.Sealed && !held.Sealed:
		out.Restored++
	case bytes.Equal(held.Raw, j.Raw) && !held.Torn:
		return false, nil // torn with the same bytes: the damage is in their checksum
	default:
		out.Mended++
	}
	j.Verdict, j.Say = held.Verdict, held.Say
	return true, tx.Set(j)
}

// folded is what a journal adds up to.
type folded struct {
	ops    map[uint64]Kept
	done   map[string]uint64 // first op of the action of a request
	unread int
}

func fold(records []Record, s *State) *folded {
	f := &folded{ops: map[uint64]Kept{}, done: map[string]uint64{}}
	anew := s.Office == ""
	for _, rec := range records {
		if rec.Device != s.Device {
			continue
		}
		ops, err := rec.read()
		if err != nil {
			f.unread++
			continue
		}
		s.Next, s.High, s.Number = max(s.Next, rec.Next), max(s.High, rec.High), max(s.Number, rec.Number)
		if anew && rec.Next > 0 {
			// A database that is whole knows better: it also knows what others used.
			s.Free, s.Given = rec.Free, rec.Given
		}
		if s.Office == "" {
			s.Office, s.Desk, s.Keys = rec.Office, rec.Desk, rec.Keys
		}
		f.add(rec, ops)
	}
	return f
}

// read gives the record's ops. A number that no log reaches is no number.
func (rec Record) read() (ops []Kept, err error) {
	if rec.Next > wire.MaxSeq/2 || rec.Moved > wire.MaxSeq/2 {
		return nil, fmt.Errorf("number %d", max(rec.Next, rec.Moved))
	}
	if !ascending(rec.Free) {
		return nil, fmt.Errorf("registration numbers %v", rec.Free)
	}
	for _, raw := range rec.Ops {
		o, err := wire.DecodeOp(rec.Device, raw)
		if err == nil && o.ID.Seq > wire.MaxSeq/2 {
			err = fmt.Errorf("op %d", o.ID.Seq)
		}
		if err != nil {
			return nil, err
		}
		k := Kept{Entry: op.Entry{Op: o, Eff: o.Time}, Raw: raw, Sealed: rec.Sealed}
		if !rec.Sealed {
			k.Signed = nil
		}
		ops = append(ops, k)
	}
	return ops, nil
}

func (f *folded) add(rec Record, ops []Kept) {
	if rec.Moved > 0 && len(ops) > 0 {
		f.moved(rec.Moved, ops[0].ID.Seq)
	}
	for _, k := range ops {
		f.ops[k.ID.Seq] = k
	}
	if rec.Key != "" && len(ops) > 0 {
		f.done[rec.Key] = ops[0].ID.Seq
	}
}

// moved: the unsealed ops from a number on now begin at another.
func (f *folded) moved(from, to uint64) {
	for seq, k := range f.ops {
		if seq >= from && seq < to && !k.Sealed {
			delete(f.ops, seq)
		}
	}
	for key, seq := range f.done {
		if seq >= from && seq < to {
			f.done[key] = seq + to - from
		}
	}
}
