package page

import (
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

// refused says a refusal or a note in the page's language. The rules speak
// Romanian; where the catalogue lacks a sentence, theirs is shown.
func (p *pages) refused(said any) string {
	var code, text, prefix string
	var args map[string]string
	switch s := said.(type) {
	case *spclep.Refusal:
		prefix, code, text, args = "refusal.", s.Code, s.Text, s.Args
	case spclep.Note:
		prefix, code, text, args = "note.", s.Code, s.Text, s.Args
	}
	if p.words.lang == languages[0] || !p.words.has(prefix+code) {
		return text
	}
	var old []string
	for name, value := range args {
		old = append(old, "{"+name+"}", value)
	}
	return strings.NewReplacer(old...).Replace(p.words.t(prefix + code))
}
