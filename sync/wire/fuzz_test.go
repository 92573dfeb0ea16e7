package wire

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"

	"condica/sync/hlc"
)

// Whatever comes down the line, nothing panics, no more memory is taken than
// was said, and what was read can be written and read again.

// seedGolden adds a message as the golden files have it: a whole one to begin
// with.
func seedGolden(f *testing.F, name string) {
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.TrimSpace(b))
}

// allocated is how many bytes f takes from the heap in all, freed or not.
func allocated(f func()) uint64 {
	read := func() uint64 {
		s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	before := read()
	f()
	return read() - before
}

func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(`{"v":1,"o":"covasna","c":5,"w":[1,"b",2],"s":[{"d":"0011223344556677","ops":[{"q":1}],"sig":"AA=="}]}`))
	f.Add([]byte(`{"v":1,"c":-1}`))
	seedGolden(f, "request.json")
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeRequest(b)
		if err != nil {
			return
		}
		ops := 0
		for _, s := range r.Segments {
			ops += len(s.Ops)
			for _, raw := range s.Ops {
				DecodeOp(s.Device, raw)
			}
			if s.Verify(pcPub) == nil && s.Device != pcID {
				t.Fatalf("a segment of %s is taken for one of %s", s.Device, pcID)
			}
		}
		if ops > MaxSegments*MaxOps || r.Cursor < 0 || r.WaitMs < 0 || r.WaitMs > MaxWaitMs || r.Limit < 1 || r.Limit > MaxPull {
			t.Fatalf("out of bounds: %d ops, %+v", ops, r)
		}
		again, err := Encode(r)
		if err != nil {
			t.Fatalf("read but not writable: %v", err)
		}
		if _, err := DecodeRequest(again); err != nil {
			t.Fatalf("written but not readable: %v\n%s", err, again)
		}
	})
}

func FuzzDecodeAnswer(f *testing.F) {
	f.Add([]byte(`{"v":1,"e":"x","t":5,"have":3,"f":3,"ops":[{"p":4,"q":2},{"p":5,"d":"0011223344556677","o":{}}],"a":[{"q":1,"p":7}],"p":9}`))
	seedGolden(f, "answer.json")
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := DecodeAnswer(b)
		if err != nil {
			return
		}
		ops := uint64(0)
		for _, v := range a.Verdicts {
			ops += max(v.N, 1)
		}
		if ops > MaxVerdicts {
			t.Fatalf("verdicts on %d ops", ops)
		}
		for _, e := range a.Entries {
			DecodeOp(e.Device, e.Op)
		}
		again, err := Encode(a)
		if err != nil {
			t.Fatalf("read but not writable: %v", err)
		}
		if _, err := DecodeAnswer(again); err != nil {
			t.Fatalf("written but not readable: %v\n%s", err, again)
		}
	})
}

func FuzzDecodeOp(f *testing.F) {
	f.Add([]byte(`{"q":5,"a":4,"c":"booking/x/note","v":"<ș>","b":["0011223344556677:1"],"t":"5.0","w":[1,"b",2],"y":"x","r":"y"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := DecodeOp(pcID, b)
		if err != nil {
			return
		}
		raw, err := EncodeOp(o)
		if err != nil {
			t.Fatalf("read but not writable: %v", err)
		}
		back, err := DecodeOp(pcID, raw)
		if err != nil {
			t.Fatalf("written but not readable: %v\n%s", err, raw)
		}
		if back.ID != o.ID || back.Cell != o.Cell || back.Time != o.Time || back.Fact != o.Fact {
			t.Fatalf("%+v came back as %+v", o, back)
		}
	})
}

func FuzzParseToken(f *testing.F) {
	f.Add(Token{Hub: "https://hub.example.ro", Office: "covasna", Secret: "s", Expires: 5}.String())
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := ParseToken(s)
		if err != nil {
			return
		}
		if back, err := ParseToken(tok.String()); err != nil || back != tok {
			t.Fatalf("%+v came back as %+v, %v", tok, back, err)
		}
	})
}

// The number of a request, its path and its body are what is signed: any other
// of them does not fit.
func FuzzParseSigned(f *testing.F) {
	f.Add(SignRequest(pc, 9, "/v1/sync", nil), []byte(nil))
	f.Add(SignRequest(pc, 1<<62, "/v1/sync", []byte("{}")), []byte("{}"))
	f.Fuzz(func(t *testing.T, h string, body []byte) {
		s, err := ParseSigned(h)
		if err != nil {
			return
		}
		if !s.Verify(pcPub, "/v1/sync", body) {
			return
		}
		if want := SignRequest(pc, s.Counter, "/v1/sync", body); strings.Join(strings.Fields(h), " ") != want && !sameBits(t, h, want) {
			t.Fatalf("%q is taken for %q", h, want)
		}
		if s.Verify(pcPub, "/v1/enroll", body) || s.Verify(pcPub, "/v1/sync", append(slices.Clone(body), 0)) {
			t.Fatalf("%q fits another request too", h)
		}
	})
}

// sameBits: hexadecimal may be written in capitals, a number with zeros before
// it, and the last symbol of base64 has bits that say nothing.
func sameBits(t *testing.T, h, want string) bool {
	t.Helper()
	a, err1 := ParseSigned(h)
	b, err2 := ParseSigned(want)
	if err1 != nil || err2 != nil {
		t.Fatalf("%v, %v", err1, err2)
	}
	return a.Device == b.Device && a.Counter == b.Counter && bytes.Equal(a.sig, b.sig)
}

// The author's signature is over device, order and bytes of the ops: a segment
// that was changed anywhere, or cut up in another way, does not fit.
func FuzzSegment(f *testing.F) {
	f.Add([]byte(`{"q":1}|{"q":2}|{"q":3}`), uint(0), byte(1))
	f.Add([]byte(`{"q":1}`), uint(3), byte(255))
	f.Fuzz(func(t *testing.T, text []byte, at uint, change byte) {
		ops := bytes.Split(text, []byte("|"))
		good := SignSegment(pc, ops)
		if err := good.Verify(pcPub); err != nil {
			t.Fatal(err)
		}
		for story, s := range map[string]Segment{
			"a byte":       change1(good, at, change),
			"the cut":      {Device: good.Device, Ops: []json.RawMessage{bytes.Join(ops, nil)}, Sig: good.Sig},
			"one op less":  {Device: good.Device, Ops: good.Ops[1:], Sig: good.Sig},
			"an empty op":  {Device: good.Device, Ops: append([]json.RawMessage{{}}, good.Ops...), Sig: good.Sig},
			"the key":      SignSegment(ed25519.NewKeyFromSeed(bytes.Repeat([]byte{change}, 32)), ops),
			"no signature": {Device: good.Device, Ops: good.Ops},
		} {
			if s.Verify(pcPub) == nil && !equal(s, good) {
				t.Fatalf("%s was changed, and the signature still fits: %q", story, s.Ops)
			}
		}
	})
}

// change1 changes one byte of device, signature or ops.
func change1(s Segment, at uint, by byte) Segment {
	s.Sig, s.Ops = slices.Clone(s.Sig), slices.Clone(s.Ops)
	all := [][]byte{s.Device[:], s.Sig}
	for i, o := range s.Ops {
		s.Ops[i] = slices.Clone(o)
		all = append(all, s.Ops[i])
	}
	b := all[at%uint(len(all))]
	if len(b) > 0 {
		b[at/uint(len(all))%uint(len(b))] ^= by
	}
	return s
}

func equal(a, b Segment) bool {
	return a.Device == b.Device && bytes.Equal(a.Sig, b.Sig) && slices.EqualFunc(a.Ops, b.Ops, func(x, y json.RawMessage) bool { return bytes.Equal(x, y) })
}

// maxUnpack bounds what Unpack takes from the heap in all, freed on the way
// included: a frame without its length makes the decoder double what it holds
// again and again.
const maxUnpack = 24 * MaxDecoded

func FuzzUnpack(f *testing.F) {
	c, err := NewCodec()
	if err != nil {
		f.Fatal(err)
	}
	for _, b := range [][]byte{bytes.Repeat([]byte("condica"), 100), make([]byte, 1<<20), make([]byte, MaxDecoded+1)} {
		z, _ := c.Pack(b)
		f.Add(z)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var out []byte
		var err error
		taken := allocated(func() { out, err = c.Unpack(b) })
		if err == nil && len(out) > MaxDecoded {
			t.Fatalf("%d bytes out of %d", len(out), len(b))
		}
		if taken > maxUnpack {
			t.Fatalf("%d bytes of memory were taken for %d", taken, len(b))
		}
	})
}

// A few kilobytes that unpack to more than is allowed are refused, whole or in
// many frames, and take no more memory than is said.
func TestZstdBombs(t *testing.T) {
	c := must[*Codec](t)(NewCodec())
	pack := func(n int) []byte {
		z, _ := c.Pack(make([]byte, n))
		return z
	}
	for story, bomb := range map[string][]byte{
		"one byte too many":       pack(MaxDecoded + 1),
		"a quarter of a gigabyte": pack(256 << 20),
		"two frames":              append(pack(MaxDecoded/2), pack(MaxDecoded/2+1)...),
		"a hundred frames":        bytes.Repeat(pack(1<<20), 100),
		"of unknown length":       bytes.Repeat(block(0, 128<<10), 300),
		"a lie of its length":     lie(1<<62, block(1, 10)),
		"a lie within bounds":     lie(MaxDecoded, block(1, 10)),
		"a window of too much":    {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x01, 0x00, 0x00},
	} {
		if story == "of unknown length" {
			bomb = slices.Concat([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58}, bomb, block(1, 1))
		}
		if len(bomb) > MaxBody {
			t.Fatalf("%s: %d bytes would not have come in", story, len(bomb))
		}
		var err error
		taken := allocated(func() { _, err = c.Unpack(bomb) })
		if err == nil || taken > maxUnpack {
			t.Errorf("%s: %d bytes took %d bytes of memory, %v", story, len(bomb), taken, err)
		}
	}
	if out, err := c.Unpack(pack(MaxDecoded)); err != nil || len(out) != MaxDecoded {
		t.Errorf("what is allowed gives %d bytes, %v", len(out), err)
	}
}

// block is a zstd block of n equal bytes (RFC 8878, 3.1.1.2: RLE).
func block(last, n int) []byte {
	h := last | 1<<1 | n<<3
	return []byte{byte(h), byte(h >> 8), byte(h >> 16), 0}
}

// lie is a frame that says it has n bytes.
func lie(n uint64, blocks []byte) []byte {
	head := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0}
	for i := range 8 {
		head = append(head, byte(n>>(8*i)))
	}
	return append(head, blocks...)
}

// maxRead is how much memory a message within MaxDecoded may take in all: the
// bytes themselves a few times over, and its lists.
const maxRead = 8 * MaxDecoded

// Lists as long as a message can hold are refused before they are made: 3 KB on
// the line would otherwise take gigabytes.
func TestListBombs(t *testing.T) {
	long := func(before, item, after string) []byte {
		n := (MaxDecoded - len(before) - len(item) - len(after)) / (len(item) + 1)
		return []byte(before + strings.Repeat(item+",", n) + item + after)
	}
	requests := map[string][]byte{
		"segments":     long(`{"v":1,"s":[`, `{}`, `]}`),
		"ops":          long(`{"v":1,"s":[{"ops":[`, `1`, `]}]}`),
		"clock":        long(`{"v":1,"w":[1,"b",2,`, `1`, `]}`),
		"relayed ops":  long(`{"v":1,"rl":[`, `{}`, `]}`),
		"days":         long(`{"v":1,"dd":[`, `{}`, `]}`),
		"effective":    long(`{"v":1,"s":[{"e":[`, `"1.0"`, `]}]}`),
		"of lists":     long(`{"v":1,"s":[`, `{"ops":[1]}`, `]}`),
		"within a key": long(`{"v":1,"s":[{"ops":[1],`, `"ops":[1]`, `}]}`),
	}
	answers := map[string][]byte{
		"entries":  long(`{"v":1,"e":"x","t":1,"ops":[`, `{}`, `]}`),
		"verdicts": long(`{"v":1,"e":"x","t":1,"a":[`, `{}`, `]}`),
		"keys":     long(`{"v":1,"e":"x","t":1,"k":[`, `{}`, `]}`),
		"orders":   long(`{"v":1,"e":"x","t":1,"x":[`, `""`, `]}`),
		"mends":    long(`{"v":1,"e":"x","t":1,"md":{"d":[`, `1`, `]}}`),
	}
	check := func(story string, err error, taken uint64) {
		if taken > maxRead {
			t.Fatalf("%s: %d MB of memory were taken, at most %d are said (%.80v)", story, taken>>20, maxRead>>20, err)
		}
	}
	for story, b := range requests {
		var err error
		taken := allocated(func() { _, err = DecodeRequest(b) })
		check("request, "+story, err, taken)
	}
	for story, b := range answers {
		var err error
		taken := allocated(func() { _, err = DecodeAnswer(b) })
		check("answer, "+story, err, taken)
	}
}

// The largest messages there are, and texts full of what lists are made of,
// still pass.
func TestLargestMessages(t *testing.T) {
	full := Request{V: Version, Office: "covasna"}
	note := must[[]byte](t)(Encode(strings.Repeat(`[{,"`, 200)))
	raw := []byte(`{"q":1,"c":"booking/7F3KQRST/note","v":` + string(note) + `,"t":"5.0","w":[1,"b",2]}`)
	for range MaxSegments {
		s := Segment{Device: hlc.Device{1}, Sig: []byte{1}}
		for range MaxOps {
			s.Ops = append(s.Ops, raw)
		}
		full.Segments = append(full.Segments, s)
	}
	b := must[[]byte](t)(Encode(full))
	if r, err := DecodeRequest(b); err != nil || len(r.Segments[MaxSegments-1].Ops) != MaxOps {
		t.Errorf("a request of %d bytes: %v", len(b), err)
	}
	a := Answer{V: Version, Epoch: "e", HubMs: 1, From: 7}
	for i := range MaxPull {
		a.Entries = append(a.Entries, Entry{Pos: 8 + int64(i), Device: hlc.Device{1}, Eff: 5, Op: raw})
	}
	for i := range MaxVerdicts {
		a.Verdicts = append(a.Verdicts, Verdict{Seq: uint64(i) + 1, Code: Refused, Say: "[{,"})
	}
	b = must[[]byte](t)(Encode(a))
	if got, err := DecodeAnswer(b); err != nil || len(got.Entries) != MaxPull {
		t.Errorf("an answer of %d bytes: %v", len(b), err)
	}
}
