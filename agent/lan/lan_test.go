package lan

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// An office is one PC that lends its desk, and its clock.
type office struct {
	*testing.T
	host  *Host
	at    string
	up    atomic.Int64
	kept  atomic.Pointer[[]Guest]
	asked atomic.Pointer[http.Request] // the last that reached the desk
	stop  func()
}

func key(n byte) ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed(slices.Repeat([]byte{n}, ed25519.SeedSize))
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newOffice(t *testing.T, n byte) *office {
	t.Helper()
	o := &office{T: t}
	var texts atomic.Int64
	host, err := NewHost(HostConfig{Key: key(n), Log: quiet(), Up: o.up.Load,
		Random: func() string { return fmt.Sprintf("secret-%d", texts.Add(1)) },
		Keep:   func(g []Guest) error { o.kept.Store(&g); return nil }})
	o.must(err)
	o.host = host
	o.lends("127.0.0.1:0")
	return o
}

// lends serves the desk, which answers with what it was told of the guest.
func (o *office) lends(address string) {
	o.Helper()
	ln, err := net.Listen("tcp", address)
	o.must(err)
	o.at = ln.Addr().String()
	ctx, cancel := context.WithCancel(o.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- o.host.Serve(ctx, ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			o.asked.Store(r)
			r.ParseForm()
			s, ok := SeatOf(r)
			http.SetCookie(w, &http.Cookie{Name: "condica-lucrator", Value: "ana"})
			fmt.Fprintf(w, "%v %s|%s|%s", ok, s.Name, s.Browser, r.PostForm.Encode())
		}))
	}()
	o.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			o.Errorf("the host ended with %v", err)
		}
		ended <- nil
	}
	o.Cleanup(func() { o.stop() })
}

func (o *office) must(err error) {
	o.Helper()
	if err != nil {
		o.Fatal(err)
	}
}

func (o *office) invites(name string) Invitation {
	o.Helper()
	i, err := o.host.Invite("Birou-1", name, []string{o.at})
	o.must(err)
	back, err := ParseInvitation("  " + i.String()[:20] + "\n" + i.String()[20:])
	o.must(err)
	return back
}

// joins lets a PC in and gives its way.
func (o *office) joins(n byte, name string) *Visiting {
	o.Helper()
	j, err := Join(o.Context(), key(n), o.invites(name))
	o.must(err)
	return o.visits(n, j)
}

func (o *office) visits(n byte, j Joined) *Visiting {
	o.Helper()
	v, err := Visit(key(n), j, quiet())
	o.must(err)
	o.Cleanup(v.Close)
	return v
}

// asks sends a browser's request over the guest.
func asks(v *Visiting, r *http.Request) (string, *http.Response, error) {
	w := httptest.NewRecorder()
	var failed error
	v.Forward(w, r, "b1", []string{"condica-desk"}, func(err error) { failed = err })
	text, _ := io.ReadAll(w.Result().Body)
	return string(text), w.Result(), failed
}

// A PC is invited, and from then on its browser's pages come from the host: the
// host knows whose they are, and gets of the request what is its own.
func TestAGuestWorksAtTheHost(t *testing.T) {
	o := newOffice(t, 1)
	v := o.joins(2, "Ghișeul 2")
	r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1:8470/vizita/2222AAAA/prezent?x=1", strings.NewReader("cheie=k&nume=Ana"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "http://127.0.0.1:8470")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Condica-Browser", "made up")
	r.AddCookie(&http.Cookie{Name: "condica-desk", Value: "of this PC"})
	r.AddCookie(&http.Cookie{Name: "condica-lucrator", Value: "ana"})
	text, resp, err := asks(v, r)
	if want := "true Ghișeul 2|Ghișeul 2\nb1|cheie=k&nume=Ana"; err != nil || text != want {
		t.Errorf("it answers %q, %v; want %q", text, err, want)
	}
	if c := resp.Cookies(); len(c) != 1 || c[0].Name != "condica-lucrator" {
		t.Errorf("the host's cookies are %v", c)
	}
	got := o.asked.Load()
	if got.Host != Authority || got.URL.RequestURI() != "/vizita/2222AAAA/prezent?x=1" || got.Header.Get("Origin") != "" || got.Header.Get("Cookie") != "condica-lucrator=ana" {
		t.Errorf("the host got %s %s, %v", got.Host, got.URL, got.Header)
	}
	forged := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8470/", nil)
	forged.Header.Set("Condica-Browser", "made up")
	v.Forward(httptest.NewRecorder(), forged, "", nil, func(err error) { t.Error(err) })
	if s, _ := SeatOf(o.asked.Load()); s.Browser != "" {
		t.Errorf("a browser made up its name: %+v", s)
	}
}

// An invitation lets one PC in, once, within an hour. Who guesses ends them all.
func TestInvitations(t *testing.T) {
	o := newOffice(t, 1)
	i := o.invites("Ghișeul 2")
	if _, err := Join(t.Context(), key(2), i); err != nil {
		t.Fatal(err)
	}
	if _, err := Join(t.Context(), key(3), i); !errors.Is(err, ErrInvitation) {
		t.Errorf("the same once more: %v", err)
	}
	if ok, err := o.host.Remove("Ghișeul 2"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := Join(t.Context(), key(2), i); !errors.Is(err, ErrInvitation) {
		t.Errorf("the one that was shut out, by its old invitation: %v", err)
	}
	if _, err := Join(t.Context(), key(2), o.invites("Ghișeul 2")); err != nil {
		t.Fatal(err)
	}
	if _, err := o.host.Invite("Birou-1", "ghișeul 2", nil); !errors.Is(err, ErrTaken) {
		t.Errorf("the same name: %v", err)
	}
	for _, name := range []string{"", strings.Repeat("ș", 31), "a\nb", " ", "Ghișeul 2 ", "Ghișeul  3", "X · la Y", "a\u0085b", "a\u202eb", "a\u200bb", "a\xffb"} {
		if _, err := o.host.Invite("Birou-1", name, nil); !errors.Is(err, ErrName) {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	late := o.invites("Ghișeul 3")
	o.up.Add(invitedFor)
	if _, err := Join(t.Context(), key(3), late); !errors.Is(err, ErrInvitation) {
		t.Errorf("after an hour: %v", err)
	}

	good := o.invites("Ghișeul 4")
	guess := good
	for n := range maxWrong {
		guess.Secret = fmt.Sprint("guess", n)
		if _, err := Join(t.Context(), key(9), guess); !errors.Is(err, ErrInvitation) {
			t.Errorf("a guess: %v", err)
		}
	}
	if _, err := Join(t.Context(), key(4), good); !errors.Is(err, ErrInvitation) {
		t.Errorf("after ten guesses: %v", err)
	}
	if _, err := Join(t.Context(), key(4), o.invites("Ghișeul 4")); err != nil {
		t.Errorf("a fresh one: %v", err)
	}
	if g := o.host.Guests(); len(g) != 2 || g[1].Name != "Ghișeul 4" || !slices.Equal(g, *o.kept.Load()) {
		t.Errorf("let in are %v, kept %v", g, *o.kept.Load())
	}
	// The same PC once more, under another name: it has that one.
	if _, err := Join(t.Context(), key(4), o.invites("Ghișeul 5")); err != nil || len(o.host.Guests()) != 2 {
		t.Errorf("let in are %v, %v", o.host.Guests(), err)
	}
}

// A guest that was shut out is told so at its next request; a PC that was never
// let in, and one without a key, get nothing. The desk hears of none of them.
func TestStrangers(t *testing.T) {
	o := newOffice(t, 1)
	v := o.joins(2, "Ghișeul 2")
	if err := v.Ask(t.Context()); err != nil {
		t.Errorf("a guest: %v", err)
	}
	if ok, err := o.host.Remove("ghișeul 2"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	stranger := o.visits(7, v.Joined())
	for name, v := range map[string]*Visiting{"shut out": v, "a stranger": stranger} {
		_, _, err := asks(v, httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil))
		if !errors.Is(err, ErrShutOut) || !errors.Is(v.Ask(t.Context()), ErrShutOut) {
			t.Errorf("%s is told %v", name, err)
		}
	}
	bare := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	if resp, err := bare.Get("https://" + o.at + "/"); err == nil {
		resp.Body.Close()
		t.Errorf("without a key the status is %d", resp.StatusCode)
	}
	if resp, err := http.Get("http://" + o.at + "/"); err == nil {
		resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("without TLS the status is %d", resp.StatusCode)
		}
	}
	if o.asked.Load() != nil {
		t.Errorf("the desk was asked for %s", o.asked.Load().URL)
	}
}

// The guest believes the one PC that invited it, wherever it is found, and notices
// within seconds that it is off.
func TestTheHostIsKnownByItsKey(t *testing.T) {
	o := newOffice(t, 1)
	j := o.joins(2, "Ghișeul 2").Joined()
	other := newOffice(t, 99)
	j.At = []string{other.at, o.at}
	v := o.visits(2, j)
	if text, _, err := asks(v, httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)); err != nil || !strings.HasPrefix(text, "true Ghișeul 2") {
		t.Errorf("it answers %q, %v", text, err)
	}
	if other.asked.Load() != nil {
		t.Error("another PC was asked")
	}
	was := o.at
	o.stop()
	v.Close()
	if _, _, err := asks(v, httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)); !errors.Is(err, ErrSilent) {
		t.Errorf("the host is off, and the guest says %v", err)
	}
	o.lends(was)
	if _, _, err := asks(v, httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil)); err != nil {
		t.Errorf("the host is back: %v", err)
	}
}

// Addresses that are no office's, and words that are no invitation.
func TestWrongWords(t *testing.T) {
	for _, at := range []string{"", "8471", "192.168.1.10", "8.8.8.8:8471", "[2001:db8::1]:8471", "[2001:db8::1%eth0]:8471", "[::ffff:8.8.8.8]:8471", "example.ro:8471", "192.168.1.10:http", "192.168.1.10:65536", "192.168.1.10:-1"} {
		if CheckListen(at) == nil {
			t.Errorf("it would listen at %q", at)
		}
	}
	for _, at := range []string{"127.0.0.1:0", "192.168.1.10:8471", ":8471", "0.0.0.0:8471", "[fd00::1]:8471", "169.254.1.1:1", "[fe80::1%eth0]:8471", "[::ffff:10.0.0.1]:1"} {
		if err := CheckListen(at); err != nil {
			t.Errorf("%q: %v", at, err)
		}
	}
	whole := Invitation{Host: "a", At: []string{"192.168.1.10:8471"}, Pin: "p", Secret: "s", Name: "n"}
	far := whole
	far.At = []string{"8.8.8.8:1"}
	for _, s := range []string{"", "condica-1.abc", "condica-lan-1.%%", "condica-lan-1.e30", whole.String()[:40], far.String()} {
		if _, err := ParseInvitation(s); err == nil || !strings.HasPrefix(err.Error(), "invitation: ") {
			t.Errorf("%q: %v", s, err)
		}
	}
	if i, err := ParseInvitation(whole.String()); err != nil || i.Name != "n" {
		t.Errorf("%+v, %v", i, err)
	}
	for at, good := range map[string]bool{"birou-1:8471": true, "[fe80::1%eth0]:8471": true, "[2001:db8::1%eth0]:8471": false, "birou-1:0": false,
		"birou-1:00": false, "birou-1:http": false, "birou-1:65536": false, ":8471": false, "[::ffff:8.8.8.8]:1": false} {
		if err := CheckAddress(at); (err == nil) != good {
			t.Errorf("an invitation to %q: %v", at, err)
		}
	}
	own := []net.Addr{&net.IPNet{IP: net.IPv4(127, 0, 0, 1)}, &net.IPNet{IP: net.IPv4(192, 168, 1, 10)}, &net.IPNet{IP: net.IPv4(8, 8, 8, 8)}}
	if at := Reachable(&net.TCPAddr{IP: net.IPv4zero, Port: 8471}, own); !slices.Equal(at, []string{"192.168.1.10:8471"}) {
		t.Errorf("it is found at %v", at)
	}
}

// The answer to a joining PC is lost on the way: it asks once more, and is in.
// With places for one and two invitations out, one PC is let in.
func TestJoiningOnceMore(t *testing.T) {
	o := newOffice(t, 1)
	i := o.invites("Ghișeul 2")
	for range 2 {
		if _, err := Join(t.Context(), key(2), i); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Join(t.Context(), key(3), i); !errors.Is(err, ErrInvitation) || len(o.host.Guests()) != 1 {
		t.Errorf("another PC with the same: %v, let in are %v", err, o.host.Guests())
	}
	var last []Invitation
	for n := range maxGuests {
		last = append(last, o.invites(fmt.Sprint("Loc ", n)))
	}
	for n, i := range last {
		if _, err := Join(t.Context(), key(byte(10+n)), i); (err != nil) != (n == maxGuests-1) {
			t.Errorf("PC %d of %d: %v", n+2, maxGuests, err)
		}
	}
	if n := len(o.host.Guests()); n != maxGuests {
		t.Errorf("%d are let in", n)
	}
}

// What a guest keeps of its host was cut, or changed by somebody: it asks nobody
// beyond the office's network, by whatever name.
func TestAGuestStaysOnTheNetwork(t *testing.T) {
	for _, j := range []Joined{{}, {Host: "a", Pin: "p", Name: "n"}, {At: []string{"127.0.0.1:1"}, Name: "n"}, {At: []string{"8.8.8.8:1"}, Pin: "p", Name: "n"}} {
		if _, err := Visit(key(2), j, quiet()); err == nil {
			t.Errorf("it would ask by %+v", j)
		}
	}
	if _, err := dial(t.Context(), []string{"8.8.8.8:9", "[2001:db8::1]:9"}, &tls.Config{}); !errors.Is(err, errBeyond) {
		t.Errorf("a name that leads away: %v", err)
	}
}

// Two desks whose names begin the same are two, whatever their PCs say of their
// browsers.
func TestBrowsersOfTwoDesks(t *testing.T) {
	o := newOffice(t, 1)
	one, other := o.joins(2, "Ghișeul"), o.joins(3, "Ghișeul 2")
	seen := map[string]bool{}
	for v, browser := range map[*Visiting]string{one: "2 b", other: "b"} {
		v.Forward(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "http://127.0.0.1/", nil), browser, nil, func(err error) { t.Error(err) })
		s, _ := SeatOf(o.asked.Load())
		seen[s.Browser] = true
	}
	if len(seen) != 2 {
		t.Errorf("the browsers are %v", seen)
	}
}

// A stick's answer takes the host minutes; the guest waits for it, and for
// nothing else.
func TestAFileMayTakeLonger(t *testing.T) {
	o := newOffice(t, 1)
	v := o.joins(2, "Ghișeul 2")
	v.line = &http.Transport{DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("it took too long") }}
	file := httptest.NewRequest(http.MethodPost, "http://127.0.0.1/coada/raspuns", strings.NewReader(strings.Repeat("x", 3<<20)))
	if _, _, err := asks(v, file); err != nil {
		t.Errorf("a file: %v", err)
	}
	if _, _, err := asks(v, httptest.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader("a=b"))); !errors.Is(err, ErrSilent) {
		t.Errorf("a form: %v", err)
	}
	if v.large.ResponseHeaderTimeout <= answerWithin {
		t.Errorf("a file may take %v", v.large.ResponseHeaderTimeout)
	}
}

// A stranger opens connections until it gets no more: a guest at another address
// is served, and who gets nothing keeps no connection.
func TestAStrangerUsesUpItsOwn(t *testing.T) {
	var many []string
	for n := range maxFromOne + 3 {
		many = append(many, fmt.Sprint("192.168.1.66:", 1000+n))
	}
	from := &scripted{from: append(many, "192.168.1.20:5", "192.168.1.66:9")}
	l := newListener(from)
	var first net.Conn
	for range maxFromOne {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		first = c
	}
	if c, _ := l.Accept(); c.RemoteAddr().String() != "192.168.1.20:5" {
		t.Errorf("the next is %v", c.RemoteAddr())
	}
	first.Close()
	first.Close()
	if c, _ := l.Accept(); c.RemoteAddr().String() != "192.168.1.66:9" || l.open[netip.MustParseAddr("192.168.1.66")] != maxFromOne {
		t.Errorf("after one has ended: %v, %v", c.RemoteAddr(), l.open)
	}
	o := newOffice(t, 1)
	line, err := newLine(key(7), o.joins(2, "Ghișeul 2").Joined(), answerWithin, 1)
	o.must(err)
	for _, path := range []string{"/", askPath, joinPath} {
		resp, err := line.RoundTrip(httptest.NewRequest(http.MethodGet, "https://"+Authority+path, nil))
		if err != nil || !resp.Close {
			t.Errorf("%s: the connection stays open: %v", path, err)
		}
		resp.Body.Close()
	}
}

// A connection from beyond the office's network is closed before a word.
func TestNoConnectionFromBeyond(t *testing.T) {
	from := &scripted{from: []string{"8.8.8.8:5", "192.168.1.20:5"}}
	c, err := newListener(from).Accept()
	if err != nil || c.RemoteAddr().String() != "192.168.1.20:5" || !from.closed {
		t.Errorf("it takes %v, %v; the other was closed: %v", c, err, from.closed)
	}
}

type scripted struct {
	net.Listener
	from   []string
	closed bool
}

type conn struct {
	net.Conn
	from string
	l    *scripted
}

func (c conn) RemoteAddr() net.Addr { at, _ := net.ResolveTCPAddr("tcp", c.from); return at }
func (c conn) Close() error         { c.l.closed = true; return nil }

func (s *scripted) Accept() (net.Conn, error) {
	c := conn{from: s.from[0], l: s}
	s.from = s.from[1:]
	return c, nil
}
