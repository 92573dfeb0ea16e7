package service

import (
	"context"
	"errors"
	"testing"
	"time"

	kardianos "github.com/kardianos/service"
)

// newProgram is one as the service control manager gets it, with an exit that
// only notes its code.
func newProgram(t *testing.T, work Work) (*program, chan int) {
	exits := make(chan int, 4)
	p := &program{work: work, ended: make(chan struct{}), log: kardianos.ConsoleLogger, exit: func(code int) { exits <- code }}
	p.ctx, p.cancel = context.WithCancel(t.Context())
	t.Cleanup(p.cancel)
	return p, exits
}

// The manager starts and stops a program that takes its time to open.
func TestManagerStartsAndStops(t *testing.T) {
	opening := make(chan struct{})
	p, exits := newProgram(t, func(ctx context.Context, n Notifier) error {
		<-opening
		<-ctx.Done()
		return nil
	})
	begin := time.Now()
	if err := p.Start(nil); err != nil || time.Since(begin) > time.Second {
		t.Errorf("Start took %s (%v): the manager gives up on that", time.Since(begin), err)
	}
	close(opening)
	if err := p.Stop(nil); err != nil {
		t.Error(err)
	}
	select {
	case code := <-exits:
		t.Errorf("a program that ended in order exited hard with %d", code)
	default:
	}
}

// An end with an error after Stop is told to the manager, which counts it.
func TestManagerIsToldOfAFault(t *testing.T) {
	fault := errors.New("the disk is full")
	p, _ := newProgram(t, func(ctx context.Context, _ Notifier) error { <-ctx.Done(); return fault })
	p.Start(nil)
	if err := p.Shutdown(nil); !errors.Is(err, fault) {
		t.Errorf("Shutdown gives %v", err)
	}
}

// Work that ends by itself ends the process, so that the recovery begins.
func TestEndByItselfIsAFailure(t *testing.T) {
	p, exits := newProgram(t, func(context.Context, Notifier) error { return errors.New("port taken") })
	p.Start(nil)
	select {
	case code := <-exits:
		if code == 0 {
			t.Error("exit code 0 is no failure")
		}
	case <-time.After(10 * time.Second):
		t.Error("the process stays, with nothing running in it")
	}
}

// A program that hangs is ended hard.
func TestHangingServiceEndsHard(t *testing.T) {
	p, exits := newProgram(t, func(ctx context.Context, _ Notifier) error { select {} })
	p.Start(nil)
	p.cancel = func() {} // else carry would end this test's process too
	if err := p.end(100 * time.Millisecond); err == nil {
		t.Error("a hanging program is said to have ended")
	}
	if code := <-exits; code == 0 {
		t.Error("exit code 0 is no failure")
	}
}

// The SID is computed before Windows has made the account. Windows' own
// TrustedInstaller has a known one.
func TestServiceSID(t *testing.T) {
	const trustedInstaller = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
	if got := serviceSID("TrustedInstaller"); got != trustedInstaller {
		t.Errorf("got %s, want %s", got, trustedInstaller)
	}
}
