package link

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"time"

	"condica/sync/hlc"
	"condica/sync/wire"
)

// A Way is how a PC reaches a hub before it has a line to it.
type Way struct {
	Hub, Pin string // as in Config
	Name     string // of this PC
	Times    func() []time.Time
}

// Enroll takes a fresh PC into an office by a token.
func Enroll(ctx context.Context, t wire.Token, key ed25519.PrivateKey, name string, times func() []time.Time) (wire.Enrolled, error) {
	return Way{Hub: t.Hub, Pin: t.Pin, Name: name, Times: times}.Enroll(ctx, t.Secret, key, Was{})
}

// Was is the device a PC has been, and what it holds of that one's log without
// knowing it placed.
type Was struct {
	Device hlc.Device
	Unsent []wire.Unsent
}

// Enroll takes this PC's public key to the hub with a one-time token's secret. It
// may be tried again after a lost answer: the hub gives the same key the same
// answer. was is given where this PC has lost the key it had; the zero Was
// elsewhere. An *Error tells a line that is down from a token that is refused.
func (w Way) Enroll(ctx context.Context, secret string, key ed25519.PrivateKey, was Was) (wire.Enrolled, error) {
	return w.ask(ctx, key, false, key, was.in(wire.Enroll{Secret: secret}))
}

// Return comes back to a hub that has lost this PC, with the certificate of an
// earlier enrolment.
func (w Way) Return(ctx context.Context, cert string, key ed25519.PrivateKey) (wire.Enrolled, error) {
	return w.ask(ctx, key, false, key, wire.Enroll{Cert: cert})
}

// Rekey gives up the old key, which another machine uses too, for a new one. It
// may be tried again, too, with the same new key.
func (w Way) Rekey(ctx context.Context, old, key ed25519.PrivateKey, was Was) (wire.Enrolled, error) {
	return w.ask(ctx, old, true, key, was.in(wire.Enroll{}))
}

// in says it in an enrolment. What is beyond the bound is named to nobody: it is
// written anew, and known again by its mark.
func (w Was) in(e wire.Enroll) wire.Enroll {
	e.Old, e.Unsent = w.Device, w.Unsent[:min(len(w.Unsent), wire.MaxUnsent)]
	return e
}

// ask sends an enrolment; signed by the key of signer, where the hub knows it.
func (w Way) ask(ctx context.Context, signer ed25519.PrivateKey, signed bool, key ed25519.PrivateKey, e wire.Enroll) (out wire.Enrolled, err error) {
	c, err := newClient(w.Hub, w.Pin, signer, w.Times)
	if err != nil {
		return out, err
	}
	defer c.http.HTTPClient.CloseIdleConnections()
	return c.enroll(ctx, signed, key.Public().(ed25519.PublicKey), w.Name, e)
}

// enroll makes the exchange. The more there is to name the longer it may take.
func (c *client) enroll(ctx context.Context, signed bool, pub ed25519.PublicKey, name string, e wire.Enroll) (out wire.Enrolled, err error) {
	e.V, e.Pub, e.Name = wire.Version, pub, name
	timeout := 30*time.Second + time.Duration(len(e.Unsent))*10*time.Millisecond
	body, err := c.post(ctx, "/v1/enroll", timeout, signed, e)
	if err != nil {
		return out, fmt.Errorf("enrol with %s: %w", c.base, err)
	}
	if err := json.Unmarshal(body, &out); err != nil {
		return out, fmt.Errorf("enrol with %s: the answer is not the hub's: %w", c.base, err)
	}
	if out.Device != wire.DeviceOf(pub) || out.Office == "" {
		return out, fmt.Errorf("enrol with %s: the hub answered for another PC", c.base)
	}
	return out, nil
}

// comeBack tells a hub that does not know this PC what it once said itself.
func (l *Link) comeBack(ctx context.Context) error {
	e, err := l.client.enroll(ctx, false, l.cfg.Key.Public().(ed25519.PublicKey), l.cfg.Name, wire.Enroll{Cert: l.cert})
	if err != nil {
		return err
	}
	if e.Cert != "" {
		l.cert = e.Cert
	}
	l.cfg.Log.Warn("the hub had lost this PC and has taken it in again by its certificate", "desk", e.Desk)
	if l.cfg.Returned != nil {
		l.cfg.Returned(e)
	}
	return nil
}
