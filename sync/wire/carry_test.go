package wire

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var (
	carrierKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, 32))
	carrier    = DeviceOf(carrierKey.Public().(ed25519.PublicKey))
	centreKey  = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{4}, 32))
	centreKeys = []QRKey{{ID: 1, Pub: centreKey.Public().(ed25519.PublicKey)}}
)

// answersTo makes a file of answers to a request.
func answersTo(number uint64, bodies ...string) []byte {
	file := CarriedAnswers()
	for i, b := range bodies {
		a := CarriedAnswer{Device: carrier, Number: number, N: i, Last: i == len(bodies)-1, Body: []byte(b)}
		file = append(file, a.Sign(centreKey, 1)...)
	}
	return file
}

// why is the code with which a file is refused; "" for one that is taken.
func why(t testing.TB, err error) string {
	t.Helper()
	var c *CarriedError
	if err != nil && (!errors.As(err, &c) || c.Say == "" || !slices.Contains(CarriedReasons(), c.Code)) {
		t.Fatalf("refused with %#v, which no page has a word for", err)
	}
	if c == nil {
		return ""
	}
	return c.Code
}

// A request file says on the hub what it said on the PC. Cut anywhere it is
// known to be cut; with any bit changed its signature does not fit.
func TestCarriedRequest(t *testing.T) {
	pub := carrierKey.Public().(ed25519.PublicKey)
	file := CarryRequest(carrierKey, 7, []byte(`{"v":1}`))
	signed, body, err := ParseCarriedRequest(file)
	if err != nil || signed.Device != carrier || signed.Counter != 7 || string(body) != `{"v":1}` || !signed.Verify(pub, CarriedPath, body) {
		t.Fatalf("read back as %+v %q: %v", signed, body, err)
	}
	if signed.Verify(pub, "/v1/sync", body) {
		t.Error("a file that was found in the street can be sent over the line")
	}
	for n := range file {
		if _, _, err := ParseCarriedRequest(file[:n]); why(t, err) != CarriedCut {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
	}
	for bit := range len(file) * 8 {
		bad := bytes.Clone(file)
		bad[bit/8] ^= 1 << (bit % 8)
		// A hexadecimal digit may be written large, and means the same.
		signed, body, err := ParseCarriedRequest(bad)
		if why(t, err) == "" && signed.Verify(pub, CarriedPath, body) && (signed.Device != carrier || signed.Counter != 7 || string(body) != `{"v":1}`) {
			t.Fatalf("bit %d changed, and nobody saw it", bit)
		}
	}
	if _, _, err := ParseCarriedRequest(append(bytes.Clone(file), 'x')); why(t, err) != CarriedChanged {
		t.Errorf("with something behind it: %v", err)
	}
	for _, other := range [][]byte{answersTo(7, "{}"), []byte("<html>"), bytes.Repeat([]byte{0}, 1<<20)} {
		if _, _, err := ParseCarriedRequest(other); why(t, err) != CarriedForeign {
			t.Errorf("a file that begins %.20q: %v", other, err)
		}
	}
}

// A file of three answers is taken whole or not at all.
func TestCarriedAnswers(t *testing.T) {
	file := answersTo(7, "one", "two", "three")
	got, err := ParseCarriedAnswers(file, carrier, centreKeys)
	if err != nil || len(got) != 3 || string(got[2].Body) != "three" || got[0].Number != 7 {
		t.Fatalf("read back as %+v: %v", got, err)
	}
	for n := range file {
		if _, err := ParseCarriedAnswers(file[:n], carrier, centreKeys); why(t, err) != CarriedCut {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
	}
	for bit := range len(file) * 8 {
		bad := bytes.Clone(file)
		bad[bit/8] ^= 1 << (bit % 8)
		if same, err := ParseCarriedAnswers(bad, carrier, centreKeys); why(t, err) == "" && !reflect.DeepEqual(same, got) {
			t.Fatalf("bit %d changed, and nobody saw it", bit)
		}
	}
	other := carrier
	other[0]++
	strange := []QRKey{{ID: 2, Pub: centreKeys[0].Pub}}
	forged := []QRKey{{ID: 1, Pub: carrierKey.Public().(ed25519.PublicKey)}}
	head := len(CarriedAnswers())
	elsewhere := answersTo(8, "one", "two", "three")
	second := bytes.Index(file, []byte("one")) + 3
	for name, c := range map[string]struct {
		file []byte
		keys []QRKey
		code string
	}{
		"a request":                       {CarryRequest(carrierKey, 7, nil), centreKeys, CarriedForeign},
		"a hub with other keys":           {file, strange, CarriedKey},
		"a hub that only says it is":      {file, forged, CarriedChanged},
		"no keys at all":                  {file, nil, CarriedKey},
		"the first answer missing":        {append(CarriedAnswers(), file[second:]...), centreKeys, CarriedChanged},
		"the end of another request's":    {append(bytes.Clone(file[:second]), elsewhere[second:]...), centreKeys, CarriedChanged},
		"the same twice in a row":         {append(bytes.Clone(file), file[head:]...), centreKeys, CarriedChanged},
		"a line that never ends":          {append(CarriedAnswers(), strings.Repeat("9", 1<<20)...), centreKeys, CarriedChanged},
		"a length no body has":            {append(CarriedAnswers(), carrier.String()+" 7 0 last 1 999999999 x\n"...), centreKeys, CarriedChanged},
		"a length that would not fit int": {append(CarriedAnswers(), carrier.String()+" 7 0 last 1 99999999999999999999 x\n"...), centreKeys, CarriedChanged},
	} {
		if got, err := ParseCarriedAnswers(c.file, carrier, c.keys); why(t, err) != c.code || got != nil {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if _, err := ParseCarriedAnswers(file, other, centreKeys); why(t, err) != CarriedOther {
		t.Errorf("at another PC: %v", err)
	}
}

// A carried body that unpacks to gigabytes ends as an error.
func TestCarriedBomb(t *testing.T) {
	c, err := NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	bomb, packed := c.Pack(make([]byte, MaxDecoded+1))
	if _, err := c.Opened(bomb); !packed || err == nil {
		t.Errorf("it was unpacked: %v", err)
	}
	if got, err := c.Opened([]byte(`{"v":1}`)); err != nil || string(got) != `{"v":1}` {
		t.Errorf("a plain body: %q, %v", got, err)
	}
}

// Whatever lies on a stick: it is refused with a reason, or it is what was signed.
func FuzzCarried(f *testing.F) {
	f.Add(CarryRequest(carrierKey, 7, []byte(`{"v":1}`)))
	f.Add(answersTo(7, "one", "two"))
	f.Add([]byte("condica carried "))
	f.Fuzz(func(t *testing.T, file []byte) {
		if signed, body, err := ParseCarriedRequest(file); why(t, err) == "" && signed.Verify(carrierKey.Public().(ed25519.PublicKey), CarriedPath, body) {
			if signed.Device != carrier || !bytes.HasSuffix(file, body) {
				t.Errorf("taken as request %d of %s", signed.Counter, signed.Device)
			}
		}
		got, err := ParseCarriedAnswers(file, carrier, centreKeys)
		if why(t, err) == "" && (len(got) == 0 || !got[len(got)-1].Last) {
			t.Errorf("taken as %+v", got)
		}
	})
}
