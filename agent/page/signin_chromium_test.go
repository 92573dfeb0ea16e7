package page_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"condica/spclep/code"
)

// The screen is locked while Ana types, in a real browser: nothing of the office
// is to be seen, and with her PIN the page is back as she left it. When Ion comes
// instead, he gets the page anew.
func TestTheScreenLocks(t *testing.T) {
	g := withClerks(t, "09:15")
	b := g.before(g.sits().ctx, g.serve)

	// One name, PIN, Enter; F10, one name, PIN, Enter.
	b.goes("/")
	b.waitsFor("intrare-nume")
	b.shot("intrare")
	b.presses("I" + kb.Tab + ionPIN + kb.Enter)
	b.sees("Exemplu Ioana")
	b.presses(kb.F10)
	b.waitsFor("intrare-nume")
	b.presses("A" + kb.Tab + anaPIN + kb.Enter)
	b.sees("Exemplu Ioana")

	b.goes("/vizita/2222AAAA")
	b.sees("Ce urmează")
	b.focuses("#date-note")
	b.presses("vine cu mama")
	g.later(10 * time.Minute)
	b.waitsFor("intrare-pin")
	b.shot("blocat")
	for _, hidden := range []string{`document.body.innerText`, `document.title`} {
		if text := ask[string](b, hidden); containsAny(text, "Ioana", "2222") {
			t.Errorf("behind the lock %s says\n%s", hidden, text)
		}
	}
	// Somebody holds a slip under the scanner, and tries the keys.
	for _, end := range []string{"Enter", ""} {
		b.scans(scanner{end: end}, code.Slip("2222AAAA"))
		b.polls(`document.getElementById("intrare-pin").value === ""`)
	}
	b.presses(kb.F1 + kb.F2 + kb.F4 + kb.F6)
	if at := ask[string](b, `location.pathname + " " + document.activeElement.id + " " + document.getElementById("lacat").hidden`); at != "/vizita/2222AAAA intrare-pin false" {
		t.Errorf("behind the lock the keys lead to %s", at)
	}
	b.presses("000000" + kb.Enter)
	b.sees("nu se potrivesc")
	b.presses(anaPIN + kb.Enter)
	b.sees("Exemplu Ioana")
	const left = `document.activeElement.id + ": " + document.getElementById("date-note").value + " · " + document.title`
	if got := ask[string](b, left); !containsAny(got, "date-note: vine cu mama · ") || !containsAny(got, "Ioana") {
		t.Errorf("after the PIN the page is not as it was left: %q", got)
	}

	g.later(10 * time.Minute)
	b.waitsFor("intrare-pin")
	b.focuses("#intrare-nume")
	b.presses("I" + kb.Tab + ionPIN + kb.Enter)
	b.sees("Ce urmează")
	if who := ask[string](b, `document.querySelector("[data-clerk]").dataset.clerk`); who != "Ion Probă" {
		t.Errorf("at the desk is %q", who)
	}
	if note := ask[string](b, `document.getElementById("date-note").value`); note != "" {
		t.Errorf("Ion finds Ana's %q", note)
	}
	g.looksWell(b)
}

// The page had asked how things stand before Ana gave her PIN, and the answer comes
// after it: the screen is not locked once more by what was so before.
func TestALateAnswerDoesNotLockAgain(t *testing.T) {
	g := withClerks(t, "09:15")
	var next atomic.Bool // answer to the page's question is held back
	held, free := make(chan bool, 1), make(chan bool)
	b := g.before(g.sits().ctx, func(hosts ...string) http.Handler {
		desk := g.serve(hosts...)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/stare" || !next.CompareAndSwap(true, false) {
				desk.ServeHTTP(w, r)
				return
			}
			answer := httptest.NewRecorder()
			desk.ServeHTTP(answer, r)
			held <- answer.Code == http.StatusUnauthorized
			select {
			case <-free:
			case <-t.Context().Done():
			}
			maps.Copy(w.Header(), answer.Header())
			w.WriteHeader(answer.Code)
			w.Write(answer.Body.Bytes())
		})
	})
	b.goes("/")
	b.waitsFor("intrare-nume")
	b.presses("A" + kb.Tab + anaPIN + kb.Enter)
	b.sees("Exemplu Ioana")
	g.later(10 * time.Minute)
	b.waitsFor("intrare-pin")
	next.Store(true)
	if !<-held {
		t.Fatal("the screen is locked, and the page hears that it is not")
	}
	b.presses(anaPIN + kb.Enter)
	b.sees("Exemplu Ioana")
	ask[bool](b, `(window.locks = 0, window.heard = 0,
		new MutationObserver(() => { if (document.getElementById("lacat")) locks++ }).observe(document.body, {childList: true}),
		document.addEventListener("stare", () => heard++), true)`)
	close(free)
	b.polls(`heard > 1`) // the page asks every few seconds: the late answer has come by then
	if n := ask[int](b, `locks`); n > 0 {
		t.Errorf("after the PIN the screen was locked %d times", n)
	}
}

// looksWell looks at the pages of this area as others are.
func (g *guarded) looksWell(b *browser) {
	b.Helper()
	b.presses(kb.F10)
	b.waitsFor("intrare-nume")
	b.presses("A" + kb.Tab + anaPIN + kb.Enter)
	b.sees("Schimbă lucrătorul")
	paths := map[string]string{"pin": "/pin", "urme": "/urme", "intrare-2": "/intrare"}
	var all []string
	for name, path := range paths {
		all = append(all, path)
		b.goes(path)
		if path == "/intrare" {
			b.sees("Intrare în Condica")
			b.waitsFor("intrare-pin")
		} else {
			b.sees("Schimbă lucrătorul")
		}
		if little := ask[[]string](b, small); len(little) > 0 {
			b.Errorf("%s has targets below 24 px: %q", path, little)
		}
		b.shot(name)
	}
	b.fits(all...)
}

// waitsFor waits until a field has the focus.
func (b *browser) waitsFor(id string) {
	b.Helper()
	b.polls(fmt.Sprintf(`document.activeElement.id === %q`, id))
}
