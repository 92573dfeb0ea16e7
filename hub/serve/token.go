package serve

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"condica/hub"
	"condica/spclep"
	"condica/sync/wire"
)

// NewToken makes a token from outside the running hub, with the address it was
// last reached at unless address says another.
func NewToken(ctx context.Context, o Options, office spclep.OfficeID, life time.Duration, address string) (t wire.Token, err error) {
	known, err := ReadAddress(o.Data)
	if err != nil && address == "" {
		return t, err
	}
	if address == "" {
		address = known.Hub
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return t, fmt.Errorf("hub address %q: want https://host:port", address)
	}
	c, err := o.config(ctx)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, c.Store.Close()) }()
	h, err := hub.New(ctx, c)
	if err != nil {
		return t, err
	}
	defer h.Close()
	pinned := known.Pin
	if known.Hub == "" && u.Scheme == "https" {
		ca, err := authority(ctx, c.Store, o.Now())
		if err != nil {
			return t, err
		}
		pinned = pin(ca)
	}
	return h.NewToken(ctx, office, life, address, pinned)
}
