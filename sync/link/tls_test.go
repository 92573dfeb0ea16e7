package link

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// An authority issues certificates, valid from 2020 to 2030.
type authority struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	return issue(t, authority{}, &x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
}

func issue(t *testing.T, by authority, c *x509.Certificate) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.SerialNumber = big.NewInt(time.Now().UnixNano())
	c.NotBefore, c.NotAfter = year(2020), year(2030)
	parent, signer := c, key
	if by.key != nil {
		parent, signer = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return authority{c, key}
}

func year(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }

func years(ys ...int) func() []time.Time {
	return func() (out []time.Time) {
		for _, y := range ys {
			out = append(out, year(y))
		}
		return out
	}
}

// secure serves the hub with a certificate of ca for the names, the CA shown too.
func secure(t *testing.T, hub *centre, ca authority, leaf *x509.Certificate) *httptest.Server {
	t.Helper()
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	l := issue(t, ca, leaf)
	s := httptest.NewUnstartedServer(hub)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{l.Raw, ca.Raw}, PrivateKey: l.key}}}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func loopback() *x509.Certificate {
	return &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
}

// Who may be talked to, with what clocks. Nothing is dropped where it may not.
func TestTLS(t *testing.T) {
	ca, foreign := newAuthority(t), newAuthority(t)
	for story, c := range map[string]struct {
		shown authority // who issued what the server shows
		leaf  *x509.Certificate
		pin   string
		times func() []time.Time
		ok    bool
	}{
		"the right pin, the right clock":              {ca, loopback(), PinOf(ca.Certificate), years(2026), true},
		"the clock at 2009, the program of 2026":      {ca, loopback(), PinOf(ca.Certificate), years(2009, 2026), true},
		"the clock at 2060, the last contact known":   {ca, loopback(), PinOf(ca.Certificate), years(2060, 2026), true},
		"expired at all moments it may be":            {ca, loopback(), PinOf(ca.Certificate), years(2060, 2031, 2009), false},
		"no moment is known":                          {ca, loopback(), PinOf(ca.Certificate), years(), false},
		"another authority":                           {foreign, loopback(), PinOf(ca.Certificate), years(2026), false},
		"no pin, and an authority the system rejects": {ca, loopback(), "", years(2026), false},
		"the right authority, another host's address": {ca, &x509.Certificate{IPAddresses: []net.IP{net.IPv4(10, 1, 1, 1)}}, PinOf(ca.Certificate), years(2026), false},
		"the right authority, a name, no address":     {ca, &x509.Certificate{DNSNames: []string{"hub.example.ro"}}, PinOf(ca.Certificate), years(2026), false},
	} {
		t.Run(story, func(t *testing.T) {
			hub, s := newCentre(t), newShelf(t, 2)
			server := secure(t, hub, c.shown, c.leaf)
			err := office(t, server.URL, c.pin, c.times, s).ask(t.Context(), s)
			var e *Error
			switch {
			case c.ok && (err != nil || s.waiting() != 0):
				t.Errorf("%v, %d wait", err, s.waiting())
			case !c.ok && (!errors.As(err, &e) || e.Kind != Untrusted):
				t.Errorf("got %v, want it to be untrusted", err)
			case !c.ok && (s.waiting() != 2 || hub.held() != 0 || len(hub.numbers()) != 0):
				t.Errorf("%d wait, the hub holds %d after %d requests", s.waiting(), hub.held(), len(hub.numbers()))
			}
		})
	}
}

// The pinned CA's certificate is public: showing it beside one's own proves
// nothing.
func TestShowingTheCAIsNotEnough(t *testing.T) {
	ca, foreign := newAuthority(t), newAuthority(t)
	hub, s := newCentre(t), newShelf(t, 1)
	leaf := loopback()
	leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	l := issue(t, foreign, leaf)
	server := httptest.NewUnstartedServer(hub)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{l.Raw, foreign.Raw, ca.Raw}, PrivateKey: l.key}}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	var e *Error
	if err := office(t, server.URL, PinOf(ca.Certificate), years(2026), s).ask(t.Context(), s); !errors.As(err, &e) || e.Kind != Untrusted {
		t.Errorf("%v", err)
	}
}

// A proxy that speaks HTTP where TLS is wanted.
func TestPlainWhereTLSIsWanted(t *testing.T) {
	s := newShelf(t, 1)
	url := strings.Replace(serve(t, newCentre(t)).URL, "http://", "https://", 1)
	var e *Error
	if err := office(t, url, "", toDate, s).ask(t.Context(), s); !errors.As(err, &e) || e.Kind != Untrusted || s.waiting() != 1 {
		t.Errorf("%v, %d wait", err, s.waiting())
	}
}
