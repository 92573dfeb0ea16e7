package simtest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"condica/localdb"
	"condica/localdb/journal"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/peer"
	"condica/sync/replica"
	"condica/sync/wire"
)

// A memlog is a replica on a simulated disk: the journal of localdb, and tables
// that are as durable as a database's once committed. All decisions are those of
// sync/replica.
type memlog struct {
	disk    *disk
	now     func() hlc.Reading
	journal *journal.Journal
	*tables
	undo    []func()
	counter uint64
	pass    replica.Pass
}

// tables is what a database file would hold.
type tables struct {
	state   replica.State
	ops     map[op.ID]replica.Kept
	at      map[int64]op.ID
	last    int64 // highest position
	of      map[string][]op.ID
	anchors hlc.Anchors
	done    map[string]op.ID
	rows    map[spclep.BookingID]record.Row
	bad     map[op.ID]bool // raw was damaged behind everybody's back
}

func newTables() *tables {
	return &tables{ops: map[op.ID]replica.Kept{}, at: map[int64]op.ID{}, of: map[string][]op.ID{}, anchors: hlc.Anchors{}, done: map[string]op.ID{}, rows: map[spclep.BookingID]record.Row{}, bad: map[op.ID]bool{}}
}

func (t *tables) copy() *tables {
	c := *t
	c.ops, c.at, c.anchors, c.done, c.rows, c.bad = maps.Clone(t.ops), maps.Clone(t.at), maps.Clone(t.anchors), maps.Clone(t.done), maps.Clone(t.rows), maps.Clone(t.bad)
	c.of = map[string][]op.ID{}
	for k, v := range t.of {
		c.of[k] = slices.Clone(v)
	}
	return &c
}

const journalName = "journal"

// openLog opens what lies on the disk, as localdb.Open does.
func openLog(d *disk, t *tables, device hlc.Device, now func() hlc.Reading) (*memlog, error) {
	l := &memlog{disk: d, now: now, tables: t}
	j, records, torn, err := journal.Open(d, journalName)
	if err != nil {
		return l, err
	}
	if len(records) > 0 {
		device = records[len(records)-1].Device
	}
	l.state.Next = max(l.state.Next, 1)
	err = l.write(func() error {
		if l.state.Device == (hlc.Device{}) {
			l.state.Device = device
		}
		if _, err := replica.Replay(l, records); err != nil {
			return err
		}
		l.state.Gap = true
		return replica.LookForGap(l)
	})
	if err != nil {
		return l, err
	}
	l.journal = j
	if len(records) > 0 && len(torn) == 0 && device == l.state.Device {
		return l, nil
	}
	return l, l.restartJournal()
}

func (l *memlog) write(f func() error) (err error) {
	before, whole := l.state, false
	var mark int64
	if l.journal != nil {
		mark = l.journal.Size()
	}
	l.undo = l.undo[:0]
	defer func() {
		if !whole { // failed, or the power went
			for _, u := range slices.Backward(l.undo) {
				u()
			}
			l.state = before
		}
	}()
	if err = f(); err == nil {
		l.disk.step("before the commit")
		if l.disk.full {
			err = errFull
		}
	}
	if err != nil {
		if l.journal != nil {
			if e := l.journal.Rewind(mark); e != nil {
				return e
			}
		}
		return err
	}
	whole = true
	l.disk.step("committed, not answered")
	return nil
}

func (l *memlog) later(f func()) { l.undo = append(l.undo, f) }

// State is the replica's.
func (l *memlog) State() *replica.State { return &l.state }

// Op finds one op.
func (l *memlog) Op(id op.ID) (replica.Kept, bool, error) {
	k, ok := l.ops[id]
	k.Torn = l.bad[id]
	return k, ok, nil
}

// Add writes an op, if none is held under its id.
func (l *memlog) Add(k replica.Kept) (bool, error) {
	if _, held := l.ops[k.ID]; held {
		return false, nil
	}
	if err := l.free(k); err != nil {
		return false, err
	}
	l.put(k)
	return true, nil
}

// free: two ops can never share a position.
func (l *memlog) free(k replica.Kept) error {
	if other, ok := l.at[k.Pos]; ok && k.Pos > 0 && other != k.ID {
		return fmt.Errorf("write op %s: position %d is held by %s", k.ID, k.Pos, other)
	}
	return nil
}

func (l *memlog) put(k replica.Kept) {
	old, had := l.ops[k.ID]
	last, bad := l.last, l.bad[k.ID]
	l.later(func() {
		if k.Pos > 0 && l.at[k.Pos] == k.ID {
			delete(l.at, k.Pos)
		}
		l.last = last
		delete(l.ops, k.ID)
		if had {
			l.ops[k.ID] = old
			if old.Pos > 0 {
				l.at[old.Pos] = old.ID
			}
		}
		if bad {
			l.bad[k.ID] = true
		}
	})
	if had && old.Pos > 0 && l.at[old.Pos] == k.ID {
		delete(l.at, old.Pos)
	}
	if k.Pos > 0 {
		l.at[k.Pos], l.last = k.ID, max(l.last, k.Pos)
	}
	l.ops[k.ID] = k
	if !k.Torn {
		delete(l.bad, k.ID)
	}
	if e := k.Cell.Entity; !slices.Contains(l.of[e], k.ID) {
		l.of[e] = append(l.of[e], k.ID)
	}
}

// Set writes all of it anew.
func (l *memlog) Set(k replica.Kept) error {
	if _, held := l.ops[k.ID]; !held {
		return nil
	}
	if err := l.free(k); err != nil {
		return err
	}
	l.put(k)
	return nil
}

// Remove takes an op out.
func (l *memlog) Remove(id op.ID) error {
	old, had := l.ops[id]
	if !had {
		return nil
	}
	bad := l.bad[id]
	l.later(func() {
		l.ops[id] = old
		if old.Pos > 0 {
			l.at[old.Pos] = id
		}
		if bad {
			l.bad[id] = true
		}
	})
	delete(l.ops, id)
	delete(l.bad, id)
	if old.Pos > 0 {
		delete(l.at, old.Pos)
	}
	return nil
}

func (l *memlog) list(want func(replica.Kept) bool, limit int) []replica.Kept {
	var out []replica.Kept
	for _, k := range l.ops {
		if want(k) && !l.bad[k.ID] {
			out = append(out, k)
		}
	}
	slices.SortFunc(out, func(a, b replica.Kept) int {
		return cmp.Or(bytes.Compare(a.ID.Device[:], b.ID.Device[:]), cmp.Compare(a.ID.Seq, b.ID.Seq))
	})
	return out[:min(limit, len(out))]
}

// Waiting lists own ops without place and verdict.
func (l *memlog) Waiting(unsealedOnly bool, limit int) ([]replica.Kept, error) {
	return l.list(func(k replica.Kept) bool {
		return k.ID.Device == l.state.Device && k.Pos == 0 && k.Verdict == "" && !k.Gone && !(unsealedOnly && k.Sealed)
	}, limit), nil
}

// Unplaced lists all ops without a place.
func (l *memlog) Unplaced(limit int) ([]replica.Kept, error) {
	return l.list(func(k replica.Kept) bool { return k.Pos == 0 }, limit), nil
}

// HighUnsealed is the latest provisional time.
func (l *memlog) HighUnsealed() (high hlc.Time, err error) {
	ks, _ := l.Waiting(true, len(l.ops))
	for _, k := range ks {
		high = max(high, k.Eff)
	}
	return high, nil
}

// CountOwn counts a device's ops.
func (l *memlog) CountOwn(d hlc.Device) (n uint64, err error) {
	for id := range l.ops {
		if id.Device == d {
			n++
		}
	}
	return n, nil
}

// CountWaiting counts what the hub has not answered.
func (l *memlog) CountWaiting(others bool, limit int) (n int, err error) {
	for _, k := range l.ops {
		if k.Pos == 0 && k.Verdict == "" && !k.Gone && (k.ID.Device == l.state.Device || others && k.Cell.Kind != replica.Unreadable) {
			n++
		}
	}
	return min(n, limit), nil
}

// Clashes says whether an own op is not the hub's.
func (l *memlog) Clashes() (bool, error) {
	for _, k := range l.ops {
		if k.Verdict == wire.Clash && k.ID.Device == l.state.Device {
			return true, nil
		}
	}
	return false, nil
}

// Placed lists ops by position.
func (l *memlog) Placed(after int64, limit int) ([]replica.Row, error) {
	var out []replica.Row
	for p := after + 1; p <= l.last && len(out) < limit; p++ {
		if id, ok := l.at[p]; ok {
			out = append(out, l.row(l.ops[id]))
		}
	}
	return out, nil
}

func (l *memlog) row(k replica.Kept) replica.Row {
	r := replica.Row{Kept: k}
	if r.Torn = l.bad[k.ID]; r.Torn {
		r.Bad = fmt.Errorf("the checksum of op %s does not fit it", k.ID)
	}
	return r
}

// Torn lists what waits and is damaged.
func (l *memlog) Torn() (out []op.ID, err error) {
	for id := range l.bad {
		if k := l.ops[id]; k.Pos == 0 && k.Verdict == "" && !k.Gone {
			out = append(out, id)
		}
	}
	return out, nil
}

// Unplace takes all places.
func (l *memlog) Unplace() error { return l.unplace(func(replica.Kept) bool { return true }) }

// UnplaceOwn takes those of own ops after a number.
func (l *memlog) UnplaceOwn(after uint64) error {
	return l.unplace(func(k replica.Kept) bool { return k.ID.Device == l.state.Device && k.ID.Seq > after })
}

func (l *memlog) unplace(want func(replica.Kept) bool) error {
	for id, k := range l.ops {
		if k.Pos == 0 || !want(k) {
			continue
		}
		bad := l.bad[id]
		k.Pos = 0
		if l.put(k); bad {
			l.bad[id] = true
		}
	}
	return nil
}

func (l *memlog) entity(id string) (out []replica.Kept) {
	for _, o := range l.of[id] {
		if k, ok := l.ops[o]; ok && k.Cell.Kind == record.Kind && k.Cell.Entity == id {
			out = append(out, k)
		}
	}
	return out
}

// Numbers lists the plain registration numbers in use between two.
func (l *memlog) Numbers(from, to int64) (out []int64, err error) {
	for _, r := range l.rows {
		if n, ok := replica.PlainNumber(r.Number); ok && n >= from && n <= to {
			out = append(out, n)
		}
	}
	return out, nil
}

// Booking folds one booking.
func (l *memlog) Booking(id spclep.BookingID) (record.Booking, error) {
	var entries []op.Entry
	for _, k := range l.entity(string(id)) {
		r := l.row(k)
		if r.Bad == nil && !k.Gone && (k.Verdict == "" || k.Verdict == wire.Clash && k.ID.Device == l.state.Device) {
			entries = append(entries, r.Entry)
		}
	}
	return record.Of(id, entries), nil
}

// Project writes anew what lists know.
func (l *memlog) Project(entries []op.Entry) error {
	seen := map[spclep.BookingID]bool{}
	for _, e := range entries {
		id := spclep.BookingID(e.Cell.Entity)
		if e.Cell.Kind != record.Kind || seen[id] {
			continue
		}
		seen[id] = true
		if slices.ContainsFunc(l.entity(string(id)), func(k replica.Kept) bool { return k.Gone }) {
			continue
		}
		b, err := l.Booking(id)
		if err != nil {
			return err
		}
		l.setRow(id, record.RowOf(b), true)
	}
	return nil
}

func (l *memlog) setRow(id spclep.BookingID, r record.Row, keep bool) {
	old, had := l.rows[id]
	l.later(func() {
		delete(l.rows, id)
		if had {
			l.rows[id] = old
		}
	})
	delete(l.rows, id)
	if keep {
		l.rows[id] = r
	}
}

// Forget takes a booking out of the lists.
func (l *memlog) Forget(id spclep.BookingID) error {
	l.setRow(id, record.Row{}, false)
	return nil
}

// Anchors reads them all.
func (l *memlog) Anchors() (hlc.Anchors, error) { return l.anchors, nil }

// SetAnchor writes one.
func (l *memlog) SetAnchor(a hlc.Anchor) error {
	old := l.anchors
	l.later(func() { l.anchors = old })
	l.anchors = maps.Clone(old)
	l.anchors[a.Boot] = a
	return nil
}

// Done finds what a request did.
func (l *memlog) Done(key string) (op.ID, bool, error) {
	id, ok := l.done[key]
	return id, ok, nil
}

// SetDone notes it.
func (l *memlog) SetDone(key string, first op.ID) error {
	old := l.done
	l.later(func() { l.done = old })
	l.done = maps.Clone(old)
	l.done[key] = first
	return nil
}

// RenameDone follows ops to their new ids.
func (l *memlog) RenameDone(to map[op.ID]op.ID) error {
	old := l.done
	l.later(func() { l.done = old })
	l.done = maps.Clone(old)
	for key, id := range l.done {
		if n, ok := to[id]; ok {
			l.done[key] = n
		}
	}
	return nil
}

// Journal appends a record.
func (l *memlog) Journal(rec replica.Record) error { return l.journal.Append(rec) }

func (l *memlog) restartJournal() error {
	records, err := replica.Fresh(l)
	if err != nil {
		return err
	}
	return l.journal.Restart(records)
}

// What follows is localdb.DB's face.

// Device is this PC as it writes.
func (l *memlog) Device() hlc.Device { return l.state.Device }

// Edit writes an action.
func (l *memlog) Edit(_ context.Context, key, by string, id spclep.BookingID, decide func(record.Booking, localdb.Place) ([]op.Draft, error)) (r localdb.Receipt, err error) {
	err = l.write(func() (err error) {
		r, err = replica.Edit(l, l.now(), key, by, id, decide)
		return err
	})
	return r, err
}

// Outbox seals and lists what is to be sent.
func (l *memlog) Outbox(_ context.Context, limit, _ int) ([][]byte, error) {
	if ks, _ := l.Waiting(true, 1); len(ks) > 0 {
		if err := l.write(func() error { return replica.Seal(l, l.now()) }); err != nil {
			return nil, err
		}
	}
	var out [][]byte
	ks, err := l.Waiting(false, limit)
	for _, k := range ks {
		if k.Sealed && !k.Gone {
			out = append(out, k.Raw)
		}
	}
	return out, err
}

// Save writes an answer.
func (l *memlog) Save(_ context.Context, a wire.Answer, sent, received hlc.Reading, main bool) (out peer.Outcome, err error) {
	err = l.write(func() (err error) {
		out, err = replica.Save(l, a, sent, received, main)
		return err
	})
	return out, err
}

// Unsent is what the machine wants to know.
func (l *memlog) Unsent(context.Context) (int, bool, error) { return replica.Unsent(l, l.now().Boot) }

// Where is what a request says.
func (l *memlog) Where(context.Context) (wire.Request, error) {
	var first uint64
	ks := l.list(func(k replica.Kept) bool {
		return k.ID.Device == l.state.Device && k.Pos == 0 && k.Verdict != wire.Refused
	}, 1)
	if len(ks) > 0 {
		first = ks[0].ID.Seq
	}
	tip := l.at[l.state.Cursor]
	return l.state.Where(tip.Seq, first, tip.Device)
}

// Complete adds what a hub needs that has lost something.
func (l *memlog) Complete(_ context.Context, r *wire.Request, maxBytes int) error {
	if !l.state.Asks() {
		return nil
	}
	return replica.Complete(l, r, maxBytes)
}

// Scrub reads the log again.
func (l *memlog) Scrub(_ context.Context, budget int) error {
	return l.write(func() error {
		_, err := l.pass.Step(l, budget)
		return err
	})
}

// Counter reserves numbers for requests.
func (l *memlog) Counter(_ context.Context, atLeast uint64) (uint64, error) {
	if l.counter > 0 && atLeast+16 < l.state.Counter {
		return max(l.counter, atLeast), nil
	}
	now := max(l.state.Counter, atLeast) + 1
	err := l.write(func() error {
		l.state.Counter = now + 1000
		return nil
	})
	l.counter = now
	return now, err
}

// Tidy starts a fresh journal now and then.
func (l *memlog) Tidy(context.Context) error {
	ks, _ := l.list(func(k replica.Kept) bool { return k.ID.Device == l.state.Device && k.Pos == 0 && k.Verdict == "" }, 1), 0
	if l.journal.Size() < 4<<10 || len(ks) > 0 {
		return nil
	}
	return l.restartJournal()
}

// SetOffice notes an enrolment.
func (l *memlog) SetOffice(_ context.Context, e wire.Enrolled) error {
	return l.write(func() error {
		if l.state.Desk != e.Desk {
			l.state.Number = 0
		}
		l.state.Office, l.state.Desk = e.Office, e.Desk
		return l.Journal(l.state.Mark())
	})
}

// Rekey takes another name.
func (l *memlog) Rekey(_ context.Context, e wire.Enrolled) error {
	if err := l.write(func() error { return replica.Rekey(l, e) }); err != nil {
		return err
	}
	return l.restartJournal()
}

// UnsentMarks is what the hub is told before.
func (l *memlog) UnsentMarks(context.Context) ([]wire.Unsent, error) { return replica.UnsentMarks(l) }

// LetGo forgets one booking.
func (l *memlog) LetGo(id spclep.BookingID) (n int, err error) {
	err = l.write(func() (err error) {
		n, err = replica.LetGo(l, id, l.entity(string(id)))
		return err
	})
	return n, err
}

// Look reads one moment.
func (l *memlog) Look(_ context.Context, f func(replica.Tx) error) error { return f(l) }

// Close closes.
func (l *memlog) Close() error { return nil }
