package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// pinOf is what condica-hub pin prints for one clerk.
type pinOf struct {
	PIN      string `json:"pin"`
	Verifier string `json:"verifier"`
	Line     string `json:"line"`
}

// signsIn sends name and PIN from a browser and gives the status, and what the
// page says.
func (c *country) signsIn(b *http.Client, pc, name, pin string) (status int, page string) {
	c.t.Helper()
	resp, err := b.PostForm(c.pcs[pc].url("desk")+"/intrare", url.Values{"nume": {name}, "pin": {pin}})
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// IT draws two PINs and sends the clerks with the settings. From then on the
// desk asks for a PIN, and the service itself can still look at its desk. It
// is restarted and killed: everybody signs in again, a PIN chosen here stays,
// and who guesses goes on waiting. Neither the log nor the status says a PIN.
func TestClerksSignIn(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	c.keys()
	c.startPC("pc1", monday)
	c.enroll("pc1")
	ana := read[pinOf](t, "condica-hub", "pin", "--name", "Ana Exemplu", "--role", "head", "--json")
	ion := read[pinOf](t, "condica-hub", "pin", "--name", "Ion Probă", "--language", "ro", "--json")
	clerks := fmt.Sprintf("clerks:\n  %s\n  %s\n", ana.Line, ion.Line)
	c.publish(c.sign(7, "national", texts(t, 7, clerks)))
	c.proven("pc1", 7)
	c.publish(c.sign(8, "national", texts(t, 8, clerks+"texts: {notice: \"Casieria se mută joi.\"}\n")))
	c.proven("pc1", 8)

	nobody, b := clerkBrowser(t), clerkBrowser(t)
	for _, path := range []string{"/", "/coada", "/stare"} {
		if got := statusOf(t, nobody, c.pcs["pc1"].url("desk")+path); got != http.StatusUnauthorized {
			t.Errorf("%s without sign-in: status %d", path, got)
		}
	}
	if status, page := c.signsIn(b, "pc1", "Ion Probă", ion.PIN); status != http.StatusOK || !strings.Contains(page, "Casieria se mută joi.") {
		t.Fatalf("Ion's PIN: status %d", status)
	}
	resp, err := b.PostForm(c.pcs["pc1"].url("desk")+"/pin", url.Values{"pin": {ion.PIN}, "pin-nou": {"40291784"}, "pin-repetat": {"40291784"}})
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("Ion chooses a PIN: %v, %v", resp, err)
	}
	resp.Body.Close()
	c.holdsPepper("pc1")

	again := func() {
		t.Helper()
		c.pcs["pc1"].kill()
		c.startPC("pc1", monday)
	}
	again()
	if got := statusOf(t, b, c.pcs["pc1"].url("desk")+"/"); got != http.StatusUnauthorized {
		t.Errorf("the session of before the kill: status %d", got)
	}
	for i := range 5 {
		if status, _ := c.signsIn(b, "pc1", "Ion Probă", ion.PIN); status != http.StatusUnprocessableEntity {
			t.Errorf("the PIN that Ion has replaced, try %d: status %d", i+1, status)
		}
		if i%2 == 1 {
			again()
		}
	}
	again()
	if status, page := c.signsIn(b, "pc1", "Ion Probă", "40291784"); status != http.StatusTooManyRequests || !strings.Contains(page, "prea multe PIN-uri greșite") {
		t.Errorf("the right PIN within the wait, after a kill: status %d", status)
	}
	if status, _ := c.signsIn(b, "pc1", "Ana Exemplu", ana.PIN); status != http.StatusOK {
		t.Errorf("Ana meanwhile: status %d", status)
	}
	said := c.pcs["pc1"].errs.String() + must(t, "condica", "status", "--json", "--data", c.pcDir("pc1"))
	for _, secret := range []string{ana.PIN, ion.PIN, "40291784", ana.Verifier, ion.Verifier, "argon2"} {
		if strings.Contains(said, secret) {
			t.Errorf("log or status hold %q", secret)
		}
	}
	if log := c.pcs["pc1"].errs.String(); !strings.Contains(log, "a PIN within the wait") || strings.Contains(log, "Ion Prob") {
		t.Errorf("the log says\n%s", log)
	}
}

// holdsPepper fails where the PC's secret is not there, or open to others.
func (c *country) holdsPepper(pc string) {
	c.t.Helper()
	at, err := os.Stat(filepath.Join(c.pcDir(pc), "pin-pepper"))
	if err != nil {
		c.t.Fatal(err)
	}
	if runtime.GOOS != "windows" && at.Mode().Perm() != 0o600 {
		c.t.Errorf("the secret of the PC's PINs has the rights %v", at.Mode())
	}
}
