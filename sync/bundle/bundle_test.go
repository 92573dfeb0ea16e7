package bundle_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"strings"
	"testing"

	"condica/sync/bundle"
)

const (
	day   = int64(24 * 60 * 60 * 1000)
	today = int64(1_795_500_000_000) // 24 November 2026
)

func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func pubOf(k ed25519.PrivateKey) ed25519.PublicKey { return k.Public().(ed25519.PublicKey) }

// A centre is IT's two keys.
type centre struct {
	t             *testing.T
	root, signing ed25519.PrivateKey
	cert          bundle.Certificate
}

func newCentre(t *testing.T) centre {
	c := centre{t: t, root: keyOf("root"), signing: keyOf("signing")}
	c.cert = c.certify(c.root, "2026-1", c.signing)
	return c
}

func (c centre) certify(root ed25519.PrivateKey, id string, key ed25519.PrivateKey) bundle.Certificate {
	c.t.Helper()
	cert, err := bundle.Certify(root, id, pubOf(key), today-day, today+300*day)
	if err != nil {
		c.t.Fatal(err)
	}
	return cert
}

func plain(number int64) bundle.Bundle {
	return bundle.Bundle{Number: number, Target: bundle.National, Issued: today, Files: []bundle.File{
		{Name: "settings.yaml", Text: "format: 1\ntexts: {notice: \"Mâine <închis> & gata\"}\n"}, {Name: "national.yaml", Text: "layer: national\n"},
	}}
}

func (c centre) seal(b bundle.Bundle) string {
	c.t.Helper()
	box, err := bundle.Seal(c.signing, c.cert, b)
	if err != nil {
		c.t.Fatal(err)
	}
	return box
}

// What IT seals, a PC opens: the same texts, by name. Sealed twice it is the
// same bytes.
func TestSealedIsOpened(t *testing.T) {
	c := newCentre(t)
	box := c.seal(plain(7))
	b, err := bundle.Open(box, pubOf(c.root))
	if err != nil {
		t.Fatal(err)
	}
	if b.Number != 7 || b.Key != "2026-1" || b.Files[0].Name != "national.yaml" || b.Texts()["settings.yaml"] != plain(7).Files[0].Text {
		t.Errorf("opened: %+v", b)
	}
	if again := c.seal(plain(7)); again != box {
		t.Error("sealed again it is another box")
	}
}

// Each way in which a box can be bad has its own name. The PC's clock has no
// say in it.
func TestBadBoxesAreRefusedByName(t *testing.T) {
	c := newCentre(t)
	good := c.seal(plain(7))
	stranger := newCentre(t)
	stranger.root = keyOf("another root")
	stranger.cert = stranger.certify(stranger.root, "2026-1", stranger.signing)
	late := plain(8)
	late.Issued = today + 400*day
	other := c
	other.signing = keyOf("third")
	other.cert = c.certify(c.root, "2026-2", other.signing)
	third := other.seal(plain(7))
	for name, f := range map[string]struct{ box, code string }{
		"cut in its head":              {good[:60], bundle.Torn},
		"cut in its body":              {good[:len(good)-9], bundle.Torn},
		"one letter another":           {strings.Replace(good, "închis", "deschis", 1), bundle.Torn},
		"empty":                        {"", bundle.Torn},
		"longer than any":              {good + strings.Repeat(" ", bundle.MaxBox), bundle.Torn},
		"a page of a captive portal":   {"<html>\n\n</html>", bundle.Senseless},
		"contents changed with care":   {resummed(good, "închis", "deschis"), bundle.Forged},
		"another's signature":          {swapped(good, c.seal(plain(8)), "signature"), bundle.Forged},
		"certificate of another key":   {swapped(good, third, "certificate"), bundle.UnknownKey},
		"signed by somebody else":      {stranger.seal(plain(9)), bundle.StrangeKey},
		"certificate for longer":       {recertified(t, c, good, func(x *bundle.Certificate) { x.Until += day }), bundle.StrangeKey},
		"issued after the key's time":  {sealedAnyhow(t, c, late), bundle.KeyTime},
		"signed, with an unknown word": {signedBody(t, c, `{"n":7,"to":"national","at":1795500000000,"key":"2026-1","ring":2,"files":[{"name":"a.yaml","text":""}]}`), bundle.Senseless},
		"signed, with a path":          {signedBody(t, c, `{"n":7,"to":"national","at":1795500000000,"key":"2026-1","files":[{"name":"../a.yaml","text":""}]}`), bundle.Senseless},
	} {
		_, err := bundle.Open(f.box, pubOf(c.root))
		if code := codeOf(err); code != f.code {
			t.Errorf("%s: refused as %q (%v), want %q", name, code, err, f.code)
		}
	}
	if _, err := bundle.Open(good, nil); codeOf(err) != bundle.NoRoot {
		t.Errorf("without a root key: %v", err)
	}
}

// A PC takes only what is for it and newer than what it holds.
func TestAdmit(t *testing.T) {
	c := newCentre(t)
	open := func(b bundle.Bundle) bundle.Opened {
		o, err := bundle.Open(c.seal(b), pubOf(c.root))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	seven := open(plain(7))
	twin := plain(7)
	twin.Files = twin.Files[1:]
	covasna := plain(9)
	covasna.Target = "covasna"
	held := bundle.Held{Number: 7, Sum: seven.Sum}
	for name, f := range map[string]struct {
		b      bundle.Opened
		office string
		code   string
	}{
		"the next one":              {open(plain(8)), "covasna", ""},
		"after forty days away":     {open(plain(48)), "covasna", ""},
		"for this office":           {open(covasna), "covasna", ""},
		"for another office":        {open(covasna), "botosani", bundle.OtherOffice},
		"the one in force":          {seven, "covasna", bundle.Replayed},
		"its number, other content": {open(twin), "covasna", bundle.Replayed},
		"an older one":              {open(plain(6)), "covasna", bundle.Downgraded},
	} {
		if code := codeOf(f.b.Admit(f.office, held)); code != f.code {
			t.Errorf("%s: %q, want %q", name, code, f.code)
		}
	}
}

func TestWhatCannotBeSealed(t *testing.T) {
	c := newCentre(t)
	for name, change := range map[string]func(*bundle.Bundle){
		"number":  func(b *bundle.Bundle) { b.Number = 0 },
		"target":  func(b *bundle.Bundle) { b.Target = "Covasna!" },
		"expires": func(b *bundle.Bundle) { b.Expires = b.Issued },
		"files":   func(b *bundle.Bundle) { b.Files = nil },
		"twice":   func(b *bundle.Bundle) { b.Files = append(b.Files, b.Files[0]) },
		"size":    func(b *bundle.Bundle) { b.Files[0].Text = strings.Repeat("x", bundle.MaxBox) },
		"time":    func(b *bundle.Bundle) { b.Issued = today - 2*day },
	} {
		b := plain(7)
		change(&b)
		if _, err := bundle.Seal(c.signing, c.cert, b); err == nil {
			t.Errorf("a bundle with a bad %s was sealed", name)
		}
	}
	if _, err := bundle.Seal(keyOf("not certified"), c.cert, plain(7)); err == nil {
		t.Error("a key sealed under another's certificate")
	}
}

// No bytes make a PC stumble; and what opens was signed by our key.
func FuzzOpen(f *testing.F) {
	root, signing := keyOf("root"), keyOf("signing")
	cert, err := bundle.Certify(root, "2026-1", pubOf(signing), today-day, today+300*day)
	if err != nil {
		f.Fatal(err)
	}
	good, err := bundle.Seal(signing, cert, plain(7))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(good))
	f.Add([]byte(good[:100]))
	f.Add(bytes.ReplaceAll([]byte(good), []byte("\n"), []byte("\n\n")))
	f.Fuzz(func(t *testing.T, box []byte) {
		if b, err := bundle.Open(string(box), pubOf(root)); err == nil && b.Sum != sumIn(good) {
			t.Errorf("a box that was never sealed opens: %+v", b)
		}
	})
}

func codeOf(err error) string {
	var e *bundle.Error
	if errors.As(err, &e) {
		return e.Code
	}
	if err != nil {
		return "no *bundle.Error"
	}
	return ""
}
