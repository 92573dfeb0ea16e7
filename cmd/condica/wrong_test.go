package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"condica/spclep"
)

// oneSentence: one line, no stack, no Go words, and the word that helps.
func oneSentence(t *testing.T, what, errs, want string) {
	t.Helper()
	errs = strings.TrimSpace(errs)
	if strings.Count(errs, "\n") > 0 || !strings.Contains(errs, want) || strings.Contains(errs, "goroutine") || strings.Contains(errs, "failed to") {
		t.Errorf("%s: %q, want one sentence with %q", what, errs, want)
	}
}

// Everything a hand can get wrong on the command line answers with one clear
// sentence and the documented exit code.
func TestWrongCommands(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	torn := filepath.Join(dir, "torn")
	if err := os.Mkdir(torn, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(torn, "replica.db"), bytes.Repeat([]byte("not a database "), 500), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		args []string
		code int
		want string
	}{
		{"unknown command", []string{"frobnicate"}, 2, "frobnicate"},
		{"unknown flag", []string{"run", "--fast"}, 2, "--fast"},
		{"no service", []string{"status", "--data", dir}, 1, "no Condica service"},
		{"taken port", []string{"run", "--data", filepath.Join(dir, "a"), "--listen", taken.Addr().String()}, 1, "in use"},
		{"a port for the whole network", []string{"run", "--data", filepath.Join(dir, "b"), "--listen", "0.0.0.0:0"}, 1, "this PC only"},
		{"no port", []string{"run", "--data", filepath.Join(dir, "b"), "--listen", "here"}, 1, "host:port"},
		{"a file for a folder", []string{"run", "--data", filepath.Join(file, "x"), "--listen", "127.0.0.1:0"}, 1, "data folder"},
		{"a clock that is none", []string{"run", "--data", dir, "--now", "tomorrow"}, 2, "--now"},
		{"half a token", []string{"enroll", "--data", filepath.Join(dir, "c"), "--token", "condica-token-1.abc"}, 1, "copy it again"},
		{"no token", []string{"enroll", "--data", filepath.Join(dir, "c"), "--token", "hello"}, 1, "condica-token-1."},
		{"rules: unknown office", []string{"rules", "papers", "--office", "nowhere", "--reason", "R01", "--day", "2026-11-23"}, 2, "nowhere"},
		{"rules: no bundle there", []string{"rules", "papers", "--office", "covasna", "--reason", "R01", "--day", "2026-11-23", "--bundle", filepath.Join(dir, "none")}, 1, "none"},
		{"line without demo", []string{"line", "cut", "--data", dir}, 1, "no demo"},
	} {
		_, errs, code := say(t, "condica", c.args...)
		if code != c.code {
			t.Errorf("%s: exit %d, want %d (%s)", c.what, code, c.code, errs)
		}
		oneSentence(t, c.what, errs, c.want)
	}
}

// A bundle with a typo is refused with file, line and key; the desk does not
// start on it.
func TestDamagedBundle(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, spclep.BuiltinFiles()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "covasna.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte(`from: "09:00", to: "13:00"`), []byte(`from: "25:00", to: "13:00"`), 1)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"run", "--data", t.TempDir(), "--listen", "127.0.0.1:0", "--bundle", dir},
		{"rules", "hours", "--office", "covasna", "--day", "2026-11-23", "--bundle", dir},
	} {
		_, errs, code := say(t, "condica", args...)
		if code == 0 || !strings.Contains(errs, "covasna.yaml:") || !strings.Contains(errs, "25:00") || !strings.Contains(errs, "from") {
			t.Errorf("%v: exit %d, %q: want file, line and key", args, code, errs)
		}
	}
}

// What people hold up to the scanner by mistake gets its own plain answer, on
// the command line and on the page.
func TestWrongCodes(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	type added struct{ ID, QR string }
	add := func(office, reason, at string) added {
		return read[added](t, "condica-hub", "bookings", "add", "--data", c.hubDir(), "--office", office, "--name", "Ana Exemplu", "--email", "ana@example.ro",
			"--reason", reason, "--day", "2026-11-23", "--time", at, "--now", "2026-11-20T10:00:00+02:00", "--json")
	}
	here, elsewhere := add("botosani", "R08", "09:20"), add("covasna", "R08", "09:20")
	c.startPC("pc1", monday)
	c.enroll("pc1")
	c.inStep("pc1")
	for _, q := range []struct{ what, text, say, page string }{
		{"another office's code", elsewhere.QR, "another office", "SPCLEP Covasna"},
		{"the ministry's identity code", "https://hub.mai.gov.ro/eidentitate/qr?t=abc", "identity", "nu codul programării"},
		{"a damaged code", here.QR[:len(here.QR)-6] + "222222", "damaged", "deteriorat"},
		{"a shop's code", "https://example.ro/paine?x=1", "", ""},
	} {
		_, errs, code := say(t, "condica", "scan", q.text, "--data", c.pcDir("pc1"))
		if q.say != "" {
			if code == 0 {
				t.Errorf("%s: was accepted", q.what)
			}
			oneSentence(t, q.what, errs, q.say)
		}
		body := get(t, c.pcs["pc1"].url("desk")+"/cauta?q="+url.QueryEscape(q.text))
		if q.page != "" && !strings.Contains(body, q.page) {
			t.Errorf("%s: the page lacks %q", q.what, q.page)
		}
	}
	if out := c.condica("pc1", "scan", strings.ToLower(here.QR)); !strings.Contains(out, here.ID) {
		t.Errorf("the right code: %q", out)
	}
}

// A token is good once and for a time.
func TestWrongTokens(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	token := strings.TrimSpace(must(t, "condica-hub", "token", "new", "--data", c.hubDir(), "--office", "botosani", "--now", "2026-11-20T10:00:00+02:00", "--for", "1h"))
	_, errs, code := say(t, "condica", "enroll", "--data", c.pcDir("pc1"), "--token", token)
	if code != 1 {
		t.Errorf("an expired token: exit %d", code)
	}
	oneSentence(t, "an expired token", errs, "expired")

	token = strings.TrimSpace(must(t, "condica-hub", "token", "new", "--data", c.hubDir(), "--office", "botosani", "--now", c.now(monday)))
	c.condica("pc1", "enroll", "--token", token)
	_, errs, code = say(t, "condica", "enroll", "--data", c.pcDir("pc2"), "--token", token)
	if code != 1 {
		t.Errorf("a used token: exit %d", code)
	}
	oneSentence(t, "a used token", errs, "used")
}

// A captive portal answers for the hub with a page of its own: the desk says
// so, keeps everything, and sends it when the hub is back.
func TestCaptivePortal(t *testing.T) {
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html><body>Accept the terms to go online</body></html>")
	}))
	defer portal.Close()
	c := newCountry(t)
	c.hub = start(t, "condica-hub", "serve", "--data", c.hubDir(), "--listen", "127.0.0.1:0", "--plain", "--now", c.now(monday), "--json")
	c.book()
	c.startPC("pc1", monday)
	c.enroll("pc1")
	c.inStep("pc1")
	c.pcs["pc1"].stop()

	file := filepath.Join(c.pcDir("pc1"), "hub.json")
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	bad := strings.Replace(string(good), c.hub.url("hub"), portal.URL, 1)
	if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
		t.Fatal(err)
	}
	c.startPC("pc1", monday)
	until(t, "the desk tells the captive portal", func() bool {
		return strings.Contains(c.condica("pc1", "status", "--json"), `"kind":"captive"`)
	})
	id := c.day("pc1", "2026-11-23")[0].ID
	c.condica("pc1", "check-in", id)
	if s := c.status("pc1"); s.Sent || s.Unsent != 1 {
		t.Fatalf("behind the portal the desk says %+v", s)
	}
	c.pcs["pc1"].stop()
	if err := os.WriteFile(file, good, 0o600); err != nil {
		t.Fatal(err)
	}
	c.startPC("pc1", monday)
	c.inStep("pc1")
}

// Ten megabytes where a form belongs: one sentence, and the desk goes on.
func TestLargeBody(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	c.book()
	c.startPC("pc1", monday)
	c.enroll("pc1")
	c.inStep("pc1")
	desk := c.pcs["pc1"].url("desk")
	id := c.day("pc1", "2026-11-23")[0].ID
	for _, path := range []string{"/vizita/" + id + "/date", "/lucrator"} {
		resp, err := http.Post(desk+path, "application/x-www-form-urlencoded", bytes.NewReader(append([]byte("nume="), bytes.Repeat([]byte("a"), 10<<20)...)))
		if err != nil {
			continue // cut off in the middle of the flood, which is an answer too
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: status %d, %.200s", path, resp.StatusCode, body)
		}
	}
	c.condica("pc1", "check-in", id)
}

func get(t *testing.T, address string) string {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

var tags = regexp.MustCompile(`(?s)<style.*?</style>|<[^>]*>|\s+`)

// text is what a page says below its head.
func text(page string) string {
	_, main, _ := strings.Cut(page, "<main")
	return strings.Join(strings.Fields(tags.ReplaceAllString("<main"+main, " ")), " ")
}
