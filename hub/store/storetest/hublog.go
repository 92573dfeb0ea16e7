package storetest

import (
	"context"
	"errors"

	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/op"
)

// LogOf is a hub's store seen as a Log of one office.
func LogOf(s store.Store) Log { return hubLog{s} }

type hubLog struct{ s store.Store }

func (l hubLog) Add(ctx context.Context, entries []op.Entry) error {
	return l.s.Write(ctx, office, func(tx store.Tx) error {
		for _, e := range entries {
			if _, err := tx.Device(e.ID.Device); errors.Is(err, store.ErrNone) {
				if err := tx.SetDevice(store.Device{ID: e.ID.Device, Office: office, Kind: store.PC, Pub: []byte{}}); err != nil {
					return err
				}
			}
			held, err := tx.Held(e.ID)
			if err != nil {
				return err
			}
			if held != (store.Held{}) {
				continue
			}
			if _, err := tx.Put(store.Entry{Entry: e}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l hubLog) Booking(ctx context.Context, id spclep.BookingID) (record.Booking, error) {
	entries, err := l.s.Entity(ctx, office, record.Kind, string(id))
	return record.Of(id, plain(entries)), err
}

func (l hubLog) Since(ctx context.Context, pos int64, limit int) ([]op.Entry, error) {
	entries, _, err := l.s.After(ctx, office, pos, limit)
	return plain(entries), err
}

func plain(entries []store.Entry) []op.Entry {
	out := make([]op.Entry, len(entries))
	for i, e := range entries {
		out[i] = e.Entry
	}
	return out
}
