package service

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

// A Notifier is the running program's word to whoever watches it.
type Notifier interface {
	// Say tells in one line what the service is doing, such as "opening the
	// replica". It is shown by the service manager.
	Say(text string)
	// Watch gives the check by which the service is alive from now on; until
	// then, while the replica is opened or mended, it counts as alive. A service
	// that fails it for two minutes is ended and started again.
	Watch(check func(context.Context) error)
}

// Work is a program that runs until its ctx ends.
type Work func(ctx context.Context, n Notifier) error

// How long a program may take to end when it is asked to, before its process
// is ended hard: a commit is on disk when the clerk sees it, so nothing is
// lost by that. When the PC shuts down, Windows itself waits some 5 s only.
const (
	hardExit         = 15 * time.Second
	hardExitShutdown = 4 * time.Second
	aliveWithin      = 2 * time.Minute // WatchdogSec of the unit, and the same on Windows
)

// Run runs work, under the service manager if that started this process and
// in the foreground otherwise. The manager is told "running" before work
// begins: opening and mending a replica may take longer than any manager waits.
func Run(ctx context.Context, name string, work Work) error {
	if underWindows() {
		return runWindows(ctx, name, work)
	}
	n := newTeller(notify)
	n.tell("READY=1")
	return carry(ctx, n, hardExit, work)
}

// carry runs work with the watchdogs around it.
func carry(ctx context.Context, n *teller, within time.Duration, work Work) error {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	go n.watch(watching)

	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-ended:
			return
		case <-ctx.Done():
		}
		n.tell("STOPPING=1")
		exitAfter(within, ended)
	}()
	return work(ctx, n)
}

// exitAfter ends the process hard unless ended comes first.
func exitAfter(within time.Duration, ended <-chan struct{}) {
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-ended:
	case <-late.C:
		fmt.Fprintf(os.Stderr, "condica: not ended %s after it was asked to; ending hard\n", within)
		os.Exit(1)
	}
}

// A teller is the Notifier: it passes lines of sd_notify(3) on.
type teller struct {
	tell  func(line string)
	every time.Duration // between two signs of life; 0: nobody watches
	dead  func()        // called when there was none for aliveWithin; nil: systemd sees to it
	check atomic.Pointer[func(context.Context) error]
}

func newTeller(tell func(string)) *teller { return &teller{tell: tell, every: watchdogEvery()} }

func (t *teller) Say(text string) { t.tell("STATUS=" + text) }

func (t *teller) Watch(check func(context.Context) error) { t.check.Store(&check) }

// watch gives a sign of life as long as the check passes. It counts failed
// checks and not the time: a PC that wakes from sleep has missed hours.
func (t *teller) watch(ctx context.Context) {
	if t.every <= 0 {
		return
	}
	tick := time.NewTicker(t.every)
	defer tick.Stop()
	for failed := time.Duration(0); ; failed += t.every {
		if err := t.alive(ctx); err == nil {
			t.tell("WATCHDOG=1")
			failed = 0
		} else if ctx.Err() == nil {
			t.Say("the desk does not answer: " + err.Error())
		}
		if failed >= aliveWithin && t.dead != nil {
			t.dead()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (t *teller) alive(ctx context.Context) error {
	check := t.check.Load()
	if check == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, t.every)
	defer cancel()
	return (*check)(ctx)
}
