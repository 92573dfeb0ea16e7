package page_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"condica/agent/page"
	"condica/spclep"
)

// Somebody has copied the clerk's cookie. It is worth nothing once the desk was
// locked or the clerk signed out, nor in another browser.
func TestAStolenCookie(t *testing.T) {
	g := withClerks(t, "09:15")
	ana := g.ana()
	thief := g.seat()
	thief.cookies["condica-lucrator"] = ana.cookies["condica-lucrator"]
	thief.open("/").is(http.StatusOK)
	g.later(10 * time.Minute)
	ana.open("/stare").is(http.StatusUnauthorized)
	for _, path := range []string{"/", "/vizita/2222AAAA", "/stare"} {
		thief.open(path).is(http.StatusUnauthorized).hides("Ioana")
	}
	ana.signs(ana.open("/"), "Ana Exemplu", anaPIN).is(http.StatusOK)
	thief.open("/").is(http.StatusUnauthorized).hides("Ioana")
	thief.cookies["condica-lucrator"] = ana.cookies["condica-lucrator"]
	form := ana.open("/vizita/2222AAAA").fill("/vizita/2222AAAA/prezent", nil)
	ana.press(ana.open("/"), "/iesire", nil)
	thief.do(http.MethodPost, "/vizita/2222AAAA/prezent", form).is(http.StatusUnauthorized).hides("Ioana")
	if b, _ := g.db.Booking(t.Context(), "2222AAAA"); b.Visit.State != spclep.StateBooked {
		t.Errorf("with the stolen cookie the person became %q", b.Visit.State)
	}
	thief.cookies["condica-lucrator"] = "the service's own"
	thief.open("/").is(http.StatusOK)
	thief.do(http.MethodPost, "/vizita/2222AAAA/prezent", form).is(http.StatusUnauthorized)
	g.discreet("a form of nobody who is signed in")
}

// With tickets, a clerk's session is good only in the browser that was let in.
func TestAStolenCookieInAnotherBrowser(t *testing.T) {
	g := withClerks(t, "09:15")
	drawn := 0
	g.tickets = page.NewTickets(func() string { drawn++; return strings.Repeat("x", drawn) }, func() int64 { return g.reading().Up }, nil, func([]string) {})
	g.restart()
	in := func() *seat {
		s := g.seat()
		s.do(http.MethodPost, "/intra", url.Values{"bilet": {g.tickets.New()}}).is(http.StatusSeeOther)
		return s
	}
	ana, other := in(), in()
	ana.signs(ana.open("/"), "Ana Exemplu", anaPIN).is(http.StatusOK).shows("Exemplu Ioana")
	other.cookies["condica-lucrator"] = ana.cookies["condica-lucrator"]
	other.open("/").is(http.StatusUnauthorized).hides("Ioana")
	ana.open("/").is(http.StatusOK)
	outside := g.seat()
	outside.cookies["condica-lucrator"] = ana.cookies["condica-lucrator"]
	outside.open("/").is(http.StatusForbidden)
	g.discreet("a browser that was not let in")
}

// At a desk that is lent, a clerk's session is good in the one browser of the one
// PC in which it began.
func TestAStolenCookieAtAnotherPC(t *testing.T) {
	g := withClerks(t, "09:15")
	name, browser := "Ghișeul 2", "Ghișeul 2 b1"
	g.from = func(*http.Request) (string, string) { return name, browser }
	g.restart()
	ion := g.seat()
	ion.signs(ion.open("/"), "Ion Probă", ionPIN).is(http.StatusOK).shows("Exemplu Ioana")
	for _, browser = range []string{"Ghișeul 2 b2", "Ghișeul 3 b1", ""} {
		ion.open("/").is(http.StatusUnauthorized).hides("Ioana")
	}
	name, browser = "Ghișeul 2", "Ghișeul 2 b1"
	ion.open("/").is(http.StatusOK)
	ion.press(ion.open("/vizita/2222AAAA"), "/vizita/2222AAAA/prezent", nil)
	b, err := g.db.Booking(t.Context(), "2222AAAA")
	g.must(err)
	if by := b.Facts[len(b.Facts)-1].By; by != "Ion Probă · la Ghișeul 2" {
		t.Errorf("the record says %q", by)
	}
}

// Somebody plants a cookie in the browser before Ana signs in: hers is another.
func TestSessionFixation(t *testing.T) {
	g := withClerks(t, "09:15")
	ana, thief := g.seat(), g.seat()
	planted := strings.Repeat("A", 26)
	ana.cookies["condica-lucrator"], thief.cookies["condica-lucrator"] = planted, planted
	ana.signs(ana.open("/"), "Ana Exemplu", anaPIN).is(http.StatusOK)
	if got := ana.cookies["condica-lucrator"]; got == planted || len(got) < 26 {
		t.Errorf("the session is %q", got)
	}
	thief.open("/").is(http.StatusUnauthorized)
	first := ana.cookies["condica-lucrator"]
	ana.signs(ana.open("/intrare"), "Ana Exemplu", anaPIN).is(http.StatusOK)
	thief.cookies["condica-lucrator"] = first
	thief.open("/").is(http.StatusUnauthorized)
}

// Guessing goes on over restarts of the service and of the PC: the wait holds,
// and the right PIN within it is not told from a wrong one. A name without an
// account is answered as one with.
func TestGuessingAcrossRestarts(t *testing.T) {
	g := withClerks(t, "09:15")
	s := g.seat()
	guess := func(name, pin string) sheet {
		return s.do(http.MethodPost, "/intrare", url.Values{"nume": {name}, "pin": {pin}})
	}
	for range 4 {
		guess("Ion Probă", "000000").is(http.StatusUnprocessableEntity).shows("Numele și PIN-ul nu se potrivesc").hides("Următoarea")
		g.restart()
	}
	fifth := guess("Ion Probă", "000000").is(http.StatusUnprocessableEntity).shows("peste 30 de secunde")
	if fifth.Header().Get("Retry-After") != "30" || strings.Contains(fifth.Body.String(), "000000") {
		t.Errorf("Retry-After %q, or the PIN stands on the page", fifth.Header().Get("Retry-After"))
	}
	for i, again := range []func(){g.restart, g.powerCut, g.restart} {
		again()
		if w := guess("Ion Probă", ionPIN).is(http.StatusTooManyRequests).shows("peste 30 de secunde"); len(w.Result().Cookies()) > 0 {
			t.Errorf("start %d gives a cookie within the wait", i)
		}
	}
	g.skew = -17 * 365 * 24 * time.Hour.Milliseconds()
	guess("Ion Probă", ionPIN).is(http.StatusTooManyRequests)
	g.skew = 0
	g.later(30 * time.Second)
	guess("Ion Probă", "000000").shows("peste 1 minut")
	for range 5 {
		guess("Nimeni Aici", "000000").shows("Numele și PIN-ul nu se potrivesc")
	}
	guess("Nimeni Aici", "000000").is(http.StatusTooManyRequests).shows("prea multe PIN-uri greșite")
	for _, pin := range []string{"", "1", "abcdef", strings.Repeat("1", 5000), "12345\x00"} {
		guess("Ana Exemplu", pin).is(http.StatusUnprocessableEntity).shows("între 6 și 12 cifre")
	}
	guess("Ana Exemplu", anaPIN).is(http.StatusSeeOther)
	g.discreet("a PIN does not fit", "a PIN within the wait")
}

// A name that is a script stands on every page as text.
func TestAScriptInAName(t *testing.T) {
	g := withClerks(t, "09:15")
	s := g.ana()
	const script = `<script>alert(1)</script>`
	g.books("3333BBBB", script+` "onload=x`, "R01", monday, "09:40")
	s.do(http.MethodPost, "/vizita/2222AAAA/date", s.open("/vizita/2222AAAA").fill("/vizita/2222AAAA/date", url.Values{"name": {script}})).is(http.StatusSeeOther)
	form := s.open("/vizita/3333BBBB").fill("/vizita/3333BBBB/date", url.Values{"note": {script}})
	pages := []sheet{s.open("/"), s.open("/vizita/2222AAAA"), s.open("/vizita/3333BBBB"), s.open("/cauta?q=" + url.QueryEscape(script)), s.open("/coada")}
	g.later(10 * time.Minute)
	pages = append(pages, s.do(http.MethodPost, "/vizita/3333BBBB/date", form),
		s.do(http.MethodPost, "/intrare", url.Values{"nume": {script}, "era": {script}, "inapoi": {`/"` + script}, "pin": {"1"}, "pastrat-la": {"/" + script}, "pastrat." + script: {script}}))
	for i, w := range pages {
		if strings.Contains(w.Body.String(), "<script>") || !strings.Contains(w.Body.String(), "&lt;script&gt;") && i < 4 {
			t.Errorf("page %d shows a script as script, or not at all:\n%s", i, w.text)
		}
		if p := w.Header().Get("Content-Security-Policy"); !strings.Contains(p, "script-src 'self'") || strings.Contains(p, "unsafe") {
			t.Errorf("page %d: policy %q", i, p)
		}
	}
}

// Requests as no page of the desk makes them are refused, without sign-in and
// with it, and what they aimed at does not stand in the log.
func TestOddRequests(t *testing.T) {
	g := withClerks(t, "09:15")
	ana, nobody := g.ana(), g.seat()
	for _, c := range []struct {
		method, path string
		status       int // for Ana
	}{
		{"GET", "//example.ro/vizita/2222AAAA", http.StatusTemporaryRedirect},
		{"GET", "/vizita/../vizita/2222AAAA", http.StatusTemporaryRedirect},
		{"GET", "/static/../vizita/2222AAAA", http.StatusTemporaryRedirect},
		{"GET", "/static/%2e%2e/vizita/2222AAAA", http.StatusNotFound},
		{"GET", "/static/..%2fvizita%2f2222AAAA", http.StatusNotFound},
		{"GET", "/static/..%5c..%5ctemplates/signin.html", http.StatusNotFound},
		{"GET", "/static/../../templates/signin.html", http.StatusTemporaryRedirect},
		{"GET", "/vizita%2f2222AAAA", http.StatusNotFound},
		{"GET", "/vizita/2222AAAA%00", http.StatusNotFound},
		{"GET", "/vizita/2222AAAA/prezent", http.StatusNotFound},
		{"GET", "/iesire", http.StatusNotFound},
		{"GET", "/urme/asteptare", http.StatusNotFound},
		{"GET", "/" + strings.Repeat("a/", 20_000), http.StatusNotFound},
		{"PUT", "/vizita/2222AAAA", http.StatusNotFound},
		{"DELETE", "/vizita/2222AAAA", http.StatusNotFound},
		{"TRACE", "/vizita/2222AAAA", http.StatusNotFound},
		{"PROPFIND", "/", http.StatusNotFound},
		{"POST", "/", http.StatusNotFound},
		{"POST", "/stare", http.StatusNotFound},
		{"POST", "/static/desk.css", http.StatusNotFound},
	} {
		w := ana.do(c.method, c.path, nil)
		if w.Code != c.status && !(c.status == http.StatusTemporaryRedirect && w.Code == http.StatusMovedPermanently) {
			t.Errorf("%s %.60s: status %d, want %d", c.method, c.path, w.Code, c.status)
		}
		if to := w.Header().Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//")) {
			t.Errorf("%s leads away to %q", c.path, to)
		}
		if w := nobody.do(c.method, c.path, nil); w.Code < 300 || strings.Contains(w.Body.String(), "Ioana") {
			t.Errorf("%s %.60s without sign-in: status %d", c.method, c.path, w.Code)
		}
	}
	if b, _ := g.db.Booking(t.Context(), "2222AAAA"); b.Visit.State != spclep.StateBooked {
		t.Errorf("the person is %q", b.Visit.State)
	}
	ana.open("/").is(http.StatusOK)
	g.discreet()
}

// A form over 1 MB is refused before and after sign-in, and so is one that comes
// under a foreign name or from another site; each is told in the log.
func TestForeignAndLargeForms(t *testing.T) {
	g := withClerks(t, "09:15")
	ana, nobody := g.ana(), g.seat()
	large := url.Values{"note": {"Ioana " + strings.Repeat("a", 2<<20)}}
	for _, path := range []string{"/vizita/2222AAAA/date", "/intrare", "/limba"} {
		ana.do(http.MethodPost, path, large).is(http.StatusRequestEntityTooLarge)
		nobody.do(http.MethodPost, path, large).is(http.StatusRequestEntityTooLarge).hides("Exemplu Ioana", "Covasna")
	}
	form := ana.open("/vizita/2222AAAA").fill("/vizita/2222AAAA/prezent", nil)
	in := url.Values{"nume": {"Ana Exemplu"}, "pin": {anaPIN}}
	for _, header := range [][]string{
		{"Origin", "http://ioana.example.ro"}, {"Origin", "null", "Sec-Fetch-Site", "cross-site"}, {"Origin", "null", "Sec-Fetch-Site", "same-site"},
	} {
		ana.do(http.MethodPost, "/vizita/2222AAAA/prezent", form, header...).is(http.StatusForbidden)
		if w := nobody.do(http.MethodPost, "/intrare", in, header...).is(http.StatusForbidden); len(w.Result().Cookies()) > 0 {
			t.Errorf("%v: another site signed a clerk in", header)
		}
	}
	g.pages = g.serve("127.0.0.1:9999")
	nobody.do(http.MethodPost, "/intrare", in).is(http.StatusMisdirectedRequest)
	nobody.open("/vizita/2222AAAA").is(http.StatusMisdirectedRequest)
	if b, _ := g.db.Booking(t.Context(), "2222AAAA"); b.Visit.State != spclep.StateBooked {
		t.Errorf("the person is %q", b.Visit.State)
	}
	g.discreet("a form over 1 MB", "a form or page of a foreign origin", "a form that another site sent", "a foreign host name")
}
