package page_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	cdpage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"condica/spclep"
)

// paper gives the page that is open as it comes out of the printer: the text of
// each sheet, and the size of the first in points. Where the style sheet names
// no paper the printer holds A4.
func (b *browser) paper(name string) (sheets []string, size string) {
	b.Helper()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		if os.Getenv("CONDICA_REAL") == "1" {
			b.Fatal("pdftotext is not installed, and CONDICA_REAL=1 asks for it")
		}
		b.Skip("pdftotext is not installed: what was printed cannot be read")
	}
	yes := true
	file := filepath.Join(b.TempDir(), name+".pdf")
	b.must(chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		pdf, err := cdp.Call(ctx, t, cdpage.PrintToPDF, cdpage.PrintToPDFParams{PaperWidth: 8.27, PaperHeight: 11.69, PreferCSSPageSize: &yes})
		if err != nil {
			return err
		}
		return os.WriteFile(file, pdf.Data, 0o600)
	})))
	if dir := os.Getenv("CONDICA_SHOTS"); dir != "" {
		pdf, err := os.ReadFile(file)
		b.must(err)
		b.must(os.WriteFile(filepath.Join(dir, name+".pdf"), pdf, 0o600))
	}
	text, err := exec.Command("pdftotext", "-layout", file, "-").Output()
	b.must(err)
	info, err := exec.Command("pdfinfo", file).Output()
	b.must(err)
	found := regexp.MustCompile(`Page size:\s+([\d.]+ x [\d.]+)`).FindSubmatch(info)
	if found == nil {
		b.Fatalf("the PDF has no page size: %s", info)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\f"), "\f"), string(found[1])
}

// mm says how wide and high a sheet is, in whole mm.
func (b *browser) mm(size string) (wide, high int) {
	b.Helper()
	w, h, _ := strings.Cut(size, " x ")
	for text, mm := range map[string]*int{w: &wide, h: &high} {
		points, err := strconv.ParseFloat(text, 64)
		b.must(err)
		*mm = int(points*25.4/72 + 0.5)
	}
	return wide, high
}

// printed is how often the page that is open has called the printer.
const printed = `sessionStorage.getItem("printed") || "0"`

// counting makes every page count its calls of the printer, of which a headless
// browser has none.
func (b *browser) counting() {
	b.Helper()
	b.must(chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cdpage.AddScriptToEvaluateOnNewDocument, cdpage.AddScriptToEvaluateOnNewDocumentParams{
			Source: `window.print = () => sessionStorage.setItem("printed", 1 + Number(sessionStorage.getItem("printed")))`,
		})
		return err
	})))
}

// A day of 60 on A4: every name stands on a sheet once, each sheet has the head
// of the table and says which of how many it is, and nothing of the screen's
// frame is on it.
func TestTheDaysListOnA4(t *testing.T) {
	c := at(t, "08:30")
	for i := range 60 {
		id := spclep.BookingID("2222AA" + string("ABCDEFGHIJKLMNOP"[i/8]) + string("ABCDEFGHIJKLMNOP"[i%8]))
		c.books(id, fmt.Sprintf("Exemplu-Minta Persoana%02d", i+1), []spclep.Reason{"R01", "R08", "R11", "R14"}[i%4], monday, fmt.Sprintf("%02d:%02d", 9+i/15, i%15*4))
	}
	b := c.sits()
	b.goes("/lista")
	b.sees("60 de programări")
	b.shot("lista")
	sheets, size := b.paper("lista")
	if w, h := b.mm(size); w != 210 || h != 297 {
		t.Errorf("the list is printed on %d x %d mm", w, h)
	}
	if len(sheets) < 2 || len(sheets) > 4 {
		t.Errorf("60 people and 10 or more lines take %d sheets, want 2 to 4", len(sheets))
	}
	whole := strings.Join(sheets, "\n")
	for i := range 60 {
		if n := strings.Count(whole, fmt.Sprintf("Persoana%02d", i+1)); n != 1 {
			t.Errorf("Persoana%02d is on the sheets %d times", i+1, n)
		}
	}
	for i, sheet := range sheets {
		for _, want := range []string{"Observații", "Motiv", fmt.Sprintf("%d/%d", i+1, len(sheets))} {
			if !strings.Contains(sheet, want) {
				t.Errorf("sheet %d lacks %q:\n%s", i+1, want, sheet)
			}
		}
	}
	for _, want := range []string{"SPCLEP Covasna", "tipărit la 23.11.2026 08:30", "regulile nr.", "Programări noi, scrise de mână", "Fără programare (13:00–15:00)"} {
		if !strings.Contains(whole, want) {
			t.Errorf("the sheets lack %q", want)
		}
	}
	for _, not := range []string{"Scanați", "Legătură cu centrul", "F8", "Ziua următoare", "Trimite acum", "Ajutor"} {
		if strings.Contains(whole, not) {
			t.Errorf("%q of the screen is on paper", not)
		}
	}
}

// A slip on the strip of 80 mm is one piece of paper with all that the person
// needs, and on A4 half a sheet.
func TestTheSlipOnBothPapers(t *testing.T) {
	c := at(t, "09:15")
	c.clerk = "Ana"
	c.filed("2222AAAA", "Pârvu-Exemplu Șerban-Alexandru", "R01", url.Values{"numar": {"12345/2026"}, "ridicare": {"botosani"}})
	b := c.sits()
	for name, want := range map[string][2]int{"80": {80, 160}, "a4": {210, 297}} {
		b.goes("/vizita/2222AAAA/bon?hartie=" + name)
		b.sees("Bon de ridicare")
		b.shot("bon-" + name)
		sheets, size := b.paper("bon-" + name)
		if w, h := b.mm(size); w != want[0] || h != want[1] || len(sheets) != 1 {
			t.Errorf("%s: %d sheets of %d x %d mm, want one of %v", name, len(sheets), w, h, want)
		}
		for _, text := range []string{"nr. 12345/2026", "Pârvu-Exemplu", "SPCLEP Botoșani", "tipărit la", "regulile nr.", "2222AAAA"} {
			if !strings.Contains(sheets[0], text) {
				t.Errorf("%s: the slip lacks %q:\n%s", name, text, sheets[0])
			}
		}
		if high := ask[float64](b, `document.querySelector(".slip").getBoundingClientRect().height`); name == "a4" && high > 560 {
			t.Errorf("on A4 the slip is %v px high: more than half a sheet", high)
		}
	}
}

// F8 notes the print and calls the printer once; reloading the page, or leaving
// and coming back, prints nothing.
func TestF8PrintsOnce(t *testing.T) {
	c := at(t, "09:15")
	c.filed("2222AAAA", "Exemplu Ioana", "R01", nil)
	b := c.sits()
	b.counting()
	for _, path := range []string{"/vizita/2222AAAA/bon", "/lista", "/registru?libere=5", "/sfarsit"} {
		b.goes(path)
		ask[bool](b, `(sessionStorage.clear(), true)`)
		b.presses(kb.F8)
		b.sees("Tipărirea a fost notată")
		if n := ask[string](b, printed); n != "1" {
			t.Errorf("%s: F8 called the printer %s times", path, n)
		}
		if left := ask[string](b, `location.search`); strings.Contains(left, "tipareste") {
			t.Errorf("%s: the address still asks for printing: %s", path, left)
		}
		b.goes(path)
		b.sees("Tipărit o dată")
		if n := ask[string](b, printed); n != "1" {
			t.Errorf("%s: coming back called the printer: %s", path, n)
		}
	}
}

// The other papers, as they look and as they come out.
func TestPapersFitTheirSheets(t *testing.T) {
	c := at(t, "13:15")
	c.clerk = "Ana"
	c.books("2222AAAA", "Pârvu-Exemplu Șerban-Alexandru", "R08", monday, "09:20")
	c.elsewhere("Radu", c.wall-60_000, "2222AAAA", spclep.Arrived, true, nil)
	c.books("3333BBBB", "Szűcs-Minta Ernő", "R01", monday-20, "09:20")
	for _, f := range []struct {
		name  string
		value any
	}{{spclep.Arrived, nil}, {spclep.Filed, spclep.FiledValue{Number: "2-00009", Product: "CEI_FIRST", Day: monday - 20, Due: monday + 10, Bundle: 1}}, {spclep.Ready, nil}} {
		c.elsewhere("Radu", c.wall-3_600_000, "3333BBBB", f.name, true, f.value)
	}
	c.open("/vizita/3333BBBB").press("/vizita/3333BBBB/preda", url.Values{"cui": {"holder"}}).is(200)
	c.books("4444CCCC", "Probă Ilinca", "R14", monday, "09:40")
	c.books("5555DDDD", "Minta Ödön", "R11", monday, "10:00")
	b := c.sits()
	papers := map[string]struct {
		path      string
		wide, max int // mm, sheets
		says      string
	}{
		"lipsa-a4": {"/vizita/2222AAAA/lipsa?hartie=a4", 210, 1, "Ce acte lipsesc"}, "lipsa-80": {"/vizita/2222AAAA/lipsa?hartie=80", 80, 2, "Ce acte lipsesc"},
		"registru": {"/registru?libere=8", 297, 1, "Semnătura"}, "sfarsit": {"/sfarsit", 210, 1, "Cifrele zilei"},
	}
	var paths []string
	for name, want := range papers {
		paths = append(paths, want.path)
		b.goes(want.path)
		b.sees(want.says)
		if little := ask[[]string](b, small); len(little) > 0 {
			t.Errorf("%s has targets below 24 px: %q", want.path, little)
		}
		b.shot(name)
		sheets, size := b.paper(name)
		if w, _ := b.mm(size); w != want.wide || len(sheets) > want.max {
			t.Errorf("%s: %d sheets, %d mm wide; want at most %d, %d mm wide", name, len(sheets), w, want.max, want.wide)
		}
		if whole := strings.Join(sheets, "\n"); !strings.Contains(whole, want.says) || !strings.Contains(whole, "tipărit la") || strings.Contains(whole, "Scanați") {
			t.Errorf("%s: on paper stands\n%s", name, whole)
		}
	}
	b.fits(append(paths, "/lista", "/vizita/3333BBBB/bon?hartie=a4", "/vizita/3333BBBB/bon?hartie=80")...)
}

// On a Hungarian screen the person's papers come out of the printer in
// Hungarian, with the Romanian names beside and on no more paper than a note
// takes; the office's own come out in Romanian.
func TestPapersOfAHungarianScreenFit(t *testing.T) {
	c := moved(t, "13:40")
	c.filed("2222AAAA", "Pârvu-Exemplu Șerban-Alexandru", "R01", url.Values{"numar": {"12345/2026"}, "ridicare": {"botosani"}})
	c.books("3333BBBB", "Minta Ödön", "R08", monday, "09:20")
	c.elsewhere("Radu", c.wall-60_000, "3333BBBB", spclep.Arrived, true, nil)
	c.books("4444CCCC", "Probă Ilinca", "R14", monday, "09:40")
	b := c.sits()
	ask[string](b, `document.cookie = "condica-limba=hu; path=/"`)
	var paths []string
	for name, want := range map[string]struct {
		path      string
		wide, max int // mm, sheets
		says      []string
		not       string
	}{
		"bon-80-hu":   {"/vizita/2222AAAA/bon?hartie=80", 80, 1, []string{"Átvételi szelvény", "Prima carte", "Strada Nouă nr. 3", "nyomtatva"}, "Bon de ridicare"},
		"bon-a4-hu":   {"/vizita/2222AAAA/bon?hartie=a4", 210, 1, []string{"Átvételi szelvény", "Prima carte electronică", "Strada Nouă nr. 3", "0200 000 001"}, "Bon de ridicare"},
		"lipsa-80-hu": {"/vizita/3333BBBB/lipsa?hartie=80", 80, 3, []string{"Mely iratok hiányoznak", "születési anyakönyvi", "Certificatul de naștere"}, "Ce acte lipsesc"},
		"lipsa-a4-hu": {"/vizita/3333BBBB/lipsa?hartie=a4", 210, 1, []string{"Mely iratok hiányoznak", "Certificatul de naștere", "Strada Exemplu nr. 1"}, "Ce acte lipsesc"},
		"lipsa-a4-en": {"/vizita/3333BBBB/lipsa?hartie=a4&limba=en", 210, 1, []string{"Which papers are missing", "birth certificate", "Certificatul de naștere"}, "Ce acte lipsesc"},
		"lista-hu":    {"/lista", 210, 2, []string{"Lista zilei", "tel. 0200 000 001", "tipărit la"}, "Napi lista"},
		"registru-hu": {"/registru?libere=8", 297, 1, []string{"Registrul ridicărilor", "Semnătura"}, "Átvételi nyilvántartás"},
		"sfarsit-hu":  {"/sfarsit", 210, 1, []string{"Sfârșitul zilei", "Cifrele zilei", "Probă Ilinca", "tipărit la"}, "Napi zárás"},
	} {
		paths = append(paths, want.path)
		b.goes(want.path)
		b.sees("Küldés")
		if little := ask[[]string](b, small); len(little) > 0 {
			t.Errorf("%s has targets below 24 px: %q", name, little)
		}
		b.shot(name)
		sheets, size := b.paper(name)
		if w, _ := b.mm(size); w != want.wide || len(sheets) > want.max {
			t.Errorf("%s: %d sheets, %d mm wide; want at most %d, %d mm wide", name, len(sheets), w, want.max, want.wide)
		}
		whole := strings.Join(sheets, "\n")
		for _, text := range want.says {
			if !strings.Contains(whole, text) {
				t.Errorf("%s: the paper lacks %q:\n%s", name, text, whole)
			}
		}
		if strings.Contains(whole, want.not) || strings.Contains(whole, "Küldés") {
			t.Errorf("%s: on paper stands %q or the screen around it:\n%s", name, want.not, whole)
		}
	}
	b.fits(paths...)
}
