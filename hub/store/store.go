// Package store is the contract between the hub and what keeps its ops: SQLite
// for one county, memory for simulations, PostgreSQL for the country. A store
// keeps and finds; it decides nothing. Which op is taken, at what time, and
// what a booking adds up to is package hub's word, over Tx.
package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/digest"
	"condica/sync/hlc"
	"condica/sync/op"
)

// ErrNone: what was asked for by name is not held.
var ErrNone = errors.New("the hub holds nothing under that name")

// ErrOther: something else is held under that name.
var ErrOther = errors.New("the hub holds something else under that name")

// ErrUsed: a number is not above those that were used.
var ErrUsed = errors.New("the number is not above those that were used")

// A Store holds the ops of all offices. Every method may be called from many
// goroutines, and many processes may use one store.
type Store interface {
	// Write runs f in one transaction that holds the office's lock, so that
	// positions are gapless and in commit order: whoever has read up to a
	// position has missed nothing before it. An error of f undoes all of it and
	// is returned as it is. f must use nothing but its Tx.
	Write(ctx context.Context, office string, f func(Tx) error) error

	// After gives the office's log after pos, at most limit entries, and the
	// last position there is.
	After(ctx context.Context, office string, pos int64, limit int) (entries []Entry, head int64, err error)
	// Heads gives the last position of each office that has one.
	Heads(ctx context.Context) (map[string]int64, error)
	// Entity gives all entries of one entity, by position.
	Entity(ctx context.Context, office, kind, entity string) ([]Entry, error)
	// Rows lists bookings by day, time and id.
	Rows(ctx context.Context, office string, which Filter) ([]record.Row, error)
	// TwoAlike lists the registration numbers that the applications of several
	// bookings of an office carry, in the order of the texts.
	TwoAlike(ctx context.Context, office string) ([]Alike, error)
	// Refusals lists what was not taken from an office's devices, oldest first.
	Refusals(ctx context.Context, office string) ([]Refusal, error)
	// Total is the digest of the office's log up to a position, as SetTotal left
	// it: of the whole log where that is its head.
	Total(ctx context.Context, office string) (pos int64, sum digest.Sum, err error)
	// Relayed counts the entries of an office's log that have a Via.
	Relayed(ctx context.Context, office string) (int, error)

	// Device finds a device; ErrNone if it is not known.
	Device(ctx context.Context, id hlc.Device) (Device, error)
	// Devices lists an office's devices in the order in which they came.
	Devices(ctx context.Context, office string) ([]Device, error)

	// AddToken keeps a token for one enrolment.
	AddToken(ctx context.Context, t Token) error
	// Token finds a token by the hash of its secret; ErrNone if there is none.
	Token(ctx context.Context, hash [32]byte) (Token, error)

	// AddSettings keeps a bundle; ErrUsed if its number is not above every one
	// that is kept. Of two who publish at once, one is late.
	AddSettings(ctx context.Context, p Published) error
	// SettingsHeads gives the highest number of each target.
	SettingsHeads(ctx context.Context) (map[string]int64, error)
	// Settings gives a bundle by its number; ErrNone if there is none.
	Settings(ctx context.Context, number int64) (Published, error)

	// Secret gives the hub's secret of that name, made by fresh the first time.
	// Of two who ask at once, both get the same.
	Secret(ctx context.Context, name string, fresh func() ([]byte, error)) ([]byte, error)
	// SetSecret replaces it.
	SetSecret(ctx context.Context, name string, value []byte) error
	// AllSecrets gives them by name.
	AllSecrets(ctx context.Context) (map[string][]byte, error)
	// AddSecrets keeps those that are not there yet. ErrOther, and none of them
	// is kept, if one is there with another value.
	AddSecrets(ctx context.Context, secrets map[string][]byte) error

	Close() error
}

// A Tx is one writing transaction of one office. What it reads is what was
// committed before, and what it has written itself.
type Tx interface {
	// Epoch names this life of the office's log; "" before SetEpoch.
	Epoch() (string, error)
	SetEpoch(epoch string) error
	Head() (int64, error)
	// At gives the op at a position; ok is false if there is none.
	At(pos int64) (id op.ID, ok bool, err error)
	// After gives the office's log after pos, at most limit entries.
	After(pos int64, limit int) ([]Entry, error)
	// Total is the digest of the log up to a position, 0 at first.
	Total() (pos int64, sum digest.Sum, err error)
	SetTotal(pos int64, sum digest.Sum) error
	// Numbers is how far the office's registration numbers are given out.
	Numbers() (Numbers, error)
	SetNumbers(Numbers) error

	// Held says what is kept under an id, taken or refused. A clash is kept
	// beside what has the number, and takes none.
	Held(id op.ID) (Held, error)
	// Bytes gives what is kept under an id and is no clash: the signed bytes of
	// the op that was placed, if one was, and those of each that was refused.
	Bytes(id op.ID) ([][]byte, error)
	// LastEff is the effective time of the device's last op before seq, 0 if
	// there is none.
	LastEff(d hlc.Device, seq uint64) (hlc.Time, error)
	// Eff gives the effective times of those of the ops that this office holds.
	Eff(ids []op.ID) ([]hlc.Time, error)
	// LastSeq is the highest number held of the device's log, 0 for none.
	LastSeq(d hlc.Device) (uint64, error)
	// Put places an op at the next position. Its id must not be held.
	Put(e Entry) (pos int64, err error)
	// Refuse keeps an op that was not taken, with the reason. Repeating it
	// changes nothing.
	Refuse(r Refusal) error

	// Entity gives all entries of one entity, by position.
	Entity(kind, entity string) ([]op.Entry, error)
	// Project writes a booking's row anew.
	Project(r record.Row) error
	// Taken counts the bookings made on the hub that hold a slot of the day.
	Taken(day spclep.Day) (map[spclep.Minute]int, error)
	// ActiveOf counts a person's bookings that still stand, from a day on.
	ActiveOf(person string, from spclep.Day) (int, error)

	// Device finds a device of any office; ErrNone if it is not known.
	Device(id hlc.Device) (Device, error)
	// Devices lists the office's devices in the order in which they came.
	Devices() ([]Device, error)
	// SetDevice writes a device of this office anew.
	SetDevice(d Device) error
	// TakeToken marks a token as used by a device, if nobody has used it, and
	// gives it as it then stands.
	TakeToken(hash [32]byte, by hlc.Device) (Token, error)
}

// An Entry is an op with its place, and how it got its time.
type Entry struct {
	op.Entry
	Clamped bool       // its author's time lay in the future; Time has the original
	AtMs    int64      // when the hub took it, ms since 1970
	Via     hlc.Device // the PC that brought it back after the hub had lost it; zero: its author sent it
}

// Held is what a store keeps under an op's id. All zero: nothing.
type Held struct {
	Pos  int64 // 0: not taken
	Eff  hlc.Time
	Sum  [32]byte // Sum of the signed bytes
	Code string   // of a refusal
	Say  string
}

// Sum tells ops under one id apart.
func Sum(signed []byte) [32]byte { return sha256.Sum256(signed) }

// A Refusal is an op the hub did not take.
type Refusal struct {
	ID   op.ID
	Code string // wire.Refused, wire.Clash
	Say  string
	Raw  []byte // as it came, at most wire.MaxOpBytes of it
	Sum  [32]byte
	AtMs int64
}

// Kinds of device.
const (
	PC   = "pc"
	Hub  = "hub"  // the hub's own pen in one office
	Gone = "gone" // known only by ops that were brought back; it has no key here
)

// A Device is one author of ops.
type Device struct {
	ID        hlc.Device
	Office    string
	Kind      string
	Desk      int // number among the office's PCs, from 1
	Name      string
	Pub       []byte // Ed25519
	AddedMs   int64
	RevokedMs int64           // 0: not revoked
	LastMs    int64           // last contact; 0: none
	Have      uint64          // up to here its log is held without a gap
	Window    Window          // which requests it has made
	Health    json.RawMessage // what it last said of itself
	Settings  json.RawMessage // wire.SettingsAt as it last said it; nil: never

	Old       hlc.Device // the device that this one follows; zero: none
	RetiredMs int64      // from then on nothing is taken from it; 0: it is at work
	Heir      hlc.Device // the first device that follows it; zero: none yet
	Cloned    bool       // it was retired because two machines used its key
	Boot      string     // the run of the PC that its latest request came from; "": not told
	Boots     []string   // the runs before that one, oldest first

	Number int64 // the highest of any block of registration numbers given to it; 0: none
}

// Numbers is how far an office's plain registration numbers are given out.
type Numbers struct {
	Next  int64  // the lowest that nobody was given; 0: 1
	Leapt string // the epoch in which Next went on beyond what an earlier life of the log may have given
}

// Published is a bundle of settings as IT signed it.
type Published struct {
	Number int64
	Target string // bundle.National, or an office
	AtMs   int64  // when it was published
	Box    string
}

// A Token lets one PC enrol once. Only the hash of its secret is kept.
type Token struct {
	Hash    [32]byte
	Office  string
	Expires int64 // hub ms
	MadeMs  int64
	UsedBy  hlc.Device // zero: nobody
}

// Alike is bookings whose applications carry one registration number.
type Alike struct {
	Number   string
	Bookings []spclep.BookingID // two or more, in the order of the texts
}

// A Filter chooses rows. Zero fields choose all.
type Filter struct {
	Day   spclep.Day
	ID    spclep.BookingID
	State spclep.State
}
