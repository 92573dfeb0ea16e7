package link

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"condica/sync/peer"
	"condica/sync/wire"
)

// patience is how long a line may take to get through: a net below the stories,
// far beyond what they need on a busy machine.
const patience = 2 * time.Minute

// A cutter is a line that breaks after so many bytes: up to the hub, or down
// from it. It heals when told to.
type cutter struct {
	net.Listener
	to string

	mu       sync.Mutex
	up, down int64 // bytes let through on each connection; negative: all
}

func newCutter(t *testing.T, to string) *cutter {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l, to: u.Host, up: -1, down: -1}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { c.carry(conn) })
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return c
}

func (c *cutter) set(up, down int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.up, c.down = up, down
}

func (c *cutter) carry(pc net.Conn) {
	defer pc.Close()
	hub, err := net.Dial("tcp", c.to)
	if err != nil {
		return
	}
	defer hub.Close()
	c.mu.Lock()
	up, down := c.up, c.down
	c.mu.Unlock()
	ended := make(chan struct{}, 2)
	pass := func(to, from net.Conn, most int64) {
		if most < 0 {
			io.Copy(to, from)
		} else {
			io.CopyN(to, from, most)
		}
		ended <- struct{}{}
	}
	go pass(hub, pc, up)
	go pass(pc, hub, down)
	<-ended
	pc.Close()
	hub.Close()
	<-ended
}

// The line breaks at every fiftieth byte, on the way up and on the way down.
// Nothing is dropped; once it holds, the hub has each op once, the same bytes
// (the centre checks), though it may have had them before.
func TestCutAtEveryFiftiethByte(t *testing.T) {
	t.Parallel()
	const upBytes, downBytes = 1400, 500
	for at := int64(0); at < upBytes+downBytes; at += 50 {
		up, down := at, int64(-1)
		if at >= upBytes {
			up, down = -1, at-upBytes
		}
		hub, s := newCentre(t), newShelf(t, 5)
		line := newCutter(t, serve(t, hub).URL)
		line.set(up, down)
		l := office(t, "http://"+line.Addr().String(), "", toDate, s)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		err := l.ask(ctx, s)
		if err == nil && s.waiting() != 0 || err != nil && s.waiting() != 5 {
			t.Fatalf("up %d down %d: %v, %d wait", up, down, err, s.waiting())
		}
		line.set(-1, -1)
		l.client.http.HTTPClient.CloseIdleConnections()
		if err := l.ask(ctx, s); err != nil || s.waiting() != 0 || hub.held() != 5 {
			t.Fatalf("up %d down %d, healed: %v, %d wait, the hub holds %d", up, down, err, s.waiting(), hub.held())
		}
		cancel()
	}
}

// The whole link, from switching on: portal, cut, refusal to serve; clerks go on
// writing; everything arrives, and the calm line tells what it met.
func TestRunThroughAStorm(t *testing.T) {
	t.Parallel()
	hub, s := newCentre(t), newShelf(t, 3)
	s.anchored = false
	hub.forecast(page(200), says(503, `{"code":"busy","say":"mai târziu"}`, "Retry-After", "1"))
	l := office(t, serve(t, hub).URL, "", toDate, s)
	arrived := make(chan struct{}, 100)
	l.cfg.Answered = func(wire.Answer) { arrived <- struct{}{} }
	if st := l.Status(); st.Reached || st.Say == "" {
		t.Errorf("before the start: %+v", st)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); l.Run(ctx) }()
	for range 20 {
		s.add()
		l.Ring()
	}
	timeout := time.After(patience)
	for s.waiting() > 0 {
		select {
		case <-arrived:
		case <-ended:
			t.Fatal("the link ended")
		case <-timeout:
			t.Fatalf("%d ops still wait; %+v", s.waiting(), l.Status())
		}
	}
	if st := l.Status(); !st.Reached || hub.held() != 23 {
		t.Errorf("%+v, the hub holds %d", st, hub.held())
	}
	cancel()
	<-ended
}

// A torn is a replica that cannot be read for a moment, as on a busy disk.
type torn struct {
	*shelf
	bad atomic.Int32 // times it still fails
}

func (s *torn) Unsent(ctx context.Context) (int, bool, error) {
	if s.bad.Add(-1) >= 0 {
		return 0, false, errors.New("disk I/O error")
	}
	return s.shelf.Unsent(ctx)
}

// The replica fails under a clerk's click, and again when the line begins
// anew: the line goes on by itself, and the edit arrives.
func TestLineOutlivesATornReplica(t *testing.T) {
	t.Parallel()
	hub, s := newCentre(t), newShelf(t, 1)
	l := office(t, serve(t, hub).URL, "", toDate, s)
	bad := &torn{shelf: s}
	l.replica, l.pause = bad, 50*time.Millisecond
	arrived := make(chan struct{}, 100)
	l.cfg.Answered = func(wire.Answer) { arrived <- struct{}{} }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); l.Run(ctx) }()
	<-arrived
	bad.bad.Store(3)
	s.add()
	l.Ring()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	local := false // the calm line names the PC, not the hub
	timeout := time.After(patience)
	for s.waiting() > 0 {
		select {
		case <-arrived:
		case <-ended:
			t.Fatal("the link ended")
		case <-timeout:
			t.Fatalf("the edit still waits; %+v", l.Status())
		case <-look.C:
			local = local || l.Status().Kind == Local
		}
	}
	if !local {
		t.Error("the status never told that the replica could not be read")
	}
	cancel()
	<-ended
}

// A PC that was turned away says so until the hub takes it again.
func TestStatusKinds(t *testing.T) {
	hub, s := newCentre(t), newShelf(t, 1)
	l := office(t, serve(t, hub).URL, "", toDate, s)
	m := peer.New(1)
	m.Step(0, peer.Start{Anchored: true, Unsent: 1})
	for _, c := range []struct {
		weather http.HandlerFunc
		want    Status
	}{
		{page(200), Status{Kind: Captive}},
		{page(503), Status{Kind: Captive}},
		{says(403, `{"code":"revoked","say":"retras"}`), Status{Kind: Turned, Turned: true}},
		{says(429, `{}`), Status{Kind: Busy}},
		{nil, Status{Reached: true}},
	} {
		if c.weather != nil {
			hub.forecast(c.weather)
		}
		before := l.Status()
		m.Step(reading().Up, l.heard(t.Context(), m, l.exchange(t.Context(), peer.Send{Lane: peer.Main, Ops: true}, l.tuning)))
		got := l.Status()
		if got.Reached != c.want.Reached || got.Kind != c.want.Kind || got.Turned != c.want.Turned || got.Reached == (got.Say != "") {
			t.Errorf("got %+v, want %+v", got, c.want)
		}
		if !got.Reached && l.tuning.bytes >= maxOutbox {
			t.Errorf("after a failure it still carries %d bytes", l.tuning.bytes)
		}
		if before.Kind == got.Kind && before.Reached == got.Reached && before.SinceMs != got.SinceMs {
			t.Errorf("the same failure began anew at %d, was %d", got.SinceMs, before.SinceMs)
		}
	}
	if s.waiting() != 0 {
		t.Errorf("%d wait", s.waiting())
	}
	// A line that fails carries less each time, never nothing.
	for range 20 {
		l.tuning.slower()
	}
	if l.tuning.bytes < 1000 || l.tuning.entries < 1 {
		t.Errorf("tuned down to %+v", l.tuning)
	}
}
