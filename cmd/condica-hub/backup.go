package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"condica/hub/serve"
)

type backupCmd struct {
	place
	To string `required:"" placeholder:"FILE" help:"A file that is not there yet. It holds the hub's keys too: keep it closed to others."`
}

// Run copies the hub's whole database while the hub goes on working.
func (c *backupCmd) Run(ctx context.Context, out io.Writer) (err error) {
	s, err := c.store(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if closing := s.Close(); err == nil {
			err = closing
		}
	}()
	if err := s.Backup(ctx, c.To); err != nil {
		return fmt.Errorf("nothing is backed up: %w", err)
	}
	heads, err := s.Heads(ctx)
	if err != nil {
		return err
	}
	edits := int64(0)
	for _, head := range heads {
		edits += head
	}
	_, err = fmt.Fprintf(out, "%s holds the whole hub: %d edits of %d offices, and its keys\n", c.To, edits, len(heads))
	return err
}

type keysCmd struct {
	place
	To   string `placeholder:"FILE" help:"Write the hub's keys into this file, which is not there yet."`
	From string `placeholder:"FILE" help:"Let the hub of the data folder, where none has run yet, have the keys of this file."`
}

const maxKeys = 1 << 20 // bytes

// Run takes the hub's keys out of a data folder, or into one.
func (c *keysCmd) Run(ctx context.Context, out io.Writer) error {
	switch {
	case (c.To == "") == (c.From == ""):
		return wrongUse("give either --to FILE, to write the keys down, or --from FILE, to take them over")
	case c.From != "":
		return c.takeOver(ctx, out)
	}
	text, err := serve.Keys(ctx, c.Data)
	if err != nil {
		return err
	}
	if err := writeNew(c.To, text, 0o600); err != nil {
		if os.IsExist(err) {
			err = fmt.Errorf("%s is there already, and keys are not written over others", c.To)
		}
		return err
	}
	_, err = fmt.Fprintf(out, "%s holds the hub's keys: whoever has it can be the hub. Keep it offline, away from the backups\n", c.To)
	return err
}

func (c *keysCmd) takeOver(ctx context.Context, out io.Writer) error {
	text, err := readUpTo(c.From, maxKeys)
	if err != nil {
		return err
	}
	if err := serve.TakeKeys(ctx, c.Data, []byte(text)); err != nil {
		return fmt.Errorf("%s is not taken over: %w", c.From, err)
	}
	_, err = fmt.Fprintf(out, "the hub in %s has the keys of %s; PCs know it by them\n", c.Data, c.From)
	return err
}
