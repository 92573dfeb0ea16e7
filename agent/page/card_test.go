package page_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"condica/agent/office"
	"condica/agent/page"
	"condica/localdb"
	"condica/spclep"
)

// filed brings a booking to an application on the pages.
func (c *counter) filed(id spclep.BookingID, name string, reason spclep.Reason, entered url.Values) sheet {
	c.Helper()
	c.books(id, name, reason, monday, "09:20")
	v := c.open("/vizita/"+string(id)).press("/vizita/"+string(id)+"/prezent", nil)
	form := url.Values{"desi": {"actele se aduc mâine, aprobat"}}
	for field, values := range entered {
		form[field] = values
	}
	return v.press("/vizita/"+string(id)+"/preia", form).is(http.StatusOK)
}

// Papers that were not seen stand in the way of an application until the clerk
// says why it is taken without them, and that stays on the record (B12).
func TestAnApplicationDespiteMissingPapers(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	v := c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
	v = v.press("/vizita/2222AAAA/preia", url.Values{"numar": {"12/2026"}}).is(http.StatusUnprocessableEntity).shows("Nu au fost văzute toate actele", "B12")
	v.press("/vizita/2222AAAA/preia", url.Values{"desi": {"certificatul este la dosarul anterior"}}).
		shows("Cererea a fost preluată", "nr. 12/2026", "motiv: certificatul este la dosarul anterior")
}

// A child's card: the birth date decides who collects, and the parent is named.
func TestAParentCollectsTheChildsCard(t *testing.T) {
	c := at(t, "09:15")
	v := c.filed("2222AAAA", "Példa Réka", "R02", url.Values{"nastere": {"2016-05-04"}})
	v = v.press("/vizita/2222AAAA/sosit", nil).shows("unul dintre părinți", "persoana prevăzută la art. 12¹", "R02.8").hides("titularul regula")
	bad := v.press("/vizita/2222AAAA/preda", url.Values{"cui": {"parent"}}).is(http.StatusUnprocessableEntity).shows("Scrieți numele persoanei care ridică actul.")
	bad.press("/vizita/2222AAAA/preda", url.Values{"cui": {"holder"}}).is(http.StatusUnprocessableEntity).shows("Actul nu poate fi înmânat acestei persoane")
	form := bad.fill("/vizita/2222AAAA/preda", url.Values{"nume": {"Példa Anna"}})
	delete(form, "cui")
	c.post("/vizita/2222AAAA/preda", form).is(http.StatusUnprocessableEntity).shows("Alegeți cine ridică actul.")
	bad.press("/vizita/2222AAAA/preda", url.Values{"cui": {"parent"}, "nume": {"Példa Anna"}}).shows("un părinte, Példa Anna")
}

// A new citizen surrenders the residence permit when taking the card (R14.8).
func TestThePermitIsSurrendered(t *testing.T) {
	c := at(t, "09:15")
	v := c.filed("2222AAAA", "Probă Ilinca", "R14", nil).press("/vizita/2222AAAA/sosit", nil).shows("A predat permisul de ședere")
	v.press("/vizita/2222AAAA/preda", url.Values{"cui": {"holder"}}).is(http.StatusUnprocessableEntity).shows("se predă permisul de ședere", "R14.8")
	v.press("/vizita/2222AAAA/preda", url.Values{"cui": {"holder"}, "permis": {"da"}}).shows("permisul de ședere a fost predat")
}

// The head of service may add at most 15 days, with a reason (T02); only an
// electronic card is collected elsewhere, later (T04, T05).
func TestTermsOfAnApplication(t *testing.T) {
	c := at(t, "09:15")
	v := c.filed("2222AAAA", "Exemplu Ioana", "R01", nil).shows("Termen: 23.12.2026")
	v.press("/vizita/2222AAAA/prelungire", url.Values{"zile": {"16"}, "motiv": {"verificări"}}).is(http.StatusUnprocessableEntity).shows("cel mult", "T02").
		press("/vizita/2222AAAA/prelungire", url.Values{"zile": {"multe"}}).is(http.StatusUnprocessableEntity).shows("Scrieți câte zile, în cifre.")
	v.press("/vizita/2222AAAA/prelungire", url.Values{"zile": {"15"}, "motiv": {"verificări"}}).shows("Termen: 07.01.2027", "cu 15 zile, până la 07.01.2027", "motiv: verificări")
	c.open("/vizita/2222AAAA/bon").shows("07.01.2027")

	c.books("3333BBBB", "Minta Ödön", "R03", monday, "09:40")
	cis := c.open("/vizita/3333BBBB").press("/vizita/3333BBBB/prezent", nil)
	cis.press("/vizita/3333BBBB/preia", url.Values{"ridicare": {"botosani"}, "desi": {"aprobat"}}).is(http.StatusUnprocessableEntity).shows("T05")
	cei := c.filed("4444CCCC", "Probă Ilinca", "R01", url.Values{"ridicare": {"botosani"}, "numar": {"77/2026"}}).shows("nr. 77/2026")
	if strings.Contains(cei.text, "Termen: 23.12.2026") {
		t.Error("a card collected elsewhere is due no later")
	}
	c.open("/vizita/4444CCCC/bon").shows("SPCLEP Botoșani")
}

// Who has come cannot be noted as absent, and the page does not offer it.
func TestGroundsFollowTheVisit(t *testing.T) {
	c := at(t, "09:45")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	v := c.open("/vizita/2222AAAA").shows("nu s-a prezentat")
	gone := v.fill("/vizita/2222AAAA/trimis", url.Values{"temei": {spclep.GroundNoShow}})
	v.press("/vizita/2222AAAA/prezent", nil).hides("nu s-a prezentat")
	c.post("/vizita/2222AAAA/trimis", gone).is(http.StatusUnprocessableEntity).shows("Persoana s-a prezentat", "B10")
}

// A closed day says why, and a day that is none is told apart.
func TestClosedDays(t *testing.T) {
	c := at(t, "09:15")
	c.open("/?zi=2026-11-30").shows("nu se lucrează cu publicul: sărbătoare legală", "Nicio programare")
	c.open("/?zi=2026-13-01").is(http.StatusBadRequest).shows("Data din adresă nu este validă")
	if body := c.open("/?zi=2026-11-28").Body.String(); !strings.Contains(body, `/?zi=2026-11-27`) || !strings.Contains(body, `/?zi=2026-12-02`) {
		t.Error("the days beside a weekend before two holidays are not 27 November and 2 December")
	}
}

// A PC that belongs to no office says so on every page, and how to change it.
func TestNotEnrolledYet(t *testing.T) {
	c := at(t, "09:15")
	db, _, err := localdb.Open(t.Context(), t.TempDir(), localdb.Options{Now: c.reading})
	c.must(err)
	t.Cleanup(func() { db.Close() })
	c.office = office.New(office.Config{DB: db, Ref: c.office.Reference(), Zone: bucharest(t), Up: func() int64 { return 1 }})
	c.pages = c.serve(host)
	for _, path := range []string{"/", "/coada", "/vizita/2222AAAA", "/cauta?q=ana"} {
		c.open(path).is(http.StatusServiceUnavailable).shows("Acest PC nu este încă înrolat", "condica enroll")
	}
	c.open("/ajutor").is(http.StatusOK)
}

// A replica that cannot be read is said in one sentence, and nothing is lost
// silently.
func TestAFaultIsOneSentence(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	form := c.open("/vizita/2222AAAA").fill("/vizita/2222AAAA/prezent", nil)
	c.must(c.db.Close())
	c.post("/vizita/2222AAAA/prezent", form).is(http.StatusInternalServerError).shows("Nu s-a salvat nimic", "Starea nu poate fi citită")
}

// In the demo the line is cut and mended by a button.
func TestDemoCutsTheLine(t *testing.T) {
	c := at(t, "09:15")
	c.post("/demo/linie", url.Values{"taiata": {"da"}}).is(http.StatusNotFound)
	cut := false
	c.pages = page.New(c.office, page.Options{
		Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Hosts: []string{host}, Random: func() string { return strings.Repeat("k", 26) },
		Demo: &page.Demo{Cut: func() bool { return cut }, SetCut: func(c bool) { cut = c }, Command: "condica demo line"},
	})
	s := c.open("/").shows("linia cu centrul este întreagă", "condica demo line").press("/demo/linie", nil).shows("linia cu centrul este tăiată")
	if !cut {
		t.Error("the line is still whole")
	}
	s.press("/demo/linie", nil).shows("linia cu centrul este întreagă")
}

// A wrong clock is a calm line with the size of the error, and stops nobody.
func TestWrongClockIsToldCalmly(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	c.skew = 7 * 60_000
	c.open("/stare").shows("ceasul PC-ului este înainte cu 7 minute; orele notate sunt corectate")
	c.skew = -3 * 24 * 3_600_000
	c.open("/").shows("ceasul PC-ului este în urmă cu 3 zile")
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil).shows("Prezența a fost notată", "23.11.2026 09:15")
}
