package page_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"condica/spclep"
)

// A name is missing in four places, and an application in two: each is said in
// its own words in every language, and the summary leads to the field.
func TestEachRefusalHasItsOwnSentence(t *testing.T) {
	says := map[string][]string{
		"ro": {"Scrieți numele persoanei: codul nu conține nume.", "Scrieți numele persoanei.", "Numele nu poate rămâne gol.",
			"Nu există o cerere în lucru la această programare.", "Scrieți numele persoanei care ridică actul."},
		"hu": {"Írja be a személy nevét: a kód nem tartalmaz nevet.", "Írja be a személy nevét.", "A név nem maradhat üresen.",
			"Ennél az időpontnál nincs folyamatban lévő kérelem.", "Írja be az okmányt átvevő személy nevét."},
		"en": {"Write the person's name: the code holds none.", "Write the person's name.", "The name cannot be left empty.",
			"There is no application open on this booking.", "Write the name of the person who collects the card."},
	}
	for lang, say := range says {
		c, _ := in(t, "13:15", lang)
		scanned := c.find(c.qr(c.key, 1, 1, "N2B3C4D5", "R01", "13:20"))
		scanned.press("/acceptare", url.Values{"nume": {" "}}).refuses(say[0], "nume")
		c.open("/fara-programare").press("/fara-programare", url.Values{"nume": {" "}, "motiv": {"R11"}}).refuses(say[1], "fara-nume")

		c.books("2222AAAA", "Exemplu Ioana", "R02", monday, "13:20")
		v := c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
		v.press("/vizita/2222AAAA/date", url.Values{"name": {" "}}).refuses(say[2], "date-name")
		key := v.fill("/vizita/2222AAAA/preia", nil)["cheie"]
		c.post("/vizita/2222AAAA/sosit", url.Values{"cheie": key}).refuses(say[3], "")

		v = v.press("/vizita/2222AAAA/preia", url.Values{"desi": {"le aduce mama"}, "nastere": {"2020-03-01"}})
		v = v.press("/vizita/2222AAAA/sosit", nil)
		v.press("/vizita/2222AAAA/preda", url.Values{"cui": {"parent"}, "nume": {" "}}).refuses(say[4], "preda-nume")
	}
}

// refuses holds the error summary against one sentence and the field it leads
// to; empty: to none.
func (s sheet) refuses(say, field string) sheet {
	s.c.Helper()
	s.is(http.StatusUnprocessableEntity)
	_, summary, _ := strings.Cut(s.Body.String(), `id="erori"`)
	summary, _, _ = strings.Cut(summary, "</div>")
	if text := readable(summary); !strings.Contains(text, " "+say+" ") {
		s.c.Errorf("the summary does not say %q: %s", say, text)
	}
	_, link, linked := strings.Cut(summary, `href="#`)
	link, _, _ = strings.Cut(link, `"`)
	if got, err := url.PathUnescape(link); err != nil || linked != (field != "") || got != field {
		s.c.Errorf("the summary leads to %q, want %q: %s", got, field, summary)
	}
	return s
}

// What the head of service decides leads to the field for the head's PIN, where
// the form has one.
func TestARefusalLeadsToTheHeadsPIN(t *testing.T) {
	g := withClerks(t, "09:10")
	ion := g.seat()
	v := ion.signs(ion.open("/vizita/2222AAAA"), "Ion Probă", ionPIN)
	v = ion.press(v, "/vizita/2222AAAA/prezent", nil)
	arrived := v.fill("/vizita/2222AAAA/anulare", nil).Get("actiune")
	g.elsewhere("Radu", g.wall-30_000, "2222AAAA", spclep.Filed, true, spclep.FiledValue{Number: "77", Product: "CEI_FIRST", Day: monday, Due: monday + 30})
	v = ion.open("/vizita/2222AAAA")
	ion.press(v, "/vizita/2222AAAA/prelungire", url.Values{"motiv": {"verificări"}}).refuses("Aici hotărăște șeful de serviciu: cereți-i să aprobe cu PIN-ul propriu.", "prelungire-sef-pin")
	for _, ms := range []int64{20_000, 10_000} {
		g.elsewhere("Radu", g.wall-ms, "2222AAAA", spclep.HandedOver, true, spclep.HandedOverValue{To: "holder"})
	}
	v = ion.open("/vizita/2222AAAA")
	ion.press(v, "/vizita/2222AAAA/lamurit", url.Values{"motiv": {"titularul are actul"}}).refuses("Aici hotărăște șeful de serviciu: cereți-i să aprobe cu PIN-ul propriu.", "lamurit-sef-pin")
	g.now(monday+1, "09:11")
	v = ion.signs(ion.open("/vizita/2222AAAA"), "Ion Probă", ionPIN)
	form := v.fill("/vizita/2222AAAA/anulare", url.Values{"actiune": {arrived}, "motiv": {"greșit"}})
	ion.do(http.MethodPost, "/vizita/2222AAAA/anulare", form).
		refuses("Ce s-a făcut cu mai mult de 24 ore în urmă poate fi anulat numai de șeful de serviciu, cu PIN-ul propriu.", "anulare-"+arrived+"-sef-pin")
}

// An office without accounts has no such field, and no link to one.
func TestARefusalWithoutAccountsLeadsNowhere(t *testing.T) {
	c := at(t, "09:10")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	v := c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
	c.now(monday+1, "09:11")
	v.press("/vizita/2222AAAA/anulare", url.Values{"motiv": {"greșit"}}).
		refuses("Ce s-a făcut cu mai mult de 24 ore în urmă poate fi anulat numai de șeful de serviciu, cu PIN-ul propriu.", "")
}
