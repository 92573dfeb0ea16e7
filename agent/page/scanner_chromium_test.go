package page_test

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// A layout is what an office PC makes of the keys of a scanner that believes in
// a US keyboard: the keys that give something else than there, plain and with
// Shift, by the name of the key.
type layout map[string][2]string

// The layouts of the offices' PCs (xkb-data: ro winkeys is the programmers', ro
// std the standard's, ro_legacy the old QWERTZ one).
var layouts = map[string]layout{
	"US":             {},
	"RO programmers": {},
	"RO standard": {"BracketLeft": {"ă", "Ă"}, "BracketRight": {"î", "Î"}, "Semicolon": {"ș", "Ș"}, "Quote": {"ț", "Ț"}, "Backslash": {"â", "Â"},
		"Backquote": {"„", "”"}},
	"RO legacy": {"KeyY": {"z", "Z"}, "KeyZ": {"y", "Y"}, "BracketLeft": {"ă", "Ă"}, "BracketRight": {"î", "Î"}, "Semicolon": {"ş", "Ş"}, "Quote": {"ţ", "Ţ"},
		"Backslash": {"â", "Â"}, "Minus": {"+", "?"}, "Equal": {"'", "*"}, "Slash": {"-", "_"}},
	"HU": {"KeyY": {"z", "Z"}, "KeyZ": {"y", "Y"}, "Digit0": {"ö", "Ö"}, "Minus": {"ü", "Ü"}, "Equal": {"ó", "Ó"}, "BracketLeft": {"ő", "Ő"},
		"BracketRight": {"ú", "Ú"}, "Semicolon": {"é", "É"}, "Quote": {"á", "Á"}, "Backslash": {"ű", "Ű"}, "Slash": {"-", "_"}, "Backquote": {"0", "§"}},
}

// A scanner types what it reads, key by key.
type scanner struct {
	layout layout
	caps   bool          // Caps Lock is on
	pace   time.Duration // from key to key
	stall  time.Duration // once, in the middle of the code
	end    string        // the key after the code: "Enter", "Tab" or none
}

// types is what a letter or digit of the code becomes on this PC: the scanner
// presses the key that has it on a US keyboard, with Shift for a capital.
func (s scanner) types(symbol rune) input.DispatchKeyEventParams {
	p := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Code: "Key" + string(unicode.ToUpper(symbol)), WindowsVirtualKeyCode: int64(unicode.ToUpper(symbol))}
	shift := unicode.IsUpper(symbol)
	if unicode.IsDigit(symbol) {
		p.Code = "Digit" + string(symbol)
	}
	text := string(symbol)
	if odd, ok := s.layout[p.Code]; ok {
		text = odd[0]
		if shift {
			text = odd[1]
		}
	}
	if shift {
		p.Modifiers = int64(chromedp.ModifierShift)
	}
	if r := []rune(text)[0]; s.caps && unicode.IsUpper(r) {
		text = strings.ToLower(text)
	} else if s.caps && unicode.IsLower(r) {
		text = strings.ToUpper(text)
	}
	p.Key, p.Text = text, text
	return p
}

// scans holds a code under the scanner.
func (b *browser) scans(s scanner, code string) {
	b.Helper()
	keys := make([]input.DispatchKeyEventParams, 0, len(code)+1)
	for _, symbol := range code {
		keys = append(keys, s.types(symbol))
	}
	if s.end != "" {
		keys = append(keys, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: s.end, Code: s.end,
			WindowsVirtualKeyCode: map[string]int64{"Enter": 13, "Tab": 9}[s.end], Text: map[string]string{"Enter": "\r"}[s.end]})
	}
	b.must(chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for i, down := range keys {
			if s.stall > 0 && i == len(code)/2 {
				<-time.After(s.stall)
			}
			up := down
			up.Type, up.Text = input.DispatchKeyEventTypeKeyUp, ""
			for _, k := range []input.DispatchKeyEventParams{down, up} {
				if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, k); err != nil {
					return err
				}
			}
			if s.pace > 0 {
				<-time.After(s.pace) // the scanner's own speed, which must not matter
			}
		}
		return nil
	})))
}

// Whatever the keyboard's layout, with Caps Lock or without, as fast or slow as
// scanners are, ending with Enter, Tab or nothing: the code of a booking or slip
// opens the visit, wherever the focus is, and nothing of it stays behind.
func TestScannersOfEveryOffice(t *testing.T) {
	c := at(t, "13:05")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "13:00")
	c.books("3333BBBB", "Minta Ödön", "R08", monday, "13:20")
	booking, slip := c.qr(c.key, 1, 1, "3333BBBB", "R08", "13:20"), slipOf("3333BBBB")
	b := c.before(chromium(t), c.serve)
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/raspunsuri", url.Values{"answer.address_proof": {"land-extract"}, "answer.civil": {"single"}})
	before, err := c.db.Booking(t.Context(), "2222AAAA")
	c.must(err)
	b.goes("/vizita/2222AAAA")
	spots := ask[[]string](b, `["body", "#q", "#date-note", "#acte-receipt", "#acte-land-extract", "#date-reason", "#date button", ".yesno input", ".papers input[type=checkbox]"]
		.concat([...document.querySelectorAll("[id^=raspunsuri-]:is(select, input)")].map(e => "#" + CSS.escape(e.id))).filter(s => document.querySelector(s))`)
	try := func(s scanner, name, code string) {
		spot := spots[0]
		spots = append(spots[1:], spot)
		b.goes("/vizita/2222AAAA")
		b.focuses(spot)
		b.scans(s, code)
		b.arrives("Minta Ödön", fmt.Sprintf("%s, caps %v, %v a key, end %q, focus on %s", name, s.caps, s.pace, s.end, spot))
	}
	paces := []time.Duration{time.Millisecond, 5 * time.Millisecond, 15 * time.Millisecond, 30 * time.Millisecond}
	for _, name := range slices.Sorted(maps.Keys(layouts)) {
		for i, end := range []string{"Enter", "Tab", ""} {
			try(scanner{layout: layouts[name], end: end}, name, booking)
			try(scanner{layout: layouts[name], caps: true, end: end}, name, booking)
			try(scanner{layout: layouts[name], caps: i == 1, pace: paces[0], end: end}, name, slip)
			paces = append(paces[1:], paces[0])
		}
	}
	for _, end := range []string{"Enter", ""} { // the long code at its slowest takes four seconds
		try(scanner{layout: layouts["HU"], caps: true, pace: 30 * time.Millisecond, end: end}, "HU", booking)
	}
	for _, code := range []string{booking, slip} { // a busy PC keeps the keys back for a moment, in a list where the first has chosen already
		spots = append([]string{`[id="raspunsuri-answer.civil"]`}, spots...)
		try(scanner{stall: 600 * time.Millisecond}, "US, with a stall", code)
		spots = spots[:len(spots)-1]
	}
	after, err := c.db.Booking(t.Context(), "2222AAAA")
	c.must(err)
	if len(after.History) != len(before.History) {
		t.Errorf("the scans were taken for %d answers of the visit that was open: %+v", len(after.History)-len(before.History), after.Fields)
	}
}

// arrives waits until the visit of a person is open.
func (b *browser) arrives(name, how string) {
	b.Helper()
	defer func() {
		if b.Failed() {
			b.Log(how)
		}
	}()
	b.polls(fmt.Sprintf(`document.querySelector("main h1")?.textContent === %q`, name))
}
