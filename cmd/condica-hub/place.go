package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"condica/hub"
	"condica/hub/store/sqlite"
	"condica/spclep"
)

// place is the data folder, and the clock commands go by.
type place struct {
	Data string `required:"" placeholder:"DIR" help:"The hub's data folder."`
	Now  string `placeholder:"RFC3339" help:"Let the clock start at this instant; for tests and demonstrations."`
}

// clock starts at --now and runs from there.
func (p place) clock() (func() time.Time, error) {
	if p.Now == "" {
		return time.Now, nil
	}
	at, err := time.Parse(time.RFC3339, p.Now)
	if err != nil {
		return nil, wrongUse("--now %q: want an instant such as 2026-11-24T09:00:00+02:00", p.Now)
	}
	start := time.Now()
	return func() time.Time { return at.Add(time.Since(start)) }, nil
}

// open opens the hub's store for one command; the running hub may have it open
// too.
func (p place) open(ctx context.Context) (*hub.Server, func() error, error) {
	clock, err := p.clock()
	if err != nil {
		return nil, nil, err
	}
	ref, err := spclep.Builtin()
	if err != nil {
		return nil, nil, err
	}
	s, err := p.store(ctx)
	if err != nil {
		return nil, nil, err
	}
	h, err := hub.New(ctx, hub.Config{Store: s, Now: func() int64 { return clock().UnixMilli() }, Reference: ref})
	if err != nil {
		s.Close()
		return nil, nil, err
	}
	return h, func() error { h.Close(); return s.Close() }, nil
}

// store opens the data alone.
func (p place) store(ctx context.Context) (*sqlite.Store, error) {
	// A mistyped folder must not become an empty hub that answers "nothing here".
	if _, err := os.Stat(filepath.Join(p.Data, sqlite.DBName)); err != nil {
		return nil, fmt.Errorf("there is no hub in %s; condica-hub serve --data makes one", p.Data)
	}
	return sqlite.Open(ctx, p.Data)
}

// with runs f with the hub open.
func (p place) with(ctx context.Context, f func(*hub.Server) error) (err error) {
	h, done, err := p.open(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if closing := done(); err == nil {
			err = closing
		}
	}()
	return f(h)
}

func printJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// at writes an instant as people and programs read it.
func at(ms int64) string {
	if ms == 0 {
		return ""
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z")
}

// refusal puts the rule's Romanian sentence beside ours.
func refusal(err error) error {
	if r, ok := spclep.Refused(err); ok && r.Text != "" {
		return fmt.Errorf("%w: %s", err, strings.TrimSuffix(r.Text, "."))
	}
	return err
}
