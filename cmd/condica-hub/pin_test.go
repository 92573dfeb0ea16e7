package main

import (
	"encoding/json"
	"strings"
	"testing"

	"condica/agent/clerk"
	"condica/spclep/settings"
)

// IT draws a PIN for a clerk whose name has a quote in it: the line is read back
// as it stands, and the PIN fits it.
func TestPIN(t *testing.T) {
	a := admin{t: t}
	code, out, errOut := a.says("pin", "--name", `Ștefan "Fane" Exemplu`, "--role", "head", "--language", "hu")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errOut)
	}
	said, line, _ := strings.Cut(strings.TrimSpace(out), "\n")
	pin := strings.TrimPrefix(said, "PIN: ")
	s, err := settings.Parse("format: 1\nclerks:\n  " + line + "\n")
	if err != nil || len(s.Clerks) != 1 {
		t.Fatalf("the line %s: %v", line, err)
	}
	c := s.Clerks[0]
	if c.Name != `Ștefan "Fane" Exemplu` || c.Role != settings.RoleHead || c.Language != "hu" || len(pin) != 6 || !clerk.WellFormed(pin) || strings.Contains(line, pin) {
		t.Errorf("PIN %s for %+v", pin, c)
	}
	v, err := settings.ParseVerifier(c.PIN)
	if err != nil {
		t.Fatal(err)
	}
	if again := clerk.Make(pin, func(b []byte) { copy(b, v.Salt) }); again.String() != c.PIN {
		t.Error("the PIN does not fit the line that came with it")
	}

	var one, two map[string]string
	for _, into := range []*map[string]string{&one, &two} {
		_, out, _ = a.says("pin", "--name", "Ion Exemplu", "--json")
		if err := json.Unmarshal([]byte(out), into); err != nil {
			t.Fatalf("%s: %v", out, err)
		}
	}
	if one["verifier"] == two["verifier"] || one["name"] != "Ion Exemplu" || one["role"] != "clerk" || !strings.Contains(one["line"], one["verifier"]) {
		t.Errorf("%v\n%v", one, two)
	}
	for _, wrong := range [][]string{{"pin"}, {"pin", "--name", ""}, {"pin", "--name", " x"}, {"pin", "--name", "x", "--role", "boss"}, {"pin", "--name", strings.Repeat("x", 61)}} {
		if code, out, errOut := a.says(wrong...); code != 2 || errOut == "" || strings.Contains(out, "PIN:") {
			t.Errorf("%q: exit %d, %q", wrong, code, errOut)
		}
	}
}
