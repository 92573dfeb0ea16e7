package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"time"

	"condica/agent"
	"condica/agent/api"
	svc "condica/installer/service"
)

// version is set by the build (make build); a plain go build takes it from the
// repository.
var version string

// builtAt is the time of the build's commit in Unix seconds, set by the build:
// one of the moments it may be now when a PC's clock is wrong.
var builtAt string

// zone is the wall clock of every office.
const zone = "Europe/Bucharest"

type runCmd struct {
	Data   string `help:"Data folder." default:"${data}" placeholder:"DIR"`
	Listen string `help:"Loopback address of the desk's pages." default:"127.0.0.1:8470" placeholder:"HOST:PORT"`
	Bundle string `help:"Folder of a reference bundle; the built-in one if left out." placeholder:"DIR"`

	NoTicket bool `help:"Let every browser on this PC in, whoever opened it; for demos and tests."`

	Now  string `help:"Start the process's clock at this instant (RFC 3339), for tests and demos." placeholder:"TIME"`
	JSON bool   `name:"json" help:"Print one line of JSON when ready, and log as JSON."`
}

// Run serves under the system's service manager and in the foreground alike.
func (c *runCmd) Run(e *env) error {
	return svc.Run(e.Ctx, svc.Name, func(ctx context.Context, n svc.Notifier) error { return c.serve(ctx, e, n) })
}

func (c *runCmd) serve(ctx context.Context, e *env, n svc.Notifier) error {
	o, err := c.options(e.Err)
	if err != nil {
		return err
	}
	n.Say("opening the replica")
	a, err := agent.Start(ctx, o)
	if err != nil {
		return err
	}
	n.Watch(svc.Answers(a.URL()))
	n.Say("the desk is open at " + a.URL())
	// Under the Windows service manager there is no output to write to; a desk
	// does not close for that.
	if err := ready(e.Out, c.JSON, map[string]any{"desk": a.URL(), "pid": os.Getpid()}, "The desk is open at "+a.URL()); err != nil {
		o.Log.Debug("nobody reads that the desk is open", "error", err)
	}
	select {
	case <-ctx.Done():
	case <-a.Asked():
	case err := <-a.Failed():
		// The service manager starts it anew, and the start mends.
		n.Say("ending to be started anew: " + err.Error())
		return errors.Join(err, a.Close())
	}
	n.Say("closing")
	return a.Close()
}

func (c *runCmd) options(log io.Writer) (agent.Options, error) {
	shift, err := shiftTo(c.Now)
	if err != nil {
		return agent.Options{}, err
	}
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return agent.Options{}, err
	}
	dir, err := filepath.Abs(c.Data)
	if err != nil {
		return agent.Options{}, err
	}
	v, built := build()
	return agent.Options{
		Dir: dir, Listen: c.Listen, Bundle: c.Bundle, Clock: agent.NewClock(shift), Zone: loc,
		Version: v, Built: built, Log: slog.New(svc.LogHandler(svc.Name, logger(log, c.JSON).Handler())), Tickets: !c.NoTicket, OpenDir: openDir(dir),
	}, nil
}

// logger writes everything it is given: how much that is, the agent decides by
// the centre's settings.
func logger(w io.Writer, asJSON bool) *slog.Logger {
	all := &slog.HandlerOptions{Level: slog.LevelDebug}
	if asJSON {
		return slog.New(slog.NewJSONHandler(w, all))
	}
	return slog.New(slog.NewTextHandler(w, all))
}

// ready prints the one line that scripts wait for.
func ready(out io.Writer, asJSON bool, fields map[string]any, plain string) error {
	if !asJSON {
		_, err := fmt.Fprintln(out, plain)
		return err
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", text)
	return err
}

// shiftTo is how far the wall clock must be moved to show that instant now.
func shiftTo(instant string) (time.Duration, error) {
	if instant == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339, instant)
	if err != nil {
		return 0, &usageError{fmt.Errorf("--now %q: want a time such as 2026-11-23T09:40:00+02:00", instant)}
	}
	return time.Until(t), nil
}

// build tells version and time of this program.
func build() (v string, built time.Time) {
	v = version
	if at, err := strconv.ParseInt(builtAt, 10, 64); err == nil {
		built = time.Unix(at, 0)
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v, built
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.time":
			if at, err := time.Parse(time.RFC3339, s.Value); err == nil {
				built = at
			}
		case "vcs.revision":
			if v == "" && len(s.Value) >= 12 {
				v = s.Value[:12]
			}
		}
	}
	return v, built
}

// defaultDir is where the installed service keeps its data.
func defaultDir() string { return svc.DataDir() }

type versionCmd struct{}

func (versionCmd) Run(e *env) error {
	v, _ := build()
	if v == "" {
		v = "unversioned"
	}
	_, err := fmt.Fprintf(e.Out, "condica %s %s/%s %s\n", v, runtime.GOOS, runtime.GOARCH, runtime.Version())
	return err
}

type enrollCmd struct {
	Data  string `help:"Data folder." default:"${data}" placeholder:"DIR"`
	Token string `help:"The one-time token, as the hub printed it." required:"" placeholder:"TOKEN"`
	Now   string `help:"Start the process's clock at this instant (RFC 3339), for tests and demos." placeholder:"TIME"`
	JSON  bool   `name:"json" help:"Print the result as JSON."`
}

// Run asks the running service to enrol, or does it itself where none runs.
func (c *enrollCmd) Run(e *env) error {
	r, err := c.enroll(e)
	if err != nil {
		return err
	}
	plain := fmt.Sprintf("Enrolled in office %s as desk %d.", r.Office, r.Desk)
	if r.Pending {
		plain = fmt.Sprintf("The hub cannot be reached now (%s). The token is kept; the service will enrol by itself.", r.Say)
	}
	fields := map[string]any{"office": r.Office, "desk": r.Desk, "device": r.Device, "pending": r.Pending}
	return ready(e.Out, c.JSON, fields, plain)
}

func (c *enrollCmd) enroll(e *env) (api.EnrollResult, error) {
	dir, err := filepath.Abs(c.Data)
	if err != nil {
		return api.EnrollResult{}, err
	}
	if running(dir) {
		return enrollThrough(e, dir, c.Token)
	}
	o, err := (&runCmd{Data: dir, Listen: "127.0.0.1:0", Now: c.Now}).options(io.Discard)
	if err != nil {
		return api.EnrollResult{}, err
	}
	a, err := agent.Start(e.Ctx, o)
	if err != nil {
		return api.EnrollResult{}, err
	}
	r, err := a.Enroll(e.Ctx, c.Token)
	return r, errors.Join(err, a.Close())
}
