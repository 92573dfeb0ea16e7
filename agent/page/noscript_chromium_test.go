package page_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp/kb"

	"condica/sync/link"
)

// tabsTo presses Tab until the focus is on an element.
func (b *browser) tabsTo(css string) {
	b.Helper()
	for range 200 {
		b.presses(kb.Tab)
		if ask[bool](b, fmt.Sprintf(`document.activeElement.matches(%q)`, css)) {
			return
		}
	}
	b.Fatalf("Tab never comes to %s", css)
}

// Without any script the clerk takes a person through the whole visit by the
// keyboard: found in the list, present, papers, application, slip. Nothing is
// offered that only a script can do.
func TestAVisitWithoutScripts(t *testing.T) {
	by := atOneBrowser(t)
	b := online.opened(t, by)
	b.must(command(b.ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}))
	b.goes("/")
	b.sees("9 programări")
	if ask[bool](b, `document.documentElement.classList.contains("js")`) {
		t.Fatal("the page's script runs though scripts are off")
	}
	b.tabsTo(`.rows a[href="/vizita/2222AAAA"]`)
	b.presses(kb.Enter)
	b.sees("Ce urmează")
	b.tabsTo(`form[action$="/prezent"] button`)
	b.presses(kb.Enter)
	b.sees("Prezența a fost notată")

	boxes := ask[int](b, `document.querySelectorAll(".papers input[type=checkbox]:not([value=not-applicable])").length`)
	if boxes == 0 {
		t.Fatal("no paper is asked for")
	}
	for range boxes {
		b.tabsTo(`.papers input[type=checkbox]:not([value=not-applicable]):not(:checked)`)
		b.presses(" ")
	}
	b.tabsTo("#acte-receipt")
	b.presses("CEC 114" + kb.Enter)
	b.sees("Toate actele cerute au fost văzute")
	b.tabsTo(`form[action$="/preia"] button`)
	b.presses(kb.Enter)
	b.sees("Cererea a fost preluată")
	for _, page := range []string{"", "/bon"} {
		if page != "" {
			b.tabsTo(`a[href$="/bon"]`)
			b.turns(kb.Enter, "Bon de ridicare")
		}
		if idle := ask[[]string](b, `[...document.querySelectorAll("[data-print], kbd")].filter(e => e.checkVisibility()).map(e => e.outerHTML)`); len(idle) > 0 {
			t.Errorf("the page offers without a script: %q", idle)
		}
	}
	b.sees("Țintă Ștefan")
}

// The line is lost while the clerk types: the status line, which a screen
// reader follows, says so by itself. What is being typed and where stays.
func TestTheLineIsAnnounced(t *testing.T) {
	by := atOneBrowser(t)
	b := online.opened(t, by)
	b.goes("/vizita/2222AAAA")
	b.focuses("#date-note")
	b.presses("vine cu ma")
	ask[bool](b, `(window.region = document.querySelector("[role=status] .status").closest("[role=status]"), window.region.live = true)`)
	b.line.is(link.Status{Kind: link.Unreachable, SinceMs: b.reading().Up})
	b.sees("Fără legătură cu centrul")
	b.presses("ma")
	for what, script := range map[string]string{
		"the region that says it is not the one that was there": `document.contains(region) && region.innerText.includes("Fără legătură cu centrul")`,
		"the region is not told to be read out":                 `region.getAttribute("aria-live") !== "off" && !region.closest("[aria-hidden=true], [hidden]")`,
		"the focus has moved":                                   `document.activeElement.id === "date-note"`,
		"what was being typed is lost":                          `document.activeElement.value === "vine cu mama"`,
	} {
		if !ask[bool](b, script) {
			t.Error(what)
		}
	}
}
