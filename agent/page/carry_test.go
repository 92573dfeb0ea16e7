package page_test

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"condica/sync/link"
	"condica/sync/wire"
)

// A stick is a line that is carried: it gives a file, and takes one.
type stick struct {
	*line
	brings link.Brought
	left   int // edits for which the file has no room
	refuse error
	took   []byte
}

func (s *stick) CarryOut(context.Context) (link.Carried, error) {
	return link.Carried{File: []byte("cererea"), Number: 1042, Edits: 3, Left: s.left}, nil
}

func (s *stick) CarryIn(_ context.Context, file []byte) (link.Brought, error) {
	if s.refuse != nil {
		return link.Brought{}, s.refuse
	}
	s.took = file
	return s.brings, nil
}

// upload is a form with a file, as a browser sends it without a script.
func upload(path, field string, file []byte) *http.Request {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, _ := form.CreateFormFile(field, "răspuns.condica")
	part.Write(file)
	form.Close()
	r := httptest.NewRequest(http.MethodPost, path, &body)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Origin", "null")
	return r
}

// Where the line is dead for days the queue leaves as a file and the answer comes
// back as one; both stand in the traces.
func TestTheQueueOnAStick(t *testing.T) {
	c := at(t, "09:15")
	c.clerk = "Ana"
	s := &stick{line: c.line}
	c.office.SetLine(s)
	q := c.open("/coada").shows("pe stick", "date personale și nu este criptat").hides("Spuneți întâi ziua și ora")
	got := c.post("/coada/stick", q.fill("/coada/stick", nil)).is(http.StatusOK)
	if got.Body.String() != "cererea" || got.Header().Get("Content-Disposition") != `attachment; filename="condica-cerere-1042.condica"` || got.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("the file is %q, %v", got.Body, got.Header())
	}
	for _, b := range []struct {
		link.Brought
		say string
	}{
		{link.Brought{Pulled: 2}, "Răspunsul centrului a fost citit."},
		{link.Brought{More: true}, "centrul mai are de spus"},
		{link.Brought{Unsent: 2}, "mai așteaptă operații: dacă linia nu a revenit, faceți încă un fișier"},
		{link.Brought{Stale: true}, "mai vechi decât ultima legătură"},
	} {
		s.brings = b.Brought
		c.send(upload("/coada/raspuns", "fisier", []byte("răspunsul"))).is(http.StatusSeeOther).follow().shows(b.say)
		if string(s.took) != "răspunsul" {
			t.Errorf("the line was brought %q", s.took)
		}
	}
	c.open("/urme").shows("a scris pe stick pentru centru; operații: 3Ana", "a citit de pe stick răspunsul centrului; operații noi: 2Ana")
}

// A file holds so much and no more. How many edits are left stands on the page
// until the hub's answer is here, or nothing waits any more.
func TestMoreThanOneFile(t *testing.T) {
	c, _ := in(t, "09:15", "ro")
	s := &stick{line: c.line, left: 412}
	c.office.SetLine(s)
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/date", url.Values{"note": {"vine cu mama"}})
	const left = "mai rămân 412 operații; după ce centrul a răspuns, faceți încă un fișier"
	c.open("/coada").shows("Un fișier cuprinde cel mult 8.000 de operații").hides(left)
	c.post("/coada/stick", nil).is(http.StatusOK)
	if q := c.open("/coada").shows(left); !strings.Contains(q.Body.String(), `<details class="carry" open>`) {
		t.Error("what is left is folded away")
	}
	s.brings = link.Brought{Stale: true}
	c.send(upload("/coada/raspuns", "fisier", []byte("unul vechi"))).follow().shows(left)
	for lang, say := range map[string]string{
		"hu": "még 412 művelet maradt; miután a központ válaszolt, írjon még egy fájlt",
		"en": "412 operations are left; once the centre has answered, make another file",
	} {
		c.open("/ajutor").press("/limba", url.Values{"limba": {lang}})
		c.open("/coada").shows(say)
	}
	c.open("/ajutor").press("/limba", url.Values{"limba": {"ro"}})
	c.now(monday, "09:20")
	c.save(wire.Answer{Entries: []wire.Entry{{Seq: 1}}})
	c.open("/coada").hides("mai rămân")
	s.left = 1
	c.post("/coada/stick", nil).is(http.StatusOK)
	c.open("/coada").shows("mai rămâne 1 operație")
}

// Each file that is not taken has its sentence, and so has a form without one.
func TestAStickThatIsNotTaken(t *testing.T) {
	c := at(t, "09:15")
	s := &stick{line: c.line}
	c.office.SetLine(s)
	said := map[string]bool{}
	for _, code := range wire.CarriedReasons() {
		s.refuse = &wire.CarriedError{Code: code, Say: "x"}
		page := c.send(upload("/coada/raspuns", "fisier", []byte("x"))).is(http.StatusUnprocessableEntity).shows("Nimic nu s-a schimbat.")
		said[page.text] = true
	}
	if len(said) != len(wire.CarriedReasons()) {
		t.Errorf("%d sentences for %d reasons", len(said), len(wire.CarriedReasons()))
	}
	c.post("/coada/raspuns", url.Values{}).is(http.StatusUnprocessableEntity).shows("Alegeți fișierul")
	c.send(upload("/coada/raspuns", "altceva", nil)).is(http.StatusUnprocessableEntity).shows("Alegeți fișierul")
	c.send(upload("/coada/raspuns", "fisier", make([]byte, wire.MaxCarriedFile+1))).is(http.StatusRequestEntityTooLarge).shows("prea mare")
	c.office.SetLine(c.line)
	c.post("/coada/stick", url.Values{}).is(http.StatusConflict).shows("nu poate schimba fișiere cu centrul acum")
}

// brings sends an upload from a browser that keeps cookies.
func (s *seat) brings(r *http.Request) sheet {
	for name, value := range s.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return s.send(r)
}

// A file is taken at its own address only, from no other site, and from nobody
// who is a clerk and no more.
func TestWhoMayCarry(t *testing.T) {
	g := withClerks(t, "09:15")
	s := &stick{line: g.line}
	g.office.SetLine(s)
	ion, ana := g.seat(), g.seat()
	ion.signs(ion.open("/coada"), "Ion Probă", ionPIN).hides("pe stick")
	ion.do(http.MethodPost, "/coada/stick", nil).is(http.StatusForbidden).shows("a șefului de serviciu")
	ion.brings(upload("/coada/raspuns", "fisier", []byte("x"))).is(http.StatusForbidden)
	q := ana.signs(ana.open("/coada"), "Ana Exemplu", anaPIN)
	q.shows("pe stick")
	if got := ana.do(http.MethodPost, "/coada/stick", nil); got.Body.String() != "cererea" {
		t.Errorf("the head of service is given %d %s", got.Code, got.text)
	}
	ana.brings(upload("/coada/inchide", "fisier", []byte("x"))).is(http.StatusUnsupportedMediaType)
	foreign := upload("/coada/raspuns", "fisier", []byte("x"))
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	if got := ana.brings(foreign); got.Code != http.StatusForbidden || s.took != nil {
		t.Errorf("another site's form was answered %d, and brought %q", got.Code, s.took)
	}
	locked := g.seat()
	if got := locked.do(http.MethodPost, "/coada/stick", nil); got.Code != http.StatusUnauthorized || strings.Contains(got.Body.String(), "/coada/stick") {
		t.Errorf("a file would be written behind the sign-in page: %d %s", got.Code, got.Body)
	}
	if got := locked.brings(upload("/coada/raspuns", "fisier", []byte("x"))); got.Code != http.StatusUnauthorized || strings.Contains(got.Body.String(), "pastrat.") || s.took != nil {
		t.Errorf("nobody's form was answered %d %s", got.Code, got.text)
	}
}

// Where nobody knows the hour the page says so beside the button.
func TestAStickWithoutTheHour(t *testing.T) {
	c := at(t, "09:15")
	c.office.SetLine(&stick{line: c.line})
	c.boot, c.skew = "later", -17*365*24*3_600_000
	c.open("/coada").shows("Spuneți întâi ziua și ora, sus")
}
