package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"time"

	"condica/hub/serve"
	"condica/spclep"
)

type serveCmd struct {
	place
	Listen  string `default:"127.0.0.1:8443" help:"host:port for the PCs; port 0 is any free one."`
	Console string `placeholder:"HOST:PORT" help:"Serve IT's pages on this loopback address."`
	Public  string `placeholder:"URL" help:"https://name:port by which PCs reach the hub, if not where it listens."`
	Plain   bool   `help:"No TLS: for use behind a reverse proxy that ends it."`
	JSON    bool   `name:"json" help:"Say in JSON when ready, and log in JSON."`
}

func (c *serveCmd) Run(ctx context.Context, out io.Writer) error {
	clock, err := c.clock()
	if err != nil {
		return err
	}
	if u, err := url.Parse(c.Public); c.Public != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return wrongUse("--public %q: want https://name:port", c.Public)
	}
	h, err := serve.Start(ctx, serve.Options{
		Data: c.Data, Listen: c.Listen, Console: c.Console, Public: c.Public, Plain: c.Plain, Now: clock, Log: c.log(),
	})
	if err != nil {
		return err
	}
	if err := c.ready(out, h); err != nil {
		h.Close()
		return err
	}
	select {
	case <-ctx.Done():
		return h.Close()
	case err := <-h.Failed():
		h.Close()
		return fmt.Errorf("the hub stopped: %w", err)
	}
}

func (c *serveCmd) log() *slog.Logger {
	if c.JSON {
		return slog.New(slog.NewJSONHandler(os.Stderr, nil))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, nil))
}

func (c *serveCmd) ready(out io.Writer, h *serve.Running) error {
	if c.JSON {
		return printJSON(out, struct {
			Hub     string `json:"hub"`
			Console string `json:"console,omitempty"`
			PID     int    `json:"pid"`
		}{h.URL, h.Console, os.Getpid()})
	}
	_, err := fmt.Fprintf(out, "the hub answers at %s", h.URL)
	if err == nil && h.Console != "" {
		_, err = fmt.Fprintf(out, ", its pages are at %s", h.Console)
	}
	if err == nil {
		_, err = fmt.Fprintln(out)
	}
	return err
}

type tokenCmd struct {
	New tokenNewCmd `cmd:"" help:"Print a token with which one PC enrols once."`
}

type tokenNewCmd struct {
	place
	Office string        `required:"" help:"The office, such as covasna."`
	For    time.Duration `default:"48h" help:"How long the token may be used."`
	Hub    string        `placeholder:"URL" help:"The hub's address, if not where it last ran."`
	JSON   bool          `name:"json"`
}

func (c *tokenNewCmd) Run(ctx context.Context, out io.Writer) error {
	if c.For <= 0 {
		return wrongUse("--for %s: want a time such as 48h", c.For)
	}
	clock, err := c.clock()
	if err != nil {
		return err
	}
	t, err := serve.NewToken(ctx, serve.Options{Data: c.Data, Now: clock}, spclep.OfficeID(c.Office), c.For, c.Hub)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(out, map[string]any{"token": t.String(), "office": t.Office, "hub": t.Hub, "expires": at(t.Expires)})
	}
	_, err = fmt.Fprintln(out, t)
	return err
}
