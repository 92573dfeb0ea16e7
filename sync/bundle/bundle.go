// Package bundle is the box in which central IT's settings travel: numbered,
// aimed at the nation or at one office, and signed by a key that the offline
// root key has certified. It says why a box is not to be trusted and never
// opens one that is not; it reads no clock and no file, and does not look into
// the settings themselves.
package bundle

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// National is the target of a bundle for every office.
const National = "national"

// Limits of a box.
const (
	MaxBox   = 2 << 20 // bytes of the whole box
	MaxFiles = 64
)

// A Bundle is what a box holds once it is opened.
type Bundle struct {
	Number  int64  `json:"n"`           // one row of numbers for all targets; each is used once
	Target  string `json:"to"`          // National, or an office's id
	Issued  int64  `json:"at"`          // ms since 1970, by the signer's clock
	Expires int64  `json:"x,omitempty"` // ms; 0: never. It is shown, and stops no counter
	Key     string `json:"key"`         // id of the key that signed it
	Files   []File `json:"files"`       // by name
}

// A File is one text of a bundle.
type File struct {
	Name string `json:"name"` // such as national.yaml
	Text string `json:"text"`
}

// Texts are the files by name.
func (b Bundle) Texts() map[string]string {
	out := map[string]string{}
	for _, f := range b.Files {
		out[f.Name] = f.Text
	}
	return out
}

// An Opened bundle is one whose signatures hold.
type Opened struct {
	Bundle
	Sum string // of the signed bytes, hexadecimal: tells two bundles of one number apart
}

// The first line of a box. A later shape has another.
const magic = "condica-settings-1"

// Seal makes a box. The same bundle and key give the same bytes.
func Seal(key ed25519.PrivateKey, c Certificate, b Bundle) (string, error) {
	b.Key = c.ID
	b.Files = slices.Clone(b.Files)
	slices.SortFunc(b.Files, func(x, y File) int { return strings.Compare(x.Name, y.Name) })
	if err := b.check(); err != nil {
		return "", err
	}
	if !bytes.Equal(key.Public().(ed25519.PublicKey), c.Pub) {
		return "", fmt.Errorf("the certificate %s is not of this key", c.ID)
	}
	if err := c.covers(b.Issued); err != nil {
		return "", err
	}
	body, err := compact(b)
	if err != nil {
		return "", err
	}
	cert, err := compact(c)
	if err != nil {
		return "", err
	}
	box := strings.Join([]string{
		magic, "certificate " + encode(cert), "sum " + sumOf(body), "signature " + encode(ed25519.Sign(key, signed(body))), "", string(body),
	}, "\n")
	if len(box) > MaxBox {
		return "", fmt.Errorf("the bundle has %d bytes, at most %d are allowed", len(box), MaxBox)
	}
	return box, nil
}

// Open checks a box against the root key: that it is whole, who signed it, and
// that the signer was certified at the time of issue. A wrong clock of the PC
// plays no part: the moments compared are the signer's own. An error is an
// *Error with its reason.
func Open(box string, root ed25519.PublicKey) (Opened, error) {
	p, err := parse(box)
	if err != nil {
		return Opened{}, err
	}
	b := Opened{Sum: p.sum}
	bad := json.Unmarshal(p.body, &b.Bundle)
	if bad == nil && b.Key != p.cert.ID {
		return Opened{}, refuse(UnknownKey, "it is signed by key %q and brings the certificate of %q", b.Key, p.cert.ID)
	}
	if err := p.cert.Check(root); err != nil {
		return Opened{}, err
	}
	if !ed25519.Verify(p.cert.Pub, signed(p.body), p.signature) {
		return Opened{}, refuse(Forged, "the signature of key %q does not fit the contents", p.cert.ID)
	}
	if bad == nil {
		bad = strict(p.body, &b.Bundle)
	}
	if bad == nil {
		bad = b.check()
	}
	if bad != nil {
		return Opened{}, refuse(Senseless, "it is signed but makes no sense: %v", bad)
	}
	return b, p.cert.covers(b.Issued)
}

// parts of a box before any of it is believed.
type parts struct {
	cert      Certificate
	sum       string
	signature []byte
	body      []byte
}

func parse(box string) (p parts, err error) {
	if len(box) > MaxBox {
		return p, refuse(Torn, "it is longer than %d bytes", MaxBox)
	}
	head, body, ok := strings.Cut(box, "\n\n")
	lines := strings.Split(head, "\n")
	if lines[0] != magic && !strings.HasPrefix(magic, lines[0]) {
		return p, refuse(Senseless, "it begins with %.40q, not with %q: a program of another version made it, or it is no bundle", lines[0], magic)
	}
	if !ok || len(lines) != 4 {
		return p, refuse(Torn, "it ends after %d bytes, within its head", len(box))
	}
	values := map[string]string{}
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, " ")
		values[name] = value
	}
	cert, err1 := decode(values["certificate"])
	sig, err2 := decode(values["signature"])
	if err := errors.Join(err1, err2); err != nil {
		return p, refuse(Torn, "its head cannot be read: %v", err)
	}
	if err := json.Unmarshal(cert, &p.cert); err != nil {
		return p, refuse(Torn, "its certificate cannot be read: %v", err)
	}
	p.sum, p.signature, p.body = values["sum"], sig, []byte(body)
	if sumOf(p.body) != p.sum {
		return p, refuse(Torn, "its %d bytes do not add up to the sum in its head", len(p.body))
	}
	return p, nil
}

var (
	fileName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,60}\.yaml$`)
	targets  = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,60}$`)
)

func (b Bundle) check() error {
	switch {
	case b.Number < 1 || b.Number > 1<<31:
		return fmt.Errorf("number %d: want one from 1", b.Number)
	case !targets.MatchString(b.Target):
		return fmt.Errorf("target %q: want %s, or an office's id", b.Target, National)
	case b.Issued <= 0:
		return fmt.Errorf("issued %d: want ms since 1970", b.Issued)
	case b.Expires != 0 && b.Expires <= b.Issued:
		return errors.New("it expires before it is issued")
	case len(b.Files) == 0 || len(b.Files) > MaxFiles:
		return fmt.Errorf("%d files: want 1 to %d", len(b.Files), MaxFiles)
	}
	for i, f := range b.Files {
		if !fileName.MatchString(f.Name) {
			return fmt.Errorf("file %q: want a name such as national.yaml", f.Name)
		}
		if i > 0 && b.Files[i-1].Name >= f.Name {
			return fmt.Errorf("file %q: stands twice, or out of order", f.Name)
		}
	}
	return nil
}

// Held is the last bundle that a PC took.
type Held struct {
	Number int64
	Sum    string // "": of the rules built into the program
}

// Admit says whether an opened bundle may follow what the PC holds. An error is
// an *Error.
func (b Opened) Admit(office string, held Held) error {
	switch {
	case b.Target != National && b.Target != office:
		return refuse(OtherOffice, "it is for office %q, this PC is of office %q", b.Target, office)
	case b.Number == held.Number && b.Sum == held.Sum:
		return refuse(Replayed, "it is bundle %d, which is in force here already", b.Number)
	case b.Number == held.Number:
		return refuse(Replayed, "number %d was used before, with other contents", b.Number)
	case b.Number < held.Number:
		return refuse(Downgraded, "it is number %d, and %d is in force here", b.Number, held.Number)
	}
	return nil
}

// signed are the bytes that are signed: those of the body behind words that no
// other kind of signature begins with.
func signed(body []byte) []byte { return append([]byte("condica settings 1\n"), body...) }

func sumOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func decode(s string) ([]byte, error) {
	if s == "" {
		return nil, errors.New("a line is missing")
	}
	return base64.RawURLEncoding.Strict().DecodeString(s)
}

// compact writes JSON without white space; <, > and & stay as they are.
func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// strict: a key that this program does not know might be a condition it would
// not heed.
func strict(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind its end")
	}
	return nil
}
