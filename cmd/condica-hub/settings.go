package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"condica/hub"
	"condica/sync/bundle"
)

type settingsCmd struct {
	InitKeys initKeysCmd `cmd:"" name:"init-keys" help:"Make IT's root key, or go on with it, and a signing key that it certifies."`
	Sign     signCmd     `cmd:"" help:"Sign a folder of settings as a numbered bundle."`
	Publish  publishCmd  `cmd:"" help:"Check a signed bundle wholly, and offer it to the PCs it is for."`
	Status   settingsAt  `cmd:"" help:"What is published, and where each PC stands."`
}

type publishCmd struct {
	place
	Bundle string `required:"" placeholder:"FILE" help:"As settings sign made it."`
	JSON   bool   `name:"json"`
}

func (c *publishCmd) Run(ctx context.Context, out io.Writer) error {
	box, err := readUpTo(c.Bundle, bundle.MaxBox)
	if err != nil {
		return err
	}
	return c.with(ctx, func(h *hub.Server) error {
		b, err := h.PublishSettings(ctx, box)
		if err != nil {
			return fmt.Errorf("%s is not published: %w", c.Bundle, err)
		}
		if c.JSON {
			return printJSON(out, map[string]any{"number": b.Number, "target": b.Target})
		}
		_, err = fmt.Fprintf(out, "bundle %d is offered to %s\n", b.Number, aim(b.Target))
		return err
	})
}

func aim(target string) string {
	if target == bundle.National {
		return "every office"
	}
	return "office " + target
}

// readUpTo reads a file that may not be longer than a limit.
func readUpTo(name string, limit int64) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		var p *os.PathError
		if errors.As(err, &p) {
			err = fmt.Errorf("%s: %w", name, p.Err)
		}
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("longer than %d bytes", limit)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return string(text), nil
}

type settingsAt struct {
	place
	JSON bool `name:"json"`
}

func (c *settingsAt) Run(ctx context.Context, out io.Writer) error {
	return c.with(ctx, func(h *hub.Server) error {
		newest, pcs, err := h.SettingsStatus(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(out, map[string]any{"published": newest, "pcs": pcs})
		}
		if len(newest) == 0 {
			fmt.Fprintln(out, "nothing is published: every PC goes by the rules built into its program")
		}
		for _, p := range newest {
			fmt.Fprintf(out, "bundle %d for %s, published %s, signed by %s%s%s\n", p.Number, aim(p.Target), at(p.PublishedMs), cmp.Or(p.Key, "?"), expiry(p), p.Say)
		}
		for _, p := range pcs {
			if _, err := fmt.Fprintf(out, "%-10s  desk %d  %-12s  %s\n", p.Office, p.Desk, p.Name, where(p)); err != nil {
				return err
			}
		}
		return nil
	})
}

func expiry(p hub.PublishedSettings) string {
	switch {
	case p.ExpiresMs == 0:
		return ""
	case p.Expired:
		return ", expired " + at(p.ExpiresMs)
	}
	return ", expires " + at(p.ExpiresMs)
}

// where says in one line how a PC stands.
func where(p hub.PCSettings) string {
	say := fmt.Sprintf("desired %d, applied %d, proven %d", p.Desired, p.Applied, p.Proven)
	switch {
	case p.Refused != 0 && p.Refused >= p.Desired && !p.InStep:
		say += fmt.Sprintf("; refused %d: %s: %s", p.Refused, p.Code, p.Say)
	case p.InStep:
		say += "; in step"
	case !p.Root && p.LastMs != 0:
		say += "; it knows no root key yet"
	default:
		say += "; not fetched yet"
	}
	return say + "; last contact " + cmp.Or(at(p.LastMs), "never")
}
