package hub

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
	"unicode/utf8"

	"condica/hub/store"
	"condica/spclep"
	"condica/sync/wire"
)

// DefaultTokenLife is how long a token may be used unless something else is
// asked for.
const DefaultTokenLife = 48 * time.Hour

// NewToken lets one PC of an office enrol once, within life. hub is the
// address PCs reach, pin the hash of its CA's key ("" for the system's CAs).
func (s *Server) NewToken(ctx context.Context, office spclep.OfficeID, life time.Duration, hub, pin string) (wire.Token, error) {
	if _, err := s.Rules(office).Office(office); err != nil {
		return wire.Token{}, err
	}
	secret, err := s.random(20)
	if err != nil {
		return wire.Token{}, err
	}
	now := s.Now()
	t := wire.Token{Hub: hub, Pin: pin, Office: string(office), Secret: hex.EncodeToString(secret), Expires: now + life.Milliseconds()}
	err = s.Store.AddToken(ctx, store.Token{Hash: hashOf(t.Secret), Office: t.Office, Expires: t.Expires, MadeMs: now})
	if err != nil {
		return wire.Token{}, fmt.Errorf("keep token: %w", err)
	}
	return t, nil
}

// hashOf: the secret is 160 random bits, so a plain hash hides it.
func hashOf(secret string) [32]byte { return sha256.Sum256([]byte("condica token 1\n" + secret)) }

const maxPCName = 200 // bytes

func (s *Server) enroll(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	leave, err := s.atWork(r)
	if err != nil {
		return err
	}
	defer leave()
	if body, err = s.decoded(r, body); err != nil {
		return err
	}
	var ask wire.Enroll
	if err := json.Unmarshal(body, &ask); err != nil {
		return fail(http.StatusBadRequest, "body", "the request is not the JSON of an enrolment")
	}
	switch {
	case ask.V < wire.Version-2 || ask.V > wire.Version+2:
		return fail(http.StatusBadRequest, "version", fmt.Sprintf("the PC speaks version %d, the hub %d", ask.V, wire.Version))
	case len(ask.Pub) != ed25519.PublicKeySize:
		return fail(http.StatusBadRequest, "body", "the PC's key is not an Ed25519 public key")
	case len(ask.Name) > maxPCName || !utf8.ValidString(ask.Name):
		return fail(http.StatusBadRequest, "body", fmt.Sprintf("the PC's name is longer than %d bytes or no text", maxPCName))
	}
	answer, err := s.Enroll(r.Context(), ask)
	if err != nil {
		return err
	}
	return s.answer(w, r, answer)
}

// Enroll gives a PC its place in the token's office. The same PC with the same
// token is answered again: the first answer may have been lost on the line.
func (s *Server) Enroll(ctx context.Context, ask wire.Enroll) (wire.Enrolled, error) {
	hash := hashOf(ask.Secret)
	unknown := fail(http.StatusForbidden, "token-unknown", "the hub has given out no such token")
	token, err := s.Store.Token(ctx, hash)
	if errors.Is(err, store.ErrNone) {
		return wire.Enrolled{}, unknown
	}
	if err != nil {
		return wire.Enrolled{}, err
	}
	root, err := s.SettingsRoot(ctx)
	if err != nil {
		return wire.Enrolled{}, err
	}
	id := wire.DeviceOf(ask.Pub)
	var out wire.Enrolled
	err = s.Store.Write(ctx, token.Office, func(tx store.Tx) error {
		now := s.Now()
		t, err := tx.TakeToken(hash, id)
		switch {
		case errors.Is(err, store.ErrNone):
			return unknown
		case err != nil:
			return err
		case t.UsedBy != id:
			return fail(http.StatusForbidden, "token-used", "the token has been used by another PC; each PC needs its own")
		case token.UsedBy != id && now >= t.Expires:
			return fail(http.StatusForbidden, "token-expired", "the token has expired; ask for a new one")
		}
		d, err := s.place(tx, token.Office, ask, now)
		if err != nil {
			return err
		}
		epoch, err := s.epoch(tx)
		out = wire.Enrolled{Device: d.ID, Office: d.Office, Desk: d.Desk, Epoch: epoch, HubMs: now, Keys: s.QRKeys(), Root: root}
		return err
	})
	return out, err
}

// place finds or makes the PC's place in the office.
func (s *Server) place(tx store.Tx, office string, ask wire.Enroll, now int64) (store.Device, error) {
	d, err := tx.Device(wire.DeviceOf(ask.Pub))
	switch {
	case errors.Is(err, store.ErrNone):
	case err != nil:
		return d, err
	case d.Office != office:
		return d, fail(http.StatusForbidden, "device-elsewhere", "this PC's key belongs to another office")
	case d.RevokedMs != 0:
		return d, fail(http.StatusForbidden, "revoked", "this PC's key has been revoked; it needs a new one")
	default:
		return d, nil
	}
	others, err := tx.Devices()
	if err != nil {
		return d, err
	}
	d = store.Device{ID: wire.DeviceOf(ask.Pub), Office: office, Kind: store.PC, Desk: 1, Name: ask.Name, Pub: ask.Pub, AddedMs: now}
	for _, o := range others {
		// A revoked PC keeps its number: registration numbers given out under it
		// must not come again.
		d.Desk = max(d.Desk, o.Desk+1)
	}
	return d, tx.SetDevice(d)
}

// epoch gives the name of the office's log, making it the first time.
func (s *Server) epoch(tx store.Tx) (string, error) {
	epoch, err := tx.Epoch()
	if err != nil || epoch != "" {
		return epoch, err
	}
	if epoch, err = s.newEpoch(); err != nil {
		return "", err
	}
	return epoch, tx.SetEpoch(epoch)
}
