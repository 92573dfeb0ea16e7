package agent

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"condica/sync/link"
)

// How long to wait before the hub is asked again for a new key.
const (
	renewFirst = time.Second
	renewMost  = 2 * time.Minute
)

// renew gets this PC another key: a copy of its disk works somewhere else, or it
// is itself one. It goes on until the hub has said yes; the desk works meanwhile.
func (a *Agent) renew(ctx context.Context, h hub) {
	a.o.Log.Warn("this PC's key is used on another machine too, or was replaced; a new one is asked for")
	said := ""
	for wait := renewFirst; ; wait = min(2*wait, renewMost) {
		err := a.tryRenew(ctx, h)
		if err == nil || ctx.Err() != nil {
			return
		}
		if err.Error() != said { // this may go on for weeks
			said = err.Error()
			a.notRenewed(err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(rand.N(wait)): // full jitter: an office copied from one disk comes all at once
		}
	}
}

// notRenewed tells the log, and the clerk where the hub has said no: then a person
// has to know.
func (a *Agent) notRenewed(err error) {
	a.fault(err)
	a.o.Log.Warn("there is no new key yet; the hub is asked again", "error", err)
	var said *link.Error
	if errors.As(err, &said) && said.Kind == link.Turned {
		a.office.SetLine(noLine(link.Status{Kind: link.Turned, Turned: true, Say: err.Error(), SinceMs: a.o.Clock.Reading().Up}))
	}
}

func (a *Agent) tryRenew(ctx context.Context, h hub) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err // a token was used meanwhile
	}
	old := a.key
	next, err := nextKey(a.o.Dir)
	if err != nil {
		return err
	}
	was, err := a.was(ctx, next)
	if err != nil {
		return err
	}
	way := link.Way{Hub: h.URL, Pin: h.Pin, Name: hostname(), Times: a.times}
	e, err := way.Rekey(ctx, old, next, was)
	var said *link.Error
	if cert := h.Certs[deviceOf(old)]; errors.As(err, &said) && said.Code == "unknown-device" && cert != "" {
		// The hub has lost its database in between, and is first to know who asks.
		if _, err = way.Return(ctx, cert, old); err == nil {
			e, err = way.Rekey(ctx, old, next, was)
		}
	}
	if err != nil {
		return err
	}
	if e.Office != h.Office {
		return fmt.Errorf("the hub has put this PC of office %s into office %s", h.Office, e.Office)
	}
	return a.take(a.ctx, e, func(*hub) {})
}
