package page_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"condica/localdb"
	"condica/spclep"
	"condica/sync/op"
)

// The slip is printed twice on the strip printer: each print is noted before the
// paper comes out, the second says that it is one, and the browser remembers the
// printer. Looking at the page notes nothing.
func TestEveryPrintOfASlipIsNoted(t *testing.T) {
	c := at(t, "09:15")
	c.clerk = "Ana"
	c.filed("2222AAAA", "Exemplu Ioana", "R01", url.Values{"numar": {"12/2026"}})
	slip := c.open("/vizita/2222AAAA/bon?tipareste=1").
		shows("Bon de ridicare", "nr. 12/2026", "Exemplu Ioana", "SPCLEP Covasna", "luni–joi 13:00–14:00", "23.12.2026", "tipărit la 23.11.2026 09:15", "regulile nr.").
		hides("Tipărit o dată", "copia", "Tipărirea a fost notată")

	c.now(monday, "09:20")
	form := slip.fill("/vizita/2222AAAA/tiparit", url.Values{"hartie": {"80"}})
	answer := c.post("/vizita/2222AAAA/tiparit", form)
	if k := answer.Result().Cookies(); len(k) != 1 || k[0].Name != "hartie" || k[0].Value != "80" {
		t.Errorf("the browser is told %v", k)
	}
	first := answer.follow().shows("Tipărirea a fost notată", "Tipărit o dată, la 23.11.2026 09:20, de Ana.", "tipărit la 23.11.2026 09:20").hides("copia")
	if !strings.Contains(first.Body.String(), `class="slip strip"`) {
		t.Error("the strip was asked for, and the page shows another paper")
	}
	c.post("/vizita/2222AAAA/tiparit", form) // a double click
	c.open("/vizita/2222AAAA/bon").shows("Tipărit o dată", "copia 2").hides("Tipărirea a fost notată")

	c.now(monday, "10:05")
	second := first.press("/vizita/2222AAAA/tiparit", url.Values{"hartie": {"a4"}}).shows("Tipărit de 2 ori, ultima dată la 23.11.2026 10:05, de Ana.", "copia 2")
	if !strings.Contains(second.Body.String(), `class="slip half"`) {
		t.Error("A4 was asked for, and the page shows another paper")
	}
	c.open("/vizita/2222AAAA").shows("tipărit: bon de ridicare")
}

// What cannot be printed is refused, and nothing is noted.
func TestWhatIsNoPaperIsNotPrinted(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	key := url.Values{"cheie": {"cheia-unui-formular-de-proba"}}
	for want, asked := range map[int][]url.Values{
		http.StatusConflict:   {{"ce": {"slip"}, "hartie": {"a4"}}},
		http.StatusNotFound:   {{"ce": {"missing-papers"}, "hartie": {"a4"}}},
		http.StatusBadRequest: {{"ce": {"other"}, "hartie": {"a4"}}, {"ce": {"slip"}, "hartie": {"a3"}}, {"ce": {"slip"}}},
	} {
		for _, form := range asked {
			form["cheie"] = key["cheie"]
			c.post("/vizita/2222AAAA/tiparit", form).is(want)
		}
	}
	c.post("/vizita/2222AAAA/tiparit", url.Values{"ce": {"slip"}, "hartie": {"a4"}}).is(http.StatusBadRequest)
	c.open("/vizita/2222AAAA/lipsa").is(http.StatusNotFound).shows("Nota actelor lipsă se tipărește cât timp")
	c.open("/vizita/2222AAAA/bon").is(http.StatusNotFound)
	c.books("3333BBBB", "Minta Ödön", "R01", monday, "09:40")
	c.open("/vizita/3333BBBB").press("/vizita/3333BBBB/trimis", url.Values{"temei": {spclep.GroundDataMismatch}}).is(http.StatusOK)
	c.open("/vizita/3333BBBB/lipsa").is(http.StatusNotFound)
	if b, _ := c.db.Booking(t.Context(), "2222AAAA"); slices.ContainsFunc(b.Facts, func(e op.Entry) bool { return e.Cell.Field == spclep.Printed }) {
		t.Errorf("prints noted: %v", b.Facts)
	}
}

// A person lacks papers: the note says which and in what form, what was there,
// the fee, and what to do. First at the desk, then sent away for two of them.
func TestTheNoteOfMissingPapers(t *testing.T) {
	c := at(t, "09:15")
	c.clerk = "Ana"
	c.books("2222AAAA", "Exemplu Ioana", "R08", monday, "09:20")
	v := c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
	all, err := c.office.Visit(t.Context(), "2222AAAA")
	c.must(err)
	if len(all.Missing) < 3 {
		t.Fatalf("R08 lacks %d papers at the start: the story needs 3", len(all.Missing))
	}
	note := c.open("/vizita/2222AAAA/lipsa").
		shows("Ce acte lipsesc", "Exemplu Ioana", "luni 23.11.2026, ora 09:20", "Taxă", "SPCLEP Covasna", "luni–vineri 09:00–13:00", "luni–joi 13:00–15:00",
			"https://hub.mai.gov.ro/cei/programari/harta", "Dacă nu pot fi aduse azi", "tipărit la 23.11.2026 09:15").hides("Vizita s-a încheiat", "văzut deja")
	for _, p := range all.Missing {
		note.shows(p.Title)
		for _, way := range p.OneOf {
			note.shows(way.Title)
		}
	}

	// The copy of one of them is not there.
	var both *spclep.Paper
	for i, p := range all.Missing {
		if p.Form == spclep.Both {
			both = &all.Missing[i]
			break
		}
	}
	if both == nil {
		t.Fatal("no paper of R08 is asked for as original and copy: the story needs one")
	}
	v.press("/vizita/2222AAAA/acte", url.Values{spclep.PrefixPaper + both.ID: {"original"}})
	c.open("/vizita/2222AAAA/lipsa").shows(both.Title+": original și copie", "văzut deja: original")

	other := all.Missing[0]
	if other.ID == both.ID {
		other = all.Missing[1]
	}
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/trimis", url.Values{"temei": {spclep.GroundPapersMissing}, "lipsa": {both.ID, other.ID}, "nota": {"revine cu mama"}}).is(http.StatusOK)
	note = c.open("/vizita/2222AAAA/lipsa").shows("De adus 2 acte:", both.Title, other.Title, "Vizita s-a încheiat fără cerere", "Observația lucrătorului: revine cu mama").hides("Dacă nu pot fi aduse azi")
	for _, p := range all.Missing {
		if p.ID != both.ID && p.ID != other.ID {
			note.hides(p.Title)
		}
	}
	note.press("/vizita/2222AAAA/tiparit", url.Values{"hartie": {"80"}}).shows("Tipărit o dată, la 23.11.2026 09:15, de Ana.")
	c.open("/vizita/2222AAAA").shows("tipărit: nota actelor lipsă")
}

// The day's list holds everybody, a line for each place still free, at least
// five, and lines for people without a booking; its print is traced on this PC.
func TestTheDaysListOnPaper(t *testing.T) {
	c := at(t, "11:50")
	c.clerk = "Ana"
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	c.books("3333BBBB", "Szűcs-Minta Ernő", "R11", monday, "12:40")
	c.books("4444CCCC", "Példa Réka", "R02", monday+1, "09:00")
	c.elsewhere("Radu", c.wall-60_000, "2222AAAA", spclep.Cancelled, true, spclep.CancelledValue{Ground: "citizen"})
	rows := func(s sheet) int { return strings.Count(s.Body.String(), `class="tickbox"`) }

	list := c.open("/lista").shows("Lista zilei luni 23.11.2026", "2 programări", "Exemplu Ioana", "anulat", "12:40", "Szűcs-Minta Ernő", "Observații", "Fără programare (13:00–15:00)",
		"5 rânduri goale", "tipărit la 23.11.2026 11:50", "regulile nr.").hides("Példa Réka", "Tipărit o dată")
	if n := rows(list); n != 2+5+5 {
		t.Errorf("%d lines, want 2 booked, 5 free and 5 for people without a booking", n)
	}
	// Tuesday has 12 places, and one is taken; Friday takes nobody without a booking.
	if n := rows(c.open("/lista?zi=2026-11-24").shows("Példa Réka")); n != 1+11+5 {
		t.Errorf("%d lines on Tuesday, want 1 booked, 11 free and 5", n)
	}
	c.open("/lista?zi=2026-11-27").shows("numai urgențe aprobate")
	c.open("/lista?zi=mâine").is(http.StatusBadRequest)

	list.press("/lista/tiparit", nil).shows("Tipărirea a fost notată", "Tipărit o dată, la 23.11.2026 11:50, de Ana.")
	c.open("/lista?zi=2026-11-24").hides("Tipărit o dată")
	c.traced("printed-day", "Ana", "2026-11-23")
}

// traced holds the last line of this PC's trace against what was printed.
func (c *counter) traced(what, by, about string) {
	c.Helper()
	traces, err := c.db.Traces(c.Context(), 1)
	c.must(err)
	if want := (localdb.Trace{AtMs: c.wall, What: what, By: by, About: about}); len(traces) != 1 || traces[0] != want {
		c.Errorf("traced %+v, want %+v", traces, want)
	}
}

// The register shows who took which card that day: not what was taken back, not
// another day's, and a card that was given out twice on both its lines. Cards
// that still lie here come on lines to be filled by hand, where asked for.
func TestThePickupRegister(t *testing.T) {
	c := at(t, "13:10")
	c.clerk = "Ana"
	card := func(id spclep.BookingID, name, number string) {
		c.books(id, name, "R02", monday-20, "09:20")
		c.elsewhere("Radu", c.when(monday-20, "09:20"), id, spclep.Arrived, true, nil)
		c.elsewhere("Radu", c.when(monday-20, "09:30"), id, spclep.Filed, true,
			spclep.FiledValue{Number: number, Product: "CEI_U14", Day: monday - 20, Due: monday + 10, Bundle: 1, Birth: spclep.NewDay(2016, 5, 4)})
		c.elsewhere("Radu", c.when(monday-1, "10:00"), id, spclep.Ready, true, nil)
	}
	card("2222AAAA", "Példa Réka", "101")
	card("3333BBBB", "Exemplu Ioana", "102")
	card("4444CCCC", "Minta Ödön", "103")
	card("5555DDDD", "Probă Ilinca", "104")
	c.open("/registru").shows("Niciun act predat").hides("Példa Réka", "Minta Ödön")
	give := url.Values{"cui": {"parent"}, "nume": {"Példa Anna"}}
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/preda", give).is(http.StatusOK)
	c.open("/vizita/3333BBBB").press("/vizita/3333BBBB/preda", give).press("/vizita/3333BBBB/anulare", url.Values{"motiv": {"din greșeală"}}).is(http.StatusOK)
	c.elsewhere("Radu", c.when(monday-1, "13:00"), "5555DDDD", spclep.HandedOver, true, spclep.HandedOverValue{To: "parent", Name: "Probă Maria"})
	c.elsewhere("Radu", c.when(monday, "13:20"), "2222AAAA", spclep.HandedOver, true, spclep.HandedOverValue{To: "holder", PermitSurrendered: true})
	c.elsewhere("Radu", c.when(monday, "13:25"), "5555DDDD", spclep.HandedOver, true, spclep.HandedOverValue{To: "parent", Name: "Probă Dan"})

	day := c.open("/registru").shows("Registrul ridicărilor luni 23.11.2026", "3 acte predate", "Probă Dan", "13:10", "101", "un părinte: Példa Anna", "Ana", "13:20", "predat a doua oară", "titularul", "Semnătura").
		hides("Exemplu Ioana", "Probă Maria", "Minta Ödön")
	c.open("/registru?zi=2026-11-22").shows("1 act predat", "Probă Maria").hides("13:20", "Probă Dan")
	free := c.open("/registru?libere=5").shows("Acte sosite, neridicate", "103", "Minta Ödön", "102", "Exemplu Ioana")
	if n := strings.Count(free.Body.String(), `<td class="hand">`); n != 3+5 {
		t.Errorf("%d lines to sign, want 3 given out and 5 free", n)
	}
	c.open("/registru?libere=multe").hides("Acte sosite")
	free.press("/registru/tiparit", nil).shows("Tipărit o dată", "Acte sosite, neridicate")
	day.press("/registru/tiparit", nil).shows("Tipărit de 2 ori").hides("Acte sosite")
	c.traced("printed-register", "Ana", "2026-11-23")
}
