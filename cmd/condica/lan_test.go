package main

import (
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"condica/agent/api"
)

// A guest is a clerk's browser at an office PC.
type guest struct {
	c    *country
	pc   string
	name string // of the clerk
	here bool   // works at the PC's own desk
}

// asks gives status and page; a form if one is given.
func (g guest) asks(path string, form url.Values) (int, string) {
	g.c.t.Helper()
	desk := g.c.pcs[g.pc].url("desk")
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	r, err := http.NewRequestWithContext(g.c.t.Context(), method, desk+path, strings.NewReader(body))
	if err != nil {
		g.c.t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", desk)
	}
	r.AddCookie(&http.Cookie{Name: "lucrator", Value: url.QueryEscape(g.name)})
	if g.here {
		r.AddCookie(&http.Cookie{Name: "condica-aici", Value: "da"})
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		g.c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if n := len(resp.Header.Values("Content-Security-Policy")); n != 1 {
		g.c.t.Errorf("%s at %s: %s has %d policies", g.name, g.pc, path, n)
	}
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		g.c.t.Fatal(err)
	}
	return resp.StatusCode, string(page)
}

func (g guest) sees(path string, form url.Values, status int, texts ...string) string {
	g.c.t.Helper()
	got, page := g.asks(path, form)
	if got != status {
		g.c.t.Errorf("%s at %s: %s has status %d, want %d: %s", g.name, g.pc, path, got, status, text(page))
	}
	for _, t := range texts {
		if !strings.Contains(text(page), t) && !strings.Contains(page, t) {
			g.c.t.Errorf("%s at %s: %s does not say %q: %s", g.name, g.pc, path, t, text(page))
		}
	}
	return page
}

var keptField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// An office of two PCs, of which only one knows the hub, and the hub is away: the
// second works at the first one's desk. Who was called at one is not called at
// the other; the first PC dies in the middle, nothing is lost or written twice;
// and a PC that is shut out is told so.
func TestTwoPCsOneDesk(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	c.startPC("pc1", monday)
	c.enroll("pc1")
	must(t, "condica-hub", "bookings", "add", "--data", c.hubDir(), "--now", "2026-11-20T10:00:00+02:00", "--office", "botosani",
		"--reason", "R01", "--day", "2026-11-23", "--time", "10:00", "--name", "Exemplu Unu", "--email", "unu@example.ro")
	c.inStep("pc1")
	id := strings.Split(c.newBooking(), "/")[1]
	c.hub.stop()
	c.startPC("pc2", monday)
	lent := read[api.LANState](t, "condica", "lan", "lend", "--listen", "127.0.0.1:"+ownPort(t), "--data", c.pcDir("pc1"), "--json").Listen
	invitation := read[api.Invited](t, "condica", "lan", "invite", "Ghișeul 2", "--data", c.pcDir("pc1"), "--at", lent, "--json").Invitation
	if out := c.condica("pc2", "lan", "join", invitation); !strings.Contains(out, `called "Ghișeul 2"`) {
		t.Errorf("it joins: %s", out)
	}
	if out := c.condica("pc1", "lan", "status"); !strings.Contains(out, "let in: Ghișeul 2") {
		t.Errorf("the first PC says %s", out)
	}

	ana, ion := guest{c: c, pc: "pc1", name: "Ana Exemplu"}, guest{c: c, pc: "pc2", name: "Ion Probă"}
	ion.sees("/", nil, http.StatusOK, "Exemplu Unu", "ghișeul „Ghișeul 2”")
	ion.sees("/vizita/"+id, nil, http.StatusOK, "așteptat")
	if strings.Contains(ana.sees("/", nil, http.StatusOK), "ghișeul „") {
		t.Error("the first PC's own pages name a guest's desk")
	}
	key := url.Values{"cheie": {"0123456789abcdef-1"}}
	ion.sees("/vizita/"+id+"/prezent", key, http.StatusOK, "Prezența a fost notată")
	ana.sees("/cauta?q="+id, nil, http.StatusOK, "Ion Probă", "ghișeul „Ghișeul 2”")
	ana.sees("/vizita/"+id+"/prezent", url.Values{"cheie": {"0123456789abcdef-2"}}, http.StatusUnprocessableEntity, "Nu s-a putut face")

	// The first PC dies; what is sent now is kept on the page.
	c.pcs["pc1"].kill()
	ion.sees("/stare", nil, http.StatusOK, "nu răspunde; se încearcă mereu")
	if page := ion.sees("/", nil, http.StatusServiceUnavailable, "nu răspunde", "Încearcă acum"); strings.Contains(page, "Lucrează pe acest PC") {
		t.Error("a PC that no office knows offers its own desk")
	}
	kept := ion.sees("/vizita/"+id+"/date", url.Values{"cheie": {"0123456789abcdef-3"}, "note": {"vine cu „mama” & tata"}, "vechi.note": {""}}, http.StatusServiceUnavailable, "nu se scrie de două ori")
	if out := c.condica("pc2", "lan", "status"); !strings.Contains(out, "not now: the host does not answer") {
		t.Errorf("the second PC says %s", out)
	}
	c.startPC("pc1", monday)
	again := url.Values{}
	for _, f := range keptField.FindAllStringSubmatch(kept, -1) {
		again.Add(html.UnescapeString(f[1]), html.UnescapeString(f[2]))
	}
	for range 2 {
		ion.sees("/vizita/"+id+"/date", again, http.StatusOK, "vine cu „mama” &amp; tata")
	}
	var visit api.Visit
	if visit = read[api.Visit](t, "condica", "visit", id, "--json", "--data", c.pcDir("pc1")); len(visit.History) != 1 {
		t.Errorf("the note was written %d times", len(visit.History))
	}

	// The line is back, and the second PC gets an office of its own: its clerk may
	// work there while the first is off, and come back.
	c.startHub()
	c.enroll("pc2")
	c.inStep("pc1")
	c.inStep("pc2")
	c.pcs["pc1"].stop()
	ion.sees("/", nil, http.StatusServiceUnavailable, "Lucrează pe acest PC")
	ion.here = true
	ion.sees("/vizita/"+id, nil, http.StatusOK, "Lucrați pe acest PC", "Exemplu Unu", "Ion Probă", "Ghișeul 2")
	ion.here = false

	c.startPC("pc1", monday)
	ion.sees("/", nil, http.StatusOK, "ghișeul „Ghișeul 2”")
	c.condica("pc1", "lan", "remove", "Ghișeul 2")
	ion.sees("/", nil, http.StatusServiceUnavailable, "nu mai primește acest ghișeu")
	c.condica("pc2", "lan", "leave")
	if page := ion.sees("/", nil, http.StatusOK, "Exemplu Unu"); strings.Contains(page, "ghișeul „") {
		t.Error("it has left, and the page is still the other PC's")
	}
	for _, wrong := range []struct{ words, says string }{
		{"lan join " + invitation, "does not take this invitation"},
		{"lan join condica-lan-1.abc", "not whole"},
		{"lan lend --listen 8.8.8.8:1", "office's own network"},
		{"lan invite X", "does not lend"},
		{"lan remove X", "no desk of this name"},
		{"lan leave", "works at no other"},
	} {
		_, errs, code := say(t, "condica", append(strings.Fields(wrong.words), "--data", c.pcDir("pc2"))...)
		if code == 0 || !strings.Contains(errs, wrong.says) {
			t.Errorf("condica %s: exit %d: %s", wrong.words, code, errs)
		}
	}
}
