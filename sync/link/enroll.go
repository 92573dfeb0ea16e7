package link

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"time"

	"condica/sync/wire"
)

// Enroll takes this PC's public key to the hub with a one-time token. It may
// be tried again after a lost answer: the hub gives the same key the same
// answer. An *Error tells a line that is down from a token that is refused.
func Enroll(ctx context.Context, t wire.Token, key ed25519.PrivateKey, name string, times func() []time.Time) (wire.Enrolled, error) {
	c, err := newClient(t.Hub, t.Pin, key, times)
	if err != nil {
		return wire.Enrolled{}, err
	}
	defer c.http.HTTPClient.CloseIdleConnections()
	body, err := c.post(ctx, "/v1/enroll", 30*time.Second, false, wire.Enroll{
		V: wire.Version, Secret: t.Secret, Pub: key.Public().(ed25519.PublicKey), Name: name,
	})
	if err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol with %s: %w", t.Hub, err)
	}
	var e wire.Enrolled
	if err := json.Unmarshal(body, &e); err != nil {
		return e, fmt.Errorf("enrol with %s: the answer is not the hub's: %w", t.Hub, err)
	}
	if e.Device != wire.DeviceOf(key.Public().(ed25519.PublicKey)) || e.Office == "" {
		return e, fmt.Errorf("enrol with %s: the hub answered for another PC", t.Hub)
	}
	return e, nil
}
