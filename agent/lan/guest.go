package lan

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"
)

// Times of a guest. The host is a few metres away: who does not answer within
// these is switched off.
const (
	dialWithin   = 2 * time.Second
	answerWithin = 30 * time.Second
	// A request that brings more than a form brings a file, and the host has to
	// work through that.
	largeFrom   = 2 << 20 // bytes
	largeWithin = 16 * time.Minute
	maxFiles    = 2 // connections for them: one is read at a time, and the last may be ending
)

// A Joined is what a guest keeps of the host that let it in.
type Joined struct {
	Host string   `json:"host"` // its name among people
	At   []string `json:"at"`   // host:port, the likeliest first
	Pin  string   `json:"pin"`  // PinOf its key
	Name string   `json:"name"` // how this PC's desk is called there
}

// Errors of a guest.
var (
	ErrInvitation = errors.New("the host does not take this invitation: it was used, is older than an hour, or the host was started anew since")
	ErrShutOut    = errors.New("the host does not let this PC in any more")
	ErrSilent     = errors.New("the host does not answer")
	ErrBusy       = errors.New("the host has as many requests of this PC as it takes at once, or reads a file already")
	errPartial    = errors.New("what this PC keeps of its host is not whole; leave it, and join again")
	errBeyond     = errors.New("the address is not on the office's own network")
)

// check says whether somebody can be asked by it: the file may have been cut.
func (j Joined) check() error {
	if j.Pin == "" || j.Name == "" || len(j.At) == 0 {
		return errPartial
	}
	for _, at := range j.At {
		if err := CheckAddress(at); err != nil {
			return err
		}
	}
	return nil
}

// Join uses an invitation up; from then on the host knows this PC's key.
func Join(ctx context.Context, key ed25519.PrivateKey, i Invitation) (Joined, error) {
	j := Joined{i.Host, i.At, i.Pin, i.Name}
	line, err := newLine(key, j, answerWithin, 1)
	if err != nil {
		return j, err
	}
	defer line.CloseIdleConnections()
	body, err := json.Marshal(map[string]string{"secret": i.Secret})
	if err != nil {
		return j, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+Authority+joinPath, bytes.NewReader(body))
	if err != nil {
		return j, err
	}
	resp, err := line.RoundTrip(r)
	if err != nil {
		return j, fmt.Errorf("%w: %w", ErrSilent, err)
	}
	resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNoContent:
		return j, nil
	case resp.Header.Get(refusedHeader) == refusedSecret:
		return j, ErrInvitation
	}
	return j, fmt.Errorf("the host answers with status %d", resp.StatusCode)
}

// newLine makes connections to the host and to nobody else, atMost at once: more
// requests wait here, where it costs the host nothing.
func newLine(key ed25519.PrivateKey, j Joined, within time.Duration, atMost int) (*http.Transport, error) {
	cert, err := certificate(key)
	if err != nil {
		return nil, err
	}
	return &http.Transport{
		// No proxy: the host is on this network.
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, j.At, toward(cert, j.Pin)) },
		MaxIdleConns:   8, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: within,
		MaxResponseHeaderBytes: maxHeader, MaxConnsPerHost: atMost,
	}, nil
}

// dial tries each address in turn. A name may lead anywhere: what it leads to is
// looked at before a word is said.
func dial(ctx context.Context, at []string, c *tls.Config) (net.Conn, error) {
	var errs []error
	// Within some ten seconds it is found out that the host is no more where an idle
	// connection goes: the next request then looks for it anew.
	alive := net.KeepAliveConfig{Enable: true, Idle: 4 * time.Second, Interval: 2 * time.Second, Count: 3}
	for _, address := range at {
		once, cancel := context.WithTimeout(ctx, dialWithin)
		conn, err := (&tls.Dialer{Config: c, NetDialer: &net.Dialer{Control: nearOnly, KeepAliveConfig: alive}}).DialContext(once, "tcp", address)
		cancel()
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

func nearOnly(_, address string, _ syscall.RawConn) error {
	if at, err := netip.ParseAddrPort(address); err != nil || !near(at.Addr().AsSlice()) {
		return errBeyond
	}
	return nil
}

// Visiting is how a PC asks its host.
type Visiting struct {
	j     Joined
	line  *http.Transport
	large *http.Transport // for files
	file  atomic.Bool     // one is on its way
	proxy *httputil.ReverseProxy
}

// RoundTrip takes the line that waits as long as the request may need.
func (v *Visiting) RoundTrip(r *http.Request) (*http.Response, error) {
	line, within := v.line, answerWithin
	if isFile(r) {
		if !v.file.CompareAndSwap(false, true) {
			return nil, ErrBusy // as the host would say in the middle of the sending
		}
		defer v.file.Store(false)
		line, within = v.large, largeWithin
	}
	resp, err := askWithPatience(line, r, within)
	if err != nil && r.Context().Err() == nil {
		v.Close() // other idle connections lead where this one did
	}
	return resp, err
}

// Visit makes a guest's way to its host. A response that never came is told to
// the failed that Forward was given.
func Visit(key ed25519.PrivateKey, j Joined, log *slog.Logger) (*Visiting, error) {
	if err := j.check(); err != nil {
		return nil, err
	}
	line, err := newLine(key, j, answerWithin, maxAtOnce-maxFiles)
	if err != nil {
		return nil, err
	}
	large, err := newLine(key, j, largeWithin, maxFiles)
	if err != nil {
		return nil, err
	}
	v := &Visiting{j: j, line: line, large: large}
	v.proxy = &httputil.ReverseProxy{
		Transport: v, Rewrite: rewrite, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ModifyResponse: func(r *http.Response) error {
			switch why := r.Header.Get(refusedHeader); why {
			case refusedUnknown:
				return ErrShutOut
			case refusedBusy:
				return ErrBusy
			case refusedSlow, refusedCut:
				return fmt.Errorf("it refused the request: %s", why)
			}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			t := r.Context().Value(tripKey{}).(trip) // Forward puts it there
			if !errors.Is(err, ErrShutOut) && !errors.Is(err, ErrBusy) {
				err = fmt.Errorf("%w: %w", ErrSilent, err)
			}
			t.failed(err)
		},
	}
	return v, nil
}

// Joined is what the visit goes by.
func (v *Visiting) Joined() Joined { return v.j }

// Ask finds out whether the host answers, and lets this PC in.
func (v *Visiting) Ask(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+Authority+askPath, nil)
	if err != nil {
		return err
	}
	resp, err := v.line.RoundTrip(r)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		v.Close()
		return ErrSilent
	case err != nil:
		return fmt.Errorf("%w: %w", ErrSilent, err)
	}
	resp.Body.Close()
	switch {
	case resp.Header.Get(refusedHeader) == refusedUnknown:
		return ErrShutOut
	case resp.StatusCode != http.StatusNoContent:
		return fmt.Errorf("the host answers with status %d", resp.StatusCode)
	}
	return nil
}

// Close ends the connections that are not in use.
func (v *Visiting) Close() {
	v.line.CloseIdleConnections()
	v.large.CloseIdleConnections()
}

type trip struct {
	browser string
	failed  func(error)
}

type tripKey struct{}

// Forward asks the host and passes its answer on. Where none comes failed is
// called in its place, with ErrSilent, ErrShutOut or ErrBusy. browser tells this PC's
// browsers apart; of the request's cookies those named in own stay here.
func (v *Visiting) Forward(w http.ResponseWriter, r *http.Request, browser string, own []string, failed func(error)) {
	out := r.Clone(context.WithValue(r.Context(), tripKey{}, trip{browser, failed}))
	keepCookies(out, own)
	v.proxy.ServeHTTP(w, out)
}

// rewrite makes the request the host's. Who may ask this PC at all has been
// looked at here, where the browser is.
func rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "https", Authority, Authority
	for _, name := range []string{"Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest", browserHeader} {
		r.Out.Header.Del(name)
	}
	if t, ok := r.In.Context().Value(tripKey{}).(trip); ok && t.browser != "" {
		r.Out.Header.Set(browserHeader, t.browser)
	}
}

// keepCookies takes the guest's own cookies out of a request.
func keepCookies(r *http.Request, own []string) {
	all := r.Cookies()
	r.Header.Del("Cookie")
	for _, c := range all {
		mine := false
		for _, name := range own {
			mine = mine || c.Name == name
		}
		if !mine {
			r.AddCookie(c)
		}
	}
}
