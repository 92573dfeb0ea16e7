package desk

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"condica/spclep"
)

// Every cause has its code, its rule and both sentences, and Codes names it.
func TestEveryCauseIsSaid(t *testing.T) {
	codes := Codes()
	if !slices.IsSorted(codes) || len(codes) != len(slices.Compact(slices.Clone(codes))) {
		t.Error("codes are not in order, once each")
	}
	for c, s := range sayings() {
		if s.rule == "" || s.code == "" || s.say == "" || s.text == "" {
			t.Errorf("cause %d lacks something: %+v", c, s)
		}
		if !slices.Contains(codes, s.code) {
			t.Errorf("Codes does not name %q", s.code)
		}
	}
}

// One code is one sentence, also where the rules refuse the same: what a page
// says of a code in another language fits wherever it is said.
func TestACodeIsOneSentence(t *testing.T) {
	ref, err := spclep.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]*spclep.Refusal{}
	if r, ok := spclep.Refused(ref.MayHandOver(spclep.HandOverAsk{Office: "covasna", To: "holder"})); ok {
		rules[r.Code] = r
	}
	for _, s := range sayings() {
		if !slices.Contains(spclep.Codes(), s.code) {
			continue
		}
		if r := rules[s.code]; r == nil || r.Text != s.text {
			t.Errorf("%q is said here as %q; the rules say %+v", s.code, s.text, r)
		}
	}
}

// What a refusal speaks of stands in its sentences, and is told to scripts.
func TestRefusalNamesThePapers(t *testing.T) {
	err := papersMissing([]spclep.Paper{{ID: "R01.1", Title: "Actul vechi"}, {ID: "R01.6", Title: "Dovada"}})
	r, ok := spclep.Refused(err)
	if !ok {
		t.Fatalf("%v is no refusal", err)
	}
	if want := "papers were not seen: R01.1, R01.6"; r.Say != want {
		t.Errorf("say %q, want %q", r.Say, want)
	}
	if want := "Nu au fost văzute toate actele: Actul vechi; Dovada."; r.Text != want {
		t.Errorf("text %q, want %q", r.Text, want)
	}
	if r.Rule != "B12" || r.Args["papers"] != "R01.1,R01.6" {
		t.Errorf("rule %s, args %v", r.Rule, r.Args)
	}
	if late := refuse(undoTooLate, "hours", "24"); regexp.MustCompile(`[{}]`).MatchString(late.Say+late.Text) || !strings.Contains(late.Text, "24 ore") {
		t.Errorf("%q, %q: want the hours", late.Say, late.Text)
	}
}
