package page_test

import (
	"bytes"
	"crypto/ed25519"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"condica/spclep"
)

// One box for everything: what is meant without doubt opens at once.
func TestTheBoxFindsAtOnce(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Pârvu-Exemplu Șerban", "R01", monday, "09:20")
	c.books("3333BBBB", "Szűcs-Minta Ernő", "R11", monday, "09:40")
	c.books("4444CCCC", "Serbănescu Ana", "R03", monday+3, "10:00")
	for _, q := range []string{
		"2222AAAA", "2222-aaaa", "pirvu", "PÂRVU", "sz er", "szucs", "ernő szűcs",
		c.qr(c.key, 1, 1, "2222AAAA", "R01", "09:20"),
		strings.ToLower(c.qr(c.key, 1, 1, "2222AAAA", "R01", "09:20")),
	} {
		want := "/vizita/2222AAAA"
		if strings.Contains(strings.ToLower(q), "sz") {
			want = "/vizita/3333BBBB"
		} else if strings.ContainsAny(q, "2") {
			want += "?scanat=1" // a code, not a name
		}
		if s := c.find(q).is(http.StatusSeeOther); s.Header().Get("Location") != want {
			t.Errorf("%q leads to %q, want %s", q, s.Header().Get("Location"), want)
		}
	}
	both := c.find("serb").is(http.StatusOK).shows("2 programări găsite", "Pârvu-Exemplu Șerban", "Serbănescu Ana")
	if strings.Index(both.text, "Pârvu-Exemplu Șerban") > strings.Index(both.text, "Serbănescu Ana") {
		t.Error("the one of today does not come first")
	}
	c.find("x").is(http.StatusOK).shows("Scrieți cel puțin 2 litere.")
	c.find("Nimeni").is(http.StatusOK).shows("Nu s-a găsit nimic")
	c.find(`" OR name:*`).is(http.StatusOK).shows("Nu s-a găsit nimic")
}

// A code that was scanned before: the page says when, by whom, and at which desk.
func TestTheSecondScan(t *testing.T) {
	c := at(t, "09:30")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	scan := c.qr(c.key, 1, 1, "2222AAAA", "R01", "09:20")
	c.find(scan).follow().hides("Cod scanat din nou")
	c.elsewhere("Radu", c.when(monday, "09:18"), "2222AAAA", spclep.Arrived, true, nil)
	c.find(scan).follow().shows("Cod scanat din nou: prezență la 23.11.2026 09:18, de Radu, alt PC (0202).", "Prezent din 23.11.2026 09:18 · Radu")
	c.open("/vizita/2222AAAA").hides("Cod scanat din nou")
	c.elsewhere("Ana", c.when(monday, "09:40"), "2222AAAA", spclep.SentAway, true, spclep.SentAwayValue{Ground: spclep.GroundRuleBreach})
	c.find("2222-AAAA").follow().shows("Cod scanat din nou: trimis acasă la 23.11.2026 09:40, de Ana")
}

// Whatever is held up by mistake gets its own plain sentence.
func TestWhatIsHeldUpByMistake(t *testing.T) {
	c := at(t, "09:15")
	stranger := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, ed25519.SeedSize))
	good := c.qr(c.key, 1, 1, "2222AAAA", "R01", "09:20")
	for q, want := range map[string]string{
		"https://hub.mai.gov.ro/roeid/verifica?t=abc":    "Acesta este codul QR de identitate al ministerului",
		c.qr(c.key, 1, 2, "2222AAAA", "R01", "10:40"):    "Programarea este la alt serviciu: SPCLEP Botoșani, în 23.11.2026 la ora 10:40.",
		good[:60] + "A" + good[61:]:                      "Codul este deteriorat",
		c.qr(c.key, 7, 1, "2222AAAA", "R01", "09:20"):    "o cheie pe care acest PC nu o cunoaște încă",
		c.qr(stranger, 1, 1, "2222AAAA", "R01", "09:20"): "nu este semnat de centru",
		"CDS2" + "2222AAAA" + "2222":                     "Codul este deteriorat",
	} {
		if q == good {
			t.Fatal("the damaged code is the good one")
		}
		c.find(q).is(http.StatusOK).shows("Nu s-a putut face", want)
	}
}

// A signed code of a booking made after the last contact is taken offline: the
// clerk types the name, and the person is present.
func TestASignedCodeTheReplicaHasNotSeen(t *testing.T) {
	c := at(t, "09:15")
	s := c.find(c.qr(c.key, 1, 1, "2222AAAA", "R11", "09:20")).is(http.StatusOK).
		shows("Programare nouă, încă nesincronizată", "luni 23.11.2026, ora 09:20", "Pierdere, furt")
	s.press("/acceptare", url.Values{"nume": {""}}).is(http.StatusUnprocessableEntity).shows("Scrieți numele persoanei")
	s.press("/acceptare", url.Values{"nume": {strings.Repeat("ș", 600)}}).is(http.StatusUnprocessableEntity).shows("Textul este prea lung")
	form := s.fill("/acceptare", url.Values{"nume": {"Probă  Ilinca"}})
	for range 2 {
		c.post("/acceptare", form).is(http.StatusSeeOther)
	}
	c.open("/vizita/2222AAAA").shows("Probă Ilinca", "prezent", "cod scanat, nesincronizat")
	forged := s.fill("/acceptare", url.Values{"nume": {"X"}, "cod": {"CDB2AAAA"}})
	c.post("/acceptare", forged).is(http.StatusBadRequest)
}

// The slip opens the application it was printed for, and only says so when it
// is not known here.
func TestSlipOpensTheApplication(t *testing.T) {
	c := at(t, "13:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "13:00")
	if got := c.find(slipOf("2222AAAA")).is(http.StatusSeeOther).Header().Get("Location"); got != "/vizita/2222AAAA" {
		t.Errorf("the slip leads to %q", got)
	}
	c.find(slipOf("5555DDDD")).is(http.StatusOK).shows("Bonul este bun, dar cererea lui nu este pe acest PC")
	c.open("/vizita/2222AAAA/bon").is(http.StatusNotFound).shows("Bonul se tipărește după ce a fost preluată cererea")
}
