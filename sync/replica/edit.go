package replica

import (
	"errors"
	"fmt"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// A Place is what a decision is given besides the booking: the office's PC and
// the hub's time as well as it is known here.
type Place struct {
	Office string
	Number string // the next free registration number of this PC
	NowMs  int64
	Clock  hlc.Quality // of NowMs
}

// A Receipt names the action that was written. Again: the key had been used,
// and this is what it did then.
type Receipt struct {
	Action op.ID
	AtMs   int64
	Again  bool
}

// Edit reads the booking, lets decide say what is to be written, and writes it,
// journal included. An error of decide is returned as it is. key names the
// request; the same key writes only once.
func Edit(tx Tx, reading hlc.Reading, key, by string, id spclep.BookingID, decide func(record.Booking, Place) ([]op.Draft, error)) (Receipt, error) {
	s := tx.State()
	if key != "" {
		r, ok, err := again(tx, key)
		if err != nil || ok {
			return r, err
		}
	}
	anchors, err := tx.Anchors()
	if err != nil {
		return Receipt{}, err
	}
	nowMs, clock := anchors.Guess(reading, s.LastOK)
	before, err := tx.Booking(id)
	if err != nil {
		return Receipt{}, err
	}
	drafts, err := decide(before, Place{Office: s.Office, Number: s.nextNumber(), NowMs: nowMs, Clock: clock})
	if err != nil {
		return Receipt{}, err
	}
	if len(drafts) == 0 {
		return Receipt{}, errors.New("the action changes nothing")
	}
	entries := s.stamp(drafts, by, s.moment(reading), nowMs)
	if err := write(tx, key, entries); err != nil {
		return Receipt{}, err
	}
	return Receipt{Action: entries[0].ActionID(), AtMs: entries[0].Eff.Ms()}, tx.Project(entries)
}

// again is what a request did that was made before.
func again(tx Tx, key string) (r Receipt, ok bool, err error) {
	first, ok, err := tx.Done(key)
	if err != nil || !ok {
		return r, false, err
	}
	k, ok, err := tx.Op(first)
	if err != nil || !ok {
		return r, false, err
	}
	return Receipt{Action: k.ActionID(), AtMs: k.Eff.Ms(), Again: true}, true, nil
}

// moment makes each action's reading its own. A clock that moves by sixteen
// milliseconds at a time shows the same to three requests of a script; and what
// shows the same is taken for one edit under two names (op.Distinct).
func (s *State) moment(r hlc.Reading) hlc.Reading {
	if r.Boot == s.Boot {
		r.Up = max(r.Up, s.Up+1)
	}
	s.Boot, s.Up = r.Boot, r.Up
	return r
}

// stamp turns drafts into ops: ids from the log, provisional times.
func (s *State) stamp(drafts []op.Draft, by string, reading hlc.Reading, nowMs int64) []op.Entry {
	clock := hlc.New(s.High)
	entries := make([]op.Entry, len(drafts))
	for i, d := range drafts {
		t := clock.Next(nowMs, 0)
		entries[i] = op.Entry{Eff: t, Op: op.Op{
			ID: op.ID{Device: s.Device, Seq: s.Next + uint64(i)}, Action: s.Next,
			Cell: d.Cell, Fact: d.Fact, Value: d.Value, Base: d.Base, Why: d.Why,
			Time: t, Clock: reading, By: by,
		}}
	}
	s.Next += uint64(len(drafts))
	s.High = clock.High()
	return entries
}

// write puts own ops into the log and the journal.
func write(tx Tx, key string, entries []op.Entry) error {
	s := tx.State()
	rec := Record{Device: s.Device, Key: key}
	for _, e := range entries {
		raw, err := wire.EncodeOp(e.Op)
		if err != nil {
			return err
		}
		added, err := tx.Add(Kept{Entry: e, Raw: raw})
		if err != nil {
			return err
		}
		if !added {
			return fmt.Errorf("op %s is held already", e.ID)
		}
		rec.Ops = append(rec.Ops, raw)
		s.saw(e.Op)
	}
	if key != "" {
		if err := tx.SetDone(key, entries[0].ID); err != nil {
			return err
		}
	}
	return tx.Journal(rec)
}
