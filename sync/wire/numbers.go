package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"condica/sync/hlc"
)

// Registration numbers are plain integers, one row an office. The hub reserves
// them for a PC in blocks; a PC that is given none, or has used up its own, goes
// on with numbers that begin with its desk's.
const (
	NumberBlock = 500       // numbers in a block, and below so many left a PC is given another
	NumberMax   = 9_999_999 // a longer number is none of a row: a date, a file number of another register
	NumberLeap  = 10_000    // by so much a hub that has forgotten blocks goes on beyond what it knows of
)

// NumbersAt says where a PC stands with its registration numbers.
type NumbersAt struct {
	Left  int   `json:"l"`           // of its blocks
	Given int64 `json:"g,omitempty"` // the highest number of any block that it was given under this key
	Known int64 `json:"k,omitempty"` // to a hub that has lost something: the highest that the PC has seen used
}

// Numbers is a block of them: both ends are in it.
type Numbers struct {
	From int64 `json:"f,omitempty"`
	To   int64 `json:"t,omitempty"`
	Void bool  `json:"x,omitempty"` // the hub has forgotten the PC's blocks, and may give them to another: none of them counts any more
}

// A Desk is one of the office's PCs, at work or not: the name of a desk is wanted
// for what was written there once.
type Desk struct {
	Device hlc.Device `json:"d"`
	Desk   int        `json:"n"` // its number in the office, from 1
	Name   string     `json:"t,omitempty"`
}

// DesksSum tells two lists of desks apart in eight symbols.
func DesksSum(desks []Desk) string {
	h := sha256.New()
	for _, d := range desks {
		h.Write(d.Device[:])
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(d.Desk)))
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(d.Name))))
		h.Write([]byte(d.Name))
	}
	return hex.EncodeToString(h.Sum(nil)[:4])
}
