package clerk_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"condica/agent/clerk"
	"condica/spclep/settings"
)

const idle = 10 * time.Minute

// who is the clerk of a session, "" for nobody.
func (c *counter) who(id, browser string, work bool) string {
	account, ok := c.Who(c.Context(), clerk.Accounts(c.all), id, browser, idle, work)
	if ok != (account.Name != "") {
		c.Errorf("signed in %v as %q", ok, account.Name)
	}
	return account.Name
}

func (c *counter) in(name, pin, browser, old string) string {
	c.Helper()
	id, _, err := c.SignIn(c.Context(), clerk.Accounts(c.all), name, pin, browser, old)
	if err != nil {
		c.Fatal(err)
	}
	return id
}

// Ana signs in, Ion takes her place at the same browser, then nobody works for
// ten minutes. Of each session nothing is left once it has ended, wherever its
// cookie is shown.
func TestSessionsEnd(t *testing.T) {
	c := newCounter(t)
	ana := c.in("Ana Exemplu", anaPIN, "browser", "a cookie that somebody planted")
	if got := c.who(ana, "browser", true); got != "Ana Exemplu" {
		t.Fatalf("signed in is %q", got)
	}
	for id, browser := range map[string]string{"a cookie that somebody planted": "browser", "": "browser", ana: "another browser"} {
		if got := c.who(id, browser, true); got != "" {
			t.Errorf("%q in %q is %q", id, browser, got)
		}
	}
	ion := c.in("Ion Exemplu", ionPIN, "browser", ana)
	if c.who(ana, "browser", true) != "" || c.who(ion, "browser", true) != "Ion Exemplu" || ion == ana {
		t.Error("after the switch the first session is good, or the second is not")
	}
	c.later(9 * time.Minute)
	c.who(ion, "browser", false)
	c.later(time.Minute)
	if got := c.who(ion, "browser", true); got != "" {
		t.Errorf("after ten minutes in which only the status line was asked for, %q is signed in", got)
	}
	c.now.Up -= 60_000
	if c.who(ion, "browser", true) != "" {
		t.Error("a locked session came back")
	}
	again := c.in("Ion Exemplu", ionPIN, "browser", ion)
	c.SignOut(t.Context(), again, "another browser")
	if c.who(again, "browser", true) == "" {
		t.Error("another browser signed Ion out")
	}
	c.SignOut(t.Context(), again, "browser")
	c.SignOut(t.Context(), again, "browser")
	if c.who(again, "browser", true) != "" {
		t.Error("signed out and still in")
	}
	want := []string{"signed-in Ana Exemplu/", "signed-in Ion Exemplu/", "locked Ion Exemplu/", "signed-in Ion Exemplu/", "signed-out Ion Exemplu/"}
	if !slices.Equal(c.kept.traces, want) {
		t.Errorf("traces %q", c.kept.traces)
	}
	left := c.in("Ana Exemplu", anaPIN, "browser", "")
	c.restart()
	if c.who(left, "browser", true) != "" {
		t.Error("a session outlived the service")
	}
}

// Work keeps a session open; the fifty-first locks the one idle longest.
func TestWorkKeepsASessionOpen(t *testing.T) {
	c := newCounter(t)
	id := c.in("Ana Exemplu", anaPIN, "b", "")
	for range 5 {
		c.later(9 * time.Minute)
		if c.who(id, "b", true) == "" {
			t.Fatal("locked at work")
		}
	}
	idlest := c.in("Ion Exemplu", ionPIN, "b", "")
	c.later(time.Second)
	c.who(id, "b", true)
	for range 49 {
		c.in("Ion Exemplu", ionPIN, "b", "")
	}
	if c.who(idlest, "b", true) != "" || c.who(id, "b", true) == "" {
		t.Error("of fifty-one sessions not the one idle longest was locked")
	}
}

// The centre takes Ion out, or sends another PIN: the session is over at once.
func TestTheCentreEndsASession(t *testing.T) {
	c := newCounter(t)
	ion, ana := c.in("Ion Exemplu", ionPIN, "b", ""), c.in("Ana Exemplu", anaPIN, "b", "")
	c.all = slices.DeleteFunc(c.all, func(a settings.Clerk) bool { return a.Name == "Ion Exemplu" })
	c.all[0].PIN = clerk.Make("998877", c.random).String()
	if c.who(ion, "b", true) != "" || c.who(ana, "b", true) != "" {
		t.Error("who was taken out, or has another PIN, is still signed in")
	}
	c.says("Ion Exemplu", ionPIN, "wrong")
	c.says("Ana Exemplu", anaPIN, "wrong")
	c.says("Ana Exemplu", "998877", "in")
}

func (c *counter) changes(old, pin string) error {
	return c.Change(c.Context(), clerk.Accounts(c.all), "Ion Exemplu", old, pin, "")
}

// Ion chooses a PIN on this PC: it counts here in place of the centre's, over a
// restart, and until the centre sends another or the PC's secret is lost.
func TestAChosenPIN(t *testing.T) {
	c := newCounter(t)
	for pin, want := range map[string]error{
		"1234567": clerk.ErrLength, "1234567890123": clerk.ErrLength, "4029a817": clerk.ErrLength, "": clerk.ErrLength,
		"44444444": clerk.ErrPlain, "23456789": clerk.ErrPlain, "87654321": clerk.ErrPlain, "78901234": clerk.ErrPlain,
	} {
		if err := c.changes(ionPIN, pin); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", pin, err, want)
		}
	}
	if got := said(t, c.changes("000000", "40291784")); got != "wrong" {
		t.Errorf("with a wrong old PIN: %s", got)
	}
	elsewhere := c.in("Ion Exemplu", ionPIN, "another", "")
	if err := c.changes(ionPIN, "40291784"); err != nil {
		t.Fatal(err)
	}
	if c.who(elsewhere, "another", true) != "" {
		t.Error("with the old PIN Ion is still signed in elsewhere")
	}
	if err := c.changes("40291784", "40291784"); !errors.Is(err, clerk.ErrSame) {
		t.Errorf("the same once more: %v", err)
	}
	c.restart()
	c.says("Ion Exemplu", "40291784", "in")
	c.says("Ion Exemplu", ionPIN, "wrong")

	own := c.pepper
	c.pepper = []byte("another PC's secret")
	c.says("Ion Exemplu", "40291784", "wrong")
	c.says("Ion Exemplu", ionPIN, "in")
	c.pepper = own
	c.says("Ion Exemplu", "40291784", "in")
	c.all[1].PIN = clerk.Make("777123", c.random).String()
	c.says("Ion Exemplu", "40291784", "wrong")
	c.says("Ion Exemplu", "777123", "in")
}

// A drawn PIN has six digits, each as likely, and is read back by its verifier.
func TestADrawnPIN(t *testing.T) {
	c := newCounter(t)
	next := byte(246)
	pin := clerk.Draw(func(b []byte) {
		b[0] = next
		next++
	})
	if pin != "678901" { // 246..249, and after those that come too often 0, 1
		t.Errorf("drawn: %s", pin)
	}
	c.account("Probă Nouă", settings.RoleClerk, pin)
	c.says("Probă Nouă", pin, "in")
	for _, p := range []string{"12345", "1234567890123", "12345a", "", "１２３４５６"} {
		if clerk.WellFormed(p) {
			t.Errorf("%q counts as a PIN", p)
		}
	}
}
