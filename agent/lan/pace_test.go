package lan

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A wire is an office's network in memory, on which an hour is over at once.
type wire struct {
	*testing.T
	calls chan net.Conn
	ended chan struct{}
	shut  func()
}

func newWire(t *testing.T) *wire {
	w := &wire{T: t, calls: make(chan net.Conn), ended: make(chan struct{})}
	w.shut = sync.OnceFunc(func() { close(w.ended) })
	t.Cleanup(w.shut)
	return w
}

// A plugged end of a connection. TLS's last word, an alert, is left out: a pipe has
// no room for it where nobody reads, and net/http says it under a lock, on which the
// wire's time stands still. The end of the pipe says the same.
type plugged struct{ net.Conn }

const alertRecord = 5 + 2 + 1 + 16 // RFC 8446, 5.2: bytes

func (p plugged) Write(b []byte) (int, error) {
	if len(b) == alertRecord {
		return len(b), nil
	}
	return p.Conn.Write(b)
}

func (plugged) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 168, 1, 20), Port: 5} }

func (w *wire) Accept() (net.Conn, error) {
	select {
	case c := <-w.calls:
		return c, nil
	case <-w.ended:
		return nil, net.ErrClosed
	}
}

func (w *wire) Close() error {
	w.shut()
	return nil
}
func (w *wire) Addr() net.Addr { return &net.TCPAddr{} }

// dials is one PC's connection to another.
func (w *wire) dials() net.Conn {
	mine, other := net.Pipe()
	w.calls <- plugged{other}
	return plugged{mine}
}

// lent is a host on the wire, with two guests: keys 2 and 3.
func lent(t *testing.T, desk http.HandlerFunc) (*wire, *Host) {
	t.Helper()
	w := newWire(t)
	var guests []Guest
	for _, n := range []byte{2, 3} {
		pin, err := PinOf(key(n).Public())
		w.must(err)
		guests = append(guests, Guest{fmt.Sprint("Ghișeul ", n), pin})
	}
	h, err := NewHost(HostConfig{Key: key(1), Guests: guests, Log: quiet()})
	w.must(err)
	ctx, stop := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- h.Serve(ctx, w, desk) }()
	t.Cleanup(func() {
		stop()
		if err := <-over; err != nil && !errors.Is(err, net.ErrClosed) {
			t.Error(err)
		}
	})
	return w, h
}

func (w *wire) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// speaks is a connection with which the guest of a key may say anything.
func (w *wire) speaks(n byte) *tls.Conn {
	w.Helper()
	cert, err := certificate(key(n))
	w.must(err)
	pin, err := PinOf(key(1).Public())
	w.must(err)
	c := tls.Client(w.dials(), toward(cert, pin))
	w.must(c.Handshake())
	return c
}

const aForm = "Host: ghiseu.internal\r\nContent-Type: application/x-www-form-urlencoded\r\n"

// A guest, or who says so, speaks so slowly that it is no network: one byte a
// minute, of whatever. The desk hears nothing of it, and no connection is held.
func TestAByteAMinute(t *testing.T) {
	for _, c := range []struct {
		name, says string // at once
		status     int    // of the answer; 0: none
		why        string
	}{
		{"a header", "GET / HTTP/1.1\r\nHost: ", 0, ""},
		{"a form", "POST /x HTTP/1.1\r\n" + aForm + "Content-Length: 1000\r\n\r\na=", http.StatusRequestTimeout, refusedSlow},
		{"a form that was announced longer", "POST /x HTTP/1.1\r\n" + aForm + "Content-Length: 2000000\r\n\r\na=", http.StatusRequestTimeout, refusedSlow},
		{"a body that nobody wants", "GET /lan/ask HTTP/1.1\r\n" + aForm + "Content-Length: 1000\r\n\r\n", http.StatusNoContent, ""},
		{"an invitation", "POST /lan/join HTTP/1.1\r\n" + aForm + "Content-Length: 1000\r\n\r\n", http.StatusBadRequest, refusedSecret},
		{"a file", "POST /x HTTP/1.1\r\n" + aForm + "Content-Length: 30000000\r\n\r\na=", http.StatusTeapot, ""},
		{"a file without a length", "POST /x HTTP/1.1\r\n" + aForm + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n", http.StatusTeapot, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, _ := lent(t, func(w http.ResponseWriter, r *http.Request) {
					if !isFile(r) {
						t.Error("the desk was asked")
					}
					if _, err := io.Copy(io.Discard, r.Body); err == nil {
						t.Error("the file is there")
					}
					w.WriteHeader(http.StatusTeapot)
				})
				conn := w.speaks(2)
				_, err := io.WriteString(conn, c.says)
				w.must(err)
				w.drips(conn)
				w.answers(conn, c.status, c.why)
			})
		})
	}
	t.Run("a handshake", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w, _ := lent(t, nil)
			conn := w.dials()
			w.drips(conn)
			if _, err := io.ReadAll(conn); err != nil {
				t.Error(err)
			}
		})
	})
}

// drips sends a byte a minute until the connection has ended.
func (w *wire) drips(c net.Conn) {
	go func() {
		for {
			if _, err := c.Write([]byte("a")); err != nil {
				return
			}
			select {
			case <-time.After(time.Minute):
			case <-w.ended:
				c.Close()
				return
			}
		}
	}()
}

// answers: there is one, or none, and the connection ends within a minute.
func (w *wire) answers(c net.Conn, status int, why string) {
	w.Helper()
	began := time.Now()
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	switch {
	case status == 0 && err == nil && resp.StatusCode != http.StatusRequestTimeout && resp.StatusCode != http.StatusBadRequest:
		w.Errorf("it answers %s", resp.Status)
	case status != 0 && (err != nil || resp.StatusCode != status || resp.Header.Get(refusedHeader) != why):
		w.Errorf("it answers %+v, %v; want %d, %q", resp, err, status, why)
	}
	if _, err := io.ReadAll(in); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		w.Error(err)
	}
	if held := time.Since(began); held > time.Minute {
		w.Errorf("the connection was held for %v", held)
	}
}

// A guest asks for pages and takes none of them: its connection ends.
func TestAGuestThatTakesNoAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan error, 1)
		w, _ := lent(t, func(w http.ResponseWriter, r *http.Request) {
			_, err := w.Write(make([]byte, 300_000))
			ended <- err
		})
		conn := w.speaks(2)
		_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: ghiseu.internal\r\n\r\n")
		w.must(err)
		began := time.Now()
		if err := <-ended; err == nil || time.Since(began) > time.Minute {
			t.Errorf("it ended with %v after %v", err, time.Since(began))
		}
		conn.Close()
	})
}

// A poor network, 160 kbit/s: the longest form, a file, a page and a work of
// minutes arrive whole.
func TestAPoorNetwork(t *testing.T) {
	const rate = 20_000
	synctest.Test(t, func(t *testing.T) {
		w, _ := lent(t, func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			if isFile(r) {
				time.Sleep(15 * time.Minute) // a stick's answer
			}
			if r.Context().Err() != nil {
				t.Error("the desk was told that the guest has gone")
			}
			fmt.Fprintln(w, n, err, strings.Repeat("x", 1_000_000))
		})
		v := w.visits(func(c net.Conn) net.Conn { return poor{c, rate} })
		for _, n := range []int{10, 1_000_000, 9_000_000} {
			text, _, err := asks(v, httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(strings.Repeat("x", n))))
			if err != nil || !strings.HasPrefix(text, fmt.Sprint(n, " <nil> x")) || len(text) < 1_000_000 {
				t.Errorf("of %d bytes: %.40s (%d), %v", n, text, len(text), err)
			}
		}
	})
}

// The desk works on a page for minutes, and is not told meanwhile that the guest has
// gone; the guest gets its answer.
func TestAWorkOfMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := lent(t, func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(10 * time.Minute)
			if err := r.Context().Err(); err != nil {
				t.Error(err)
			}
			w.WriteHeader(http.StatusTeapot)
		})
		conn := w.speaks(2)
		for _, ask := range []string{"GET / HTTP/1.1\r\n" + aForm + "\r\n", "POST / HTTP/1.1\r\n" + aForm + "Content-Length: 3\r\n\r\na=b"} {
			_, err := io.WriteString(conn, ask)
			w.must(err)
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil || resp.StatusCode != http.StatusTeapot || resp.Close {
				t.Fatalf("%s: %+v, %v", ask, resp, err)
			}
		}
		conn.Close()
	})
}

// visits is the way of guest 2 over the wire.
func (w *wire) visits(line func(net.Conn) net.Conn) *Visiting {
	w.Helper()
	pin, err := PinOf(key(1).Public())
	w.must(err)
	v, err := Visit(key(2), Joined{Host: "Birou-1", At: []string{"192.168.1.10:8471"}, Pin: pin, Name: "Ghișeul 2"}, quiet())
	w.must(err)
	cert, err := certificate(key(2))
	w.must(err)
	dial := func(context.Context, string, string) (net.Conn, error) {
		return tls.Client(line(w.dials()), toward(cert, pin)), nil
	}
	v.line.DialTLSContext, v.large.DialTLSContext = dial, dial
	w.Cleanup(func() {
		v.Close()
		time.Sleep(time.Minute) // on the wire: its last words arrive
	})
	return v
}

// A poor connection carries so many bytes a second, either way.
type poor struct {
	net.Conn
	rate int
}

func (p poor) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	time.Sleep(time.Duration(n) * time.Second / time.Duration(p.rate))
	return n, err
}

func (p poor) Write(b []byte) (int, error) {
	time.Sleep(time.Duration(len(b)) * time.Second / time.Duration(p.rate))
	return p.Conn.Write(b)
}

// A lender takes the request and then is silent, at whatever moment: the guest has
// its browser told that it does not answer, in place of half a page.
func TestALenderThatFallsSilent(t *testing.T) {
	const page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n<html>"
	for _, c := range []struct {
		name string
		body int
		says string
		does func(w *wire, c net.Conn) // after it
	}{
		{"at once", 10, "", func(_ *wire, c net.Conn) { io.Copy(io.Discard, c) }},
		{"without taking the form", 1_000_000, "", nil},
		{"without taking the file", 3_000_000, "", nil},
		{"in the header", 10, "HTTP/1.1 200 OK\r\nContent-Ty", (*wire).drips},
		{"in the page", 10, page, nil},
		{"in the page, but for a byte a minute", 10, page, (*wire).drips},
		{"in a page of unknown length", 10, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n<html>\r\n", nil},
		{"off, in the page", 10, page, func(_ *wire, c net.Conn) { c.Close() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(t)
				go w.pretends(c.body < 1000, c.says, c.does)
				v := w.visits(func(c net.Conn) net.Conn { return c })
				began := time.Now()
				text, _, err := asks(v, httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(strings.Repeat("x", c.body))))
				if !errors.Is(err, ErrSilent) || text != "" || time.Since(began) > 2*time.Minute {
					t.Errorf("after %v it says %v, and the browser has %q", time.Since(began), err, text)
				}
			})
		})
	}
}

// The lender has got another address while connections to it were idle: one request
// finds that out, and the next one looks for it anew.
func TestIdleConnectionsLeadNowhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _ := lent(t, func(w http.ResponseWriter, r *http.Request) { time.Sleep(time.Second) })
		var moved atomic.Bool
		v := w.visits(func(c net.Conn) net.Conn {
			if moved.Load() {
				return c
			}
			return lost{c, &moved}
		})
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() {
				if _, _, err := asks(v, httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		moved.Store(true)
		for _, want := range []error{ErrSilent, nil} {
			if _, _, err := asks(v, httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)); !errors.Is(err, want) {
				t.Errorf("it says %v, want %v", err, want)
			}
		}
	})
}

// A lost connection leads nowhere from some time on.
type lost struct {
	net.Conn
	now *atomic.Bool
}

func (l lost) Write(b []byte) (int, error) {
	if l.now.Load() {
		return len(b), nil
	}
	return l.Conn.Write(b)
}

// pretends is a PC with the host's key that reads a form, or not, says something,
// and goes on as it likes until the end.
func (w *wire) pretends(reads bool, says string, does func(*wire, net.Conn)) {
	cert, err := certificate(key(1))
	if err != nil {
		w.Error(err)
		return
	}
	raw := <-w.calls
	c := tls.Server(raw, &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert})
	in := bufio.NewReader(c)
	r, err := http.ReadRequest(in)
	if err == nil && reads {
		_, err = io.Copy(io.Discard, r.Body)
	}
	if err != nil {
		w.Error(err)
	}
	io.WriteString(c, says)
	if does != nil {
		does(w, c)
	}
	<-w.ended
	raw.Close()
}

// A page that is longer than what is held breaks off where the lender falls silent.
func TestALongAnswerBreaksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		w, _ := lent(t, func(w http.ResponseWriter, r *http.Request) {
			w.Write(make([]byte, maxHeld+100_000))
			<-over
		})
		v := w.visits(func(c net.Conn) net.Conn { return c })
		resp, err := v.RoundTrip(httptest.NewRequest(http.MethodGet, "https://"+Authority+"/", nil))
		w.must(err)
		began := time.Now()
		n, err := io.Copy(io.Discard, resp.Body)
		if err == nil || n < maxHeld || time.Since(began) > 2*time.Minute {
			t.Errorf("after %v there are %d bytes, and %v", time.Since(began), n, err)
		}
		resp.Body.Close()
		close(over)
	})
}

// One guest asks for more at once than a PC's browsers do: it is told so, and the
// other guest is served. One file is read at a time.
func TestAGuestThatAsksForMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at atomic.Int64
		home := make(chan struct{})
		w, h := lent(t, func(w http.ResponseWriter, r *http.Request) {
			at.Add(1)
			if r.URL.Path == "/wait" {
				<-home
			}
		})
		begins := func(n byte, head, end string) net.Conn {
			c := w.speaks(n)
			_, err := io.WriteString(c, head+" HTTP/1.1\r\n"+aForm+end)
			w.must(err)
			return c
		}
		ends := func(c net.Conn, status int, why string) {
			t.Helper()
			resp, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil || resp.StatusCode != status || resp.Header.Get(refusedHeader) != why {
				t.Errorf("it answers %+v, %v; want %d, %q", resp, err, status, why)
			}
			c.Close()
		}
		var held []net.Conn
		for range maxAtOnce {
			c := begins(2, "GET /wait", "\r\n")
			held = append(held, c)
		}
		synctest.Wait()
		one := begins(2, "GET /", "\r\n")
		ends(one, http.StatusServiceUnavailable, refusedBusy)
		other := begins(3, "GET /", "\r\n")
		ends(other, http.StatusOK, "")
		close(home)
		for _, c := range held {
			ends(c, http.StatusOK, "")
		}
		if n := at.Load(); n != maxAtOnce+1 {
			t.Errorf("the desk was asked %d times", n)
		}

		// Two files at once.
		home = make(chan struct{})
		const large = "Content-Length: 3000000\r\n\r\n"
		first := begins(2, "POST /wait", large)
		synctest.Wait()
		second := begins(3, "POST /wait", large)
		ends(second, http.StatusServiceUnavailable, refusedBusy)
		file := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/coada/raspuns", strings.NewReader(strings.Repeat("x", 3_000_000)))
		if text, _, err := asks(w.visits(func(c net.Conn) net.Conn { return c }), file); !errors.Is(err, ErrBusy) || errors.Is(err, ErrSilent) || text != "" {
			t.Errorf("a guest with a file is told %v, %q", err, text)
		}
		close(home)
		first.Close()
		synctest.Wait()

		// Two of one PC: the second is not even begun.
		home = make(chan struct{})
		var lines atomic.Int64
		v, both := w.visits(func(c net.Conn) net.Conn { lines.Add(1); return c }), make(chan error, 2)
		before := at.Load()
		for range 2 {
			go func() {
				_, _, err := asks(v, httptest.NewRequest(http.MethodPost, "http://127.0.0.1/wait", strings.NewReader(strings.Repeat("x", 3_000_000))))
				both <- err
			}()
		}
		if err := <-both; !errors.Is(err, ErrBusy) {
			t.Errorf("the second file of one PC: %v", err)
		}
		close(home)
		<-both // its form was not read, and the connection may end first
		if n := at.Load() - before; n != 1 || lines.Load() != 1 {
			t.Errorf("the desk was asked for %d files, over %d connections", n, lines.Load())
		}
		v.Close()
		synctest.Wait()
		if len(h.busy) != 0 || h.file {
			t.Errorf("all have gone, and there are still %v, %v", h.busy, h.file)
		}
	})
}

// A machine with many addresses opens connections from each: there is an end to
// what they cost, and who has gone makes room.
func TestConnectionsHaveAnEnd(t *testing.T) {
	var many []string
	for n := range maxFromAll + 2 {
		many = append(many, fmt.Sprintf("10.1.%d.%d:9", n/250, n%250))
	}
	from := &scripted{from: append(many, "192.168.1.20:5")}
	l := newListener(from)
	var first net.Conn
	for range maxFromAll {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		first = c
	}
	if from.closed {
		t.Error("one was closed too early")
	}
	from.from = from.from[1:] // one more
	if l.takes(netip.MustParseAddr("10.9.9.9")) {
		t.Error("it takes one too many")
	}
	first.Close()
	if c, err := l.Accept(); err != nil || c.RemoteAddr().String() == "192.168.1.20:5" {
		t.Errorf("after one has gone: %v, %v", c, err)
	}
}
