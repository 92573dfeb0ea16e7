package wire

import (
	"bytes"
	"testing"
)

// Whatever comes down the line, nothing panics, and what was read can be
// written and read again.

func FuzzDecodeRequest(f *testing.F) {
	f.Add([]byte(`{"v":1,"o":"covasna","c":5,"w":[1,"b",2],"s":[{"d":"0011223344556677","ops":[{"q":1}],"sig":"AA=="}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := DecodeRequest(b)
		if err != nil {
			return
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

func FuzzParseSigned(f *testing.F) {
	f.Add(SignRequest(pc, 9, "/v1/sync", nil))
	f.Fuzz(func(t *testing.T, h string) {
		if s, err := ParseSigned(h); err == nil {
			s.Verify(pcPub, "/v1/sync", nil)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	c, err := NewCodec()
	if err != nil {
		f.Fatal(err)
	}
	z, _ := c.Pack(bytes.Repeat([]byte("condica"), 100))
	f.Add(z)
	f.Fuzz(func(t *testing.T, b []byte) {
		if out, err := c.Unpack(b); err == nil && len(out) > MaxDecoded {
			t.Fatalf("%d bytes out of %d", len(out), len(b))
		}
	})
}
