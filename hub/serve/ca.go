package serve

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"slices"
	"time"

	"condica/hub/store"
)

// The hub is its own certificate authority: PCs know it by the hash of its
// key, which rides in the token, and trust nothing else on their line.
const (
	caName   = "tls/ca"
	leafName = "tls/leaf"
	caYears  = 10
	renewAt  = 60 * 24 * time.Hour // before a certificate's end
)

// begin lies far back: an office PC with a dead battery believes it is 2009.
var begin = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// authority gives the hub's CA, made at the first start.
func authority(ctx context.Context, s store.Store, now time.Time) (*tls.Certificate, error) {
	b, err := s.Secret(ctx, caName, func() ([]byte, error) {
		return issue(&x509.Certificate{
			Subject: pkix.Name{CommonName: "Condica hub CA"}, NotBefore: begin, NotAfter: now.AddDate(caYears, 0, 0),
			IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
			KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}, nil)
	})
	if err != nil {
		return nil, fmt.Errorf("hub's CA: %w", err)
	}
	return load(b)
}

// Pin is the hex SHA-256 of the CA's public key (SPKI).
func pin(ca *tls.Certificate) string {
	sum := sha256.Sum256(ca.Leaf.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// leaf gives the certificate the hub shows, for all the names it may be called
// by. It is issued anew when a name is missing or its end is near.
func leaf(ctx context.Context, s store.Store, ca *tls.Certificate, names []string, now time.Time) (*tls.Certificate, error) {
	fresh := func() ([]byte, error) {
		c := &x509.Certificate{
			Subject: pkix.Name{CommonName: "Condica hub"}, NotBefore: begin, NotAfter: ca.Leaf.NotAfter,
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		for _, n := range names {
			if ip := net.ParseIP(n); ip != nil {
				c.IPAddresses = append(c.IPAddresses, ip)
			} else {
				c.DNSNames = append(c.DNSNames, n)
			}
		}
		return issue(c, ca)
	}
	b, err := s.Secret(ctx, leafName, fresh)
	if err != nil {
		return nil, fmt.Errorf("hub's certificate: %w", err)
	}
	cert, err := load(b)
	if err != nil || !fits(cert.Leaf, names, now) {
		if b, err = fresh(); err == nil {
			err = s.SetSecret(ctx, leafName, b)
		}
		if err != nil {
			return nil, fmt.Errorf("hub's certificate: %w", err)
		}
		if cert, err = load(b); err != nil {
			return nil, err
		}
	}
	cert.Certificate = append(cert.Certificate, ca.Certificate[0]) // the pin is on the CA, so it is shown too
	return cert, nil
}

func fits(c *x509.Certificate, names []string, now time.Time) bool {
	return now.Add(renewAt).Before(c.NotAfter) && !slices.ContainsFunc(names, func(n string) bool { return c.VerifyHostname(n) != nil })
}

// issue makes a key and a certificate, both as PEM, signed by the CA or by
// itself.
func issue(c *x509.Certificate, ca *tls.Certificate) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	if c.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)); err != nil {
		return nil, err
	}
	parent, signer := c, any(key)
	if ca != nil {
		parent, signer = ca.Leaf, ca.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		return nil, err
	}
	k, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: k})...), nil
}

func load(b []byte) (*tls.Certificate, error) {
	c, err := tls.X509KeyPair(b, b)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	if c.Leaf == nil {
		return nil, errors.New("read certificate: it is empty")
	}
	return &c, nil
}
