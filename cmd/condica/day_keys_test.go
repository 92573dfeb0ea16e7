package main

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// reads reads something off the page.
func reads[T any](s *seat, script string) T {
	s.Helper()
	v, err := chromedp.Run(s.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		s.Fatalf("%s: %s: %v", s.name, script, err)
	}
	return v
}

// presses sends keys to whatever has the focus.
func (s *seat) presses(keys string) {
	s.Helper()
	s.must(chromedp.Do(s.ctx, chromedp.KeyEvent(keys)))
}

// sees waits until the page says something and is at rest.
func (s *seat) sees(text string) {
	s.Helper()
	s.waits(fmt.Sprintf("said %q", text), func(said, _ string) bool { return strings.Contains(said, text) })
}

// turns presses a key that brings another page, or this one anew, and waits for
// that: what is pressed next meets the new one.
func (s *seat) turns(key string) {
	s.Helper()
	reads[bool](s, `window.old = true`)
	s.presses(key)
	s.waits("was there anew", func(string, string) bool { return true })
}

// waitsFor waits until a field has the focus.
func (s *seat) waitsFor(id string) {
	s.Helper()
	s.waits("put the focus on "+id, func(_, focus string) bool { return focus == id })
}

// waits asks the page for its text and for what has the focus, until it is as
// expected.
func (s *seat) waits(what string, ok func(said, focus string) bool) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond) // no more often: the browser needs the processor
	defer look.Stop()
	var last []string
	for ; ctx.Err() == nil; <-look.C {
		page, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`document.readyState === "complete" && !window.old ? [document.body.innerText, document.activeElement.id] : []`))
		if err != nil || len(page) == 0 {
			continue // it is on the way to the next one
		}
		if last = page; ok(page[0], page[1]) {
			return
		}
	}
	s.Fatalf("%s, %s: the page never %s:\n%q", s.name, s.clock.Wall().In(s.zone).Format("15:04"), what, last)
}

// tabsTo presses Tab until the focus is on an element.
func (s *seat) tabsTo(css string) {
	s.Helper()
	for range 200 {
		s.presses(kb.Tab)
		if reads[bool](s, fmt.Sprintf(`document.activeElement.matches(%q)`, css)) {
			return
		}
	}
	s.Fatalf("%s: Tab never comes to %s", s.name, css)
}

// scans holds a code under the scanner, which types it into whatever has the
// focus; every third scanner sends no Enter, and Caps Lock is on at every other.
// A key is pressed as a keyboard presses it: what the page declines on the way
// down types nothing.
func (s *seat) scans(text string, n int) {
	s.Helper()
	if n%2 == 1 {
		text = strings.ToLower(text)
	}
	var keys []input.DispatchKeyEventParams
	for _, r := range text {
		keys = append(keys, input.DispatchKeyEventParams{Key: string(r), Text: string(r), WindowsVirtualKeyCode: int64(unicode.ToUpper(r))})
	}
	if n%3 > 0 {
		keys = append(keys, input.DispatchKeyEventParams{Key: "Enter", Code: "Enter", Text: "\r", WindowsVirtualKeyCode: 13})
	}
	s.must(chromedp.Do(s.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, k := range keys {
			for _, k.Type = range []input.DispatchKeyEventType{input.DispatchKeyEventTypeKeyDown, input.DispatchKeyEventTypeKeyUp} {
				if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, k); err != nil {
					return err
				}
				k.Text = "" // nothing is typed on the way up
			}
		}
		return nil
	})))
}

// ticked waits until a tick has reached the disk, and the page that follows from
// it is there.
func (s *seat) ticked() {
	s.Helper()
	until(s.T, "the tick is saved", func() bool {
		return reads[bool](s, `[...document.querySelectorAll(".papers input:checked")].every(e => e.defaultChecked)`)
	})
}
