package bundle

import (
	"crypto/ed25519"
	"fmt"
	"regexp"
	"time"
)

// A Certificate is the root key's word that a key may sign bundles issued
// within a span of time.
type Certificate struct {
	ID    string `json:"id"` // names the key, such as 2026-1
	Pub   []byte `json:"pub"`
	From  int64  `json:"from"`  // ms since 1970, inclusive
	Until int64  `json:"until"` // exclusive
	Sig   []byte `json:"sig"`   // by the root key
}

var keyID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,40}$`)

// Certify makes a certificate with the root key.
func Certify(root ed25519.PrivateKey, id string, pub ed25519.PublicKey, from, until int64) (Certificate, error) {
	c := Certificate{ID: id, Pub: pub, From: from, Until: until}
	switch {
	case !keyID.MatchString(id):
		return c, fmt.Errorf("key id %q: want letters, digits, dots and dashes", id)
	case from <= 0 || until <= from:
		return c, fmt.Errorf("key %s would never be valid", id)
	}
	c.Sig = ed25519.Sign(root, c.signed())
	return c, nil
}

// Check says whether root has signed the certificate; an *Error if not.
func (c Certificate) Check(root ed25519.PublicKey) error {
	switch {
	case len(root) != ed25519.PublicKeySize:
		return refuse(NoRoot, "this PC knows no root key, so it can trust no settings")
	case len(c.Pub) != ed25519.PublicKeySize || !ed25519.Verify(root, c.signed(), c.Sig):
		return refuse(StrangeKey, "the key %q is not certified by the root key", c.ID)
	}
	return nil
}

func (c Certificate) signed() []byte {
	return fmt.Appendf(nil, "condica signing key 1\n%s\n%x\n%d\n%d\n", c.ID, c.Pub, c.From, c.Until)
}

// covers says whether the key was certified at a moment of the signer's clock.
func (c Certificate) covers(ms int64) error {
	if c.From <= ms && ms < c.Until {
		return nil
	}
	return refuse(KeyTime, "it was issued on %s, but the key %q is certified from %s to %s", day(ms), c.ID, day(c.From), day(c.Until))
}

func day(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02") }
