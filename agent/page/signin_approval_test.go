package page

import (
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"condica/agent/clerk"
	"condica/agent/desk"
	"condica/agent/office"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/settings"
	"condica/sync/hlc"
)

// Ion asks for what only the head of service decides; Ana stands beside him and
// gives her PIN. It is told from a wrong one, from his own and from none at all,
// is slowed like every other, and is in the form no more.
func TestApproval(t *testing.T) {
	p := approvalDesk(t)
	asks := func(role desk.Role, sef, pin string) (name string, head bool, said string, form url.Values) {
		form = url.Values{"sef": {sef}, "sef-pin": {pin}, "zile": {"15"}}
		v := visitor{name: "Ion Probă", role: role}
		v.approver, v.pin = takeApproval(form)
		name, head, err := p.approval(as(httptest.NewRequest("POST", "/", nil), v))
		var wrong *problem
		if err != nil && (!errors.As(err, &wrong) || wrong.Field != "sef-pin") {
			t.Fatal(err)
		}
		if wrong != nil {
			said = wrong.Text
		}
		return name, head, said, form
	}
	for _, c := range []struct {
		role      desk.Role
		sef, pin  string
		name, say string
	}{
		{desk.RoleClerk, "Ana Exemplu", "402917", "Ana Exemplu", ""},
		{desk.RoleClerk, "Ana Exemplu", "", "", ""},
		{desk.RoleClerk, "Ana Exemplu", "4029", "", "între 6 și 12 cifre"},
		{desk.RoleClerk, "Ana Exemplu", "118256", "", "nu se potrivesc"},
		{desk.RoleClerk, "Ion Probă", "118256", "", "nu se potrivesc"},
		{desk.RoleClerk, "", "402917", "", "nu se potrivesc"},
		{desk.RoleHead, "", "", "Ion Probă", ""},
		{desk.RoleUntold, "Ana Exemplu", "402917", "", ""},
	} {
		name, head, said, form := asks(c.role, c.sef, c.pin)
		if name != c.name || head != (c.name != "") || !strings.Contains(said, c.say) || (said == "") != (c.say == "") {
			t.Errorf("%q, %s %q: %q, %v, %q", c.role, c.sef, c.pin, name, head, said)
		}
		if form.Has("sef-pin") || form.Get("zile") != "15" {
			t.Errorf("the form is left with %v", form)
		}
	}
	for range 4 {
		asks(desk.RoleClerk, "Ana Exemplu", "000000")
	}
	if _, head, said, _ := asks(desk.RoleClerk, "Ana Exemplu", "402917"); head || !strings.Contains(said, "peste 30 de secunde") {
		t.Errorf("the right PIN after five wrong ones: %v, %q", head, said)
	}
}

// The two fields stand in a clerk's form and in nobody else's, never filled in
// with a PIN.
func TestApprovalFields(t *testing.T) {
	p := approvalDesk(t)
	for role, want := range map[desk.Role]bool{desk.RoleClerk: true, desk.RoleHead: false, desk.RoleUntold: false} {
		r := as(httptest.NewRequest("GET", "/", nil), visitor{name: "Ion Probă", role: role, approver: "Ana Exemplu", pin: "402917"})
		var b strings.Builder
		if err := p.views["halt"].ExecuteTemplate(&b, "approval", []any{p.approvalForm(r), "prelungire"}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if got := strings.Contains(text, `id="prelungire-sef-pin"`) && strings.Contains(text, `<option value="Ana Exemplu" selected>`); got != want {
			t.Errorf("%q: %s", role, text)
		}
		if strings.Contains(text, "402917") || strings.Contains(text, "Ion Probă") {
			t.Errorf("%q: the form shows a PIN, or who is no head of service: %s", role, text)
		}
	}
}

// approvalDesk is a desk with a head of service and a clerk.
func approvalDesk(t *testing.T) *pages {
	t.Helper()
	clock := func() hlc.Reading { return hlc.Reading{Wall: 1_795_262_400_000, Boot: "b", Up: 1000} }
	db, _, err := localdb.Open(t.Context(), t.TempDir(), localdb.Options{Device: hlc.Device{1}, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	ref, err := spclep.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	random := func(b []byte) { rand.Read(b) }
	o := office.New(office.Config{DB: db, Ref: ref, Zone: time.UTC, Up: func() int64 { return 1000 }, Random: random})
	s := settings.Defaults()
	s.Clerks = []settings.Clerk{
		{Name: "Ana Exemplu", Role: settings.RoleHead, PIN: clerk.Make("402917", random).String()},
		{Name: "Ion Probă", Role: settings.RoleClerk, PIN: clerk.Make("118256", random).String()},
	}
	o.Use(settings.Rules{Reference: ref, Settings: s})
	w, err := catalogue("ro")
	if err != nil {
		t.Fatal(err)
	}
	p := &pages{office: o, words: w, o: Options{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Random: rand.Text,
		Roster: clerk.New(clerk.Config{Store: db, Now: clock, Random: random, Secret: rand.Text,
			Pepper: func() ([]byte, error) { return nil, nil }, Fault: func(err error) { t.Error(err) }})}}
	p.views = p.parse()
	return p
}
