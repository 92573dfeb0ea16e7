package main

import (
	"fmt"
	"io"
	"strings"

	"condica/agent/api"
)

// lanCmd is for an office whose PCs are to work at one desk (docs/operations.md).
type lanCmd struct {
	Status lanStatusCmd `cmd:"" help:"Show whether this PC lends its desk or works at another's."`
	Lend   lanLendCmd   `cmd:"" help:"Let other PCs of the office work at this PC's desk."`
	Invite lanInviteCmd `cmd:"" help:"Print an invitation for one of them."`
	Remove lanRemoveCmd `cmd:"" help:"Shut one of them out."`
	Join   lanJoinCmd   `cmd:"" help:"Work at the desk of the PC that invited this one."`
	Find   lanFindCmd   `cmd:"" help:"Say where that PC is found now, if its address has changed."`
	Leave  lanLeaveCmd  `cmd:"" help:"Work at this PC's own desk again."`
}

type lanStatusCmd struct{ service }

func (c *lanStatusCmd) Run(e *env) error { return c.order(e, "GET", "lan", nil) }

type lanLendCmd struct {
	service
	Listen string `xor:"what" required:"" placeholder:"HOST:PORT" help:"This PC's address on the office's network, such as 192.168.1.10:8471."`
	Stop   bool   `xor:"what" required:"" help:"Lend no more. Who was let in stays let in."`
}

func (c *lanLendCmd) Run(e *env) error {
	return c.order(e, "POST", "lan/lend", api.LendRequest{Listen: c.Listen})
}

type lanInviteCmd struct {
	service
	Name string   `arg:"" placeholder:"NAME" help:"How the other PC's desk is called, such as \"Ghișeul 2\"."`
	At   []string `placeholder:"HOST:PORT" help:"Where it finds this PC; every address of this PC if left out."`
}

func (c *lanInviteCmd) Run(e *env) error {
	i, raw, err := ask[api.Invited](e, c.service, "POST", "lan/invite", api.InviteRequest{Name: c.Name, At: c.At})
	if err != nil {
		return err
	}
	c.answer(e, raw, func(w io.Writer) {
		fmt.Fprintf(w, "On the other PC, within an hour:\n\n    condica lan join %s\n", i.Invitation)
	})
	return nil
}

type lanRemoveCmd struct {
	service
	Name string `arg:"" placeholder:"NAME" help:"How its desk is called."`
}

func (c *lanRemoveCmd) Run(e *env) error {
	return c.order(e, "POST", "lan/remove", api.RemoveRequest{Name: c.Name})
}

type lanJoinCmd struct {
	service
	Invitation string `arg:"" placeholder:"INVITATION" help:"As the other PC printed it."`
}

func (c *lanJoinCmd) Run(e *env) error {
	return c.order(e, "POST", "lan/join", api.JoinRequest{Invitation: c.Invitation})
}

type lanFindCmd struct {
	service
	At []string `arg:"" name:"host:port" help:"Its address on the office's network; it is still known by its key."`
}

func (c *lanFindCmd) Run(e *env) error {
	return c.order(e, "POST", "lan/find", api.FindRequest{At: c.At})
}

type lanLeaveCmd struct{ service }

func (c *lanLeaveCmd) Run(e *env) error { return c.order(e, "POST", "lan/leave", nil) }

// order asks the service and prints how the desks stand then.
func (s service) order(e *env, method, path string, body any) error {
	now, raw, err := ask[api.LANState](e, s, method, path, body)
	if err != nil {
		return err
	}
	s.answer(e, raw, func(w io.Writer) { printLAN(w, now) })
	return nil
}

func printLAN(w io.Writer, s api.LANState) {
	switch {
	case s.Lender != "":
		fmt.Fprintf(w, "This PC works at the desk of %s (%s), where it is called %q.\n", s.Lender, strings.Join(s.At, ", "), s.Seat)
	case s.Listen != "":
		fmt.Fprintf(w, "This PC lends its desk at %s.\n", s.Listen)
	default:
		fmt.Fprintln(w, "This PC works at its own desk, and lends it to no other.")
	}
	for _, g := range s.Guests {
		fmt.Fprintf(w, "let in: %s\n", g)
	}
	if s.Say != "" {
		fmt.Fprintf(w, "not now: %s\n", s.Say)
	}
}
