package page

import "testing"

// Romanian counts in three forms: 1 operație, 2 operații, 20 de operații, and
// again 101 operații.
func TestCountsAreRomanian(t *testing.T) {
	w, err := catalogue("ro")
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]string{
		0: "0 operații netrimise", 1: "1 operație netrimisă", 2: "2 operații netrimise", 19: "19 operații netrimise",
		20: "20 de operații netrimise", 21: "21 de operații netrimise", 100: "100 de operații netrimise",
		101: "101 operații netrimise", 119: "119 operații netrimise", 120: "120 de operații netrimise",
		1284: "1.284 de operații netrimise", 1_000_001: "1.000.001 operații netrimise",
	} {
		if got := w.n("status.unsent", n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// A hole in the catalogue shows its key instead of taking the page away.
func TestMissingWordShowsItself(t *testing.T) {
	w := words{"ro", map[string]word{}}
	if got := w.t("day.nothing") + w.n("day.none", 3); got != "[day.nothing][day.none]" {
		t.Errorf("got %q", got)
	}
	for _, bad := range []string{"a: {one: x}", "a: [1]", "- b"} {
		if w.read([]byte(bad)) == nil {
			t.Errorf("%q was taken for a catalogue", bad)
		}
	}
}
