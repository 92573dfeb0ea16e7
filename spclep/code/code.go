// Package code is the booking's code: what its QR holds, how it is signed on
// the hub and checked at a desk without a line. It draws the QR but reads no
// camera, and puts no name or personal number into it.
package code

import (
	"crypto/ed25519"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"condica/spclep"
)

// Alphabet has 32 symbols that come out of a keyboard-wedge scanner alike on
// Romanian, Hungarian and US layouts, with and without Caps Lock: no 0, 1, Y,
// Z and no punctuation.
const Alphabet = "23456789ABCDEFGHIJKLMNOPQRSTUVWX"

// Prefixes tell what a code is before it is taken apart.
const (
	BookingPrefix = "CDB2" // a signed booking
	SlipPrefix    = "CDS2" // the slip given out with an application
)

const (
	version     = 1
	payloadSize = 1 + 1 + 2 + 5 + 4 + 1 // version, key, office, booking, slot, reason
	sumSize     = 4                     // symbols
	idSize      = 8                     // symbols of a BookingID
	maxDay      = 1<<32/(24*60) - 1     // the slot is 32 bits of minutes
)

var alphabet = base32.NewEncoding(Alphabet).WithPadding(base32.NoPadding)

// Kinds of things a person may hold up to the scanner.
var (
	ErrNotACode  = errors.New("this is not a booking's code")
	ErrIdentity  = errors.New("this is the ministry's identity code, not the booking's")
	ErrDamaged   = errors.New("the code is damaged: its checksum does not fit")
	ErrSignature = errors.New("the code is not signed by the hub")
	ErrKey       = errors.New("the code is signed with a key this desk does not know")
)

// A Booking is what a signed code says.
type Booking struct {
	Key    uint8
	Office uint16 // the office's number in the reference bundle
	ID     spclep.BookingID
	Day    spclep.Day
	At     spclep.Minute
	Reason spclep.Reason
}

// NewID makes a booking id of 5 random bytes.
func NewID(random [5]byte) spclep.BookingID {
	return spclep.BookingID(alphabet.EncodeToString(random[:]))
}

// ParseID reads a short code as a person types it: any case, spaces and
// hyphens ignored.
func ParseID(s string) (spclep.BookingID, error) {
	s = clean(s)
	if raw, err := alphabet.DecodeString(s); err != nil || len(raw) != 5 || len(s) != idSize {
		return "", ErrNotACode
	}
	return spclep.BookingID(s), nil
}

// Sign makes the text of a booking's QR.
func Sign(key ed25519.PrivateKey, b Booking) (string, error) {
	if canonical, err := ParseID(string(b.ID)); err != nil || canonical != b.ID {
		return "", fmt.Errorf("booking id %q: want %d symbols of the code alphabet", b.ID, idSize)
	}
	id, err := alphabet.DecodeString(string(b.ID))
	if err != nil {
		return "", err
	}
	reason, err := strconv.ParseUint(strings.TrimPrefix(string(b.Reason), "R"), 10, 8)
	if err != nil || reasonOf(uint8(reason)) != b.Reason {
		return "", fmt.Errorf("reason %q: want R01 to R99", b.Reason)
	}
	if b.Day <= 0 || b.Day > maxDay || b.At < 0 || b.At >= 24*60 {
		return "", fmt.Errorf("slot %s %s: want a day from 1970 and a time before midnight", b.Day, b.At)
	}
	p := make([]byte, 0, payloadSize+ed25519.SignatureSize)
	p = append(p, version, b.Key)
	p = binary.BigEndian.AppendUint16(p, b.Office)
	p = append(p, id...)
	p = binary.BigEndian.AppendUint32(p, uint32(b.Day)*24*60+uint32(b.At))
	p = append(p, uint8(reason))
	p = append(p, ed25519.Sign(key, signed(p))...)
	return seal(BookingPrefix, alphabet.EncodeToString(p)), nil
}

// Slip makes the text of a slip's QR: the booking's id with a checksum.
func Slip(id spclep.BookingID) string { return seal(SlipPrefix, string(id)) }

// ParseSlip reads what Slip makes.
func ParseSlip(s string) (spclep.BookingID, error) {
	body, err := open(SlipPrefix, s)
	if err != nil {
		return "", err
	}
	return ParseID(body)
}

// Parse reads a signed code without checking who signed it.
func Parse(s string) (Booking, error) {
	b, _, _, err := parse(s)
	return b, err
}

// Verify reads a signed code and checks it with the hub's keys, by key id.
func Verify(s string, keys map[uint8]ed25519.PublicKey) (Booking, error) {
	b, payload, sig, err := parse(s)
	if err != nil {
		return b, err
	}
	pub, ok := keys[b.Key]
	if !ok {
		return b, ErrKey
	}
	if !ed25519.Verify(pub, signed(payload), sig) {
		return b, ErrSignature
	}
	return b, nil
}

func parse(s string) (b Booking, payload, sig []byte, err error) {
	body, err := open(BookingPrefix, s)
	if err != nil {
		return b, nil, nil, err
	}
	raw, err := alphabet.DecodeString(body)
	if err != nil || len(raw) != payloadSize+ed25519.SignatureSize || raw[0] != version {
		return b, nil, nil, ErrDamaged
	}
	p := raw[:payloadSize]
	slot := binary.BigEndian.Uint32(p[9:])
	return Booking{
		Key: p[1], Office: binary.BigEndian.Uint16(p[2:]),
		ID:  spclep.BookingID(alphabet.EncodeToString(p[4:9])),
		Day: spclep.Day(slot / (24 * 60)), At: spclep.Minute(slot % (24 * 60)),
		Reason: reasonOf(p[13]),
	}, p, raw[payloadSize:], nil
}

func reasonOf(n uint8) spclep.Reason { return spclep.Reason(fmt.Sprintf("R%02d", n)) }

func signed(payload []byte) []byte { return append([]byte("condica booking\n"), payload...) }

// open checks prefix and checksum, and says what the thing is if it is not
// one of ours.
func open(prefix, s string) (string, error) {
	c := clean(s)
	if !strings.HasPrefix(c, prefix) {
		return "", notOurs(s)
	}
	body := strings.TrimPrefix(c, prefix)
	if len(body) <= sumSize {
		return "", ErrDamaged
	}
	body, sum := body[:len(body)-sumSize], body[len(body)-sumSize:]
	if sum != checksum(prefix+body) {
		return "", ErrDamaged
	}
	return body, nil
}

// notOurs tells the ministry's identity code, which citizens hold up by
// mistake: it is a link or a token with punctuation, never bare symbols.
func notOurs(s string) error {
	l := strings.ToLower(s)
	for _, mark := range []string{"mai.gov.ro", "roeid", "eidentitate", "hub.mai", "identitate", "openid", "mdoc:"} {
		if strings.Contains(l, mark) {
			return ErrIdentity
		}
	}
	return ErrNotACode
}

func seal(prefix, body string) string { return prefix + body + checksum(prefix+body) }

// checksum is CRC-20 (x^20+x^3+1) in four symbols: it finds a swapped or lost
// key; forgery is the signature's business.
func checksum(s string) string {
	crc := uint32(0xFFFFF)
	for i := range len(s) {
		crc ^= uint32(s[i]) << 12
		for range 8 {
			crc <<= 1
			if crc&(1<<20) != 0 {
				crc ^= 1<<20 | 0x9
			}
		}
	}
	crc &= 0xFFFFF
	var out [sumSize]byte
	for i := range out {
		out[i] = Alphabet[crc>>(15-5*i)&31]
	}
	return string(out[:])
}

func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '\t', '\r', '\n':
			return -1
		}
		return r
	}, strings.ToUpper(s))
}
