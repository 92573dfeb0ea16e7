package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"condica/agent/api"
	"condica/agent/api/apitest"
	"condica/spclep"
	"condica/sync/link"
)

// A script is whoever knocks at the door with the service's token.
type script struct {
	*apitest.Office
	url string
}

func newScript(t *testing.T, at string, o api.Options) script {
	f := apitest.Open(t, at)
	return script{f, f.Serve(o)}
}

// send makes one request and gives the status and the body.
func (s script) send(method, path, token, kind, body string) (int, []byte, http.Header) {
	s.T.Helper()
	r, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.T.Fatal(err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		s.T.Fatal(err)
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	if err != nil {
		s.T.Fatal(err)
	}
	return resp.StatusCode, out, resp.Header
}

// get and post want a 200 and read the answer.
func get[A any](s script, path string) A {
	s.T.Helper()
	return answer[A](s, "GET", path, "")
}

func post[A any](s script, path, body string) A {
	s.T.Helper()
	return answer[A](s, "POST", path, body)
}

func answer[A any](s script, method, path, body string) (a A) {
	s.T.Helper()
	status, out, _ := s.send(method, api.Prefix+path, apitest.Token, "application/json", body)
	if status != 200 {
		s.T.Fatalf("%s %s: status %d: %s", method, path, status, out)
	}
	if err := json.Unmarshal(out, &a); err != nil {
		s.T.Fatalf("%s %s: %v in %s", method, path, err, out)
	}
	return a
}

// refused wants a problem with this status, code and rule.
func (s script) refused(path, body string, status int, code, rule string) api.Problem {
	s.T.Helper()
	got, out, _ := s.send("POST", api.Prefix+path, apitest.Token, "application/json", body)
	return s.problem(path, got, out, status, code, rule)
}

func (s script) problem(path string, got int, out []byte, status int, code, rule string) api.Problem {
	s.T.Helper()
	var e struct{ Error api.Problem }
	if err := json.Unmarshal(out, &e); err != nil {
		s.T.Fatalf("%s: %v in %q", path, err, out)
	}
	p := e.Error
	if got != status || p.Status != status || p.Code != code || p.Rule != rule {
		s.T.Fatalf("%s: status %d, %s; want %d, code %q, rule %q", path, got, out, status, code, rule)
	}
	if p.Say == "" || p.Text == "" || strings.Contains(p.Say, "\n") {
		s.T.Fatalf("%s: want one sentence in each language, got %s", path, out)
	}
	return p
}

// A visit from the booking to the card: each answer shows the next state, and
// what was done is on the disk when the answer is there.
func TestAVisitFromBookingToCard(t *testing.T) {
	s := newScript(t, "2026-11-23 09:15", api.Options{})
	s.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-23", "09:20")

	done := post[api.Done](s, "visits/a2b3-c4d5/check-in", `{"by":"Maria"}`)
	if done.Visit.State != spclep.StateArrived || done.Again || done.AtMs != 1795418100000 || done.At != "2026-11-23T09:15:00.000+02:00" {
		t.Fatalf("after the check-in: %+v", done)
	}
	s.refused("visits/A2B3C4D5/check-in", ``, 409, "already-arrived", "B09")

	arrived := done.Visit.Facts[1]
	if arrived.Name != spclep.Arrived || arrived.By != "Maria" || arrived.Op != done.Action || arrived.Sent || !arrived.ThisPC || !arrived.Counts {
		t.Errorf("the check-in on the record: %+v", arrived)
	}
	if c := arrived.Clock; c.Boot != "boot-1" || c.UpMs != 3_600_000 || c.WallMs != done.AtMs {
		t.Errorf("its clock: %+v", c)
	}

	v := post[api.Done](s, "visits/A2B3C4D5/set", `{"fields":{"receipt":"OP 17"},"answers":{"civil":"single"},"ticks":{"R01.1":"original"}}`).Visit
	if v.Receipt != "OP 17" || v.Answers["civil"] != "single" || !v.Ticks["R01.1"].Original || v.Rules.Checklist == nil || v.Rules.Fee == nil {
		t.Errorf("after set: %+v", v)
	}
	for _, p := range v.Rules.Missing {
		if p.ID == "R01.1" {
			t.Error("the paper that was seen is still missing")
		}
	}
	if again := post[api.Done](s, "visits/A2B3C4D5/set", `{"fields":{"receipt":"OP 17"}}`); !again.Again || again.Action != "" || again.Visit == nil {
		t.Errorf("set to what is shown already: %+v", again)
	}

	if p := s.refused("visits/A2B3C4D5/file", ``, 409, "papers-missing", "B12"); p.Args["papers"] != "R01.6" {
		t.Errorf("the papers that were not seen: %+v", p.Args)
	}
	filed := post[api.Done](s, "visits/A2B3C4D5/file", `{"despite":"extrasul vine mâine"}`)
	if filed.Visit.Filed == nil || filed.Visit.Filed.Number != "1-00001" || filed.Visit.Due.String() != "2026-12-23" {
		t.Fatalf("the application: %+v, due %s", filed.Visit.Filed, filed.Visit.Due)
	}
	if len(filed.Missing) != 1 || filed.Missing[0].ID != "R01.6" || filed.Visit.Facts[2].Why != "extrasul vine mâine" {
		t.Errorf("taken despite %+v, because %q", filed.Missing, filed.Visit.Facts[2].Why)
	}
	s.refused("visits/A2B3C4D5/extend", `{"days":16,"why":"verificări"}`, 409, "extension-days", "T02")
	if due := post[api.Done](s, "visits/A2B3C4D5/extend", `{"days":15,"why":"verificări"}`).Visit.Due; due.String() != "2027-01-07" {
		t.Errorf("extended by 15 days it is due on %s", due)
	}
	s.refused("visits/A2B3C4D5/hand-over", `{"to":"holder"}`, 409, "not-ready", "R17")
	ready := post[api.Done](s, "visits/A2B3C4D5/ready", `{}`)
	if len(ready.Visit.Rules.Collectors) == 0 {
		t.Error("nobody may collect the card")
	}
	handed := post[api.Done](s, "visits/A2B3C4D5/hand-over", `{"to":"holder"}`)
	if handed.Visit.State != spclep.StateHandedOver || handed.Visit.HandedOver.To != "holder" {
		t.Errorf("handed over: %+v", handed.Visit)
	}
	s.refused("visits/A2B3C4D5/undo", `{"action":"`+ready.Action+`"}`, 409, "later-steps", "2a")
	undone := post[api.Done](s, "visits/A2B3C4D5/undo", `{"action":"`+handed.Action+`","why":"alt act"}`).Visit
	if undone.State != spclep.StateReady {
		t.Errorf("taken back, the visit stands at %q", undone.State)
	}

	if got := get[api.Visit](s, "visits/A2B3C4D5"); got.Sent || len(got.Facts) != len(undone.Facts) {
		t.Errorf("before the contact: sent %v, %d facts", got.Sent, len(got.Facts))
	}
	s.Contact()
	got := get[api.Visit](s, "visits/A2B3C4D5")
	if !got.Sent || got.Facts[1].Position == 0 {
		t.Errorf("after the contact: sent %v, position %d", got.Sent, got.Facts[1].Position)
	}
}

// A script that did not hear the answer asks again with the same key: the
// action happens once. Another booking under the same key is another action.
func TestTheSameKeyActsOnce(t *testing.T) {
	s := newScript(t, "2026-11-23 09:15", api.Options{})
	s.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-23", "09:20")
	s.Book("B2B3C4D5", "Ion Model", "R01", "2026-11-23", "09:20")
	first := post[api.Done](s, "visits/A2B3C4D5/check-in", `{"key":"k1"}`)
	again := post[api.Done](s, "visits/A2B3C4D5/check-in", `{"key":"k1"}`)
	if !again.Again || again.Action != first.Action || again.AtMs != first.AtMs || len(again.Visit.Facts) != 2 {
		t.Errorf("the second time: %+v", again)
	}
	if other := post[api.Done](s, "visits/B2B3C4D5/check-in", `{"key":"k1"}`); other.Again || other.Visit.State != spclep.StateArrived {
		t.Errorf("another booking under the same key: %+v", other)
	}

	s.Pass(4 * time.Hour)
	walk := post[api.Done](s, "walk-ins", `{"key":"k1","name":"Vasile Schiță","reason":"R11"}`)
	twice := post[api.Done](s, "walk-ins", `{"key":"k1","name":"Vasile Schiță","reason":"R11"}`)
	if walk.Visit.ID != twice.Visit.ID || !twice.Again || walk.Visit.Booked.Origin != spclep.OriginWalkIn {
		t.Errorf("walk-in %s, and again %s", walk.Visit.ID, twice.Visit.ID)
	}
}

// Two desks changed the same e-mail apart. The later one counts, the other is
// listed until a person restores or keeps.
func TestAConflictIsListedAndSettled(t *testing.T) {
	for _, verb := range []struct{ name, email string }{{"restore", "aici@example.ro"}, {"keep", "centru@example.ro"}} {
		s := newScript(t, "2026-11-23 09:15", api.Options{})
		s.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-23", "09:20")
		post[api.Done](s, "visits/A2B3C4D5/set", `{"fields":{"email":"aici@example.ro"},"by":"Maria"}`)
		s.Contact()
		s.Pass(time.Minute)
		s.HubSets("A2B3C4D5", spclep.FieldEmail, "centru@example.ro")

		waiting := get[api.Conflicts](s, "conflicts").Bookings
		if len(waiting) != 1 || waiting[0].ID != "A2B3C4D5" || len(waiting[0].Conflicts) != 1 {
			t.Fatalf("conflicts: %+v", waiting)
		}
		c := waiting[0].Conflicts[0]
		if c.Field != "email" || string(c.Winner.Value) != `"centru@example.ro"` || string(c.Loser.Value) != `"aici@example.ro"` || c.Loser.By != "Maria" {
			t.Errorf("the conflict: %+v", c)
		}
		v := post[api.Done](s, "visits/A2B3C4D5/"+verb.name, `{"op":"`+c.Loser.Op+`"}`).Visit
		if v.Email != verb.email || len(v.Conflicts) != 0 || len(v.History) != 3 {
			t.Errorf("after %s: e-mail %s, %d conflicts, %d values", verb.name, v.Email, len(v.Conflicts), len(v.History))
		}
		s.refused("visits/A2B3C4D5/"+verb.name, `{"op":"`+c.Loser.Op+`"}`, 409, "no-conflict", "2a")
	}
}

// A card went out twice, and a cancellation came in late: both are alarms, the
// second hand-over a double.
func TestAlarmsAndDoublesAreShown(t *testing.T) {
	s := newScript(t, "2026-11-23 09:15", api.Options{})
	s.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-23", "09:20")
	for _, step := range []string{"check-in", "file", "ready"} {
		body := map[string]string{"file": `{"despite":"actele sunt în dosar"}`}[step]
		post[api.Done](s, "visits/A2B3C4D5/"+step, body)
	}
	post[api.Done](s, "visits/A2B3C4D5/hand-over", `{"to":"holder"}`)
	s.Contact()
	s.Pass(time.Minute)
	s.HubSays("A2B3C4D5", spclep.HandedOver, spclep.HandedOverValue{To: "holder"})
	s.HubSays("A2B3C4D5", spclep.Cancelled, spclep.CancelledValue{Ground: "citizen"})

	v := get[api.Visit](s, "visits/A2B3C4D5")
	if len(v.Alarms) != 2 || v.Alarms[0].Code != "two-hand-overs" || v.Alarms[1].Code != "cancelled-after-arrival" {
		t.Errorf("alarms: %+v", v.Alarms)
	}
	if len(v.Doubles) != 1 || v.Doubles[0].Name != spclep.HandedOver || v.Doubles[0].ThisPC || !v.Doubles[0].Sent || v.Cancelled.Ground != "citizen" {
		t.Errorf("doubles: %+v", v.Doubles)
	}
	if w := get[api.Conflicts](s, "conflicts").Bookings; len(w) != 1 || len(w[0].Doubles) != 1 || len(w[0].Alarms) != 2 {
		t.Errorf("waiting: %+v", w)
	}
	if n := get[api.Status](s, "status").Person; n != 1 {
		t.Errorf("status counts %d bookings that wait for a person", n)
	}
}

// The list of a day, of a state and of letters; with none of them, of today.
func TestBookingsAreListed(t *testing.T) {
	s := newScript(t, "2026-11-23 09:15", api.Options{})
	s.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-23", "09:20")
	s.Book("B2B3C4D5", "Pîrvu-Exemplu Ion", "R05", "2026-11-23", "09:40")
	s.Book("C2B3C4D5", "Şerban Példa", "R05", "2026-11-24", "09:00")
	post[api.Done](s, "visits/B2B3C4D5/check-in", ``)
	for query, want := range map[string]string{
		"":                             "A2B3C4D5 B2B3C4D5",
		"?day=today":                   "A2B3C4D5 B2B3C4D5",
		"?day=2026-11-24":              "C2B3C4D5",
		"?day=2026-11-25":              "",
		"?state=arrived":               "B2B3C4D5",
		"?q=serban":                    "A2B3C4D5 C2B3C4D5",
		"?q=pârvu":                     "B2B3C4D5",
		"?q=serban&day=2026-11-24":     "C2B3C4D5",
		"?state=booked&day=2026-11-23": "A2B3C4D5",
		"?q=serban&state=arrived":      "",
	} {
		var ids []string
		for _, r := range get[api.Bookings](s, "bookings"+query).Bookings {
			ids = append(ids, string(r.ID))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("bookings%s: %q, want %q", query, got, want)
		}
	}
	for _, query := range []string{"?day=23.11.2026", "?state=gone", "?when=now"} {
		status, out, _ := s.send("GET", api.Prefix+"bookings"+query, apitest.Token, "", "")
		s.problem(query, status, out, 400, "bad-request", "")
	}
}

// Everything a person may hold up to the scanner has its own answer.
func TestScan(t *testing.T) {
	s := newScript(t, "2026-11-23 09:15", api.Options{})
	s.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-23", "09:20")
	s.Book("B2B3C4D5", "Exemplu Példa", "R01", "2026-11-23", "09:40")
	post[api.Done](s, "visits/A2B3C4D5/check-in", ``)
	post[api.Done](s, "visits/A2B3C4D5/file", `{"despite":"actele sunt în dosar"}`)
	slip := get[api.Visit](s, "visits/A2B3C4D5").Slip
	known := s.QR(1, "A2B3C4D5", "R01", "2026-11-23", "09:20")
	fresh := s.QR(1, "N2B3C4D5", "R01", "2026-11-23", "09:20")

	for _, c := range []struct{ text, found, id string }{
		{known, api.FoundBooking, "A2B3C4D5"},
		{strings.ToLower(known), api.FoundBooking, "A2B3C4D5"},
		{"a2b3 c4d5", api.FoundBooking, "A2B3C4D5"},
		{"1-00001", api.FoundBooking, "A2B3C4D5"},
		{slip, api.FoundSlip, "A2B3C4D5"},
		{fresh, api.FoundNew, "N2B3C4D5"},
		{"exemplu", api.FoundList, ""},
		{"pelda", api.FoundBooking, "B2B3C4D5"},
		{"nimeni", api.FoundNone, ""},
		{"x", api.FoundNone, ""},
	} {
		got := post[api.Scan](s, "scan", `{"text":"`+c.text+`"}`)
		if got.Found != c.found || string(got.ID) != c.id {
			t.Errorf("scan %q: found %s %s, want %s %s", c.text, got.Found, got.ID, c.found, c.id)
		}
	}

	other := s.refused("scan", `{"text":"`+s.QR(2, "N2B3C4D5", "R01", "2026-11-23", "09:20")+`"}`, 409, "other-office", "")
	if other.Args["day"] != "2026-11-23" || other.Args["time"] != "09:20" || other.Args["office"] == "" {
		t.Errorf("another office's code: %+v", other)
	}
	s.refused("scan", `{"text":"`+known[:len(known)-1]+`"}`, 409, "damaged-code", "")
	s.refused("scan", `{"text":"https://hub.mai.gov.ro/qr?x=1"}`, 409, "identity-code", "")
	s.refused("scan", `{"text":" "}`, 400, "bad-request", "")

	s.refused("scan", `{"text":"`+fresh+`","accept":true}`, 409, "code-has-no-name", "2a")
	done := post[api.Scan](s, "scan", `{"text":"`+fresh+`","accept":true,"name":"Éva  Nagy","key":"q"}`)
	if done.ID != "N2B3C4D5" || done.Done.Visit.Name != "Éva Nagy" || done.Done.Visit.State != spclep.StateArrived {
		t.Errorf("the accepted code: %+v", done)
	}
	if again := post[api.Scan](s, "scan", `{"text":"`+fresh+`","accept":true,"name":"Éva Nagy","key":"q"}`); !again.Done.Again {
		t.Error("the same request accepted the code twice")
	}
	s.refused("scan", `{"text":"1-00001","accept":true,"name":"x"}`, 409, "not-a-code", "")
}

// A script that hangs up while its action is under way finds it done.
func TestAnActionOutlivesItsScript(t *testing.T) {
	s := newScript(t, "2026-11-23 09:15", api.Options{})
	s.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-23", "09:20")
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	r, err := http.NewRequestWithContext(gone, "POST", api.Prefix+"visits/A2B3C4D5/check-in", strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+apitest.Token)
	api.New(s.Office.Office, api.Options{Token: apitest.Token}).ServeHTTP(httptest.NewRecorder(), r)
	if v := get[api.Visit](s, "visits/A2B3C4D5"); v.State != spclep.StateArrived {
		t.Errorf("the visit stands at %q", v.State)
	}
}

// Nobody passes the door without the whole token, and what is behind it does
// not show.
func TestTheDoorIsLocked(t *testing.T) {
	s := newScript(t, "2026-11-23 09:15", api.Options{})
	for _, token := range []string{"", "x", apitest.Token + "x", apitest.Token[1:]} {
		for _, path := range []string{"status", "bookings", "nothing"} {
			status, out, h := s.send("GET", api.Prefix+path, token, "", "")
			s.problem(path, status, out, 401, "unauthorized", "")
			if h.Get("WWW-Authenticate") != "Bearer" {
				t.Errorf("%s: WWW-Authenticate %q", path, h.Get("WWW-Authenticate"))
			}
		}
	}
	r, err := http.NewRequest("GET", api.Prefix+"status", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer ")
	w := httptest.NewRecorder()
	api.New(s.Office.Office, api.Options{}).ServeHTTP(w, r)
	if w.Code != 401 {
		t.Errorf("a service without a token answers %d to an empty one", w.Code)
	}
}

// What makes no sense is answered with the one thing that is wrong, and
// changes nothing.
func TestWrongRequests(t *testing.T) {
	s := newScript(t, "2026-11-23 09:15", api.Options{})
	s.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-23", "09:20")
	post[api.Done](s, "visits/A2B3C4D5/check-in", ``)
	long := strings.Repeat("ă", 501)
	for _, c := range []struct {
		path, body string
		status     int
		code, say  string
	}{
		{"visits/A2B3C4D5/send-away", `{"grund":"no-show"}`, 400, "bad-request", `unknown field "grund"`},
		{"visits/A2B3C4D5/send-away", `{"ground":7}`, 400, "bad-request", `field "ground" is number, want string`},
		{"visits/A2B3C4D5/send-away", `ground=no-show`, 400, "bad-request", "the body is not JSON"},
		{"visits/A2B3C4D5/send-away", `{"ground":`, 400, "bad-request", "ends too early"},
		{"visits/A2B3C4D5/send-away", `{}{}`, 400, "bad-request", "more than one"},
		{"visits/A2B3C4D5/send-away", `[]`, 400, "bad-request", "the body is array"},
		{"visits/A2B3C4D5/send-away", `{"note":"` + long + `"}`, 400, "bad-request", "note is longer than 1000 bytes"},
		{"visits/A2B3C4D5/send-away", `{"ground":"papers-missing","missing":["` + long + `"]}`, 400, "bad-request", "missing[0] is longer"},
		{"visits/A2B3C4D5/set", `{"fields":{"colour":"red"}}`, 400, "bad-request", `field "colour"`},
		{"visits/A2B3C4D5/set", `{"fields":{"answer.civil":"single"}}`, 400, "bad-request", "maps of their own"},
		{"visits/A2B3C4D5/set", `{"answers":{"civil":"perhaps"}}`, 400, "bad-request", "civil=perhaps"},
		{"visits/A2B3C4D5/set", `{"ticks":{"R01.1":"seen"}}`, 400, "bad-request", `tick "seen"`},
		{"visits/A2B3C4D5/set", `{"fields":{"land-extract":"yesterday"}}`, 400, "bad-request", "YYYY-MM-DD"},
		{"visits/A2B3C4D5/file", `{"birth":"1.2.2010"}`, 400, "bad-request", "YYYY-MM-DD"},
		{"visits/A2B3C4D5/undo", `{"action":"last"}`, 400, "bad-request", `op id "last"`},
		{"visits/A2B3C4D5/check-in", `{"by":"` + strings.Repeat("x", 61) + `"}`, 400, "bad-request", "60 letters"},
		{"visits/A2B3C4D5/check-in", `{"key":"` + strings.Repeat("x", 201) + `"}`, 400, "bad-request", "200 bytes"},
		{"visits/ZZZZ/check-in", ``, 404, "unknown-booking", "no booking ZZZZ"},
		{"visits/X2X3X4X5/ready", ``, 404, "unknown-booking", "no booking X2X3X4X5"},
		{"visits/A2B3C4D5/burn", ``, 404, "unknown-path", "/api/v1/visits/A2B3C4D5/burn"},
		{"walk-ins", `{"name":"Ion Model"}`, 400, "bad-request", "reason is missing"},
		{"enroll", `{"token":"abc"}`, 501, "not-here", "does not do that"},
		{"shutdown", ``, 501, "not-here", "does not do that"},
	} {
		if p := s.refused(c.path, c.body, c.status, c.code, ""); !strings.Contains(p.Say, c.say) {
			t.Errorf("%s %.60s: says %q, want %q in it", c.path, c.body, p.Say, c.say)
		}
	}
	s.refused("walk-ins", `{"name":"Ion Model","reason":"R01"}`, 409, "no-walk-in-hours", "B34")

	status, out, _ := s.send("POST", api.Prefix+"scan", apitest.Token, "text/plain", `{"text":"x"}`)
	s.problem("scan as text", status, out, 415, "not-json", "")
	status, out, h := s.send("DELETE", api.Prefix+"visits/A2B3C4D5", apitest.Token, "", "")
	s.problem("DELETE", status, out, 405, "method", "")
	if h.Get("Allow") != "GET" {
		t.Errorf("DELETE: Allow %q", h.Get("Allow"))
	}
	status, out, _ = s.send("GET", api.Prefix+"visits/X2X3X4X5", apitest.Token, "", "")
	s.problem("GET", status, out, 404, "unknown-booking", "")
	status, out, _ = s.send("GET", api.Prefix+"queue?limit=0", apitest.Token, "", "")
	s.problem("limit", status, out, 400, "bad-request", "")
	if n := len(get[api.Visit](s, "visits/A2B3C4D5").Facts); n != 2 {
		t.Errorf("after all that the booking has %d facts, want 2", n)
	}
}

// 10 MB are not even read.
func TestAHugeBodyIsTurnedAway(t *testing.T) {
	s := newScript(t, "2026-11-23 09:15", api.Options{})
	body := `{"text":"` + string(bytes.Repeat([]byte("x"), 10<<20)) + `"}`
	status, out, _ := s.send("POST", api.Prefix+"scan", apitest.Token, "application/json", body)
	s.problem("scan", status, out, 413, "too-large", "")
}

// The queue says of every edit whether the hub has it, and status sums it up:
// nothing is called sent that the hub has not taken.
func TestQueueAndStatus(t *testing.T) {
	s := newScript(t, "2026-11-23 09:15", api.Options{Version: "1.2.3"})
	s.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-23", "09:20")
	s.Book("B2B3C4D5", "Ion Model", "R01", "2026-11-23", "09:40")
	post[api.Done](s, "visits/A2B3C4D5/check-in", ``)
	s.Contact()
	s.Pass(time.Minute)
	post[api.Done](s, "visits/B2B3C4D5/check-in", ``)

	q := get[api.Queue](s, "queue")
	if q.Sent || q.Unsent != 1 || len(q.Ops) != 2 || q.Ops[0].State != api.OpUnsent || q.Ops[0].Sealed || q.Ops[1].State != api.OpAccepted || q.Ops[1].Entity != "A2B3C4D5" {
		t.Errorf("the queue: %+v", q)
	}
	if q.Oldest != "2026-11-23T09:16:00.000+02:00" {
		t.Errorf("the oldest is of %s", q.Oldest)
	}
	if q := get[api.Queue](s, "queue?limit=1"); len(q.Ops) != 1 || q.Ops[0].State != api.OpUnsent {
		t.Errorf("the queue of one: %+v", q.Ops)
	}
	// Sent on a line that broke before the answer: still not the hub's.
	if _, err := s.DB().Outbox(t.Context(), 10, 1<<20); err != nil {
		t.Fatal(err)
	}
	if q := get[api.Queue](s, "queue"); q.Sent || q.Ops[0].State != api.OpUnsent || !q.Ops[0].Sealed {
		t.Errorf("sent without an answer: %+v", q.Ops[0])
	}
	s.Refuse("the hub does not know this fact")
	q = get[api.Queue](s, "queue")
	if q.Sent || q.Refused != 1 || q.Ops[0].State != api.OpRefused || q.Ops[0].Refusal != "the hub does not know this fact" {
		t.Errorf("after the refusal: %+v", q)
	}

	st := get[api.Status](s, "status")
	if st.Version != "1.2.3" || !st.Enrolled || st.Office != "covasna" || st.OfficeName != "SPCLEP Covasna" || st.Desk != 1 || st.Sent || st.Refused != 1 || st.Bookings != 2 {
		t.Errorf("status: %+v", st)
	}
	if st.Hub.Reached || st.Hub.Kind != "no-line" || st.Cursor != st.Head || st.Now != "2026-11-23T09:16:00.000+02:00" || !st.Sure || st.From.String() != "2026-11-23" {
		t.Errorf("status: %+v", st)
	}
}

// Enrolment: a broken token is the script's fault, a refused one the hub's
// word, a dead line neither.
func TestEnroll(t *testing.T) {
	token := `{"token":"condica-token-1.eyJoIjoiaHR0cHM6Ly9odWIuZXhhbXBsZS5ybzo4NDQzIiwibyI6ImNvdmFzbmEiLCJzIjoieCIsIngiOjF9"}`
	var fails error
	s := newScript(t, "2026-11-23 09:15", api.Options{Enroll: func(_ context.Context, token string) (api.EnrollResult, error) {
		return api.EnrollResult{Office: "covasna", Desk: 3, Hub: "https://hub.example.ro:8443"}, fails
	}})
	if got := post[api.EnrollResult](s, "enroll", token); got.Desk != 3 {
		t.Errorf("enrolled: %+v", got)
	}
	s.refused("enroll", `{"token":"condica-token-1.zzz"}`, 400, "bad-request", "")
	fails = &link.Error{Kind: link.Turned, Code: "token-used", Err: errors.New("the token was used already")}
	s.refused("enroll", token, 409, "token-used", "")
	fails = &link.Error{Kind: link.Unreachable, Err: errors.New("the hub did not answer in time")}
	s.refused("enroll", token, 502, "unreachable", "")
	fails = errors.New("the disk is full")
	s.refused("enroll", token, 500, "fault", "")
}

// Shutdown answers first, and then the service is asked to end.
func TestShutdown(t *testing.T) {
	asked := make(chan bool)
	s := newScript(t, "2026-11-23 09:15", api.Options{Shutdown: func() { asked <- true }})
	if !post[api.Stopping](s, "shutdown", ``).Stopping {
		t.Error("the service says it goes on")
	}
	<-asked
}

// The control file is its owner's alone and leaves nothing behind; one that
// leads elsewhere than to this PC is refused.
func TestControlFile(t *testing.T) {
	dir := t.TempDir()
	if _, err := api.ReadControl(dir); !errors.Is(err, api.ErrNotRunning) {
		t.Errorf("no file: %v", err)
	}
	mine := api.Control{URL: "http://127.0.0.1:8080", Token: "t", PID: 7}
	if err := api.WriteControl(dir, mine); err != nil {
		t.Fatal(err)
	}
	if got, err := api.ReadControl(dir); err != nil || got != mine {
		t.Errorf("read back %+v, %v", got, err)
	}
	if info, err := os.Stat(filepath.Join(dir, api.ControlName)); err != nil || os.PathSeparator == '/' && info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v", info.Mode(), err)
	}
	next := api.Control{URL: "http://[::1]:8081", Token: "u", PID: 8}
	if err := api.WriteControl(dir, next); err != nil {
		t.Fatal(err)
	}
	if got, err := api.ReadControl(dir); err != nil || got != next {
		t.Errorf("after its successor wrote: %+v, %v", got, err)
	}
	for range 2 { // the second time there is nothing to remove
		if err := api.RemoveControl(dir); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	for _, text := range []string{`{"url":"http://example.ro:80","token":"t"}`, `{"url":"https://127.0.0.1:1"}`, `{"url":`} {
		if err := os.WriteFile(filepath.Join(dir, api.ControlName), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := api.ReadControl(dir); err == nil || errors.Is(err, api.ErrNotRunning) {
			t.Errorf("%s: %v, want an error of its own", text, err)
		}
	}
}
