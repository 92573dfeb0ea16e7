// Package replica is what one office PC does with its log: how a clerk's edit
// is written, gets its time, is sent, answered, moved, mended and in the end let
// go. It decides over a Tx and keeps nothing itself, so that the same decisions
// run on SQLite, and on a simulated disk in a storm. It opens no file and no
// socket and reads no clock.
package replica

import (
	"encoding/json"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/digest"
	"condica/sync/hlc"
	"condica/sync/op"
)

// State is where a PC stands; it is written in the transaction it belongs to.
type State struct {
	Device  hlc.Device `json:"device,omitzero"` // this PC, as it writes
	Office  string     `json:"office"`
	Desk    int        `json:"desk"`            // this PC's number in the office, for registration numbers
	Next    uint64     `json:"next"`            // Seq of the next own op
	High    hlc.Time   `json:"high"`            // the clock's high-water mark
	Sealed  hlc.Time   `json:"sealed"`          // the last own Time sent out
	Number  int        `json:"number"`          // the last registration number given here under the desk's own
	Free    []Range    `json:"free,omitempty"`  // plain registration numbers that are this PC's to give, ascending; never changed in place
	Given   int64      `json:"given,omitempty"` // the highest plain number of any block that the hub gave to Device
	Seen    int64      `json:"seen,omitempty"`  // the highest plain number seen in use in the office
	Desks   string     `json:"desks,omitempty"` // wire.DesksSum of the office's desks as last sent
	Epoch   string     `json:"epoch"`           // of the hub
	Cursor  int64      `json:"cursor"`          // the last position held without a gap
	Head    int64      `json:"head"`            // the hub's last position, as last heard
	Have    uint64     `json:"have"`            // the hub holds the own log up to here, as last heard
	LastOK  int64      `json:"last"`            // hub ms of the last answer saved
	Floor   int64      `json:"floor"`           // hub ms of the last answer after which every edit without its time was written
	Keys    []byte     `json:"keys"`            // the hub's booking keys, as sent
	Counter uint64     `json:"counter"`         // requests are counted below this number
	Gap     bool       `json:"gap"`             // the log lacks own ops below Next: the hub is asked for all of them

	Full bool `json:"full"` // an own op that the hub named by number alone is not the one here: all are asked for in full

	Total   digest.Sum `json:"total,omitzero"` // of the ops up to Cursor
	Summed  bool       `json:"summed"`         // Total covers them; else a pass over the log has to come first
	Differs bool       `json:"differs"`        // the hub's digest is another: days are to be compared
	Clash   bool       `json:"clash"`          // the hub holds another edit under an own number: this PC needs a new key
	Resend  bool       `json:"resend"`         // the hub has lost something: what others wrote, and it lacks, is sent too
	Mended  Mended     `json:"mended,omitzero"`
	Boot    string     `json:"boot,omitempty"` // of the last action here, and its running time: no two actions show the same
	Up      int64      `json:"up,omitempty"`
	Gone    int        `json:"gone"` // ops that were let go after their time of retention
}

// Mended says what was found wrong in this replica and put right.
type Mended struct {
	AtMs int64 `json:"at"`  // hub ms of the last time
	Ops  int   `json:"ops"` // in all
}

// Kept is an op as the log keeps it.
type Kept struct {
	op.Entry
	Raw     []byte // as written, and once Sealed as signed; nil once let go
	Sealed  bool   // the stamp is final: it may have been sent
	Verdict string // "", wire.Refused or wire.Clash: in quarantine
	Say     string // the hub's reason
	Sum     [32]byte
	Gone    bool // let go: only Sum is left of Raw
	Torn    bool // Raw is not what was written here: its checksum does not fit
}

// Digest is the op's part in the log's digest.
func (k Kept) Digest() digest.Sum {
	raw := k.Sum
	if !k.Gone {
		raw = digest.Raw(k.Raw)
	}
	return digest.Of(k.ID, k.Pos, k.Eff, raw)
}

// A Row is an op of the log as its file has it, read or not.
type Row struct {
	Kept
	Bad error // Raw is no op, or the columns beside it say something else
}

// A Record is one line of the journal: one action as written, a batch as
// sealed, or the mark with which a fresh journal begins.
type Record struct {
	Device hlc.Device        `json:"d"`
	Key    string            `json:"key,omitempty"`    // of the request that made the action
	Ops    []json.RawMessage `json:"ops,omitempty"`    // as in the log
	Sealed bool              `json:"sealed,omitempty"` // ops are as they were signed, replacing the provisional ones
	Next   uint64            `json:"next,omitempty"`   // mark: no Seq below this may be given out again
	High   hlc.Time          `json:"high,omitzero"`    // mark: nor a Time at or below this
	Number int               `json:"number,omitempty"` // mark: nor a registration number
	Free   []Range           `json:"free,omitempty"`   // mark: plain numbers to give, before the ops that follow
	Given  int64             `json:"given,omitempty"`
	Office string            `json:"office,omitempty"` // mark: what enrolment said
	Desk   int               `json:"desk,omitempty"`
	Keys   []byte            `json:"keys,omitempty"`
	Moved  uint64            `json:"moved,omitempty"` // ops from here on, never sealed, were given new numbers: as they are in Ops
}

// A Tx is one writing transaction of the replica. What it reads is what was
// committed before, and what it has written itself; a failure undoes all of it,
// the journal's records too.
type Tx interface {
	// State may be changed until the transaction ends.
	State() *State

	// Op finds an op by its id.
	Op(id op.ID) (k Kept, ok bool, err error)
	// Add writes an op, if none is held under its id.
	Add(k Kept) (added bool, err error)
	// Set writes anew all of an op but its id. A position that
	// another op holds is an error.
	Set(k Kept) error
	// Remove takes an op out of the log.
	Remove(id op.ID) error

	// Waiting lists own ops without place and verdict by number, at most limit:
	// those not sealed yet, or all. Torn ones and those let go are left out.
	Waiting(unsealedOnly bool, limit int) ([]Kept, error)
	// Unplaced lists all ops without a place, whoever wrote them and whatever
	// their verdict, by device and number. Torn ones are left out.
	Unplaced(limit int) ([]Kept, error)
	// HighUnsealed is the latest time of an own unsealed op, 0 if there is none.
	HighUnsealed() (hlc.Time, error)
	// CountOwn counts the device's ops in the log.
	CountOwn(d hlc.Device) (uint64, error)
	// CountWaiting counts ops without place and verdict, at most limit: own ones,
	// or also others'.
	CountWaiting(others bool, limit int) (int, error)
	// Clashes says whether an own op stands under the verdict wire.Clash.
	Clashes() (bool, error)
	// Placed lists the ops with a place after pos by position, at most limit. A
	// row that cannot be read is given with Bad.
	Placed(after int64, limit int) ([]Row, error)
	// Torn lists ops without place and verdict whose Raw is damaged.
	Torn() ([]op.ID, error)
	// Unplace takes their places from all ops, or from the own ones after a number.
	Unplace() error
	UnplaceOwn(after uint64) error

	// Numbers lists the plain registration numbers from one to another, both ends
	// included, that bookings held here carry.
	Numbers(from, to int64) ([]int64, error)
	// Booking folds one booking out of the log.
	Booking(id spclep.BookingID) (record.Booking, error)
	// Project writes anew what lists and search know of the bookings of entries.
	Project(entries []op.Entry) error
	// Forget takes a booking out of lists and search.
	Forget(id spclep.BookingID) error

	Anchors() (hlc.Anchors, error)
	SetAnchor(hlc.Anchor) error

	// Done says which op was the first of the action that a request made.
	Done(key string) (first op.ID, ok bool, err error)
	SetDone(key string, first op.ID) error
	// RenameDone lets requests answer with the new ids of their actions.
	RenameDone(to map[op.ID]op.ID) error

	// Journal appends a record. It is on the disk before the commit is.
	Journal(Record) error
}

// unsentMax is how far unsent ops are counted: weeks without a line must not
// make each click dearer.
const unsentMax = 1000
