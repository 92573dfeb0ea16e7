package link

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/peer"
	"condica/sync/wire"
)

var (
	pcKey  = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	pcID   = wire.DeviceOf(pcKey.Public().(ed25519.PublicKey))
	began  = time.Now()
	toDate = func() []time.Time { return []time.Time{time.Now()} }
)

func reading() hlc.Reading {
	return hlc.Reading{Wall: time.Now().UnixMilli(), Boot: "b1", Up: time.Since(began).Milliseconds() + 1}
}

// A shelf is the replica as the link sees it: ops with or without an answer.
type shelf struct {
	mu        sync.Mutex
	t         *testing.T
	ops       [][]byte
	answered  map[uint64]wire.Verdict
	anchored  bool
	cursor    int64
	counter   uint64
	saves     int
	scrubs    int
	scrubbing func() // while it is looked through
	first     uint64 // what Complete adds to a request
	clash     bool   // another machine writes under this PC's name
	rekey     bool   // and an answer has shown it
}

func newShelf(t *testing.T, n int) *shelf {
	s := &shelf{t: t, answered: map[uint64]wire.Verdict{}, anchored: true}
	for range n {
		s.add()
	}
	return s
}

func (s *shelf) add() {
	s.mu.Lock()
	defer s.mu.Unlock()
	seq := uint64(len(s.ops)) + 1
	raw, err := wire.EncodeOp(op.Op{ID: op.ID{Device: pcID, Seq: seq}, Action: seq, Cell: op.Cell{Kind: "booking", Entity: "7F3KQRST", Field: "note"}, Value: []byte(`"Ștefan & <fiii>"`), Time: hlc.At(int64(seq))})
	if err != nil {
		s.t.Error(err)
	}
	s.ops = append(s.ops, raw)
}

func (s *shelf) Where(context.Context) (wire.Request, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return wire.Request{V: wire.Version, Office: "covasna", Epoch: "e1", Cursor: s.cursor, Own: uint64(len(s.answered))}, nil
}

func (s *shelf) Outbox(_ context.Context, most, maxBytes int) (out [][]byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, raw := range s.ops {
		if _, done := s.answered[uint64(i)+1]; done || len(out) == most || maxBytes < len(raw) {
			continue
		}
		maxBytes -= len(raw)
		out = append(out, raw)
	}
	return out, nil
}

func (s *shelf) Save(_ context.Context, a wire.Answer, _, _ hlc.Reading, _ bool) (peer.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range a.Verdicts {
		for i := range max(v.N, 1) {
			s.answered[v.Seq+i] = v
		}
	}
	s.saves, s.anchored, s.cursor = s.saves+1, true, max(s.cursor, a.Cursor)
	return peer.Outcome{Unsent: len(s.ops) - len(s.answered), Anchored: true, More: s.cursor < a.Head, Rekey: s.rekey}, nil
}

func (s *shelf) Unsent(context.Context) (int, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.ops) - len(s.answered), s.anchored, nil
}

func (s *shelf) Counter(_ context.Context, atLeast uint64) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counter = max(s.counter, atLeast)
	return s.counter, nil
}

func (s *shelf) Tidy(context.Context) error { return nil }

func (s *shelf) Carry(ctx context.Context, most, maxBytes int) ([][]byte, int, int, error) {
	ops, err := s.Outbox(ctx, most, maxBytes)
	n, _, _ := s.Unsent(ctx)
	return ops, 0, n - len(ops), err
}

func (s *shelf) SaveCarried(ctx context.Context, a wire.Answer) (peer.Outcome, bool, error) {
	out, err := s.Save(ctx, a, hlc.Reading{}, reading(), true)
	return out, false, err
}

func (s *shelf) Keys(context.Context) ([]wire.QRKey, error) { return nil, nil }

func (s *shelf) Complete(_ context.Context, r *wire.Request, _ int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.First = s.first
	return nil
}

func (s *shelf) Clashed(context.Context) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clash, nil
}

func (s *shelf) Scrub(context.Context, int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scrubs++
	if s.scrubbing != nil {
		s.scrubbing()
	}
	return nil
}

// waiting: every op is on the shelf, answered or not; none was dropped.
func (s *shelf) waiting() int {
	n, _, _ := s.Unsent(context.Background())
	return n
}

// A centre is a hub behind weather: a bad spell answers in its place.
type centre struct {
	mu       sync.Mutex
	t        *testing.T
	codec    *wire.Codec
	weather  []http.HandlerFunc // used up one a request; then the sun shines
	log      map[uint64][]byte
	counters []uint64
	own      []uint64 // as said by each request with ops
	high     uint64   // request numbers up to here have been used
}

func newCentre(t *testing.T) *centre {
	codec, err := wire.NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	return &centre{t: t, codec: codec, log: map[uint64][]byte{}}
}

func (c *centre) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	signed, err := wire.ParseSigned(r.Header.Get(wire.SignatureHeader))
	body, readErr := io.ReadAll(r.Body)
	if err != nil || readErr != nil {
		http.Error(w, "unsigned or cut", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !signed.Verify(pcKey.Public().(ed25519.PublicKey), r.URL.Path, body) {
		c.t.Error("a request's signature does not fit")
	}
	c.counters = append(c.counters, signed.Counter)
	if len(c.weather) > 0 {
		bad := c.weather[0]
		c.weather = c.weather[1:]
		bad(w, r)
		return
	}
	if signed.Counter <= c.high {
		w.Header().Set("Condica-Counter", "500")
		problem(w, http.StatusConflict, "counter")
		return
	}
	if r.Header.Get("Content-Encoding") == "zstd" {
		if body, err = c.codec.Unpack(body); err != nil {
			c.t.Error(err)
		}
	}
	req, err := wire.DecodeRequest(body)
	if err != nil {
		c.t.Error(err)
	}
	c.answer(w, req)
}

func (c *centre) answer(w http.ResponseWriter, req wire.Request) {
	a := wire.Answer{V: wire.Version, Epoch: "e1", HubMs: time.Now().UnixMilli()}
	for _, s := range req.Segments {
		if err := s.Verify(pcKey.Public().(ed25519.PublicKey)); err != nil {
			c.t.Error(err)
		}
		c.own = append(c.own, req.Own)
		for _, raw := range s.Ops {
			o, err := wire.DecodeOp(s.Device, raw)
			if err != nil {
				c.t.Error(err)
			}
			if was, again := c.log[o.ID.Seq]; again && !bytes.Equal(was, raw) {
				c.t.Errorf("op %d came again with other bytes", o.ID.Seq)
			}
			c.log[o.ID.Seq] = raw
			a.Verdicts = append(a.Verdicts, wire.Verdict{Seq: o.ID.Seq, Pos: int64(len(c.log))})
		}
	}
	b, err := wire.Encode(a)
	if err != nil {
		c.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/json")
	if z, packed := c.codec.Pack(b); packed {
		w.Header().Set("Content-Encoding", "zstd")
		b = z
	}
	w.Write(b)
}

func problem(w http.ResponseWriter, status int, code string) {
	b, _ := wire.Encode(wire.Problem{Code: code, Say: "nu acum"})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b)
}

// forecast sets the weather of the next requests.
func (c *centre) forecast(bad ...http.HandlerFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.weather = bad
}

// numbers gives the request numbers so far.
func (c *centre) numbers() []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.counters)
}

func (c *centre) held() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.log)
}

// office makes a link to a server.
func office(t *testing.T, hub, pin string, times func() []time.Time, s *shelf) *Link {
	t.Helper()
	l, err := New(Config{Hub: hub, Pin: pin, Key: pcKey, Now: reading, Times: times, Seed: 1, Log: slog.New(slog.DiscardHandler)}, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.client.http.HTTPClient.CloseIdleConnections)
	return l
}

// ask makes one exchange with all that waits, and saves a good answer.
func (l *Link) ask(ctx context.Context, s *shelf) error {
	r := l.exchange(ctx, peer.Send{Lane: peer.Main, Ops: true}, l.tuning)
	if r.err != nil {
		return r.err
	}
	_, err := s.Save(ctx, r.answer, r.sent, r.received, true)
	return err
}

func serve(t *testing.T, h http.Handler) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}
