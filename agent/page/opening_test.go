package page_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"condica/agent/page"
	"condica/localdb"
)

// The service has just been started after a power cut, and the database is being
// made anew: whoever opens the desk is told so on any page, and is let in by
// itself. A stranger's page is told nothing.
func TestTheDeskSaysThatItOpens(t *testing.T) {
	step := ""
	h := page.Opening([]string{host}, func() (string, time.Duration) { return step, 72 * time.Second })
	ask := func(host, path string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host = host
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w
	}
	for _, step = range append(localdb.Steps(), "", "of a later program") {
		w := ask(host, "/vizita/2222AAAA")
		text := readable(w.Body.String())
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Refresh") == "" || !strings.Contains(text, "Condica se deschide") || !strings.Contains(text, "De 72 de secunde.") {
			t.Errorf("step %q: %d, refresh %q: %s", step, w.Code, w.Header().Get("Refresh"), text)
		}
		if step == localdb.StepAnew && !strings.Contains(text, "se reface din jurnal") {
			t.Errorf("step %q: %s", step, text)
		}
	}
	if w := ask("evil.example", "/"); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("another name is answered %d", w.Code)
	}
	if w := ask(host, "/static/desk.css"); w.Code != http.StatusOK {
		t.Errorf("the style sheet is answered %d", w.Code)
	}
}
