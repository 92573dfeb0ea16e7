package page

import (
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"condica/agent/desk"
)

const (
	clerkCookie = "lucrator"
	maxClerk    = 60 // letters
)

// clerk is who works: who is signed in, or the name that was written where the
// office has no accounts.
func (p *pages) clerk(r *http.Request) string {
	if v := visitorOf(r); v.name != "" {
		return v.name
	}
	if name := p.lastClerk(r); name != "" {
		return name
	}
	return p.words.t("clerk.default")
}

// role is what who is signed in may decide; RoleUntold where the office has no
// accounts.
func (p *pages) role(r *http.Request) desk.Role { return visitorOf(r).role }

// lastClerk is the name that this browser remembers; it proves nothing.
func (p *pages) lastClerk(r *http.Request) string {
	c, err := r.Cookie(clerkCookie)
	if err != nil {
		return ""
	}
	name, err := url.QueryUnescape(c.Value)
	if name = clean(name); err != nil || len([]rune(name)) > maxClerk {
		return ""
	}
	return name
}

// setClerk keeps the name for a working day, in this browser alone.
func (p *pages) setClerk(w http.ResponseWriter, r *http.Request) error {
	name := clean(r.PostForm.Get("nume"))
	if visitorOf(r).name != "" {
		return &halt{http.StatusForbidden, "clerk.signed-in"}
	}
	if len([]rune(name)) > maxClerk {
		return &halt{http.StatusUnprocessableEntity, "clerk.long"}
	}
	c := &http.Cookie{Name: clerkCookie, Value: url.QueryEscape(name), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: 12 * 60 * 60}
	if name == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
	http.Redirect(w, r, local(r.PostForm.Get("inapoi")), http.StatusSeeOther)
	return nil
}

// setTime takes the clerk's word for the time while nobody else knows it.
func (p *pages) setTime(w http.ResponseWriter, r *http.Request) error {
	at, err := time.ParseInLocation("2006-01-02 15:04", r.PostForm.Get("zi")+" "+r.PostForm.Get("ora"), p.office.Zone())
	if err != nil {
		return &halt{http.StatusUnprocessableEntity, "clock.bad"}
	}
	if err := p.office.SetNow(r.Context(), at); err != nil {
		return err
	}
	http.Redirect(w, r, local(r.PostForm.Get("inapoi")), http.StatusSeeOther)
	return nil
}

// ring sends what waits now; the page does not wait for it.
func (p *pages) ring(w http.ResponseWriter, r *http.Request) error {
	p.office.Ring()
	http.Redirect(w, r, done(local(r.PostForm.Get("inapoi")), "sincronizare"), http.StatusSeeOther)
	return nil
}

// done adds to an address what was just done.
func done(to, what string) string {
	path, query, _ := strings.Cut(to, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		return path
	}
	q.Set("facut", what)
	return path + "?" + q.Encode()
}

// demoLine cuts or mends the demo's line.
func (p *pages) demoLine(w http.ResponseWriter, r *http.Request) error {
	if p.o.Demo == nil {
		return &halt{http.StatusNotFound, "halt.page"}
	}
	p.o.Demo.SetCut(r.PostForm.Get("taiata") == "da")
	http.Redirect(w, r, local(r.PostForm.Get("inapoi")), http.StatusSeeOther)
	return nil
}

// local lets a form return to the desk's own pages and nowhere else.
func local(to string) string {
	if !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return "/"
	}
	return to
}

// clean takes out what no name or note holds: broken letters, control signs,
// spaces around and runs of them.
func clean(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	return strings.Join(strings.Fields(s), " ")
}
