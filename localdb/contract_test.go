package localdb

import (
	"context"
	"testing"

	"condica/hub/store/storetest"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// The replica's log keeps the contract it shares with the hub's store, when it
// is filled as the hub fills it.
func TestLogContract(t *testing.T) {
	storetest.RunLog(t, func(t *testing.T) storetest.Log {
		db, report, err := Open(t.Context(), t.TempDir(), Options{Device: hlc.Device{1}, Now: func() hlc.Reading { return hlc.Reading{Wall: 1, Boot: "b", Up: 1} }})
		if err != nil || len(report) > 0 {
			t.Fatalf("open: %v, %v", report, err)
		}
		t.Cleanup(func() { db.Close() })
		return &answered{db: db, at: map[op.ID]int64{}}
	})
}

// answered fills a replica through answers, each of which tells the office's
// log from its beginning: what is here already must not count again.
type answered struct {
	db  *DB
	at  map[op.ID]int64
	log []wire.Entry
}

func (a *answered) Add(ctx context.Context, entries []op.Entry) error {
	for _, e := range entries {
		if a.at[e.ID] > 0 {
			continue
		}
		a.log = append(a.log, wire.Entry{Pos: int64(len(a.log)) + 1, Device: e.ID.Device, Eff: e.Eff, Op: e.Signed})
		a.at[e.ID] = int64(len(a.log))
	}
	answer := wire.Answer{V: wire.Version, Epoch: "e1", HubMs: 5000, Entries: a.log, Cursor: int64(len(a.log)), Head: int64(len(a.log))}
	now := hlc.Reading{Wall: 5000, Boot: "b", Up: 10}
	_, err := a.db.Save(ctx, answer, now, now, true)
	return err
}

func (a *answered) Booking(ctx context.Context, id spclep.BookingID) (record.Booking, error) {
	return a.db.Booking(ctx, id)
}

func (a *answered) Since(ctx context.Context, pos int64, limit int) ([]op.Entry, error) {
	var out []op.Entry
	err := a.db.look(ctx, func(t *rtx) error {
		rows, err := t.Placed(pos, limit)
		for _, r := range rows {
			out = append(out, r.Entry)
		}
		return err
	})
	return out, err
}
