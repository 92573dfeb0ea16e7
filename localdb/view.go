package localdb

import (
	"context"
	"encoding/json"
	"fmt"

	"condica/localdb/file"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/replica"
	"condica/sync/wire"
)

const rowColumns = `id, day, at, name, email, reason, origin, state, number, product, pickup, due, person, changed`

// Day lists the bookings of a day by time.
func (db *DB) Day(ctx context.Context, d spclep.Day) ([]Row, error) {
	return db.rows(ctx, `SELECT `+rowColumns+` FROM booking WHERE day = ? ORDER BY at, id`, int64(d))
}

// InState lists the bookings that stand at a state, the oldest due first.
func (db *DB) InState(ctx context.Context, s spclep.State, limit int) ([]Row, error) {
	return db.rows(ctx, `SELECT `+rowColumns+` FROM booking WHERE state = ? ORDER BY due, id LIMIT ?`, string(s), limit)
}

// ByNumber finds applications by their registration number.
func (db *DB) ByNumber(ctx context.Context, number string) ([]Row, error) {
	return db.rows(ctx, `SELECT `+rowColumns+` FROM booking WHERE number = ? AND number <> '' ORDER BY id`, number)
}

// NeedPerson lists the bookings on which something waits for a person.
func (db *DB) NeedPerson(ctx context.Context) ([]Row, error) {
	return db.rows(ctx, `SELECT `+rowColumns+` FROM booking WHERE person = 1 ORDER BY changed DESC, id LIMIT 500`)
}

// Booking reads one booking whole. One that no op speaks of has the state
// StateNone and no facts.
func (db *DB) Booking(ctx context.Context, id spclep.BookingID) (record.Booking, error) {
	return (&view{ctx: ctx, q: db.r, s: &replica.State{Device: db.Device()}, torn: &db.torn}).booking(id)
}

func (db *DB) rows(ctx context.Context, query string, args ...any) ([]Row, error) {
	rows, err := db.r.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Row
	for rows.Next() {
		var r Row
		if err := rows.Scan(&r.ID, &r.Day, &r.At, &r.Name, &r.Email, &r.Reason, &r.Origin, &r.State, &r.Number, &r.Product, &r.Pickup, &r.Due, &r.Person, &r.Changed); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// Standing is where the replica stands towards the hub.
type Standing struct {
	Office   string
	Desk     int
	Epoch    string
	Cursor   int64 // the last position held without a gap
	Head     int64 // the hub's last position, as last heard
	LastOK   int64 // hub ms of the last answer saved; 0: never
	Unsent   int   // ops the hub has not answered
	OldestMs int64 // when the oldest of them was written, effective ms; 0: none
	Refused  int   // ops in quarantine that no person has looked at
	Closed   int   // ops in quarantine that a person has closed
	Person   int   // bookings on which something waits for a person
	Bookings int
	From, To spclep.Day // days with bookings held
	Gone     int        // ops that were let go after their time of retention

	NumbersLeft int // plain registration numbers to give before the hub has to be heard again; with 0 the desk's own series goes on

	Mended replica.Mended // what was found wrong here and put right
	Digest string         // of the log up to Cursor (digest.Sum.Text); empty: not known
	Clash  bool           // another machine writes under this PC's name, too
}

// Standing reads all of it in one go.
func (db *DB) Standing(ctx context.Context) (Standing, error) {
	s, err := readState(ctx, db.r)
	if err != nil {
		return Standing{}, err
	}
	st := Standing{Office: s.Office, Desk: s.Desk, Epoch: s.Epoch, Cursor: s.Cursor, Head: s.Head, LastOK: s.LastOK, Gone: s.Gone, NumbersLeft: s.NumbersLeft(), Mended: s.Mended, Clash: s.Clash}
	if s.Summed {
		st.Digest = s.Total.Text()
	}
	var oldest int64
	// The outbox is named by its index: left to itself SQLite walks through all
	// that this PC ever wrote.
	err = db.r.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM op INDEXED BY op_unsent WHERE pos IS NULL AND verdict = '' AND gone = 0 AND device = ?1),
		(SELECT coalesce(min(eff), 0) FROM op INDEXED BY op_unsent WHERE pos IS NULL AND verdict = '' AND gone = 0 AND device = ?1),
		(SELECT count(*) FROM op WHERE verdict <> '' AND (device, seq) NOT IN (SELECT device, seq FROM closed)),
		(SELECT count(*) FROM op WHERE verdict <> '' AND (device, seq) IN (SELECT device, seq FROM closed)),
		(SELECT count(*) FROM booking WHERE person = 1),
		(SELECT count(*) FROM booking),
		(SELECT coalesce(min(day), 0) FROM booking WHERE day > 0),
		(SELECT coalesce(max(day), 0) FROM booking)`, db.me()).
		Scan(&st.Unsent, &oldest, &st.Refused, &st.Closed, &st.Person, &st.Bookings, &st.From, &st.To)
	st.OldestMs = hlc.Time(oldest).Ms()
	return st, err
}

// Clashed says whether the hub holds other edits under this PC's numbers: another
// machine writes under its name too, and it needs another key.
func (db *DB) Clashed(ctx context.Context) (bool, error) {
	s, err := readState(ctx, db.r)
	return s.Clash, err
}

// An Outgoing is one own op on its way.
type Outgoing struct {
	op.Entry
	Sealed  bool
	Verdict string // "", wire.Refused or wire.Clash
	Say     string // the hub's reason: one of wire.Reasons, a colon, a sentence
	Closed  bool   // refused, and a person has looked at it
}

// Queue lists own ops, the newest first: those still unsent or refused, and
// then the latest accepted ones, at most limit. One that cannot be read is left
// out until it is mended.
func (db *DB) Queue(ctx context.Context, limit int) ([]Outgoing, error) {
	rows, err := scanRows(db.r.QueryContext(ctx, `SELECT `+keptColumns+` FROM op INDEXED BY op_unplaced
		WHERE device = ? AND pos IS NULL AND gone = 0 ORDER BY seq DESC LIMIT ?`, db.me(), limit))
	if err != nil {
		return nil, err
	}
	taken, err := scanRows(db.r.QueryContext(ctx, `SELECT `+keptColumns+` FROM op
		WHERE device = ? AND pos IS NOT NULL AND gone = 0 ORDER BY seq DESC LIMIT ?`, db.me(), limit-len(rows)))
	if err != nil {
		return nil, err
	}
	rows = append(rows, taken...)
	closed, err := db.closed(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Outgoing, 0, len(rows))
	for _, r := range rows {
		if r.Bad != nil {
			db.torn.Store(true)
			continue
		}
		_, shut := closed[r.ID]
		r.ID.Seq &^= replica.Stray // as the clerk's receipt has it
		out = append(out, Outgoing{Entry: r.Entry, Sealed: r.Sealed, Verdict: r.Verdict, Say: r.Say, Closed: shut})
	}
	return out, nil
}

// Keys gives the hub's keys for booking codes, as last sent.
func (db *DB) Keys(ctx context.Context) ([]wire.QRKey, error) {
	s, err := readState(ctx, db.r)
	if err != nil || len(s.Keys) == 0 {
		return nil, err
	}
	var keys []wire.QRKey
	if err := json.Unmarshal(s.Keys, &keys); err != nil {
		return nil, fmt.Errorf("%w: keys: %w", file.ErrDamaged, err)
	}
	return keys, nil
}

// Now gives the hub's time in ms as well as it is known here. off is how far
// the PC's own clock is ahead, in ms.
func (db *DB) Now(ctx context.Context) (ms int64, clock hlc.Quality, off int64, err error) {
	anchors, err := anchors(ctx, db.r)
	if err != nil {
		return 0, hlc.Lost, 0, err
	}
	s, err := readState(ctx, db.r)
	if err != nil {
		return 0, hlc.Lost, 0, err
	}
	reading := db.now()
	ms, clock = anchors.Guess(reading, s.LastOK)
	return ms, clock, reading.Wall - ms, nil
}

// SetNow takes a person's word for the time, in ms, until the hub is heard: it
// gives the day its name, and never seals an edit.
func (db *DB) SetNow(ctx context.Context, ms int64) error {
	return db.write(ctx, func(t *rtx) error {
		r := db.now()
		return replica.SaveAnchor(t, hlc.Anchor{Boot: r.Boot, Up: r.Up, Hub: ms, Wall: r.Wall, Err: hlc.TypedErr})
	})
}

// EntityOf gives the booking an action was written on.
func (db *DB) EntityOf(ctx context.Context, action op.ID) (spclep.BookingID, error) {
	var id string
	err := db.r.QueryRowContext(ctx, `SELECT entity FROM op WHERE device = ? AND seq = ?`, action.Device.String(), action.Seq).Scan(&id)
	return spclep.BookingID(id), err
}
