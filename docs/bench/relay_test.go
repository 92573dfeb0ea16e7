package bench

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A relay stands between one client and its server, passes every byte on as it
// is and counts: bytes both ways and, where the line is plain HTTP, requests.
type relay struct {
	listener net.Listener
	target   string
	plain    bool
	up, down atomic.Int64
	asked    atomic.Int64 // requests whose last byte has passed

	mu    sync.Mutex
	conns []net.Conn
}

// A traffic is what has passed a relay.
type traffic struct{ Requests, Bytes int64 }

func (t traffic) since(was traffic) traffic {
	return traffic{t.Requests - was.Requests, t.Bytes - was.Bytes}
}

// newRelay opens a relay to the server at an address such as
// http://127.0.0.1:1234; it is closed with the test.
func newRelay(tb testing.TB, server string) *relay {
	tb.Helper()
	u, err := url.Parse(server)
	if err != nil {
		tb.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	r := &relay{listener: l, target: u.Host, plain: u.Scheme == "http"}
	tb.Cleanup(r.close)
	go r.serve()
	return r
}

// url is the server's address by way of the relay.
func (r *relay) url() string {
	scheme := "https://"
	if r.plain {
		scheme = "http://"
	}
	return scheme + r.listener.Addr().String()
}

func (r *relay) passed() traffic {
	return traffic{r.asked.Load(), r.up.Load() + r.down.Load()}
}

// quiet waits until nothing has passed for a while and gives what has passed
// until then. It says when all that follows from a change is over.
func (r *relay) quiet(tb testing.TB, while time.Duration) traffic {
	tb.Helper()
	was, since := r.passed(), time.Now()
	for deadline := time.Now().Add(time.Minute); time.Since(since) < while; time.Sleep(5 * time.Millisecond) {
		if now := r.passed(); now != was {
			was, since = now, time.Now()
		}
		if time.Now().After(deadline) {
			tb.Fatal("the line never falls quiet")
		}
	}
	return was
}

func (r *relay) serve() {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", r.target)
		if err != nil {
			near.Close()
			continue
		}
		r.mu.Lock()
		r.conns = append(r.conns, near, far)
		r.mu.Unlock()
		go r.carry(near, far)
	}
}

func (r *relay) carry(near, far net.Conn) {
	var over io.Writer = io.Discard
	var heard *io.PipeWriter
	if r.plain {
		var ear *io.PipeReader
		ear, heard = io.Pipe()
		over = heard
		go r.listen(ear)
	}
	go func() {
		// Bytes are counted before they go on, so that whoever has an answer finds
		// all of it counted.
		io.Copy(io.MultiWriter(counter{&r.up}, over, far), near)
		far.(*net.TCPConn).CloseWrite()
		if heard != nil {
			heard.Close()
		}
	}()
	io.Copy(io.MultiWriter(counter{&r.down}, near), far)
	near.Close()
	far.Close()
}

// listen reads the requests out of one connection's bytes.
func (r *relay) listen(ear *io.PipeReader) {
	in := bufio.NewReader(ear)
	for {
		req, err := http.ReadRequest(in)
		if err != nil {
			break
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			break
		}
		r.asked.Add(1)
	}
	io.Copy(io.Discard, ear) // whatever it was, it must not stop the line
}

func (r *relay) close() {
	r.listener.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		c.Close()
	}
}

type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}
