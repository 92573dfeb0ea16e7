package settings_test

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"condica/spclep"
	"condica/spclep/settings"
)

const whole = `format: 1
sync:
  poll_seconds: 60
  wait: false
clerks:
  - name: Maria Exemplu
    role: head
  - name: Ion Exemplu
    pin: "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"
    language: hu
desk:
  lock_minutes: 15
retention_days: 365
texts:
  help_desk: "Sunați la 0200 000 000."
  notice: "Mâine se lucrează până la 14."
log_level: debug
tolerances:
  late_minutes: 45
  early_minutes: 5
  undo_hours: 48
`

func TestAllThatCanBeSet(t *testing.T) {
	s, err := settings.Parse(whole)
	if err != nil {
		t.Fatal(err)
	}
	if s.Sync != (settings.Sync{PollSeconds: 60}) || len(s.Clerks) != 2 || s.Clerks[0].Role != settings.RoleHead || s.Clerks[1].Role != settings.RoleClerk ||
		s.RetentionDays != 365 || s.Texts.HelpDesk != "Sunați la 0200 000 000." || s.LogLevel != "debug" || *s.Tolerances.LateMinutes != 45 || s.Tolerances.UndoHours != 48 ||
		s.Desk.LockMinutes != 15 || s.Clerks[1].PIN != "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA" || s.Clerks[1].Language != "hu" {
		t.Errorf("read: %+v", s)
	}
	if s, err = settings.Parse("format: 1\n"); err != nil || !reflect.DeepEqual(s, settings.Defaults()) {
		t.Errorf("a file that sets nothing gives %+v, %v", s, err)
	}
}

// IT slips in one line: the message names file, line, key and reason.
func TestTyposAreRefusedByLineAndKey(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"poll_seconds: 60", "pol_seconds: 60", `settings.yaml:3: sync.pol_seconds: unknown key, did you mean "poll_seconds"?`},
		{"poll_seconds: 60", "poll_seconds: 5", "settings.yaml:3: sync.poll_seconds: 5 is not between 10 and 3600"},
		{"poll_seconds: 60", "poll_seconds: un minut", `settings.yaml:3: sync.poll_seconds: "un minut" is not a whole number`},
		{"wait: false", "wait: nu", `settings.yaml:4: sync.wait: "nu" is not true or false`},
		{"role: head", "role: sef", `settings.yaml:7: clerks[0].role: "sef" is not known, expected one of clerk, head`},
		{"Ion Exemplu", "Maria Exemplu", `settings.yaml:8: clerks[1].name: "Maria Exemplu" stands twice`},
		{"- name: Ion Exemplu", "- role: clerk", "settings.yaml:8: clerks[1].name: is missing"},
		{"retention_days: 365", "retention_days: 3", "settings.yaml:13: retention_days: 3 is not between 30 and 3650"},
		{"Mâine se", `Mâine\nse`, "settings.yaml:16: texts.notice: holds a line break"},
		{"0200 000 000", strings.Repeat("0", 301), "settings.yaml:15: texts.help_desk: has 312 letters, at most 300 are allowed"},
		{"log_level: debug", "log_level: loud", `settings.yaml:17: log_level: "loud" is not known`},
		{"late_minutes: 45", "late_minutes: 999", "settings.yaml:19: tolerances.late_minutes: 999 is not between 0 and 240"},
		{"undo_hours: 48", "undo_hours: -1", "settings.yaml:21: tolerances.undo_hours: -1 is not between 0 and 720"},
		{"lock_minutes: 15", "lock_minutes: 0", "settings.yaml:12: desk.lock_minutes: 0 is not between 1 and 120"},
		{"language: hu", "language: de", `settings.yaml:10: clerks[1].language: "de" is not known, expected one of ro, hu, en`},
		{"m=19456", "m=1048576", "settings.yaml:9: clerks[1].pin: asks for 1048576 KiB of memory, from 8192 to 65536 are taken; condica-hub pin prints one that fits"},
		{"m=19456", "m=16", "settings.yaml:9: clerks[1].pin: asks for 16 KiB of memory"},
		{"t=2,", "t=9,", "settings.yaml:9: clerks[1].pin: asks for 9 passes, from 1 to 4 are taken"},
		{"p=1$", "p=0$", "settings.yaml:9: clerks[1].pin: asks for 0 threads, from 1 to 4 are taken"},
		{"p=1$", "p=1,x=2$", "settings.yaml:9: clerks[1].pin: has the cost"},
		{"p=1$", "p=300$", "settings.yaml:9: clerks[1].pin: has the cost"},
		{"m=19456,t", "m=+19456,t", "settings.yaml:9: clerks[1].pin: has the cost"},
		{"$c2FsdHNhbHQ$", "$c2Fs$", "settings.yaml:9: clerks[1].pin: has a salt of 3 bytes"},
		{"$c2FsdHNhbHQ$", "$c2Fs dHNhbHQ=$", "settings.yaml:9: clerks[1].pin: holds a salt or a hash that is not base64"},
		{"argon2id", "argon2i", "settings.yaml:9: clerks[1].pin: is no verifier of the form"},
		{"$v=19$", "$v=16$", "settings.yaml:9: clerks[1].pin: is no verifier of the form"},
		{"\"$argon2id", "\"118256\" # $argon2id", "settings.yaml:9: clerks[1].pin: is no verifier of the form"},
		{"format: 1", "format: 2", "settings.yaml:1: format: 2, this program reads 1"},
		{"format: 1\n", "", "settings.yaml:1: format: is missing"},
		{"format: 1", "format: 1\nformat: 1", "settings.yaml:2: format: stands twice"},
		{"  wait: false", "  - wait", "settings.yaml:2: did not find expected key"},
		{"format: 1", "format: 1\n---\nformat: 1", "settings.yaml: holds more than one document"},
	} {
		text := strings.Replace(whole, c.old, c.new, 1)
		if text == whole {
			t.Fatalf("the file does not hold %q", c.old)
		}
		if _, err := settings.Parse(text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %q: %v\nwant %s", c.new, c.old, err, c.want)
		}
	}
	if _, err := settings.Parse(""); err == nil || !strings.Contains(err.Error(), "settings.yaml: is empty") {
		t.Errorf("an empty file: %v", err)
	}
}

// The table in code, the program's own fields and the table that IT reads are
// one.
func TestTheTableIsTheProgram(t *testing.T) {
	var paths []string
	walk(reflect.TypeFor[settings.Settings](), "", &paths)
	var keys []string
	doc, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for _, k := range settings.Keys() {
		keys = append(keys, k.Path)
		row := fmt.Sprintf("| `%s` | %s | %s | %s |\n", k.Path, k.Takes, k.Default, k.Effect)
		if !strings.Contains(string(doc), row) {
			t.Errorf("docs/settings.md lacks the row\n%s", row)
		}
	}
	for _, line := range strings.Split(string(doc), "\n") {
		if strings.HasPrefix(line, "| `") {
			rows++
		}
	}
	if !slices.Equal(keys, paths) || rows != len(keys) {
		t.Errorf("keys of the table: %q\nof the program: %q\nrows in the document: %d", keys, paths, rows)
	}
}

func walk(t reflect.Type, path string, out *[]string) {
	switch {
	case t.Kind() == reflect.Struct:
		for i := range t.NumField() {
			name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
			walk(t.Field(i).Type, strings.TrimPrefix(path+"."+name, "."), out)
		}
	case t.Kind() == reflect.Slice:
		walk(t.Elem(), path+"[]", out)
	default:
		*out = append(*out, path)
	}
}

func files(t *testing.T, number int) map[string]string {
	t.Helper()
	out := spclep.BuiltinTexts()
	out["bundle.yaml"] = strings.Replace(out["bundle.yaml"], "bundle: 1\n", fmt.Sprintf("bundle: %d\n", number), 1)
	out[settings.FileName] = whole
	return out
}

// A bundle is one thing: reference and settings are read together, and each
// fault of either is named.
func TestRead(t *testing.T) {
	r, err := settings.Read(7, files(t, 7))
	if err != nil {
		t.Fatal(err)
	}
	late, ok := r.Reference.Setting("late_tolerance_min", "covasna", "", "R08", 20780)
	if !ok || *late.Value != 45 || late.Layer != "settings" {
		t.Errorf("the tolerance is %+v", late)
	}
	if before, _ := settings.Builtin(mustBuiltin(t)).Reference.Setting("late_tolerance_min", "covasna", "", "R08", 20780); *before.Value == 45 {
		t.Error("the built-in rules have the replaced value")
	}
	broken := files(t, 6)
	broken["covasna.yaml"] = strings.Replace(broken["covasna.yaml"], "kind: booked", "kind: bokked", 1)
	broken[settings.FileName] = "format: 1\nlog_levl: info\n"
	for _, f := range []struct {
		files map[string]string
		want  string
	}{
		{files(t, 6), "bundle.yaml:5: bundle: says 6, but it is signed as number 7"},
		{broken, "covasna.yaml:11: hours[0].kind"}, {broken, "settings.yaml:2: log_levl: unknown key"},
		{map[string]string{}, "settings.yaml: is missing"},
	} {
		if _, err := settings.Read(7, f.files); err == nil || !strings.Contains(err.Error(), f.want) {
			t.Errorf("got %v, want %s", err, f.want)
		}
	}
}

func mustBuiltin(t *testing.T) *spclep.Reference {
	t.Helper()
	ref, err := spclep.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// The dry run works an office through; one that the bundle has dropped, or
// that has no reason left to offer, is found.
func TestTry(t *testing.T) {
	monday, err := spclep.ParseDay("2026-11-23")
	if err != nil {
		t.Fatal(err)
	}
	good, err := settings.Read(7, files(t, 7))
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range good.Reference.Offices() {
		if err := good.Try(o.ID, monday); err != nil {
			t.Errorf("%s: %v", o.ID, err)
		}
	}
	bare := files(t, 7)
	bare["covasna.yaml"] = strings.ReplaceAll(bare["covasna.yaml"], "  - {reason: R", "  - {until: 2026-01-01, reason: R")
	none, err := settings.Read(7, bare)
	if err != nil {
		t.Fatal(err)
	}
	if err := none.Try("covasna", monday); err == nil || !strings.Contains(err.Error(), "offers no reason") {
		t.Errorf("an office without reasons: %v", err)
	}
	if err := good.Try("sibiu", monday); err == nil || !strings.Contains(err.Error(), "sibiu") {
		t.Errorf("an office that is not there: %v", err)
	}
}

// What is written is read again; of the verifier nothing leaves by JSON.
func TestAVerifierIsReadAgain(t *testing.T) {
	s, err := settings.Parse(whole)
	if err != nil {
		t.Fatal(err)
	}
	v, err := settings.ParseVerifier(s.Clerks[1].PIN)
	if err != nil || v.String() != s.Clerks[1].PIN || string(v.Salt) != "saltsalt" || v.MemoryKiB != 19456 || v.Time != 2 || v.Threads != 1 {
		t.Errorf("read: %+v, %v", v, err)
	}
	text, err := json.Marshal(s)
	if err != nil || strings.Contains(string(text), "argon2") || strings.Contains(string(text), "saltsalt") {
		t.Errorf("as JSON: %s, %v", text, err)
	}
}
