package link

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"

	"condica/sync/peer"
	"condica/sync/wire"
)

// FuzzRead is whatever may answer on a village line: the hub, a proxy, a log-in
// page. Only what the hub would say counts as an answer, within its limits; all
// else is a failure with a reason, after which the PC can go on asking.
func FuzzRead(f *testing.F) {
	codec, err := wire.NewCodec()
	if err != nil {
		f.Fatal(err)
	}
	bomb, _ := codec.Pack(make([]byte, wire.MaxDecoded+1))
	f.Add(200, "application/json", "", "", "", []byte(`{"v":1,"e":"x","t":5,"p":0}`))
	f.Add(200, "application/json; charset=utf-8", "zstd", "", "", bomb)
	f.Add(200, "text/html", "", "", "", []byte(`<html>`))
	f.Add(409, "application/json", "", "", "41", []byte(`{"code":"counter","say":"used"}`))
	f.Add(409, "application/json", "", "", "9223372036854775807", []byte(`{"code":"counter","say":"used"}`))
	f.Add(503, "application/json", "zstd", "99999999999", "-1", []byte(`{"code":"busy"}`))
	f.Add(413, "application/json", "gzip", "-5", "", []byte{0x28, 0xb5, 0x2f, 0xfd})
	f.Fuzz(func(t *testing.T, status int, kind, encoding, retry, counter string, body []byte) {
		c, err := newClient("https://hub.example.ro", "", pcKey, toDate)
		if err != nil {
			t.Fatal(err)
		}
		header := http.Header{}
		for name, value := range map[string]string{"Content-Type": kind, "Content-Encoding": encoding, "Retry-After": retry, "Condica-Counter": counter} {
			if value != "" {
				header.Set(name, value)
			}
		}
		got, err := c.read(&http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(body))})
		var e *Error
		switch {
		case err == nil && (status != http.StatusOK || len(got) > wire.MaxDecoded):
			t.Fatalf("status %d with %d bytes counts as an answer", status, len(got))
		case err != nil && (!errors.As(err, &e) || e.Kind == "" || e.RetryAfter < 0):
			t.Fatalf("the failure is %#v", err)
		case err == nil:
			wire.DecodeAnswer(got)
		}
		// The next request, and the block of numbers kept in reserve beyond it.
		for _, n := range []uint64{1, 10_000} {
			next := c.counter.Load() + n
			if s, err := wire.ParseSigned(wire.SignRequest(pcKey, next, "/v1/sync", nil)); err != nil || s.Counter != next {
				t.Fatalf("after it no request could be made any more: number %d: %v", next, err)
			}
		}
		if e != nil {
			m := peer.New(1)
			m.Step(1000, peer.Start{Unsent: 1, Anchored: true})
			for _, a := range m.Step(2000, peer.Failed{Lane: peer.Main, RetryAfter: e.RetryAfter.Milliseconds()}) {
				if w, ok := a.(peer.WakeAt); ok && (w.Ms < 2000 || w.Ms > 2000+24*3_600_000) {
					t.Fatalf("it is tried again %d ms later", w.Ms-2000)
				}
			}
		}
	})
}
