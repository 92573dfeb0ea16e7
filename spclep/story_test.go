package spclep

import (
	"strings"
	"testing"
	"time"
)

// The words the stories share. A Monday with nothing special about it.
var monday = NewDay(2026, time.November, 23)

func rules(t testing.TB) *Reference {
	t.Helper()
	r, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func day(t testing.TB, s string) Day {
	t.Helper()
	d, err := ParseDay(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func at(t testing.TB, s string) Minute {
	t.Helper()
	m, err := ParseMinute(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// answers reads "civil=married owner=no".
func answers(s string) Answers {
	out := Answers{}
	for _, kv := range strings.Fields(s) {
		k, v, _ := strings.Cut(kv, "=")
		out[k] = v
	}
	return out
}

// refused checks that err is a refusal by this rule and code, told in both
// languages with nothing left blank.
func refused(t testing.TB, err error, rule, code string) {
	t.Helper()
	ref, ok := Refused(err)
	if !ok {
		t.Errorf("got %v, want a refusal %s by %s", err, code, rule)
		return
	}
	if ref.Rule != rule || ref.Code != code {
		t.Errorf("refused with %s by %s, want %s by %s", ref.Code, ref.Rule, code, rule)
	}
	if ref.Text == "" || strings.ContainsAny(ref.Say+ref.Text, "{}") {
		t.Errorf("%s reads %q / %q", code, ref.Say, ref.Text)
	}
}

func allowed(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("refused: %v", err)
	}
}

func ids(papers []Paper) string {
	var out []string
	for _, p := range papers {
		out = append(out, p.ID)
	}
	return strings.Join(out, " ")
}
