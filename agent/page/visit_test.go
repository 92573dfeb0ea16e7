package page_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"condica/spclep"
)

// The whole main way on the pages: present, papers, application, card here,
// card given - and what the list of the day then shows.
func TestTheMainWay(t *testing.T) {
	c := at(t, "09:15")
	c.clerk = "Ana Schiță"
	c.books("2222AAAA", "Țintă Ștefan", "R01", monday, "09:20")
	c.open("/").shows("Țintă Ștefan", "09:20", "Carte electronică de identitate", "așteptat", "1 programare")

	v := c.open("/vizita/2222AAAA").shows("Țintă Ștefan", "luni 23.11.2026, ora 09:20", "Prezent")
	v = v.press("/vizita/2222AAAA/prezent", nil).shows("Prezența a fost notată", "acte nu au fost încă văzute")

	// Married: the checklist grows by the marriage certificate.
	if strings.Contains(v.text, "căsătorit(ă) ·") {
		t.Fatal("nobody has said that the person is married")
	}
	v = v.press("/vizita/2222AAAA/raspunsuri", url.Values{"answer.civil": {"married"}}).
		shows("pentru că: căsătorit(ă)")

	papers := url.Values{}
	for field := range v.fill("/vizita/2222AAAA/acte", nil) {
		if id, ok := strings.CutPrefix(field, "vechi.paper."); ok {
			papers["paper."+id] = []string{"original", "copy"}
		}
	}
	v = v.press("/vizita/2222AAAA/acte", papers).shows("Toate actele cerute au fost văzute")
	v = v.press("/vizita/2222AAAA/preia", url.Values{"numar": {""}}).
		shows("Cererea a fost preluată", "nr. 1-00001", "cerere preluată", "23.12.2026")
	c.open("/vizita/2222AAAA/bon").shows("Bon de ridicare", "nr. 1-00001", "Țintă Ștefan", "SPCLEP Covasna", "tipărit la 23.11.2026 09:15", "regulile nr.")

	c.now(monday+7, "13:20")
	c.open("/ridicari").shows("Cereri în lucru", "1-00001", "Țintă Ștefan")
	v = c.find("1-00001").follow().press("/vizita/2222AAAA/sosit", nil).shows("Actul a fost notat ca sosit")
	v.press("/vizita/2222AAAA/preda", url.Values{"cui": {"holder"}}).
		shows("Predarea a fost notată", "Nu mai este nimic de făcut", "titularul", "Ana Schiță · acest PC · ◌ netrimis")
	c.open("/?zi=2026-11-23").shows("act predat")
}

// A double click is one action; the same form with another wish is another.
func TestADoubleClickActsOnce(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	form := c.open("/vizita/2222AAAA").fill("/vizita/2222AAAA/prezent", nil)
	for range 2 {
		c.post("/vizita/2222AAAA/prezent", form).is(http.StatusSeeOther)
	}
	b, err := c.db.Booking(t.Context(), "2222AAAA")
	c.must(err)
	if len(b.Facts) != 2 || len(b.Visit.Doubles) != 0 {
		t.Errorf("two presses of one button wrote %d facts, want booked and arrived", len(b.Facts))
	}

	date := c.open("/vizita/2222AAAA").fill("/vizita/2222AAAA/date", url.Values{"note": {"vine cu mama"}})
	c.post("/vizita/2222AAAA/date", date).is(http.StatusSeeOther)
	date.Set("email", "ioana@example.ro")
	c.post("/vizita/2222AAAA/date", date).is(http.StatusSeeOther)
	c.open("/vizita/2222AAAA").shows("ioana@example.ro")

	walk := c.open("/fara-programare").fill("/fara-programare", url.Values{
		"nume": {"Minta Ödön"}, "motiv": {"R11"}, "urgenta": {"da"}, "aprobat": {"șef serviciu"}, "de-ce": {"internare mâine"}})
	first := c.post("/fara-programare", walk).is(http.StatusSeeOther).Header().Get("Location")
	if again := c.post("/fara-programare", walk).is(http.StatusSeeOther).Header().Get("Location"); again != first {
		t.Errorf("one form made two walk-ins: %s and %s", first, again)
	}
}

// Papers missing: the clerk says which, and the page tells why not when not.
func TestSentAwayForMissingPapers(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Szűcs-Minta Ernő", "R10", monday, "09:00")
	v := c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
	form := v.fill("/vizita/2222AAAA/trimis", url.Values{"temei": {spclep.GroundPapersMissing}, "nota": {"revine vineri"}})
	delete(form, "lipsa")
	bad := c.post("/vizita/2222AAAA/trimis", form).is(http.StatusUnprocessableEntity).
		shows("Nu s-a putut face", "Alegeți actele care lipsesc.", "B12")
	if !strings.Contains(bad.Body.String(), `value="revine vineri"`) || !strings.Contains(bad.Body.String(), "<title>Eroare:") {
		t.Error("the refused form lost what was typed, or the title does not say that it was refused")
	}
	bad.press("/vizita/2222AAAA/trimis", url.Values{"lipsa": {"R08C.7"}}).
		shows("Vizita a fost încheiată", "trimis acasă", "lipsesc acte; R08C.7; revine vineri")
	c.open("/?zi=2026-11-23").shows("trimis acasă")
}

// An extract of 31 days is too old at filing, and the page says it where the
// day was typed and where the application is refused.
func TestLandExtractTooOld(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	v := c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
	v = v.press("/vizita/2222AAAA/acte", url.Values{"land-extract": {"23.10.2026"}}).shows("23.10.2026", "se admit cel mult 30")
	v.press("/vizita/2222AAAA/preia", nil).is(http.StatusUnprocessableEntity).shows("se admit cel mult 30", "R01.8")
	v.press("/vizita/2222AAAA/acte", url.Values{"land-extract": {"24.10.2026"}}).hides("se admit cel mult 30").shows("cel mult 30 de zile")
	v.press("/vizita/2222AAAA/acte", url.Values{"land-extract": {"31.02.2026"}}).is(http.StatusUnprocessableEntity).shows("nu este validă")
}

// Whoever does not know what has become of a value does not overwrite it, and
// what one did not touch is not written at all.
func TestAStaleFormOverwritesNothing(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	stale := c.open("/vizita/2222AAAA")
	c.elsewhere("Radu", c.wall, "2222AAAA", "note", false, "sunați înainte")

	email := stale.fill("/vizita/2222AAAA/date", url.Values{"email": {"ioana@example.ro"}})
	c.post("/vizita/2222AAAA/date", email).is(http.StatusSeeOther)
	c.open("/vizita/2222AAAA").shows("ioana@example.ro", "Observație → sunați înainte")

	note := stale.fill("/vizita/2222AAAA/date", url.Values{"note": {"alt text"}})
	c.post("/vizita/2222AAAA/date", note).is(http.StatusUnprocessableEntity).shows("Între timp, la alt ghișeu", "sunați înainte")
	if b, _ := c.db.Booking(t.Context(), "2222AAAA"); b.Note != "sunați înainte" {
		t.Errorf("the note is %q: a stale form overwrote it", b.Note)
	}
}

// An undo is traced, needs a reason, and takes back one step at a time.
func TestUndoWithReason(t *testing.T) {
	c := at(t, "09:15")
	c.clerk = "Ana"
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	v := c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
	v.press("/vizita/2222AAAA/anulare", url.Values{"motiv": {" "}}).is(http.StatusUnprocessableEntity).shows("Scrieți motivul anulării.")
	v.press("/vizita/2222AAAA/anulare", url.Values{"motiv": {"altă persoană"}}).
		shows("Pasul a fost anulat", "așteptat", "anulare: prezență (23.11.2026 09:15)", "motiv: altă persoană")
}

// A refusal stands in the summary with its rule, and nothing was written.
func TestRefusalNamesItsRule(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday+1, "09:20")
	v := c.open("/vizita/2222AAAA").shows("Programarea este pentru 24.11.2026, nu pentru astăzi.", "B09").hides("Prezent F4")
	form := v.fill("/vizita/2222AAAA/trimis", nil)
	c.post("/vizita/2222AAAA/prezent", url.Values{"cheie": form["cheie"]}).is(http.StatusUnprocessableEntity).
		shows("Programarea este pentru 24.11.2026", "regula B09")
	if b, _ := c.db.Booking(t.Context(), "2222AAAA"); b.Visit.State != spclep.StateBooked {
		t.Errorf("state %q after a refusal", b.Visit.State)
	}
}
