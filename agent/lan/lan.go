// Package lan lends one PC's desk to the other PCs of the office, over the
// office's own network: two programs that know each other's key since an
// invitation, under TLS 1.3. It answers no browser, finds no PC by itself, leaves
// the office's network by no address, and keeps nothing of a booking.
package lan

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// Authority is the name under which guests ask: no browser can ask under it, and
// no name server knows it (the top level is set aside for private use).
const Authority = "ghiseu.internal"

// Headers between two PCs.
const (
	browserHeader = "Condica-Browser" // which of the guest's browsers asks
	refusedHeader = "Condica-Lan"     // why the host does not serve
)

// Paths that are no page of the desk.
const (
	joinPath = "/lan/join"
	askPath  = "/lan/ask"
)

// maxMessage bounds what is read of a joining PC and of an answer to it, bytes.
const maxMessage = 16 << 10

// PinOf names a key: the SHA-256 of its SubjectPublicKeyInfo (RFC 7469, 2.4), in
// hexadecimal.
func PinOf(key crypto.PublicKey) (string, error) {
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", err
	}
	return pinOf(spki), nil
}

func pinOf(spki []byte) string {
	sum := sha256.Sum256(spki)
	return hex.EncodeToString(sum[:])
}

// certificate wraps a key for TLS. Nobody looks at its dates: the clocks of office
// PCs stand at 2009 or 2060, and what is trusted is the key.
func certificate(key ed25519.PrivateKey) (tls.Certificate, error) {
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: Authority},
		NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("wrap the key of the office's network: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, nil
}

// errOther: whoever answers at the address is not the PC that invited.
var errOther = errors.New("another PC answers at this address")

// toward trusts the one key and nothing else.
func toward(mine tls.Certificate, pin string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{mine},
		// The standard check knows authorities and clocks, and no pin.
		InsecureSkipVerify: true,
		VerifyConnection: func(c tls.ConnectionState) error {
			if len(c.PeerCertificates) == 0 || pinOf(c.PeerCertificates[0].RawSubjectPublicKeyInfo) != pin {
				return errOther
			}
			return nil
		},
	}
}

// CheckListen says whether a host may listen there: a port of its own, on this
// office's network.
func CheckListen(address string) error {
	host, port, err := net.SplitHostPort(address)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil {
		return fmt.Errorf("address %q: want host:port, such as 192.168.1.10:8471", address)
	}
	if ip, err := netip.ParseAddr(host); host != "" && (err != nil || !ip.IsUnspecified() && !near(ip.AsSlice())) {
		return fmt.Errorf("address %q: want an address of this PC on the office's own network, such as 192.168.1.10:8471", address)
	}
	return nil
}

// near tells the addresses of the office's own network (RFC 1918, RFC 4193,
// link-local and this PC) from the world's.
func near(ip net.IP) bool { return ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() }
