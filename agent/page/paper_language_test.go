package page_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"condica/agent/office"
	"condica/spclep"
)

// article is the paper itself on the screen of it.
func (s sheet) article() string {
	s.c.Helper()
	found := regexp.MustCompile(`(?s)<article.*</article>`).FindString(s.Body.String())
	if found == "" {
		s.c.Fatalf("there is no paper on the page:\n%s", s.text)
	}
	return found
}

// holds fails unless the paper holds each of the pieces.
func (s sheet) holds(pieces ...string) sheet {
	s.c.Helper()
	paper := s.article()
	for _, piece := range pieces {
		if !strings.Contains(paper, piece) {
			s.c.Errorf("the paper lacks %s:\n%s", piece, paper)
		}
	}
	return s
}

// The clerk reads Romanian, the person before her Hungarian. She takes the note
// in Hungarian: it names each paper in both, says so to a screen reader, and the
// screen around it stays hers. That it was Hungarian is on the record.
func TestANoteInThePersonsLanguage(t *testing.T) {
	c := at(t, "09:15")
	c.clerk = "Ana"
	c.books("2222AAAA", "Minta Ödön", "R08", monday, "09:20")
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/raspunsuri", url.Values{"answer.civil": {"married"}})
	plain := c.open("/vizita/2222AAAA/lipsa?hartie=80").shows("Limba hârtiei", "Magyar", "Ce acte lipsesc")
	if !strings.Contains(plain.Body.String(), `<a class="button quiet" href="/vizita/2222AAAA/lipsa?hartie=80&amp;limba=hu" lang="hu" hreflang="hu">Magyar</a>`) {
		t.Errorf("no plain link leads to the Hungarian note:\n%s", plain.Body)
	}
	before := c.facts("2222AAAA")
	note := c.open("/vizita/2222AAAA/lipsa?hartie=80&limba=hu").shows("Înapoi la vizită", "Tipărește pe A4", "Mely iratok hiányoznak", "23.11.2026, hétfő, 09:20").
		hides("Ce acte lipsesc", "Dacă nu pot fi aduse").
		holds(`<article class="slip letter strip" lang="hu">`, `születési anyakönyvi kivonat <span lang="ro">(Certificatul de naștere`,
			`mert: `, `hétfő–péntek 09:00–13:00`)
	for _, want := range []string{`<html lang="ro">`, `lang="hu" hreflang="hu" aria-current="true"`} {
		if !strings.Contains(note.Body.String(), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if got := c.facts("2222AAAA"); got != before {
		t.Errorf("looking at the note wrote something down: %d facts, there were %d", got, before)
	}
	note.press("/vizita/2222AAAA/tiparit", url.Values{"hartie": {"80"}}).shows("Tipărirea a fost notată", "Tipărit o dată, la 23.11.2026 09:15, de Ana.").
		holds(`<article class="slip letter strip" lang="hu">`)
	plain.press("/vizita/2222AAAA/tiparit", url.Values{"hartie": {"80"}}).holds(`lang="ro"`)
	if history := c.open("/vizita/2222AAAA").text; strings.Count(history, "tipărit: nota actelor lipsă") != 2 || strings.Count(history, "tipărit: nota actelor lipsă, în maghiară") != 1 {
		t.Errorf("the record does not say which of the two was Hungarian:\n%s", history)
	}
	b, err := c.db.Booking(t.Context(), "2222AAAA")
	c.must(err)
	var langs []string
	for _, f := range b.Facts {
		if f.Cell.Field == spclep.Printed {
			langs = append(langs, string(f.Value))
		}
	}
	if want := []string{`{"w":"missing-papers","l":"hu"}`, `{"w":"missing-papers","l":"ro"}`}; !slices.Equal(langs, want) {
		t.Errorf("printed %q, want %q", langs, want)
	}
}

// facts is how many facts a booking has.
func (c *counter) facts(id spclep.BookingID) int {
	c.Helper()
	b, err := c.db.Booking(c.Context(), id)
	c.must(err)
	return len(b.Facts)
}

// On a Hungarian screen papers are Hungarian, and can be had in Romanian and
// English. A language that nobody speaks here is refused, and prints nothing.
func TestThePapersOfAHungarianScreen(t *testing.T) {
	c, _ := in(t, "09:15", "hu")
	c.clerk = "Ana"
	c.filed("2222AAAA", "Exemplu Ioana", "R01", url.Values{"numar": {"12/2026"}})
	c.open("/vizita/2222AAAA/bon").holds(`lang="hu"`, "Átvételi szelvény", `első elektronikus személyazonosító igazolvány <span lang="ro">(Prima carte electronică de identitate)</span>`)
	c.open("/vizita/2222AAAA/bon?limba=en").shows("Vissza a látogatáshoz").holds(`lang="en"`, "first electronic identity card <span lang=\"ro\">(Prima")
	ro := c.open("/vizita/2222AAAA/bon?limba=ro").shows("Vissza a látogatáshoz").holds(`<article class="slip half" lang="ro">`, "Bon de ridicare")
	if strings.Contains(ro.article(), `<span lang=`) || strings.Contains(ro.article(), "igazolvány") {
		t.Errorf("the Romanian slip is not wholly Romanian:\n%s", ro.article())
	}
	before := c.facts("2222AAAA")
	for _, lang := range []string{"de", "HU", "../hu"} {
		c.open("/vizita/2222AAAA/bon?limba=" + url.QueryEscape(lang)).is(http.StatusBadRequest)
		form := ro.fill("/vizita/2222AAAA/tiparit", url.Values{"hartie": {"a4"}, "limba": {lang}})
		c.post("/vizita/2222AAAA/tiparit", form).is(http.StatusBadRequest)
	}
	if got := c.facts("2222AAAA"); got != before {
		t.Errorf("%d facts, there were %d", got, before)
	}
}

// What the office signs and files is Romanian whatever the screen speaks; the
// buttons around it are the clerk's.
func TestTheOfficesOwnPapersAreRomanian(t *testing.T) {
	c, _ := in(t, "13:40", "hu")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	for path, want := range map[string]struct{ screen, paper string }{
		"/lista":    {"Előző nap", "Lista zilei"},
		"/registru": {"Sorok hozzáadása", "Registrul ridicărilor"},
		"/sfarsit":  {"A bejelöltek meg nem jelenésének feljegyzése", "Sfârșitul zilei"},
	} {
		s := c.open(path).shows(want.screen).holds(`lang="ro"`, want.paper, `<span class="weekday">luni</span>`)
		if strings.Contains(s.article(), want.screen) || strings.Contains(s.article(), "hétfő") {
			t.Errorf("%s: Hungarian on the office's paper:\n%s", path, s.article())
		}
	}
	c.open("/sfarsit").shows("Napi zárás").holds("Exemplu Ioana", "Programați")
}

// moved is a counter whose offices have an address and a phone; the one at
// Botoșani moves on 1 December.
func moved(t *testing.T, clock string) *counter {
	t.Helper()
	c := at(t, clock)
	files := spclep.BuiltinTexts()
	for name, added := range map[string]string{
		"covasna.yaml":  `address: [{text: "Strada Exemplu nr. 1, Covasna"}]` + "\n" + `phone: "0200 000 001"`,
		"botosani.yaml": `address: [{text: "Strada Veche nr. 2", until: 2026-12-01}, {text: "Strada Nouă nr. 3", since: 2026-12-01}]`,
	} {
		files[name] = strings.Replace(files[name], "\nhours:", "\n"+added+"\nhours:", 1)
	}
	ref, err := spclep.LoadFiles(files)
	c.must(err)
	c.office = office.New(office.Config{DB: c.db, Ref: ref, Zone: bucharest(t), Up: func() int64 { return c.reading().Up }, Random: func(b []byte) { copy(b, "moved") }})
	c.office.SetLine(c.line)
	c.pages = c.serve(host)
	return c
}

// A card is collected at Botoșani a month from now, when that office has moved:
// the slip says where it will be then. Every paper says where its own office is.
func TestPapersSayWhereTheOfficeIs(t *testing.T) {
	c := moved(t, "09:15")
	c.filed("2222AAAA", "Exemplu Ioana", "R01", url.Values{"numar": {"12/2026"}, "ridicare": {"botosani"}})
	c.books("3333BBBB", "Minta Ödön", "R08", monday, "09:40")
	c.open("/vizita/3333BBBB").press("/vizita/3333BBBB/prezent", nil)
	c.open("/vizita/2222AAAA/bon").holds("SPCLEP Covasna<br><span>Strada Exemplu nr. 1, Covasna</span><br>tel. 0200 000 001", "SPCLEP Botoșani<br><span>Strada Nouă nr. 3</span>").hides("Strada Veche")
	c.open("/vizita/2222AAAA/bon?limba=hu").holds(`<span lang="ro">Strada Exemplu nr. 1, Covasna</span><br>tel.: 0200 000 001`)
	c.open("/vizita/3333BBBB/lipsa").holds("Strada Exemplu nr. 1, Covasna", "tel. 0200 000 001")
	for _, path := range []string{"/lista", "/registru", "/sfarsit"} {
		c.open(path).holds("SPCLEP Covasna, <span>Strada Exemplu nr. 1, Covasna</span> · tel. 0200 000 001")
	}
}
