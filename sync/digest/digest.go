// Package digest says in a few bytes whether two copies of an office's log are
// the same, as a whole and day by day. It reads no log and mends nothing.
package digest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"condica/sync/hlc"
	"condica/sync/op"
)

// A Sum is the digest of a set of placed ops: the count, and the sum of their
// SHA-256 in four lanes of 64 bits, so that ops may be added and taken out in
// any order. The zero Sum is that of no ops. It finds mistakes, not enemies:
// whoever can choose what is in the log needs no collision.
type Sum struct {
	N     int64
	lanes [4]uint64
}

// Raw is what of an op's signed bytes goes into a digest: their SHA-256.
func Raw(signed []byte) [32]byte { return sha256.Sum256(signed) }

// Of is the digest of one op at its place: who wrote it as which number, where
// it lies in the office's log, what time counts for it, and every byte of it.
func Of(id op.ID, pos int64, eff hlc.Time, raw [32]byte) Sum {
	var b [8 + 8 + 8 + 8 + 32]byte
	copy(b[:], id.Device[:])
	binary.BigEndian.PutUint64(b[8:], id.Seq)
	binary.BigEndian.PutUint64(b[16:], uint64(pos))
	binary.BigEndian.PutUint64(b[24:], uint64(eff))
	copy(b[32:], raw[:])
	h := sha256.Sum256(b[:])
	s := Sum{N: 1}
	for i := range s.lanes {
		s.lanes[i] = binary.BigEndian.Uint64(h[8*i:])
	}
	return s
}

// Add joins two sets that have no op in common.
func (s Sum) Add(o Sum) Sum {
	s.N += o.N
	for i := range s.lanes {
		s.lanes[i] += o.lanes[i]
	}
	return s
}

// Text is the digest in eleven symbols: 64 bits.
func (s Sum) Text() string {
	b, _ := s.MarshalBinary() // never fails
	h := sha256.Sum256(b)
	return base64.RawURLEncoding.EncodeToString(h[:8])
}

// MarshalBinary writes 40 bytes.
func (s Sum) MarshalBinary() ([]byte, error) {
	b := binary.BigEndian.AppendUint64(nil, uint64(s.N))
	for _, l := range s.lanes {
		b = binary.BigEndian.AppendUint64(b, l)
	}
	return b, nil
}

// UnmarshalBinary reads them; none at all are the zero Sum.
func (s *Sum) UnmarshalBinary(b []byte) error {
	*s = Sum{}
	if len(b) == 0 {
		return nil
	}
	if len(b) != 40 {
		return fmt.Errorf("digest of %d bytes: want 40", len(b))
	}
	s.N = int64(binary.BigEndian.Uint64(b))
	for i := range s.lanes {
		s.lanes[i] = binary.BigEndian.Uint64(b[8+8*i:])
	}
	return nil
}

// MarshalText writes the 40 bytes in base64, for states kept as JSON.
func (s Sum) MarshalText() ([]byte, error) {
	b, err := s.MarshalBinary()
	return []byte(base64.RawURLEncoding.EncodeToString(b)), err
}

// UnmarshalText reads it.
func (s *Sum) UnmarshalText(text []byte) error {
	b, err := base64.RawURLEncoding.DecodeString(string(text))
	if err != nil {
		return fmt.Errorf("digest %q: %w", text, err)
	}
	return s.UnmarshalBinary(b)
}

const dayMs = 24 * 60 * 60 * 1000

// DayOf is the day an op belongs to: days since 1970, UTC, of its effective
// time. An op never changes its day.
func DayOf(eff hlc.Time) int64 { return eff.Ms() / dayMs }

// Within gives the times of a day: from the first, up to and without the last.
func Within(day int64) (from, to hlc.Time) {
	return hlc.At(day * dayMs), hlc.At((day + 1) * dayMs)
}

// Days is the digest of each day that has ops.
type Days map[int64]Sum

// Add puts one op into its day.
func (d Days) Add(eff hlc.Time, s Sum) {
	day := DayOf(eff)
	d[day] = d[day].Add(s)
}
