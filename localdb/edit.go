package localdb

import (
	"context"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/op"
	"condica/sync/replica"
)

// A Place is what a decision is given besides the booking.
type Place = replica.Place

// A Receipt names the action that was written.
type Receipt = replica.Receipt

// Edit reads the booking, lets decide say what is to be written, and writes it
// in one transaction, journal included. When it returns without error the
// action is on disk twice. An error of decide is returned as it is, and
// nothing is written. key names the request; the same key writes only once.
func (db *DB) Edit(ctx context.Context, key, by string, id spclep.BookingID, decide func(record.Booking, Place) ([]op.Draft, error)) (r Receipt, err error) {
	err = db.write(ctx, func(t *rtx) (err error) {
		r, err = replica.Edit(t, db.now(), key, by, id, decide)
		return err
	})
	return r, err
}

// ErrNoAnchor: this run of the PC has not yet been measured against the hub,
// so edits written in it cannot be given their time.
var ErrNoAnchor = replica.ErrNoAnchor
