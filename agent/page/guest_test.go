package page_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"condica/agent/page"
	"condica/spclep"
)

var (
	errOff     = errors.New("the host is off")
	errShutOut = errors.New("shut out")
	errBusy    = errors.New("busy")
)

// A guesting PC has a desk of its own, and works at that of Birou-1.
type guesting struct {
	*door
	fails  error                   // what asking Birou-1 ends with; nil: it answers
	asked  []string                // what reached it
	who    func() (string, string) // the seat under which it is asked
	lender http.Handler
	works  bool
}

func newGuesting(t *testing.T) *guesting {
	g := &guesting{door: newDoor(t, nil), works: true}
	g.who = func() (string, string) { return "Ghișeul 2", "b1" }
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	g.lender = page.New(g.office, page.Options{Log: quiet, Hosts: []string{"ghiseu.internal"}, Random: func() string { return "cheie-de-la-gazdă" },
		Seat: func(*http.Request) (string, string) { return g.who() }})
	here := page.New(g.office, page.Options{Log: quiet, Hosts: []string{host}, Random: func() string { return "cheie" }, Tickets: g.tickets, Lender: func() string { return "Birou-1" }})
	g.pages = page.Guest(page.GuestDesk{Log: quiet, Office: g.office, Hosts: []string{host}, Tickets: g.tickets, Lender: "Birou-1", Here: here,
		Works: func() bool { return g.works }, ShutOut: func(err error) bool { return errors.Is(err, errShutOut) }, Busy: func(err error) bool { return errors.Is(err, errBusy) }, Forward: g.forward})
	return g
}

func (g *guesting) forward(w http.ResponseWriter, r *http.Request, browser string, own []string, failed func(error)) {
	if g.fails != nil {
		failed(g.fails)
		return
	}
	out := r.Clone(r.Context())
	out.Host = "ghiseu.internal"
	for _, name := range []string{"Origin", "Sec-Fetch-Site"} {
		out.Header.Del(name)
	}
	g.asked = append(g.asked, r.Method+" "+r.URL.RequestURI()+" "+browser)
	g.lender.ServeHTTP(w, out)
}

// let is a browser that condica open let in.
func (g *guesting) let() *visitor {
	g.Helper()
	b := &visitor{door: g.door}
	if w := b.enters(page.Enter("http://"+host, g.tickets.New())); w.Code != http.StatusSeeOther {
		g.Fatalf("the ticket: %d %s", w.Code, w.Body)
	}
	return b
}

// This PC lets its browsers in itself: nobody reaches the other PC through it who
// has no ticket, speaks to another name, or was sent by another site.
func TestAGuestLetsItsOwnBrowsersIn(t *testing.T) {
	g := newGuesting(t)
	stranger := &visitor{door: g.door}
	if w := stranger.do(http.MethodGet, "/", nil); w.Code != http.StatusForbidden {
		t.Errorf("without a ticket: %d", w.Code)
	}
	b := g.let()
	for name, ask := range map[string]func(r *http.Request){
		"another name": func(r *http.Request) { r.Host = "evil.example" },
		"another site": func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") },
		"a cross-site": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
	} {
		r := httptest.NewRequest(http.MethodPost, "http://"+host+"/vizita/2222AAAA/prezent", strings.NewReader("cheie=0123456789abcdef"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		for _, c := range b.cookies {
			r.AddCookie(c)
		}
		ask(r)
		w := httptest.NewRecorder()
		g.pages.ServeHTTP(w, r)
		if w.Code != http.StatusForbidden && w.Code != http.StatusMisdirectedRequest {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	if g.asked != nil {
		t.Fatalf("the other PC was asked %q", g.asked)
	}
	w := b.do(http.MethodGet, "/", nil)
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "ghișeul „Ghișeul 2”") || len(w.Header().Values("Content-Security-Policy")) != 1 {
		t.Errorf("with a ticket: %d %v %s", w.Code, w.Header(), readable(w.Body.String()))
	}
	if len(g.asked) != 1 || len(strings.Fields(g.asked[0])) != 3 || strings.Contains(g.asked[0], "tainic") {
		t.Errorf("the other PC was asked %q", g.asked)
	}
}

// The other PC goes off: what was sent stands on the page to be sent again, its
// scripts are told in the status line, and this PC's own desk is one button away,
// and back.
func TestTheOtherPCIsOff(t *testing.T) {
	g := newGuesting(t)
	b := g.let()
	g.fails = errOff
	w := b.do(http.MethodPost, "/vizita/2222AAAA/date?x=1", url.Values{"cheie": {"0123456789abcdef"}, "note": {`<"&>`}, "sef-pin": {"123456"}})
	kept := w.Body.String()
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Refresh") != "" || !strings.Contains(kept, `action="/vizita/2222AAAA/date?x=1"`) ||
		!strings.Contains(kept, `name="note" value="&lt;&#34;&amp;&gt;"`) || strings.Contains(kept, "123456\"") {
		t.Errorf("a form: %d %s", w.Code, kept)
	}
	if w := b.do(http.MethodPost, "/intrare", url.Values{"nume": {"Ana"}, "pin": {"402917"}}); strings.Contains(w.Body.String(), "402917") {
		t.Errorf("a PIN stands on the page: %s", w.Body)
	}
	w = b.do(http.MethodPost, "/intrare", url.Values{"nume": {"Ana"}, "pin": {"402917"}, "pastrat-la": {"/vizita/2222AAAA/date"}, "pastrat.note": {"vine cu mama"}})
	if kept := w.Body.String(); strings.Contains(kept, "402917") || !strings.Contains(kept, `action="/vizita/2222AAAA/date"`) || !strings.Contains(kept, `name="note" value="vine cu mama"`) {
		t.Errorf("a form that had met the lock: %s", kept)
	}
	if w := b.do(http.MethodGet, "/stare", nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Calculatorul „Birou-1” nu răspunde") {
		t.Errorf("the status line: %d %s", w.Code, w.Body)
	}
	if w := b.do(http.MethodGet, "/static/desk.css", nil); w.Code != http.StatusOK {
		t.Errorf("the style sheet: %d", w.Code)
	}
	if w := b.do(http.MethodGet, "/", nil); w.Code != http.StatusServiceUnavailable || w.Header().Get("Refresh") == "" || !strings.Contains(w.Body.String(), `action="/aici"`) {
		t.Errorf("a page: %d %s", w.Code, w.Body)
	}
	g.fails = errBusy
	w = b.do(http.MethodPost, "/vizita/2222AAAA/date", url.Values{"cheie": {"0123456789abcdef"}, "note": {"vine cu mama"}})
	if said := readable(w.Body.String()); !strings.Contains(said, "„Birou-1” este ocupat") || strings.Contains(said, "nu răspunde") || !strings.Contains(w.Body.String(), `value="vine cu mama"`) {
		t.Errorf("it is busy: %d %s", w.Code, said)
	}
	g.fails = errOff
	g.works = false
	if w := b.do(http.MethodGet, "/", nil); strings.Contains(w.Body.String(), `action="/aici"`) {
		t.Error("a PC without an office offers its own desk")
	}
	g.works = true
	if w := b.do(http.MethodPost, "/aici", url.Values{}); w.Code != http.StatusSeeOther {
		t.Errorf("to this PC's desk: %d", w.Code)
	}
	if w := b.do(http.MethodGet, "/vizita/2222AAAA", nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `action="/acolo"`) {
		t.Errorf("this PC's desk: %d %s", w.Code, w.Body)
	}
	g.fails = nil
	w = b.do(http.MethodPost, "/acolo", url.Values{})
	back := &visitor{door: g.door}
	for _, c := range b.cookies {
		if c.Name != "condica-aici" {
			back.cookies = append(back.cookies, c)
		}
	}
	if c := w.Result().Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("back: %v", c)
	}
	if w := back.do(http.MethodGet, "/", nil); !strings.Contains(w.Body.String(), "ghișeul „Ghișeul 2”") {
		t.Errorf("back at the other PC's desk: %s", w.Body)
	}
	g.fails = errShutOut
	if w := back.do(http.MethodGet, "/", nil); w.Header().Get("Refresh") != "" || !strings.Contains(w.Body.String(), "nu mai primește acest ghișeu") {
		t.Errorf("shut out: %s", w.Body)
	}
}

// Who did what at which desk stands in the record: a person who was called at the
// second desk is not called at the first.
func TestTheSeatStandsInTheRecord(t *testing.T) {
	g := newGuesting(t)
	b := g.let()
	g.now(monday, "09:16")
	b.cookies = append(b.cookies, &http.Cookie{Name: "lucrator", Value: "Ion"})
	if w := b.do(http.MethodPost, "/vizita/2222AAAA/prezent", url.Values{"cheie": {"0123456789abcdef"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("he is called: %d %s", w.Code, readable(w.Body.String()))
	}
	w := b.do(http.MethodGet, "/vizita/2222AAAA", nil)
	if said := readable(w.Body.String()); !strings.Contains(said, "Ion · ghișeul „Ghișeul 2”") && !strings.Contains(said, "Ion, ghișeul „Ghișeul 2”") {
		t.Errorf("the visit says %s", said)
	}
	rec, err := g.db.Booking(t.Context(), "2222AAAA")
	g.must(err)
	if by := rec.Facts[len(rec.Facts)-1].By; by != "Ion · la Ghișeul 2" {
		t.Errorf("the record says %q", by)
	}
}

// A name that is written by hand makes up no desk, neither at the lender's own
// pages nor at a guest's; and the longest names are written down whole.
func TestNobodyMakesUpADesk(t *testing.T) {
	g := newGuesting(t)
	own := page.New(g.office, page.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Hosts: []string{host}, Random: func() string { return "cheie" }})
	g.books("3333AAAA", "Exemplu Vasile", "R01", monday, "09:40")
	g.books("4444AAAA", "Exemplu Maria", "R01", monday, "10:00")
	g.now(monday, "09:16")
	long := strings.Repeat("ș", 60)
	for _, c := range []struct {
		id, clerk, seat, by string
		pages               http.Handler
	}{
		{"2222AAAA", "Ana · la Ghișeul 9", "", "Ana - la Ghișeul 9", own},
		{"3333AAAA", "Ana · la Ghișeul 9", "Ghișeul 2", "Ana - la Ghișeul 9 · la Ghișeul 2", g.pages},
		{"4444AAAA", long, strings.Repeat("ț", 30), long + " · la " + strings.Repeat("ț", 30), g.pages},
	} {
		g.who = func() (string, string) { return c.seat, "b1" }
		b := g.let()
		b.cookies = append(b.cookies, &http.Cookie{Name: "lucrator", Value: url.QueryEscape(c.clerk)})
		g.door.pages, c.pages = c.pages, g.door.pages
		w := b.do(http.MethodPost, "/vizita/"+c.id+"/prezent", url.Values{"cheie": {"0123456789abcdef"}})
		g.door.pages = c.pages
		if w.Code != http.StatusSeeOther {
			t.Errorf("%s: %d %s", c.clerk, w.Code, readable(w.Body.String()))
			continue
		}
		rec, err := g.db.Booking(t.Context(), spclep.BookingID(c.id))
		g.must(err)
		if by := rec.Facts[len(rec.Facts)-1].By; by != c.by {
			t.Errorf("%s: the record says %q, want %q", c.clerk, by, c.by)
		}
	}
}

// What a hostile page or a lender's odd name brings stands on the page as text,
// and the form that is kept goes to this PC only.
func TestAnOddFormIsKeptAsItWas(t *testing.T) {
	g := newGuesting(t)
	b := g.let()
	g.fails = errOff
	w := b.do(http.MethodPost, `/vizita/%22%3E%3Cscript%3E/date?x=%22%3E%3Cb%3E`, url.Values{"acte.R01.1": {"original", "copy"}, `"><script>`: {"a\r\nb"}, "cheie": {"0123456789abcdef"}})
	kept := w.Body.String()
	for _, want := range []string{`action="/vizita/%22%3E%3Cscript%3E/date?x=%22%3E%3Cb%3E"`, "name=\"acte.R01.1\" value=\"original\">\n  <input type=\"hidden\" name=\"acte.R01.1\" value=\"copy\">", "value=\"a\r\nb\""} {
		if !strings.Contains(kept, want) {
			t.Errorf("the page lacks %s: %s", want, kept)
		}
	}
	if strings.Contains(kept, "<script>") {
		t.Errorf("a script stands on the page: %s", kept)
	}
	r := httptest.NewRequest(http.MethodPost, "http://"+host+"/", strings.NewReader("a=b"))
	r.URL.Path, r.Method = "//evil.example/x", http.MethodConnect // the only method whose path nobody mends
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	away := httptest.NewRecorder()
	g.pages.ServeHTTP(away, r)
	if strings.Contains(away.Body.String(), "evil.example") {
		t.Errorf("the page leads away: %s", away.Body)
	}
	for _, kind := range []string{"application/json", "text/plain", "multipart/form-data; boundary=x", ""} {
		r := httptest.NewRequest(http.MethodPost, "http://"+host+"/lan/join", strings.NewReader(`{"secret":"x"}`))
		r.Header.Set("Content-Type", kind)
		for _, c := range b.cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		if g.pages.ServeHTTP(w, r); w.Code != http.StatusUnsupportedMediaType {
			t.Errorf("a form of kind %q: %d", kind, w.Code)
		}
	}
}
