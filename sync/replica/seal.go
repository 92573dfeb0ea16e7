package replica

import (
	"errors"

	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// ErrNoAnchor: this run of the PC has not yet been measured against the hub,
// so edits written in it cannot be given their time.
var ErrNoAnchor = errors.New("the hub's time is not known yet in this run of the PC")

// maxSeal is how many bytes of values are sealed at once: a batch is one record
// of the journal.
const maxSeal = 1 << 20

// Seal gives up to most own edits the times at which they truly happened, and
// freezes them: from then on they are the same bytes in every try to send them.
func Seal(tx Tx, reading hlc.Reading, most int) error {
	waiting, err := tx.Waiting(true, most)
	if err != nil || len(waiting) == 0 {
		return err
	}
	waiting = upTo(waiting, maxSeal)
	anchors, err := tx.Anchors()
	if err != nil {
		return err
	}
	if a, ok := anchors[reading.Boot]; !ok || a.Err > hlc.MaxMeasured {
		return ErrNoAnchor
	}
	return seal(tx, waiting, anchors, reading)
}

// upTo gives the first ops whose values fit into size bytes, at least one.
func upTo(ops []Kept, size int) []Kept {
	for i, k := range ops {
		if size -= len(k.Raw); size < 0 && i > 0 {
			return ops[:i]
		}
	}
	return ops
}

func seal(tx Tx, ops []Kept, anchors hlc.Anchors, reading hlc.Reading) error {
	s := tx.State()
	readings := make([]hlc.Reading, len(ops))
	for i, k := range ops {
		readings[i] = k.Clock
	}
	times := hlc.Correct(readings, anchors, reading, s.Sealed, s.Floor)
	rec := Record{Device: s.Device, Sealed: true}
	last := s.Sealed
	touched := make([]op.Entry, len(ops))
	for i, k := range ops {
		t, err := afterBases(tx, k.Entry, max(times[i], last.After()))
		if err != nil {
			return err
		}
		k.Time, k.Eff, last = t, t, t
		if k.Raw, err = wire.EncodeOp(k.Op); err != nil {
			return err
		}
		k.Sealed = true
		if err := tx.Set(k); err != nil {
			return err
		}
		rec.Ops = append(rec.Ops, k.Raw)
		touched[i] = k.Entry
	}
	s.Sealed = last
	// A high-water mark from a wrong wall clock dies here, once nothing unsent
	// is stamped above it.
	unsealed, err := tx.HighUnsealed()
	if err != nil {
		return err
	}
	s.High = max(s.Sealed, unsealed)
	if err := tx.Journal(rec); err != nil {
		return err
	}
	return tx.Project(touched)
}

// afterBases moves t behind the edits this one was written on top of: who
// knows comes after what is known, whatever the clocks say.
func afterBases(tx Tx, e op.Entry, t hlc.Time) (hlc.Time, error) {
	for _, b := range e.Base {
		k, ok, err := tx.Op(b)
		if err != nil {
			return t, err
		}
		if ok {
			t = max(t, k.Eff.After())
		}
	}
	return t, nil
}
