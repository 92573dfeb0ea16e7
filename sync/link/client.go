// Package link carries the conversation with the hub over HTTPS. It is the
// only room under sync that opens sockets; what to say and when is peer's
// word, what is kept is the replica's. It never deletes or skips an op for
// anything a line, a proxy or a hub answers.
package link

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"condica/sync/peer"
	"condica/sync/wire"
)

// Kinds of failure, for the status line and the console.
const (
	Unreachable = "unreachable" // no connection, or it broke
	Untrusted   = "untrusted"   // TLS: not our hub, or something between
	Captive     = "captive"     // a web page answered instead of the hub
	Turned      = "turned-away" // the hub knows this PC no more
	Retired     = "retired"     // this PC's key is out of use, and it takes another one
	Unlinked    = "unlinked"    // this PC has lost what a line takes, and IT must enrol it again
	Busy        = "busy"        // the hub asks to come back later
	HubFault    = "hub-fault"   // the hub answered, but not with what was asked
	Local       = "local"       // the replica on this PC could not be read or written
)

// Codes of the hub on which the line acts.
const (
	codeUnknown = "unknown-device"
	codeRetired = "retired"
)

// codeOf is the hub's word in an error; "" if it has none.
func codeOf(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return ""
	}
	return e.Code
}

// An Error is a failed exchange.
type Error struct {
	Kind       string
	Code       string        // the hub's word, where it gave one
	RetryAfter time.Duration // as the hub asked, uncapped
	Err        error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Timeouts of one try. A village line has 64 kbit/s.
const (
	dialTimeout = 15 * time.Second
	mainTimeout = 90 * time.Second
	pollTimeout = peer.WaitMs*time.Millisecond + 15*time.Second
	quickTries  = 2 // by the HTTP client, for a connection that broke at once; longer waits are peer's
)

// client speaks HTTP for one device.
type client struct {
	base    string
	key     ed25519.PrivateKey
	codec   *wire.Codec
	http    *retryablehttp.Client
	counter *atomic.Uint64 // the last one used
}

func newClient(base, pin string, key ed25519.PrivateKey, times func() []time.Time) (*client, error) {
	hub, err := url.Parse(base)
	if err != nil || hub.Hostname() == "" {
		return nil, fmt.Errorf("hub address %q: want https://host:port", base)
	}
	codec, err := wire.NewCodec()
	if err != nil {
		return nil, err
	}
	c := &client{base: base, key: key, codec: codec, counter: new(atomic.Uint64)}
	c.http = &retryablehttp.Client{
		HTTPClient: &http.Client{Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
			TLSClientConfig:       tlsConfig(hub.Hostname(), pin, times),
			TLSHandshakeTimeout:   dialTimeout,
			MaxIdleConnsPerHost:   2,
			IdleConnTimeout:       2 * time.Minute,
			DisableCompression:    true, // zstd is ours; gzip would only add a header
			ResponseHeaderTimeout: pollTimeout,
		}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
		Logger:       nil, // the default one prints whole addresses to stderr
		RetryMax:     quickTries,
		CheckRetry:   checkRetry,
		Backoff:      quickBackoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler, // keep the last answer: it has the reason
		PrepareRetry: prepareRetry,
	}
	return c, nil
}

// checkRetry tries again at once only where no answer came and the connection
// broke. Everything the hub or a proxy says is for peer to weigh: it alone
// knows how long this has gone on. Sending twice is harmless, ops have ids.
func checkRetry(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err == nil || resp != nil {
		return false, nil
	}
	var op *net.OpError
	broken := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || (errors.As(err, &op) && op.Op != "dial")
	return broken && !untrusted(err), nil
}

// quickBackoff is full jitter; Retry-After never reaches it, since an answer
// ends the quick tries.
func quickBackoff(_, _ time.Duration, try int, _ *http.Response) time.Duration {
	return rand.N(200*time.Millisecond<<try) + 20*time.Millisecond
}

// signerKey carries a request's signer to prepareRetry: each try has its own
// counter, so that the hub can tell a second try from a replay.
type signerKey struct{}

func prepareRetry(r *http.Request) error {
	if sign, ok := r.Context().Value(signerKey{}).(func(*http.Request)); ok {
		sign(r)
	}
	return nil
}

// post sends a message and gives the answer's body. signed requests carry the
// device's signature.
func (c *client) post(ctx context.Context, path string, timeout time.Duration, signed bool, message any) ([]byte, error) {
	body, err := wire.Encode(message)
	if err != nil {
		return nil, err
	}
	body, packed := c.codec.Pack(body)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for try := 1; ; try++ {
		answer, err := c.once(ctx, path, signed, body, packed)
		// The hub has said which numbers are used. Later it would be too late: a
		// machine with the same key that asks all the time is always ahead.
		if codeOf(err) != codeCounter || try == counterTries {
			return answer, err
		}
	}
}

const (
	codeCounter  = "counter"
	counterTries = 3
)

// once sends it with the next number.
func (c *client) once(ctx context.Context, path string, signed bool, body []byte, packed bool) ([]byte, error) {
	sign := func(r *http.Request) {
		r.Header.Set(wire.SignatureHeader, wire.SignRequest(c.key, c.counter.Add(1), path, body))
	}
	if signed {
		ctx = context.WithValue(ctx, signerKey{}, sign)
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, http.MethodPost, c.base+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept-Encoding", "zstd")
	req.Header.Set("User-Agent", "") // twenty bytes that tell the hub nothing
	if packed {
		req.Header.Set("Content-Encoding", "zstd")
	}
	if signed {
		sign(req.Request)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, failed(err)
	}
	defer resp.Body.Close()
	return c.read(resp)
}

// read takes only what the hub would say: JSON, of a bounded size, with
// status 200, or a wire.Problem.
func (c *client) read(resp *http.Response) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(resp.Body, wire.MaxBody+1))
	if err != nil {
		return nil, &Error{Kind: Unreachable, Err: fmt.Errorf("read the hub's answer: %w", err)}
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind != "application/json" {
		return nil, &Error{Kind: Captive, RetryAfter: retryAfter(resp), Err: fmt.Errorf("not the hub but a page of kind %q with status %d answered: is there a log-in page on the line?", kind, resp.StatusCode)}
	}
	if len(body) > wire.MaxBody {
		return nil, &Error{Kind: HubFault, Err: fmt.Errorf("the answer is longer than %d bytes", wire.MaxBody)}
	}
	if resp.Header.Get("Content-Encoding") == "zstd" {
		if body, err = c.codec.Unpack(body); err != nil {
			return nil, &Error{Kind: HubFault, Err: err}
		}
	}
	if resp.StatusCode == http.StatusOK {
		return body, nil
	}
	return nil, c.problem(resp, body)
}

func (c *client) problem(resp *http.Response, body []byte) error {
	var p wire.Problem
	if json.Unmarshal(body, &p) != nil || p.Say == "" {
		p.Say = fmt.Sprintf("the hub answered with status %d", resp.StatusCode)
	}
	e := &Error{Kind: HubFault, Code: p.Code, RetryAfter: retryAfter(resp), Err: &p}
	switch resp.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Kind = Turned
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		e.Kind = Busy
	case http.StatusConflict:
		// This PC was restored from a backup and counts from an old number.
		if n, err := strconv.ParseUint(resp.Header.Get("Condica-Counter"), 10, 62); err == nil {
			raise(c.counter, n)
			e.RetryAfter = time.Millisecond
		}
	}
	return e
}

func raise(c *atomic.Uint64, to uint64) {
	for now := c.Load(); now < to; now = c.Load() {
		if c.CompareAndSwap(now, to) {
			return
		}
	}
}

func retryAfter(resp *http.Response) time.Duration {
	n, err := strconv.ParseInt(resp.Header.Get("Retry-After"), 10, 32)
	if err != nil || n < 0 {
		return 0 // a date would need a clock that is right
	}
	return time.Duration(n) * time.Second
}

func untrusted(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		name         x509.HostnameError
		invalid      x509.CertificateInvalidError
		record       tls.RecordHeaderError
	)
	return errors.Is(err, ErrPin) || errors.Is(err, errNoTime) || errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &verification) || errors.As(err, &authority) ||
		errors.As(err, &name) || errors.As(err, &invalid) || errors.As(err, &record)
}

func failed(err error) error {
	kind := Unreachable
	if untrusted(err) {
		kind = Untrusted
	}
	return &Error{Kind: kind, Err: plain(err)}
}

// plain takes the method and address off net/http's errors: the status line
// names the hub already.
func plain(err error) error {
	var u *url.Error
	switch isURL := errors.As(err, &u); {
	case errors.Is(err, context.DeadlineExceeded) || isURL && u.Timeout():
		return errors.New("the hub did not answer in time")
	case isURL:
		return u.Err
	}
	return err
}
