// Package hub is the central hub as a library: it takes the offices' ops, says
// what became of each, gives them the others', and makes bookings by the
// rules. It never deletes an op, and never makes an office wait for another.
package hub

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"condica/hub/store"
	"condica/spclep"
	"condica/sync/wire"
)

// Config is what a hub is made of. Store, Now and Reference must be given.
type Config struct {
	Store     store.Store
	Now       func() int64 // the hub's time, ms since 1970
	Reference *spclep.Reference
	Zone      *time.Location // of the offices' calendar; nil: Europe/Bucharest
	Log       *slog.Logger   // nil: nothing is logged
	Random    io.Reader      // nil: crypto/rand

	AtWork  int // exchanges at work at once, default 64
	Waiting int // exchanges that may wait for news, and as many that may stand in line, default 5000
}

// A Server is one hub process. Any number may share one store.
type Server struct {
	Config
	codec *wire.Codec
	qr    ed25519.PrivateKey
	certs ed25519.PrivateKey // signs enrolments
	work  chan struct{}      // one token an exchange at work
	line  chan struct{}      // one token an exchange that is here at all
	news  *bells
	force atomic.Pointer[inForce] // published settings

	close sync.Once
	done  chan struct{} // closed by Close
	ended sync.WaitGroup
}

// Defaults of Config.
const (
	DefaultAtWork  = 64
	DefaultWaiting = 5000
)

// New makes a hub. Close must be called when it is no longer needed.
func New(ctx context.Context, c Config) (*Server, error) {
	if c.Store == nil || c.Now == nil || c.Reference == nil {
		return nil, errors.New("hub: store, clock and reference must be given")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.AtWork <= 0 {
		c.AtWork = DefaultAtWork
	}
	if c.Waiting <= 0 {
		c.Waiting = DefaultWaiting
	}
	if c.Zone == nil {
		zone, err := time.LoadLocation("Europe/Bucharest")
		if err != nil {
			return nil, fmt.Errorf("hub: time zone: %w", err)
		}
		c.Zone = zone
	}
	codec, err := wire.NewCodec()
	if err != nil {
		return nil, fmt.Errorf("hub: %w", err)
	}
	s := &Server{
		Config: c, codec: codec, done: make(chan struct{}),
		work: make(chan struct{}, c.AtWork), line: make(chan struct{}, c.AtWork+2*c.Waiting), news: newBells(),
	}
	if s.qr, err = s.key(ctx, "qr/1"); err != nil {
		return nil, fmt.Errorf("hub: booking key: %w", err)
	}
	if s.certs, err = s.key(ctx, "enroll/1"); err != nil {
		return nil, fmt.Errorf("hub: enrolment key: %w", err)
	}
	if err := s.renew(ctx); err != nil {
		return nil, fmt.Errorf("hub: settings: %w", err)
	}
	s.ended.Go(s.watch)
	return s, nil
}

// Close ends all waiting with an answer, and the watch on other processes.
func (s *Server) Close() {
	s.close.Do(func() { close(s.done) })
	s.ended.Wait()
}

// Handler serves the protocol of docs/protocol.md.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/sync", s.admit(s.sync))
	mux.HandleFunc("POST /v1/enroll", s.admit(s.enroll))
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.problem(w, http.StatusNotFound, "no-such-page", "this is the hub of Condica; there is nothing at this address")
	})
	return mux
}

// healthz is for the machine in front of the hub: it answers only if the store
// does.
func (s *Server) healthz(w http.ResponseWriter, r *http.Request) {
	if _, err := s.Store.Heads(r.Context()); err != nil {
		s.Log.Error("health", "err", err)
		s.problem(w, http.StatusServiceUnavailable, "store", "the hub's store does not answer")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"ok":true}`)
}

// key gives the Ed25519 key of that name, made the first time.
func (s *Server) key(ctx context.Context, name string) (ed25519.PrivateKey, error) {
	seed, err := s.Store.Secret(ctx, name, func() ([]byte, error) { return s.random(ed25519.SeedSize) })
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("key %s: %d bytes, want %d", name, len(seed), ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func (s *Server) random(n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(s.Random, b)
	return b, err
}

// newEpoch makes the name of a life of an office's log.
func (s *Server) newEpoch() (string, error) {
	b, err := s.random(8)
	return hex.EncodeToString(b), err
}

// QRKeys are the keys that sign booking codes.
func (s *Server) QRKeys() []wire.QRKey {
	return []wire.QRKey{{ID: qrKeyID, Pub: s.qr.Public().(ed25519.PublicKey)}}
}

const qrKeyID = 1
