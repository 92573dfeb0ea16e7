// Package control puts the centre's settings in force on one office PC: it
// verifies a bundle, tries it, applies it in one step, has the desk prove that
// it works, and goes back to the last proven one by itself where it does not. It
// also keeps the time of retention they set.
// It never leaves a desk without rules, and opens no socket and no file of its
// own.
package control

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"condica/localdb"
	"condica/spclep"
	"condica/spclep/settings"
	"condica/sync/bundle"
	"condica/sync/hlc"
	"condica/sync/wire"
)

// A Store keeps the bundles as they came, and the office's bookings; localdb.DB is
// one.
type Store interface {
	Settings(ctx context.Context) (localdb.Settings, error)
	ProvenSettings(ctx context.Context) (box string, err error)
	CandidateSettings(ctx context.Context) (box string, err error)
	TrySettings(ctx context.Context, number int64) error
	ProveSettings(ctx context.Context, number int64) error
	RefuseSettings(ctx context.Context, number int64, code, say string) error
	DropProvenSettings(ctx context.Context) error

	Now(ctx context.Context) (ms int64, clock hlc.Quality, off int64, err error)
	LetGo(ctx context.Context, days int, nowMs int64, limit int) (bookings, ops int, err error)
}

// Config of a Control. All must be given.
type Config struct {
	Store  Store
	Base   *spclep.Reference // in force where the centre has sent nothing
	Root   func() ed25519.PublicKey
	Office func(ctx context.Context) (spclep.OfficeID, spclep.Day, error) // this PC's, and its day
	// Faults asks the desk itself what it cannot do now, by name; what it could
	// do before a bundle and cannot after it stands against the bundle.
	Faults func(ctx context.Context) map[string]string
	Judged func()           // called when a bundle was taken or refused
	Wake   <-chan time.Time // now and then: what is past its time of retention is looked for
	Fault  func(error)      // is told when the store could not be read or written
	Log    *slog.Logger
}

// maxTries is how often a bundle is put in force to be proven. A PC that goes
// down in between may have been switched off; twice is no chance.
const maxTries = 2

// A Control is one PC's settings.
type Control struct {
	cfg   Config
	bell  chan struct{}
	now   atomic.Pointer[settings.Rules]
	heard []func(settings.Rules)

	cleaned cleaning // touched by Run only
}

// New makes a Control with the last proven bundle in force, or else the rules
// built into the program. A proven bundle that can no longer be read - by an
// older program, or because the folder was tampered with - is logged and dropped;
// the hub sends it again.
func New(ctx context.Context, cfg Config) (*Control, error) {
	c := &Control{cfg: cfg, bell: make(chan struct{}, 1)}
	r, err := c.proven(ctx)
	if err != nil {
		var bad *bundle.Error
		if !errors.As(err, &bad) {
			return nil, fmt.Errorf("read the settings in force: %w", err)
		}
		cfg.Log.Error("the last proven settings cannot be used; the program's own rules are in force", "error", err)
		if err := cfg.Store.DropProvenSettings(ctx); err != nil {
			return nil, err
		}
		r = settings.Builtin(cfg.Base)
	}
	c.now.Store(&r)
	return c, nil
}

// Rules are what is in force now.
func (c *Control) Rules() settings.Rules { return *c.now.Load() }

// OnChange has f called with the rules each time they change, and once now. It
// must be called before Run.
func (c *Control) OnChange(f func(settings.Rules)) {
	c.heard = append(c.heard, f)
	f(c.Rules())
}

// use puts rules in force, for everybody at once.
func (c *Control) use(r settings.Rules) {
	c.now.Store(&r)
	for _, f := range c.heard {
		f(r)
	}
}

// Ring tells that a bundle may have come. It never blocks.
func (c *Control) Ring() {
	select {
	case c.bell <- struct{}{}:
	default:
	}
}

// Run judges what waits and what comes, and lets go of what is past its time,
// until ctx ends.
func (c *Control) Run(ctx context.Context) {
	for {
		if err := c.judge(ctx); err != nil && ctx.Err() == nil {
			c.cfg.Log.Error("settings could not be kept; they will be looked at again", "error", err)
			c.cfg.Fault(err)
		}
		if err := c.retain(ctx); err != nil && ctx.Err() == nil {
			c.cfg.Log.Error("not all that is past its time of retention could be let go; it is tried again", "error", err)
			c.cfg.Fault(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-c.bell:
		case <-c.cfg.Wake:
		}
	}
}

// At says where this PC stands, for the hub and the status page.
func (c *Control) At(ctx context.Context) (wire.SettingsAt, error) {
	s, err := c.cfg.Store.Settings(ctx)
	return wire.SettingsAt{
		Root: len(c.cfg.Root()) > 0, Held: s.Candidate, Applied: c.Rules().Number, Proven: s.Proven, Refused: s.Refused, Code: s.Code, Say: s.Say,
	}, err
}

// proven reads the last proven bundle; without one, the program's own rules.
func (c *Control) proven(ctx context.Context) (settings.Rules, error) {
	box, err := c.cfg.Store.ProvenSettings(ctx)
	if err != nil {
		return settings.Rules{}, err
	}
	if box == "" {
		return settings.Builtin(c.cfg.Base), nil
	}
	_, r, err := c.read(box)
	return r, err
}

// read opens a bundle and reads what is in it. Its errors are *bundle.Error.
func (c *Control) read(box string) (bundle.Opened, settings.Rules, error) {
	b, err := bundle.Open(box, c.cfg.Root())
	if err != nil {
		return b, settings.Rules{}, err
	}
	r, err := settings.Read(b.Number, b.Texts())
	if err != nil {
		return b, r, bundle.Refuse(bundle.Contents, err)
	}
	r.IssuedMs, r.ExpiresMs = b.Issued, b.Expires
	return b, r, nil
}
