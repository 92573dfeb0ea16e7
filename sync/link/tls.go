package link

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// ErrPin: whoever answers is not the hub the token named.
var ErrPin = errors.New("the server is not the hub this PC was enrolled with: its certificate hangs on another authority")

// errNoTime: without a moment to check at, nothing is checked and all would pass.
var errNoTime = errors.New("the certificate cannot be checked: no time is given")

// PinOf is the pin of a CA certificate: hex SHA-256 of its public key (SPKI).
func PinOf(ca *x509.Certificate) string {
	sum := sha256.Sum256(ca.RawSubjectPublicKeyInfo)
	return hex.EncodeToString(sum[:])
}

// tlsConfig trusts the CA with this pin, or the system's CAs where the pin is
// empty. times are the moments it may be now, the best first: the clocks of
// office PCs stand at 2009 or 2060, and a PC that cannot open a connection can
// never learn the time. The certificate must be valid at one of them, and for
// host, a name or an address.
func tlsConfig(host, pin string, times func() []time.Time) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		// The standard check knows one clock and no pin; verify below does all of
		// it: chain, name, validity.
		InsecureSkipVerify: true,
		VerifyConnection: func(c tls.ConnectionState) error {
			return verify(c, host, pin, times())
		},
	}
}

func verify(c tls.ConnectionState, host, pin string, times []time.Time) error {
	if len(c.PeerCertificates) == 0 {
		return errors.New("the server showed no certificate")
	}
	if len(times) == 0 {
		return errNoTime
	}
	roots, others, err := pools(c.PeerCertificates, pin)
	if err != nil {
		return err
	}
	var last error
	// The connection's own ServerName will not do: it is empty for an address,
	// and then any name would pass.
	for _, t := range times {
		_, last = c.PeerCertificates[0].Verify(x509.VerifyOptions{
			Roots: roots, Intermediates: others, DNSName: host, CurrentTime: t,
		})
		var invalid x509.CertificateInvalidError
		if last == nil || !errors.As(last, &invalid) || invalid.Reason != x509.Expired {
			break
		}
	}
	if last != nil {
		return fmt.Errorf("certificate of %s, issued by %q: %w", host, c.PeerCertificates[0].Issuer.String(), last)
	}
	return nil
}

func pools(chain []*x509.Certificate, pin string) (roots, others *x509.CertPool, err error) {
	others = x509.NewCertPool()
	for _, c := range chain[1:] {
		others.AddCert(c)
	}
	if pin == "" {
		return nil, others, nil // nil roots: the system's
	}
	for _, c := range chain {
		if c.IsCA && PinOf(c) == pin {
			roots = x509.NewCertPool()
			roots.AddCert(c)
			return roots, others, nil
		}
	}
	return nil, nil, ErrPin
}
