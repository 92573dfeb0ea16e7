package page_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"condica/spclep"
	"condica/spclep/settings"
)

// The day begins with a PIN. Before it nothing of the office is shown; after it
// the name goes with every action, and nobody writes another one.
func TestTheDayBeginsWithAPIN(t *testing.T) {
	g := withClerks(t, "09:15")
	s := g.seat()
	for _, path := range []string{"/", "/vizita/2222AAAA", "/cauta?q=ioana", "/coada", "/urme", "/pin", "/nimic"} {
		s.open(path).is(http.StatusUnauthorized).shows("Intrare în Condica", "Ana Exemplu", "Ion Probă").hides("Ioana", "Covasna", "Radu Minta")
	}
	if w := s.open("/stare"); w.Code != http.StatusUnauthorized || w.Body.Len() > 0 {
		t.Errorf("the status line without sign-in: %d %q", w.Code, w.text)
	}
	s.open("/static/desk.css").is(http.StatusOK)
	visit := s.signs(s.open("/vizita/2222AAAA"), "Ion Probă", ionPIN).is(http.StatusOK).shows("Exemplu Ioana", "Ion Probă", "Schimbă lucrătorul")
	s.press(visit, "/vizita/2222AAAA/prezent", nil).shows("Ion Probă · acest PC")
	s.do(http.MethodPost, "/lucrator", url.Values{"nume": {"Altcineva"}}).is(http.StatusForbidden)
	s.open("/urme").is(http.StatusForbidden).shows("a șefului de serviciu")
	if w := s.open("/stare"); w.Code != http.StatusOK || w.Header().Get("Condica-Clerk") != "Ion+Prob%C4%83" {
		t.Errorf("the status line tells the script %q", w.Header().Get("Condica-Clerk"))
	}
	g.discreet()
}

// Nobody has a PIN: the desk works as before, and who works is who says so.
func TestWithoutAccounts(t *testing.T) {
	g := withClerks(t, "09:15")
	rules := g.office.Rules()
	rules.Settings.Clerks = []settings.Clerk{{Name: "Radu Minta", Role: settings.RoleClerk}}
	g.office.Use(rules)
	s := g.seat()
	day := s.open("/").is(http.StatusOK).shows("Exemplu Ioana").hides("Schimbă lucrătorul")
	s.press(day, "/lucrator", url.Values{"nume": {"Radu Minta"}})
	s.press(s.open("/vizita/2222AAAA"), "/vizita/2222AAAA/prezent", nil).shows("Radu Minta · acest PC")
	s.open("/pin").is(http.StatusNotFound)
	s.open("/urme").is(http.StatusOK).shows("Nu este nimic notat").hides("Așteaptă")
	if to := s.open("/intrare").Header().Get("Location"); to != "/" {
		t.Errorf("the sign-in page leads to %q", to)
	}
}

// Ion takes Ana's place: F10, his name, his PIN. The page they stand on stays.
func TestClerksChangePlaces(t *testing.T) {
	g := withClerks(t, "09:15")
	s := g.ana()
	visit := s.open("/vizita/2222AAAA")
	if !strings.Contains(visit.Body.String(), `data-key="F10"`) {
		t.Error("the page has no key for changing places")
	}
	door := s.press(visit, "/iesire", nil).is(http.StatusOK).hides("Ioana")
	if !strings.Contains(door.Body.String(), `<select id="intrare-nume" name="nume" required autofocus>`) {
		t.Error("after F10 the name does not have the focus")
	}
	s.signs(door, "Ion Probă", ionPIN).is(http.StatusOK).shows("Exemplu Ioana", "Ion Probă").hides("Ana Exemplu")
	if got, want := g.trace(), []string{"signed-in Ana Exemplu", "signed-out Ana Exemplu", "signed-in Ion Probă"}; !slices.Equal(got, want) {
		t.Errorf("trace %q", got)
	}
}

// Nobody works for ten minutes; the page asking for its status line is no work.
// Then the name is there already, and the PIN is asked for.
func TestIdleLock(t *testing.T) {
	g := withClerks(t, "09:15")
	s := g.ana()
	for range 10 {
		g.later(59 * time.Second)
		s.open("/stare").is(http.StatusOK)
	}
	g.later(11 * time.Second)
	s.open("/stare").is(http.StatusUnauthorized)
	door := s.open("/vizita/2222AAAA").is(http.StatusUnauthorized).hides("Ioana")
	for _, want := range []string{`<option value="Ana Exemplu" selected>`, `type="password" inputmode="numeric" maxlength="12" required autocomplete="off" autofocus`} {
		if !strings.Contains(door.Body.String(), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	s.signs(door, "Ana Exemplu", anaPIN).is(http.StatusOK).shows("Exemplu Ioana")
	if got, want := g.trace(), []string{"signed-in Ana Exemplu", "locked Ana Exemplu", "signed-in Ana Exemplu"}; !slices.Equal(got, want) {
		t.Errorf("trace %q", got)
	}
}

// A form meets the lock. Ana's PIN carries it out, once however often it is
// sent; the form lost nothing but the PIN that must not be kept.
func TestNothingTypedIsLostOverALock(t *testing.T) {
	g := withClerks(t, "09:15")
	s := g.ana()
	form := s.open("/vizita/2222AAAA").fill("/vizita/2222AAAA/date", url.Values{
		"note": {`vine cu mama & "<b>`}, "sef": {"Ana Exemplu"}, "sef-pin": {"99887766"}})
	g.later(10 * time.Minute)
	door := s.do(http.MethodPost, "/vizita/2222AAAA/date", form).is(http.StatusUnauthorized).shows("Ce ați completat se păstrează")
	if strings.Contains(door.Body.String(), "99887766") {
		t.Error("the PIN of the head of service was carried along")
	}
	entered := door.fill("/intrare", url.Values{"nume": {"Ana Exemplu"}, "pin": {"000000"}})
	door = s.do(http.MethodPost, "/intrare", entered).is(http.StatusUnprocessableEntity).shows("nu se potrivesc", "Ce ați completat se păstrează")
	entered = door.fill("/intrare", url.Values{"nume": {"Ana Exemplu"}, "pin": {anaPIN}})
	for range 2 {
		w := s.do(http.MethodPost, "/intrare", entered).is(http.StatusSeeOther)
		s.open(w.Header().Get("Location")).shows(`Observație → vine cu mama & "<b>`)
	}
	b, err := g.db.Booking(t.Context(), "2222AAAA")
	g.must(err)
	if n := strings.Count(s.open("/vizita/2222AAAA").text, "Observație →"); b.Note != `vine cu mama & "<b>` || n != 1 {
		t.Errorf("note %q, written %d times", b.Note, n)
	}
	g.discreet("a form of nobody who is signed in")
}

// Another clerk comes back to Ana's form: it is not sent in Ion's name, and he
// gets the page anew. A form with PINs is never carried.
func TestAFormIsNotSentInAnothersName(t *testing.T) {
	g := withClerks(t, "09:15")
	s := g.ana()
	form := s.open("/vizita/2222AAAA").fill("/vizita/2222AAAA/prezent", nil)
	change := s.open("/pin").fill("/pin", url.Values{"pin": {anaPIN}, "pin-nou": {"50607081"}, "pin-repetat": {"50607081"}})
	g.later(10 * time.Minute)
	door := s.do(http.MethodPost, "/vizita/2222AAAA/prezent", form)
	s.signs(door, "Ion Probă", ionPIN).is(http.StatusOK).shows("Exemplu Ioana", "Ion Probă")
	if b, _ := g.db.Booking(t.Context(), "2222AAAA"); b.Visit.State != spclep.StateBooked {
		t.Errorf("the person is %q", b.Visit.State)
	}
	g.later(10 * time.Minute)
	if w := s.do(http.MethodPost, "/pin", change); strings.Contains(w.Body.String(), "50607081") || strings.Contains(w.Body.String(), "pastrat") {
		t.Error("a form with PINs was carried along")
	}
}

// The script in the page asks for the PIN without leaving it: it is told whether
// the same clerk is back.
func TestThePINInPlace(t *testing.T) {
	g := withClerks(t, "09:15")
	s := g.ana()
	in := url.Values{"mod": {"loc"}, "era": {"Ana Exemplu"}, "nume": {"Ana Exemplu"}, "pin": {"000000"}}
	s.do(http.MethodPost, "/intrare", in).is(http.StatusUnprocessableEntity).shows("nu se potrivesc")
	in.Set("pin", anaPIN)
	s.do(http.MethodPost, "/intrare", in).is(http.StatusNoContent)
	in["nume"], in["pin"] = []string{"Ion Probă"}, []string{ionPIN}
	s.do(http.MethodPost, "/intrare", in).is(http.StatusResetContent)
	s.open("/").is(http.StatusOK).shows("Ion Probă")
}

// Ion chooses a PIN of his own, and is told in words what does not do.
func TestAClerkChoosesAPIN(t *testing.T) {
	g := withClerks(t, "09:15")
	s := g.seat()
	s.signs(s.open("/pin"), "Ion Probă", ionPIN).shows("Schimbarea PIN-ului")
	for _, c := range []struct{ old, pin, again, want string }{
		{"", "40291784", "40291784", "între 6 și 12 cifre"}, {"000000", "40291784", "40291784", "nu se potrivesc"},
		{ionPIN, "40291784", "40291785", "nu sunt la fel"}, {ionPIN, "4029178", "4029178", "între 8 și 12 cifre"},
		{ionPIN, "11111111", "11111111", "prea ușor de ghicit"}, {ionPIN, ionPIN, ionPIN, "între 8 și 12 cifre"},
	} {
		w := s.press(s.open("/pin"), "/pin", url.Values{"pin": {c.old}, "pin-nou": {c.pin}, "pin-repetat": {c.again}})
		w.is(http.StatusUnprocessableEntity).shows(c.want)
		if strings.Contains(w.Body.String(), `value="4029`) {
			t.Error("the page shows a PIN again")
		}
	}
	s.press(s.open("/pin"), "/pin", url.Values{"pin": {ionPIN}, "pin-nou": {"40291784"}, "pin-repetat": {"40291784"}}).is(http.StatusOK).shows("PIN-ul a fost schimbat")
	g.restart()
	s.signs(s.open("/"), "Ion Probă", ionPIN).shows("nu se potrivesc")
	s.signs(s.open("/"), "Ion Probă", "40291784").is(http.StatusOK).shows("Exemplu Ioana")
	g.discreet()
}

// Ana reads the page of traces and lifts the wait that Ion has earned.
func TestTheHeadLiftsAWait(t *testing.T) {
	g := withClerks(t, "09:15")
	ana, ion := g.ana(), g.seat()
	for range 5 {
		ion.signs(ion.open("/"), "Ion Probă", "000000")
	}
	ion.signs(ion.open("/"), "Ion Probă", ionPIN).is(http.StatusTooManyRequests).shows("prea multe PIN-uri greșite", "peste 30 de secunde")
	urme := ana.open("/urme").is(http.StatusOK).shows("Ion Probă · Următoarea încercare: peste 30 de secunde.", "PIN greșit", "trebuie să aștepte")
	ana.press(urme, "/urme/asteptare", nil).shows("Așteptarea a fost ridicată", "a ridicat așteptarea").hides("peste 30 de secunde")
	ion.signs(ion.open("/"), "Ion Probă", ionPIN).is(http.StatusOK).shows("Exemplu Ioana")
	ion.do(http.MethodPost, "/urme/asteptare", url.Values{"nume": {"Ion Probă"}}).is(http.StatusForbidden)
	ana.do(http.MethodPost, "/urme/asteptare", url.Values{"nume": {"Nimeni"}}).is(http.StatusUnprocessableEntity)
}

// Without scripts nobody asks for the status line: the page itself comes back
// after the time of the lock, and meets it; where a form made it, the page of the
// form. An office without accounts has no lock.
func TestThePageLocksWithoutScripts(t *testing.T) {
	g := withClerks(t, "09:15")
	ana := g.ana()
	comesBack := func(s sheet, to string) sheet {
		t.Helper()
		if want := `<noscript><meta http-equiv="refresh" content="605; url=` + to + `"></noscript>`; !strings.Contains(s.Body.String(), want) {
			t.Errorf("the page lacks %s", want)
		}
		return s
	}
	comesBack(ana.open("/?zi=2026-11-24"), "/?zi=2026-11-24")
	form := comesBack(ana.open("/vizita/2222AAAA"), "/vizita/2222AAAA")
	comesBack(ana.press(form, "/vizita/2222AAAA/date", url.Values{"name": {""}}).is(http.StatusUnprocessableEntity), "/vizita/2222AAAA")
	if strings.Contains(at(t, "09:15").open("/").Body.String(), "refresh") {
		t.Error("a page that nobody has signed in at comes back by itself")
	}
}
