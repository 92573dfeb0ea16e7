package page

import (
	"bytes"
	"html/template"
	"net/http"
	"net/url"
	"slices"

	"condica/spclep"
)

// langField is the language of a paper, in addresses and forms.
const langField = "limba"

// A choice is a language that a citizen's paper can be made in; Now: this one is.
type choice struct {
	tongue
	Href string
	Now  bool
}

// choices lead to the same paper, on the same size of it, in each language.
func choices(r *http.Request, lang string) (out []choice) {
	q := url.Values{}
	if sheet := r.URL.Query().Get(sheetCookie); sheet != "" {
		q.Set(sheetCookie, sheet)
	}
	for _, t := range tongues() {
		q.Set(langField, t.Code)
		out = append(out, choice{t, r.URL.Path + "?" + q.Encode(), t.Code == lang})
	}
	return out
}

// paperIn are the pages that make a citizen's paper in a language: the screen's,
// where none is asked for.
func (p *pages) paperIn(lang string) (*pages, error) {
	if lang == "" {
		return p, nil
	}
	if !slices.Contains(languages, lang) {
		return nil, &halt{http.StatusBadRequest, "halt.form"}
	}
	return p.all[lang], nil
}

// titled names the page of a citizen's paper: in another language than the
// screen's it is another page.
func (p *pages) titled(title string, of printing) string {
	for _, c := range of.Tongues {
		if c.Now && c.Code != p.words.lang {
			return title + " · " + c.Name
		}
	}
	return title
}

// official are the pages that make the office's own papers. What is signed and
// filed is Romanian whatever the screen speaks: the next clerk, the head of
// service and who inspects the register read it.
func (p *pages) official() *pages { return p.all[languages[0]] }

// draw makes the paper of a page, in the language of these pages.
func (p *pages) draw(name string, body any) (template.HTML, error) {
	var b bytes.Buffer
	err := p.views[name].ExecuteTemplate(&b, "paper", body)
	return template.HTML(b.String()), err // escaped by the template that made it
}

// citizenPaper is the screen around a paper that a person is given.
type citizenPaper struct {
	printing
	ID    spclep.BookingID
	Sheet template.HTML
}

// officePaper is the screen around a paper of a day that the office keeps.
type officePaper struct {
	printing
	beside
	Sheet template.HTML
}
