package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"

	"condica/agent/api"
	"condica/sync/wire"
)

// carryCmd is the way out where the line is dead for days.
type carryCmd struct {
	Out carryOutCmd `cmd:"" help:"Write what waits, signed, into a file for the hub (condica-hub carry)."`
	In  carryInCmd  `cmd:"" help:"Take the hub's answer."`
}

// carrying is common to both: it is the running service that writes and reads.
type carrying struct {
	service
	File string `arg:"" placeholder:"FILE"`
	By   string `placeholder:"NAME" help:"Who carries it; it stands in the trace."`
}

type carryOutCmd struct{ carrying }

func (c *carryOutCmd) Run(e *env) error {
	// Before anything is sealed: a file that is there may still be on its way.
	f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already, and is not written over", c.File)
	}
	if err != nil {
		return err
	}
	said, raw, err := ask[api.CarriedOut](e, c.quiet(), "POST", "carry/out", api.CarryRequest{By: c.By})
	if err == nil {
		_, err = f.Write(said.File)
	}
	if err == nil {
		err = f.Sync() // before the stick is pulled out
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(c.File))
	}
	if c.JSON {
		return ready(e.Out, true, map[string]any{"file": c.File, "number": said.Number, "edits": said.Edits, "left": said.Left, "untimed": said.Untimed}, "")
	}
	c.answer(e, raw, func(w io.Writer) { printCarriedOut(w, c.File, said) })
	return nil
}

// quiet prints no answer of the service: it would be the file.
func (c carrying) quiet() service { return service{Data: c.Data} }

func printCarriedOut(w io.Writer, file string, c api.CarriedOut) {
	fmt.Fprintf(w, "%s holds request %d with %d edits. It is not encrypted: carry it like a paper register.\n", file, c.Number, c.Edits)
	if c.Left > 0 {
		fmt.Fprintf(w, "%d edits are left, for which the file had no room: once the hub has answered, make another file\n", c.Left)
	}
	if c.Untimed > 0 {
		fmt.Fprintf(w, "%d edits stay here: nobody knows when they were made. Tell the hour first, at the top of the desk's pages\n", c.Untimed)
	}
}

type carryInCmd struct{ carrying }

func (c *carryInCmd) Run(e *env) error {
	file, err := carriedFile(c.File)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	said, raw, err := ask[api.CarriedIn](e, c.service, "POST", "carry/in?"+url.Values{"by": {c.By}}.Encode(), file)
	if err != nil {
		return err
	}
	c.answer(e, raw, func(w io.Writer) { printCarriedIn(w, said) })
	return nil
}

// carriedFile reads a file that may be anything, of any length.
func carriedFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	file, err := io.ReadAll(io.LimitReader(f, wire.MaxCarriedFile+1))
	if err == nil && len(file) > wire.MaxCarriedFile {
		err = wire.TooLarge()
	}
	return file, err
}

func printCarriedIn(w io.Writer, c api.CarriedIn) {
	fmt.Fprintf(w, "the hub's answer is taken: %d edits of others are new here, %d of this PC's wait\n", c.Pulled, c.Unsent)
	for _, say := range []struct {
		is  bool
		say string
	}{
		{c.Stale, "it is older than what this PC has heard of the hub since"},
		{c.Refused > 0, fmt.Sprintf("the hub has refused %d edits; condica queue lists them", c.Refused)},
		{c.More, "the hub has more to say than this file held: carry once more"},
		{c.Rekey, "this PC needs another key, which it gets when the line is back"},
	} {
		if say.is {
			fmt.Fprintln(w, say.say)
		}
	}
}
