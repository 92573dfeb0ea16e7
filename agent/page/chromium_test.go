package page_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"condica/spclep"
	"condica/sync/link"
)

// A browser is Chromium at the desk, driven by its keyboard.
type browser struct {
	*counter
	ctx context.Context
	url string
}

// sits puts a browser before the counter. CONDICA_REAL=1 makes its absence a
// failure.
func (c *counter) sits() *browser {
	c.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CONDICA_REAL") == "1" {
			c.Fatal("chromium is not installed, and CONDICA_REAL=1 asks for it")
		}
		c.Skip("chromium is not installed: the desk was not tried in a real browser")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	c.must(err)
	server := &httptest.Server{Listener: ln, Config: &http.Server{Handler: c.serve(ln.Addr().String())}}
	server.Start()
	c.Cleanup(server.Close)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(profile(c.T)), chromedp.WindowSize(1366, 768),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-dev-shm-usage", true))
	alloc, stop := chromedp.NewExecAllocator(c.Context(), options...)
	c.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	c.Cleanup(cancel)
	b := &browser{c, ctx, server.URL}
	b.goes("/")
	return b
}

// ask runs a script in the page and gives what it says.
func ask[T any](b *browser, script string) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		b.Fatalf("%s: %v", script, err)
	}
	return v
}

func (b *browser) goes(path string) {
	b.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.Navigate(b.url+path)))
}

// patience is how long a page may take to come. It is a net below the stories,
// far beyond what they need, and none of them is about it.
const patience = 2 * time.Minute

// polls asks a page that is all there whether a script's answer is yes, until it
// is. A question that meets a page on its way out is put to the next one. It needs
// no script in the page itself.
func (b *browser) polls(script string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond) // no more often: the browser needs the processor
	defer look.Stop()
	for ; ctx.Err() == nil; <-look.C {
		if yes, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`document.readyState === "complete" && !!(`+script+`)`)); err == nil && yes {
			return
		}
	}
	b.Fatalf("the page never came to %s:\n%s", script, ask[string](b, `document.body.innerText`))
}

// sees waits until the page says something that the one before did not.
func (b *browser) sees(text string) {
	b.Helper()
	b.polls(fmt.Sprintf(`document.body.innerText.includes(%q)`, text))
}

// turns presses keys that lead to another page, and waits until that one says
// something, which this one may say too. What is pressed next meets the new page.
func (b *browser) turns(keys, text string) {
	b.Helper()
	ask[bool](b, `window.old = true`)
	b.presses(keys)
	b.polls(fmt.Sprintf(`!window.old && document.body.innerText.includes(%q)`, text))
}

// presses sends keys to whatever has the focus.
func (b *browser) presses(keys string) {
	b.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.KeyEvent(keys)))
}

// focuses puts the focus on one element.
func (b *browser) focuses(css string) {
	b.Helper()
	if !ask[bool](b, fmt.Sprintf(`(e => { e && e.focus(); return !!e })(document.querySelector(%q))`, css)) {
		b.Fatalf("the page has no %s", css)
	}
}

// shot saves a picture of the page where CONDICA_SHOTS says.
func (b *browser) shot(name string) {
	b.Helper()
	dir := os.Getenv("CONDICA_SHOTS")
	if dir == "" {
		return
	}
	for _, look := range []struct {
		name, scheme string
		width        int64
	}{{"light", "light", 1366}, {"dark", "dark", 1366}, {"320", "light", 320}} {
		b.look(look.scheme, look.width)
		png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		b.must(err)
		b.must(os.WriteFile(filepath.Join(dir, name+"-"+look.name+".png"), png, 0o600))
	}
	b.look("light", 1366)
}

// look sets the colours and the width of the screen.
func (b *browser) look(scheme string, width int64) {
	b.Helper()
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	b.must(chromedp.Do(b.ctx, chromedp.EmulateViewport(width, 768), chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, media)
		return err
	})))
}

// fits fails on a page that must be scrolled sideways on a screen of 320.
func (b *browser) fits(paths ...string) {
	b.Helper()
	b.look("light", 320)
	for _, path := range paths {
		b.goes(path)
		if wide := ask[int](b, `document.documentElement.scrollWidth`); wide > 320 {
			b.Errorf("%s is %d wide on a screen of 320: %s", path, wide, ask[string](b, wider))
		}
	}
	b.look("light", 1366)
}

// wider is the first thing that sticks out of a screen of 320.
const wider = `[...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > 321 &&
	!e.closest(".out, .skip, thead")).map(e => e.outerHTML.slice(0, 160))[0] || ""`

// small finds what can be pressed and is smaller than 24 by 24.
const small = `[...document.querySelectorAll("button, input:not([type=hidden]), select, summary, nav a, .button, .who a")].filter(e => {
	const t = e.closest("label") || e, r = t.getBoundingClientRect();
	return e.offsetParent && (r.width < 24 || r.height < 24);
}).map(e => e.outerHTML.slice(0, 120))`

// boxes are all ticks of papers but "not applicable".
const boxes = `document.querySelectorAll(".papers input[type=checkbox]:not([value=not-applicable])")`

// The main way by keyboard alone, in a real browser, with the scanner typing
// into whatever has the focus.
func TestTheMainWayByKeyboard(t *testing.T) {
	c := at(t, "13:05")
	for i, p := range []struct {
		name   string
		reason spclep.Reason
		clock  string
	}{
		{"Țintă Ștefan", "R01", "09:00"}, {"Szűcs-Minta Ernő", "R11", "09:20"}, {"Pârvu-Exemplu Șerban-Alexandru", "R08", "09:40"},
		{"Példa Réka", "R02", "10:00"}, {"Probă Ilinca", "R14", "10:20"}, {"Minta Ödön", "R07", "13:00"},
	} {
		c.books(spclep.BookingID(fmt.Sprintf("2222AAA%c", 'A'+i)), p.name, p.reason, monday, p.clock)
	}
	c.elsewhere("Radu", c.wall-7_200_000, "2222AAAA", spclep.Arrived, true, nil)
	c.elsewhere("Radu", c.wall-7_000_000, "2222AAAA", spclep.Filed, true, spclep.FiledValue{Number: "2-00001", Product: "CEI_FIRST", Day: monday, Due: monday + 30, Bundle: 1})
	c.elsewhere("Radu", c.wall-6_000_000, "2222AAAB", spclep.SentAway, true, spclep.SentAwayValue{Ground: spclep.GroundNoShow})
	b := c.sits()

	// F3 finds the next who waits; F4 is the main button of every page.
	b.sees("6 programări")
	b.shot("zi")
	b.presses(kb.F3)
	b.sees("Pârvu-Exemplu Șerban-Alexandru")
	b.sees("Ce urmează")

	// A scanner types a booking's code without Enter while a field has the focus.
	scan := c.qr(c.key, 1, 1, "2222AAAF", "R07", "13:00")
	b.focuses("#date-note")
	b.presses(scan)
	b.sees("Minta Ödön")
	b.shot("programat")
	b.presses(kb.F4)
	b.sees("Prezența a fost notată")
	b.shot("prezent")

	// Papers by the space bar, then the application.
	for i := range ask[int](b, boxes+`.length`) {
		ask[bool](b, fmt.Sprintf(`(%s[%d].focus(), true)`, boxes, i))
		b.presses(" ")
	}
	b.focuses("#acte-receipt")
	b.turns("CEC 114"+kb.Enter, "Toate actele cerute au fost văzute") // the last tick alone brings these words
	b.presses(kb.F4)
	b.sees("Cererea a fost preluată")
	b.shot("preluat")
	b.turns(kb.F8, "Bon de ridicare")
	b.shot("bon")

	// The slip's code with Enter opens the visit again: card here, card given.
	b.presses(slipOf("2222AAAF") + kb.Enter)
	b.sees("Act sosit")
	b.presses(kb.F4)
	b.sees("Actul a fost notat ca sosit")
	b.shot("sosit")
	b.presses(kb.F4)
	b.sees("Predarea a fost notată")
	b.shot("predat")

	// F2 and two letters.
	b.presses(kb.F2)
	b.presses("re" + kb.Enter)
	b.sees("Példa Réka")
	b.presses(kb.F4)
	b.sees("Prezența a fost notată")
	b.presses(kb.F6)
	b.focuses("[name=temei][value=papers-missing]")
	b.presses(" ")
	ask[int](b, `[...document.querySelectorAll("[name=lipsa]")].filter(e => e.checked = false).length`)
	b.focuses("#trimis-nota")
	b.presses("revine" + kb.Enter)
	b.sees("Alegeți actele care lipsesc.")
	b.shot("refuz")
	if focused := ask[string](b, `document.activeElement.id`); focused != "erori" {
		t.Errorf("after a refusal the focus is on %q, want the error summary", focused)
	}

	// The line is lost: the status line says so by itself, without a reload.
	c.line.is(link.Status{Kind: link.Unreachable, SinceMs: c.reading().Up})
	b.sees("Fără legătură cu centrul din 23.11 13:05")
	b.others(c)
}

// others looks at the pages that the main way does not touch.
func (b *browser) others(c *counter) {
	b.Helper()
	c.open("/vizita/2222AAAE").press("/vizita/2222AAAE/date", map[string][]string{"note": {"vine cu mama"}})
	c.elsewhere("Radu", c.wall+60_000, "2222AAAE", "note", false, "vine cu tata")
	c.elsewhere("Radu", c.wall-60_000, "2222AAAF", spclep.HandedOver, true, spclep.HandedOverValue{To: "holder"})
	pages := map[string]string{
		"zi-2": "/", "conflict": "/vizita/2222AAAE", "alarma": "/vizita/2222AAAF", "cauta": "/cauta?q=er", "identitate": "/cauta?q=https://hub.mai.gov.ro/x",
		"nou": "/cauta?q=" + c.qr(c.key, 1, 1, "5555EEEE", "R11", "13:20"), "fara": "/fara-programare", "ridicari": "/ridicari",
		"coada": "/coada", "conflicte": "/conflicte", "ajutor": "/ajutor", "nimic": "/nimic", "preluata": "/vizita/2222AAAA", "bon": "/vizita/2222AAAA/bon",
	}
	var paths []string
	for name, path := range pages {
		paths = append(paths, path)
		b.goes(path)
		if little := ask[[]string](b, small); len(little) > 0 {
			b.Errorf("%s has targets below 24 px: %q", path, little)
		}
		b.shot(name)
	}
	b.fits(paths...)
	if dir := os.Getenv("CONDICA_SHOTS"); dir != "" {
		b.prints(dir)
	}
}

// prints saves the list and the slip as they go to the printer.
func (b *browser) prints(dir string) {
	b.Helper()
	for name, path := range map[string]string{"zi": "/", "bon": "/vizita/2222AAAA/bon"} {
		b.goes(path)
		b.must(chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
			return err
		})))
		png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		b.must(err)
		b.must(os.WriteFile(filepath.Join(dir, name+"-print.png"), png, 0o600))
	}
}

// Each answer changes the list of papers at once, each tick is saved as it is
// made, and what was typed elsewhere on the page stays. The application waits for
// the last tick.
func TestTheListFollowsTheAnswers(t *testing.T) {
	c := at(t, "09:25")
	c.books("2222AAAA", "Țintă Ștefan", "R01", monday, "09:20")
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
	b := c.sits()
	b.goes("/vizita/2222AAAA")
	b.focuses("#preia-numar")
	b.presses("77-A")
	b.focuses("#raspunsuri-answer\\.civil")
	b.presses("c") // căsătorit(ă)
	b.sees("pentru că: căsătorit(ă)")
	if at := ask[string](b, `document.activeElement.id`); at != "raspunsuri-answer.civil" {
		t.Errorf("after an answer the focus is on %q", at)
	}
	if typed := ask[string](b, `document.getElementById("preia-numar").value`); typed != "77-A" {
		t.Errorf("the number that was typed is %q", typed)
	}
	if said := ask[string](b, `document.getElementById("spus").textContent`); said == "" {
		t.Error("nothing was said of what was saved")
	}
	for i := range ask[int](b, boxes+`.length`) {
		ask[bool](b, fmt.Sprintf(`(%s[%d].focus(), true)`, boxes, i))
		b.presses(" ")
	}
	b.presses(kb.F4) // with the last ticks still on their way
	b.sees("Cererea a fost preluată")
	b.sees("nr. 77-A")
	v, err := c.db.Booking(t.Context(), "2222AAAA")
	c.must(err)
	if v.Answers["civil"] != "married" || len(v.Ticks) < 3 {
		t.Errorf("answers %v, ticks %v", v.Answers, v.Ticks)
	}

	// Ctrl+Z opens the undoing of the last step, with the reason to be written.
	b.presses(kb.Escape)
	b.goes("/vizita/2222AAAA")
	ask[bool](b, `document.dispatchEvent(new KeyboardEvent("keydown", {key: "z", ctrlKey: true, bubbles: true}))`)
	if at := ask[string](b, `document.activeElement.name`); at != "motiv" {
		t.Fatalf("after Ctrl+Z the focus is on %q", at)
	}
	b.presses("greșeală" + kb.Enter)
	b.sees("Pasul a fost anulat")

	// An answer that is chosen by a key counts for the key or the press that follows
	// at once: who is divorced brings one paper more.
	b.focuses("#raspunsuri-answer\\.civil")
	b.turns("d"+kb.F4, "Nu au fost văzute toate actele")
	v, err = c.db.Booking(t.Context(), "2222AAAA")
	c.must(err)
	if v.Answers["civil"] != "divorced" || v.Visit.State != spclep.StateArrived {
		t.Errorf("answers %v, and the visit is %q", v.Answers, v.Visit.State)
	}
	b.focuses("#raspunsuri-answer\\.civil")
	b.presses("c")
	ask[bool](b, `(e => {
		for (const type of ["pointerdown", "pointerup"]) e.dispatchEvent(new PointerEvent(type, {bubbles: true}));
		e.click();
		return true;
	})(document.querySelector('form[action$="/preia"] button.main'))`) // wherever on the screen it stands by then
	b.sees("Cererea a fost preluată")
}
