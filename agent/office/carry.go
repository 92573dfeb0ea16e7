package office

import (
	"context"
	"errors"
	"strconv"

	"condica/sync/link"
)

// Kinds of traces.
const (
	CarriedOut = "carried-out"
	CarriedIn  = "carried-in"
)

// A Carrier is a line whose conversation can go on by files, carried on a stick.
type Carrier interface {
	CarryOut(context.Context) (link.Carried, error)
	CarryIn(ctx context.Context, file []byte) (link.Brought, error)
}

// ErrNoCarrier: this PC has no line, and so nothing to be carried in its place.
var ErrNoCarrier = errors.New("this PC has no line to a hub; central IT has to enrol it first")

func (o *Office) carrier() (Carrier, error) {
	if l := o.line.Load(); l != nil {
		if c, ok := (*l).(Carrier); ok {
			return c, nil
		}
	}
	return nil, ErrNoCarrier
}

// CarryOut gives what waits here as a file for the hub. by is the clerk; the
// trace says how many edits left.
func (o *Office) CarryOut(ctx context.Context, by string) (link.Carried, error) {
	c, err := o.carrier()
	if err != nil {
		return link.Carried{}, err
	}
	out, err := c.CarryOut(ctx)
	if err != nil {
		return out, err
	}
	standing, err := o.cfg.DB.Standing(ctx)
	if err != nil {
		return out, err
	}
	o.left.Store(&leftOut{out.Left, standing.LastOK})
	return out, o.cfg.DB.Trace(ctx, CarriedOut, by, strconv.Itoa(out.Edits))
}

// leftOut is what the last file had no room for. It is remembered by this run of
// the service alone.
type leftOut struct {
	edits int
	heard int64 // LastOK when the file was written
}

// carriedLeft is how many edits are left for another file; none once the hub was
// heard, by its answer or because the line is back.
func (o *Office) carriedLeft(lastOK int64) int {
	if l := o.left.Load(); l != nil && l.heard == lastOK {
		return l.edits
	}
	return 0
}

// CarryIn takes the hub's answer, which came as a file. A *wire.CarriedError
// says why a file is not taken; then nothing has changed.
func (o *Office) CarryIn(ctx context.Context, by string, file []byte) (link.Brought, error) {
	c, err := o.carrier()
	if err != nil {
		return link.Brought{}, err
	}
	in, err := c.CarryIn(ctx, file)
	if err != nil {
		return in, err
	}
	return in, o.cfg.DB.Trace(ctx, CarriedIn, by, strconv.Itoa(in.Pulled))
}
