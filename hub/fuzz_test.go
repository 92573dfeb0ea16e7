package hub_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"condica/hub"
	"condica/hub/store/memory"
	"condica/spclep"
	"condica/sync/op"
	"condica/sync/wire"
)

// A gate is a hub whose handler is called as it stands: a panic in it is the
// test's.
type gate struct {
	*testing.T
	hub     *hub.Server
	handler http.Handler
	codec   *wire.Codec
}

func newGate(t *testing.T, ref *spclep.Reference, codec *wire.Codec) gate {
	t.Helper()
	h, err := hub.New(t.Context(), hub.Config{Store: memory.New(), Reference: ref, Now: func() int64 { return noon }, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return gate{t, h, h.Handler(), codec}
}

func (g gate) enrol(name string) ed25519.PrivateKey {
	g.Helper()
	key := keyOf(name)
	tok, err := g.hub.NewToken(g.Context(), "covasna", time.Hour, "https://hub.example.ro", "")
	if err == nil {
		_, err = g.hub.Enroll(g.Context(), wire.Enroll{V: wire.Version, Secret: tok.Secret, Pub: key.Public().(ed25519.PublicKey), Name: name})
	}
	if err != nil {
		g.Fatal(err)
	}
	return key
}

// asks posts a body that is answered at once, or after a while of the machine's.
func (g gate) asks(path string, body []byte, header map[string]string) *httptest.ResponseRecorder {
	g.Helper()
	rec, _ := g.asksFor(time.Minute, path, body, header)
	return rec
}

// asksFor posts a body that may ask to be held for news, and is let go then.
func (g gate) asksFor(most time.Duration, path string, body []byte, header map[string]string) (rec *httptest.ResponseRecorder, held bool) {
	g.Helper()
	ctx, cancel := context.WithTimeout(g.Context(), most)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, bytes.NewReader(body))
	for name, value := range header {
		r.Header.Set(name, value)
	}
	rec = httptest.NewRecorder()
	g.handler.ServeHTTP(rec, r)
	return rec, ctx.Err() != nil
}

// answered: whatever was asked, the answer is one of the protocol, and never
// that the hub has a fault of its own.
func (g gate) answered(rec *httptest.ResponseRecorder) {
	g.Helper()
	body := rec.Body.Bytes()
	if rec.Header().Get("Content-Encoding") == "zstd" {
		var err error
		if body, err = g.codec.Unpack(body); err != nil {
			g.Fatalf("the answer cannot be unpacked: %v", err)
		}
	}
	if rec.Code == http.StatusOK {
		if _, err := wire.DecodeAnswer(body); err != nil {
			g.Fatalf("the answer cannot be read: %v\n%s", err, body)
		}
		return
	}
	var p wire.Problem
	if err := json.Unmarshal(body, &p); err != nil || p.Code == "" || p.Say == "" {
		g.Fatalf("status %d with %q: %v", rec.Code, body, err)
	}
	fine := []int{400, 401, 403, 409, 413, 415}
	if !slices.Contains(fine, rec.Code) {
		g.Fatalf("status %d: %s: %s", rec.Code, p.Code, p.Say)
	}
}

// goesOn: after what a hostile PC did, a good one of its office works as ever,
// and the log is whole and readable from its beginning.
func (g gate) goesOn(key ed25519.PrivateKey, counter uint64) {
	g.Helper()
	const id = "7F3KQR22"
	raw, err := wire.EncodeOp(op.Op{ID: op.ID{Seq: 1}, Action: 1, Cell: op.Cell{Kind: "booking", Entity: id, Field: spclep.FieldNote}, Value: []byte(`"bun"`), By: "Ana"})
	if err != nil {
		g.Fatal(err)
	}
	req := wire.Request{V: wire.Version, Office: "covasna", Segments: []wire.Segment{wire.SignSegment(key, [][]byte{raw})}}
	pos := int64(0)
	for round := 0; ; round++ {
		body, err := wire.Encode(req)
		if err != nil {
			g.Fatal(err)
		}
		rec := g.asks("/v1/sync", body, map[string]string{wire.SignatureHeader: wire.SignRequest(key, counter, "/v1/sync", body)})
		if rec.Code != http.StatusOK {
			g.Fatalf("a good PC was answered with %d: %s", rec.Code, rec.Body)
		}
		a, err := wire.DecodeAnswer(rec.Body.Bytes())
		if err != nil {
			g.Fatal(err)
		}
		if round == 0 && (len(a.Verdicts) != 1 || a.Verdicts[0].Pos == 0) {
			g.Fatalf("a good PC's edit was answered with %+v", a.Verdicts)
		}
		for _, e := range a.Entries {
			if pos++; e.Pos != pos {
				g.Fatalf("the log goes on at %d after %d", e.Pos, pos-1)
			}
			if _, err := wire.DecodeOp(e.Device, e.Op); err != nil || !utf8.Valid(e.Op) {
				g.Fatalf("the log holds at %d what nobody can read: %v\n%q", pos, err, e.Op)
			}
		}
		if pos >= a.Head && len(a.Entries) == 0 {
			break
		}
		req = wire.Request{V: wire.Version, Office: "covasna", Epoch: a.Epoch, Cursor: pos}
		counter++
	}
	if b, _, err := g.hub.Booking(g.Context(), "covasna", id); err != nil || len(b.Fields[spclep.FieldNote].Winner.Value) == 0 {
		g.Fatalf("the booking is shown as %+v, %v", b, err)
	}
	if _, err := g.hub.History(g.Context(), "covasna", 0); err != nil {
		g.Fatalf("central IT cannot read the log: %v", err)
	}
}

func fuzzParts(f *testing.F) (*spclep.Reference, *wire.Codec) {
	ref, err := spclep.Builtin()
	if err != nil {
		f.Fatal(err)
	}
	codec, err := wire.NewCodec()
	if err != nil {
		f.Fatal(err)
	}
	return ref, codec
}

func goldenRequest(f *testing.F) []byte {
	b, err := os.ReadFile(filepath.Join("..", "sync", "wire", "testdata", "request.json"))
	if err != nil {
		f.Fatal(err)
	}
	return bytes.TrimSpace(b)
}

// FuzzSync posts whatever it likes: signed by an enrolled PC where signature is
// empty, packed by us where encoding is "pack".
func FuzzSync(f *testing.F) {
	ref, codec := fuzzParts(f)
	f.Add(goldenRequest(f), "", "")
	f.Add(goldenRequest(f), "", "pack")
	f.Add(goldenRequest(f), "0011223344556677 9 AAAA", "identity")
	f.Add([]byte(`{"v":1,"c":9223372036854775807,"e":"x","at":"0011223344556677:1","wait":25000,"w":[1,"b",2]}`), "", "")
	f.Add([]byte(`{"v":3,"s":[],"h":{"v":"x"},"g":{"r":true,"a":1},"n":1}`), "", "gzip")
	f.Add([]byte(`<html>`), "", "")
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd, 0, 0, 0}, "", "zstd")
	relayed := `{"v":1,"o":"covasna","c":0,"w":[1,"b",2],"b":5,"dd":[{"d":20780,"h":"00"}],"rl":[{"d":"%s","e":"1795262400000.0","o":{"q":1,"c":"booking/7F3KQR22/note","v":1,"t":"5.0","w":[1,"b",2]}}]}`
	f.Add(fmt.Appendf(nil, relayed, "0011223344556677"), "", "")
	f.Add(fmt.Appendf(nil, relayed, wire.DeviceOf(keyOf("bad").Public().(ed25519.PublicKey))), "", "")
	f.Fuzz(func(t *testing.T, body []byte, signature, encoding string) {
		g := newGate(t, ref, codec)
		bad, good := g.enrol("bad"), g.enrol("good")
		header := map[string]string{"Content-Encoding": encoding, "Accept-Encoding": "zstd", wire.SignatureHeader: signature}
		if encoding == "pack" {
			header["Content-Encoding"] = ""
			if packed, ok := codec.Pack(body); ok {
				body, header["Content-Encoding"] = packed, "zstd"
			}
		}
		if signature == "" {
			header[wire.SignatureHeader] = wire.SignRequest(bad, 5, "/v1/sync", body)
		}
		if rec, held := g.asksFor(100*time.Millisecond, "/v1/sync", body, header); !held {
			g.answered(rec)
		}
		g.goesOn(good, 1)
	})
}

// FuzzSyncOps posts ops of its own making, one a line, in a segment that an
// enrolled PC has truly signed: twice, and a third time in another order.
func FuzzSyncOps(f *testing.F) {
	ref, codec := fuzzParts(f)
	var golden wire.Request
	if err := json.Unmarshal(goldenRequest(f), &golden); err != nil {
		f.Fatal(err)
	}
	var lines []string
	for _, raw := range golden.Segments[0].Ops {
		lines = append(lines, string(raw))
	}
	f.Add(strings.Join(lines, "\n"))
	f.Add(`{"q":1,"c":"booking/7F3KQR22/booked","f":1,"v":{"n":"Ion","o":"walk-in"},"t":"5.0","w":[1,"b",2]}` + "\n" + `{"q":2,"c":"booking/7F3KQR22/undone","f":1,"v":{"x":"0011223344556677:1"},"t":"1795262400000.0","w":[1,"b",2],"b":["0011223344556677:1"]}`)
	f.Add(`{"q":4611686018427387904,"c":"a/b/c","v":1,"t":"140737488355327.65535","w":[1,"b",2]}` + "\n1\n" + `{"q":3,"c":"booking/7F3KQR22/filed","f":1,"v":{},"t":"0.0","w":[]}`)
	f.Add(`{"q":1, "c":"booking/7F3KQR22/note", "v":{"a": [1, 2]}, "t":"5.0", "w":[1,"b",2]}`)
	f.Add("{\"q\":1,\"c\":\"booking/7F3KQR22/note\",\"v\":\"\xff\",\"t\":\"5.0\",\"w\":[1,\"b\",2],\"y\":\"\xc3\"}")
	f.Fuzz(func(t *testing.T, text string) {
		var ops [][]byte
		for line := range strings.SplitSeq(text, "\n") {
			line = strings.Trim(line, " \t\r")
			if json.Valid([]byte(line)) && len(ops) < wire.MaxOps {
				ops = append(ops, []byte(line))
			}
		}
		if len(ops) == 0 {
			return
		}
		g := newGate(t, ref, codec)
		bad, good := g.enrol("bad"), g.enrol("good")
		first := ""
		for counter := range uint64(3) {
			if counter == 2 {
				slices.Reverse(ops)
			}
			body := byHand(t, wire.SignSegment(bad, ops))
			rec := g.asks("/v1/sync", body, map[string]string{wire.SignatureHeader: wire.SignRequest(bad, counter+1, "/v1/sync", body)})
			if rec.Code != http.StatusOK {
				t.Fatalf("status %d: %s\n%s", rec.Code, rec.Body, body)
			}
			a, err := wire.DecodeAnswer(rec.Body.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			n := uint64(0)
			for _, v := range a.Verdicts {
				n += max(v.N, 1)
			}
			if n != uint64(len(ops)) {
				t.Fatalf("%d verdicts on %d ops", n, len(ops))
			}
			for _, e := range a.Entries {
				if !slices.ContainsFunc(ops, func(raw []byte) bool { return bytes.Equal(raw, e.Op) }) {
					t.Fatalf("an op arrives in other bytes than were signed: %q", e.Op)
				}
			}
			if counter == 0 {
				first = taken(t, g)
			} else if again := taken(t, g); again != first {
				t.Fatalf("what was sent again has changed the log:\n%s\nand before\n%s", again, first)
			}
		}
		g.goesOn(good, 1)
	})
}

// byHand writes a request around a segment without touching its ops: who is no
// program of ours may leave white space in them.
func byHand(t *testing.T, s wire.Segment) []byte {
	t.Helper()
	sig, err := json.Marshal(s.Sig)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"v":1,"o":"covasna","w":[1,"b",2],"s":[{"d":"%s","sig":%s,"ops":[`, s.Device, sig)
	for i, raw := range s.Ops {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(raw)
	}
	b.WriteString(`]}]}`)
	return b.Bytes()
}

// taken is what the office's log holds, by position.
func taken(t *testing.T, g gate) string {
	t.Helper()
	lines, err := g.hub.History(t.Context(), "covasna", 0)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, l := range lines {
		if l.Verdict == hub.Accepted {
			e := json.NewEncoder(&b)
			if err := e.Encode(l); err != nil {
				t.Fatal(err)
			}
		}
	}
	return b.String()
}

// FuzzEnroll posts whatever it likes where a stranger may.
func FuzzEnroll(f *testing.F) {
	ref, codec := fuzzParts(f)
	for _, name := range []string{"enroll.json", "request.json"} {
		b, err := os.ReadFile(filepath.Join("..", "sync", "wire", "testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(bytes.TrimSpace(b), "")
	}
	f.Fuzz(func(t *testing.T, body []byte, encoding string) {
		g := newGate(t, ref, codec)
		good := g.enrol("good")
		rec := g.asks("/v1/enroll", body, map[string]string{"Content-Encoding": encoding})
		if rec.Code == http.StatusOK {
			t.Fatalf("a stranger was enrolled: %s", rec.Body)
		}
		g.answered(rec)
		g.goesOn(good, 1)
		if devices, err := g.hub.Store.Devices(t.Context(), "covasna"); err != nil || len(devices) != 1 {
			t.Fatalf("the office has %d devices, %v", len(devices), err)
		}
	})
}

// A stranger's few kilobytes must not cost the hub a gigabyte.
func TestEnrollBomb(t *testing.T) {
	ref, err := spclep.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	codec, err := wire.NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	g := newGate(t, ref, codec)
	item := `{"q":1},`
	bomb, _ := codec.Pack([]byte(`{"v":1,"unsent":[` + strings.Repeat(item, (wire.MaxDecoded-50)/len(item)) + `{}]}`))
	before := heapTaken()
	rec := g.asks("/v1/enroll", bomb, map[string]string{"Content-Encoding": "zstd"})
	io.Copy(io.Discard, rec.Body)
	if took := heapTaken() - before; rec.Code == http.StatusOK || took > 3*wire.MaxDecoded {
		t.Errorf("%d bytes from a stranger took %d MB of memory, status %d", len(bomb), took>>20, rec.Code)
	}
}

// heapTaken is how many bytes the process has taken from the heap so far.
func heapTaken() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}
