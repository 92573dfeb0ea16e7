package wire

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"condica/sync/hlc"
	"condica/sync/op"
)

// The golden files are the protocol as other programs see it: a change in one
// is a change of the protocol. go test ./sync/wire -update writes them anew.
var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, bytes.TrimSuffix(want, []byte("\n"))) {
		t.Errorf("%s:\n got %s\nwant %s", name, got, want)
	}
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// pc is an office PC with a key everybody knows.
var (
	pc     = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	pcPub  = pc.Public().(ed25519.PublicKey)
	pcID   = DeviceOf(pcPub)
	when   = hlc.At(1_795_262_400_000)
	clocks = hlc.Reading{Wall: 1_230_768_000_123, Boot: "b-17", Up: 3_600_000}
)

// ops are a check-in and, in the same action, a note with all that JSON likes
// to bend: markup, diacritics, line separators, quotes.
func ops(t *testing.T) (all []op.Op, raw [][]byte) {
	note := must[[]byte](t)(Encode("<b>Ștefan & \"fiii\"</b> — Szűcs-Minta Ödön \u2028 \\ \t"))
	all = []op.Op{{
		ID: op.ID{Device: pcID, Seq: 41}, Action: 41, Cell: op.Cell{Kind: "booking", Entity: "7F3KQRST", Field: "arrived"}, Fact: true,
		Time: when, Clock: clocks, By: "Ghișeul <2>",
	}, {
		ID: op.ID{Device: pcID, Seq: 42}, Action: 41, Cell: op.Cell{Kind: "booking", Entity: "7F3KQRST", Field: "note"},
		Value: note, Base: []op.ID{{Device: hlc.Device{0xc0}, Seq: 7}}, Time: when + 1, Clock: clocks, By: "Ghișeul <2>", Why: "a cerut R&D",
	}}
	for _, o := range all {
		raw = append(raw, must[[]byte](t)(EncodeOp(o)))
	}
	return all, raw
}

func request(t *testing.T) Request {
	_, raw := ops(t)
	r := Request{
		V: Version, Office: "covasna", Epoch: "e-1", Cursor: 120, Tip: "c000000000000000:7", Own: 42,
		Segments: []Segment{SignSegment(pc, raw)}, WaitMs: 0, Limit: 5000, Health: json.RawMessage(`{"disk":"<80%"}`),
	}
	r.SetClock(clocks)
	return r
}

func answer(t *testing.T) Answer {
	_, raw := ops(t)
	return Answer{
		V: Version, Epoch: "e-1", HubMs: when.Ms(), Have: 42,
		Verdicts: []Verdict{{Seq: 41, Pos: 121}, {Seq: 42, Code: Refused, Say: "nota este prea lungă <1 KB>"}},
		From:     120, Entries: []Entry{{Pos: 121, Seq: 41, Eff: when + 5}, {Pos: 122, Device: hlc.Device{0xc0}, Op: raw[1]}},
		Cursor: 122, Head: 130, Keys: []QRKey{{ID: 3, Pub: []byte{1, 2, 3}}}, Orders: []string{"revoked"},
	}
}

func TestGolden(t *testing.T) {
	r := request(t)
	golden(t, "request.json", must[[]byte](t)(Encode(r)))
	golden(t, "answer.json", must[[]byte](t)(Encode(answer(t))))
	golden(t, "segment.json", must[[]byte](t)(Encode(r.Segments[0])))
	golden(t, "enroll.json", must[[]byte](t)(Encode(Enroll{V: Version, Secret: "s3cret", Pub: pcPub, Name: "Ghișeul 2"})))
	golden(t, "enrolled.json", must[[]byte](t)(Encode(Enrolled{Device: pcID, Office: "covasna", Desk: 2, Epoch: "e-1", HubMs: when.Ms(), Keys: []QRKey{{ID: 3, Pub: []byte{1}}}})))
	golden(t, "problem.json", must[[]byte](t)(Encode(Problem{Code: "counter", Say: "numărul <5> a fost folosit"})))
	golden(t, "token.txt", []byte(Token{Hub: "https://hub.example.ro:8443", Pin: "aa11", Office: "covasna", Secret: "s3cret", Expires: when.Ms()}.String()))
	golden(t, "signature.txt", []byte(SignRequest(pc, 9, "/v1/sync", []byte(`{"v":1}`))))
}

// What lies in the golden files is read again, whole.
func TestGoldenIsRead(t *testing.T) {
	read := func(name string) []byte {
		return bytes.TrimSpace(must[[]byte](t)(os.ReadFile(filepath.Join("testdata", name))))
	}
	r := must[Request](t)(DecodeRequest(read("request.json")))
	if err := r.Segments[0].Verify(pcPub); err != nil {
		t.Error(err)
	}
	if again := must[[]byte](t)(Encode(r)); !bytes.Equal(again, read("request.json")) {
		t.Errorf("the request read and written again is\n%s", again)
	}
	a := must[Answer](t)(DecodeAnswer(read("answer.json")))
	if again := must[[]byte](t)(Encode(a)); !bytes.Equal(again, read("answer.json")) {
		t.Errorf("the answer read and written again is\n%s", again)
	}
	tok := must[Token](t)(ParseToken(" " + string(read("token.txt")[:20]) + "\n" + string(read("token.txt")[20:]) + "\r\n"))
	if tok.Hub != "https://hub.example.ro:8443" || tok.Secret != "s3cret" || tok.Expires != when.Ms() {
		t.Errorf("token %+v", tok)
	}
	s := must[Signed](t)(ParseSigned(string(read("signature.txt"))))
	if s.Device != pcID || s.Counter != 9 || !s.Verify(pcPub, "/v1/sync", []byte(`{"v":1}`)) {
		t.Errorf("signature %+v does not hold", s)
	}
}
