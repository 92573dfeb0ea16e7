package replica

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"condica/sync/digest"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/peer"
	"condica/sync/wire"
)

// saving is one answer on its way into the log.
type saving struct {
	tx      Tx
	s       *State
	touched []op.Entry
	beyond  map[int64]Row // ops with a place after the cursor
	bare    bool          // the PC has just lost its registration numbers
	out     peer.Outcome
}

// Save writes an answer: verdicts, the other PCs' ops, the cursor, the hub's
// time. sent and received are this PC's readings around the exchange. main tells
// an answer to the request that carries ops from one of the long poll, which may
// be older than what was saved meanwhile.
func Save(tx Tx, a wire.Answer, sent, received hlc.Reading, main bool) (peer.Outcome, error) {
	t := &saving{tx: tx, s: tx.State()}
	if anchor, ok := hlc.Measure(sent, received, a.HubMs); ok {
		if err := SaveAnchor(tx, anchor); err != nil {
			return t.out, err
		}
	}
	if !main && t.s.Epoch != "" && t.s.Epoch != a.Epoch {
		// The poll may have been answered by the hub as it was before; which of the
		// two it now is the next ordinary exchange tells.
		return t.out, t.rest(received.Boot, true)
	}
	if err := t.answer(a, main); err != nil {
		return t.out, err
	}
	// What waits gets its time at the first contact, sent or not: the next run of
	// the PC may never be measured. (ErrNoAnchor: this one was not, either.)
	if err := Seal(tx, received); err != nil && !errors.Is(err, ErrNoAnchor) {
		return t.out, err
	}
	if err := tx.Project(t.touched); err != nil {
		return t.out, err
	}
	if err := t.numbers(a.Numbers); err != nil {
		return t.out, err
	}
	return t.out, t.rest(received.Boot, t.bare || t.s.Cursor < a.Head)
}

func (t *saving) answer(a wire.Answer, main bool) error {
	steps := []func() error{
		func() error { return t.epoch(a.Epoch) },
		func() error { return giveWay(t.tx, a.Have) },
		func() error {
			if main {
				t.s.Have = a.Have
			}
			return t.regressed(a.Have, main)
		},
		func() error { return t.mend(a.Mend, a.HubMs) },
		t.lookBeyond,
		func() error { return t.verdicts(a.Verdicts) },
		func() error { return t.entries(a) },
		func() error { return t.overhang(a, main) },
		func() error { return t.moment(a) },
		func() error { return t.compare(a) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// epoch: a hub of another epoch has been restored from a backup or made anew.
// Its positions mean nothing here, and what it acknowledged before may be gone:
// all of it counts as unsent until it says otherwise.
func (t *saving) epoch(epoch string) error {
	old := t.s.Epoch
	t.s.Epoch = epoch
	if t.s.Cursor == 0 {
		t.s.Total, t.s.Summed = digest.Sum{}, true
	}
	if old == "" || old == epoch {
		return nil
	}
	return t.reset()
}

// reset takes every place back and begins the log anew.
func (t *saving) reset() error {
	t.out.Reset = true
	t.s.Cursor, t.s.Total, t.s.Summed, t.s.Differs, t.s.Resend = 0, digest.Sum{}, true, false, true
	t.bare = t.s.Given > 0
	if err := forgetNumbers(t.tx); err != nil {
		return err
	}
	t.beyond = nil
	return t.tx.Unplace()
}

// regressed: the hub holds less of this PC's log than it once acknowledged, so the
// rest is sent again. Where it stops at an op that it never had, or that is
// missing here too, it has lost nothing.
func (t *saving) regressed(have uint64, main bool) error {
	if !main || t.out.Reset {
		return nil
	}
	k, ok, err := t.tx.Op(op.ID{Device: t.s.Device, Seq: have + 1})
	if err != nil || !ok || k.Pos == 0 {
		return err
	}
	t.s.Summed, t.s.Resend = false, true
	return t.tx.UnplaceOwn(have)
}

func (t *saving) verdicts(verdicts []wire.Verdict) error {
	for _, v := range verdicts {
		id := op.ID{Device: t.s.Device}
		if v.Dev != (hlc.Device{}) {
			id.Device = v.Dev
		}
		for i := range max(v.N, 1) {
			id.Seq = v.Seq + i
			if err := t.verdict(id, v, int64(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *saving) verdict(id op.ID, v wire.Verdict, i int64) error {
	if v.Code == "" && v.Pos <= 0 {
		return fmt.Errorf("answer: verdict on op %d has neither position nor code", id.Seq)
	}
	k, ok, err := t.tx.Op(id)
	if err != nil || !ok {
		return err
	}
	if v.Code != "" {
		t.out.Refused++
		if k.Pos > 0 {
			return nil
		}
		if v.Code == wire.Clash && id.Device != t.s.Device {
			if err := t.tx.Remove(id); err != nil {
				return err
			}
			return t.adopt(k) // the hub's own comes with its log
		}
		k.Verdict, k.Say = v.Code, v.Say
		t.touched = append(t.touched, k.Entry)
		return t.tx.Set(k)
	}
	if v.Eff != 0 {
		k.Eff = v.Eff
		t.touched = append(t.touched, k.Entry)
	}
	if err := t.taken(v.Pos+i, k); err != nil {
		return err
	}
	if err := t.vacate(v.Pos+i, id); err != nil {
		return err
	}
	k.Pos, k.Verdict, k.Say = v.Pos+i, "", ""
	return t.tx.Set(k)
}

// taken: a place in the part of the log that was read already belongs to another
// op. The hub was set back since, without a new epoch, by a request that was
// older than what has been read: what it said before means nothing any more.
func (t *saving) taken(pos int64, k Kept) error {
	if pos > t.s.Cursor || k.Pos == pos {
		return nil
	}
	rows, err := t.tx.Placed(pos-1, 1)
	if err != nil || len(rows) == 0 || rows[0].Pos != pos || rows[0].ID == k.ID {
		return err
	}
	return t.reset()
}

// entries writes the office's log on from the cursor. What lies before the
// cursor is here already; what does not join on to it is left for the next
// round.
func (t *saving) entries(a wire.Answer) error {
	if a.From > t.s.Cursor || len(a.Entries) == 0 {
		return nil
	}
	for _, w := range a.Entries {
		if w.Pos <= t.s.Cursor {
			continue
		}
		if err := t.vacate(w.Pos, t.named(w)); err != nil {
			return err
		}
		k, stop, err := t.entry(w)
		if err != nil {
			return fmt.Errorf("entry at %d: %w", w.Pos, err)
		}
		if stop {
			t.out.Stuck = true
			return nil
		}
		t.s.Full = false
		t.s.Cursor = w.Pos
		t.s.Total = t.s.Total.Add(k.Digest())
		// Only the mark for new edits moves. Edits written before this contact keep
		// their own time, or a late answer would make them win.
		t.s.High = max(t.s.High, k.Eff)
	}
	return nil
}

// named is the op an entry means.
func (t *saving) named(w wire.Entry) op.ID {
	if len(t.beyond) == 0 {
		return op.ID{} // nobody will ask
	}
	if len(w.Op) == 0 {
		return op.ID{Device: t.s.Device, Seq: w.Seq}
	}
	return read(w).ID
}

// lookBeyond notes the places after the cursor: answers to what was sent.
func (t *saving) lookBeyond() error {
	rows, err := t.tx.Placed(t.s.Cursor, all)
	if err != nil || len(rows) == 0 {
		return err
	}
	t.beyond = map[int64]Row{}
	for _, r := range rows {
		t.beyond[r.Pos] = r
	}
	return nil
}

// overhang: what has a place behind the end of the log has none.
func (t *saving) overhang(a wire.Answer, main bool) error {
	if !main || t.s.Cursor != a.Head {
		return nil
	}
	for _, pos := range slices.Sorted(maps.Keys(t.beyond)) {
		if pos <= a.Head {
			continue
		}
		if err := t.displace(t.beyond[pos]); err != nil {
			return err
		}
	}
	return nil
}

// vacate: an answer once gave a place to another op, which the hub has lost
// since without having been caught at it.
func (t *saving) vacate(pos int64, id op.ID) error {
	r, ok := t.beyond[pos]
	if !ok || r.ID == id {
		return nil
	}
	delete(t.beyond, pos)
	return t.displace(r)
}

// entry writes one entry. stop: it has to be asked for again, in full.
func (t *saving) entry(w wire.Entry) (k Kept, stop bool, err error) {
	if len(w.Op) == 0 {
		return t.ownByNumber(w)
	}
	k = read(w)
	if k.ID.Device == t.s.Device && k.ID.Seq <= wire.MaxSeq/2 { // not the number of one that cannot be read
		t.s.Gap = t.s.Gap || k.ID.Seq > t.s.Next
		t.s.Next = max(t.s.Next, k.ID.Seq+1)
	}
	t.s.saw(k.Op)
	added, err := t.tx.Add(k)
	if err != nil {
		return k, false, err
	}
	if !added {
		return t.met(k)
	}
	t.touched = append(t.touched, k.Entry)
	t.out.Pulled++
	return k, false, nil
}

// ownByNumber: an own op that is here already.
func (t *saving) ownByNumber(w wire.Entry) (k Kept, stop bool, err error) {
	k, ok, err := t.tx.Op(op.ID{Device: t.s.Device, Seq: w.Seq})
	if err != nil {
		return k, false, err
	}
	if !ok || k.Verdict != "" || k.Torn {
		// It is not here after all, or the hub speaks of another: only in full can
		// that be told.
		if !ok {
			t.s.Gap, t.s.Next = true, max(t.s.Next, w.Seq+1)
		}
		t.s.Full = true
		return k, true, nil
	}
	if w.Eff != 0 && w.Eff != k.Eff {
		k.Eff = w.Eff
		t.touched = append(t.touched, k.Entry)
		t.out.Pulled++
	}
	k.Pos = w.Pos
	return k, false, t.tx.Set(k)
}

// met: an op of that id is held here already.
func (t *saving) met(k Kept) (Kept, bool, error) {
	held, ok, err := t.tx.Op(k.ID)
	if err != nil || !ok {
		return k, false, err
	}
	switch {
	case held.Gone && held.Sum == digest.Raw(k.Raw):
		held.Pos, held.Eff = k.Pos, k.Eff
		return held, false, t.tx.Set(held)
	case held.Torn || held.Gone || bytes.Equal(held.Raw, k.Raw) || held.Mark() == k.Mark():
		// The same; or let go, or damaged here; or one edit that was sealed twice,
		// here and on a copy of this PC's disk.
		t.touched = append(t.touched, k.Entry, held.Entry)
		t.out.Pulled++
		return k, false, t.tx.Set(k)
	case k.ID.Device == t.s.Device && !held.Sealed && held.Verdict == "":
		// Never sent: it moves behind what the hub has.
		if err := giveWayFrom(t.tx, held.ID.Seq); err != nil {
			return k, false, err
		}
		return t.entryAgain(k)
	}
	return k, false, t.aside(held, k)
}

func (t *saving) entryAgain(k Kept) (Kept, bool, error) {
	added, err := t.tx.Add(k)
	if err == nil && !added {
		err = fmt.Errorf("op %s is still held", k.ID)
	}
	t.touched = append(t.touched, k.Entry)
	t.out.Pulled++
	return k, false, err
}

const sayClash = "the hub holds another edit under this number"

// aside makes room for what the hub means by an id under which another edit is
// held here. That one stays: an own one under a number that no PC gives, until
// this PC has another name under which it is sent again; another PC's, which a
// hub had placed and lost before its author was set back and wrote something
// else, as the only op of an author of its own, and as such it is sent.
func (t *saving) aside(held, k Kept) error {
	t.touched = append(t.touched, k.Entry, held.Entry)
	t.out.Pulled++
	if err := t.tx.Set(k); err != nil {
		return err
	}
	if held.ID.Device == t.s.Device {
		t.s.Clash = true
		held.ID.Seq |= Stray
		held.Pos, held.Verdict, held.Say = 0, wire.Clash, sayClash
		_, err := t.tx.Add(held)
		return err
	}
	return t.adopt(held)
}

// adopt keeps an op whose id means another.
func (t *saving) adopt(k Kept) (err error) {
	mark := k.Mark()
	sum := digest.Raw(append([]byte(k.ID.String()), mark[:]...))
	k.ID, k.Action = op.ID{Device: hlc.Device(sum[:len(hlc.Device{})]), Seq: 1}, 1
	k.Pos, k.Verdict, k.Say, k.Sealed = 0, "", "", true
	if k.Raw, err = wire.EncodeOp(k.Op); err != nil {
		return err
	}
	k.Signed = k.Raw
	t.s.Resend = true
	t.touched = append(t.touched, k.Entry)
	_, err = t.tx.Add(k)
	return err
}

// Stray is the bit by which the number of an op that was set aside differs from
// the one in it.
const Stray = 1 << 61

// read makes of an entry what the log keeps. One that this program cannot read
// is kept as it is, and shown nowhere: a later program may.
func read(w wire.Entry) Kept {
	k := Kept{Raw: w.Op, Sealed: true}
	o, err := wire.DecodeOp(w.Device, w.Op)
	if err != nil {
		o = unreadable(w)
	}
	k.Entry = op.Entry{Op: o, Eff: w.Eff, Pos: w.Pos}
	if k.Eff == 0 {
		k.Eff = o.Time
	}
	return k
}

// Unreadable is the entity kind of ops that this program cannot read.
const Unreadable = "unreadable"

func unreadable(w wire.Entry) op.Op {
	var part struct {
		Seq  uint64   `json:"q"`
		Time hlc.Time `json:"t"`
	}
	// What can be read of it is read; the rest stays zero.
	if json.Unmarshal(w.Op, &part) != nil || part.Seq == 0 || part.Seq >= Stray {
		part.Seq = 2*Stray | uint64(w.Pos)
	}
	return op.Op{ID: op.ID{Device: w.Device, Seq: part.Seq}, Action: part.Seq, Cell: op.Cell{Kind: Unreadable, Entity: "-", Field: "-"}, Time: part.Time, Signed: w.Op}
}

// moment notes what the answer says of time, place and keys.
func (t *saving) moment(a wire.Answer) error {
	t.s.LastOK, t.s.Head = max(t.s.LastOK, a.HubMs), a.Head
	if len(a.Keys) > 0 {
		keys, err := json.Marshal(a.Keys)
		if err != nil {
			return err
		}
		t.s.Keys = keys
	}
	if len(a.Desks) > 0 {
		t.s.Desks = wire.DesksSum(a.Desks)
	}
	// Where every edit has its time already, those to come lie after this answer,
	// whatever the clocks of a later run of the PC will say.
	waiting, err := t.tx.Waiting(true, 1)
	if err == nil && len(waiting) == 0 {
		t.s.Floor = max(t.s.Floor, a.HubMs)
	}
	return err
}

// rest finds out what is left to do.
func (t *saving) rest(boot string, more bool) (err error) {
	if err := LookForGap(t.tx); err != nil {
		return err
	}
	t.out.More = more
	if t.out.Unsent, t.out.Anchored, err = Unsent(t.tx, boot); err != nil {
		return err
	}
	if !more && t.s.Resend {
		if err := t.giveUp(); err != nil {
			return err
		}
		if t.out.Unsent == 0 {
			t.s.Resend = false
		}
	}
	if !more && !t.s.Clash {
		if t.s.Clash, err = t.tx.Clashes(); err != nil {
			return err
		}
	}
	t.out.Rekey, t.out.Differs = t.s.Clash, t.s.Differs && !more
	return nil
}

// giveUp puts aside what is damaged here and lost on the hub: it cannot be sent,
// and must not count as if it could.
func (t *saving) giveUp() error {
	torn, err := t.tx.Torn()
	for _, id := range torn {
		k, ok, err := t.tx.Op(id)
		if err != nil || !ok {
			return err
		}
		k.Verdict, k.Say = wire.Refused, wire.Refuse(wire.WhyDamaged, "it is damaged in this replica, and the hub has lost it").Error()
		if err := t.tx.Set(k); err != nil {
			return err
		}
		t.out.Refused++
		t.out.Unsent = max(t.out.Unsent-1, 0)
	}
	return err
}

// Unsent counts the ops that the hub has not answered, up to 1,000, and says
// whether this run of the PC has been measured against it.
func Unsent(tx Tx, boot string) (unsent int, anchored bool, err error) {
	s := tx.State()
	if unsent, err = tx.CountWaiting(s.relays(), unsentMax); err != nil {
		return 0, false, err
	}
	anchors, err := tx.Anchors()
	a, ok := anchors[boot]
	return unsent, ok && a.Err <= hlc.MaxMeasured, err
}

// relays: what of others has no place here is lost on the hub, and not only yet
// to come.
func (s *State) relays() bool { return s.Resend && s.Cursor >= s.Head }

// SaveAnchor keeps the better of two measurements of a boot.
func SaveAnchor(tx Tx, a hlc.Anchor) error {
	anchors, err := tx.Anchors()
	if err != nil {
		return err
	}
	if old, ok := anchors[a.Boot]; ok && !hlc.Better(a, old) {
		return nil
	}
	return tx.SetAnchor(a)
}

// LookForGap finds out whether the own log is whole here, where that is in
// doubt.
func LookForGap(tx Tx) error {
	s := tx.State()
	if !s.Gap {
		return nil
	}
	held, err := tx.CountOwn(s.Device)
	s.Gap = held != max(s.Next, 1)-1
	return err
}
