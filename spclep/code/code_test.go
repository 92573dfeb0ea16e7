package code

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"image/png"
	"strings"
	"testing"

	"condica/spclep"
)

func key(b byte) ed25519.PrivateKey { return ed25519.NewKeyFromSeed(bytes.Repeat([]byte{b}, 32)) }

func public(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

var (
	booking = Booking{Key: 3, Office: 14, ID: "7F3KQRST", Day: 20780, At: 9*60 + 20, Reason: "R01"}
	known   = map[uint8]ed25519.PublicKey{3: public(key(1)), 4: public(key(2))}
)

func signedText(t *testing.T, k ed25519.PrivateKey, b Booking) string {
	t.Helper()
	s, err := Sign(k, b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What the hub signs, the desk reads, however the scanner or the layout bends it.
func TestRoundTrip(t *testing.T) {
	for _, b := range []Booking{
		booking,
		{Key: 3, Office: 0, ID: "22222222", Day: 1, At: 0, Reason: "R17"},
		{Key: 3, Office: 65535, ID: "XXXXXXXX", Day: 40000, At: 1439, Reason: "R99"},
	} {
		text := signedText(t, key(1), b)
		if strings.Trim(text, Alphabet) != "" {
			t.Errorf("%q has symbols outside the alphabet", text)
		}
		for story, s := range map[string]string{
			"as it is": text, "Caps Lock": strings.ToLower(text), "with Enter and Tab": " " + text + "\t\r\n",
			"in groups": strings.Join(chunks(text, 5), "-"), "in words": strings.Join(chunks(text, 7), " "),
		} {
			if got, err := Verify(s, known); err != nil || got != b {
				t.Errorf("%s: %+v, %v; want %+v", story, got, err, b)
			}
		}
	}
}

func chunks(s string, n int) (out []string) {
	for ; len(s) > n; s = s[n:] {
		out = append(out, s[:n])
	}
	return append(out, s)
}

// Every symbol wrong, one at a time, in all 31 ways; one lost; one doubled; two
// neighbours swapped: none passes.
func TestEverySlipIsFound(t *testing.T) {
	text := signedText(t, key(1), booking)
	refused := func(s, what string, at int) {
		if b, err := Verify(s, known); err == nil {
			t.Errorf("%s at %d was taken for %+v", what, at, b)
		}
		if at >= len(BookingPrefix) {
			if _, err := Parse(s); !errors.Is(err, ErrDamaged) {
				t.Errorf("%s at %d: %v, want damage to be named", what, at, err)
			}
		}
	}
	for i := range len(text) {
		for _, c := range []byte(Alphabet) {
			if c != text[i] {
				refused(text[:i]+string(c)+text[i+1:], "a wrong symbol", i)
			}
		}
		refused(text[:i]+text[i+1:], "a lost symbol", i)
		refused(text[:i]+text[i:i+1]+text[i:], "a doubled symbol", i)
		if i+1 < len(text) && text[i] != text[i+1] {
			refused(text[:i]+text[i+1:i+2]+text[i:i+1]+text[i+2:], "a swap", i)
		}
	}
	for i := len(BookingPrefix); i < len(text); i++ {
		refused(text[:i], "a scan cut short", i)
	}
}

// The slip's code has no signature: the checksum alone must find a slip.
func TestSlip(t *testing.T) {
	text := Slip(booking.ID)
	if id, err := ParseSlip(strings.ToLower(text)); err != nil || id != booking.ID {
		t.Errorf("%q gave %q, %v", text, id, err)
	}
	for i := range len(text) {
		for _, c := range []byte(Alphabet) {
			if id, err := ParseSlip(text[:i] + string(c) + text[i+1:]); c != text[i] && err == nil {
				t.Errorf("wrong symbol %c at %d was taken for %q", c, i, id)
			}
		}
	}
	if _, err := ParseSlip(signedText(t, key(1), booking)); err == nil {
		t.Error("a booking's code was taken for a slip")
	}
	if _, err := Verify(text, known); err == nil {
		t.Error("a slip was taken for a booking's code")
	}
}

func TestWhoSigned(t *testing.T) {
	for story, c := range map[string]struct {
		text string
		want error
	}{
		"another key under a known number": {signedText(t, key(2), booking), ErrSignature},
		"a key number nobody here knows":   {signedText(t, key(1), Booking{Key: 9, ID: booking.ID, Day: 1, Reason: "R01"}), ErrKey},
		"the second known key":             {signedText(t, key(2), Booking{Key: 4, ID: booking.ID, Day: 1, Reason: "R01"}), nil},
	} {
		if _, err := Verify(c.text, known); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", story, err, c.want)
		}
	}
}

// Things people hold up to the scanner instead.
func TestForeignCodes(t *testing.T) {
	for s, want := range map[string]error{
		"https://hub.mai.gov.ro/cei/identitate?token=eyJhbGciOi": ErrIdentity,
		"OPENID4VP://authorize?client_id=roeid":                  ErrIdentity,
		"mdoc:owBjMS4wAYIB2BhYS6QBAiABIVgg":                      ErrIdentity,
		"https://example.ro/meniu":                               ErrNotACode,
		"WIFI:S:Cafenea;T:WPA;P:parola;;":                        ErrNotACode,
		"5941234567890":                                          ErrNotACode,
		"":                                                       ErrNotACode,
		"CDB2":                                                   ErrDamaged,
		"CDB2" + strings.Repeat("2", 4000):                       ErrDamaged,
		"\x00\xff\xfe":                                           ErrNotACode,
	} {
		if _, err := Verify(s, known); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", s, err, want)
		}
	}
}

// The short code is typed by hand.
func TestShortCode(t *testing.T) {
	for _, s := range []string{"7F3KQRST", "7f3k qrst", " 7f3k-QRST\n"} {
		if id, err := ParseID(s); err != nil || id != "7F3KQRST" {
			t.Errorf("%q gave %q, %v", s, id, err)
		}
	}
	for _, s := range []string{"", "7F3KQRS", "7F3KQRSTT", "7F3KQRS0", "7F3KQRSY", "7F3KQRSÂ", "........"} {
		if id, err := ParseID(s); err == nil {
			t.Errorf("%q was read as %q", s, id)
		}
	}
	if id := NewID([5]byte{0xff, 0, 0xff, 0, 0xff}); len(id) != 8 {
		t.Errorf("new id %q", id)
	}
}

func TestSignRefuses(t *testing.T) {
	for story, b := range map[string]Booking{
		"an id of the wrong length": {ID: "7F3K", Day: 1, Reason: "R01"},
		"an id in other symbols":    {ID: "7F3KQRS0", Day: 1, Reason: "R01"},
		"a reason that is none":     {ID: booking.ID, Day: 1, Reason: "first"},
		"a reason with a tail":      {ID: booking.ID, Day: 1, Reason: "R011"},
		"a day before 1970":         {ID: booking.ID, Day: -1, Reason: "R01"},
		"a time after midnight":     {ID: booking.ID, Day: 1, At: spclep.Minute(24 * 60), Reason: "R01"},
	} {
		if s, err := Sign(key(1), b); err == nil {
			back, _ := Parse(s)
			t.Errorf("%s was signed and reads as %+v", story, back)
		}
	}
}

// The pictures hold whole modules and a quiet zone.
func TestPictures(t *testing.T) {
	text := signedText(t, key(1), booking)
	svg, err := SVG(text)
	if err != nil || !bytes.HasPrefix(svg, []byte("<svg ")) || !bytes.HasSuffix(svg, []byte("</svg>")) {
		t.Fatalf("svg %.60s, %v", svg, err)
	}
	b, err := PNG(text)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil || img.Bounds().Dx()%8 != 0 {
		t.Errorf("png %v, %v", img.Bounds(), err)
	}
	if _, err := SVG(strings.Repeat("A", 5000)); err == nil {
		t.Error("a text too long for a code was drawn")
	}
}
