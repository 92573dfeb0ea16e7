// Package page is the clerk's pages: a form comes in, a page goes out. It
// decides nothing - desk says what may be done, office keeps it - and no GET
// changes anything.
package page

import (
	"embed"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"

	"condica/agent/clerk"
	"condica/agent/office"
)

//go:embed assets templates words
var files embed.FS

// Options of New.
type Options struct {
	Log      *slog.Logger
	Fault    func(error)   // is told the error behind a page that could not be answered; nil: nobody is
	Version  string        // of this program, in the footer
	Hosts    []string      // host:port under which a browser may speak to the desk
	Random   func() string // a fresh text nobody can guess, for the keys of forms
	HelpDesk string        // whom to call, in Romanian; empty: the county's IT contact
	Demo     *Demo         // nil outside the demo
	Tickets  *Tickets      // lets browsers in; nil: every browser on this PC is in
	Roster   *clerk.Roster // signs clerks in; nil: an office that has accounts stays closed
	Inside   string        // the service's own secret, to look at its desk (InsideCookie); empty: none
	// Seat tells from which of the office's PCs a request comes, where this desk is
	// lent to them, and which browser there; nil: from this PC.
	Seat func(*http.Request) (name, browser string)
	// Lender is the PC at whose desk this one's browsers work when they are not
	// here; nil or empty: at none.
	Lender func() string
}

// A Demo lets the pages cut and mend the demo's line.
type Demo struct {
	Cut     func() bool    // whether the line is cut
	SetCut  func(cut bool) // cuts or mends it
	Command string         // does the same from a terminal
}

// pages serves one office's desk in one language.
type pages struct {
	office *office.Office
	o      Options
	words  words
	views  map[string]*template.Template
	all    map[string]*pages // by language, these among them: a paper may speak another than the screen
}

// New makes the pages of an office. The handler guards itself: it speaks only
// under Options.Hosts, and takes no form that another site made a browser send.
func New(o *office.Office, options Options) http.Handler {
	desks, all := map[string]http.Handler{}, map[string]*pages{}
	for _, lang := range languages {
		w, err := catalogue(lang)
		if err != nil {
			panic(err) // the files are embedded, and a test reads them
		}
		p := &pages{office: o, o: options, words: w, all: all}
		p.views, all[lang] = p.parse(), p
		desks[lang] = p.guard(p.admit(p.attend(p.routes())))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { desks[language(r)].ServeHTTP(w, r) })
}

func (p *pages) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]handler{
		"GET /{$}":                   p.day,
		"GET /cauta":                 p.find,
		"POST /acceptare":            p.accept,
		"GET /vizita/{id}":           p.visit,
		"POST /vizita/{id}/{deed}":   p.act,
		"GET /vizita/{id}/bon":       p.slip,
		"GET /vizita/{id}/lipsa":     p.missingNote,
		"POST /vizita/{id}/tiparit":  p.printVisit,
		"GET /lista":                 p.dayList,
		"POST /lista/tiparit":        p.printList(printedDay, "/lista"),
		"GET /registru":              p.register,
		"POST /registru/tiparit":     p.printList(printedRegister, "/registru"),
		"GET /sfarsit":               p.end,
		"POST /sfarsit/tiparit":      p.printList(printedEnd, "/sfarsit"),
		"POST /sfarsit/neprezentati": p.noShows,
		"GET /fara-programare":       p.walkIn,
		"POST /fara-programare":      p.takeWalkIn,
		"GET /ridicari":              p.pickups,
		"GET /coada":                 p.queue,
		"GET /conflicte":             p.conflicts,
		"GET /ajutor":                p.help,
		"GET /stare":                 p.status,
		"POST /lucrator":             p.setClerk,
		"POST /iesire":               p.signOut,
		"GET /pin":                   p.pinPage,
		"POST /pin":                  p.changePIN,
		"GET /urme":                  p.traces,
		"POST /urme/asteptare":       p.lift,
		"POST /limba":                setLanguage,
		"POST /sincronizeaza":        p.ring,
		"POST /coada/inchide":        p.closeRefused,
		"POST " + carryOutPath:       p.carryOut,
		"POST " + carryInPath:        p.carryIn,
		"POST /ceas":                 p.setTime,
		"POST /demo/linie":           p.demoLine,
		"/":                          p.nothingHere,
	} {
		mux.Handle(pattern, p.handle(h))
	}
	mux.Handle("GET /static/", assets())
	return mux
}

// assets are the same for every clerk and hold nothing personal, but a PC
// that was updated must not show the old ones.
func assets() http.Handler {
	sub, err := fs.Sub(files, "assets")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return http.StripPrefix("/static/", http.FileServerFS(sub))
}
