package hub

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"condica/hub/store"
	"condica/sync/hlc"
	"condica/sync/wire"
)

// A certificate is the hub's word of an enrolment, which the PC keeps. It
// brings the PC back to a hub that has lost its database and kept its secrets.
type certificate struct {
	Office  string     `json:"office"`
	Desk    int        `json:"desk"`
	Pub     []byte     `json:"pub"`
	Name    string     `json:"name"`
	AddedMs int64      `json:"added"`
	Old     hlc.Device `json:"old,omitzero"` // the device that it follows, from which nothing more is taken
}

// certified is put before what is signed, so that no other text under the same
// key is taken for a certificate.
const certified = "condica enrolment 1\n"

// certify writes what stands of a PC, in one word: base64 of the JSON, a dot,
// base64 of the signature.
func (s *Server) certify(d store.Device) (string, error) {
	text, err := json.Marshal(certificate{d.Office, d.Desk, d.Pub, d.Name, d.AddedMs, d.Old})
	if err != nil {
		return "", err
	}
	sig := ed25519.Sign(s.certs, append([]byte(certified), text...))
	return base64.RawURLEncoding.EncodeToString(text) + "." + base64.RawURLEncoding.EncodeToString(sig), nil
}

// certificate reads one that this hub has signed for a key.
func (s *Server) certificate(word string, pub ed25519.PublicKey) (c certificate, err error) {
	bad := fail(http.StatusForbidden, "certificate", "the certificate is not of this hub, or not for this PC; it needs a token")
	body, signature, _ := strings.Cut(word, ".")
	text, err1 := base64.RawURLEncoding.DecodeString(body)
	sig, err2 := base64.RawURLEncoding.DecodeString(signature)
	if err1 != nil || err2 != nil || !ed25519.Verify(s.certs.Public().(ed25519.PublicKey), append([]byte(certified), text...), sig) {
		return c, bad
	}
	if err := json.Unmarshal(text, &c); err != nil || !pub.Equal(ed25519.PublicKey(c.Pub)) {
		return c, bad
	}
	return c, nil
}

// comeBack gives a PC the place back that it once had, if the hub does not
// know it; and what the PC followed then is not taken for a PC again.
func (s *Server) comeBack(ctx context.Context, ask wire.Enroll) (wire.Enrolled, error) {
	c, err := s.certificate(ask.Cert, ask.Pub)
	if err != nil {
		return wire.Enrolled{}, err
	}
	return s.join(ctx, c.Office, ask, func(store.Tx, int64) (store.Device, error) {
		return store.Device{Name: c.Name, Desk: c.Desk, AddedMs: c.AddedMs, Old: c.Old}, nil
	})
}
