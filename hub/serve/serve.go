// Package serve runs a hub: store, certificate, protocol and console on their
// ports, in one visible order, until it is closed. It is what the command and
// the demo share, and decides nothing about ops or bookings.
package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"condica/hub"
	"condica/hub/console"
	"condica/hub/store"
	"condica/hub/store/sqlite"
	"condica/spclep"
	"condica/sync/wire"
)

// Options of Start.
type Options struct {
	Data      string            // folder of the store
	Listen    string            // host:port of the protocol; port 0 is any free one
	Console   string            // loopback host:port of IT's pages; "": none
	Public    string            // https://name:port by which PCs reach the hub; "": where it listens
	Plain     bool              // no TLS: a reverse proxy ends it
	Now       func() time.Time  // nil: the system's clock
	Reference *spclep.Reference // nil: the built-in one
	Log       *slog.Logger      // nil: nothing is logged
	Line      console.Line      // a line to cut, for the demo; nil: none
}

// A Running hub.
type Running struct {
	URL     string // by which PCs reach it
	Console string // "": none
	Hub     *hub.Server

	pin     string
	store   store.Store
	servers []*http.Server
	failed  chan error
}

// Start opens all and serves. What was opened is closed again if something
// after it fails.
func Start(ctx context.Context, o Options) (_ *Running, err error) {
	r := &Running{failed: make(chan error, 2)}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	c, err := o.config(ctx)
	if err != nil {
		return nil, err
	}
	r.store = c.Store
	if r.Hub, err = hub.New(ctx, c); err != nil {
		return nil, err
	}
	if err := r.protocol(ctx, o, c); err != nil {
		return nil, err
	}
	if o.Console != "" {
		if err := r.console(o); err != nil {
			return nil, err
		}
	}
	return r, saveAddress(o.Data, Address{Hub: r.URL, Pin: r.pin, Console: r.Console})
}

// config opens the store.
func (o *Options) config(ctx context.Context) (c hub.Config, err error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Reference == nil {
		if o.Reference, err = spclep.Builtin(); err != nil {
			return c, fmt.Errorf("built-in reference bundle: %w", err)
		}
	}
	s, err := sqlite.Open(ctx, o.Data)
	if err != nil {
		return c, err
	}
	return hub.Config{Store: s, Now: func() int64 { return o.Now().UnixMilli() }, Reference: o.Reference, Log: o.Log}, nil
}

// protocol serves the PCs.
func (r *Running) protocol(ctx context.Context, o Options, c hub.Config) error {
	listener, err := listen(o.Listen)
	if err != nil {
		return err
	}
	r.URL = "https://" + listener.Addr().String()
	if o.Plain {
		r.URL = "http://" + listener.Addr().String()
	}
	if o.Public != "" {
		r.URL = strings.TrimSuffix(o.Public, "/")
	}
	if !o.Plain {
		conf, err := r.tls(ctx, o, c)
		if err != nil {
			return errors.Join(err, listener.Close())
		}
		listener = tls.NewListener(listener, conf)
	}
	r.serve(listener, &http.Server{
		Handler: r.Hub.Handler(), ReadHeaderTimeout: 20 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: quiet(),
	})
	return nil
}

func (r *Running) tls(ctx context.Context, o Options, c hub.Config) (*tls.Config, error) {
	ca, err := authority(ctx, c.Store, o.Now())
	if err != nil {
		return nil, err
	}
	r.pin = pin(ca)
	names := []string{"localhost", "127.0.0.1", "::1"}
	for _, address := range []string{o.Listen, o.Public} {
		if h := hostOf(address); h != "" && !slices.Contains(names, h) {
			names = append(names, h)
		}
	}
	cert, err := leaf(ctx, c.Store, ca, names, o.Now())
	if err != nil {
		return nil, err
	}
	// HTTP/1.1 only: two requests a PC need no multiplexing, and each HTTP/2
	// connection costs the hub more memory.
	return &tls.Config{Certificates: []tls.Certificate{*cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}, nil
}

// hostOf gives the name in host:port or a URL; "" for all interfaces.
func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		address = u.Host
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return ""
	}
	return host
}

// console serves IT's pages, to this machine alone: they ask for no password.
func (r *Running) console(o Options) error {
	if ip := net.ParseIP(hostOf(o.Console)); (ip == nil || !ip.IsLoopback()) && hostOf(o.Console) != "localhost" {
		return fmt.Errorf("the console cannot listen on %s: it has no log-in and stays on this machine (127.0.0.1)", o.Console)
	}
	listener, err := listen(o.Console)
	if err != nil {
		return err
	}
	pages, err := console.New(r.Hub, o.Line)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	r.Console = "http://" + listener.Addr().String()
	r.serve(listener, &http.Server{Handler: pages, ReadHeaderTimeout: 20 * time.Second, ReadTimeout: time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: quiet()})
	return nil
}

func listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("another program is listening on %s already", address)
	case errors.Is(err, os.ErrPermission):
		return nil, fmt.Errorf("this user may not listen on %s; ports below 1024 are the system's", address)
	case err != nil:
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return l, nil
}

func (r *Running) serve(l net.Listener, s *http.Server) {
	r.servers = append(r.servers, s)
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			r.failed <- err
		}
	}()
}

// Failed gives the error of a server that stopped by itself.
func (r *Running) Failed() <-chan error { return r.failed }

// Token makes a token for one PC of an office.
func (r *Running) Token(ctx context.Context, office spclep.OfficeID, life time.Duration) (wire.Token, error) {
	return r.Hub.NewToken(ctx, office, life, r.URL, r.pin)
}

// Book makes a booking.
func (r *Running) Book(ctx context.Context, ask hub.BookAsk) (hub.Booked, error) {
	return r.Hub.Book(ctx, ask)
}

const grace = 5 * time.Second

// Close answers those who wait, lets those at work finish, and closes the
// store.
func (r *Running) Close() error {
	if r.Hub != nil {
		r.Hub.Close()
	}
	var errs []error
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	for _, s := range r.servers {
		if s.Shutdown(ctx) != nil {
			errs = append(errs, s.Close())
		}
	}
	if r.store != nil {
		errs = append(errs, r.store.Close())
	}
	return errors.Join(errs...)
}

// quiet: broken handshakes of passers-by are not the hub's trouble.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
