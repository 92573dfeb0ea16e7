package page

import (
	"bytes"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"condica/agent/desk"
	"condica/agent/office"
	"condica/localdb"
	"condica/spclep"
)

// A handler answers a request, or says by its error which page to show instead.
type handler func(http.ResponseWriter, *http.Request) error

// A halt ends a request with a page of one sentence.
type halt struct {
	status int
	key    string // of the sentence in the catalogue
}

func (h *halt) Error() string { return h.key }

// A problem is one line of the error summary.
type problem struct {
	Text  string
	Said  parts  // Text with what is Romanian in it marked; nil: all of it speaks the page's language
	Rule  string // of the office's rules, where one stands behind it
	Field string // id of the element it is about
	code  string // of the refusal behind it
}

func (p *problem) Error() string { return p.Text }

// A view is what the frame around every page shows.
type view struct {
	Title    string
	Nav      string // which entry of the menu is this page
	Status   statusLine
	Clerk    string
	Role     desk.Role // of who is signed in; empty: the office has no accounts
	Lock     int       // seconds after which a browser without scripts asks anew, and meets the lock; 0: nobody is signed in
	Clerks   []string  // names to choose from; others may be written
	Here     string    // where the clerk's form returns to
	Query    string    // in the search box
	Focus    bool      // the search box takes the focus
	Problems []problem
	Done     string // what was just done
	Version  string
	Demo     *Demo
	Seat     string // the desk on another PC that this page is for; empty: this PC's
	Lender   string // the PC at whose desk this browser works otherwise; empty: none
	Body     any
}

// lockedBy is how many seconds after the lock a page without scripts asks anew.
const lockedBy = 5

// handle turns a handler's error into the page that says it.
func (p *pages) handle(h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		if r.Method == http.MethodPost {
			err = readForm(w, r)
		}
		if err == nil {
			err = h(w, r)
		}
		if err != nil {
			p.fail(w, r, err)
		}
	})
}

func (p *pages) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, text, rule := http.StatusInternalServerError, p.words.t("halt.fault"), ""
	var said parts
	var stop *halt
	var wrong *problem
	var large *http.MaxBytesError
	if refusal, ok := spclep.Refused(err); ok {
		status, said, rule = http.StatusConflict, p.refused(refusal), refusal.Rule
		text = said.String()
	} else if errors.As(err, &stop) {
		status, text = stop.status, p.words.t(stop.key)
	} else if errors.As(err, &wrong) {
		status, text, said, rule = http.StatusUnprocessableEntity, wrong.Text, wrong.Said, wrong.Rule
	} else if errors.As(err, &large) {
		status, text = http.StatusRequestEntityTooLarge, p.words.t("halt.large")
		p.refusal("a form over 1 MB")
	} else if errors.Is(err, localdb.ErrFull) {
		status, text = http.StatusInsufficientStorage, p.words.t("halt.full")
		p.o.Log.Error("nothing can be written", "error", err)
	} else if errors.Is(err, office.ErrNotEnrolled) {
		p.show(w, r, http.StatusServiceUnavailable, "enroll", view{Title: p.words.t("enroll.title")})
		return
	} else if r.Context().Err() == nil {
		p.o.Log.Error("a page could not be answered", "page", r.Pattern, "error", err)
		p.fault(err)
	}
	p.show(w, r, status, "halt", view{Title: p.words.t("halt.title"), Problems: []problem{{Text: text, Said: said, Rule: rule}}})
}

func (p *pages) fault(err error) {
	if p.o.Fault != nil {
		p.o.Fault(err)
	}
}

func (p *pages) nothingHere(http.ResponseWriter, *http.Request) error {
	return &halt{http.StatusNotFound, "halt.page"}
}

// show writes a page. It is made whole before the first byte goes out.
func (p *pages) show(w http.ResponseWriter, r *http.Request, status int, name string, v view) {
	if p.stranger(r) {
		p.stranded(w, r, status, v)
		return
	}
	v.Status, v.Clerk, v.Role, v.Version, v.Demo = p.statusLine(r.Context()), p.clerk(r), p.role(r), p.o.Version, p.o.Demo
	if p.o.Lender != nil {
		v.Lender = p.o.Lender()
	}
	v.Seat = p.seat(r)
	if v.Role != "" {
		v.Lock = p.office.Rules().Settings.Desk.LockMinutes*60 + lockedBy
	}
	for _, c := range p.office.Rules().Settings.Clerks {
		v.Clerks = append(v.Clerks, c.Name)
	}
	if v.Here == "" {
		v.Here = here(r)
	}
	if key := "done." + r.URL.Query().Get("facut"); r.Method == http.MethodGet && v.Done == "" && p.words.has(key) {
		v.Done = p.words.t(key)
	}
	if len(v.Problems) > 0 {
		v.Title = p.words.t("error.prefix") + " " + v.Title
	}
	p.write(w, status, name, "page", v)
}

func (p *pages) write(w http.ResponseWriter, status int, name, part string, v any) {
	var b bytes.Buffer
	if err := p.views[name].ExecuteTemplate(&b, part, v); err != nil {
		p.o.Log.Error("a page could not be drawn", "page", name, "error", err)
		http.Error(w, p.words.t("halt.fault"), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes()) // an error here is the browser having gone
}

// here is the page itself as a place to return to; a form's answer has none.
func here(r *http.Request) string {
	if r.Method != http.MethodGet {
		return "/"
	}
	q := r.URL.Query()
	q.Del("facut")
	if len(q) == 0 {
		return r.URL.Path
	}
	return r.URL.Path + "?" + q.Encode()
}

// parse makes one set of templates for each page: the frame, the shared parts
// and the page itself.
func (p *pages) parse() map[string]*template.Template {
	funcs := template.FuncMap{
		"t": p.words.t, "n": p.words.n, "has": p.words.has, "key": p.o.Random, "list": func(a ...any) []any { return a },
		"state": p.state, "join": strings.Join, "lang": func() string { return p.words.lang }, "tongues": tongues, "said": p.refused,
		"law": p.law, "quote": p.quote, "term": p.term, "because": p.because,
	}
	shared := template.Must(template.New("").Funcs(funcs).ParseFS(files, "templates/shared/*.html"))
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		panic(err) // the pattern is fixed
	}
	views := map[string]*template.Template{}
	for _, name := range names {
		set := template.Must(template.Must(shared.Clone()).ParseFS(files, name))
		views[strings.TrimSuffix(path.Base(name), ".html")] = set
	}
	return views
}
