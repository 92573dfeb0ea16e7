package page_test

import (
	"net/http"
	"testing"
)

// The desk of an office with accounts: before its door, and behind it with the
// head of service signed in.
var (
	signedOut = scene{name: "signed-out", set: accounts, serve: attended, looks: []look{
		{name: "intrare", path: "/"},
		{name: "intrare-gresit", path: "/", form: "/intrare", fill: map[string]string{"nume": "Ana Exemplu", "pin": "000000"}, shows: "nu se potrivesc"},
	}}
	signedIn = scene{name: "signed-in", set: accounts, serve: attended, looks: []look{
		{name: "zi-cu-pin", path: "/intrare", form: "/intrare", fill: map[string]string{"nume": "Ana Exemplu", "pin": anaPIN}, shows: "Exemplu Ioana"},
		{name: "pin", path: "/pin"},
		{name: "pin-gresit", path: "/pin", form: "/pin", fill: map[string]string{"pin": anaPIN, "pin-nou": "11111111", "pin-repetat": "11111111"}, shows: "prea ușor de ghicit"},
		{name: "urme", path: "/urme"},
	}}
)

// accounts is a desk at which Ion has guessed too often.
func accounts(t *testing.T) *counter {
	t.Helper()
	g := withClerks(t, "09:15")
	s := g.seat()
	for range 5 {
		s.signs(s.open("/"), "Ion Probă", "000000")
	}
	return g.counter
}

// attended serves it with somebody who looks at PINs.
func attended(c *counter, hosts ...string) http.Handler {
	return (&guarded{counter: c, log: &logged{}}).serve(hosts...)
}
