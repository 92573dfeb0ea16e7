package main

import (
	"condica/agent/api"
	"condica/spclep"
)

type undoCmd struct {
	onBooking
	Action string `arg:"" optional:"" help:"Action to take back, as visit shows it (the last fact that counts)."`
	Why    string `placeholder:"REASON" help:"Why it is taken back."`
}

func (c *undoCmd) Run(e *env) error {
	id, v, err := c.look(e)
	if err != nil {
		return err
	}
	if c.Action == "" {
		c.Action = lastAction(v)
	}
	if c.Action == "" {
		return usage("nothing on booking %s can be taken back", id)
	}
	return c.do(e, id, "undo", api.UndoRequest{Common: c.common(), Action: c.Action, Why: c.Why})
}

// lastAction is the latest fact that counts. Taking back an undo must be
// asked for by name.
func lastAction(v api.Visit) string {
	for i := len(v.Facts) - 1; i >= 0; i-- {
		if f := v.Facts[i]; f.Counts && f.Name != spclep.Undone {
			return f.Action
		}
	}
	return ""
}

// settling is restore and keep: which value that lost is meant.
type settling struct {
	onBooking
	Op string `arg:"" optional:"" help:"Op of the value that lost, as conflicts shows it; may be left out where there is one."`
}

type restoreCmd struct{ settling }

func (c *restoreCmd) Run(e *env) error { return c.settle(e, "restore") }

type keepCmd struct{ settling }

func (c *keepCmd) Run(e *env) error { return c.settle(e, "keep") }

func (c settling) settle(e *env, verb string) error {
	id, v, err := c.look(e)
	if err != nil {
		return err
	}
	if c.Op == "" && len(v.Conflicts) > 1 {
		return usage("booking %s has %d values that lost; name one by its op, as conflicts shows it", id, len(v.Conflicts))
	}
	if c.Op == "" && len(v.Conflicts) == 0 {
		return usage("booking %s has no value that lost", id)
	}
	if c.Op == "" {
		c.Op = v.Conflicts[0].Loser.Op
	}
	return c.do(e, id, verb, api.SettleRequest{Common: c.common(), Op: c.Op})
}

// look finds the booking and reads it.
func (c onBooking) look(e *env) (spclep.BookingID, api.Visit, error) {
	id, err := c.find(e, c.service)
	if err != nil {
		return "", api.Visit{}, err
	}
	v, _, err := ask[api.Visit](e, c.service, "GET", "visits/"+string(id), nil)
	return id, v, err
}
