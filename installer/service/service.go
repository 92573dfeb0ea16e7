// Package service registers the agent with the system's service manager,
// starts, stops and removes it there, and carries a running program under it.
// It knows two managers, systemd and the Windows service control manager, and
// touches no office's data beyond making the folder and leaving a token in it.
package service

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"
)

// What the service is called by the system and by people who look for it.
const (
	Name        = "condica"
	display     = "Condica"
	description = "Keeps this office's bookings on this PC, also while the line to the centre is down."
)

// A Config is what a PC's service is registered with.
type Config struct {
	Exe string // absolute path of the program
}

func (c Config) check() error {
	if !filepath.IsAbs(c.Exe) { // a service starts in the system's folder, not here
		return fmt.Errorf("program %q: want an absolute path", c.Exe)
	}
	return nil
}

// A State is where the service stands with its manager.
type State string

// The states.
const (
	Absent   State = "absent" // not registered
	Stopped  State = "stopped"
	Starting State = "starting"
	Running  State = "running"
	Stopping State = "stopping"
	Failed   State = "failed" // it ended by itself; the manager will start it again, or has given up
)

// A Standing is what the manager says of the service.
type Standing struct {
	State State  `json:"state"`
	PID   int    `json:"pid,omitempty"`
	Doing string `json:"doing,omitempty"` // what the service said last of itself; empty: nothing, or the manager keeps no such word
}

// Errors that a script may want to tell apart.
var (
	ErrAbsent = errors.New("the service is not installed on this PC")
	ErrRights = errors.New("this needs the rights of an administrator")
	ErrLate   = errors.New("the service manager was not done in time")
)

// Deadlines for what the manager is asked to do.
const (
	startWithin  = 30 * time.Second
	stopWithin   = 30 * time.Second // twice what the program gives itself, see hardExit
	removeWithin = 30 * time.Second
	lookEvery    = 100 * time.Millisecond
)

// Install registers the service to start with the PC, with its account, its
// folder and what is to happen when it fails. On a PC that has it already it
// puts right what differs. changed tells whether anything had to be done.
func Install(ctx context.Context, c Config) (changed bool, err error) {
	if err := c.check(); err != nil {
		return false, err
	}
	if err := mayManage(); err != nil {
		return false, err
	}
	if changed, err = install(ctx, c); err != nil {
		return changed, fmt.Errorf("install the service: %w", err)
	}
	return changed, nil
}

// Prepare makes the account and the data folder only, for packages that bring
// the rest themselves.
func Prepare(ctx context.Context) error {
	if err := mayManage(); err != nil {
		return err
	}
	return prepare(ctx)
}

// Uninstall stops the service, waits until it is gone, and takes it off the
// manager's list. The data stay. A PC that has no service is fine.
func Uninstall(ctx context.Context) error {
	if err := mayManage(); err != nil {
		return err
	}
	if err := Stop(ctx); err != nil && !errors.Is(err, ErrAbsent) {
		return err
	}
	if err := remove(ctx); err != nil {
		return fmt.Errorf("uninstall the service: %w", err)
	}
	return await(ctx, removeWithin, Absent)
}

// Start starts the service and returns when the manager counts it as running;
// the desk opens after that. A running service is fine.
func Start(ctx context.Context) error {
	switch st, err := standing(ctx); {
	case err != nil:
		return err
	case st.State == Absent:
		return ErrAbsent
	case st.State == Running:
		return nil
	}
	if err := mayManage(); err != nil {
		return err
	}
	if err := start(ctx); err != nil {
		return fmt.Errorf("start the service: %w", err)
	}
	return await(ctx, startWithin, Running)
}

// Stop stops the service and waits until its process is gone. A stopped
// service is fine.
func Stop(ctx context.Context) error {
	switch st, err := standing(ctx); {
	case err != nil:
		return err
	case st.State == Absent:
		return ErrAbsent
	case st.State == Stopped:
		return nil
	}
	if err := mayManage(); err != nil {
		return err
	}
	if err := stop(ctx); err != nil {
		return fmt.Errorf("stop the service: %w", err)
	}
	return await(ctx, stopWithin, Stopped)
}

// Restart stops and starts.
func Restart(ctx context.Context) error {
	if err := Stop(ctx); err != nil {
		return err
	}
	return Start(ctx)
}

// Status asks the manager. Everybody may ask.
func Status(ctx context.Context) (Standing, error) { return standing(ctx) }

// await looks until the service stands as wanted. kardianos/service's own
// waits are not used: on Windows its deadline leaves a select, not the loop,
// and a service that hangs is waited for without end.
func await(ctx context.Context, within time.Duration, want State) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		st, err := standing(context.WithoutCancel(ctx))
		if err != nil {
			return err
		}
		if st.State == want || want == Stopped && st.State == Failed && st.PID == 0 {
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: after %s the service is %s, not %s", ErrLate, within, st.State, want)
		}
	}
}

// Sentence says it for people.
func (s Standing) Sentence() string {
	switch s.State {
	case Absent:
		return "the service is not installed on this PC"
	case Stopped:
		return "the service is installed and stopped"
	case Failed:
		return "the service ended by itself; the system's log has the reason"
	}
	out := fmt.Sprintf("the service is %s", s.State)
	if s.PID != 0 {
		out += fmt.Sprintf(" (process %d)", s.PID)
	}
	if s.Doing != "" {
		out += ": " + s.Doing
	}
	return out
}
