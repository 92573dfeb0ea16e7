package spclep

import (
	"strings"
	"testing"
)

// One child, from the last day of 11 to the day of 14 and beyond (table 7).
func TestAChildGrowsUp(t *testing.T) {
	r := rules(t)
	for _, c := range []struct {
		on, reason, rule, fingers, fee, collects string
	}{
		{"2024-03-09", "R02", "G1", "no", "întrebați la ghișeu", "parent art12-1"},
		{"2024-03-10", "R02", "G2", "yes", "întrebați la ghișeu", "parent art12-1"}, // 12 today; no price known in 2024
		{"2026-02-07", "R02", "G2", "yes", "70 lei", "parent art12-1"},              // 31 days before 14
		{"2026-02-08", "R02", "G3", "yes", "gratuit", "parent art12-1"},             // 30 days before 14
		{"2026-03-09", "R02", "G3", "yes", "gratuit", "parent art12-1"},
		{"2026-03-10", "R01", "G4", "yes", "gratuit", "holder parent legal-representative"}, // 14 today: the first CEI
		{"2030-03-09", "R01", "G4", "yes", "întrebați la ghișeu", "holder parent legal-representative"},
		{"2030-03-10", "R01", "G6", "yes", "întrebați la ghișeu", "holder"},
	} {
		a := Ask{Office: "covasna", Reason: Reason(c.reason), Day: day(t, c.on), Answers: Answers{"birth": "2012-03-10"}}
		list, err := r.Papers(a)
		if err != nil {
			t.Fatal(err)
		}
		fee, err := r.Fee(a)
		if err != nil {
			t.Fatal(err)
		}
		var who []string
		for _, x := range list.Collects {
			who = append(who, x.To)
		}
		if got := strings.Join(who, " "); list.AgeRule != c.rule || list.Fingerprints != c.fingers || fee.Text != c.fee || got != c.collects {
			t.Errorf("%s %s: %s fingerprints %s, %s, collected by %s; want %+v", c.on, c.reason, list.AgeRule, list.Fingerprints, fee.Text, got, c)
		}
	}
}

// A child asked for a card in the last days of 13 and it came after the
// birthday: the parents may still take it, and so may the holder now.
func TestCardAskedForUnder14CollectedAt14(t *testing.T) {
	birth := day(t, "2012-03-10")
	var who []string
	for _, c := range rules(t).Collectors("covasna", "CEI_U14_LAST30D", birth, day(t, "2026-03-20")) {
		who = append(who, c.To)
	}
	if got := strings.Join(who, " "); got != "parent art12-1 holder legal-representative" {
		t.Errorf("collectors: %s", got)
	}
}

// Without a birth date the list for under 14 does not claim to know about
// fingerprints; below and above 12 differ.
func TestFingerprintsUnknownWithoutBirth(t *testing.T) {
	list, err := rules(t).Papers(asking("covasna R02"))
	if err != nil || list.Fingerprints != FingerprintsUnstated {
		t.Errorf("fingerprints %s (%v)", list.Fingerprints, err)
	}
}

func TestBornOnALeapDay(t *testing.T) {
	birth := day(t, "2012-02-29")
	for on, want := range map[string]int{"2026-02-28": 13, "2026-03-01": 14, "2028-02-28": 15, "2028-02-29": 16} {
		if got := ageOn(birth, day(t, on)); got != want {
			t.Errorf("on %s: %d, want %d", on, got, want)
		}
	}
}

// Who signs what, by table 7.
func TestWhoSigns(t *testing.T) {
	r := rules(t)
	for who, want := range map[string]string{
		"covasna R02 birth=2020-01-01":  "ambii părinți",
		"covasna R04 birth=2012-11-23":  "minorul și un părinte",
		"covasna R05":                   "persoana care declară identitatea",
		"botosani R16":                  "procură",
		"botosani R14":                  "solicitantul",
		"botosani R08 birth=1980-01-01": "solicitantul",
	} {
		list, err := r.Papers(asking(who))
		if err != nil || !strings.Contains(list.Signs, want) {
			t.Errorf("%s: %q (%v), want %q", who, list.Signs, err, want)
		}
	}
}
