package page

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"condica/agent/clerk"
	"condica/agent/desk"
	"condica/spclep/settings"
)

const (
	sessionCookie = "condica-lucrator"
	signInPath    = "/intrare"
	lastClerkFor  = 30 * 24 * 60 * 60 // seconds for which a browser remembers who signed in last
	maxPIN        = 200               // bytes of what is looked at at all
)

// A visitor is who a request comes from.
type visitor struct {
	name     string // of the account; empty: nobody is signed in
	role     desk.Role
	session  string
	approver string // a head of service whose name came with the form, and
	pin      string // the PIN typed there; it is in no form from here on
}

type visitorKey struct{}

func visitorOf(r *http.Request) visitor {
	v, _ := r.Context().Value(visitorKey{}).(visitor)
	return v
}

func as(r *http.Request, v visitor) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), visitorKey{}, v))
}

// accounts are the clerks who can sign in under the settings in force.
func (p *pages) accounts() []settings.Clerk {
	return clerk.Accounts(p.office.Rules().Settings.Clerks)
}

// attend lets through who is signed in, where the office has accounts; where it
// has none it lets everybody through.
func (p *pages) attend(next http.Handler) http.Handler {
	if p.o.Roster == nil {
		return p.unattended(next)
	}
	open := http.NewServeMux()
	open.Handle("GET /static/", next)
	open.Handle("POST /limba", next)
	open.Handle("GET "+signInPath, p.handle(p.signInPage))
	open.Handle("POST "+signInPath, p.handle(func(w http.ResponseWriter, r *http.Request) error { return p.signIn(w, r, next) }))
	open.HandleFunc("GET /stare", func(w http.ResponseWriter, r *http.Request) {
		v, ok := p.visits(r, false)
		if !ok {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Condica-Clerk", url.QueryEscape(v.name))
		next.ServeHTTP(w, as(r, v))
	})
	open.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { p.signedIn(w, r, next) })
	return open
}

// unattended keeps the desk of an office with accounts closed where nobody can
// sign in.
func (p *pages) unattended(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(p.accounts()) > 0 {
			http.Error(w, p.words.t("halt.fault"), http.StatusServiceUnavailable)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (p *pages) signedIn(w http.ResponseWriter, r *http.Request, next http.Handler) {
	v, ok := p.visits(r, true)
	if !ok {
		p.locked(w, r)
		return
	}
	if r.Method == http.MethodPost {
		if err := readForm(w, r); err != nil {
			p.fail(w, as(r, v), err)
			return
		}
		v.approver, v.pin = takeApproval(r.PostForm)
	}
	next.ServeHTTP(w, as(r, v))
}

// visits says who a request comes from; ok is false for whoever has to sign in.
func (p *pages) visits(r *http.Request, work bool) (v visitor, ok bool) {
	accounts := p.accounts()
	if len(accounts) == 0 || p.inside(r) {
		return visitor{}, true
	}
	browser, idle := p.browser(r), time.Duration(p.office.Rules().Settings.Desk.LockMinutes)*time.Minute
	for _, c := range r.CookiesNamed(sessionCookie) {
		if who, ok := p.o.Roster.Who(r.Context(), accounts, c.Value, browser, idle, work); ok {
			return visitor{name: who.Name, role: desk.Role(who.Role), session: c.Value}, true
		}
	}
	return visitor{}, false
}

// browser is the ticket's session that a clerk's is good in.
func (p *pages) browser(r *http.Request) string {
	switch {
	case p.o.Seat != nil:
		_, browser := p.o.Seat(r)
		return browser
	case p.o.Tickets != nil:
		return p.o.Tickets.session(r)
	}
	return ""
}

// InsideCookie is the cookie with which the service looks at its own desk; it
// opens no form.
func InsideCookie(secret string) *http.Cookie {
	return &http.Cookie{Name: sessionCookie, Value: secret}
}

func (p *pages) inside(r *http.Request) bool { return Inside(r, p.o.Inside) }

// Inside tells the service's own look at its desk.
func Inside(r *http.Request, secret string) bool {
	return secret != "" && r.Method == http.MethodGet && slices.ContainsFunc(r.CookiesNamed(sessionCookie), func(c *http.Cookie) bool {
		return subtle.ConstantTimeCompare([]byte(c.Value), []byte(secret)) == 1
	})
}

// signIn takes name and PIN. Where a form met the lock and the same clerk is
// back, it is done now, as if it had come now.
func (p *pages) signIn(w http.ResponseWriter, r *http.Request, next http.Handler) error {
	f := r.PostForm
	page := p.entry(r, f)
	accounts := p.accounts()
	if len(accounts) == 0 {
		http.Redirect(w, r, page.Back, http.StatusSeeOther)
		return nil
	}
	name, pin := clean(f.Get("nume")), f.Get("pin")
	page.Chosen = name
	if !clerk.WellFormed(pin) {
		return p.again(w, page, http.StatusUnprocessableEntity, p.words.t("signin.digits"))
	}
	id, who, err := p.o.Roster.SignIn(r.Context(), accounts, name, pin, p.browser(r), oldSession(r))
	var no *clerk.RefusedError
	if errors.As(err, &no) {
		return p.turnedDown(w, page, no)
	}
	if err != nil {
		return err
	}
	p.welcome(w, id, who)
	v := visitor{name: who.Name, role: desk.Role(who.Role), session: id}
	same := page.Last == who.Name
	switch {
	case f.Get("mod") == "loc" && same:
		w.WriteHeader(http.StatusNoContent)
	case f.Get("mod") == "loc":
		w.WriteHeader(http.StatusResetContent)
	case page.Path != "" && same:
		next.ServeHTTP(w, as(carriedOut(r, page), v))
	default:
		http.Redirect(w, r, page.Back, http.StatusSeeOther)
	}
	return nil
}

func oldSession(r *http.Request) string {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

// welcome gives the browser its session, the clerk's language, and the name to
// offer first the next time.
func (p *pages) welcome(w http.ResponseWriter, id string, who settings.Clerk) {
	set := func(name, value string, age int) {
		http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: age})
	}
	set(sessionCookie, id, 0) // it ends with the browser
	set(clerkCookie, url.QueryEscape(who.Name), lastClerkFor)
	if who.Language != "" {
		set(languageCookie, who.Language, 365*24*60*60)
	}
}

// turnedDown says that a PIN was wrong, or came too soon.
func (p *pages) turnedDown(w http.ResponseWriter, page entryPage, no *clerk.RefusedError) error {
	status := http.StatusUnprocessableEntity
	if !no.Wrong {
		status = http.StatusTooManyRequests
	}
	if no.Wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(seconds(no.Wait)))
	}
	return p.again(w, page, status, p.saidNo(no))
}

// saidNo is a refused PIN in words, and tells it to the log without a name.
func (p *pages) saidNo(no *clerk.RefusedError) string {
	say := p.words.t("signin.waits")
	if no.Wrong {
		say = p.words.t("signin.wrong")
		p.refusal("a PIN does not fit")
	} else {
		p.refusal("a PIN within the wait after wrong ones")
	}
	if no.Wait > 0 {
		say += " " + p.waiting(no.Wait)
	}
	return say
}

// waiting is a wait in whole seconds, or in minutes.
func (p *pages) waiting(d time.Duration) string {
	if s := seconds(d); s < 60 {
		return p.words.n("signin.seconds", s)
	}
	return p.words.n("signin.minutes", int((d+time.Minute-1)/time.Minute))
}

func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// signOut ends the session and shows who may come next; F10 is one key for it.
func (p *pages) signOut(w http.ResponseWriter, r *http.Request) error {
	p.o.Roster.SignOut(r.Context(), visitorOf(r).session, p.browser(r))
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: -1})
	to := url.Values{"schimb": {"da"}, "inapoi": {local(r.PostForm.Get("inapoi"))}}
	http.Redirect(w, r, signInPath+"?"+to.Encode(), http.StatusSeeOther)
	return nil
}

// refusal tells the log that a request was turned away, and why: never whose it
// was or what was in it.
func (p *pages) refusal(why string) { p.o.Log.Warn("a request was refused", "why", why) }
