package hub

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"

	"condica/hub/store"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// join gives a PC the place that admit says it may have, in one transaction
// with what admit has checked, and retires the device that it follows.
func (s *Server) join(ctx context.Context, office string, ask wire.Enroll, admit func(store.Tx, int64) (store.Device, error)) (wire.Enrolled, error) {
	root, err := s.SettingsRoot(ctx)
	if err != nil {
		return wire.Enrolled{}, err
	}
	var out wire.Enrolled
	err = s.Store.Write(ctx, office, func(tx store.Tx) error {
		now := s.Now()
		want, err := admit(tx, now)
		if err != nil {
			return err
		}
		want.ID, want.Office, want.Kind, want.Pub = wire.DeviceOf(ask.Pub), office, store.PC, ask.Pub
		d, err := place(tx, want)
		if err != nil {
			return err
		}
		held, err := s.succeed(tx, d, ask, now)
		if err != nil {
			return err
		}
		epoch, err := s.epoch(tx)
		if err != nil {
			return err
		}
		cert, err := s.certify(d)
		out = wire.Enrolled{Device: d.ID, Office: d.Office, Desk: d.Desk, Epoch: epoch, HubMs: now, Keys: s.QRKeys(), Root: root, Cert: cert, Held: held}
		return err
	})
	if err == nil {
		s.news.ring(office) // a PC that was followed hears of it
	}
	return out, err
}

// place finds or makes the PC's place in the office.
func place(tx store.Tx, want store.Device) (store.Device, error) {
	d, err := tx.Device(want.ID)
	switch {
	case errors.Is(err, store.ErrNone):
		d = want
	case err != nil:
		return d, err
	case d.Office != want.Office || d.Kind == store.Hub:
		return d, fail(http.StatusForbidden, "device-elsewhere", "this PC's key belongs to another office")
	case d.RevokedMs != 0:
		return d, fail(http.StatusForbidden, "revoked", "this PC's key has been revoked; it needs a new one")
	case d.RetiredMs != 0 && d.Kind == store.PC:
		return d, retired()
	case d.Kind == store.PC:
		return d, nil
	default: // its work came before it, and perhaps one that follows it, too: then it only gets its key back, to follow it by
		d.Kind, d.Pub, d.Name, d.AddedMs, d.Desk, d.Old = want.Kind, want.Pub, want.Name, want.AddedMs, want.Desk, want.Old
	}
	if d.Desk, err = desk(tx, d); err != nil {
		return d, err
	}
	if old, err := tx.Device(d.Old); errors.Is(err, store.ErrNone) || err == nil && (old.Office != d.Office || old.Kind == store.Hub) {
		d.Old = hlc.Device{} // nothing here to follow
	} else if err != nil {
		return d, err
	}
	return d, tx.SetDevice(d)
}

// desk is the number that a new PC wishes for, if it is free, or else the next
// one. A revoked PC keeps its number: registration numbers given out under it
// must not come again.
func desk(tx store.Tx, d store.Device) (int, error) {
	others, err := tx.Devices()
	next, free := 1, d.Desk > 0
	for _, o := range others {
		next = max(next, o.Desk+1)
		free = free && o.Desk != d.Desk
	}
	if free {
		return d.Desk, err
	}
	return next, err
}

// succeed retires the device that d follows, and says which of the edits that d
// holds unsent under the old name are here: from now on no more will come.
func (s *Server) succeed(tx store.Tx, d store.Device, ask wire.Enroll, now int64) (held []uint64, err error) {
	if d.Old == (hlc.Device{}) {
		return nil, nil
	}
	old, err := tx.Device(d.Old)
	if err != nil {
		return nil, err
	}
	if old.RetiredMs == 0 || old.Heir == (hlc.Device{}) {
		if old.RetiredMs == 0 {
			old.RetiredMs = now
		}
		old.Heir = d.ID
		s.Log.Warn("a PC goes on under a new key", "office", d.Office, "name", d.Name, "device", d.ID, "old", old.ID)
		if err := tx.SetDevice(old); err != nil {
			return nil, err
		}
	}
	if ask.Old != old.ID {
		return nil, nil
	}
	for _, u := range ask.Unsent {
		id := op.ID{Device: old.ID, Seq: u.Seq}
		if h, err := tx.Held(id); err != nil || h.Pos == 0 {
			if err != nil {
				return nil, err
			}
			continue // one that was refused is refused again under its new number
		}
		here, err := tx.Bytes(id)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(here, func(raw []byte) bool { return marked(old.ID, raw, u.Sum) }) {
			held = append(held, u.Seq)
		}
	}
	return held, nil
}

// marked says whether bytes that are held are the edit of that mark: it may
// have come with a stamp that the PC has lost since.
func marked(d hlc.Device, raw, mark []byte) bool {
	o, err := wire.DecodeOp(d, raw)
	if err != nil {
		return false
	}
	m := o.Mark()
	return bytes.Equal(m[:], mark)
}
