package page_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"testing"
	"time"

	"condica/spclep"
	"condica/spclep/settings"
	"condica/sync/wire"
)

const anasForm = "Formularul a fost deschis de Ana Exemplu; acum lucrează Ion Probă: verificați și trimiteți din nou."

// sendsAnyway sends a form of an old page as a browser without scripts does.
func (s *seat) sendsAnyway(on sheet, action string, entered url.Values) sheet {
	s.Helper()
	return s.do(http.MethodPost, action, on.fill(action, entered))
}

// Ana opens a visit. In a second tab of the same browser Ion signs in, and then
// presses in the first: nothing is written to his name before he has seen that,
// and what was typed is still there.
func TestAFormOfWhoSatHereBefore(t *testing.T) {
	g := withClerks(t, "09:10")
	s := g.ana()
	visit := s.open("/vizita/2222AAAA")
	s.signs(s.open("/intrare"), "Ion Probă", ionPIN).is(http.StatusOK)

	again := s.sendsAnyway(visit, "/vizita/2222AAAA/date", url.Values{"note": {"vine cu mama"}}).is(http.StatusUnprocessableEntity).
		shows(anasForm).hides("Observație →")
	if note := again.fill("/vizita/2222AAAA/date", nil).Get("note"); note != "vine cu mama" {
		t.Errorf("the form that is shown again has the note %q", note)
	}
	s.sendsAnyway(visit, "/vizita/2222AAAA/prezent", nil).is(http.StatusUnprocessableEntity).shows(anasForm)
	if b, _ := g.db.Booking(t.Context(), "2222AAAA"); b.Note != "" || b.Visit.State != spclep.StateBooked {
		t.Errorf("note %q, state %q: the form of Ana was done in the name of Ion", b.Note, b.Visit.State)
	}
	s.press(again, "/vizita/2222AAAA/date", nil).shows("Observație → vine cu mama", "Ion Probă · acest PC")

	visit = s.open("/vizita/2222AAAA")
	s.signs(s.open("/intrare"), "Ion Probă", ionPIN)
	s.press(visit, "/vizita/2222AAAA/prezent", nil).shows("Prezența a fost notată")
}

// The desk locks before Ana's form is sent. It was Ion who worked last, so it is
// he who is asked for his PIN; her form is not done for that.
func TestAFormOfWhoSatHereBeforeMeetsTheLock(t *testing.T) {
	g := withClerks(t, "09:10")
	s := g.ana()
	visit := s.open("/vizita/2222AAAA")
	s.signs(s.open("/intrare"), "Ion Probă", ionPIN)
	g.later(11 * time.Minute)
	door := s.sendsAnyway(visit, "/vizita/2222AAAA/prezent", nil).is(http.StatusUnauthorized)
	s.signs(door, "Ion Probă", ionPIN).is(http.StatusUnprocessableEntity).shows(anasForm)
	if b, _ := g.db.Booking(t.Context(), "2222AAAA"); b.Visit.State != spclep.StateBooked {
		t.Errorf("the visit is %q: the form of Ana was done in the name of Ion", b.Visit.State)
	}
}

// nameless are the forms that leave nobody's name behind, or ask for a PIN.
var nameless = []string{"/iesire", "/limba", "/sincronizeaza", "/pin"}

// It is the same with every form that leaves a name behind: each says whose it
// is, and none is done in the name of another.
func TestEveryFormSaysWhoseItIs(t *testing.T) {
	g := busyDesk(t)
	s := g.ana()
	forms := map[string]sheet{}
	for _, path := range []string{"/", "/vizita/2222AAAA", "/vizita/3333BBBB", "/vizita/4444CCCC", "/vizita/3333BBBB/bon", "/lista", "/registru", "/sfarsit",
		"/fara-programare", "/coada", "/conflicte", "/urme", "/pin", "/ajutor",
		"/cauta?q=" + url.QueryEscape(g.qr(g.key, 1, 1, "N2B3C4D5", "R01", "13:50"))} {
		page := s.open(path).is(http.StatusOK)
		for _, m := range regexp.MustCompile(`action="([^"]+)" method="post"`).FindAllStringSubmatch(page.Body.String(), -1) {
			if !slices.Contains(nameless, m[1]) {
				forms[m[1]] = page
			}
		}
	}
	s.signs(s.open("/intrare"), "Ion Probă", ionPIN).is(http.StatusOK).shows("Ion Probă")
	traces, unsent := g.trace(), g.unsent()
	for action, page := range forms {
		if whose := page.fill(action, nil).Get("pentru"); whose != "Ana Exemplu" {
			t.Errorf("the form for %s says it is %q's", action, whose)
		}
		got := s.sendsAnyway(page, action, nil).shows(anasForm)
		if got.Code != http.StatusUnprocessableEntity && got.Code != http.StatusConflict {
			t.Errorf("%s was answered %d", action, got.Code)
		}
	}
	if got := g.trace(); !slices.Equal(got, traces) {
		t.Errorf("traces %q, want %q", got, traces)
	}
	if got := g.unsent(); got != unsent {
		t.Errorf("%d edits wait, there were %d", got, unsent)
	}
	for _, action := range []string{"/acceptare", "/coada/inchide", "/coada/stick", "/fara-programare", "/registru/tiparit", "/sfarsit/neprezentati",
		"/urme/asteptare", "/vizita/2222AAAA/conflict", "/vizita/3333BBBB/tiparit", "/vizita/4444CCCC/lamurit"} {
		if _, seen := forms[action]; !seen {
			t.Errorf("the form for %s was on none of the pages", action)
		}
	}
	walk := s.sendsAnyway(forms["/fara-programare"], "/fara-programare", url.Values{"nume": {"Éva Nagy"}}).fill("/fara-programare", nil)
	if walk.Get("nume") != "Éva Nagy" || walk.Get("pentru") != "Ion Probă" {
		t.Errorf("the walk-in's form is shown again with %q", walk)
	}
}

// busyDesk is an office with two heads of service, on a day on which every form
// of the desk is on some page.
func busyDesk(t *testing.T) *guarded {
	t.Helper()
	g := withClerks(t, "13:45")
	rules := g.office.Rules()
	rules.Settings.Clerks = slices.Clone(rules.Settings.Clerks)
	rules.Settings.Clerks[1].Role = settings.RoleHead
	rules.Settings.Clerks[2].PIN = rules.Settings.Clerks[1].PIN
	g.office.Use(rules)
	g.office.SetLine(&stick{line: g.line})
	g.books("3333BBBB", "Model Ion", "R01", monday, "09:40")
	g.books("4444CCCC", "Proba Maria", "R01", monday, "10:00")
	filed := spclep.FiledValue{Number: "77", Product: "CEI_FIRST", Day: monday, Due: monday + 30}
	g.elsewhere("Radu", g.wall-60_000, "3333BBBB", spclep.Filed, true, filed)
	for _, ago := range []int64{90_000, 60_000} {
		g.elsewhere("Radu", g.wall-ago, "4444CCCC", spclep.Arrived, true, nil)
	}
	s := g.seat()
	s.signs(s.open("/"), "Ion Probă", ionPIN)
	s.press(s.open("/vizita/3333BBBB"), "/vizita/3333BBBB/date", url.Values{"note": {"prea lung"}})
	g.save(wire.Answer{Verdicts: []wire.Verdict{{Seq: 1, Code: wire.Refused, Say: "value-large: x"}}})
	s.press(s.open("/vizita/2222AAAA"), "/vizita/2222AAAA/date", url.Values{"note": {"vine cu mama"}})
	g.elsewhere("Radu", g.wall+60_000, "2222AAAA", "note", false, "vine cu tata")
	for range 5 {
		g.seat().signs(g.seat().open("/"), "Radu Minta", "000001")
	}
	return g
}

// unsent counts the edits that wait here.
func (g *guarded) unsent() int {
	g.Helper()
	n, _, err := g.db.Unsent(g.Context())
	g.must(err)
	return n
}
