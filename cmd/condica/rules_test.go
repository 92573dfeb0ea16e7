package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// rulesSay asks the rules as a person of central IT would, in a terminal.
func rulesSay(words string) (out, errs string, code int) {
	var o, e bytes.Buffer
	code = run(append([]string{"rules"}, strings.Fields(words)...), &o, &e)
	return o.String(), e.String(), code
}

func TestRulesAnswer(t *testing.T) {
	for words, want := range map[string]string{
		"papers --office covasna --reason R01 --day 2026-11-23 --answer civil=married --answer owner=no": "[R01.2]",
		"papers --office covasna --reason R02 --day 2026-11-23 --birth 2012-12-01":                       "CEI_U14_LAST30D",
		"questions --office botosani --reason R09 --day 2026-11-23":                                      "name_change=marriage",
		"fee --office covasna --reason R01 --day 2026-07-01":                                             "întrebați la ghișeu",
		"fee --office covasna --reason R03 --day 2025-07-31":                                             "38 lei",
		"due --office covasna --product CEI_NEW --filed 2026-03-02 --pickup botosani":                    "17.04.2026",
		"slots --office covasna --day 2026-11-23":                                                        "12:40",
		"hours --office covasna --day 2026-12-01":                                                        "închis",
		"hours --office covasna --day 2026-11-23":                                                        "13:00–14:00 eliberare acte [H03",
		"collect --office covasna --product CEI_U14 --day 2026-11-23":                                    "art12-1",
		"slots --office covasna --day 2026-11-23 --bundle ../../spclep/bundle":                           "09:00",
	} {
		if out, errs, code := rulesSay(words); code != 0 || !strings.Contains(out, want) {
			t.Errorf("rules %s: %d\n%s%s\nwant %s", words, code, out, errs, want)
		}
	}
}

// Scripts read the same answers as one JSON object.
func TestRulesAnswerScripts(t *testing.T) {
	out, errs, code := rulesSay("papers --office botosani --reason R08 --day 2026-11-23 --answer civil=divorced --json")
	var list struct {
		Bundle int
		Papers []struct{ ID, Form, Rule string }
	}
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	if list.Bundle < 1 || len(list.Papers) != 6 || list.Papers[2].ID != "R08B.3c" {
		t.Errorf("%+v", list)
	}
	if strings.Count(out, "\n") != 1 {
		t.Error("more than one line")
	}
}

// A wrong word is answered by one sentence that says what would be right.
func TestRulesRefuseWrongWords(t *testing.T) {
	for words, want := range map[string]string{
		"papers --office sibiu --reason R01 --day 2026-11-23":                                     "covasna, botosani",
		"papers --office covasna --reason R01 --day tomorrow":                                     "YYYY-MM-DD",
		"papers --office covasna --reason R01 --day 2026-11-23 --answer civil=x":                  "single, married",
		"papers --office covasna --reason R99 --day 2026-11-23":                                   "B25",
		"fee --office covasna --reason R02 --product CIS --day 2026-11-23":                        "R02.9",
		"due --office covasna --product CIS":                                                      "--filed",
		"due --office covasna --product CIS --filed 2026-03-02 --pickup botosani":                 "T05",
		"collect --office covasna --product CARD --day 2026-11-23":                                "CEI_U14",
		"slots --office covasna --day 2026-11-23 --bundle ../../spclep/bundle/covasna.yaml":       "covasna.yaml",
		"slots --office covasna --day 2026-11-23 --bundle ../../spclep/bundle/there-is-no-bundle": "no such file",
	} {
		if out, errs, code := rulesSay(words); code == 0 || out != "" || !strings.Contains(errs, want) {
			t.Errorf("rules %s: %d\n%s%s\nwant %s", words, code, out, errs, want)
		}
	}
}
