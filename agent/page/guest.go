package page

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"condica/agent/office"
)

// A GuestDesk is how this PC's browsers come to the desk that another PC of the
// office lends.
type GuestDesk struct {
	Log     *slog.Logger
	Office  *office.Office // of Here
	Hosts   []string       // host:port under which a browser may speak to this PC
	Tickets *Tickets       // lets browsers in; nil: every browser on this PC is in
	Lender  string         // the other PC's name
	// Forward asks the other PC and passes its answer on; where none comes it
	// calls failed in its place. Cookies named in own stay here.
	Forward func(w http.ResponseWriter, r *http.Request, browser string, own []string, failed func(error))
	ShutOut func(error) bool // the other PC does not let this one in any more
	Busy    func(error) bool // it lives, and takes no more at once; nil: that is never so
	Here    http.Handler     // this PC's own desk
	Works   func() bool      // whether Here can be worked at
}

const (
	hereCookie = "condica-aici" // this browser works at its own PC for now
	herePath   = "/aici"
	therePath  = "/acolo"
	ownAssets  = "/aici/static/"
)

// own are the cookies that are no business of the other PC's.
var own = []string{deskCookie, hereCookie}

// Guest makes the pages of a PC that works at another one's desk: theirs, and
// while they do not come, one that says so, keeps what was sent, and offers this
// PC's own desk. It guards itself as the desk does.
func Guest(g GuestDesk) http.Handler {
	desks := map[string]http.Handler{}
	for _, lang := range languages {
		w, err := catalogue(lang)
		if err != nil {
			panic(err) // the files are embedded, and a test reads them
		}
		p := &pages{office: g.Office, o: Options{Log: g.Log, Hosts: g.Hosts, Tickets: g.Tickets, Random: func() string { return "" }}, words: w}
		p.views = p.parse()
		d := &guestDesk{p, g}
		desks[lang] = p.guard(p.admit(d.routes()))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { desks[language(r)].ServeHTTP(w, r) })
}

type guestDesk struct {
	*pages
	g GuestDesk
}

func (d *guestDesk) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("POST "+herePath, d.chooses("da"))
	mux.Handle("POST "+therePath, d.chooses(""))
	mux.Handle("GET "+ownAssets, http.StripPrefix(herePath, assets()))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if worksHere(r) && d.g.Works() {
			d.g.Here.ServeHTTP(w, r)
			return
		}
		d.visit(w, r)
	})
	return mux
}

// worksHere: this browser was told to work at its own PC.
func worksHere(r *http.Request) bool {
	c, err := r.Cookie(hereCookie)
	return err == nil && c.Value == "da"
}

func (d *guestDesk) chooses(here string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &http.Cookie{Name: hereCookie, Value: here, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}
		if here == "" {
			c.MaxAge = -1
		}
		http.SetCookie(w, c)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// visit shows the other PC's page. A form is read before it goes, so that it is
// still here where it does not arrive.
func (d *guestDesk) visit(w http.ResponseWriter, r *http.Request) {
	page := awayPage{Lender: d.g.Lender}
	if r.Method == http.MethodPost && !strings.HasPrefix(r.URL.Path, carryInPath) && !strings.HasPrefix(r.URL.Path, carryOutPath) {
		if err := readForm(w, r); err != nil {
			http.Error(w, d.words.t("halt.form"), unreadable(err))
			return
		}
		page.keep(r)
		text := r.PostForm.Encode()
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	}
	browser := ""
	if d.o.Tickets != nil {
		browser = d.o.Tickets.session(r)
	}
	clear(w.Header()) // the other PC sets the same
	d.g.Forward(w, r, browser, own, func(err error) { d.away(w, r, page, err) })
}

// An awayPage says that the other PC does not answer.
type awayPage struct {
	Title   string
	Lender  string
	ShutOut bool
	Busy    bool
	Works   bool // this PC's own desk can be worked at
	Path    string
	Kept    []field // of a form that did not arrive
}

// keep holds on to a form, but for those that hold PINs or make no sense
// afterwards.
func (a *awayPage) keep(r *http.Request) {
	f := url.Values{}
	for name, values := range r.PostForm {
		f[name] = values
	}
	f.Del(approvalPIN)
	if to := local(f.Get(carryPath)); r.URL.Path == signInPath && to != "/" {
		a.Path, a.Kept = to, fieldsOf(f, carryPrefix) // it meets the lock again
		return
	}
	if slices.Contains(uncarried, r.URL.Path) {
		return
	}
	a.Path, a.Kept = r.URL.RequestURI(), fieldsOf(f, "")
}

// awayAgain is after how many seconds a page that only shows is asked for again.
const awayAgain = "5"

func (d *guestDesk) away(w http.ResponseWriter, r *http.Request, page awayPage, err error) {
	if r.Context().Err() != nil {
		return // the browser has gone
	}
	d.o.Log.Warn("the PC whose desk this is gave no answer", "error", err)
	page.Title, page.Works = d.words.t("away.title", page.Lender), d.g.Works()
	if page.ShutOut = d.g.ShutOut(err); page.ShutOut {
		page.Title = d.words.t("away.shut.title", page.Lender)
	}
	if page.Busy = d.g.Busy != nil && d.g.Busy(err); page.Busy {
		page.Title = d.words.t("away.busy.title", page.Lender)
	}
	headers(w.Header())
	switch {
	case r.URL.Path == "/stare":
		line := statusLine{Mark: "none", Parts: []string{d.words.t("away.line", page.Lender)}}
		d.write(w, http.StatusOK, "halt", "status", line)
		return
	case strings.HasPrefix(r.URL.Path, "/static/"):
		assets().ServeHTTP(w, r)
		return
	}
	if page.Path == "" && !page.ShutOut && r.Method == http.MethodGet {
		w.Header().Set("Refresh", awayAgain)
	}
	w.Header().Set("Retry-After", awayAgain)
	d.write(w, http.StatusServiceUnavailable, "away", "alone", page)
}
