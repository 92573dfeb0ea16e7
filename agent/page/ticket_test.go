package page_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"condica/agent/page"
)

// A door is a desk that lets browsers in by ticket, with the service's running
// time in hand.
type door struct {
	*counter
	tickets *page.Tickets
	up      int64
	kept    []string
	drawn   int
}

func newDoor(t *testing.T, known []string) *door {
	d := &door{counter: at(t, "09:15"), up: 1000}
	d.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	d.tickets = page.NewTickets(func() string { d.drawn++; return fmt.Sprintf("tainic-%d-%d", len(known), d.drawn) },
		func() int64 { return d.up }, known, func(s []string) { d.kept = slices.Clone(s) })
	d.pages = page.New(d.office, page.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Hosts: []string{host}, Random: func() string { return "cheie" }, Tickets: d.tickets})
	return d
}

// A visitor is a browser that keeps cookies and sends them only to the desk.
type visitor struct {
	*door
	cookies []*http.Cookie
}

func (b *visitor) do(method, path string, form url.Values) *httptest.ResponseRecorder {
	b.Helper()
	r := httptest.NewRequest(method, "http://"+host+path, strings.NewReader(form.Encode()))
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.pages.ServeHTTP(w, r)
	b.cookies = append(b.cookies, w.Result().Cookies()...)
	return w
}

// enters follows the address that condica open gives, as a browser without
// JavaScript does: a page with a button, and the button.
func (b *visitor) enters(address string) *httptest.ResponseRecorder {
	b.Helper()
	u, err := url.Parse(address)
	if err != nil {
		b.Fatal(err)
	}
	ticket := u.Query().Get("bilet")
	if w := b.do("GET", u.RequestURI(), nil); w.Code == http.StatusOK && !strings.Contains(w.Body.String(), `value="`+ticket+`"`) {
		b.Fatalf("the door does not show the ticket as a form:\n%s", w.Body)
	}
	return b.do("POST", u.Path, url.Values{"bilet": {ticket}})
}

func (d *door) address() string { return page.Enter("http://"+host, d.tickets.New()) }

// Another user of the PC reaches the port and sees nothing, not even whose
// office it is; nothing is written by what they send. The clerk comes in by a
// ticket, once, and stays in over a restart of the service.
func TestTheDeskOpensByTicketOnly(t *testing.T) {
	d := newDoor(t, nil)
	stranger, clerk := &visitor{door: d}, &visitor{door: d}
	for _, path := range []string{"/", "/vizita/2222AAAA", "/cauta?q=ioana", "/stare", "/coada", "/vizita/2222AAAA/bon", "/nimic"} {
		w := stranger.do("GET", path, nil)
		if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), "meniul de programe") {
			t.Errorf("%s without a cookie: status %d", path, w.Code)
		}
		if strings.Contains(w.Body.String(), "Ioana") || strings.Contains(w.Body.String(), "Covasna") {
			t.Errorf("%s tells a stranger whose desk it is", path)
		}
	}
	if w := stranger.do("POST", "/vizita/2222AAAA/prezent", url.Values{"cheie": {"x"}}); w.Code != http.StatusForbidden {
		t.Errorf("a stranger's form: status %d", w.Code)
	}
	if b, err := d.db.Booking(t.Context(), "2222AAAA"); err != nil || b.Visit.State != "booked" {
		t.Errorf("after the stranger's form the booking is %s, %v", b.Visit.State, err)
	}

	address := d.address()
	w := clerk.enters(address)
	if w.Code != http.StatusSeeOther || len(clerk.cookies) != 1 {
		t.Fatalf("the clerk's ticket: status %d, %d cookies", w.Code, len(clerk.cookies))
	}
	if c := clerk.cookies[0]; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" {
		t.Errorf("the cookie: %+v", c)
	}
	if w := clerk.do("GET", "/", nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Exemplu Ioana") {
		t.Errorf("the clerk's page: status %d", w.Code)
	}
	if w := stranger.enters(address); w.Code != http.StatusForbidden || len(stranger.cookies) != 0 || !strings.Contains(w.Body.String(), "deja folosită") {
		t.Errorf("the same ticket once more: status %d", w.Code)
	}
	if len(d.kept) != 1 || strings.Contains(d.kept[0], clerk.cookies[0].Value) {
		t.Errorf("kept of the cookie: %q; want its hash", d.kept)
	}

	again := newDoor(t, d.kept)
	clerk.door, stranger.door = again, again
	if w := clerk.do("GET", "/", nil); w.Code != http.StatusOK {
		t.Errorf("after a restart of the service: status %d", w.Code)
	}
	stranger.cookies = []*http.Cookie{{Name: "condica-desk", Value: d.kept[0]}}
	if w := stranger.do("GET", "/", nil); w.Code != http.StatusForbidden {
		t.Errorf("who has read the kept hash: status %d", w.Code)
	}
}

// A ticket that nobody uses ends; the pages' own guards stand before the door.
func TestTicketsEnd(t *testing.T) {
	d := newDoor(t, nil)
	b := &visitor{door: d}
	address := d.address()
	d.up += 2*60_000 + 1
	if w := b.enters(address); w.Code != http.StatusForbidden {
		t.Errorf("a ticket of two minutes ago: status %d", w.Code)
	}
	for _, ticket := range []string{"", "ghicit", strings.Repeat("x", 200)} {
		if w := b.do("POST", "/intra", url.Values{"bilet": {ticket}}); w.Code != http.StatusForbidden {
			t.Errorf("ticket %.10q: status %d", ticket, w.Code)
		}
	}
	if w := b.do("GET", "/static/desk.css", nil); w.Code != http.StatusOK {
		t.Errorf("the style of the closed page: status %d", w.Code)
	}
	u, _ := url.Parse(d.address())
	r := httptest.NewRequest("POST", "http://"+host+"/intra", strings.NewReader("bilet="+u.Query().Get("bilet")))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	w := httptest.NewRecorder()
	if d.pages.ServeHTTP(w, r); w.Code != http.StatusForbidden || len(w.Result().Cookies()) != 0 {
		t.Errorf("a ticket sent by another site: status %d", w.Code)
	}
}

// The fifty-first browser lets the first one out.
func TestNotWithoutEnd(t *testing.T) {
	d := newDoor(t, nil)
	first := &visitor{door: d}
	first.enters(d.address())
	for range 50 {
		(&visitor{door: d}).enters(d.address())
	}
	if w := first.do("GET", "/", nil); w.Code != http.StatusForbidden || len(d.kept) != 50 {
		t.Errorf("after fifty others: status %d, %d kept", w.Code, len(d.kept))
	}
}
