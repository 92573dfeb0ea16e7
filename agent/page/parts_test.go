package page_test

import (
	"net/url"
	"regexp"
	"strings"
	"testing"

	"condica/spclep"
)

// In a line of Hungarian a title of the bundle is Romanian, and only the title
// says so: in the history, in the queue and where two desks stand apart. What a
// clerk typed is nobody's language.
func TestALineMarksWhatIsRomanian(t *testing.T) {
	c, _ := in(t, "09:15", "hu")
	c.clerk = "Ana"
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/raspunsuri", url.Values{"answer.civil": {"married"}})
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/acte", url.Values{"paper.R01.1": {"original"}})
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/date", url.Values{"note": {"vine cu mama"}, "reason": {"R02"}})
	c.elsewhere("Radu", c.wall+60_000, "2222AAAA", spclep.FieldReason, false, "R01")
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/preia", url.Values{"desi": {"vine mama cu ele"}})
	for name, want := range map[string][]string{
		"/vizita/2222AAAA": {
			`<span lang="ro">căsătorit(ă)</span>`, `Irat: „<span lang="ro">`, `sz., <span lang="ro">Prima carte electronică de identitate</span>, határidő`,
			`Megjegyzés → vine cu mama<br>`,
		},
		"/coada":     {`<td class="why"><span lang="ro">Starea civilă`, `Irat: „<span lang="ro">`, `→ vine cu mama</td>`},
		"/conflicte": {`<dd><b><span lang="ro">`, `„<span lang="ro">Carte`},
	} {
		page := c.open(name).Body.String()
		for _, w := range want {
			if !strings.Contains(page, w) {
				t.Errorf("%s lacks %s:\n%s", name, w, page)
			}
		}
	}
}

// That the head of service approved a step is written down in Romanian.
func TestAnApprovalIsRomanian(t *testing.T) {
	g := withClerks(t, "09:10")
	ion := g.seat()
	ion.cookies["condica-limba"] = "hu"
	v := ion.signs(ion.open("/vizita/2222AAAA"), "Ion Probă", ionPIN)
	v = ion.press(v, "/vizita/2222AAAA/prezent", nil)
	v = ion.press(v, "/vizita/2222AAAA/preia", url.Values{"desi": {"le aduce mâine"}})
	v = ion.press(v, "/vizita/2222AAAA/prelungire", url.Values{"zile": {"15"}, "motiv": {"verificări"}, "sef": {"Ana Exemplu"}, "sef-pin": {anaPIN}})
	if want := `verificări<span lang="ro"> · aprobat de </span>Ana Exemplu`; !strings.Contains(v.Body.String(), want) {
		t.Errorf("the page lacks %s:\n%s", want, v.text)
	}
}

// A refusal in Hungarian names papers and people as the law does: in the error
// summary, in its link, and where a page says beforehand why not, only those
// names are marked as Romanian.
func TestARefusalMarksWhatIsRomanian(t *testing.T) {
	c, _ := in(t, "13:15", "hu")
	c.books("2222AAAA", "Exemplu Ioana", "R08", monday, "13:20")
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
	summary := func(s sheet, want string) {
		t.Helper()
		list := regexp.MustCompile(`(?s)id="erori">.*?</div>`).FindString(s.Body.String())
		if !regexp.MustCompile(want).MatchString(list) {
			t.Errorf("the error summary does not hold %s:\n%s", want, list)
		}
	}
	summary(c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/preia", nil),
		`<a href="#preia-desi">Nem minden iratot láttak: <span lang="ro">[^<]*Actul de identitate[^<]*</span>\.</a>`)

	c.books("3333BBBB", "Minta Anna", "R02", monday-20, "09:20")
	for name, value := range map[string]any{spclep.Arrived: nil, spclep.Filed: spclep.FiledValue{Number: "2-00009", Product: "CEI_U14", Day: monday - 20, Due: monday + 10, Bundle: 1, Birth: monday - 3000}, spclep.Ready: nil} {
		c.elsewhere("Radu", c.wall-3_600_000, "3333BBBB", name, true, value)
	}
	summary(c.open("/vizita/3333BBBB").press("/vizita/3333BBBB/preda", url.Values{"cui": {"holder"}, "nume": {"Minta Anna"}}),
		`<a href="#preda-cui">Az okmány ennek a személynek nem adható át\. Átveheti: <span lang="ro">unul dintre părinți[^<]*</span>\.</a>`)

	c.now(spclep.NewDay(2026, 12, 1), "09:15") // a holiday
	c.books("4444CCCC", "Minta Ödön", "R08", spclep.NewDay(2026, 12, 1), "09:20")
	if page := c.open("/vizita/4444CCCC").Body.String(); !strings.Contains(page, `A naptár szerint ma nincs ügyfélfogadás: <span lang="ro">sărbătoare legală: Ziua Națională</span>.`) {
		t.Errorf("the note does not mark the holiday:\n%s", page)
	}
}
