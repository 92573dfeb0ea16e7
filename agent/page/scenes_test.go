package page_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"condica/agent/office"
	"condica/agent/page"
	"condica/localdb"
	"condica/spclep"
	"condica/sync/link"
	"condica/sync/wire"
)

// A scene is a counter at one moment, with the pages that are looked at then.
// A new page of the desk gets its line in these tables.
type scene struct {
	name  string
	set   func(*testing.T) *counter
	serve func(c *counter, hosts ...string) http.Handler // nil: as every desk
	looks []look
}

// A look is one page. With a form, the page that comes after sending it: the
// form of that action as it stands, with some fields filled in.
type look struct {
	name, path string
	form       string
	fill       map[string]string // "" takes the ticks away
	shows      string            // what only this page says
}

var online = scene{name: "online", set: fullDay, looks: []look{
	{name: "zi", path: "/"},
	{name: "zi-inchisa", path: "/?zi=2026-11-30"},
	{name: "cauta", path: "/cauta?q=exemplu"},
	{name: "cauta-nimic", path: "/cauta?q=Nimeni"},
	{name: "cauta-scurt", path: "/cauta?q=x"},
	{name: "cod-ministerial", path: "/cauta?q=https://hub.mai.gov.ro/x"},
	{name: "programat", path: "/vizita/2222AAAA"},
	{name: "alta-zi", path: "/vizita/2222AAAH"},
	{name: "prezent", path: "/vizita/2222AAAB"},
	{name: "preluat", path: "/vizita/2222AAAC"},
	{name: "sosit", path: "/vizita/2222AAAD"},
	{name: "sosit-copil", path: "/vizita/2222AAAJ"},
	{name: "predat", path: "/vizita/2222AAAE"},
	{name: "trimis", path: "/vizita/2222AAAF"},
	{name: "anulat", path: "/vizita/2222AAAG"},
	{name: "bon", path: "/vizita/2222AAAC/bon"},
	{name: "bon-maghiara", path: "/vizita/2222AAAC/bon?limba=hu", shows: "Átvételi szelvény"},
	{name: "lipsa", path: "/vizita/2222AAAB/lipsa"},
	{name: "lipsa-maghiara", path: "/vizita/2222AAAB/lipsa?limba=hu&hartie=80", shows: "Mely iratok hiányoznak"},
	{name: "lipsa-engleza", path: "/vizita/2222AAAB/lipsa?limba=en", shows: "Which papers are missing"},
	{name: "lista", path: "/lista"},
	{name: "registru", path: "/registru"},
	{name: "sfarsit", path: "/sfarsit"},
	{name: "fara", path: "/fara-programare"},
	{name: "ridicari", path: "/ridicari"},
	{name: "coada", path: "/coada"},
	{name: "conflicte", path: "/conflicte"},
	{name: "ajutor", path: "/ajutor"},
}}

var offline = scene{name: "offline", set: cutOff, looks: []look{
	{name: "zi", path: "/"},
	{name: "cauta", path: "/cauta?q=exemplu"},
	{name: "programat", path: "/vizita/2222AAAA"},
	{name: "prezent", path: "/vizita/2222AAAB"},
	{name: "prezent-acum", path: "/vizita/2222AAAK?facut=prezent"},
	{name: "sosit", path: "/vizita/2222AAAJ"},
	{name: "fara", path: "/fara-programare"},
	{name: "ridicari", path: "/ridicari"},
	{name: "sfarsit", path: "/sfarsit"},
	{name: "coada", path: "/coada"},
	{name: "conflicte", path: "/conflicte"},
	{name: "ajutor", path: "/ajutor"},
}}

var conflict = scene{name: "conflict", set: clashes, looks: []look{
	{name: "zi", path: "/"},
	{name: "cauta", path: "/cauta?q=exemplu"},
	{name: "camp", path: "/vizita/2222AAAA", shows: "vine cu mama"},
	{name: "doua-prezente", path: "/vizita/2222AAAB"},
	{name: "doua-predari", path: "/vizita/2222AAAC", shows: "Actul apare predat de două ori"},
	{name: "anulat-prezent", path: "/vizita/2222AAAD"},
	{name: "ridicari", path: "/ridicari"},
	{name: "coada", path: "/coada", shows: "refuzată"},
	{name: "conflicte", path: "/conflicte"},
	{name: "ajutor", path: "/ajutor"},
}}

var empty = scene{name: "gol", set: func(t *testing.T) *counter { return at(t, "09:15") }, looks: []look{
	{name: "zi", path: "/"},
	{name: "cauta", path: "/cauta"},
	{name: "fara", path: "/fara-programare"},
	{name: "lista", path: "/lista"},
	{name: "registru", path: "/registru"},
	{name: "ridicari", path: "/ridicari"},
	{name: "sfarsit", path: "/sfarsit"},
	{name: "coada", path: "/coada"},
	{name: "conflicte", path: "/conflicte"},
	{name: "ajutor", path: "/ajutor"},
}}

var refused = scene{name: "eroare", set: fullDay, looks: []look{
	{name: "trimis", path: "/vizita/2222AAAB", form: "/vizita/2222AAAB/trimis", fill: map[string]string{"temei": spclep.GroundPapersMissing, "nota": "revine vineri", "lipsa": ""}, shows: "Alegeți actele care lipsesc."},
	{name: "acte", path: "/vizita/2222AAAB", form: "/vizita/2222AAAB/acte", fill: map[string]string{"receipt": strings.Repeat("ș", 600)}, shows: "Textul este prea lung"},
	{name: "preia", path: "/vizita/2222AAAB", form: "/vizita/2222AAAB/preia", fill: map[string]string{"numar": "12/2026"}, shows: "Nu au fost văzute toate actele"},
	{name: "prelungire", path: "/vizita/2222AAAC", form: "/vizita/2222AAAC/prelungire", fill: map[string]string{"zile": "16", "motiv": "verificări"}, shows: "T02"},
	{name: "preda", path: "/vizita/2222AAAJ", form: "/vizita/2222AAAJ/preda", shows: "Alegeți cine ridică actul."},
	{name: "anulare", path: "/vizita/2222AAAB", form: "/vizita/2222AAAB/anulare", shows: "Scrieți motivul anulării."},
	{name: "fara", path: "/fara-programare", form: "/fara-programare", shows: "Nu s-a putut face"},
	{name: "nu-exista", path: "/nimic"},
	{name: "zi-gresita", path: "/?zi=2026-13-01"},
	{name: "vizita-necunoscuta", path: "/vizita/9999XXXX"},
	{name: "bon-prea-devreme", path: "/vizita/2222AAAA/bon"},
}}

// scanned needs the codes that only a counter can sign.
var scanned = scene{name: "scanat", set: fullDay, looks: []look{
	{name: "nou", path: "/cauta?q=QR"},
	{name: "nou-fara-nume", path: "/cauta?q=QR", form: "/acceptare"},
	{name: "alt-serviciu", path: "/cauta?q=ELSEWHERE"},
}}

var unenrolled = scene{name: "neinrolat", set: notEnrolled, looks: []look{
	{name: "zi", path: "/"}, {name: "coada", path: "/coada"}, {name: "ajutor", path: "/ajutor"},
}}

var clockLost = scene{name: "ceas", set: deadBattery, looks: []look{
	{name: "zi", path: "/"}, {name: "vizita", path: "/vizita/2222AAAA"}, {name: "gresit", path: "/", form: "/ceas", fill: map[string]string{"zi": "", "ora": ""}},
}}

var demoOf = scene{name: "demo", set: fullDay, serve: func(c *counter, hosts ...string) http.Handler {
	var cut atomic.Bool
	return page.New(c.office, page.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Hosts: hosts, Random: func() string { return "cheie" },
		Demo: &page.Demo{Cut: cut.Load, SetCut: cut.Store, Command: "condica demo line"}})
}, looks: []look{{name: "intreaga", path: "/"}, {name: "taiata", path: "/", form: "/demo/linie"}}}

// doorway is what a browser meets that was not let in. Its script is held back,
// so that the page with the button stands still.
var doorway = scene{name: "intrare", set: func(t *testing.T) *counter { return at(t, "09:15") }, serve: func(c *counter, hosts ...string) http.Handler {
	tickets := page.NewTickets(func() string { return "bilet" }, func() int64 { return 1 }, nil, func([]string) {})
	desk := page.New(c.office, page.Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Hosts: hosts, Random: func() string { return "cheie" }, Tickets: tickets})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/static/enter.js" {
			http.NotFound(w, r)
			return
		}
		desk.ServeHTTP(w, r)
	})
}, looks: []look{{name: "inchisa", path: "/"}, {name: "bilet", path: "/intra?bilet=bilet"}, {name: "folosit", path: "/intra?bilet=bilet", form: "/intra"}}}

// guests is a PC whose lender is off, and the lender's page as it is seen there.
var guests = scene{name: "oaspete", set: fullDay, serve: func(c *counter, hosts ...string) http.Handler {
	quiet, random := slog.New(slog.NewTextHandler(io.Discard, nil)), func() string { return "cheie" }
	here := page.New(c.office, page.Options{Log: quiet, Hosts: hosts, Random: random, Lender: func() string { return "Birou-1" }})
	there := page.New(c.office, page.Options{Log: quiet, Hosts: hosts, Random: random, Seat: func(*http.Request) (string, string) { return "Ghișeul 2", "" }})
	return standing(page.Guest(page.GuestDesk{Log: quiet, Office: c.office, Hosts: hosts, Lender: "Birou-1", Here: here, Works: func() bool { return true },
		ShutOut: func(err error) bool { return err == errShutOut },
		Forward: func(w http.ResponseWriter, r *http.Request, _ string, _ []string, failed func(error)) {
			switch r.URL.Path {
			case "/ridicari":
				failed(errShutOut)
			case "/vizita/2222AAAB/date", "/coada":
				failed(errOff)
			default:
				there.ServeHTTP(w, r)
			}
		}}))
}, looks: []look{
	{name: "ghiseu", path: "/", shows: "ghișeul „Ghișeul 2”"},
	{name: "oprit", path: "/coada", shows: "Lucru pe acest PC"},
	{name: "formular", path: "/vizita/2222AAAB", form: "/vizita/2222AAAB/date", shows: "nu se scrie de două ori"},
	{name: "exclus", path: "/ridicari", shows: "nu mai primește acest ghișeu"},
	{name: "aici", path: "/coada", form: "/aici", shows: "Lucrați pe acest PC"},
}}

// standing holds back what has a page ask for itself again after some seconds: a
// look at it takes longer on a busy machine.
func standing(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pages.ServeHTTP(&still{ResponseWriter: w}, r)
	})
}

type still struct{ http.ResponseWriter }

func (s *still) WriteHeader(status int) {
	s.Header().Del("Refresh")
	s.ResponseWriter.WriteHeader(status)
}

// fullDay is a Monday at five past one with a visit in every state, all of it
// sent: another PC of the office has done it.
func fullDay(t *testing.T) *counter {
	t.Helper()
	c := at(t, "13:05")
	for id, p := range map[spclep.BookingID]struct {
		name   string
		reason spclep.Reason
		clock  string
	}{
		"2222AAAA": {"Țintă Ștefan", "R01", "13:00"}, "2222AAAB": {"Exemplu-Szűcs Ioana-Alexandra", "R10", "09:00"},
		"2222AAAC": {"Pârvu-Exemplu Șerban", "R08", "09:20"}, "2222AAAD": {"Minta Ödön", "R01", "09:40"},
		"2222AAAE": {"Probă Ilinca", "R01", "10:00"}, "2222AAAF": {"Model Ana", "R11", "10:20"},
		"2222AAAG": {"Exemplu Radu", "R17", "10:40"}, "2222AAAJ": {"Példa Réka", "R02", "11:00"}, "2222AAAK": {"Model Ernő", "R07", "13:20"},
	} {
		c.books(id, p.name, p.reason, monday, p.clock)
	}
	c.books("2222AAAH", "Exemplu Horia", "R01", monday+1, "09:20")
	filed := func(number string, product spclep.Product, birth spclep.Day) spclep.FiledValue {
		return spclep.FiledValue{Number: number, Product: product, Day: monday - 20, Due: monday - 1, Bundle: 1, Birth: birth}
	}
	for i, f := range []struct {
		id    spclep.BookingID
		name  string
		fact  bool
		value any
	}{
		{"2222AAAB", spclep.Arrived, true, nil}, {"2222AAAB", "answer.civil", false, "married"}, {"2222AAAB", "note", false, "vine cu mama"},
		{"2222AAAC", spclep.Arrived, true, nil}, {"2222AAAC", spclep.Filed, true, filed("2-00001", "CEI_FIRST", 0)},
		{"2222AAAD", spclep.Arrived, true, nil}, {"2222AAAD", spclep.Filed, true, filed("2-00002", "CEI_FIRST", 0)}, {"2222AAAD", spclep.Ready, true, nil},
		{"2222AAAE", spclep.Arrived, true, nil}, {"2222AAAE", spclep.Filed, true, filed("2-00003", "CEI_FIRST", 0)}, {"2222AAAE", spclep.Ready, true, nil},
		{"2222AAAE", spclep.HandedOver, true, spclep.HandedOverValue{To: "holder"}},
		{"2222AAAF", spclep.SentAway, true, spclep.SentAwayValue{Ground: spclep.GroundNoShow}},
		{"2222AAAG", spclep.Cancelled, true, spclep.CancelledValue{Ground: "citizen"}},
		{"2222AAAJ", spclep.Arrived, true, nil}, {"2222AAAJ", spclep.Filed, true, filed("2-00004", "CEI_U14", monday-3700)}, {"2222AAAJ", spclep.Ready, true, nil},
	} {
		c.elsewhere("Radu", c.wall-9_000_000+int64(i)*60_000, f.id, f.name, f.fact, f.value)
	}
	return c
}

// cutOff is the same day with the line down and something unsent.
func cutOff(t *testing.T) *counter {
	t.Helper()
	c := fullDay(t)
	c.line.is(link.Status{Kind: link.Unreachable, SinceMs: c.reading().Up})
	c.open("/vizita/2222AAAK").press("/vizita/2222AAAK/prezent", nil)
	c.open("/vizita/2222AAAD").press("/vizita/2222AAAD/preda", url.Values{"cui": {"holder"}})
	return c
}

// clashes: a value changed on two PCs, two arrivals, two hand-overs, and a
// person who came though the slot was given back.
func clashes(t *testing.T) *counter {
	t.Helper()
	c := at(t, "13:15")
	c.clerk = "Ana Schiță"
	for i, name := range []string{"Exemplu Ioana", "Minta Ödön", "Pârvu-Exemplu Șerban", "Model Ana"} {
		c.books(spclep.BookingID("2222AAA"+string(rune('A'+i))), name, "R01", monday, "13:20")
	}
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/date", url.Values{"note": {"vine cu mama"}})
	c.elsewhere("Radu", c.wall+60_000, "2222AAAA", "note", false, "vine cu tata")
	for _, id := range []spclep.BookingID{"2222AAAB", "2222AAAD"} {
		c.open("/vizita/"+string(id)).press("/vizita/"+string(id)+"/prezent", nil)
	}
	c.elsewhere("Radu", c.wall-60_000, "2222AAAB", spclep.Arrived, true, nil)
	c.elsewhere("", c.wall-30_000, "2222AAAD", spclep.Cancelled, true, spclep.CancelledValue{Ground: "citizen"})
	for _, name := range []string{spclep.Arrived, spclep.Filed, spclep.Ready} {
		var value any
		if name == spclep.Filed {
			value = spclep.FiledValue{Number: "2-00009", Product: "CEI_FIRST", Day: monday - 20, Due: monday + 10, Bundle: 1}
		}
		c.elsewhere("Radu", c.wall-60_000, "2222AAAC", name, true, value)
	}
	c.open("/vizita/2222AAAC").press("/vizita/2222AAAC/preda", url.Values{"cui": {"holder"}})
	c.elsewhere("Radu", c.wall-30_000, "2222AAAC", spclep.HandedOver, true, spclep.HandedOverValue{To: "holder"})
	c.open("/vizita/2222AAAD").press("/vizita/2222AAAD/date", url.Values{"email": {"model@example.ro"}})
	queue, err := c.db.Queue(t.Context(), 1)
	c.must(err)
	c.save(wire.Answer{Verdicts: []wire.Verdict{{Seq: queue[0].ID.Seq, Code: wire.Refused, Say: "too large"}}})
	return c
}

// notEnrolled is a PC that belongs to no office yet.
func notEnrolled(t *testing.T) *counter {
	t.Helper()
	c := at(t, "09:15")
	db, _, err := localdb.Open(t.Context(), t.TempDir(), localdb.Options{Now: c.reading})
	c.must(err)
	t.Cleanup(func() { db.Close() })
	c.office = office.New(office.Config{DB: db, Ref: c.office.Reference(), Zone: bucharest(t), Up: func() int64 { return 1 }})
	return c
}

// deadBattery is the morning after a night switched off, in 2009, without a line.
func deadBattery(t *testing.T) *counter {
	t.Helper()
	c := at(t, "16:00")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday+1, "09:20")
	c.now(monday+1, "09:15")
	c.boot = "the next morning"
	c.skew = c.when(spclep.NewDay(2009, 1, 1), "04:00") - c.wall
	c.line.is(link.Status{Kind: link.Unreachable})
	return c
}
