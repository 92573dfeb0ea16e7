package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// realParts is set where a missing part of the real world is a failure.
func realParts() bool { return os.Getenv("CONDICA_REAL") == "1" }

// browser gives a page of a real Chromium that talks to loopback only.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if realParts() {
			t.Fatal("chromium is not installed; make test installs it")
		}
		t.Skip("chromium is not installed; make test installs it")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile(t)),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-quic", true), chromedp.WindowSize(1280, 900))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	// The first run starts the browser; a time limit belongs on later ones.
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return ctx
}

// profile is a folder for a browser of one test. A browser that is ended at once
// leaves another behind, with the socket by which a second window would find it.
func profile(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Cleanup(func() {
		if socket, err := os.Readlink(filepath.Join(dir, "SingletonSocket")); err == nil {
			os.RemoveAll(filepath.Dir(socket))
		}
	})
	return dir
}

// inBrowser works at the desk's pages as a clerk does: the short code into the
// box, Enter, then the page's buttons and F-keys.
type inBrowser struct {
	*country
	ctx context.Context
}

func (h inBrowser) run(what string, acts ...chromedp.Action[chromedp.Void]) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, acts...); err != nil {
		h.t.Fatalf("in the browser: %s: %v", what, err)
	}
}

func (h inBrowser) desk() string { return h.pcs["pc1"].url("desk") }

// open finds the booking through the box.
func (h inBrowser) open(id string) {
	h.t.Helper()
	h.run("find "+id,
		chromedp.Navigate(h.desk()+"/"),
		chromedp.WaitVisible("#q"),
		chromedp.SendKeys("#q", id+"\r"),
		chromedp.WaitVisible(`//span[@class="code" and text()="`+id+`"]`))
	until(h.t, "the page of "+id+" is all there", func() bool {
		whole, err := chromedp.Run(h.ctx, chromedp.Evaluate[bool](`document.readyState === "complete"`))
		return err == nil && whole
	})
}

// press submits the form of an action by its button and waits for the state it
// leads to. The button is pressed by its key: a click is aimed at a place on the
// screen, and the button may have moved from there before it comes.
func (h inBrowser) press(id, action, state string) {
	h.t.Helper()
	h.run(action+" "+id,
		chromedp.Focus(fmt.Sprintf(`form[action="/vizita/%s/%s"] button`, id, action)),
		chromedp.KeyEvent("\r"),
		chromedp.WaitVisible(`//p[@class="now"]//*[contains(., "`+state+`")]`))
}

func (h inBrowser) checkIn(id string) {
	h.open(id)
	h.press(id, "prezent", "prezent")
}

func (h inBrowser) bringAll(id string) {
	h.open(id)
	boxes := fmt.Sprintf(`form[action="/vizita/%s/acte"] input[type=checkbox]:not([value="not-applicable"])`, id)
	h.run("tick the papers of "+id,
		chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
			_, err := chromedp.Run(ctx, chromedp.Evaluate[int](`[...document.querySelectorAll('`+boxes+`')].filter(b => !b.checked).map(b => b.click()).length`))
			return err
		}),
		chromedp.WaitVisible(".note.good")) // each tick is saved as it is made
}

func (h inBrowser) file(id string) {
	h.open(id)
	h.press(id, "preia", "cerere preluată")
}

func (h inBrowser) ready(id string) {
	h.open(id)
	h.press(id, "sosit", "act sosit")
}

func (h inBrowser) handOver(id string) {
	h.open(id)
	h.press(id, "preda", "predat")
}

func (h inBrowser) restarted() {}

// look shows the desk and holds it to what the story has come to; with
// CONDICA_SHOTS the picture is kept there.
func (h inBrowser) look(what string) {
	h.t.Helper()
	page, want := "/", ""
	switch what {
	case "line-down":
		want = "puteți lucra normal"
	case "queue":
		page, want = "/coada", "netrimis"
	case "line-back":
		want = "totul trimis"
	case "conflict":
		page, want = "/conflicte", "sună înainte"
	}
	until(h.t, "the page shows "+want, func() bool {
		h.run("open "+page, chromedp.Navigate(h.desk()+page))
		text, err := chromedp.Run(h.ctx, chromedp.Text("body"))
		if err != nil {
			h.t.Fatalf("read %s: %v", page, err)
		}
		return strings.Contains(text, want)
	})
	shot, err := chromedp.Run(h.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		h.t.Fatalf("look at %s: %v", page, err)
	}
	if dir := os.Getenv("CONDICA_SHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "outage-"+what+".png"), shot, 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
}

// The same morning through the pages, in Chromium.
func TestOutageInBrowser(t *testing.T) {
	ctx := browser(t)
	outage(t, func(c *country) hands { return inBrowser{c, ctx} })
}
