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

// Seal gives all own edits that wait the times at which they truly happened, and
// freezes them: from then on they are the same bytes in every try to send them.
// All at once: a run of the PC that was never measured can only be moved whole.
func Seal(tx Tx, reading hlc.Reading) error {
	waiting, err := tx.Waiting(true, all)
	if err != nil || len(waiting) == 0 {
		return err
	}
	anchors, err := tx.Anchors()
	if err != nil {
		return err
	}
	if !measured(anchors, reading.Boot) {
		return ErrNoAnchor
	}
	s := tx.State()
	if err := sealAt(tx, waiting, hlc.Correct(readingsOf(waiting), anchors, reading, s.Sealed, s.Floor)); err != nil {
		return err
	}
	s.High = s.Sealed // a mark from a wrong wall clock dies here: nothing unsent is stamped above it
	return nil
}

func measured(anchors hlc.Anchors, boot string) bool {
	a, ok := anchors[boot]
	return ok && a.Err <= hlc.MaxMeasured
}

func readingsOf(waiting []Kept) []hlc.Reading {
	readings := make([]hlc.Reading, len(waiting))
	for i, k := range waiting {
		readings[i] = k.Clock
	}
	return readings
}

// sealAt freezes edits at their times.
func sealAt(tx Tx, waiting []Kept, times []hlc.Time) error {
	s := tx.State()
	touched := make([]op.Entry, len(waiting))
	rec, size := Record{Device: s.Device, Sealed: true}, 0
	for i, k := range waiting {
		k, err := seal(tx, k, times[i])
		if err != nil {
			return err
		}
		touched[i] = k.Entry
		if size += len(k.Raw); size > maxSeal && len(rec.Ops) > 0 {
			if err := tx.Journal(rec); err != nil {
				return err
			}
			rec.Ops, size = nil, len(k.Raw)
		}
		rec.Ops = append(rec.Ops, k.Raw)
	}
	if err := tx.Journal(rec); err != nil {
		return err
	}
	return tx.Project(touched)
}

func seal(tx Tx, k Kept, at hlc.Time) (Kept, error) {
	s := tx.State()
	t, err := afterBases(tx, k.Entry, max(at, s.Sealed.After()))
	if err != nil {
		return k, err
	}
	k.Time, k.Eff, s.Sealed = t, t, t
	if k.Raw, err = wire.EncodeOp(k.Op); err != nil {
		return k, err
	}
	k.Sealed = true
	return k, tx.Set(k)
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
