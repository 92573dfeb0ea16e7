package bundle_test

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"condica/sync/bundle"
)

// The forger's tools: each makes a box that is wrong in one way only.

func cut(box string) (head []string, body string) {
	h, body, _ := strings.Cut(box, "\n\n")
	return strings.Split(h, "\n"), body
}

func joined(head []string, body string) string { return strings.Join(head, "\n") + "\n\n" + body }

func sumOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

func sumIn(box string) string {
	_, body := cut(box)
	return sumOf(body)
}

// resummed changes the contents and puts the sum right.
func resummed(box, old, new string) string {
	head, body := cut(box)
	body = strings.Replace(body, old, new, 1)
	head[2] = "sum " + sumOf(body)
	return joined(head, body)
}

// swapped takes one line of the head from another box.
func swapped(box, other, line string) string {
	head, body := cut(box)
	theirs, _ := cut(other)
	for i := range head {
		if strings.HasPrefix(head[i], line+" ") {
			head[i] = theirs[i]
		}
	}
	return joined(head, body)
}

// recertified changes the certificate without the root key.
func recertified(t *testing.T, c centre, box string, change func(*bundle.Certificate)) string {
	t.Helper()
	cert := c.cert
	change(&cert)
	text, err := json.Marshal(cert)
	if err != nil {
		t.Fatal(err)
	}
	head, body := cut(box)
	head[1] = "certificate " + base64.RawURLEncoding.EncodeToString(text)
	return joined(head, body)
}

// signedBody signs any body with the true key.
func signedBody(t *testing.T, c centre, body string) string {
	t.Helper()
	head, _ := cut(c.seal(plain(7)))
	head[2] = "sum " + sumOf(body)
	head[3] = "signature " + base64.RawURLEncoding.EncodeToString(ed25519.Sign(c.signing, []byte("condica settings 1\n"+body)))
	return joined(head, body)
}

// sealedAnyhow signs a bundle with the true key though its time is over.
func sealedAnyhow(t *testing.T, c centre, b bundle.Bundle) string {
	t.Helper()
	b.Key = c.cert.ID
	slices.Reverse(b.Files) // by name
	body, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return signedBody(t, c, string(body))
}
