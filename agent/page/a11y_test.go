package page_test

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// scenes are all states in which the desk is looked at.
func scenes() []scene {
	return []scene{online, offline, conflict, empty, refused, scanned, unenrolled, clockLost, demoOf, doorway, guests, signedOut, signedIn}
}

// opened sets a scene before the browser.
func (s scene) opened(t *testing.T, by *browser) *browser {
	t.Helper()
	c := s.set(t)
	serve := c.serve
	if s.serve != nil {
		serve = func(hosts ...string) http.Handler { return s.serve(c, hosts...) }
	}
	return c.before(by.ctx, serve)
}

// comes to a page of the scene.
func (b *browser) comes(l look) {
	b.Helper()
	path := strings.NewReplacer("q=QR", "q="+b.qr(b.key, 1, 1, "5555EEEE", "R11", "13:20"),
		"q=ELSEWHERE", "q="+b.qr(b.key, 1, 2, "5555EEEE", "R11", "13:20")).Replace(l.path)
	b.goes(path)
	if l.form != "" {
		b.sends(l.form, l.fill)
	}
	if l.shows != "" && ask[string](b, `document.documentElement.lang`) == "ro" {
		b.sees(l.shows)
	}
	ask[*string](b, `checks.unfold()`)
}

// sends a form past the browser's own checks, so that the desk must answer.
func (b *browser) sends(action string, fill map[string]string) {
	b.Helper()
	for field, value := range fill {
		ask[int](b, fmt.Sprintf(`((value, es) => es.map(e => /radio|checkbox/.test(e.type) ? e.checked = e.value === value : e.value = value).length)
			(%q, [...document.querySelectorAll('form[action=%q] [name=%q]')])`, value, action, field))
	}
	b.leaves(fmt.Sprintf(`document.querySelector('form[action=%q]').submit()`, action))
}

// leaves runs a script that leads to another page, and waits for that.
func (b *browser) leaves(script string) {
	b.Helper()
	ask[bool](b, `window.old = true`)
	ask[bool](b, `(() => { `+script+`; return true })()`)
	b.polls(`!window.old`)
}

// Every page, in every state, in light, dark and forced colours, holds what
// WCAG 2.2 AA asks as far as axe-core can see it; and what it cannot see: rings
// that show where the keyboard stands and are not covered, errors that stand at
// their fields, targets that can be
// hit, words that stay whole.
func TestPagesAreAccessible(t *testing.T) {
	by := atOneBrowser(t)
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			b := s.opened(t, by)
			open := map[string][]string{}
			for _, l := range s.looks {
				b.comes(l)
				b.presses(kb.Tab) // rings are shown to whoever uses the keyboard
				b.tells(l.name, append(b.faults("frame"), b.faults("errors")...))
				for _, scheme := range []string{"light", "dark", "forced"} {
					b.wears(scheme)
					b.tells(l.name+", "+scheme, append(b.faults("rings"), b.faults("plated")...))
					r := b.axe()
					b.tells(l.name+", "+scheme, r.Broken)
					for _, f := range r.Open {
						open[f] = append(open[f], l.name+" "+scheme)
					}
				}
				b.wears("light")
			}
			for _, f := range slices.Sorted(maps.Keys(open)) {
				b.Logf("axe-core leaves to a person: %s (%s)", f, strings.Join(open[f], ", "))
			}
		})
	}
}

// tells each fault of a page once.
func (b *browser) tells(where string, faults []string) {
	b.Helper()
	slices.Sort(faults)
	for _, f := range slices.Compact(faults) {
		b.Errorf("%s: %s", where, f)
	}
}

// Every page fits a screen of 320 px and the one of an old office PC, with the
// browser's distances between letters, words and lines and with those of WCAG
// 1.4.12: nothing scrolls sideways, is cut off, leaves its box or lies over
// something else, and all can be hit.
func TestPagesFit(t *testing.T) {
	by := atOneBrowser(t)
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) { s.opened(t, by).fit(s.looks) })
	}
}

// So they do in the other languages, whose words are longer.
func TestPagesFitInOtherLanguages(t *testing.T) {
	by := atOneBrowser(t)
	for _, lang := range []string{"hu", "en"} {
		for _, s := range []scene{online, conflict, refused} {
			t.Run(lang+"/"+s.name, func(t *testing.T) {
				b := s.opened(t, by)
				b.speaks(lang)
				b.fit(s.looks)
			})
		}
	}
}

func (b *browser) fit(looks []look) {
	b.Helper()
	for _, l := range looks {
		b.comes(l)
		for _, px := range []int64{1366, 320} {
			b.wide(px)
			b.tells(fmt.Sprintf("%s at %d", l.name, px), b.faults("targets"))
			for _, spaced := range []bool{false, true} {
				ask[*string](b, fmt.Sprintf(`checks.spaced(%v)`, spaced))
				b.tells(fmt.Sprintf("%s at %d, spaced %v", l.name, px, spaced), append(b.faults("reflow"), b.faults("legible")...))
			}
			ask[*string](b, `checks.spaced(false)`)
		}
	}
}

// Tab reaches every control of every page, in the order of the document, and
// is trapped nowhere.
func TestTabReachesEverything(t *testing.T) {
	by := atOneBrowser(t)
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			b := s.opened(t, by)
			for _, l := range s.looks {
				b.comes(l)
				n := ask[int](b, `checks.watch()`)
				b.presses(strings.Repeat(kb.Tab, n))
				b.tells(l.name, b.faults("walked"))
			}
		})
	}
}

// Who has several pages open tells them apart by their titles.
func TestTitlesDiffer(t *testing.T) {
	c := fullDay(t)
	seen := map[string]string{}
	for _, l := range online.looks {
		if strings.HasPrefix(l.name, "cauta-") || l.name == "cod-ministerial" {
			continue // the same page with other answers
		}
		_, rest, _ := strings.Cut(c.open(l.path).Body.String(), "<title>")
		title, _, _ := strings.Cut(rest, "</title>")
		if was, ok := seen[title]; ok || title == "" {
			t.Errorf("%s and %s have the title %q", l.name, was, title)
		}
		seen[title] = l.name
	}
}

// Pictures of every page, for people to look at: CONDICA_SHOTS names the folder,
// CONDICA_SHOTS_LANG the language.
func TestPictures(t *testing.T) {
	dir := os.Getenv("CONDICA_SHOTS")
	if dir == "" {
		t.Skip("CONDICA_SHOTS names no folder for pictures")
	}
	by := atOneBrowser(t)
	for _, s := range scenes() {
		t.Run(s.name, func(t *testing.T) {
			b := s.opened(t, by)
			for _, l := range s.looks {
				if lang := os.Getenv("CONDICA_SHOTS_LANG"); lang != "" {
					b.speaks(lang) // signing in may change it
				}
				b.comes(l)
				b.pictures(filepath.Join(dir, s.name+"-"+l.name))
			}
		})
	}
}

func (b *browser) pictures(file string) {
	b.Helper()
	for _, p := range []struct {
		name, scheme string
		px           int64
	}{{"light", "light", 1366}, {"dark", "dark", 1366}, {"forced", "forced", 1366}, {"320", "light", 320}} {
		b.wears(p.scheme)
		b.wide(p.px)
		png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
		b.must(err)
		b.must(os.WriteFile(file+"-"+p.name+".png", png, 0o600))
	}
	b.wears("light")
	b.wide(1366)
}

// speaks makes the pages come in a language, until the test is over: all scenes
// share the browser and its cookies.
func (b *browser) speaks(lang string) {
	b.Helper()
	b.Cleanup(func() { b.must(command(b.ctx, network.ClearBrowserCookies, cdp.Empty{})) })
	b.must(command(b.ctx, network.SetCookie, network.SetCookieParams{Name: "condica-limba", Value: lang, URL: b.url, Path: "/"}))
}
