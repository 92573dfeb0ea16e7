// Package hlc orders edits: a Stamp is a hybrid logical time, and Correct
// gives edits written out of contact the time at which they truly happened.
// It never reads a clock; every reading comes as an argument.
package hlc

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// A Device names one installed replica: the first eight bytes of the SHA-256
// of its public key. The hub is a device too.
type Device [8]byte

// ParseDevice reads 16 hexadecimal digits.
func ParseDevice(s string) (Device, error) {
	var d Device
	if len(s) != 2*len(d) {
		return d, fmt.Errorf("device %q: want 16 hexadecimal digits", s)
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		return d, fmt.Errorf("device %q: want 16 hexadecimal digits", s)
	}
	return d, nil
}

func (d Device) String() string { return hex.EncodeToString(d[:]) }

// MarshalText writes the 16 digits.
func (d Device) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads them.
func (d *Device) UnmarshalText(b []byte) error {
	v, err := ParseDevice(string(b))
	*d = v
	return err
}

// A Time is 48 bits of milliseconds since 1970 and 16 bits of count, so that
// two edits of one millisecond still have an order. The zero Time is before
// every edit.
type Time uint64

const (
	countBits = 16
	// MaxMs is the last millisecond a Time can hold (47 bits, so that it also
	// fits a signed 64-bit column): the year 6429.
	MaxMs = 1<<47 - 1

	last Time = MaxMs<<countBits | 1<<countBits - 1
)

// At gives the first Time of a millisecond; outside 0..MaxMs it is clamped.
func At(ms int64) Time { return Time(min(max(ms, 0), MaxMs)) << countBits }

// Ms is the millisecond part.
func (t Time) Ms() int64 { return int64(t >> countBits) }

// Count is the count within the millisecond.
func (t Time) Count() uint16 { return uint16(t) }

// After gives the next Time: one count more, or the next millisecond. At the
// last Time there is it stays: a Time nobody can read would jam the outbox.
func (t Time) After() Time { return min(t+1, last) }

// String writes milliseconds, a dot and the count: 1795282440123.0.
func (t Time) String() string {
	return strconv.FormatInt(t.Ms(), 10) + "." + strconv.Itoa(int(t.Count()))
}

// ParseTime reads what String writes.
func ParseTime(s string) (Time, error) {
	ms, count, ok := strings.Cut(s, ".")
	m, err1 := strconv.ParseUint(ms, 10, 64)
	c, err2 := strconv.ParseUint(count, 10, countBits)
	if !ok || err1 != nil || err2 != nil || m > MaxMs {
		return 0, fmt.Errorf("time %q: want milliseconds.count", s)
	}
	return At(int64(m)) | Time(c), nil
}

// MarshalText writes what String writes.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads it.
func (t *Time) UnmarshalText(b []byte) error {
	v, err := ParseTime(string(b))
	*t = v
	return err
}

// A Stamp places an edit in the order of all edits: by time, then by device.
// Two different edits never share a Stamp.
type Stamp struct {
	Time   Time
	Device Device
}

// Compare gives -1, 0 or +1 as s lies before, at or after o.
func (s Stamp) Compare(o Stamp) int {
	switch {
	case s.Time < o.Time:
		return -1
	case s.Time > o.Time:
		return 1
	}
	return bytes.Compare(s.Device[:], o.Device[:])
}
