package bench

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"condica/spclep"
)

// The relay counts each request once and every byte of it, both ways.
func TestRelayCountsRight(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		conn, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		buf.WriteString(answer)
		buf.Flush()
	}))
	defer hub.Close()
	r := newRelay(t, hub.URL)
	var asked int64
	for n := range int64(3) {
		body := bytes.Repeat([]byte("x"), int(n)*100_000)
		req, err := http.NewRequest(http.MethodPost, r.url(), bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		var written bytes.Buffer
		if err := req.Clone(t.Context()).Write(&written); err != nil {
			t.Fatal(err)
		}
		asked += int64(written.Len()) + int64(len("Accept-Encoding: gzip\r\n")) // the transport's own
		req, _ = http.NewRequest(http.MethodPost, r.url(), bytes.NewReader(body))
		resp, err := (&http.Transport{DisableKeepAlives: false}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		want := traffic{Requests: n + 1, Bytes: asked + (n+1)*int64(len(answer))}
		until(t, "the last byte is counted", func() bool { return r.passed().Requests == n+1 })
		if got := r.passed(); got != want {
			t.Errorf("after %d requests: %+v, want %+v", n+1, got, want)
		}
	}
}

// What is measured is a whole sync: a clerk's action at one PC is at the other
// and on the hub, and all three hold the same bookings.
func TestBothPCsEndWithEqualData(t *testing.T) {
	tw := newTown(t, 150)
	h := tw.inside()
	one, _ := tw.filled(t, h)
	two, _ := tw.filled(t, h)
	before := one.relay.quiet(t, quietFor)
	id := tw.today()[0]
	one.checkIn(id)
	until(t, "the other PC shows it", func() bool { return two.state(id) == spclep.StateArrived })
	sent := one.relay.quiet(t, quietFor).since(before)
	if sent.Requests < 1 || sent.Bytes < 100 {
		t.Errorf("a change went up in %+v", sent)
	}
	if a, b := one.held(), two.held(); len(a) != len(tw.books) || !slices.Equal(a, b) {
		t.Errorf("the PCs hold %d and %d bookings of %d, and not the same", len(a), len(b), len(tw.books))
	}
}

// Without a line actions pile up, and all of them go when it is back.
func TestQueueGoesOut(t *testing.T) {
	tw := newTown(t, 60)
	h := tw.inside()
	p, _ := tw.filled(t, h)
	p.close()
	off := tw.openPC(t, p.dir, "http://127.0.0.1:1")
	for _, b := range tw.books[:10] {
		off.tick(b, "1")
	}
	if n := off.unsent(); n != 10 {
		t.Fatalf("%d actions are unsent, want 10", n)
	}
	off.close()
	on := tw.openPC(t, p.dir, "")
	until(t, "the outbox is empty", func() bool { return on.unsent() == 0 })
	until(t, "the log has them", func() bool { return on.cursor() == int64(len(tw.books)+10) })
}

// What comes first is the middle, not the mean; and of few values the worst is
// their 99th percentile.
func TestQuantiles(t *testing.T) {
	v := []float64{5, 1, 4, 2, 100}
	if got := median(v); got != 4 {
		t.Errorf("median %v, want 4", got)
	}
	if got := quantile(v, 0.99); got != 100 {
		t.Errorf("p99 %v, want 100", got)
	}
	if got := (series{2, 9}).over(series{1, 3}); !slices.Equal(got, series{2, 3}) {
		t.Errorf("ratios %v, want 2 and 3", got)
	}
}

// BenchmarkAction is a clerk's durable action, for the profiler.
func BenchmarkAction(b *testing.B) {
	tw := newTown(b, 2_000)
	p, _ := tw.filled(b, tw.inside())
	p.close()
	off := tw.openPC(b, p.dir, "http://127.0.0.1:1")
	i := 0
	for b.Loop() {
		off.tick(tw.books[i%len(tw.books)], string(rune('a'+i/len(tw.books))))
		i++
	}
}

// BenchmarkFill is the first fill of a PC, for the profiler: the hub runs in
// the same process, so that both ends show.
func BenchmarkFill(b *testing.B) {
	tw := newTown(b, 10_000)
	h := tw.inside()
	for b.Loop() {
		p, _ := tw.filled(b, h)
		p.close()
	}
	b.ReportMetric(float64(len(tw.books)*b.N)/b.Elapsed().Seconds(), "records/s")
}
