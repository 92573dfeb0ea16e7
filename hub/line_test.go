package hub_test

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"condica/hub"
	"condica/hub/store/memory"
	"condica/spclep"
	"condica/sync/hlc"
	"condica/sync/wire"
)

// Who may speak: each stranger is turned away with a word for the machine and
// a sentence for the person, and leaves nothing behind.
func TestTurnedAway(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	far := tw.enrol("far", "botosani")
	p.writes("BKNG2345", spclep.FieldNote, false, "x")
	body := mustJSON(t, p.request(p.log...))
	good := wire.SignRequest(p.key, 1, "/v1/sync", body)
	forged := p.request(p.log...)
	forged.Segments[0].Ops[0] = bytes.Replace(forged.Segments[0].Ops[0], []byte(`"x"`), []byte(`"y"`), 1)
	foreign := p.request()
	foreign.Segments = []wire.Segment{wire.SignSegment(far.key, p.log)}
	for name, c := range map[string]struct {
		body   []byte
		header string
		status int
		code   string
	}{
		"no signature":         {body, "", 401, "signature"},
		"half a signature":     {body, good[:30], 401, "signature"},
		"a changed body":       {append(bytes.Clone(body), ' '), good, 401, "signature"},
		"another path":         {body, wire.SignRequest(p.key, 1, "/v1/enroll", body), 401, "signature"},
		"another's signature":  {body, strings.Replace(wire.SignRequest(far.key, 1, "/v1/sync", body), far.device().String(), p.device().String(), 1), 401, "signature"},
		"a stranger":           {body, wire.SignRequest(keyOf("stranger"), 1, "/v1/sync", body), 401, "unknown-device"},
		"not JSON":             {[]byte("<html>"), wire.SignRequest(p.key, 1, "/v1/sync", []byte("<html>")), 400, "request"},
		"a far version":        {[]byte(`{"v":9}`), wire.SignRequest(p.key, 1, "/v1/sync", []byte(`{"v":9}`)), 400, "request"},
		"a forged segment":     sign(t, p, forged, 400, "segment"),
		"another office's log": sign(t, p, foreign, 400, "segment"),
		"counter zero":         {body, wire.SignRequest(p.key, 0, "/v1/sync", body), 409, "counter"},
	} {
		t.Run(name, func(t *testing.T) {
			var got wire.Problem
			status := p.post("/v1/sync", c.body, map[string]string{wire.SignatureHeader: c.header}, &got)
			if status != c.status || got.Code != c.code || got.Say == "" {
				t.Errorf("answered %d %+v, want %d %s", status, got, c.status, c.code)
			}
		})
	}
	if heads, err := tw.store.Heads(t.Context()); err != nil || len(heads) != 0 {
		t.Errorf("strangers left edits: %v, %v", heads, err)
	}
	// The office is the device's, whatever the body says.
	r := p.request(p.log...)
	r.Office = "botosani"
	if a := p.send(r); a.Head != 1 {
		t.Errorf("answered %+v", a)
	}
	if a := far.sync(); a.Head != 0 {
		t.Error("an edit went into another office")
	}
}

type attempt = struct {
	body   []byte
	header string
	status int
	code   string
}

func sign(t *testing.T, p *pc, r wire.Request, status int, code string) attempt {
	b := mustJSON(t, r)
	return attempt{b, wire.SignRequest(p.key, 1, "/v1/sync", b), status, code}
}

// A recorded request that comes again is refused; a PC restored from a backup
// is told where to go on counting.
func TestReplay(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	body := mustJSON(t, p.request())
	if status, _, _ := p.raw(body, 900); status != 200 {
		t.Fatalf("status %d", status)
	}
	status, header, _ := p.raw(body, 900)
	last, err := strconv.ParseUint(header.Get("Condica-Counter"), 10, 64)
	if status != 409 || err != nil || last != 900 {
		t.Fatalf("the replay was answered %d with counter %d, %v", status, last, err)
	}
	if status, _, _ := p.raw(body, 3); status != 409 {
		t.Errorf("an old number: %d", status)
	}
	if status, _, _ := p.raw(body, last+1); status != 200 {
		t.Errorf("the number after it: %d", status)
	}
}

// A revoked PC is turned away at once, also while it waits for news, and its
// edits may not come by other hands either.
func TestRevoked(t *testing.T) {
	tw := newTown(t)
	p, other := tw.enrol("one", "covasna"), tw.enrol("two", "covasna")
	p.sync()
	waiting := p.polls(hold)
	tw.untilWaiting(1)
	if err := tw.hub.Revoke(t.Context(), p.device()); err != nil {
		t.Fatal(err)
	}
	if _, tr := waiting(); tr == nil || tr.status != 403 || tr.Code != "revoked" {
		t.Errorf("the waiting PC was answered %+v", tr)
	}
	if _, tr := p.try(p.request()); tr == nil || tr.status != 403 || tr.Code != "revoked" {
		t.Errorf("the revoked PC was answered %+v", tr)
	}
	p.writes("BKNG2345", spclep.FieldNote, false, "x")
	r := other.request()
	r.Segments = []wire.Segment{wire.SignSegment(p.key, p.log)}
	if _, tr := other.try(r); tr == nil || tr.status != 400 || tr.Code != "segment" {
		t.Errorf("by other hands: %+v", tr)
	}
	if err := tw.hub.Revoke(t.Context(), hlc.Device{9}); err == nil {
		t.Error("an unknown device was revoked")
	}
}

// Bodies that are too large, now or when unpacked, are refused as such; ones
// that cannot be unpacked are refused too.
func TestTooLarge(t *testing.T) {
	tw := townInMemory(t)
	p := tw.enrol("one", "covasna")
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		body     []byte
		encoding string
		status   int
	}{
		"10 MB":           {make([]byte, 10<<20), "", 413},
		"one byte over":   {make([]byte, wire.MaxBody+1), "", 413},
		"just allowed":    {make([]byte, wire.MaxBody), "", 400}, // zeros are no JSON
		"a bomb":          {z.EncodeAll(make([]byte, 64<<20), nil), "zstd", 413},
		"not zstd":        {[]byte("plain"), "zstd", 400},
		"half a frame":    {z.EncodeAll(bytes.Repeat([]byte("abc"), 5000), nil)[:20], "zstd", 400},
		"another packing": {[]byte("x"), "gzip", 415},
	} {
		t.Run(name, func(t *testing.T) {
			p.counter++
			var got wire.Problem
			status := p.post("/v1/sync", c.body, map[string]string{
				wire.SignatureHeader: wire.SignRequest(p.key, p.counter, "/v1/sync", c.body), "Content-Encoding": c.encoding,
			}, &got)
			if status != c.status || got.Say == "" {
				t.Errorf("answered %d %+v, want %d", status, got, c.status)
			}
		})
	}
}

// A hub with all places taken sends away before any work, with a time to come
// back; what it is doing it finishes.
func TestBusy(t *testing.T) {
	tw := townOn(t, memory.New(), hub.Config{AtWork: 1, Waiting: 1})
	one, two := tw.enrol("one", "covasna"), tw.enrol("two", "covasna")
	one.sync()
	waiting := one.polls(hold)
	tw.untilWaiting(1)
	r := two.request()
	r.WaitMs = hold
	_, tr := two.try(r)
	if tr == nil || tr.status != 503 || tr.Code != "busy" {
		t.Fatalf("one more who would wait: %+v", tr)
	}
	if n, err := strconv.Atoi(tr.header.Get("Retry-After")); err != nil || n < 1 || n > 30 {
		t.Errorf("Retry-After: %q", tr.header.Get("Retry-After"))
	}
	if a, tr := two.try(two.request()); tr != nil || a.Head != 0 {
		t.Errorf("one who does not wait: %+v", tr)
	}
	tw.book("covasna", 0)
	if a, tr := waiting(); tr != nil || len(a.Entries) != 1 {
		t.Errorf("the one who waited: %+v, %+v", a, tr)
	}
}

// Many edits come in several answers without a gap, packed where that helps;
// an empty answer stays small.
func TestManyAnswers(t *testing.T) {
	tw := newTown(t)
	one, two := tw.enrol("one", "covasna"), tw.enrol("two", "covasna")
	for range 700 {
		one.writes("BKNG2345", spclep.FieldNote, false, strings.Repeat("notă ", 20))
	}
	r := one.request()
	r.Segments = []wire.Segment{wire.SignSegment(one.key, one.log[:500]), wire.SignSegment(one.key, one.log[500:])}
	one.send(r)
	codec, err := wire.NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	two.zstd = codec
	answers := 0
	for {
		r := two.request()
		r.Limit = 300
		a := two.send(r)
		answers++
		if len(a.Entries) > 300 || a.Head != 700 {
			t.Fatalf("%d entries in one answer, head %d", len(a.Entries), a.Head)
		}
		if a.Cursor == a.Head {
			break
		}
	}
	if answers != 3 || len(two.held) != 700 {
		t.Errorf("%d answers with %d edits", answers, len(two.held))
	}
	two.counter++
	status, header, body := two.raw(mustJSON(t, two.request()), two.counter)
	size := len(body)
	for k, v := range header {
		size += len(k) + len(v[0]) + 4
	}
	if status != 200 || size > 400 {
		t.Errorf("an answer without news takes %d bytes: %v %s", size, header, body)
	}
}

// Nothing lives at other addresses, and health tells of the store.
func TestOtherAddresses(t *testing.T) {
	tw := newTown(t)
	p := &pc{town: tw}
	var got wire.Problem
	if status := p.post("/wp-login.php", nil, nil, &got); status != 404 || got.Say == "" {
		t.Errorf("a passer-by: %d %+v", status, got)
	}
	get := func() int {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, tw.url+"/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		status, _, _ := p.do(req)
		return status
	}
	if s := get(); s != 200 {
		t.Errorf("health: %d", s)
	}
	tw.store.Close()
	if s := get(); s != 503 {
		t.Errorf("health without a store: %d", s)
	}
}
