package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

// A terminal types commands at an office's service, in this process.
type terminal struct {
	*apitest.Office
}

func newTerminal(t *testing.T, at string) terminal {
	f := apitest.Open(t, at)
	f.Serve(api.Options{Version: "1.2.3"})
	return terminal{f}
}

// types runs one command line and wants this exit code.
func (m terminal) types(code int, args ...string) (out, errs string) {
	m.T.Helper()
	var o, e bytes.Buffer
	args = append(args, "--data", m.Dir)
	if got := run(args, &o, &e); got != code {
		m.T.Fatalf("condica %s: exit %d, want %d\n%s%s", strings.Join(args, " "), got, code, &o, &e)
	}
	if code != 0 && (strings.Count(e.String(), "\n") != 1 || !strings.HasPrefix(e.String(), "condica: ")) {
		m.T.Fatalf("condica %s: want one sentence, got %q", strings.Join(args, " "), e.String())
	}
	return o.String(), e.String()
}

// shows wants each of the texts in what a command prints.
func (m terminal) shows(texts []string, args ...string) string {
	m.T.Helper()
	out, errs := m.types(0, args...)
	if errs != "" {
		m.T.Errorf("condica %s: grumbles %q", strings.Join(args, " "), errs)
	}
	for _, text := range texts {
		if !strings.Contains(out, text) {
			m.T.Errorf("condica %s: want %q in\n%s", strings.Join(args, " "), text, out)
		}
	}
	return out
}

// fails wants the code and the text in the one sentence.
func (m terminal) fails(code int, text string, args ...string) {
	m.T.Helper()
	if _, errs := m.types(code, args...); !strings.Contains(errs, text) {
		m.T.Errorf("condica %s: says %q, want %q in it", strings.Join(args, " "), errs, text)
	}
}

// jsonOf runs a command with --json and reads its one line.
func jsonOf[A any](m terminal, args ...string) (a A) {
	m.T.Helper()
	out, _ := m.types(0, append(args, "--json")...)
	if strings.Count(out, "\n") != 1 {
		m.T.Fatalf("condica %s --json: want one line, got %q", strings.Join(args, " "), out)
	}
	if err := json.Unmarshal([]byte(out), &a); err != nil {
		m.T.Fatalf("condica %s --json: %v in %s", strings.Join(args, " "), err, out)
	}
	return a
}

// The day of a booking by commands alone: each names it another way.
func TestACommandForEachStep(t *testing.T) {
	m := newTerminal(t, "2026-11-23 09:15")
	m.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-23", "09:20")
	qr := m.QR(1, "A2B3C4D5", "R01", "2026-11-23", "09:20")

	m.shows([]string{"2026-11-23  09:20  A2B3C4D5  booked  R01  Șerban Exemplu\n"}, "bookings")
	m.shows([]string{"A2B3C4D5\n"}, "scan", qr)
	m.shows([]string{"A2B3C4D5 Șerban Exemplu: arrived (action "}, "check-in", qr, "--by", "Maria", "--key", "k1")
	if again := jsonOf[api.Done](m, "check-in", qr, "--by", "Maria", "--key", "k1"); !again.Again || again.Visit.Facts[1].By != "Maria" {
		t.Errorf("the same key again: %+v", again)
	}
	m.shows([]string{"done before at 2026-11-23 09:15"}, "check-in", qr, "--key", "k1")
	m.fails(3, "already been checked in (rule B09)", "check-in", "a2b3c4d5")

	m.shows([]string{"arrived"}, "set", "A2B3-C4D5", "answer.civil=single", "paper.R01.1=original+copy", "email=ana=1,2@example.ro", "note=", "--by", "Ion")
	if by := jsonOf[api.Visit](m, "visit", "A2B3C4D5").Fields["email"].By; by != "Ion" {
		t.Errorf("the e-mail is by %q", by)
	}
	m.shows([]string{"nothing to change"}, "set", "A2B3C4D5", "answer.civil=single")
	m.shows([]string{"e-mail", "ana=1,2@example.ro", "answer", "civil=single", "original+copy", "missing", "this PC", "unsent"}, "visit", "A2B3C4D5")
	m.fails(3, "papers were not seen: R01.6 (rule B12)", "file", "A2B3C4D5")
	m.shows([]string{"application 7/2026,", "due 2026-12-23", "not seen: R01.6"}, "file", "A2B3C4D5", "--number", "7/2026", "--despite", "extrasul vine mâine")
	m.shows([]string{"filed"}, "extend", "7/2026", "--days", "10", "--why", "verificări")
	v := jsonOf[api.Visit](m, "visit", "7/2026")
	if v.Due.String() != "2027-01-02" {
		t.Errorf("extended by 10 days it is due on %s", v.Due)
	}
	m.fails(3, "(rule R17)", "hand-over", v.Slip)
	m.shows([]string{"ready"}, "ready", "7/2026")
	m.shows([]string{"by its slip"}, "scan", v.Slip)
	m.fails(3, "may not collect this card", "hand-over", v.Slip, "--to", "neighbour", "--name", "Ion Model")
	m.shows([]string{"handed-over"}, "hand-over", v.Slip)
	m.shows([]string{"ready"}, "undo", "A2B3C4D5", "--why", "alt act")
	m.shows([]string{"handed-over  taken back", "alt act"}, "visit", "A2B3C4D5")
	m.shows([]string{"filed"}, "undo", "A2B3C4D5") // what was taken back does not count
	m.shows([]string{"ready"}, "ready", "A2B3C4D5")

	m.shows([]string{"unsent, oldest 2026-11-23 09:15", "undone"}, "queue", "--limit", "3")
	m.shows([]string{"SPCLEP Covasna", "not reached", "oldest 2026-11-23 09:15"}, "status")
	m.Contact()
	m.shows([]string{"the hub has all that was done here", "accepted"}, "queue")
	if st := jsonOf[api.Status](m, "status"); !st.Sent || st.Version != "1.2.3" {
		t.Errorf("status: %+v", st)
	}
	m.shows([]string{"nothing waits for a person"}, "conflicts")
}

// People who come otherwise: by a code not seen before, without a booking, or
// in vain.
func TestOtherWaysToTheDesk(t *testing.T) {
	m := newTerminal(t, "2026-11-23 09:15")
	m.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-23", "09:20")
	fresh := m.QR(1, "N2B3C4D5", "R01", "2026-11-23", "09:40")
	m.shows([]string{"N2B3C4D5 is a signed booking that has not come in yet: 2026-11-23 at 09:40, reason R01"}, "scan", fresh)
	m.fails(1, "scan --accept --name", "check-in", fresh)
	m.shows([]string{"N2B3C4D5 Éva Nagy: arrived"}, "scan", fresh, "--accept", "--name", "Éva Nagy")
	m.fails(3, "another office", "scan", m.QR(2, "A2B3C4D5", "R01", "2026-11-23", "09:20"))
	m.fails(3, "identity code", "scan", "https://hub.mai.gov.ro/x")
	m.shows([]string{`nothing is found for "nimeni"`}, "scan", "nimeni")
	m.shows([]string{"Șerban Exemplu"}, "bookings", "-q", "ser ex", "--state", "booked")

	m.fails(3, "R01.99 is not on this list (rule B12)", "send-away", "A2B3C4D5", "--ground", "papers-missing", "--missing", "R01.1,R01.99")
	m.shows([]string{"sent-away"}, "send-away", "A2B3C4D5", "--ground", "papers-missing", "--missing", "R01.1,R01.6", "--note", "revine")
	if v := jsonOf[api.Visit](m, "visit", "A2B3C4D5"); len(v.SentAway.Missing) != 2 || v.SentAway.Note != "revine" {
		t.Errorf("sent away: %+v", v.SentAway)
	}

	m.fails(3, "(rule B34)", "walk-in", "--name", "Ion Model", "--reason", "R11")
	m.shows([]string{"Ion Model: arrived"}, "walk-in", "--name", "Ion Model", "--reason", "R11", "--urgent", "--approved", "șef serviciu", "--why", "spitalizare")
	m.Pass(4 * time.Hour)
	m.shows([]string{"Vasile Schiță: arrived"}, "walk-in", "--name", "Vasile Schiță", "--reason", "R11")
}

// A conflict is settled from the command line, the op left out where there is
// only one that can be meant.
func TestSettleAConflictByCommand(t *testing.T) {
	m := newTerminal(t, "2026-11-23 09:15")
	m.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-23", "09:20")
	m.fails(2, "has no value that lost", "keep", "A2B3C4D5")
	for _, field := range []string{"email", "note", "receipt"} {
		m.types(0, "set", "A2B3C4D5", field+"=aici")
		m.Contact()
		m.Pass(time.Minute)
		m.HubSets("A2B3C4D5", field, "centru")
	}
	out := m.shows([]string{"A2B3C4D5 Șerban Exemplu, 2026-11-23 09:20", `"centru"`, `"aici"`, "lost", "ghișeul 2"}, "conflicts")
	if n := strings.Count(out, "lost"); n != 3 {
		t.Errorf("%d values lost, want 3:\n%s", n, out)
	}
	m.fails(2, "3 values that lost", "restore", "A2B3C4D5")
	lost := map[string]string{}
	for _, c := range jsonOf[api.Visit](m, "visit", "A2B3C4D5").Conflicts {
		lost[c.Field] = c.Loser.Op
	}
	m.types(0, "restore", "A2B3C4D5", lost["email"])
	m.types(0, "keep", "A2B3C4D5", lost["note"])
	m.types(0, "restore", "A2B3C4D5")
	v := jsonOf[api.Visit](m, "visit", "A2B3C4D5")
	if v.Email != "aici" || v.Note != "centru" || v.Receipt != "aici" || len(v.Conflicts) != 0 {
		t.Errorf("settled: e-mail %s, note %s, receipt %s, %d conflicts", v.Email, v.Note, v.Receipt, len(v.Conflicts))
	}
	m.fails(3, "in no conflict any more", "keep", "A2B3C4D5", lost["email"])
}

// A name never stands for a booking, however few bear it.
func TestANameIsNoBooking(t *testing.T) {
	m := newTerminal(t, "2026-11-23 09:15")
	m.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-23", "09:20")
	m.fails(1, `"serban" names no one booking; name it by its short code: A2B3C4D5 (Șerban Exemplu, 2026-11-23)`, "check-in", "serban")
	m.fails(1, "there is no booking X2X3X4X5", "visit", "X2X3X4X5")
	if v := jsonOf[api.Visit](m, "visit", "A2B3C4D5"); v.State != spclep.StateBooked {
		t.Errorf("by the name alone she came to stand at %q", v.State)
	}
}

// A wrong command line is told from a no of the rules.
func TestUsageErrors(t *testing.T) {
	m := newTerminal(t, "2026-11-23 09:15")
	m.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-23", "09:20")
	m.types(0, "check-in", "A2B3C4D5")
	m.fails(2, `"civil": want KEY=VALUE`, "set", "A2B3C4D5", "civil")
	m.fails(2, "given twice", "set", "A2B3C4D5", "note=a", "note=b")
	m.fails(2, `field "colour"`, "set", "A2B3C4D5", "colour=red")
	m.fails(2, "YYYY-MM-DD", "file", "A2B3C4D5", "--birth", "1.2.2010")
	m.fails(2, `state "gone"`, "bookings", "--state", "gone")
	m.fails(2, `op id "x"`, "undo", "A2B3C4D5", "x")
	for _, args := range [][]string{{"send-away", "A2B3C4D5"}, {"extend", "A2B3C4D5"}, {"visit"}, {"set", "A2B3C4D5"}, {"visits"}, {"status", "--colour"}} {
		var o, e bytes.Buffer
		if code := run(args, &o, &e); code != 2 {
			t.Errorf("condica %s: exit %d, want 2: %s", strings.Join(args, " "), code, &e)
		}
	}
}

// With --json a no is JSON on the output, and still a sentence and a code.
func TestARefusalAsJSON(t *testing.T) {
	m := newTerminal(t, "2026-11-23 09:15")
	m.Book("A2B3C4D5", "Șerban Exemplu", "R01", "2026-11-24", "09:20")
	out, errs := m.types(3, "check-in", "A2B3C4D5", "--json")
	var e struct{ Error api.Problem }
	if err := json.Unmarshal([]byte(out), &e); err != nil || e.Error.Code != "other-day" || e.Error.Rule != "B09" || strings.Count(out, "\n") != 1 {
		t.Errorf("the refusal: %q, %v", out, err)
	}
	if !strings.Contains(errs, "(rule B09)") {
		t.Errorf("the sentence: %q", errs)
	}
}

// What a control file may lead to besides the service: nothing, a port that
// is closed, another program, a service that never answers.
func TestServicesThatAreNotThere(t *testing.T) {
	m := terminal{&apitest.Office{T: t, Dir: t.TempDir()}}
	lead := func(url string) {
		t.Helper()
		if err := api.WriteControl(m.Dir, api.Control{URL: url, Token: "t", PID: 1}); err != nil {
			t.Fatal(err)
		}
	}
	none := "no Condica service is running on " + m.Dir
	m.fails(1, none+"\n", "status")
	m.fails(1, none, "check-in", "A2B3C4D5")
	if running(m.Dir) {
		t.Error("nothing is taken for a running service")
	}

	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	lead(gone.URL)
	m.fails(1, none+"\n", "status")

	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Write([]byte("<html>bun venit</html>"))
	}))
	defer page.Close()
	lead(page.URL)
	m.fails(1, "another program answers in its place", "status")

	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`[1]`))
	}))
	defer other.Close()
	lead(other.URL)
	m.fails(1, "answers in another form", "status")

	lead("http://192.0.2.1:80")
	m.fails(1, "want http://127.0.0.1:port", "status")
	if err := os.WriteFile(filepath.Join(m.Dir, api.ControlName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	m.fails(1, "unexpected end of JSON", "status")
}

// Another data folder's token does not open this service.
func TestAForeignTokenIsTurnedAway(t *testing.T) {
	m := newTerminal(t, "2026-11-23 09:15")
	c, err := api.ReadControl(m.Dir)
	if err != nil {
		t.Fatal(err)
	}
	c.Token = "another"
	if err := api.WriteControl(m.Dir, c); err != nil {
		t.Fatal(err)
	}
	m.fails(1, "does not bear the token", "status")
}

// Ctrl-C while the service is silent ends the command.
func TestAnInterruptedCommandEnds(t *testing.T) {
	asked, release := make(chan bool), make(chan bool)
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- true
		<-release
	}))
	defer silent.Close()
	defer close(release)
	dir := t.TempDir()
	if err := api.WriteControl(dir, api.Control{URL: silent.URL, Token: "t", PID: 1}); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		<-asked
		interrupt()
	}()
	err := (&statusCmd{service{Data: dir}}).Run(&env{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}, Ctx: ctx})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// Enrolment goes through the service that runs; the hub's no is a refusal.
func TestEnrollThroughTheService(t *testing.T) {
	f := apitest.Open(t, "2026-11-23 09:15")
	var no error
	f.Serve(api.Options{Enroll: func(context.Context, string) (api.EnrollResult, error) {
		return api.EnrollResult{Office: "covasna", Desk: 2}, no
	}})
	if !running(f.Dir) {
		t.Fatal("the service is taken for gone")
	}
	token := "condica-token-1.eyJoIjoiaHR0cHM6Ly9odWIuZXhhbXBsZS5ybzo4NDQzIiwibyI6ImNvdmFzbmEiLCJzIjoieCIsIngiOjF9"
	e := &env{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}, Ctx: t.Context()}
	if r, err := enrollThrough(e, f.Dir, token); err != nil || r.Desk != 2 {
		t.Errorf("enrolled as %+v, %v", r, err)
	}
	no = &link.Error{Kind: link.Turned, Code: "token-expired", Err: errors.New("the token has expired")}
	if _, err := enrollThrough(e, f.Dir, token); !isRefusal(err) || err.Error() != "the token has expired" {
		t.Errorf("an expired token: %v", err)
	}
}
