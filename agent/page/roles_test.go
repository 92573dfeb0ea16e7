package page_test

import (
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"condica/spclep"
	"condica/sync/wire"
)

// Ion is a clerk. What the head of service decides he cannot do alone; Ana gives
// her PIN in his form, and both are on the record.
func TestTheHeadApprovesAtTheClerksDesk(t *testing.T) {
	g := withClerks(t, "08:10")
	ion := g.seat()
	form := ion.signs(ion.open("/fara-programare"), "Ion Probă", ionPIN)
	urgent := url.Values{"nume": {"Példa Réka"}, "motiv": {"R01"}, "urgenta": {"da"}, "de-ce": {"operație mâine"}}
	ion.press(form, "/fara-programare", urgent).is(http.StatusUnprocessableEntity).shows("Urgența trebuie aprobată de șeful de serviciu")
	urgent.Set("sef", "Ana Exemplu")
	urgent.Set("sef-pin", "111222")
	ion.press(form, "/fara-programare", urgent).is(http.StatusUnprocessableEntity).shows("nu se potrivesc")
	urgent.Set("sef-pin", anaPIN)
	v := ion.press(form, "/fara-programare", urgent).shows("este prezentă", "aprobată de Ana Exemplu", "Ion Probă")

	action := formAddress(v, "/preia")
	v = ion.press(v, action, url.Values{"desi": {"le aduce mâine"}}).shows("Cererea a fost preluată")
	more := formAddress(v, "/prelungire")
	ion.press(v, more, url.Values{"zile": {"15"}, "motiv": {"verificări"}}).is(http.StatusUnprocessableEntity).shows("Aici hotărăște șeful de serviciu")
	again := ion.press(v, more, url.Values{"zile": {"99"}, "motiv": {"verificări"}, "sef": {"Ana Exemplu"}, "sef-pin": {anaPIN}}).is(http.StatusUnprocessableEntity)
	if why := again.fill(more, nil).Get("motiv"); why != "verificări" {
		t.Errorf("the form that is shown again has the reason %q", why)
	}
	ion.press(v, more, url.Values{"zile": {"15"}, "motiv": {"verificări"}, "sef": {"Ana Exemplu"}, "sef-pin": {anaPIN}}).
		shows("Termenul a fost prelungit", "verificări · aprobat de Ana Exemplu")
}

// A day later only the head of service takes a step back.
func TestUndoAfterTheLimit(t *testing.T) {
	g := withClerks(t, "09:10")
	ion := g.seat()
	v := ion.signs(ion.open("/vizita/2222AAAA"), "Ion Probă", ionPIN)
	ion.press(v, "/vizita/2222AAAA/prezent", nil).shows("Prezența a fost notată")
	g.now(monday+1, "09:11")
	v = ion.signs(ion.open("/vizita/2222AAAA"), "Ion Probă", ionPIN).shows("Pasul este mai vechi decât termenul")
	ion.press(v, "/vizita/2222AAAA/anulare", url.Values{"motiv": {"greșit"}}).is(http.StatusUnprocessableEntity).
		shows("Ce s-a făcut cu mai mult de 24 ore în urmă poate fi anulat numai de șeful de serviciu")
	ion.press(v, "/vizita/2222AAAA/anulare", url.Values{"motiv": {"greșit"}, "sef": {"Ana Exemplu"}, "sef-pin": {anaPIN}}).shows("Pasul a fost anulat")
}

// Numbers of the desk: who did something is told by the desk that everybody in
// the office knows, numbers that run low are said, and two applications with one
// number are told to whoever can settle it.
func TestDesksAndNumbers(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	c.books("3333BBBB", "Model Ion", "R01", monday, "09:40")
	c.open("/stare").shows("nu mai sunt numere rezervate de la centru; se dau numerele acestui ghișeu (1-…)")
	c.save(wire.Answer{Desks: []wire.Desk{{Device: here, Desk: 1}, {Device: other, Desk: 2, Name: "PC2"}}, Numbers: &wire.Numbers{From: 40, To: 59}})
	c.open("/stare").shows("mai sunt rezervate 20 de numere de înregistrare")
	c.elsewhere("Radu", c.wall-60_000, "2222AAAA", spclep.Arrived, true, nil)
	c.open("/vizita/2222AAAA").shows("Radu · ghișeul 2")
	for _, id := range []spclep.BookingID{"2222AAAA", "3333BBBB"} {
		c.elsewhere("Radu", c.wall-30_000, id, spclep.Filed, true, spclep.FiledValue{Number: "77", Product: "CEI_FIRST", Day: monday, Due: monday + 30})
	}
	c.open("/conflicte").shows("Același număr de înregistrare: 77", "Exemplu Ioana", "Model Ion")
}

// formAddress is where the form of a deed is sent, on a visit whose code is not
// known beforehand.
func formAddress(s sheet, deed string) string {
	s.c.Helper()
	m := regexp.MustCompile(`action="(/vizita/[0-9A-Z]+` + deed + `)"`).FindStringSubmatch(s.Body.String())
	if m == nil {
		s.c.Fatalf("the page has no form for %s: %s", deed, s.text)
	}
	return m[1]
}
