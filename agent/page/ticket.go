package page

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"sync"
)

// Limits of Tickets.
const (
	ticketLife  = 2 * 60_000 // ms from `condica open` to the browser
	maxTickets  = 20         // asked for and not used
	maxSessions = 50         // browsers let in; the one that came first goes first
)

const deskCookie = "condica-desk"

// Tickets let browsers in. Loopback is no log-in: every user of the PC, and
// every program, reaches the port. So a browser needs a cookie, the cookie comes
// for a ticket, and tickets are given to those who may open the desk; how they
// are told apart is not known here. Of cookies only hashes are kept.
type Tickets struct {
	random func() string
	now    func() int64 // running time, ms
	keep   func(sessions []string)
	inside string // the service's own session, to ask its desk whether it works

	mu       sync.Mutex
	tickets  map[[sha256.Size]byte]int64 // until when
	sessions []string                    // hexadecimal hashes, the oldest first
}

// NewTickets makes Tickets. now is the PC's running time in ms; known are the
// sessions as keep was last given them, so that a restart of the service locks
// no clerk out.
func NewTickets(random func() string, now func() int64, known []string, keep func(sessions []string)) *Tickets {
	return &Tickets{random: random, now: now, keep: keep, inside: random(), tickets: map[[sha256.Size]byte]int64{}, sessions: known}
}

// New gives a ticket: for one browser, once, within two minutes.
func (t *Tickets) New() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	for old, until := range t.tickets {
		if until <= now || len(t.tickets) >= maxTickets {
			delete(t.tickets, old)
		}
	}
	ticket := t.random()
	t.tickets[sha256.Sum256([]byte(ticket))] = now + ticketLife
	return ticket
}

// Enter takes a ticket and gives the cookie's value for it.
func (t *Tickets) Enter(ticket string) (session string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	sum := sha256.Sum256([]byte(ticket))
	until, known := t.tickets[sum]
	delete(t.tickets, sum)
	if !known || until <= t.now() {
		return "", false
	}
	session = t.random()
	t.sessions = append(t.sessions, sessionHash(session))
	t.sessions = slices.Clone(t.sessions[max(0, len(t.sessions)-maxSessions):])
	t.keep(t.sessions)
	return session, true
}

// Inside is the cookie with which the service asks its own desk.
func (t *Tickets) Inside() *http.Cookie { return &http.Cookie{Name: deskCookie, Value: t.inside} }

// in says whether a request comes from a browser that was let in.
func (t *Tickets) in(r *http.Request) bool { return t.session(r) != "" }

// session is the hash of the cookie with which a browser was let in; "" for a
// browser that was not.
func (t *Tickets) session(r *http.Request) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range r.CookiesNamed(deskCookie) {
		if hash := sessionHash(c.Value); hash == sessionHash(t.inside) || slices.Contains(t.sessions, hash) {
			return hash
		}
	}
	return ""
}

func sessionHash(session string) string {
	sum := sha256.Sum256([]byte("condica desk 1\n" + session))
	return hex.EncodeToString(sum[:])
}

// enterPath is where a ticket becomes a cookie.
const enterPath = "/intra"

// Enter is the address that a browser is sent to with a ticket.
func Enter(desk, ticket string) string { return desk + enterPath + "?bilet=" + ticket }

// admit lets through who was let in, and everybody to the door itself.
func (p *pages) admit(next http.Handler) http.Handler {
	if p.o.Tickets == nil {
		return next
	}
	open := http.NewServeMux()
	open.Handle("GET /static/", next)
	open.Handle("GET "+enterPath, p.handle(p.door))
	open.Handle("POST "+enterPath, p.handle(p.enter))
	open.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if !p.o.Tickets.in(r) {
			p.closed(w, p.words.t("enter.closed"))
			return
		}
		next.ServeHTTP(w, r)
	})
	return open
}

// doorPage is the page before the desk; it says nothing of the office.
type doorPage struct {
	Ticket string // to be sent; empty: there is none
	Say    string
}

// door shows the ticket as a form: a look changes nothing, and a browser that
// fetches addresses ahead uses no ticket up.
func (p *pages) door(w http.ResponseWriter, r *http.Request) error {
	ticket := r.URL.Query().Get("bilet")
	if ticket == "" || len(ticket) > 100 {
		p.closed(w, p.words.t("enter.closed"))
		return nil
	}
	p.write(w, http.StatusOK, "enter", "alone", doorPage{ticket, p.words.t("enter.open")})
	return nil
}

func (p *pages) enter(w http.ResponseWriter, r *http.Request) error {
	session, ok := p.o.Tickets.Enter(r.PostForm.Get("bilet"))
	if !ok {
		p.closed(w, p.words.t("enter.used"))
		return nil
	}
	// Without MaxAge: it ends with the browser.
	http.SetCookie(w, &http.Cookie{Name: deskCookie, Value: session, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}

func (p *pages) closed(w http.ResponseWriter, say string) {
	p.refusal("a browser that was not let in")
	p.write(w, http.StatusForbidden, "enter", "alone", doorPage{"", say})
}
