package page_test

import (
	"bytes"
	"database/sql"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"condica/agent/office"
	"condica/localdb"
	"condica/localdb/file"
	"condica/spclep"
	"condica/spclep/code"
	"condica/sync/hlc"
	"condica/sync/link"
	"condica/sync/wire"
)

func slipOf(id spclep.BookingID) string { return code.Slip(id) }

// Walk-ins come in their hours; outside of them only as an approved urgency.
func TestWalkInHours(t *testing.T) {
	c := at(t, "10:00")
	s := c.open("/fara-programare").shows("numai între orele 13:00–15:00")
	walk := url.Values{"nume": {"Példa Réka"}, "motiv": {"R11"}}
	s.press("/fara-programare", walk).is(http.StatusUnprocessableEntity).shows("La ora 10:00 nu se primesc cereri fără programare", "B34")
	c.now(monday, "13:30")
	c.open("/fara-programare").shows("Acum se primesc cereri fără programare").
		press("/fara-programare", walk).shows("Példa Réka", "prezent", "fără programare")
	c.open("/").shows("Példa Réka", "fără programare")
}

// Two PCs change one field apart: both values are shown with who and when, and
// one press restores the one that lost.
func TestConflictIsShownAndRestored(t *testing.T) {
	c := at(t, "09:15")
	c.clerk = "Ana"
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/date", url.Values{"note": {"vine cu mama"}})
	c.elsewhere("Radu", c.wall+60_000, "2222AAAA", "note", false, "vine cu tata")

	c.open("/").shows("de rezolvat")
	c.now(monday, "09:20")
	list := c.open("/conflicte").shows("Exemplu Ioana", "Rămâne", "vine cu tata", "23.11.2026 09:16 · Radu · alt PC (0202)", "A pierdut", "vine cu mama", "23.11.2026 09:15 · Ana · acest PC")
	list.shows("rămâne valoarea scrisă mai târziu")
	list.press("/vizita/2222AAAA/conflict", url.Values{"alege": {"restaureaza"}}).shows("Conflictul a fost rezolvat", "Observație → vine cu mama")
	c.open("/conflicte").shows("Nimic de rezolvat")
	if b, _ := c.db.Booking(t.Context(), "2222AAAA"); b.Note != "vine cu mama" || b.NeedsPerson() {
		t.Errorf("note %q, waits for a person: %v", b.Note, b.NeedsPerson())
	}
	old := list.fill("/vizita/2222AAAA/conflict", url.Values{"alege": {"pastreaza"}})
	c.post("/vizita/2222AAAA/conflict", old).is(http.StatusUnprocessableEntity).shows("Acest conflict a fost deja rezolvat")
}

// One card handed out on two desks is a red alarm until a person has settled
// it; a second check-in is only noted.
func TestTwoHandOversAlarm(t *testing.T) {
	c := at(t, "13:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	filed := spclep.FiledValue{Number: "2-00009", Product: "CEI_FIRST", Day: monday - 20, Due: monday + 10, Bundle: 1}
	for _, f := range []struct {
		name  string
		value any
	}{{spclep.Arrived, nil}, {spclep.Filed, filed}, {spclep.Ready, nil}} {
		c.elsewhere("Radu", c.wall-60_000, "2222AAAA", f.name, true, f.value)
	}
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/preda", url.Values{"cui": {"holder"}}).hides("de două ori")
	c.elsewhere("Radu", c.wall-30_000, "2222AAAA", spclep.HandedOver, true, spclep.HandedOverValue{To: "holder"})
	v := c.open("/vizita/2222AAAA").shows("Actul apare predat de două ori")
	if !strings.Contains(v.Body.String(), `class="alarm" role="alert"`) {
		t.Error("the alarm is not announced")
	}
	c.open("/conflicte").shows("Actul apare predat de două ori", "alt PC (0202)", "acest PC")
	c.open("/ajutor").shows("Actul apare predat de două ori: Exemplu Ioana.")
	v.press("/vizita/2222AAAA/anulare", url.Values{"motiv": {"apăsat din greșeală"}}).hides("Actul apare predat de două ori")
	c.open("/").hides("Actul apare predat de două ori")
}

// A head of service settles a card that two desks gave out, with a reason; a
// second check-in is settled by whoever has looked at it.
func TestWhatHappenedTwiceIsSettled(t *testing.T) {
	c := at(t, "13:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	c.elsewhere("Radu", c.wall-90_000, "2222AAAA", spclep.Arrived, true, nil)
	c.elsewhere("Ana", c.wall-60_000, "2222AAAA", spclep.Arrived, true, nil)
	c.open("/vizita/2222AAAA").shows("De lămurit", "Notat de două ori: prezență").
		press("/vizita/2222AAAA/lamurit", nil).shows("S-a notat că a fost lămurit", "lămurit: prezență").hides("De lămurit")
	for _, ms := range []int64{30_000, 20_000} {
		c.elsewhere("Radu", c.wall-ms, "2222AAAA", spclep.HandedOver, true, spclep.HandedOverValue{To: "holder"})
	}
	v := c.open("/vizita/2222AAAA").shows("Actul apare predat de două ori")
	v.press("/vizita/2222AAAA/lamurit", url.Values{"motiv": {" "}}).is(http.StatusUnprocessableEntity).shows("Scrieți ce s-a constatat: cine are actul.")
	v.press("/vizita/2222AAAA/lamurit", url.Values{"motiv": {"titularul are actul"}}).hides("Actul apare predat de două ori").shows("titularul are actul")
	c.open("/").hides("Actul apare predat de două ori")
	c.open("/conflicte").shows("Nimic de rezolvat")
}

// The other PC has a dead battery: the conflict tells the corrected time, by
// which it was decided, and what that PC showed.
func TestTheClockOfTheOtherPC(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/date", url.Values{"note": {"vine cu mama"}})
	c.slow = c.when(monday, "09:12") - c.when(14247, "10:05")
	c.elsewhere("Radu", c.when(monday, "09:12"), "2222AAAA", "note", false, "vine cu tata")
	c.open("/conflicte").shows("Rămâne", "vine cu mama", "A pierdut", "vine cu tata", "23.11.2026 09:12 · Radu", "ceasul acelui PC arăta 03.01.2009 10:05",
		"rămâne valoarea scrisă mai târziu (cu 3 minute)")
}

// What this PC has put right about itself is said for a week, and no longer: a
// row of its lists that the disk had changed, and the key that it took when its
// disk was copied. What it wrote under the old key stays its own.
func TestStatusLineTellsWhatWasPutRight(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
	disk, err := sql.Open("sqlite", file.URI(filepath.Join(c.dir, localdb.DBName), "rw", 100))
	c.must(err)
	defer disk.Close()
	_, err = disk.Exec(`UPDATE booking SET name = 'X'`)
	c.must(err)
	c.must(c.db.Scrub(t.Context(), 100))
	c.must(c.db.Rekey(t.Context(), wire.Enrolled{Device: hlc.Device{5}, Office: "covasna", Desk: 1, Held: []uint64{1}}))
	c.open("/vizita/2222AAAA").shows("alt PC (0101)")
	c.office.SetFormer([]office.Former{{Device: here, UntilMs: c.wall}})
	c.open("/vizita/2222AAAA").shows("acest PC, cu cheia dinainte")
	c.open("/stare").shows("copia locală a fost reparată: 1 înregistrare (23.11 09:15)", "acest PC a primit o cheie nouă (23.11 09:15)")
	c.now(monday+8, "09:15")
	c.open("/stare").hides("reparată").hides("cheie")
}

// The calm line: what is not sent, since when, which days are held - and never
// that all is sent before the hub has said so.
func TestStatusLine(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	c.books("3333BBBB", "Minta Ödön", "R01", monday+27, "09:20")
	c.open("/stare").shows("Legătură cu centrul", "totul trimis", "programări 23.11–20.12 (2)")

	c.now(monday, "09:20")
	c.line.is(link.Status{Kind: link.Unreachable, SinceMs: c.reading().Up})
	c.open("/").shows("Fără legătură cu centrul din 23.11 09:15 — puteți lucra normal", "totul trimis")
	c.now(monday, "09:24")
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil).shows("1 operație netrimisă, cea mai veche de la 09:24").hides("totul trimis")
	c.open("/coada").shows("1 operație așteaptă", "prezență", "Exemplu Ioana", "netrimisă").hides("Totul este trimis")
	if got := c.open("/").Body.String(); !strings.Contains(got, "· 1 operație netrimisă · Condica</title>") {
		t.Error("the page's title does not count what is unsent")
	}

	for kind, want := range map[string]string{
		link.Captive: "Rețeaua cere conectare", link.Untrusted: "certificat necunoscut",
		link.Turned: "nu mai primește acest PC", link.Busy: "este ocupat", link.HubFault: "o defecțiune", link.Local: "nu pot fi citite",
		link.Retired: "primește o cheie nouă de la centru", link.Unlinked: "pentru o nouă înrolare",
	} {
		c.line.is(link.Status{Kind: kind})
		c.open("/stare").shows(want, "din 23.11 09:15")
	}
	c.save(wire.Answer{Head: 3200})
	c.open("/stare").shows("se aduc încă de la centru: 2 din 3.200")
}

// The PC's battery is dead: after a night switched off its clock stands at
// 2009, and the line is down. The desk asks what day it is and goes on; when
// the hub is heard, the edit has the time at which it truly happened.
func TestDeadBattery(t *testing.T) {
	c := at(t, "16:00")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday+1, "09:20")
	c.now(monday+1, "09:15")
	c.boot = "the next morning"
	c.skew = time.Date(2009, 1, 1, 2, 0, 0, 0, time.UTC).UnixMilli() - c.wall
	c.line.is(link.Status{Kind: link.Unreachable})
	c.open("/").shows("Ceasul PC-ului arată 01.01.2009 04:00", "Aceasta este ora")
	c.open("/vizita/2222AAAA").press("/ceas", url.Values{"zi": {"mâine"}, "ora": {"9"}}).is(http.StatusUnprocessableEntity).shows("nu se înțelege")
	c.open("/vizita/2222AAAA").press("/ceas", url.Values{"zi": {"2026-11-24"}, "ora": {"09:10"}}).hides("Aceasta este ora")
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil).shows("prezent", "24.11.2026 09:10")

	if _, err := c.db.Outbox(t.Context(), 10, 1<<20); !errors.Is(err, localdb.ErrNoAnchor) {
		t.Fatalf("an edit was sealed by a clerk's word for the time: %v", err)
	}
	c.now(monday+1, "11:00")
	c.skew = time.Date(2009, 1, 1, 3, 45, 0, 0, time.UTC).UnixMilli() - c.wall
	c.save(wire.Answer{})
	if _, err := c.db.Outbox(t.Context(), 10, 1<<20); err != nil {
		t.Fatal(err)
	}
	c.open("/vizita/2222AAAA").shows("24.11.2026 09:15")
}

// The hub's refusal stays in sight with its reason.
func TestQueueShowsRefusals(t *testing.T) {
	c := at(t, "09:15")
	c.clerk = "Ana"
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
	c.save(wire.Answer{Verdicts: []wire.Verdict{{Seq: 1, Code: wire.Refused, Say: "value-large: the value has 9 bytes"}}})
	q := c.open("/coada").shows("1 operație a fost refuzată de centru.", "prezență", "✕ refuzată", "textul este mai lung decât primește centrul",
		"răspunsul centrului: value-large: the value has 9 bytes").hides("Totul este trimis")
	c.open("/stare").shows("1 operație refuzată de centru").hides("totul trimis")

	q.press("/coada/inchide", url.Values{"motiv": {" "}}).is(http.StatusUnprocessableEntity)
	q.press("/coada/inchide", url.Values{"motiv": {"scris din nou, mai scurt"}}).
		shows("închisă", "⊘ refuzată, închisă", "1 operație refuzată a fost văzută și închisă", "Totul este trimis")
	c.open("/stare").shows("totul trimis").hides("refuzată")
}

// What another desk overruled says so in the queue of the PC that wrote it.
func TestQueueTellsWhatLost(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/date", url.Values{"note": {"vine cu mama"}})
	c.save(wire.Answer{Entries: []wire.Entry{{Seq: 1}}})
	c.open("/coada").shows("✓ acceptată")
	c.elsewhere("Radu", c.wall+60_000, "2222AAAA", "note", false, "vine cu tata")
	c.open("/coada").shows("≠ acceptată, dar a pierdut un conflict")
}

// A page of another site, or a foreign name that points at this PC, gets
// nothing done; nor does a body that is no form or far too large.
func TestForeignersAreTurnedAway(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	form := c.open("/vizita/2222AAAA").fill("/vizita/2222AAAA/prezent", nil).Encode()
	for name, tc := range map[string]struct {
		host, kind, body string
		header           map[string]string
		status           int
	}{
		"foreign host":    {"desk.example.ro", "", form, nil, http.StatusMisdirectedRequest},
		"no port":         {"127.0.0.1", "", form, nil, http.StatusMisdirectedRequest},
		"foreign origin":  {host, "", form, map[string]string{"Origin": "http://site.example.ro", "Sec-Fetch-Site": "same-origin"}, http.StatusForbidden},
		"other port":      {host, "", form, map[string]string{"Origin": "http://127.0.0.1:9999"}, http.StatusForbidden},
		"cross site":      {host, "", form, map[string]string{"Origin": "null", "Sec-Fetch-Site": "cross-site"}, http.StatusForbidden},
		"hidden origin":   {host, "", form, map[string]string{"Origin": "null"}, http.StatusForbidden},
		"not a form":      {host, "application/json", `{"a":1}`, nil, http.StatusUnsupportedMediaType},
		"10 MB":           {host, "", "cheie=" + strings.Repeat("a", 10<<20), nil, http.StatusRequestEntityTooLarge},
		"without the key": {host, "", "", nil, http.StatusBadRequest},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, "/vizita/2222AAAA/prezent", strings.NewReader(tc.body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			if tc.kind != "" {
				r.Header.Set("Content-Type", tc.kind)
			}
			for k, v := range tc.header {
				r.Header.Set(k, v)
			}
			r.Host = tc.host
			w := httptest.NewRecorder()
			c.pages.ServeHTTP(w, r)
			if w.Code != tc.status {
				t.Errorf("status %d, want %d: %s", w.Code, tc.status, readable(w.Body.String()))
			}
		})
	}
	if b, _ := c.db.Booking(t.Context(), "2222AAAA"); b.Visit.State != spclep.StateBooked {
		t.Errorf("the person is %q: a foreigner got something done", b.Visit.State)
	}

	// A body without a length is bounded as it is read.
	r := httptest.NewRequest(http.MethodPost, "/fara-programare", struct{ *bytes.Reader }{bytes.NewReader(bytes.Repeat([]byte("a"), 10<<20))})
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.ContentLength = -1
	c.send(r).is(http.StatusRequestEntityTooLarge).shows("Formularul este prea mare")
}

// Every answer carries the headers that keep personal data on this page.
func TestHeadersOnEveryAnswer(t *testing.T) {
	c := at(t, "09:15")
	for _, path := range []string{"/", "/cauta?q=xyz", "/vizita/2222AAAA", "/static/desk.css", "/nimic", "/stare"} {
		h := c.open(path).Header()
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if p := h.Get("Content-Security-Policy"); !strings.Contains(p, "default-src 'none'") || strings.Contains(p, "unsafe") {
			t.Errorf("%s: policy %q", path, p)
		}
	}
}

// No text is longer than an op can carry: what was written must be readable.
func TestLongTextsAreRefused(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	v := c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
	v.press("/vizita/2222AAAA/anulare", url.Values{"motiv": {strings.Repeat("ș", 600)}}).is(http.StatusUnprocessableEntity).shows("Textul este prea lung")
	c.open("/vizita/2222AAAA").is(http.StatusOK).shows("prezent")
}

// The clerk's name goes with every edit, and comes from a form on every page.
func TestClerkSaysWhoWorks(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	s := c.post("/lucrator", url.Values{"nume": {" Ana  Proba "}, "inapoi": {"/coada"}}).is(http.StatusSeeOther)
	if got := s.Header().Get("Location"); got != "/coada" {
		t.Errorf("the form returns to %q", got)
	}
	if k := s.Result().Cookies()[0]; k.Value != "Ana+Proba" || !k.HttpOnly || k.SameSite != http.SameSiteStrictMode {
		t.Errorf("cookie %v", k)
	}
	for _, away := range []string{"//example.ro", "https://example.ro", `/\example.ro`} {
		if got := c.post("/lucrator", url.Values{"nume": {"Ana"}, "inapoi": {away}}).Header().Get("Location"); got != "/" {
			t.Errorf("the form leads away to %q", got)
		}
	}
	c.post("/lucrator", url.Values{"nume": {strings.Repeat("a", 61)}}).is(http.StatusUnprocessableEntity)
	c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil).shows("ghișeu · acest PC")
}

// A GET changes nothing, whatever its address says.
func TestGetChangesNothing(t *testing.T) {
	c := at(t, "09:15")
	c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
	for _, path := range []string{"/vizita/2222AAAA/prezent", "/acceptare?cod=x&nume=y", "/vizita/2222AAAA?facut=prezent", "/fara-programare?nume=x&motiv=R17", "/lucrator?nume=x"} {
		if s := c.open(path); len(s.Result().Cookies()) > 0 {
			t.Errorf("%s set a cookie", path)
		}
	}
	rows, err := c.db.Day(t.Context(), monday)
	c.must(err)
	if len(rows) != 1 || rows[0].State != spclep.StateBooked {
		t.Errorf("a GET left %+v", rows)
	}
}
