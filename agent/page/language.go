package page

import (
	"html/template"
	"net/http"
	"slices"
	"strings"

	"condica/spclep"
)

const languageCookie = "condica-limba"

// language is what this browser was told to speak, or Romanian.
func language(r *http.Request) string {
	if c, err := r.Cookie(languageCookie); err == nil && slices.Contains(languages, c.Value) {
		return c.Value
	}
	return languages[0]
}

// setLanguage keeps the language for a year, in this browser alone.
func setLanguage(w http.ResponseWriter, r *http.Request) error {
	lang := r.PostForm.Get("limba")
	if !slices.Contains(languages, lang) {
		return &halt{http.StatusBadRequest, "halt.form"}
	}
	http.SetCookie(w, &http.Cookie{Name: languageCookie, Value: lang, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: 365 * 24 * 60 * 60})
	http.Redirect(w, r, local(r.PostForm.Get("inapoi")), http.StatusSeeOther)
	return nil
}

// A tongue is a language one can choose, by its own name.
type tongue struct{ Code, Sign, Name string }

func tongues() []tongue {
	return []tongue{{"ro", "RO", "Română"}, {"hu", "HU", "Magyar"}, {"en", "EN", "English"}}
}

// refused says a refusal or a note in the page's language, with what it names in
// Romanian marked as such. The rules speak Romanian; where the catalogue lacks a
// sentence, theirs is shown.
func (p *pages) refused(said any) (out parts) {
	key, text, args := p.sentence(said)
	if key == "" {
		return parts{{text, p.words.lang != languages[0]}}
	}
	for text = p.words.t(key); text != ""; {
		before, rest, open := strings.Cut(text, "{")
		name, after, closed := strings.Cut(rest, "}")
		value, named := args[name]
		if !open || !closed || !named {
			return append(out, part{Text: text})
		}
		out = append(out, part{Text: before}, part{value, quotesLaw(name)})
		text = after
	}
	return out
}

// quotesLaw tells what a refusal or a note names in words of the law or the
// bundle: titles of papers, who may collect, why a day is closed. All else that
// they name is numbers, days, codes, and what people typed.
func quotesLaw(name string) bool { return slices.Contains([]string{"titles", "allowed", "why"}, name) }

// sentence finds the catalogue's sentence for a refusal or a note; the key is
// empty where the rules' own is to be shown.
func (p *pages) sentence(said any) (key, text string, args map[string]string) {
	switch s := said.(type) {
	case *spclep.Refusal:
		key, text, args = "refusal."+s.Code, s.Text, s.Args
	case spclep.Note:
		key, text, args = "note."+s.Code, s.Text, s.Args
	}
	if p.words.lang == languages[0] || !p.words.has(key) {
		key = ""
	}
	return key, text, args
}

// law marks an element that holds words of the law or of the bundle: they are
// Romanian on every page, and a screen reader must know it (WCAG 3.1.2).
func (p *pages) law() template.HTMLAttr {
	if p.words.lang == languages[0] {
		return ""
	}
	return template.HTMLAttr(` lang="` + languages[0] + `"`)
}
