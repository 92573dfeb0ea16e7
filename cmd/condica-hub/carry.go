package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"condica/hub"
	"condica/sync/hlc"
	"condica/sync/wire"
)

// carryCmd takes what a PC has written for want of a line, and answers it.
type carryCmd struct {
	place
	Request string `arg:"" placeholder:"REQUEST" help:"The file that condica carry out wrote."`
	Answer  string `arg:"" placeholder:"ANSWER" help:"A file that is not there yet, for condica carry in on the same PC."`
	JSON    bool   `name:"json"`
}

type carriedJSON struct {
	Device  hlc.Device `json:"device"`
	Name    string     `json:"name"`
	Office  string     `json:"office"`
	Edits   int        `json:"edits"`
	Refused int        `json:"refused"`
	Again   bool       `json:"again,omitempty"`
	Whole   bool       `json:"whole"`
}

func (c *carryCmd) Run(ctx context.Context, out io.Writer) error {
	request, err := readUpTo(c.Request, wire.MaxBody+4096)
	if err != nil {
		return err
	}
	return c.with(ctx, func(h *hub.Server) error {
		done, err := c.take(ctx, h, []byte(request))
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(out, carriedJSON{done.Device, done.Name, done.Office, done.Edits, done.Refused, done.Again, done.Whole})
		}
		return c.say(out, done)
	})
}

// take makes the answer's file before the hub takes anything. Where it cannot be
// written to its end the same is done again, and answered again.
func (c *carryCmd) take(ctx context.Context, h *hub.Server, request []byte) (done hub.Carried, err error) {
	f, err := os.OpenFile(c.Answer, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if os.IsExist(err) {
		return done, fmt.Errorf("%s is there already, and is not written over", c.Answer)
	}
	if err != nil {
		return done, err
	}
	if done, err = h.Carry(ctx, request, f); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return done, errors.Join(fmt.Errorf("%s: %w", c.Request, err), os.Remove(c.Answer))
	}
	return done, nil
}

func (c *carryCmd) say(out io.Writer, done hub.Carried) error {
	text := fmt.Sprintf("%d edits of the PC %s (%s) of %s are taken, %d refused; %s holds the answer, for this PC alone. It is not encrypted\n",
		done.Edits, done.Name, done.Device, done.Office, done.Refused, c.Answer)
	if done.Again {
		text += "the same file had been taken before; nothing counts twice\n"
	}
	if !done.Whole {
		text += "the office's log is longer than one file: the PC has to carry once more\n"
	}
	_, err := io.WriteString(out, text)
	return err
}
