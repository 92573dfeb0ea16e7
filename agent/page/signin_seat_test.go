package page_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"condica/agent/clerk"
	"condica/agent/office"
	"condica/agent/page"
	"condica/localdb"
	"condica/spclep/settings"
	"condica/sync/hlc"
)

// PINs of the stories.
const (
	anaPIN = "402917" // Ana Exemplu, head of service
	ionPIN = "118256" // Ion Probă, clerk
)

// clerks are the accounts that the centre has sent; Radu has none. A PIN's
// verifier takes a while to make, and is the same in every story.
var clerks = sync.OnceValue(func() []settings.Clerk {
	random := func(b []byte) { rand.Read(b) }
	return []settings.Clerk{
		{Name: "Ana Exemplu", Role: settings.RoleHead, PIN: clerk.Make(anaPIN, random).String(), Language: "ro"},
		{Name: "Ion Probă", Role: settings.RoleClerk, PIN: clerk.Make(ionPIN, random).String()},
		{Name: "Radu Minta", Role: settings.RoleClerk},
	}
})

// A guarded desk is one whose office has accounts. Its log is kept, to see what
// stands in it.
type guarded struct {
	*counter
	log     *logged
	tickets *page.Tickets
	from    func(*http.Request) (name, browser string) // where the desk is lent; nil: it is not
	pepper  []byte
	ahead   atomic.Int64 // ms that have passed for the roster
}

type logged struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(b)
}

func (l *logged) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.String()
}

// withClerks opens a counter at a time of day, with two clerks who have PINs and
// one booking.
func withClerks(t *testing.T, clock string) *guarded {
	t.Helper()
	g := &guarded{counter: at(t, clock), log: &logged{}, pepper: []byte("the PC's own secret")}
	s := settings.Defaults()
	s.Clerks = clerks()
	g.office.Use(settings.Rules{Number: 7, Reference: g.office.Reference(), Settings: s})
	g.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	g.restart()
	return g
}

// restart starts the service anew, on what the replica has kept.
func (g *guarded) restart() { g.pages = g.serve(host) }

// serve makes the pages under some names, with somebody who looks at PINs.
func (g *guarded) serve(hosts ...string) http.Handler {
	keys := 0
	secret := func() string {
		g.mu.Lock()
		defer g.mu.Unlock()
		keys++
		return fmt.Sprintf("cheia-%d-%026d", g.pos, keys)
	}
	return page.New(g.office, page.Options{
		Log: slog.New(slog.NewTextHandler(g.log, nil)), Version: "1.0", Hosts: hosts, Tickets: g.tickets, Seat: g.from, Inside: "the service's own",
		Random: secret, Roster: clerk.New(clerk.Config{Store: g.db, Now: g.clock, Random: func(b []byte) { rand.Read(b) }, Secret: rand.Text,
			Pepper: func() ([]byte, error) { return g.pepper, nil }, Fault: func(err error) { g.Error(err) }}),
	})
}

// powerCut opens the replica and the service anew, in another run of the PC.
func (g *guarded) powerCut() {
	g.Helper()
	g.must(g.db.Close())
	g.boot += "x"
	db, _, err := localdb.Open(g.Context(), g.dir, localdb.Options{Device: here, Now: g.reading})
	g.must(err)
	g.Cleanup(func() { db.Close() })
	rules := g.office.Rules()
	g.db = db
	g.office = office.New(office.Config{DB: db, Ref: rules.Reference, Zone: bucharest(g.T), Up: func() int64 { return g.reading().Up },
		Random: func(b []byte) { rand.Read(b) }})
	g.office.SetLine(g.line)
	g.office.Use(rules)
	g.restart()
}

func (g *guarded) later(d time.Duration) { g.ahead.Add(d.Milliseconds()) }

// clock is the PC's, as the roster reads it while a browser asks.
func (g *guarded) clock() hlc.Reading {
	r := g.reading()
	r.Up += g.ahead.Load()
	return r
}

// A seat is a browser at the desk: it keeps cookies.
type seat struct {
	*guarded
	cookies map[string]string
}

func (g *guarded) seat() *seat { return &seat{g, map[string]string{}} }

// do sends a request as a browser does; header is name, value, name, value.
func (s *seat) do(method, path string, form url.Values, header ...string) sheet {
	s.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "null")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	r.Host = host
	for name, value := range s.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	s.pages.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if s.cookies[c.Name] = c.Value; c.MaxAge < 0 {
			delete(s.cookies, c.Name)
		}
	}
	return sheet{w, s.counter, readable(w.Body.String())}
}

func (s *seat) open(path string) sheet {
	s.Helper()
	return s.do(http.MethodGet, path, nil)
}

// press fills and sends a form of a page, and follows to what comes after.
func (s *seat) press(on sheet, action string, entered url.Values) sheet {
	s.Helper()
	w := s.do(http.MethodPost, action, on.fill(action, entered))
	for w.Code == http.StatusSeeOther {
		w = s.open(w.Header().Get("Location"))
	}
	return w
}

// signs in on a page that asks for it.
func (s *seat) signs(on sheet, name, pin string) sheet {
	s.Helper()
	return s.press(on, "/intrare", url.Values{"nume": {name}, "pin": {pin}})
}

// ana is a browser at which Ana is signed in.
func (g *guarded) ana() *seat {
	g.Helper()
	s := g.seat()
	s.signs(s.open("/"), "Ana Exemplu", anaPIN).is(http.StatusOK).shows("Exemplu Ioana")
	return s
}

// discreet fails where the log holds a name, a PIN or a booking's code.
func (g *guarded) discreet(want ...string) {
	g.Helper()
	text := g.log.text()
	for _, personal := range []string{"Ana", "Ion", "Exemplu", "Ioana", "2222AAAA", anaPIN, ionPIN, "000000", "vizita/"} {
		if strings.Contains(text, personal) {
			g.Errorf("the log holds %q:\n%s", personal, text)
		}
	}
	for _, w := range want {
		if !strings.Contains(text, w) {
			g.Errorf("the log does not say %q:\n%s", w, text)
		}
	}
}

// trace is what the head of service reads on the page of traces.
func (g *guarded) trace() (out []string) {
	g.Helper()
	lines, err := g.db.Traces(g.Context(), 50)
	g.must(err)
	for _, l := range lines {
		out = append([]string{strings.TrimSpace(l.What + " " + l.By + " " + l.About)}, out...)
	}
	return out
}

func containsAny(text string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}
