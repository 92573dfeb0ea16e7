// Package console is central IT's pages, Romanian, without scripts: which
// office stands where, what is held of a booking, a booking made by hand, what
// came on a stick. It decides nothing and asks for no password, so it answers to loopback only.
package console

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net"
	"net/http"

	"condica/hub"
	"condica/spclep"
)

//go:embed templates/*.html assets/console.css
var files embed.FS

// A Line is a line to the hub that can be cut, for the demo.
type Line interface {
	Cut()
	Restore()
	Down() bool
}

// pages holds what all pages need.
type pages struct {
	hub       *hub.Server
	line      Line // nil: none to cut
	answers   answers
	templates map[string]*template.Template
}

// New makes the pages. line may be nil.
func New(h *hub.Server, line Line) (http.Handler, error) {
	p := &pages{hub: h, line: line, templates: map[string]*template.Template{}}
	for _, name := range []string{"offices", "office", "booking", "log", "carry", "carried", "sorry"} {
		t, err := template.New("layout.html").Funcs(p.words()).ParseFS(files, "templates/layout.html", "templates/"+name+".html")
		if err != nil {
			return nil, fmt.Errorf("console page %s: %w", name, err)
		}
		p.templates[name] = t
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.page(p.offices))
	mux.HandleFunc("GET /office/{office}", p.page(p.office))
	mux.HandleFunc("POST /office/{office}", p.page(p.book))
	mux.HandleFunc("GET /office/{office}/log", p.page(p.log))
	mux.HandleFunc("GET /booking/{office}/{id}", p.page(p.booking))
	mux.HandleFunc("GET /carry", p.page(p.carryForm))
	mux.HandleFunc("POST /carry", p.page(p.carry))
	mux.HandleFunc("GET /carry/{ticket}", p.page(p.carried))
	mux.HandleFunc("GET /carry/{ticket}/answer", p.page(p.answer))
	mux.HandleFunc("POST /line", p.page(p.setLine))
	mux.HandleFunc("GET /console.css", p.css)
	mux.HandleFunc("/", p.page(func(http.ResponseWriter, *http.Request) error { return errNotHere }))
	return guard(mux), nil
}

// guard keeps other sites out of a page that has no log-in: a link or form on
// a foreign page, and a foreign name that resolves to this machine.
func guard(next http.Handler) http.Handler {
	checked := http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "consola răspunde numai pe acest calculator", http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		checked.ServeHTTP(w, r)
	})
}

func (p *pages) css(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, files, "assets/console.css")
}

var errNotHere = errors.New("pagina nu există")

// page turns an error into a page that says so.
func (p *pages) page(f func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := f(w, r)
		if err == nil {
			return
		}
		status, say := http.StatusInternalServerError, "Hub-ul nu a putut răspunde. Încercați din nou; cauza este în jurnalul hub-ului."
		switch {
		case errors.Is(err, errNotHere):
			status, say = http.StatusNotFound, "Pagina nu există."
		case errors.Is(err, errLetGo):
			status, say = http.StatusNotFound, "Răspunsul nu mai este păstrat aici. Aduceți din nou același fișier: nimic nu se numără de două ori."
		case errors.Is(err, hub.ErrNoBooking):
			status, say = http.StatusNotFound, "Hub-ul nu are o astfel de programare."
		default:
			p.hub.Log.Error("console", "path", r.URL.Path, "err", err)
		}
		if err := p.show(w, status, "sorry", frame{Title: "Condica", Body: say}); err != nil {
			p.hub.Log.Error("console", "path", r.URL.Path, "err", err)
		}
	}
}

// A frame is what every page has.
type frame struct {
	Title string
	Now   string
	Line  bool // there is a line to cut
	Down  bool // and it is cut
	Body  any
}

// show writes a page whole or not at all.
func (p *pages) show(w http.ResponseWriter, status int, name string, f frame) error {
	f.Now = p.hub.Local(p.hub.Now()).Format("02.01.2006 15:04")
	if f.Line = p.line != nil; f.Line {
		f.Down = p.line.Down()
	}
	var b bytes.Buffer
	if err := p.templates[name].Execute(&b, f); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
	return nil
}

// which finds the office in the path.
func (p *pages) which(r *http.Request) (spclep.Office, error) {
	o, err := p.hub.Rules(spclep.OfficeID(r.PathValue("office"))).Office(spclep.OfficeID(r.PathValue("office")))
	if err != nil {
		return o, errNotHere
	}
	return o, nil
}

func (p *pages) setLine(w http.ResponseWriter, r *http.Request) error {
	switch {
	case p.line == nil:
		return errNotHere
	case r.PostFormValue("do") == "cut":
		p.line.Cut()
	default:
		p.line.Restore()
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
	return nil
}
