package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"condica/sync/hlc"
	"condica/sync/op"
)

// An op is read as it was written, and the bytes that were signed are the bytes
// that arrive, through request and answer alike.
func TestOpRoundTrip(t *testing.T) {
	all, raw := ops(t)
	for i, o := range all {
		got := must[op.Op](t)(DecodeOp(pcID, raw[i]))
		if o.Signed = raw[i]; !reflect.DeepEqual(got, o) {
			t.Errorf("got %+v\nwant %+v", got, o)
		}
	}
	r := must[Request](t)(DecodeRequest(must[[]byte](t)(Encode(request(t)))))
	a := must[Answer](t)(DecodeAnswer(must[[]byte](t)(Encode(answer(t)))))
	if !bytes.Equal(r.Segments[0].Ops[1], raw[1]) || !bytes.Equal(a.Entries[1].Op, raw[1]) {
		t.Errorf("signed    %s\nat the hub %s\nat the PC  %s", raw[1], r.Segments[0].Ops[1], a.Entries[1].Op)
	}
}

// A newer program's op has fields this one does not know: they travel on.
func TestUnknownFieldsAreCarried(t *testing.T) {
	raw := []byte(`{"q":5,"c":"booking/7F3KQRST/arrived","f":1,"t":"1795262400000.0","w":[1,"b",2],"zz":{"new":[1,"<ș>"]},"y":"x"}`)
	o := must[op.Op](t)(DecodeOp(pcID, raw))
	if !bytes.Equal(o.Signed, raw) {
		t.Fatalf("kept %s", o.Signed)
	}
	s := SignSegment(pc, [][]byte{raw})
	r := must[Request](t)(DecodeRequest(must[[]byte](t)(Encode(Request{V: Version + 2, Segments: []Segment{s}}))))
	if err := r.Segments[0].Verify(pcPub); err != nil {
		t.Error(err)
	}
	for _, body := range []string{
		`{"v":3,"o":"covasna","c":0,"w":[1,"b",2],"new":{"a":1}}`, `{"v":1,"w":[1,"b",2,"a newer clock says more"]}`,
	} {
		if _, err := DecodeRequest([]byte(body)); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// No byte can move from one op to the next, nor from one device to another.
func TestSegmentSignature(t *testing.T) {
	_, raw := ops(t)
	good := SignSegment(pc, raw)
	if err := good.Verify(pcPub); err != nil {
		t.Fatal(err)
	}
	forged := map[string]Segment{}
	s := good
	s.Ops = []json.RawMessage{good.Ops[1], good.Ops[0]}
	forged["the order changed"] = s
	s.Ops = good.Ops[:1]
	forged["an op left out"] = s
	s.Ops = []json.RawMessage{append(append(json.RawMessage{}, good.Ops[0]...), good.Ops[1]...)}
	forged["two ops glued together"] = s
	s.Ops = []json.RawMessage{good.Ops[0], bytes.Replace(good.Ops[1], []byte("42"), []byte("43"), 1)}
	forged["another number"] = s
	s = good
	s.Device = hlc.Device{1}
	forged["another device"] = s
	s = good
	s.Sig = nil
	forged["no signature"] = s
	for story, s := range forged {
		if s.Verify(pcPub) == nil {
			t.Errorf("%s, and the signature still fits", story)
		}
	}
	if good.Verify(nil) == nil {
		t.Error("an empty key verified a segment")
	}
}

func TestRequestSignature(t *testing.T) {
	body := []byte(`{"v":1}`)
	s := must[Signed](t)(ParseSigned(SignRequest(pc, 9, "/v1/sync", body)))
	if s.Verify(pcPub, "/v1/enroll", body) || s.Verify(pcPub, "/v1/sync", []byte(`{"v":2}`)) || s.Verify(nil, "/v1/sync", body) {
		t.Error("a signature fits another path, body or key")
	}
	other := s
	other.Counter++
	if other.Verify(pcPub, "/v1/sync", body) {
		t.Error("a signature fits another counter")
	}
	for _, h := range []string{"", "a b", "a b c", pcID.String() + " 9 !!", pcID.String() + " -1 AA", pcID.String() + " 1 AA x", pcID.String() + " 99999999999999999999 AA"} {
		if s, err := ParseSigned(h); err == nil {
			t.Errorf("%q was read as %+v", h, s)
		}
	}
}

// What DecodeOp refuses, EncodeOp refuses too: an edit that only its author's
// PC can hold would be acknowledged and then never leave.
func TestEncodeRefusesWhatCannotBeRead(t *testing.T) {
	cell := op.Cell{Kind: "booking", Entity: "7F3KQRST", Field: "note"}
	for story, o := range map[string]op.Op{
		"no number":         {Cell: cell},
		"a long reason":     {ID: op.ID{Seq: 1}, Cell: cell, Why: strings.Repeat("a", MaxTextBytes+1)},
		"a long clerk":      {ID: op.ID{Seq: 1}, Cell: cell, By: strings.Repeat("a", MaxTextBytes+1)},
		"a slash in a cell": {ID: op.ID{Seq: 1}, Cell: op.Cell{Kind: "booking", Entity: "x", Field: "answer.da/nu"}},
		"an empty field":    {ID: op.ID{Seq: 1}, Cell: op.Cell{Kind: "booking", Entity: "x"}},
		"too many bases":    {ID: op.ID{Seq: 1}, Cell: cell, Base: make([]op.ID, MaxBases+1)},
		"a base of nothing": {ID: op.ID{Seq: 1}, Cell: cell, Base: make([]op.ID, 1)},
		"a value of 1 MB":   {ID: op.ID{Seq: 1}, Cell: cell, Value: []byte(`"` + strings.Repeat("a", 1<<20) + `"`)},
		"a value not JSON":  {ID: op.ID{Seq: 1}, Cell: cell, Value: []byte(`{"a":`)},
		"a later action":    {ID: op.ID{Seq: 1}, Action: 2, Cell: cell},
	} {
		if o.Action == 0 {
			o.Action = o.ID.Seq
		}
		if b, err := EncodeOp(o); err == nil {
			t.Errorf("%s was written as %.80s", story, b)
		}
	}
}

func TestDecodeBounds(t *testing.T) {
	many := strings.TrimSuffix(strings.Repeat(`{"d":"0000000000000000","ops":[1],"sig":""},`, MaxSegments+1), ",")
	for story, body := range map[string]string{
		"empty": ``, "not JSON": `<html>`, "an old version": `{"v":-2}`, "a new one": `{"v":4}`, "a negative cursor": `{"v":1,"c":-1}`,
		"too many segments": `{"v":1,"s":[` + many + `]}`, "an empty segment": `{"v":1,"s":[{"d":"0000000000000000"}]}`,
		"a clock that is none": `{"v":1,"w":"noon"}`, "two requests": `{"v":1}{"v":1}`,
	} {
		if r, err := DecodeRequest([]byte(body)); err == nil {
			t.Errorf("%s was read as %+v", story, r)
		}
	}
	for story, body := range map[string]string{
		"not JSON": `<html>`, "a captive portal's JSON": `{"status":"login"}`, "no epoch": `{"v":1,"t":5}`, "no time": `{"v":1,"e":"x"}`,
		"a gap":                   `{"v":1,"e":"x","t":5,"f":3,"ops":[{"p":4},{"p":6}]}`,
		"entries out of order":    `{"v":1,"e":"x","t":5,"f":3,"ops":[{"p":5},{"p":4}]}`,
		"an entry twice":          `{"v":1,"e":"x","t":5,"f":3,"ops":[{"p":4},{"p":4}]}`,
		"a verdict on a universe": `{"v":1,"e":"x","t":5,"a":[{"q":1,"n":18446744073709551615,"p":1}]}`,
		"a verdict on nothing":    `{"v":1,"e":"x","t":5,"a":[{"q":0,"p":1}]}`,
		"a verdict of no word":    `{"v":1,"e":"x","t":5,"a":[{"q":1}]}`,
		"entries before the log":  `{"v":1,"e":"x","t":5,"f":-3,"ops":[{"p":-2}]}`,
	} {
		if a, err := DecodeAnswer([]byte(body)); err == nil {
			t.Errorf("%s was read as %+v", story, a)
		}
	}
}

func TestCodec(t *testing.T) {
	c := must[*Codec](t)(NewCodec())
	if out, packed := c.Pack([]byte("short")); packed || string(out) != "short" {
		t.Error("a short body was packed")
	}
	body := []byte(strings.Repeat(`{"n":"Șerban"},`, 500))
	z, packed := c.Pack(body)
	if !packed || len(z) > len(body)/10 {
		t.Errorf("%d bytes became %d", len(body), len(z))
	}
	if back := must[[]byte](t)(c.Unpack(z)); !bytes.Equal(back, body) {
		t.Error("unpacked is not what was packed")
	}
	for i := range z {
		if back, err := c.Unpack(z[:i]); err == nil && i > 0 && bytes.Equal(back, body) {
			t.Errorf("a body cut at %d was unpacked whole", i)
		}
	}
	most := make([]byte, MaxDecoded)
	if back, err := c.Unpack(c.enc.EncodeAll(most, nil)); err != nil || len(back) != MaxDecoded {
		t.Errorf("a body of exactly the limit: %d, %v", len(back), err)
	}
	if back, err := c.Unpack(c.enc.EncodeAll(append(most, 0), nil)); err == nil {
		t.Errorf("a bomb gave %d bytes", len(back))
	}
}

func TestTokenRefuses(t *testing.T) {
	for _, s := range []string{
		"", "parola", "condica-token-1.", "condica-token-1.!!!", "condica-token-2.e30",
		Token{Office: "covasna", Secret: "s"}.String(), Token{Hub: "ftp://hub", Office: "covasna", Secret: "s"}.String(),
		Token{Hub: "https://hub", Office: "covasna"}.String(), Token{Hub: "https://hub", Secret: "s"}.String(), Token{Hub: "hub:8443", Office: "c", Secret: "s"}.String(),
	} {
		if tok, err := ParseToken(s); err == nil {
			t.Errorf("%q was read as %+v", s, tok)
		}
	}
	whole := Token{Hub: "https://hub.example.ro", Office: "covasna", Secret: "s", Expires: 5}.String()
	for i := range whole {
		if tok, err := ParseToken(whole[:i]); err == nil {
			t.Errorf("a token cut at %d was read as %+v", i, tok)
		}
	}
}

// Two PCs never get the same short name by chance within a fleet; this only
// holds the form.
func TestDeviceOf(t *testing.T) {
	if got := fmt.Sprint(DeviceOf(pcPub)); len(got) != 16 || got == "0000000000000000" {
		t.Errorf("device %s", got)
	}
}
