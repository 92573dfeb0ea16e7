package page

import (
	"errors"
	"mime"
	"net/http"
	"slices"

	"condica/sync/wire"
)

// maxForm is the largest form in bytes; the longest real one has some 4 kB.
const maxForm = 1 << 20

// policy lets the browser load the desk's own style, script and pictures, ask
// the desk itself for the status line, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// guard stands before every page: a foreign name that was pointed at this PC
// (DNS rebinding) is turned away, and so is a form that another site sent.
func (p *pages) guard(next http.Handler) http.Handler {
	sites := http.NewCrossOriginProtection()
	sites.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.refusal("a form that another site sent")
		http.Error(w, p.words.t("halt.origin"), http.StatusForbidden)
	}))
	next = sites.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers(w.Header())
		switch {
		case !slices.Contains(p.o.Hosts, r.Host):
			p.refusal("a foreign host name")
			http.Error(w, p.words.t("halt.host"), http.StatusMisdirectedRequest)
		case p.foreign(r.Header.Get("Origin")):
			p.refusal("a form or page of a foreign origin")
			http.Error(w, p.words.t("halt.origin"), http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func headers(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

// foreign tells another site's Origin. With no-referrer a browser sends "null"
// for the desk's own forms too; those CrossOriginProtection knows by
// Sec-Fetch-Site.
func (p *pages) foreign(origin string) bool {
	if origin == "" || origin == "null" {
		return false
	}
	return !slices.ContainsFunc(p.o.Hosts, func(h string) bool { return origin == "http://"+h })
}

// readForm reads a bounded form; anything else than a form is refused. One form
// brings a file, which is kept in memory: of what is personal no copy is left on
// the disk.
func readForm(w http.ResponseWriter, r *http.Request) error {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case kind == "multipart/form-data" && r.URL.Path == carryInPath:
		return readFile(w, r)
	case kind != "application/x-www-form-urlencoded":
		return &halt{http.StatusUnsupportedMediaType, "halt.form"}
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	return r.ParseForm()
}

func readFile(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, wire.MaxCarriedFile)
	err := r.ParseMultipartForm(wire.MaxCarriedFile)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return &halt{http.StatusRequestEntityTooLarge, "carry.why." + wire.CarriedLarge}
	case err != nil:
		return &halt{http.StatusBadRequest, "halt.form"}
	}
	return nil
}
