package page_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"condica/agent/clerk"
	"condica/agent/office"
	"condica/localdb"
	"condica/spclep"
	"condica/sync/link"
	"condica/sync/wire"
)

// families are the keys a page puts together: what stands before the point in
// the page, and all that may follow. The values come from the rooms that name
// them, so that a new state or ground without a word is found here.
func families(t *testing.T) map[string][]string {
	text := func(values ...spclep.State) (out []string) {
		for _, v := range values {
			out = append(out, string(v))
		}
		return out
	}
	states := text(spclep.StateBooked, spclep.StateCancelled, spclep.StateArrived, spclep.StateSentAway, spclep.StateFiled, spclep.StateReady, spclep.StateHandedOver)
	ref, err := spclep.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	var grounds, collectors []string
	for _, o := range ref.Offices() {
		grounds = append(grounds, ref.Grounds(o.ID, monday)...)
		for birth := range spclep.Day(20) {
			for _, c := range ref.Collectors(o.ID, "CEI_U14", monday-birth*366, monday) {
				collectors = append(collectors, c.To)
			}
		}
	}
	return map[string][]string{
		"state.":       append(suffixed(states, ".sign", ".help"), states...),
		"fact.":        spclep.Facts,
		"ground.":      append(grounds, spclep.GroundNoShow, spclep.GroundDataMismatch, spclep.GroundPapersMissing, spclep.GroundRuleBreach),
		"collector.":   append(collectors, "holder", "parent", "legal-representative", "art12-1"),
		"cancel.":      {"citizen", "office-closed"},
		"origin.":      {spclep.OriginWalkIn, spclep.OriginUrgent, spclep.OriginScanned},
		"form.":        {string(spclep.Original), string(spclep.Copy), string(spclep.Both), string(spclep.AtDesk), string(spclep.Unstated)},
		"tick.":        {"original", "copy", "not-applicable"},
		"term.":        {spclep.CalendarDay, spclep.WorkingDay},
		"fingers.":     {spclep.FingerprintsYes, spclep.FingerprintsNo, spclep.FingerprintsUnstated, ""},
		"field.":       {spclep.FieldName, spclep.FieldEmail, spclep.FieldReason, spclep.FieldNote, spclep.FieldLand, spclep.FieldReceipt},
		"status.":      {link.Unreachable, link.Captive, link.Untrusted, link.Turned, link.Busy, link.HubFault, link.Local, link.Retired, link.Unlinked},
		"status.sign.": {"on", "off", "none"},
		"queue.": append(suffixed([]string{"unsent", "sent", "accepted", "lost", "double", "closed", wire.Refused, wire.Clash}, ".sign"),
			"unsent", "sent", "accepted", "lost", "double", "closed", wire.Refused, wire.Clash),
		"queue.why.":  wire.Reasons(),
		"pin.field.":  {"pin", "pin-nou", "pin-repetat"},
		"trace.kind.": {clerk.SignedIn, clerk.SignedOut, clerk.Locked, clerk.WrongPIN, clerk.Waits, clerk.WaitLifted, clerk.PINChanged, "printed-day", "printed-register", "printed-end", office.CarriedOut, office.CarriedIn},
		"nav.":        {"day", "walkin", "pickups", "conflicts", "queue", "end", "help"},
		"sheet.":      {"a4", "80"},
		"weekday.":    {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"},
		"opening.":    localdb.Steps(),
		"printed-in.": {"hu", "en"},
		"printed.":    {spclep.PrintSlip, spclep.PrintMissing},
		"done.": {"prezent", "trimis", "preia", "prelungire", "sosit", "preda", "raspunsuri", "acte", "date", "anulare", "conflict", "lamurit", "sincronizare", "inchis",
			"fara-programare", "neschimbat", "adus", "adus-in-parte", "adus-mai", "adus-vechi"},
		"carry.why.": wire.CarriedReasons(),
	}
}

func suffixed(values []string, suffixes ...string) (out []string) {
	for _, v := range values {
		for _, s := range suffixes {
			out = append(out, v+s)
		}
	}
	return out
}

var (
	whole = regexp.MustCompile(`(?:\b[tn] |\bquote |\.(?:[tn]|quote|around)\(|\bproblem\{Text: p\.words\.t\(|&halt\{[^"]*|key(?:, off)? :?= )"([a-z][a-z0-9.-]*)"`)
	built = regexp.MustCompile(`(?:\(print |\bkey :?= |orKey\(|[tn]\(|; key := )"([a-z0-9.-]+\.)"`)
)

// The catalogue holds every key a page asks for, and none that no page asks for.
func TestCatalogueIsWholeAndWithoutRest(t *testing.T) {
	held := catalogueKeys(t, "ro")
	asked := map[string]string{}
	fams := families(t)
	for _, file := range sources(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range whole.FindAllStringSubmatch(string(text), -1) {
			if !strings.HasSuffix(m[1], ".") {
				asked[m[1]] = file
			}
		}
		for _, m := range built.FindAllStringSubmatch(string(text), -1) {
			if _, ok := fams[m[1]]; !ok {
				t.Errorf("%s puts keys together from %q, which no family here lists", file, m[1])
			}
		}
	}
	for prefix, values := range fams {
		for _, v := range values {
			asked[prefix+v] = "the family " + prefix
		}
	}
	for key, file := range asked {
		if _, ok := held[key]; !ok {
			t.Errorf("%s asks for %q, which the catalogue does not hold", file, key)
		}
	}
	for key := range held {
		if _, ok := asked[key]; !ok {
			t.Errorf("the catalogue holds %q, which no page asks for", key)
		}
	}
}

// catalogueFiles are the files of one language.
func catalogueFiles(t *testing.T, lang string) (out map[string]string) {
	t.Helper()
	names, err := filepath.Glob("words/" + lang + "/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no words in %q: %v", lang, err)
	}
	out = map[string]string{}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = string(raw)
	}
	return out
}

// catalogueKeys are the keys of one language; a key stands in one file only.
func catalogueKeys(t *testing.T, lang string) map[string]any {
	t.Helper()
	held := map[string]any{}
	for name, raw := range catalogueFiles(t, lang) {
		var file map[string]any
		if err := yaml.Unmarshal([]byte(raw), &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for key, word := range file {
			if held[key] != nil {
				t.Errorf("%s: %q stands in another file too", name, key)
			}
			held[key] = word
		}
	}
	return held
}

func sources(t *testing.T) []string {
	var out []string
	for _, pattern := range []string{"*.go", "templates/*.html", "templates/shared/*.html"} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, names...)
	}
	return slices.DeleteFunc(out, func(s string) bool { return strings.HasSuffix(s, "_test.go") })
}

// Romanian is written with the comma below.
func TestCatalogueIsRomanian(t *testing.T) {
	for name, raw := range catalogueFiles(t, "ro") {
		for i, line := range strings.Split(raw, "\n") {
			if strings.ContainsAny(line, "\u015e\u015f\u0162\u0163") {
				t.Errorf("%s:%d: a cedilla: %s", name, i+1, line)
			}
		}
	}
}
