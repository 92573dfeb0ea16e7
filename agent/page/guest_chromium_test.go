package page_test

import (
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"condica/agent/page"
)

// The PC that lends the desk is switched off while Ion types: the status line says
// so, what he typed stays, what could not be saved is said where he looks and is
// saved by itself when it is back, and he goes on.
func TestTheLenderGoesOffWhileTyping(t *testing.T) {
	g := withClerks(t, "09:15")
	g.from = func(*http.Request) (string, string) { return "Ghișeul 2", "Ghișeul 2 b1" }
	const name = "ghiseu.internal"
	lender := g.serve(name)
	var off atomic.Bool
	var early atomic.Bool // the note was sent while the answer could not be saved
	b := g.before(g.sits().ctx, func(hosts ...string) http.Handler {
		return page.Guest(page.GuestDesk{Log: slog.New(slog.DiscardHandler), Office: g.office, Hosts: hosts, Lender: "Birou-1", Here: http.NotFoundHandler(),
			Works: func() bool { return false }, ShutOut: func(error) bool { return false },
			Forward: func(w http.ResponseWriter, r *http.Request, _ string, _ []string, failed func(error)) {
				if off.Load() {
					failed(errOff)
					if strings.HasSuffix(r.URL.Path, "/date") {
						early.Store(true)
					}
					return
				}
				out := r.Clone(r.Context())
				out.Host = name
				out.Header.Del("Origin")
				lender.ServeHTTP(w, out)
			}})
	})
	b.goes("/vizita/2222AAAA")
	b.waitsFor("intrare-nume")
	b.presses("I" + kb.Tab + ionPIN + kb.Enter)
	b.sees("Ce urmează")
	b.focuses("#date-note")
	b.presses("vine cu mama")
	off.Store(true)
	b.sees("Calculatorul „Birou-1” nu răspunde; se încearcă mereu")
	b.focuses(`[id="raspunsuri-answer.civil"]`)
	b.presses("d") // divorțat(ă)
	b.polls(`!!document.querySelector("#nesalvat[role=alert]")`)
	b.sees("Nu s-a salvat încă")
	const note = `document.getElementById("date-note").value`
	if got := ask[string](b, note); got != "vine cu mama" {
		t.Errorf("he had typed a note, and finds %q", got)
	}
	// Nothing else is sent before it: the page that came would not have the answer.
	// The answer is tried once more and refused, and that has to be over before the
	// lender is back, or the note is sent at once. The page also tries by itself
	// now and then, so it is the page that is asked, in live.js's words.
	b.focuses("#date-note")
	b.presses(kb.Enter)
	b.polls(`waiting === 0 && failed.size === 1 && document.querySelector("#nesalvat")`)
	if early.Load() {
		t.Error("the note was sent before the answer")
	}
	off.Store(false)
	b.sees("Legătură cu centrul")
	b.polls(`!document.querySelector("#nesalvat")`)
	if got := ask[string](b, note); got != "vine cu mama" {
		t.Errorf("it is back, and he finds %q", got)
	}
	b.focuses("#date-note")
	b.presses(kb.Enter)
	b.sees("Datele au fost salvate")
	b.polls(note + ` === "vine cu mama"`)
	rec, err := g.db.Booking(t.Context(), "2222AAAA")
	g.must(err)
	if rec.Answers["civil"] != "divorced" || rec.Note != "vine cu mama" {
		t.Errorf("the record has the answers %v and the note %q", rec.Answers, rec.Note)
	}
}
