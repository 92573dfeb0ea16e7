package console_test

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"condica/hub/store"
	"condica/spclep"
	"condica/sync/wire"
)

// axePath is where make setup puts the accessibility rules.
const axePath = "../../bin/axe/node_modules/axe-core/axe.min.js"

// A browser is Chromium at the console.
type browser struct {
	*it
	ctx context.Context
	url string
	axe string // the rules, as a script
}

// absent ends a story for want of a real part.
func absent(t *testing.T, part string) {
	t.Helper()
	if os.Getenv("CONDICA_REAL") == "1" {
		t.Fatalf("%s is missing, and CONDICA_REAL=1 asks for it; make setup fetches it", part)
	}
	t.Skipf("%s is missing: the console was not looked at in a real browser; make setup fetches it", part)
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

func (p *it) sits() *browser {
	p.t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		absent(p.t, "chromium")
	}
	axe, err := os.ReadFile(axePath)
	if err != nil {
		absent(p.t, "axe-core")
	}
	server := httptest.NewServer(p.pages)
	p.t.Cleanup(server.Close)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(profile(p.t)), chromedp.WindowSize(1366, 768), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-dev-shm-usage", true))
	alloc, stop := chromedp.NewExecAllocator(p.t.Context(), options...)
	p.t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	p.t.Cleanup(cancel)
	return &browser{p, ctx, server.URL, string(axe)}
}

func (b *browser) does(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// ask runs a script in the page and gives what it says.
func ask[T any](b *browser, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatalf("%.200s: %v", script, err)
	}
	return v
}

// look sets the colours and the width of the screen.
func (b *browser) look(scheme string, width int64) {
	b.t.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: strings.TrimPrefix(scheme, "forced-")},
		{Name: "forced-colors", Value: map[bool]string{true: "active", false: "none"}[strings.HasPrefix(scheme, "forced-")]},
	}}
	b.does(chromedp.EmulateViewport(width, 768), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, media)
		return err
	}))
}

// holds looks at the page as it stands, in all colours and widths: no sideways
// scroll on a small screen, and what WCAG 2.2 AA asks as far as axe-core sees it.
// CONDICA_SHOTS names a folder for pictures.
func (b *browser) holds(name string) {
	b.t.Helper()
	for _, scheme := range []string{"light", "dark", "forced-dark"} {
		for width, screen := range map[int64]string{1366: "", 320: "-320"} {
			b.look(scheme, width)
			if wide := ask[int64](b, `document.documentElement.scrollWidth`); wide > width {
				b.t.Errorf("%s is %d wide on a screen of %d", name, wide, width)
			}
			for _, fault := range ask[[]string](b, runAxe) {
				b.t.Errorf("%s, %s, %d wide: %s", name, scheme, width, fault)
			}
			if dir := os.Getenv("CONDICA_SHOTS"); dir != "" {
				png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, name+"-"+scheme+screen+".png"), png, 0o600)
				}
				if err != nil {
					b.t.Fatal(err)
				}
			}
		}
	}
	b.look("light", 1366)
}

const runAxe = `axe.run(document, {
	runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}, resultTypes: ["violations"],
}).then(r => r.violations.flatMap(f => f.nodes.map(n => f.id + ": " + n.html.replace(/\s+/g, " ").slice(0, 130))))`

// at goes to a page, or waits for the one that is coming, and brings the rules
// into it.
func (b *browser) at(path string) {
	b.t.Helper()
	if path != "" {
		b.does(chromedp.Navigate(b.url + path))
	}
	ask[*string](b, b.axe+"; null")
}

// brings fills the form with a file and sends it, and waits for what is said.
func (b *browser) brings(file []byte, says string) {
	b.t.Helper()
	b.at("/carry")
	path := filepath.Join(b.t.TempDir(), "cerere.condica")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.does(chromedp.SetUploadFiles(`input[type=file]`, []string{path}), chromedp.Click(`main button`))
	ctx, cancel := context.WithTimeout(b.ctx, 2*time.Minute) // a net, no part of the story
	defer cancel()
	for ctx.Err() == nil { // a poll ends when the page changes under it
		if _, err := chromedp.Run(ctx, chromedp.Poll[bool](`document.readyState === "complete" && document.body.innerText.includes("`+says+`")`, chromedp.WithPollingTimeout(5*time.Second))); err == nil {
			b.at("")
			return
		}
	}
	b.t.Fatalf("the page never said %q:\n%s", says, ask[string](b, `document.body.innerText`))
}

// IT at a real browser: the pages with their alarms, and a stick that is read,
// turned away, and answered.
func TestConsoleInChromium(t *testing.T) {
	p := newIT(t, nil)
	for seq, id := range []spclep.BookingID{"BKNG2345", "BKNG2346"} {
		p.fact(uint64(seq)+1, id, spclep.Filed, spclep.FiledValue{Number: "12", Product: "CIS", Day: p.hub.Today()})
	}
	p.write(func(tx store.Tx) error {
		d := desk()
		d.Desk, d.Health, d.LastMs = 2, []byte(`{"v":"1.4.0","m":3,"mm":1795420800000}`), p.hub.Now()-60_000
		return tx.SetDevice(d)
	})
	b := p.sits()
	for name, path := range map[string]string{"offices": "/", "office": "/office/covasna", "booking": "/booking/covasna/BKNG2345", "log": "/office/covasna/log", "carry": "/carry", "sorry": "/nimic"} {
		b.at(path)
		b.holds(name)
	}
	file := p.request(42)
	b.brings(file[:len(file)-1], "îi lipsește sfârșitul")
	b.holds("carry-refused")
	b.brings(file, "Fișier primit")
	b.holds("carried")
	to := ask[string](b, `document.querySelector("a[download]").getAttribute("href")`)
	if _, err := wire.ParseCarriedAnswers([]byte(p.opens(to)), desk().ID, p.hub.QRKeys()); err != nil {
		t.Errorf("the PC cannot read the answer: %v", err)
	}
}
