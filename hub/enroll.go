package hub

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
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

const (
	enrollPath = "/v1/enroll" // what the key of an older device signs for
	maxPCName  = 200          // bytes
)

// enroll takes a PC into an office: by a token, by the hub's certificate of an
// earlier enrolment, or by the key of the device that it follows.
func (s *Server) enroll(w http.ResponseWriter, r *http.Request) error {
	sent, err := readBody(w, r)
	if err != nil {
		return err
	}
	leave, err := s.atWork(r)
	if err != nil {
		return err
	}
	defer leave()
	body, err := s.decoded(r.Header.Get("Content-Encoding"), sent)
	if err != nil {
		return err
	}
	ask, err := wire.DecodeEnroll(body)
	if err != nil {
		return fail(http.StatusBadRequest, "body", "the request is not the JSON of an enrolment")
	}
	var answer wire.Enrolled
	if header := r.Header.Get(wire.SignatureHeader); header != "" && ask.Secret == "" && ask.Cert == "" {
		answer, err = s.follow(r.Context(), ask, header, sent)
	} else {
		answer, err = s.Enroll(r.Context(), ask)
	}
	if err != nil {
		return err
	}
	return s.answer(w, r, answer)
}

func checkEnroll(ask wire.Enroll) error {
	switch {
	case ask.V < wire.Version-2 || ask.V > wire.Version+2:
		return fail(http.StatusBadRequest, "version", fmt.Sprintf("the PC speaks version %d, the hub %d", ask.V, wire.Version))
	case len(ask.Pub) != ed25519.PublicKeySize:
		return fail(http.StatusBadRequest, "body", "the PC's key is not an Ed25519 public key")
	case len(ask.Name) > maxPCName || !utf8.ValidString(ask.Name):
		return fail(http.StatusBadRequest, "body", fmt.Sprintf("the PC's name is longer than %d bytes or no text", maxPCName))
	case len(ask.Unsent) > wire.MaxUnsent:
		return fail(http.StatusBadRequest, "body", fmt.Sprintf("%d unsent edits are named, at most %d are allowed", len(ask.Unsent), wire.MaxUnsent))
	case ask.Old == wire.DeviceOf(ask.Pub):
		return fail(http.StatusBadRequest, "body", "a PC cannot follow itself: it needs a new key")
	}
	return nil
}

// Enroll gives a PC its place by a token or a certificate. The same PC with the
// same word is answered again: the first answer may have been lost on the line.
func (s *Server) Enroll(ctx context.Context, ask wire.Enroll) (wire.Enrolled, error) {
	if err := checkEnroll(ask); err != nil {
		return wire.Enrolled{}, err
	}
	if ask.Secret == "" && ask.Cert != "" {
		return s.comeBack(ctx, ask)
	}
	return s.useToken(ctx, ask)
}

// useToken gives a PC its place in the token's office. If it says which PC of
// that office it was before it lost its key, it follows that one.
func (s *Server) useToken(ctx context.Context, ask wire.Enroll) (wire.Enrolled, error) {
	hash := hashOf(ask.Secret)
	unknown := fail(http.StatusForbidden, "token-unknown", "the hub has given out no such token")
	token, err := s.Store.Token(ctx, hash)
	if errors.Is(err, store.ErrNone) {
		return wire.Enrolled{}, unknown
	}
	if err != nil {
		return wire.Enrolled{}, err
	}
	return s.join(ctx, token.Office, ask, func(tx store.Tx, now int64) (want store.Device, err error) {
		id := wire.DeviceOf(ask.Pub)
		t, err := tx.TakeToken(hash, id)
		switch {
		case errors.Is(err, store.ErrNone):
			return want, unknown
		case err != nil:
			return want, err
		case t.UsedBy != id:
			return want, fail(http.StatusForbidden, "token-used", "the token has been used by another PC; each PC needs its own")
		case token.UsedBy != id && now >= t.Expires:
			return want, fail(http.StatusForbidden, "token-expired", "the token has expired; ask for a new one")
		}
		return store.Device{Name: ask.Name, AddedMs: now, Old: ask.Old}, nil
	})
}

// follow gives a PC the place of the one whose key has signed: another machine
// uses that key too, so each of them goes on under one of its own.
func (s *Server) follow(ctx context.Context, ask wire.Enroll, header string, sent []byte) (out wire.Enrolled, err error) {
	if err := checkEnroll(ask); err != nil {
		return out, err
	}
	signed, err := wire.ParseSigned(header)
	if err != nil {
		return out, fail(http.StatusUnauthorized, "signature", err.Error())
	}
	old, err := s.Store.Device(ctx, signed.Device)
	switch {
	case errors.Is(err, store.ErrNone) || err == nil && old.Kind != store.PC:
		return out, unknownDevice(signed.Device)
	case err != nil:
		return out, err
	case old.ID != ask.Old || !signed.Verify(old.Pub, enrollPath, sent):
		return out, fail(http.StatusUnauthorized, "signature", "the enrolment is not signed by the key of the device that it is to follow")
	}
	return s.join(ctx, old.Office, ask, func(tx store.Tx, now int64) (store.Device, error) {
		if old, err = tx.Device(old.ID); err == nil && old.RevokedMs != 0 {
			err = shutOut(old)
		}
		return store.Device{Name: old.Name, AddedMs: now, Old: old.ID}, err
	})
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
