package page_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// axePath is where make setup puts the accessibility rules.
const axePath = "../../bin/axe/node_modules/axe-core/axe.min.js"

// lacks ends a story for want of a real part.
func lacks(t *testing.T, part string) {
	t.Helper()
	if os.Getenv("CONDICA_REAL") == "1" {
		t.Fatalf("%s is missing, and CONDICA_REAL=1 asks for it; make setup fetches it", part)
	}
	t.Skipf("%s is missing: the pages were not looked at in a real browser; make setup fetches it", part)
}

// rules reads axe-core, in the version that the lock names.
func rules(t *testing.T) string {
	t.Helper()
	var lock struct {
		Packages map[string]struct{ Version string }
	}
	text, err := os.ReadFile("testdata/axe/package-lock.json")
	if err == nil {
		err = json.Unmarshal(text, &lock)
	}
	if err != nil {
		t.Fatal(err)
	}
	var here struct{ Version string }
	if text, err := os.ReadFile(filepath.Join(filepath.Dir(axePath), "package.json")); err == nil {
		err = json.Unmarshal(text, &here)
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := lock.Packages["node_modules/axe-core"].Version; here.Version != want {
		lacks(t, "axe-core "+want)
	}
	script, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// chromium starts a browser for many counters, one after the other. The scripts
// are in every page before its own.
func chromium(t *testing.T, scripts ...string) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		lacks(t, "chromium")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(profile(t)), chromedp.WindowSize(1366, 768), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-dev-shm-usage", true))
	alloc, stop := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	err = chromedp.Do(ctx, chromedp.Navigate("about:blank"))
	for _, s := range scripts {
		if err == nil {
			err = command(ctx, cdppage.AddScriptToEvaluateOnNewDocument, cdppage.AddScriptToEvaluateOnNewDocumentParams{Source: s})
		}
	}
	if err != nil {
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

// command sends one command of the browser's protocol.
func command[P, R any](ctx context.Context, c cdp.Command[P, R], params P) error {
	return chromedp.Do(ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	}))
}

// before puts a browser that runs already before this counter.
func (c *counter) before(ctx context.Context, serve func(hosts ...string) http.Handler) *browser {
	c.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	c.must(err)
	server := &httptest.Server{Listener: ln, Config: &http.Server{Handler: serve(ln.Addr().String())}}
	server.Start()
	c.Cleanup(server.Close)
	return &browser{c, ctx, server.URL}
}

// schemes are the colours in which every page is looked at.
var schemes = map[string][]*emulation.MediaFeature{
	"light":  {{Name: "prefers-color-scheme", Value: "light"}, {Name: "forced-colors", Value: "none"}},
	"dark":   {{Name: "prefers-color-scheme", Value: "dark"}, {Name: "forced-colors", Value: "none"}},
	"forced": {{Name: "prefers-color-scheme", Value: "dark"}, {Name: "forced-colors", Value: "active"}},
}

// wears sets the colours of the screen.
func (b *browser) wears(scheme string) {
	b.Helper()
	b.must(command(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: schemes[scheme]}))
}

// wide sets the width of the screen in CSS pixels.
func (b *browser) wide(px int64) {
	b.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(px, 768)))
}

// axeFindings are the rules that a page breaks and those that axe-core could not
// decide, each with its element.
type axeFindings struct{ Broken, Open []string }

const runAxe = `axe.run(document, {
	runOnly: {type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}, resultTypes: ["violations", "incomplete"],
}).then(r => {
	const say = n => n.any.concat(n.all, n.none).map(c => c.message).join("; ") + ": " + n.html.replace(/\s+/g, " ").slice(0, 130);
	const list = l => l.flatMap(f => f.nodes.map(n => f.id + ": " + say(n)));
	return {Broken: list(r.violations), Open: list(r.incomplete)};
})`

// axe holds the page against axe-core's rules of WCAG 2.2 AA.
func (b *browser) axe() axeFindings {
	b.Helper()
	r, err := chromedp.Run(b.ctx, chromedp.Evaluate[axeFindings](runAxe, chromedp.EvalAwaitPromise))
	b.must(err)
	return r
}

// faults runs one of our own checks.
func (b *browser) faults(check string) []string {
	b.Helper()
	return ask[[]string](b, "checks."+check+"()")
}

// atOneBrowser starts the browser in which all scenes are looked at.
func atOneBrowser(t *testing.T) *browser {
	t.Helper()
	own, err := os.ReadFile("testdata/checks.js")
	if err != nil {
		t.Fatal(err)
	}
	return &browser{ctx: chromium(t, rules(t), string(own))}
}
