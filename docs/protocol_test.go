package docs_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/bundle"
	"condica/sync/digest"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

var update = flag.Bool("update", false, "write the examples of protocol.md anew")

// exampleKey is the key of the PC in the examples: the seed is 00 01 ... 1f.
func exampleKey() ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	for i := range seed {
		seed[i] = byte(i)
	}
	return ed25519.NewKeyFromSeed(seed)
}

func exampleDevice() hlc.Device { return wire.DeviceOf(exampleKey().Public().(ed25519.PublicKey)) }

// exampleOps are one act of a clerk: a person is checked in, and the e-mail
// put right on top of what another PC had written.
func exampleOps() []op.Op {
	clock := hlc.Reading{Wall: 1230768000123, Boot: "b-17", Up: 3600000} // a PC at 2009
	o := op.Op{Action: 41, Clock: clock, By: "Maria", ID: op.ID{Device: exampleDevice(), Seq: 41}, Time: hlc.At(1795418100000)}
	o.Cell, o.Fact = record.Cell("A2B3C4D5", spclep.Arrived), true
	e := o
	e.ID.Seq, e.Fact, e.Time = 42, false, o.Time.After()
	e.Cell, e.Value = record.Cell("A2B3C4D5", spclep.FieldEmail), json.RawMessage(`"ana@example.ro"`)
	e.Base, e.Why = []op.ID{{Device: hlc.Device{0xc0}, Seq: 7}}, "a cerut R&D"
	return []op.Op{o, e}
}

// exampleOther is an op of another PC of the office.
func exampleOther() op.Op {
	return op.Op{
		ID: op.ID{Device: hlc.Device{0xc0}, Seq: 9}, Action: 9, Cell: record.Cell("B2B3C4D5", spclep.SentAway), Fact: true,
		Value: json.RawMessage(`{"g":"no-show"}`), Time: hlc.At(1795418000000), Clock: hlc.Reading{Wall: 1795418000400, Boot: "b-3", Up: 81000}, By: "Ion",
	}
}

// examples are the blocks of protocol.md by name, as the program writes them.
func examples(t *testing.T) map[string][]byte {
	t.Helper()
	key := exampleKey()
	pub := key.Public().(ed25519.PublicKey)
	raw := [][]byte{encodedOp(t, exampleOps()[0]), encodedOp(t, exampleOps()[1])}
	keys := []wire.QRKey{{ID: 1, Pub: bytes.Repeat([]byte{7}, ed25519.PublicKeySize)}}
	request := wire.Request{
		V: wire.Version, Office: "covasna", Epoch: "5b1e0c9a77d2f310", Cursor: 120, Tip: "c000000000000000:8", Own: 42,
		Segments: []wire.Segment{wire.SignSegment(key, raw)}, Limit: wire.MaxPull, Health: json.RawMessage(`{"unsent":2}`),
		Numbers: &wire.NumbersAt{Left: 480, Given: 1500}, Desks: wire.DesksSum(nil),
	}
	request.SetClock(hlc.Reading{Wall: 1230768060123, Boot: "b-17", Up: 3660000})
	answer := wire.Answer{
		V: wire.Version, Epoch: "5b1e0c9a77d2f310", HubMs: 1795418161000, Have: 42,
		Verdicts: []wire.Verdict{{Seq: 41, Pos: 122}, {Seq: 42, Code: wire.Refused, Say: "the hub never takes this"}},
		From:     120, Entries: []wire.Entry{
			{Pos: 121, Device: hlc.Device{0xc0}, Eff: hlc.At(1795418000000) + 3, Op: encodedOp(t, exampleOther())}, {Pos: 122, Seq: 41},
		}, Cursor: 122, Head: 122, Keys: keys,
		Numbers: &wire.Numbers{From: 2001, To: 2500}, Desks: []wire.Desk{{Device: exampleDevice(), Desk: 2, Name: "Ghișeul 1"}},
	}
	box := exampleBox(t, key)
	body := []byte(`{"v":1}`)
	sum := sha256.Sum256(body)
	return map[string][]byte{
		"box":      []byte(box),
		"op":       raw[1],
		"request":  encoded(t, request),
		"answer":   encoded(t, answer),
		"enroll":   encoded(t, wire.Enroll{V: wire.Version, Secret: "9d0f6c", Pub: pub, Name: "Ghișeul 1"}),
		"enrolled": encoded(t, wire.Enrolled{Device: exampleDevice(), Office: "covasna", Desk: 2, Epoch: "5b1e0c9a77d2f310", HubMs: 1795418161000, Keys: keys}),
		"problem":  encoded(t, wire.Problem{Code: "counter", Say: "request number 5 has been used; go on after 9"}),
		"key":      fmt.Appendf(nil, "seed    %x\npublic  %x\ndevice  %s", key.Seed(), []byte(pub), exampleDevice()),
		"request-signature": fmt.Appendf(nil, "body    %s\nsigned  condica request 1\\n%s\\n9\\n/v1/sync\\n%x\\n\nheader  %s: %s",
			body, exampleDevice(), sum, wire.SignatureHeader, wire.SignRequest(key, 9, "/v1/sync", body)),
		"carried-request": wire.CarryRequest(key, 9, body),
		"carried-answer":  append(wire.CarriedAnswers(), wire.CarriedAnswer{Device: exampleDevice(), Number: 9, Last: true, Body: body}.Sign(key, 1)...),
		"segment-digest":  fmt.Appendf(nil, "digest     %s\nsignature  %x", segmentDigest(exampleDevice(), raw), request.Segments[0].Sig),
		"digest":          exampleDigest(t),
		"token":           []byte(wire.Token{Hub: "https://hub.example.ro:8443", Pin: strings.Repeat("ab", 32), Office: "covasna", Secret: "9d0f6c", Expires: 1795590900000}.String()),
	}
}

// exampleBox is a bundle of settings, of which both keys are the PC's for once.
func exampleBox(t *testing.T, key ed25519.PrivateKey) string {
	t.Helper()
	cert, err := bundle.Certify(key, "2026-1", key.Public().(ed25519.PublicKey), 1795418161000, 1829978161000)
	if err != nil {
		t.Fatal(err)
	}
	box, err := bundle.Seal(key, cert, bundle.Bundle{Number: 7, Target: bundle.National, Issued: 1795418161000, Files: []bundle.File{
		{Name: "bundle.yaml", Text: "bundle: 7\n"}, {Name: "settings.yaml", Text: "format: 1\n"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return box
}

// segmentDigest follows the words of protocol.md and nothing else: whoever
// builds the other end has no more than these.
func segmentDigest(d hlc.Device, ops [][]byte) string {
	text := append([]byte("condica segment 1\n"), d[:]...)
	for _, o := range ops {
		n := len(o)
		text = append(text, 0, 0, 0, 0, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		text = append(text, o...)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// exampleDigest follows the words of protocol.md for an op at position 121, and
// for it and the same one at 122.
func exampleDigest(t *testing.T) []byte {
	raw := encodedOp(t, exampleOther())
	sum := sha256.Sum256(raw)
	one := func(pos uint64) (lanes [4]uint64) {
		text := binary.BigEndian.AppendUint64([]byte{0xc0, 0, 0, 0, 0, 0, 0, 0}, 9)
		text = binary.BigEndian.AppendUint64(text, pos)
		text = binary.BigEndian.AppendUint64(text, 1795418000000*65536+3)
		h := sha256.Sum256(append(text, sum[:]...))
		for i := range lanes {
			lanes[i] = binary.BigEndian.Uint64(h[8*i:])
		}
		return lanes
	}
	written := func(n uint64, lanes [4]uint64) string {
		text := binary.BigEndian.AppendUint64(nil, n)
		for _, l := range lanes {
			text = binary.BigEndian.AppendUint64(text, l)
		}
		h := sha256.Sum256(text)
		return base64.RawURLEncoding.EncodeToString(h[:8])
	}
	a, b := one(121), one(122)
	both := a
	for i := range both {
		both[i] += b[i]
	}
	return fmt.Appendf(nil, "op       %s\ntime     1795418000000.3\nat 121   %s\nand 122  %s", raw, written(1, a), written(2, both))
}

var exampleBlock = regexp.MustCompile("(?s)<!-- example: ([a-z-]+) -->\n```([a-z]*)\n(.*?)```")

// Every example of protocol.md is what the program writes today.
func TestProtocolExamples(t *testing.T) {
	text, err := os.ReadFile("protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	want := examples(t)
	if *update {
		text = exampleBlock.ReplaceAllFunc(text, func(block []byte) []byte {
			m := exampleBlock.FindSubmatch(block)
			return fmt.Appendf(nil, "<!-- example: %s -->\n```%s\n%s\n```", m[1], m[2], shown(t, string(m[2]), want[string(m[1])]))
		})
		if err := os.WriteFile("protocol.md", text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	seen := map[string]bool{}
	for _, m := range exampleBlock.FindAllSubmatch(text, -1) {
		name, kind, got := string(m[1]), string(m[2]), bytes.TrimSuffix(m[3], []byte("\n"))
		seen[name] = true
		if kind == "json" {
			got = compact(t, got)
		}
		if !bytes.Equal(got, want[name]) {
			t.Errorf("example %s:\n%s\nwant (go test ./docs -update writes it):\n%s", name, got, want[name])
		}
	}
	for name := range want {
		if !seen[name] {
			t.Errorf("protocol.md has no example %s", name)
		}
	}
}

// shown spreads JSON over lines, as a reader likes it.
func shown(t *testing.T, kind string, text []byte) []byte {
	t.Helper()
	if kind != "json" {
		return text
	}
	var b bytes.Buffer
	if err := json.Indent(&b, text, "", "  "); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func compact(t *testing.T, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What stands in the examples is read by the program's own readers, and the
// signatures in them hold.
func TestProtocolExamplesAreRead(t *testing.T) {
	pub := exampleKey().Public().(ed25519.PublicKey)
	all := examples(t)
	r, err := wire.DecodeRequest(all["request"])
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Segments[0].Verify(pub); err != nil {
		t.Error(err)
	}
	signed, err := hex.DecodeString(segmentDigest(exampleDevice(), [][]byte{r.Segments[0].Ops[0], r.Segments[0].Ops[1]}))
	if err != nil || !ed25519.Verify(pub, signed, r.Segments[0].Sig) {
		t.Errorf("the digest as protocol.md tells it is not what was signed: %v", err)
	}
	if _, err := wire.DecodeAnswer(all["answer"]); err != nil {
		t.Error(err)
	}
	o, err := wire.DecodeOp(exampleDevice(), all["op"])
	if err != nil || o.Why != "a cerut R&D" {
		t.Errorf("the op: %+v, %v", o, err)
	}
	at := func(pos int64) digest.Sum {
		return digest.Of(op.ID{Device: hlc.Device{0xc0}, Seq: 9}, pos, hlc.At(1795418000000)+3, digest.Raw(encodedOp(t, exampleOther())))
	}
	for _, want := range []string{"at 121   " + at(121).Text(), "and 122  " + at(121).Add(at(122)).Text()} {
		if !strings.Contains(string(all["digest"]), want) {
			t.Errorf("the digest as protocol.md tells it is not the program's %q", want)
		}
	}
	if tok, err := wire.ParseToken(string(all["token"])); err != nil || tok.Office != "covasna" {
		t.Errorf("the token: %+v, %v", tok, err)
	}
	_, header, _ := strings.Cut(string(all["request-signature"]), wire.SignatureHeader+": ")
	s, err := wire.ParseSigned(header)
	if err != nil || s.Device != exampleDevice() || !s.Verify(pub, "/v1/sync", []byte(`{"v":1}`)) {
		t.Errorf("the request's signature: %+v, %v", s, err)
	}
}

// Every short name of the messages is spelled out in protocol.md, and every
// code the hub can answer with stands in its table.
func TestProtocolNamesAreSpelledOut(t *testing.T) {
	text, err := os.ReadFile("protocol.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := openDocument(t, "openapi-hub.yaml")
	for _, name := range []string{"Op", "Segment", "Relayed", "DaySum", "Request", "Answer", "Mend", "Verdict", "Entry", "Enroll", "Enrolled", "SettingsAt", "Settings", "NumbersAt", "Numbers", "Desk"} {
		section := part(string(text), "### "+name)
		for key := range doc.properties(doc.schema(name)) {
			if !strings.Contains(section, "| `"+key+"` |") {
				t.Errorf("protocol.md, %s: %q is not spelled out", name, key)
			}
		}
	}
	files, err := goFiles(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	codes := hubCodes(t, files)
	if len(codes) < 10 {
		t.Fatalf("only %v were found in hub: the search is broken", codes)
	}
	for _, c := range codes {
		if !strings.Contains(string(text), "`"+c+"`") {
			t.Errorf("protocol.md does not tell what the hub's code %q means", c)
		}
	}
}

// part is a section of a document, up to the next heading.
func part(text, heading string) string {
	_, rest, _ := strings.Cut(text, "\n"+heading+"\n")
	section, _, _ := strings.Cut(rest, "\n#")
	return section
}

var failCall = regexp.MustCompile(`(?:fail\(|problem\(w, )http\.Status\w+, "([a-z-]+)"|Code: "([a-z-]+)"`)

// hubCodes finds the codes of wire.Problem in the hub's source.
func hubCodes(t *testing.T, files []goFile) []string {
	t.Helper()
	var out []string
	for _, f := range files {
		if f.room != "condica/hub" {
			continue
		}
		text, err := os.ReadFile("../" + f.path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range failCall.FindAllStringSubmatch(string(text), -1) {
			if c := m[1] + m[2]; c != "no-such-page" && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	return out
}
