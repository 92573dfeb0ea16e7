// Package clerk tells who works at the desk: it holds a PIN against its
// verifier, lets those who guess wait, and knows who is signed in until they go
// or nobody has worked for a while. It reads no clock, opens no file and draws
// nothing by itself, believes no name that came without a PIN, and forgets no
// wrong try because the service was started anew.
package clerk

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	"condica/spclep/settings"
	"condica/sync/hlc"
)

// A Store keeps what must outlive the service.
type Store interface {
	Tries(ctx context.Context, who string) (n int, last hlc.Reading, err error)
	SetTries(ctx context.Context, who string, n int, last hlc.Reading) error
	PIN(ctx context.Context, who string) (replaces, verifier string, err error)
	SetPIN(ctx context.Context, who, replaces, verifier string) error
	Trace(ctx context.Context, what, by, about string) error
}

// Kinds of traces that are written here.
const (
	SignedIn   = "signed-in"
	SignedOut  = "signed-out"
	Locked     = "locked"      // nobody worked for the time that the centre has set
	WrongPIN   = "wrong-pin"   // about the name it was tried with
	Waits      = "waits"       // a wait begins for the name it is about
	WaitLifted = "wait-lifted" // by the head of service
	PINChanged = "pin-changed"
)

// Config of a Roster. Nothing in it may be nil.
type Config struct {
	Store  Store
	Now    func() hlc.Reading
	Random func([]byte)           // fills with bytes nobody can guess
	Secret func() string          // a fresh text nobody can guess
	Pepper func() ([]byte, error) // the PC's own secret, made on first use
	Fault  func(error)            // is told what could not be written; work goes on
}

// A Roster is who may sign in on this PC and who is. It is safe for many
// goroutines.
type Roster struct {
	cfg Config

	pins   chan struct{}    // held while a PIN is looked at: one Argon2 at a time, and its count with it
	counts map[string]tries // under pins: the Store's, and what it could not take

	mu   sync.Mutex
	open map[string]*session
}

// New makes a Roster on which nobody is signed in.
func New(cfg Config) *Roster {
	return &Roster{cfg: cfg, pins: make(chan struct{}, 1), counts: map[string]tries{}, open: map[string]*session{}}
}

// Accounts are the clerks who can sign in; none: the office has no accounts.
func Accounts(all []settings.Clerk) []settings.Clerk {
	return slices.DeleteFunc(slices.Clone(all), func(c settings.Clerk) bool { return c.PIN == "" })
}

// Find is the account of a name.
func Find(accounts []settings.Clerk, name string) (settings.Clerk, bool) {
	i := slices.IndexFunc(accounts, func(c settings.Clerk) bool { return c.PIN != "" && c.Name == name })
	if i < 0 {
		return settings.Clerk{}, false
	}
	return accounts[i], true
}

// A RefusedError is a PIN that does not fit the name, or one that was not looked
// at because it came within a wait. It never says whether there is such a name.
type RefusedError struct {
	Wrong bool          // it was looked at
	Wait  time.Duration // until the next one is; 0: at once
}

func (e *RefusedError) Error() string {
	if e.Wrong {
		return fmt.Sprintf("name and PIN do not fit each other; wait %s", e.Wait)
	}
	return fmt.Sprintf("after wrong PINs, wait %s", e.Wait)
}

// Check holds a PIN against the account of a name. The error is a *RefusedError
// where they do not fit, or fit too late.
func (r *Roster) Check(ctx context.Context, accounts []settings.Clerk, name, pin string) (settings.Clerk, error) {
	if err := r.lock(ctx); err != nil {
		return settings.Clerk{}, err
	}
	defer r.unlock()
	return r.check(ctx, accounts, name, pin)
}

func (r *Roster) lock(ctx context.Context) error {
	select {
	case r.pins <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Roster) unlock() { <-r.pins }

// check is called with pins held.
func (r *Roster) check(ctx context.Context, accounts []settings.Clerk, name, pin string) (settings.Clerk, error) {
	// The browser may go away half-way; the try has been made all the same.
	ctx = context.WithoutCancel(ctx)
	account, known := Find(accounts, name)
	row, about := oneClerk+name, name
	if !known {
		row, about = stranger, ""
	}
	if wait, err := r.waits(ctx, row); err != nil || wait > 0 {
		return settings.Clerk{}, orRefused(err, wait)
	}
	if err := r.count(ctx, row); err != nil {
		return settings.Clerk{}, err
	}
	right, err := r.fits(ctx, account, known, pin)
	if err != nil {
		return settings.Clerk{}, err
	}
	if right {
		return account, r.forgive(ctx, row)
	}
	r.trace(ctx, WrongPIN, "", about)
	wait, err := r.waits(ctx, row)
	if wait > 0 {
		r.trace(ctx, Waits, "", about)
	}
	if err != nil {
		return settings.Clerk{}, err
	}
	return settings.Clerk{}, &RefusedError{Wrong: true, Wait: wait}
}

func orRefused(err error, wait time.Duration) error {
	if err != nil {
		return err
	}
	return &RefusedError{Wait: wait}
}

// fits holds the PIN against the verifier that counts: the one chosen here, as
// long as the centre's that it replaces is in force; else the centre's.
func (r *Roster) fits(ctx context.Context, account settings.Clerk, known bool, pin string) (bool, error) {
	if !known {
		fits(pin, nobody())
		return false, nil
	}
	text := account.PIN
	replaces, own, err := r.cfg.Store.PIN(ctx, account.Name)
	if err != nil {
		return false, err
	}
	if own != "" {
		pepper, err := r.cfg.Pepper()
		if err != nil {
			return false, err
		}
		if replaces == tie(pepper, account) {
			text, pin = own, peppered(pepper, pin)
		}
	}
	v, err := settings.ParseVerifier(text)
	if err != nil {
		return false, fmt.Errorf("the PIN of an account: %w", err)
	}
	return fits(pin, v), nil
}

// tie names the account's verifier from the centre, and the PC's secret with it:
// where either has changed, a PIN chosen before counts no more.
func tie(pepper []byte, account settings.Clerk) string {
	return hex.EncodeToString(keyed(pepper, "condica pin tie 1\n"+account.Name+"\n"+account.PIN))
}

// Change replaces the PIN of a clerk on this PC. The error is a *RefusedError
// for a wrong old one; ErrLength, ErrPlain or ErrSame for one that is not taken.
// Elsewhere on this PC the clerk is signed out; id stays.
func (r *Roster) Change(ctx context.Context, accounts []settings.Clerk, name, old, pin, id string) error {
	if err := checkChosen(pin, old); err != nil {
		return err
	}
	if err := r.lock(ctx); err != nil {
		return err
	}
	defer r.unlock()
	account, err := r.check(ctx, accounts, name, old)
	if err != nil {
		return err
	}
	pepper, err := r.cfg.Pepper()
	if err != nil {
		return err
	}
	v := Make(peppered(pepper, pin), r.cfg.Random)
	if err := r.cfg.Store.SetPIN(ctx, name, tie(pepper, account), v.String()); err != nil {
		return err
	}
	r.endOthers(name, id)
	r.trace(ctx, PINChanged, name, "")
	return nil
}

// Lift ends a clerk's wait, by a head of service's word.
func (r *Roster) Lift(ctx context.Context, accounts []settings.Clerk, name, by string) error {
	if _, known := Find(accounts, name); !known {
		return fmt.Errorf("there is no account of that name")
	}
	if err := r.lock(ctx); err != nil {
		return err
	}
	defer r.unlock()
	if err := r.forgive(ctx, oneClerk+name); err != nil {
		return err
	}
	r.trace(ctx, WaitLifted, by, name)
	return nil
}

// A Waiting is a clerk who has to wait.
type Waiting struct {
	Name string
	For  time.Duration
}

// Waiting are the clerks who have to wait on this PC for their own wrong PINs.
func (r *Roster) Waiting(ctx context.Context, accounts []settings.Clerk) (out []Waiting, err error) {
	if err := r.lock(ctx); err != nil {
		return nil, err
	}
	defer r.unlock()
	for _, a := range accounts {
		t, err := r.tried(ctx, oneClerk+a.Name)
		if err != nil {
			return nil, err
		}
		if wait := t.wait(r.cfg.Now()); wait > 0 {
			out = append(out, Waiting{a.Name, wait})
		}
	}
	return out, nil
}

func (r *Roster) trace(ctx context.Context, what, by, about string) {
	if err := r.cfg.Store.Trace(context.WithoutCancel(ctx), what, by, about); err != nil {
		r.cfg.Fault(err)
	}
}
