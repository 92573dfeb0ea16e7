package page

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// Opening is the desk while its replica is not open yet: every page says what
// is being done and for how long, and asks again by itself; scripts get a 503.
// doing is one of localdb.Steps, or empty.
func Opening(hosts []string, doing func() (step string, since time.Duration)) http.Handler {
	desks := map[string]*pages{}
	for _, lang := range languages {
		w, err := catalogue(lang)
		if err != nil {
			panic(err) // the files are embedded, and a test reads them
		}
		p := &pages{o: Options{Hosts: hosts, Random: func() string { return "" }}, words: w}
		p.views = p.parse()
		desks[lang] = p
	}
	static := assets()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := desks[language(r)]
		headers(w.Header())
		switch {
		case !slices.Contains(hosts, r.Host):
			http.Error(w, p.words.t("halt.host"), http.StatusMisdirectedRequest)
		case strings.HasPrefix(r.URL.Path, "/static/"):
			static.ServeHTTP(w, r)
		default:
			step, since := doing()
			p.opening(w, step, since)
		}
	})
}

// openingPage says what the start is at.
type openingPage struct{ Step, Since string }

func (p *pages) opening(w http.ResponseWriter, step string, since time.Duration) {
	page := openingPage{Since: p.words.n("span.seconds", int(since/time.Second))}
	if key := "opening." + step; p.words.has(key) {
		page.Step = p.words.t(key)
	}
	// The browser asks again by itself, with scripts or without.
	w.Header().Set("Refresh", "2")
	w.Header().Set("Retry-After", "2")
	p.write(w, http.StatusServiceUnavailable, "opening", "alone", page)
}
