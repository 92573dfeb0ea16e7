package page_test

import (
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

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
	var refused atomic.Int32 // forms that came while it was off
	b := g.before(g.sits().ctx, func(hosts ...string) http.Handler {
		return page.Guest(page.GuestDesk{Log: slog.New(slog.DiscardHandler), Office: g.office, Hosts: hosts, Lender: "Birou-1", Here: http.NotFoundHandler(),
			Works: func() bool { return false }, ShutOut: func(error) bool { return false },
			Forward: func(w http.ResponseWriter, r *http.Request, _ string, _ []string, failed func(error)) {
				if off.Load() {
					failed(errOff)
					if r.Method == http.MethodPost {
						refused.Add(1)
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
	// The answer is tried once more and refused; it is that which has to be over
	// before the lender is back, or the note is sent at once.
	before := refused.Load()
	b.focuses("#date-note")
	b.presses(kb.Enter)
	for deadline := time.Now().Add(time.Minute); refused.Load() == before; {
		if time.Now().After(deadline) {
			t.Fatal("the answer was not tried once more")
		}
		time.Sleep(10 * time.Millisecond)
	}
	b.polls(`!!document.querySelector("#nesalvat")`)
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
