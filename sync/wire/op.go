// Package wire is what PCs and hub say to each other: the messages of
// docs/protocol.md as JSON, their limits, and what is signed in them. It opens
// no sockets and trusts nothing: every byte is checked before it becomes an op.
package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"condica/sync/hlc"
	"condica/sync/op"
)

// Limits of one op. A larger one is refused by its own verdict.
const (
	MaxOpBytes   = 64 << 10
	MaxTextBytes = 1 << 10 // cell, clerk, reason
	MaxBases     = 64
	MaxSeq       = 1 << 60 // numbers above it are a replica's own, for what it sets aside
)

// opJSON is an op on the wire. The names are short because a village line is
// slow; docs/protocol.md spells them out.
type opJSON struct {
	Seq    uint64          `json:"q"`
	Action uint64          `json:"a,omitempty"` // empty: Seq
	Cell   string          `json:"c"`
	Fact   int             `json:"f,omitempty"`
	Value  json.RawMessage `json:"v,omitempty"`
	Base   []string        `json:"b,omitempty"`
	Time   hlc.Time        `json:"t"`
	Clock  clockJSON       `json:"w"`
	By     string          `json:"y,omitempty"`
	Why    string          `json:"r,omitempty"`
}

// clockJSON is [wall ms, boot, ms since boot].
type clockJSON hlc.Reading

func (c clockJSON) MarshalJSON() ([]byte, error) {
	return marshal([]any{c.Wall, c.Boot, c.Up})
}

func (c *clockJSON) UnmarshalJSON(b []byte) error {
	if err := json.Unmarshal(b, &[]any{&c.Wall, &c.Boot, &c.Up}); err != nil {
		return fmt.Errorf("clock %s: want [wall ms, boot, ms since boot]", short(b))
	}
	return nil
}

// EncodeOp writes an op as its author signs it. The device is not in it: it is
// said once for the whole segment.
func EncodeOp(o op.Op) ([]byte, error) {
	j := opJSON{
		Seq: o.ID.Seq, Cell: o.Cell.String(), Value: o.Value, Time: o.Time,
		Clock: clockJSON(o.Clock), By: o.By, Why: o.Why,
	}
	if o.Action != o.ID.Seq {
		j.Action = o.Action
	}
	if o.Fact {
		j.Fact = 1
	}
	for _, b := range o.Base {
		j.Base = append(j.Base, b.String())
	}
	// What could not be read back must not be written.
	if err := checkOp(o, j); err != nil {
		return nil, fmt.Errorf("op %s: %w", o.ID, err)
	}
	b, err := marshal(j)
	if err != nil {
		return nil, fmt.Errorf("op %s: %w", o.ID, err)
	}
	if len(b) > MaxOpBytes {
		return nil, fmt.Errorf("op %s: %d bytes, at most %d are allowed", o.ID, len(b), MaxOpBytes)
	}
	// What nobody can read must not be acknowledged: it would never leave.
	if _, err := DecodeOp(o.ID.Device, b); err != nil {
		return nil, err
	}
	return b, nil
}

// DecodeOp reads an op by device. Fields it does not know stay in Signed and
// travel on.
func DecodeOp(d hlc.Device, raw []byte) (op.Op, error) {
	if len(raw) > MaxOpBytes {
		return op.Op{}, fmt.Errorf("op of %d bytes: at most %d are allowed", len(raw), MaxOpBytes)
	}
	if !utf8.Valid(raw) {
		return op.Op{}, fmt.Errorf("op: it is not UTF-8")
	}
	var j opJSON
	if err := json.Unmarshal(raw, &j); err != nil {
		return op.Op{}, fmt.Errorf("op: %w", err)
	}
	if !compact(raw) {
		return op.Op{}, fmt.Errorf("op: there is space between its parts; on its way it would become other bytes than were signed")
	}
	o := op.Op{
		ID: op.ID{Device: d, Seq: j.Seq}, Action: j.Action, Fact: j.Fact != 0, Value: j.Value,
		Time: j.Time, Clock: hlc.Reading(j.Clock), By: j.By, Why: j.Why, Signed: raw,
	}
	if o.Action == 0 {
		o.Action = o.ID.Seq
	}
	if err := checkOp(o, j); err != nil {
		return o, fmt.Errorf("op %d: %w", j.Seq, err)
	}
	var err error
	if o.Cell, err = op.ParseCell(j.Cell); err != nil {
		return o, fmt.Errorf("op %d: %w", j.Seq, err)
	}
	for _, s := range j.Base {
		id, err := op.ParseID(s)
		if err != nil {
			return o, fmt.Errorf("op %d: base: %w", j.Seq, err)
		}
		o.Base = append(o.Base, id)
	}
	return o, nil
}

func checkOp(o op.Op, j opJSON) error {
	switch {
	case o.ID.Seq == 0 || o.ID.Seq > MaxSeq:
		return fmt.Errorf("q %d: want a number from 1 to %d", o.ID.Seq, uint64(MaxSeq))
	case o.Action > o.ID.Seq:
		return fmt.Errorf("a %d lies after q %d", o.Action, o.ID.Seq)
	case len(j.Cell) > MaxTextBytes || len(j.By) > MaxTextBytes || len(j.Why) > MaxTextBytes || len(j.Clock.Boot) > MaxTextBytes:
		return fmt.Errorf("c, w, y or r is longer than %d bytes", MaxTextBytes)
	case len(j.Base) > MaxBases:
		return fmt.Errorf("b names %d ops, at most %d are allowed", len(j.Base), MaxBases)
	}
	return nil
}

// compact says whether raw is as a message carries it: there, an op stands among
// others, and what stands between its parts is left out.
func compact(raw []byte) bool {
	inText, escaped := false, false
	for _, c := range raw {
		switch {
		case escaped:
			escaped = false
		case inText:
			inText, escaped = c != '"', c == '\\'
		case c == '"':
			inText = true
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			return false
		}
	}
	return true
}

// marshal writes compact JSON without turning < > & into escapes, so that the
// bytes that were signed are the bytes that arrive.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func short(b []byte) string {
	if len(b) > 40 {
		return string(b[:40]) + "..."
	}
	return string(b)
}
