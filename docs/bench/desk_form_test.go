package bench

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// deskHost is the name under which the desk is asked. Nothing listens there:
// what is measured is the handler, without TCP.
const deskHost = "127.0.0.1:8743"

// A sheet is an answer of the desk, and how long it took.
type sheet struct {
	*httptest.ResponseRecorder
	took time.Duration
}

func (c *deskPC) send(r *http.Request) sheet {
	r.Host = deskHost
	w := httptest.NewRecorder()
	began := time.Now()
	c.pages.ServeHTTP(w, r)
	return sheet{w, time.Since(began)}
}

func (c *deskPC) open(path string) sheet {
	return c.send(httptest.NewRequest(http.MethodGet, path, nil))
}

// press sends the form of an action with what the clerk enters, as a browser
// does; where the desk does not take it the run ends.
func (c *deskPC) press(on sheet, action string, entered url.Values) sheet {
	c.Helper()
	form := formOf(on.Body.String(), action)
	if form == nil {
		c.Fatalf("the page (%d) has no form for %s:\n%s", on.Code, action, on.Body)
	}
	for field, values := range entered {
		form[field] = values
	}
	r := httptest.NewRequest(http.MethodPost, action, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", "null")
	s := c.send(r)
	if to := s.Header().Get("Location"); s.Code != http.StatusSeeOther || strings.Contains(to, "facut=neschimbat") {
		c.Fatalf("%s was answered with %d %s:\n%s", action, s.Code, to, s.Body)
	}
	return s
}

var (
	formTags   = regexp.MustCompile(`(?s)<form\b([^>]*)>(.*?)</form>`)
	fieldTags  = regexp.MustCompile(`(?s)<input\b([^>]*)>|<select\b([^>]*)>(.*?)</select>`)
	optionTags = regexp.MustCompile(`(?s)<option\b([^>]*)>`)
	attributes = regexp.MustCompile(`([a-z-]+)(?:="([^"]*)")?`)
)

func attributesOf(tag string) map[string]string {
	out := map[string]string{}
	for _, m := range attributes.FindAllStringSubmatch(tag, -1) {
		out[m[1]] = html.UnescapeString(m[2])
	}
	return out
}

// formOf reads the fields of the first form of an action; nil if there is none.
func formOf(page, action string) url.Values {
	for _, m := range formTags.FindAllStringSubmatch(page, -1) {
		if attributesOf(m[1])["action"] != action {
			continue
		}
		out := url.Values{}
		for _, in := range fieldTags.FindAllStringSubmatch(m[2], -1) {
			if in[1] != "" {
				addInput(out, attributesOf(in[1]))
			} else {
				out.Add(attributesOf(in[2])["name"], chosen(in[3]))
			}
		}
		return out
	}
	return nil
}

func addInput(out url.Values, a map[string]string) {
	if _, on := a["checked"]; on || a["type"] != "radio" && a["type"] != "checkbox" {
		out.Add(a["name"], a["value"])
	}
}

// chosen is the option that a browser shows: the one selected, or the first.
func chosen(options string) string {
	first := ""
	for i, m := range optionTags.FindAllStringSubmatch(options, -1) {
		a := attributesOf(m[1])
		if _, on := a["selected"]; on {
			return a["value"]
		}
		if i == 0 {
			first = a["value"]
		}
	}
	return first
}
