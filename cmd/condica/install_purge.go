package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"condica/agent"
	"condica/agent/api"
	"condica/installer/doctor"
	svc "condica/installer/service"
)

type purgeCmd struct {
	Yes   bool `help:"Needed: what is removed cannot be had back."`
	Force bool `help:"Also if the hub does not have all that was done here: it is lost then."`
	Count bool `help:"Remove nothing; print how many changes would be lost."`
}

func (c *purgeCmd) Run(e *env) error {
	if c.Count {
		n, err := unsent(e)
		if err == nil {
			_, err = fmt.Fprintln(e.Out, n)
		}
		return err
	}
	if !c.Yes {
		return usage("purge removes the service and all its data from this PC; say --yes to have it so")
	}
	if !c.Force {
		if err := allSent(unsent(e)); err != nil {
			return err
		}
	}
	return c.purge(e)
}

// unsent asks the running service, or looks itself where none runs.
func unsent(e *env) (int, error) {
	if st, err := status(e); err == nil {
		return st.Unsent, nil
	}
	return doctor.Unsent(e.Ctx, svc.DataDir(), agent.NewClock(0).Reading)
}

func status(e *env) (api.Status, error) {
	quiet := &env{Out: io.Discard, Err: io.Discard, Ctx: e.Ctx}
	st, _, err := ask[api.Status](quiet, service{Data: svc.DataDir()}, "GET", "status", nil)
	return st, err
}

func allSent(n int, err error) error {
	const force = "; let it reach the hub first, or say --force to lose them"
	switch {
	case err != nil:
		return codedError{fmt.Errorf("how many changes the hub does not have yet cannot be counted (%w)%s", err, force), exitRefused}
	case n > 0:
		kept := keptForLAN(agent.Desks(svc.DataDir()))
		return codedError{fmt.Errorf("%d changes made on this PC are not at the hub yet%s%s", n, kept, force), exitRefused}
	}
	return nil
}

// purge counts once more when nothing can be written any more: a clerk may
// have been at work until now.
func (c *purgeCmd) purge(e *env) error {
	err := svc.Stop(e.Ctx)
	if err != nil && !errors.Is(err, svc.ErrAbsent) {
		return coded(err)
	}
	if _, err := status(e); err == nil {
		return codedError{fmt.Errorf("another Condica works in %s, and not as the service: end it first", svc.DataDir()), exitRefused}
	}
	if !c.Force {
		if refused := allSent(doctor.Unsent(e.Ctx, svc.DataDir(), agent.NewClock(0).Reading)); refused != nil {
			if err == nil { // it ran
				refused = errors.Join(refused, svc.Start(context.WithoutCancel(e.Ctx)))
			}
			return refused
		}
	}
	others := goneFromLAN(agent.Desks(svc.DataDir()), true)
	packaged, err := svc.Purge(e.Ctx)
	if err != nil {
		return coded(err)
	}
	say := "The service and its data are removed."
	if packaged {
		say = "The data are removed and the service is stopped. The program came with a package: apt-get purge condica removes it."
	}
	_, err = fmt.Fprint(e.Out, say, "\n", others)
	return err
}
