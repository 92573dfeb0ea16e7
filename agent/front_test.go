package agent

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"condica/localdb"
)

// A browser that is there before the replica is open hears what is being done,
// and has the desk from then on at the same address.
func TestTheFrontBeforeTheDesk(t *testing.T) {
	var f front
	f.begin([]string{"127.0.0.1:8743"}, NewClock(0))
	ask := func() (int, string) {
		r := httptest.NewRequest(http.MethodGet, "/vizita/2222AAAA", nil)
		r.Host = "127.0.0.1:8743"
		w := httptest.NewRecorder()
		f.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	for step, want := range map[string]string{localdb.StepCheck: "Se verifică baza de date", localdb.StepAnew: "se reface din jurnal"} {
		f.doing(step)
		if code, page := ask(); code != http.StatusServiceUnavailable || !strings.Contains(page, want) {
			t.Errorf("at %s: %d %s", step, code, page)
		}
	}
	f.open(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	if code, _ := ask(); code != http.StatusTeapot {
		t.Errorf("the desk is open, and the answer is %d", code)
	}
}

// The replica is made anew at a start: the pages had said so.
func TestTheStartTellsItsSteps(t *testing.T) {
	c := newCity(t)
	d := c.pc()
	d.writes("2222AAAA", "trimis")
	d.inStep()
	c.must(d.Close())
	var steps []string
	db, _, err := localdb.Open(t.Context(), d.dir, localdb.Options{Now: NewClock(0).Reading, Doubt: "for the story", Doing: func(s string) { steps = append(steps, s) }})
	c.must(err)
	c.must(db.Close())
	if got := strings.Join(steps, " "); got != "anew check journal" {
		t.Errorf("the start told %q", got)
	}
}
