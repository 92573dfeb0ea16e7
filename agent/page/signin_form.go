package page

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const (
	carryPrefix = "pastrat." // + field: a form that met the lock
	carryPath   = "pastrat-la"
)

// uncarried are forms that are not kept over a lock: they hold PINs, or make no
// sense afterwards.
var uncarried = []string{signInPath, "/iesire", "/pin", "/lucrator", carryOutPath, carryInPath}

// A field of a form that is carried along.
type field struct{ Name, Value string }

// entryPage is the sign-in page.
type entryPage struct {
	Names  []string
	Chosen string // the one that is offered first
	Name   bool   // the name takes the focus, not the PIN
	Back   string // where to go then
	Here   string // where the choice of language returns to
	Last   string // who was signed in here last; a carried form is theirs
	Path   string // of a form that met the lock; empty: none
	Kept   []field
	Error  string // what stands against the PIN
	Say    string // why the page is shown
}

// entry reads what the sign-in page was drawn with off its own form.
func (p *pages) entry(r *http.Request, f url.Values) entryPage {
	page := entryPage{Back: local(f.Get("inapoi")), Last: clean(f.Get("era"))}
	page.Chosen, page.Here = page.Last, signInPath+"?"+url.Values{"inapoi": {page.Back}}.Encode()
	for _, a := range p.accounts() {
		page.Names = append(page.Names, a.Name)
	}
	if to := local(f.Get(carryPath)); to != "/" && !slices.Contains(uncarried, to) {
		page.Path = to
		page.Kept = fieldsOf(f, carryPrefix)
	}
	return page
}

// fieldsOf are the fields whose names begin so, without the beginning, in a
// steady order.
func fieldsOf(f url.Values, prefix string) (out []field) {
	for name, values := range f {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			for _, v := range values {
				out = append(out, field{short, v})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b field) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// signInPage shows it to whoever asks for it.
func (p *pages) signInPage(w http.ResponseWriter, r *http.Request) error {
	if len(p.accounts()) == 0 {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil
	}
	q := r.URL.Query()
	page := p.entry(r, url.Values{"inapoi": {q.Get("inapoi")}, "era": {p.lastClerk(r)}})
	page.Name = q.Get("schimb") != "" || page.Chosen == ""
	p.write(w, http.StatusOK, "signin", "entry", page)
	return nil
}

// locked stands before every page for whoever is not signed in. What was typed
// is carried along, to be done when the same clerk is back.
func (p *pages) locked(w http.ResponseWriter, r *http.Request) {
	shown := url.Values{"era": {p.lastClerk(r)}, "inapoi": {here(r)}}
	status := http.StatusUnauthorized
	if r.Method == http.MethodPost {
		p.refusal("a form of nobody who is signed in")
		if err := readForm(w, r); err != nil {
			status = unreadable(err)
		} else {
			shown["inapoi"] = []string{pageOf(r)}
			takeApproval(r.PostForm)
			carry(shown, r)
		}
	}
	page := p.entry(r, shown)
	page.Say = p.words.t("signin.locked")
	page.Name = page.Chosen == ""
	p.write(w, status, "signin", "entry", page)
}

// carry puts a form under the prefix.
func carry(shown url.Values, r *http.Request) {
	if slices.Contains(uncarried, r.URL.Path) {
		return
	}
	shown.Set(carryPath, r.URL.RequestURI())
	for name, values := range r.PostForm {
		shown[carryPrefix+name] = values
	}
}

// pageOf is the page that a form stands on, as well as its address tells.
func pageOf(r *http.Request) string {
	if back := r.PostForm.Get("inapoi"); back != "" {
		return local(back)
	}
	if parts := strings.Split(r.URL.Path, "/"); len(parts) > 3 && parts[1] == "vizita" {
		return "/vizita/" + url.PathEscape(parts[2])
	}
	if r.URL.Path == "/fara-programare" {
		return r.URL.Path
	}
	return "/"
}

// carriedOut is the request that met the lock, as if it came now. The guard has
// let the sign-in form through, and with it this one.
func carriedOut(r *http.Request, page entryPage) *http.Request {
	to, err := url.ParseRequestURI(page.Path)
	if err != nil {
		to = &url.URL{Path: "/"}
	}
	out := r.Clone(r.Context())
	out.URL, out.RequestURI = to, page.Path
	out.PostForm = url.Values{}
	for _, f := range page.Kept {
		out.PostForm.Add(f.Name, f.Value)
	}
	out.Form, out.Body = out.PostForm, io.NopCloser(strings.NewReader(""))
	return out
}

func unreadable(err error) int {
	if stop, ok := err.(*halt); ok {
		return stop.status
	}
	return http.StatusRequestEntityTooLarge
}

// again shows the page once more, with what stands against the PIN. The PIN
// itself is never shown again.
func (p *pages) again(w http.ResponseWriter, page entryPage, status int, say string) error {
	page.Error = say
	p.write(w, status, "signin", "entry", page)
	return nil
}

// stranger says whether a page is about to be shown to whoever is not signed in,
// at a desk where that is asked.
func (p *pages) stranger(r *http.Request) bool {
	return visitorOf(r).name == "" && len(p.accounts()) > 0 && !p.inside(r)
}

// stranded says to a stranger why a form was not taken, and nothing of the
// office.
func (p *pages) stranded(w http.ResponseWriter, r *http.Request, status int, v view) {
	page := p.entry(r, url.Values{"era": {p.lastClerk(r)}})
	for _, wrong := range v.Problems {
		page.Say = wrong.Text
	}
	p.write(w, status, "signin", "entry", page)
}
