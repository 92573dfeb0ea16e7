package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The printer stands at the second desk, which works at the first one's. F8 prints
// each paper there, once, with its style sheet; the record and the trace, which are
// the first PC's, say at which desk, and the first PC sees that a copy is one.
func TestAGuestsPapers(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	c.book()
	c.startPC("pc1", monday)
	c.startPC("pc2", monday)
	c.enroll("pc1")
	c.inStep("pc1")
	lent := c.lent("pc1", "pc2", "Ghișeul 2")
	ion, ana := guest{c: c, pc: "pc2", name: "Ion Probă"}, guest{c: c, pc: "pc1", name: "Ana Exemplu"}
	day := c.day("pc1", "2026-11-23")
	filed, lacks := "/vizita/"+day[0].ID, "/vizita/"+day[1].ID
	ion.does(filed+"/prezent", nil)
	ion.does(filed+"/preia", url.Values{"desi": {"actele se aduc mâine, aprobat"}})
	ion.does(lacks+"/prezent", nil)

	s := c.printer("pc2", ion.name)
	for _, paper := range []struct{ path, says, trace string }{
		{filed + "/bon", "Bon de ridicare", ""},
		{lacks + "/lipsa", "Ce acte lipsesc", ""},
		{"/lista", "Lista zilei", "a tipărit lista zilei"},
		{"/registru", "Registrul", "a tipărit registrul de ridicări"},
		{"/sfarsit", "Sfârșitul zilei", "a tipărit încheierea zilei"},
	} {
		s.prints(paper.path, paper.says)
		const by = "Tipărit o dată, la 23.11.2026"
		if got := text(ion.sees(paper.path, nil, http.StatusOK, by)); !strings.Contains(got, "de Ion Probă · la Ghișeul 2.") {
			t.Errorf("%s does not say who printed it, and where: %s", paper.path, got)
		}
		// At the first PC the next one is a copy.
		if got := text(ana.sees(paper.path, nil, http.StatusOK, by)); !strings.Contains(got, "Ghișeul 2") {
			t.Errorf("at the first PC %s does not say where it was printed: %s", paper.path, got)
		}
		if paper.trace != "" {
			if got := text(ana.sees("/urme", nil, http.StatusOK, paper.trace)); !strings.Contains(got, paper.trace+": 2026-11-23 Ion Probă · la Ghișeul 2") {
				t.Errorf("the trace does not say who printed, and where: %s", got)
			}
		}
	}
	for _, v := range []string{filed, lacks} {
		ana.sees(v, nil, http.StatusOK, "tipărit", "Ion Probă", "ghișeul „Ghișeul 2”")
	}

	// Without the lender nothing is printed that nobody notes.
	c.pcs["pc1"].kill()
	s.run("F8 while the lender is off", chromedp.KeyEvent(kb.F8))
	s.sees("nu răspunde")
	if n := s.reads(calls); n != "0" {
		t.Errorf("the printer was called %s times", n)
	}
	c.startPC("pc1", monday)
	if got := text(ana.sees("/sfarsit", nil, http.StatusOK)); !strings.Contains(got, "Tipărit o dată") {
		t.Errorf("after F8 while it was off: %s", got)
	}
	s.run("the form that was kept", chromedp.Click("button.main"))
	s.sees("Tipărirea a fost notată")
	until(t, "what was kept is printed", func() bool { return s.reads(calls) == "1" })
	ana.sees("/sfarsit", nil, http.StatusOK, "Tipărit de 2 ori", "Ghișeul 2")
	if out := c.condica("pc2", "lan", "status"); !strings.Contains(out, lent) {
		t.Errorf("it works elsewhere: %s", out)
	}
}

// lent makes one PC work at the desk of another.
func (c *country) lent(lender, guest, name string) (at string) {
	c.t.Helper()
	at = c.lends(lender)
	c.condica(guest, "lan", "join", c.invites(lender, name, at))
	return at
}

// does sends a form with a key of its own.
func (g guest) does(path string, form url.Values) {
	g.c.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	form.Set("cheie", fmt.Sprintf("formularul-de-la-%s", path))
	g.sees(path, form, http.StatusOK)
}

// A printer is a browser that counts its calls of one.
type printer struct {
	inBrowser
	desk string
}

const calls = `sessionStorage.getItem("calls") || "0"`

func (c *country) printer(pc, clerk string) printer {
	c.t.Helper()
	s := printer{inBrowser{c, browser(c.t)}, c.pcs[pc].url("desk")}
	s.run("put a printer beside it", chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, network.SetCookie, network.SetCookieParams{Name: "lucrator", Value: url.QueryEscape(clerk), URL: s.desk}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{
			Source: `window.print = () => sessionStorage.setItem("calls", 1 + Number(sessionStorage.getItem("calls")))`,
		})
		return err
	}))
	return s
}

func (s printer) reads(script string) (said string) {
	s.t.Helper()
	said, err := chromedp.Run(s.ctx, chromedp.Evaluate[string](script))
	if err != nil {
		s.t.Fatalf("%s: %v", script, err)
	}
	return said
}

// sees waits for a text of the page.
func (s printer) sees(says string) {
	s.t.Helper()
	until(s.t, "the page says "+says, func() bool {
		body, err := chromedp.Run(s.ctx, chromedp.Evaluate[string](`document.body.innerText`))
		return err == nil && strings.Contains(body, says) // between two pages there is none
	})
}

// prints presses F8 on a paper; the page that comes has noted it and calls the
// printer once, with the sheet that print has. Coming back calls it no more.
func (s printer) prints(path, says string) {
	s.t.Helper()
	s.run("open "+path, chromedp.Navigate(s.desk+path))
	s.sees(says)
	s.reads(`(sessionStorage.clear(), "")`)
	s.run("F8 on "+path, chromedp.KeyEvent(kb.F8))
	s.sees("Tipărirea a fost notată")
	until(s.t, path+" is printed", func() bool { return s.reads(calls) == "1" })
	if n := s.reads(`String([...document.styleSheets].filter(s => s.href.endsWith("/static/print.css") && s.cssRules.length > 0).length)`); n != "1" {
		s.t.Errorf("%s has %s sheets for print", path, n)
	}
	s.run("come back to "+path, chromedp.Navigate(s.desk+path))
	s.sees("Tipărit o dată")
	if n := s.reads(calls); n != "1" {
		s.t.Errorf("%s: coming back called the printer: %s", path, n)
	}
	s.reads(`(sessionStorage.clear(), "")`)
}
