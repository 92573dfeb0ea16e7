package simtest

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	planted = flag.Bool("planted", false, "plant each fault in turn, and let storms find it")
	keeping = flag.Bool("record", false, "with -planted: keep the storms that found the faults in testdata")
)

// faults are mistakes that a program like this one could have: each is one change
// of the code, and storms must find each within 2,000 seeds.
var faults = []struct{ what, file, from, to string }{
	{"no tie-break", "sync/hlc/stamp.go", "return bytes.Compare(s.Device[:], o.Device[:])", "_ = bytes.Compare\n\treturn 0"},
	{"the clock on the wall is believed", "sync/replica/seal.go", "max(at, s.Sealed.After())", "max(hlc.At(k.Clock.Wall), s.Sealed.After())"},
	{"who comes last wins", "sync/op/wins.go", "if c := a.Stamp().Compare(b.Stamp()); c != 0 {", "if c := cmp.Compare(a.Pos, b.Pos); c != 0 {"},
	{"a commit that was late is skipped", "hub/sync.go", "\t\tfor _, e := range entries {\n\t\t\tif size >= maxAnswer {", "\t\tif n := len(entries); n > 1 && entries[n-1].Pos%7 == 0 {\n\t\t\tentries = entries[1:]\n\t\t}\n\t\tfor _, e := range entries {\n\t\t\tif size >= maxAnswer {"},
	{"done is said before the journal is synced", "localdb/journal/journal.go", "\tif err == nil {\n\t\terr = j.f.Sync()\n\t}\n\tif err != nil {\n\t\treturn errors.Join(fmt.Errorf(\"write journal", "\tif err != nil {\n\t\treturn errors.Join(fmt.Errorf(\"write journal"},
	{"the journal is written but not read", "sync/replica/replay.go", "\tcase !ok:\n\t\tout.Restored++\n", "\tcase !ok:\n\t\treturn false, nil\n"},
	{"one edit under two names counts twice", "sync/op/twins.go", "if !sameMoment(entries) {", "if true {"},
	{"what is sent again is refused", "hub/taking.go", "return again(o, id, held), nil", "return t.refuse(id, wire.Refused, \"it is here already\", raw)"},
	{"a verdict is applied one place too far", "sync/replica/save.go", "k.Pos, k.Verdict, k.Say = v.Pos+i, \"\", \"\"", "k.Pos, k.Verdict, k.Say = v.Pos+2*i, \"\", \"\""},
	{"a restored hub is not noticed", "hub/take.go", "if req.Cursor <= head && (req.Tip == \"\" || req.Cursor == 0 || id.String() == req.Tip) {", "if _, _ = head, id; true {"},
	{"a new epoch changes nothing", "sync/replica/save.go", "\treturn t.tx.Unplace()\n", "\treturn nil\n"},
	{"what others wrote is not sent back", "sync/replica/request.go", "\tr.Relay, err = lost(tx, maxBytes)\n\treturn err", "\t_, err = lost(tx, maxBytes)\n\treturn err"},
	{"the hub's edit replaces another in silence", "sync/replica/save.go", "\t\theld.ID.Seq |= Stray\n\t\theld.Pos, held.Verdict, held.Say = 0, wire.Clash, sayClash\n\t\t_, err := t.tx.Add(held)\n\t\treturn err", "\t\treturn nil"},
	{"a new name leaves edits behind", "sync/replica/giveway.go", "\t\tif held[k.ID.Seq] && k.ID.Seq < Stray {", "\t\tif len(moving) > 0 || held[k.ID.Seq] {"},
	{"damage is not looked for", "sync/replica/mend.go", "\tif s.Summed && p.sum != s.Total {\n\t\ts.Differs = true\n\t}\n\ts.Total, s.Summed = p.sum, true\n", ""},
	{"damage is found and not mended", "sync/replica/mend.go", "\t\tchanged, err := t.mendOne(read(w))", "\t\tchanged, err := false, error(nil)\n\t\t_ = w"},
	{"a line that fails is given up", "sync/peer/machine.go", "m.busy, m.dirty, m.due = false, false, true", "m.busy, m.dirty, m.due = false, false, false"},
	{"two hand-overs raise no alarm", "spclep/visit.go", "v.TwoHandOvers = slices.ContainsFunc(v.Doubles,", "v.TwoHandOvers = false && slices.ContainsFunc(v.Doubles,"},
	{"what the hub refused counts as held by it", "hub/join.go", "h.Pos == 0 {", "h == (store.Held{}) {"},
	{"an op named by number is waited for in vain", "sync/replica/save.go", "\t\tt.s.Full = true\n", ""},
	{"a block of numbers is given twice", "hub/numbers.go", "n.Next, d.Number = last+1, last", "d.Number = last"},
	{"a number is used again after a crash", "sync/replica/replay.go", "\t\ts.saw(j.Op)\n", ""},
	{"a copy keeps its numbers", "sync/replica/giveway.go", "s.Free, s.Given = nil, 0 //", "//"},
	{"what was not sent is let go", "sync/replica/letgo.go", "if k.Pos == 0 || k.Pos > s.Cursor || k.Verdict != \"\" {", "if false && k.Pos == 0 {"},
}

// Each fault that is planted is found. -v tells by which seed.
func TestPlantedFaults(t *testing.T) {
	if !*planted {
		t.Skip("planting faults takes minutes: go test ./sync/simtest -run Planted -v -timeout 1h -args -planted")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	seed := regexp.MustCompile(`seed (\d+): .*`)
	weather := regexp.MustCompile(`weather: (.*)`)
	for _, f := range faults {
		t.Run(f.what, func(t *testing.T) {
			path := filepath.Join(root, filepath.FromSlash(f.file))
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Count(string(text), f.from) != 1 {
				t.Fatalf("%s: the place of the fault is there %d times", f.file, strings.Count(string(text), f.from))
			}
			out, err := storm2000(t, root, path, strings.Replace(string(text), f.from, f.to, 1))
			found, under := seed.FindStringSubmatch(out), weather.FindStringSubmatch(out)
			if err == nil || found == nil || under == nil {
				t.Fatalf("2,000 storms did not find it: %v\n%s", err, out)
			}
			t.Log(found[0])
			if *keeping {
				keep(t, f.what, found[1], under[1])
			}
		})
	}
}

// storm2000 runs storms over a tree in which one file says something else.
func storm2000(t *testing.T, root, path, text string) (string, error) {
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{changed: []byte(text), overlay: list} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-overlay", overlay, "./sync/simtest", "-run", "TestStorms$", "-args", "-seeds", "2000")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func keep(t *testing.T, what, seed, weather string) {
	name := strings.NewReplacer(" ", "-", "'", "", ",", "").Replace(what) + ".txt"
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	text := "# " + what + "\nseed " + seed + "\nweather " + weather + "\n"
	if err := os.WriteFile(filepath.Join("testdata", name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
