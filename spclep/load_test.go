package spclep

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// edited is the built-in bundle with edits "old=>new" by file; an empty old
// adds a file.
func edited(t testing.TB, edits map[string]string) fstest.MapFS {
	t.Helper()
	out := fstest.MapFS{}
	names, err := fs.Glob(BuiltinFiles(), "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := fs.ReadFile(BuiltinFiles(), name)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = &fstest.MapFile{Data: data}
	}
	for name, edit := range edits {
		before, after, _ := strings.Cut(edit, "=>")
		if before == "" {
			out[name] = &fstest.MapFile{Data: []byte(after)}
			continue
		}
		text := string(out[name].Data)
		if !strings.Contains(text, before) {
			t.Fatalf("%s does not hold %q", name, before)
		}
		out[name] = &fstest.MapFile{Data: []byte(strings.Replace(text, before, after, 1))}
	}
	return out
}

func loadWith(t testing.TB, edits map[string]string) *Reference {
	t.Helper()
	r, err := Load(edited(t, edits))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Someone at the centre slips in one line. The message names file, line and
// key, and says what was expected.
func TestBrokenBundles(t *testing.T) {
	for _, c := range []struct{ file, edit, want string }{
		{"covasna.yaml", `from: "09:00"=>from: "25:00"`, `covasna.yaml:11: hours[0].from: "25:00" is not a time of day, expected HH:MM`},
		{"covasna.yaml", `to: "13:00"=>to: "08:00"`, `covasna.yaml:11: hours[0].to: 08:00 does not lie after from 09:00`},
		{"covasna.yaml", `kind: booked=>kind: bokked`, `covasna.yaml:11: hours[0].kind: "bokked" is not known, did you mean "booked"?`},
		{"covasna.yaml", `days: [1, 2, 3, 4, 5]=>days: [1, 8]`, `hours[0].days: 8 is not a weekday, expected 1 (Monday) to 7`},
		{"covasna.yaml", `kind: booked,=>knid: booked,`, `covasna.yaml:11: hours[0].knid: unknown key, did you mean "kind"?`},
		{"covasna.yaml", `kind: booked,=>kind: booked, kind: public,`, `hours[0].kind: stands twice`},
		{"covasna.yaml", `kind: booked, days=>days`, `covasna.yaml:11: hours[0].kind: is missing`},
		{"covasna.yaml", "code: 1\n=>code: 2\n", `code: 2 is also the code of covasna`},
		{"covasna.yaml", "code: 1\n=>code: one\n", `covasna.yaml:5: code: "one" is not a whole number`},
		{"covasna.yaml", "layer: office\n=>layer: ofice\n", `layer: "ofice" is not a layer`},
		{"covasna.yaml", `{reason: R01, source=>{reason: R77, source`, `offers[0].reason: "R77" is not known, did you mean "R07"?`},
		{"covasna.yaml", `{civil: divorced}, source: "S1:148"=>{civil: divorcd}, source: "S1:148"`, `"divorcd" is not an answer to civil, expected single, married, divorced, widowed`},
		{"covasna.yaml", `{civil: divorced}, source: "S1:148"=>{civl: divorced}, source: "S1:148"`, `"civl" is not known, did you mean "civil"?`},
		{"covasna.yaml", `{layer: covasna, reason: R08}=>{layer: sibiu, reason: R08}`, `use.layer: no layer is called "sibiu"`},
		{"covasna.yaml", `{layer: covasna, reason: R08}=>{layer: covasna, reason: R10}`, `covasna has no list for "R10"`},
		{"covasna.yaml", `only: [R08C.1,=>only: [R08C.99,`, `"R08C.99" is not in the list of covasna for R08`},
		{"covasna.yaml", `{id: R08C.9, title: "Hotărârea judecătorească definitivă sau actul administrativ prin care s-a schimbat=>{id: R08C.8, title: "Hotărârea judecătorească definitivă sau actul administrativ prin care s-a schimbat`, `"R08C.8" comes twice, once through include`},
		{"covasna.yaml", `form: both, source: "S1:103"=>form: bth, source: "S1:103"`, `"bth" is not known, did you mean "both"?`},
		{"covasna.yaml", `quantity: 3=>quantity: -3`, `quantity: -3 is not between 1 and 20`},
		{"covasna.yaml", `{id: R04C.2, =>{id: R04C.1, `, `"R04C.1" stands twice in the list`},
		{"covasna.yaml", `answer: b,=>answer: z,`, `address_proofs[1].answer: "z" is not an answer to address_proof`},
		{"covasna.yaml", "unit: calendar-day=>unit: weeks", `terms[0].unit: "weeks" is not known`},
		{"covasna.yaml", "terms:\n=>terms: soon\nx:\n", `terms: "soon", expected a list`},
		{"covasna.yaml", "hours:=>hours: &h", `anchors and aliases are not read`},
		{"covasna.yaml", "hours:=>products: [{code: P, title: x, family: y, rule: F01}]\nhours:", `products: stands only in the national layer`},
		{"national.yaml", `bani: 7000, since: 2025-08-01, rule: F02=>bani: 7000, since: 2025-07-01, rule: F02`, `CEI_NEW overlaps in time with the fee on line`},
		{"national.yaml", `since: 2025-06-23, until: 2025-08-01, rule: F03=>since: 2025-06-23, until: 2025-06-23, rule: F03`, `until: 2025-06-23 does not lie after since 2025-06-23`},
		{"national.yaml", `since: 2025-06-23, until: 2025-08-01, rule: F03=>since: 23.06.2025, until: 2025-08-01, rule: F03`, `since: "23.06.2025" is not a date, expected YYYY-MM-DD`},
		{"national.yaml", `product: CEI_NEW, bani: 6700=>product: CEI_NWE, bani: 6700`, `"CEI_NWE" is not known, did you mean "CEI_NEW"?`},
		{"national.yaml", `product: CEI_NEW, bani: 6700=>product: CEI_NEW, bani: -5`, `bani: -5 is no amount in bani`},
		{"national.yaml", `product: CEI_NEW, bani: 6700=>product: CEI_NEW, bani: 67 lei`, `"67 lei" is not a whole number`},
		{"national.yaml", `products: [{code: CIS}]=>products: [{code: CISS}]`, `"CISS" is not known, did you mean "CIS"?`},
		{"national.yaml", `key: slot_minutes, value: 20=>key: slot_minutes, value: 0`, `settings[0].value: 0 is not between 5 and 240`},
		{"national.yaml", `key: slot_minutes=>key: slot_minute`, `"slot_minute" is not a setting, did you mean "slot_minutes"?`},
		{"national.yaml", `key: slot_minutes=>key: window_days`, `settings: no row for slot_minutes`},
		{"national.yaml", `value: 30, rule: B17=>value: 30`, `settings[1].rule: is missing`},
		{"national.yaml", `source: "S0:73-74", status: assumed, note=>source: "S0:73-74", status: guessed, note`, `"guessed" is not a status, expected confirmed, assumed or contradicted`},
		{"national.yaml", `easter: -2,=>easter: -2, month: 4,`, `stands beside month and day`},
		{"national.yaml", `month: 1, day: 1,=>month: 13, day: 1,`, `13/1 is no day of a year`},
		{"national.yaml", `days: []=>days: [{day: 2026-12-24, kind: closed, title: a}, {day: 2026-12-20, last: 2026-12-28, kind: working, title: b}]`, `days[1].day: also stands on line`},
		{"national.yaml", `ask: address_proof
        address_proof: true=>ask: owner
        address_proof: true`, `"land-extract" is not an answer to "owner"`},
		{"national.yaml", `- {include: {layer: national, reason: R01}}=>- {include: {layer: national, reason: R02}}`, `too deeply, or in a circle`},
		{"national.yaml", `one_of:
          - {id: R01.8, answer: land-extract,=>address_proof: false
        one_of:
          - {id: R01.8, answer: land-extract,`, `stands twice`},
		{"national.yaml", `fingerprints: no, cards=>fingerprints: never, cards`, `fingerprints: "never" is not known`},
		{"bundle.yaml", `bundle: 1=>bundle: 0`, `bundle.yaml:5: bundle: 0 is not a number above 0`},
		{"bundle.yaml", `format: 1=>format: 7`, `bundle.yaml:5: format: 7 is not read by this program, expected 1`},
		{"bundle.yaml", `[covasna, botosani]=>[covasna, botosan]`, `no layer for office "botosan", did you mean "botosani"?`},
		{"bundle.yaml", `[covasna, botosani]=>[covasna]`, `office "botosani" is not named in the bundle's offices`},
		{"bundle.yaml", `bundle: 1=>number: 1`, `unknown key`},
		{"bundle.yaml", `format: 1=>format: [`, `bundle.yaml:`},
		{"extra.yaml", "=>", `extra.yaml: is empty`},
		{"extra.yaml", "=>- 1\n- 2\n", `extra.yaml:1: expected keys, beginning with bundle: or layer:`},
		{"extra.yaml", "=>bundle: 2\nformat: 1\nissued: 2026-01-01\noffices: []\n", `2 documents number the bundle, expected one`},
		{"extra.yaml", "=>layer: national\n", `layer "national" stands twice`},
		{"extra.yaml", "=>" + strings.Repeat("a: {", 30) + strings.Repeat("}", 30), `is nested deeper than 24`},
		{"extra.yaml", "=>#" + strings.Repeat("x", maxFileBytes), `extra.yaml: is longer than 1048576 bytes`},
	} {
		r, err := Load(edited(t, map[string]string{c.file: c.edit}))
		if r != nil || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %s:\n got %v\nwant %s", c.file, c.edit, err, c.want)
		}
		var be *BundleError
		if !errors.As(err, &be) || be.File == "" {
			t.Errorf("%s with %s: %v is no BundleError with a file", c.file, c.edit, err)
		}
	}
}

// Two faults in two files are both told at once.
func TestAllFaultsAreTold(t *testing.T) {
	_, err := Load(edited(t, map[string]string{
		"covasna.yaml":  `from: "09:00"=>from: "9"`,
		"national.yaml": `bani: 700,=>bani: seven,`,
	}))
	for _, want := range []string{`covasna.yaml:11: hours[0].from: "9"`, `"seven" is not a whole number`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell %q", err, want)
		}
	}
}

// A bundle takes over only if it is sound and newer; else the old one stays.
func TestReplace(t *testing.T) {
	old := rules(t)
	r, err := Replace(old, edited(t, map[string]string{"bundle.yaml": "bundle: 1=>bundle: 2"}))
	if err != nil || r.Number() != 2 {
		t.Errorf("a newer bundle: %v, number %d", err, r.Number())
	}
	r, err = Replace(old, edited(t, nil))
	if r != old || err == nil || !strings.Contains(err.Error(), "1 is not above 1") {
		t.Errorf("the same bundle: %v", err)
	}
	r, err = Replace(old, edited(t, map[string]string{"bundle.yaml": "bundle: 1=>bundle: two"}))
	if r != old || err == nil {
		t.Errorf("a broken bundle: %v", err)
	}
	if r, err = Replace(nil, edited(t, nil)); err != nil || r == nil {
		t.Errorf("the first bundle: %v", err)
	}
}

// A bundle can travel as one file of several documents.
func TestOneFile(t *testing.T) {
	r, err := LoadFile("all.yaml", oneFile(t))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(r.Offices()); got != 2 {
		t.Errorf("%d offices", got)
	}
	if _, err := LoadFile("all.yaml", []byte("bundle: 1")); err == nil || !strings.Contains(err.Error(), "all.yaml") {
		t.Errorf("a short file: %v", err)
	}
	if _, err := Load(fstest.MapFS{}); err == nil || !strings.Contains(err.Error(), "no *.yaml file") {
		t.Errorf("an empty folder: %v", err)
	}
}

func oneFile(t testing.TB) []byte {
	var parts []string
	for _, f := range edited(t, nil) {
		parts = append(parts, string(f.Data))
	}
	return []byte(strings.Join(parts, "\n---\n"))
}

// What comes from outside may be anything. It is a bundle, or an error that
// names the file; and what loads can be asked.
func FuzzLoad(f *testing.F) {
	// A small bundle: with the real one a mutation rarely hits anything.
	small, err := os.ReadFile("testdata/small.yaml")
	if err != nil {
		f.Fatal(err)
	}
	if _, err := LoadFile("small.yaml", small); err != nil {
		f.Fatal(err)
	}
	f.Add(string(small))
	for _, seed := range []string{"", "bundle: 1", "layer: national", "? [a]: b", "&a [*a]", "<<: {}", "\x00", "a: !!binary x", "--- \n---\n", "- - - -"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := LoadFile("pushed.yaml", []byte(s))
		if err != nil {
			var be *BundleError
			if !errors.As(err, &be) || be.File != "pushed.yaml" || be.Problem == "" {
				t.Fatalf("error without a file: %v", err)
			}
			return
		}
		for _, o := range r.Offices() {
			if _, err := r.Slots(o.ID, monday); err != nil {
				t.Fatal(err)
			}
			for _, reason := range r.Reasons(o.ID, monday) {
				a := Ask{Office: o.ID, Reason: reason.Code, Day: monday}
				_, _ = r.Papers(a)
				_, _ = r.Fee(a)
				_, _ = r.Questions(a)
			}
		}
	})
}
