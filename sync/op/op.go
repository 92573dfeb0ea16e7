// Package op is one edit of one cell, and which of two edits wins. It decides
// nothing about who may edit, and neither stores nor sends anything.
package op

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"condica/sync/hlc"
)

// An ID names an op for ever: the device that wrote it and its place in that
// device's own log, from 1. It is never reused and is not the stamp.
type ID struct {
	Device hlc.Device
	Seq    uint64
}

// ParseID reads device:seq.
func ParseID(s string) (ID, error) {
	dev, seq, ok := strings.Cut(s, ":")
	d, err1 := hlc.ParseDevice(dev)
	n, err2 := strconv.ParseUint(seq, 10, 63)
	if !ok || err1 != nil || err2 != nil || n == 0 {
		return ID{}, fmt.Errorf("op id %q: want device:number", s)
	}
	return ID{d, n}, nil
}

func (id ID) String() string { return id.Device.String() + ":" + strconv.FormatUint(id.Seq, 10) }

// MarshalText writes device:seq.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads it.
func (id *ID) UnmarshalText(b []byte) error {
	v, err := ParseID(string(b))
	*id = v
	return err
}

// A Cell is what one op speaks of: a field of one entity of one kind,
// written kind/entity/field.
type Cell struct{ Kind, Entity, Field string }

// ParseCell reads kind/entity/field; the field may hold anything but a slash.
func ParseCell(s string) (Cell, error) {
	p := strings.Split(s, "/")
	if len(p) != 3 || slices.Contains(p, "") {
		return Cell{}, fmt.Errorf("cell %q: want kind/entity/field", s)
	}
	return Cell{p[0], p[1], p[2]}, nil
}

func (c Cell) String() string { return c.Kind + "/" + c.Entity + "/" + c.Field }

// An Op is one edit of one cell as its author wrote and signed it.
type Op struct {
	ID     ID
	Action uint64 // Seq of the first op of the clerk's one action
	Cell   Cell
	Fact   bool            // something that happened, never overwritten; else a register
	Value  json.RawMessage // any JSON, compact
	Base   []ID            // registers: the heads this op replaces, as the writer saw them
	Time   hlc.Time        // as the author stamped it
	Clock  hlc.Reading     // the author's clocks at the moment of writing
	By     string          // the clerk
	Why    string          // where a reason is asked
	Signed []byte          // the bytes the author signed, with fields this program may not know; nil until sealed
}

// ActionID names the clerk's action this op belongs to.
func (o Op) ActionID() ID { return ID{o.ID.Device, o.Action} }

// An Entry is an op with its effective time: the author's, or the hub's where
// the author's lay in the future. Pos is its place in the office's log on the
// hub, from 1; 0 where the hub has not placed it yet.
type Entry struct {
	Op
	Eff hlc.Time
	Pos int64
}

// Stamp is the effective stamp.
func (e Entry) Stamp() hlc.Stamp { return hlc.Stamp{Time: e.Eff, Device: e.ID.Device} }
