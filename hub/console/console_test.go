package console_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"condica/hub"
	"condica/hub/console"
	"condica/hub/store/memory"
	"condica/spclep"
)

// An it is the person of central IT at the console.
type it struct {
	t     *testing.T
	hub   *hub.Server
	pages http.Handler
}

type button struct{ down bool }

func (b *button) Cut()       { b.down = true }
func (b *button) Restore()   { b.down = false }
func (b *button) Down() bool { return b.down }

func newIT(t *testing.T, line console.Line) *it {
	t.Helper()
	ref, err := spclep.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC).UnixMilli()
	h, err := hub.New(context.Background(), hub.Config{Store: memory.New(), Now: func() int64 { return now }, Reference: ref})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	pages, err := console.New(h, line)
	if err != nil {
		t.Fatal(err)
	}
	return &it{t, h, pages}
}

func (p *it) does(r *http.Request) (int, string, http.Header) {
	p.t.Helper()
	r.Host = "127.0.0.1:8080"
	w := httptest.NewRecorder()
	p.pages.ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header()
}

func (p *it) opens(path string) string {
	p.t.Helper()
	status, body, header := p.does(httptest.NewRequest(http.MethodGet, path, nil))
	if status != http.StatusOK {
		p.t.Fatalf("%s: %d\n%s", path, status, body)
	}
	if csp := header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		p.t.Errorf("%s: policy %q", path, csp)
	}
	if strings.Contains(body, "<script") || strings.Contains(body, " style=") || strings.Contains(body, "ZgotmplZ") {
		p.t.Errorf("%s holds a script, an inline style or a blocked value", path)
	}
	return body
}

func (p *it) sends(path string, form url.Values) (int, string, http.Header) {
	p.t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.does(r)
}

func wants(t *testing.T, body string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(body, part) {
			t.Errorf("the page lacks %q:\n%s", part, body)
		}
	}
}

var freeSlot = regexp.MustCompile(`name="at" value="([0-9:]{5})"`)

// IT opens the list, an office, a day; books a free hour; sees the booking with
// its QR; the hour is no longer offered.
func TestBookByHand(t *testing.T) {
	p := newIT(t, nil)
	wants(t, p.opens("/"), "SPCLEP Covasna", "SPCLEP Botoșani", "niciodată")
	day := p.hub.Reference.NextWorkingDay("covasna", p.hub.Today().Add(7))
	page := p.opens("/office/covasna?day=" + day.String())
	wants(t, page, "Programări în "+day.RO(), "Nicio programare", "Niciun PC")
	slot := freeSlot.FindStringSubmatch(page)
	if slot == nil {
		t.Fatalf("no free hour on %s:\n%s", day, page)
	}
	form := url.Values{"day": {day.String()}, "at": {slot[1]}, "reason": {"R05"}, "name": {"Ana <b>Pârvu</b>"}, "email": {"ana@example.ro"}, "consent": {"yes"}}
	status, body, header := p.sends("/office/covasna", form)
	to := header.Get("Location")
	if status != http.StatusSeeOther || !strings.HasPrefix(to, "/booking/covasna/") {
		t.Fatalf("booking: %d to %q\n%s", status, to, body)
	}
	booking := p.opens(to)
	wants(t, booking, "Ana &lt;b&gt;Pârvu&lt;/b&gt;", "programat", day.RO(), slot[1], "<svg ", "CDB2", strings.TrimPrefix(to, "/booking/covasna/"), "primit")
	page = p.opens("/office/covasna?day=" + day.String())
	wants(t, page, "Ana &lt;b&gt;", "programat")
	if strings.Contains(page, `value="`+slot[1]+`" required`) {
		t.Errorf("the hour %s is still offered", slot[1])
	}
	wants(t, p.opens("/office/covasna/log"), to, "programare", "primit")
}

// What the rules refuse comes back as the form, with the reason in Romanian
// and what had been typed.
func TestRefusedForm(t *testing.T) {
	p := newIT(t, nil)
	day := p.hub.Reference.NextWorkingDay("covasna", p.hub.Today().Add(7))
	slots, err := p.hub.Reference.Slots("covasna", day)
	if err != nil || len(slots) == 0 {
		t.Fatal(slots, err)
	}
	form := url.Values{"day": {day.String()}, "at": {slots[0].String()}, "reason": {"R05"}, "name": {"Ana Model"}, "email": {"ana@example.ro"}}
	status, body, _ := p.sends("/office/covasna", form) // without the tick
	if status != http.StatusUnprocessableEntity {
		t.Errorf("status %d", status)
	}
	wants(t, body, `role="alert"`, "(B26)", `value="Ana Model"`, `value="ana@example.ro"`, `value="`+slots[0].String()+`" required checked`)
	form.Set("at", "")
	status, body, _ = p.sends("/office/covasna", form)
	if status != http.StatusUnprocessableEntity {
		t.Errorf("without an hour: %d", status)
	}
	wants(t, body, "Alegeți o oră liberă")
	if heads, err := p.hub.Store.Heads(t.Context()); err != nil || len(heads) != 0 {
		t.Errorf("a refused form left edits: %v, %v", heads, err)
	}
}

// Pages that are not there say so, in Romanian.
func TestNotThere(t *testing.T) {
	p := newIT(t, nil)
	for _, path := range []string{"/nimic", "/office/nicaieri", "/office/covasna?day=31.12.2026", "/booking/covasna/x", "/booking/covasna/BKNG2345", "/office/nicaieri/log"} {
		status, body, _ := p.does(httptest.NewRequest(http.MethodGet, path, nil))
		if status != http.StatusNotFound || !strings.Contains(body, "nu ") {
			t.Errorf("%s: %d\n%s", path, status, body)
		}
	}
	if status, _, _ := p.sends("/line", url.Values{"do": {"cut"}}); status != http.StatusNotFound {
		t.Errorf("a line that is not there was cut: %d", status)
	}
}

// A page without log-in listens to this machine's own pages alone.
func TestForeignSites(t *testing.T) {
	b := &button{}
	p := newIT(t, b)
	r := httptest.NewRequest(http.MethodPost, "/line", strings.NewReader("do=cut"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	if status, _, _ := p.does(r); status != http.StatusForbidden || b.down {
		t.Errorf("a form on a foreign site: %d, line down %v", status, b.down)
	}
	r = httptest.NewRequest(http.MethodGet, "/", nil)
	r.Host = "rebound.example.ro"
	w := httptest.NewRecorder()
	if p.pages.ServeHTTP(w, r); w.Code != http.StatusMisdirectedRequest {
		t.Errorf("a foreign name for this machine: %d", w.Code)
	}
}

// The demo's button cuts the line and restores it.
func TestLineButton(t *testing.T) {
	b := &button{}
	p := newIT(t, b)
	wants(t, p.opens("/"), "Taie linia")
	if status, _, _ := p.sends("/line", url.Values{"do": {"cut"}}); status != http.StatusSeeOther || !b.down {
		t.Fatalf("cutting: %d, down %v", status, b.down)
	}
	wants(t, p.opens("/"), "Reface linia", "tăiată")
	if p.sends("/line", url.Values{"do": {"restore"}}); b.down {
		t.Error("the line is still down")
	}
	if body := newIT(t, nil).opens("/"); strings.Contains(body, "linia") {
		t.Error("a hub without such a line shows the button")
	}
}
