// Package docs_test holds the documents and the house rules against the code:
// who may import whom, how rooms are named and described, where links lead. It
// reads the source of every system's files and never runs any of it.
package docs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// An arrow is one import that the house does not have. A room is named by its
// import path; "x/..." is x and all below it, "..." is every room.
type arrow struct {
	from   []string
	except []string // rooms of from that may
	to     []string
	but    []string // imports of to that are fine
	why    string
}

// pure are the rooms that decide. The same record and the same day must give
// the same answer on a desk, on the hub and in a storm replayed from its seed.
var pure = []string{
	"condica/spclep/...", "condica/agent/desk/...", "condica/agent/clerk/...",
	"condica/sync/op/...", "condica/sync/hlc/...", "condica/sync/peer/...",
	"condica/sync/replica/...", "condica/sync/digest/...",
}

var arrows = []arrow{
	{from: pure, to: []string{"os/...", "io/ioutil", "syscall/...", "golang.org/x/sys/..."},
		why: "a room that decides opens nothing: what it needs comes in by the door"},
	{from: pure, except: []string{"condica/spclep/..."}, to: []string{"io/fs"},
		why: "only spclep is handed a folder, the one its reference bundle lies in"},
	{from: pure, to: []string{"net", "net/http/..."},
		why: "a decision never waits for the network, nor may it reach it"},
	{from: pure, to: []string{"math/rand/...", "crypto/rand"},
		why: "hidden chance cannot be replayed: a storm must end the same way from the same seed"},
	{from: pure, to: []string{"condica/..."}, but: append([]string{"condica/sync/wire"}, pure...),
		why: "a room is as pure as what it leans on; wire is only the shape of the letters"},
	{from: []string{"condica/sync/..."}, except: []string{"condica/sync/link/..."}, to: []string{"net", "net/http/..."},
		why: "link is the one room of sync that opens sockets, so that all else runs in a simulated storm"},
	{from: []string{"condica/localdb/..."}, to: []string{"net", "net/http/..."},
		why: "the replica is local: a clerk's commit never waits for the network"},
	{from: []string{"..."}, except: []string{"condica/localdb/...", "condica/hub/store/..."},
		to:  []string{"database/sql/...", "modernc.org/sqlite/..."},
		why: "SQL lives with its schema, in the replica and the hub's stores, and nowhere else"},
	{from: []string{"..."}, except: []string{"condica/hub/store/postgres/..."}, to: []string{"github.com/jackc/..."},
		why: "one room speaks to PostgreSQL; the rest knows only the store's contract"},
	{from: []string{"..."}, except: []string{"condica/cmd/condica-hub", "condica/hub/store/postgres/..."},
		to:  []string{"condica/hub/store/postgres/..."},
		why: "the office's program must not carry the driver of the country's database"},
	{from: []string{"condica/hub/..."}, to: []string{"condica/agent/..."},
		why: "the hub serves any program that speaks the protocol, not this agent alone"},
	{from: []string{"condica/agent/..."}, to: []string{"condica/hub/..."},
		why: "an office knows the hub by its protocol only; cmd/condica joins the two for the demo"},
	{from: []string{"..."}, to: []string{"condica/cmd/..."},
		why: "main is the only place that knows all, so nobody may know main"},
}

// clockReads are the names of package time that look at the clock or wait.
var clockReads = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"}

// goFile is a parsed file that is built into a program, on whichever system.
type goFile struct {
	path string // slash path from the root
	room string // import path
	set  *token.FileSet
	ast  *ast.File
}

// rules are all that a tree can be asked without building it; each gives its
// breaches as sentences.
var rules = map[string]func(fs.FS) ([]string, error){
	"import arrows":       importArrows,
	"no clock":            noClock,
	"one doc a package":   oneDoc,
	"no cedilla":          noCedilla,
	"no long file":        noLongFile,
	"no nameless room":    noNamelessRoom,
	"links lead to files": linksLead,
}

// The tree as it stands breaks none of the rules.
func TestHouseRules(t *testing.T) {
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			breaches, err := rule(os.DirFS(".."))
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range breaches {
				t.Error(b)
			}
		})
	}
}

// Each rule notices its fault and lets the lawful neighbour pass: a rule that
// cannot fail holds nothing.
func TestHouseRulesNoticeFaults(t *testing.T) {
	long := "// Package hub is long.\npackage hub\n" + strings.Repeat("//\n", maxLines)
	faults := []struct{ rule, file, text, breach string }{
		{"import arrows", "spclep/a.go", "package spclep\nimport \"os\"", "spclep/a.go: condica/spclep imports os"},
		{"import arrows", "spclep/a.go", "package spclep\nimport \"io/fs\"", ""},
		{"import arrows", "sync/op/a.go", "package op\nimport \"io/fs\"", "imports io/fs"},
		{"import arrows", "sync/op/a_test.go", "package op\nimport \"os\"", ""},
		{"import arrows", "sync/hlc/a_windows.go", "package hlc\nimport \"syscall\"", "imports syscall"},
		{"import arrows", "agent/desk/a.go", "package desk\nimport \"net/http\"", "imports net/http"},
		{"import arrows", "spclep/a.go", "package spclep\nimport \"database/sql\"", "imports database/sql"},
		{"import arrows", "sync/peer/a.go", "package peer\nimport \"math/rand/v2\"", "imports math/rand/v2"},
		{"import arrows", "sync/peer/a.go", "package peer\nimport \"condica/sync/wire\"", ""},
		{"import arrows", "agent/desk/a.go", "package desk\nimport \"crypto/rand\"", "imports crypto/rand"},
		{"import arrows", "agent/desk/a.go", "package desk\nimport \"condica/localdb\"", "imports condica/localdb"},
		{"import arrows", "agent/desk/a.go", "package desk\nimport \"condica/spclep\"", ""},
		{"import arrows", "sync/wire/a.go", "package wire\nimport \"net\"", "imports net"},
		{"import arrows", "sync/link/a.go", "package link\nimport \"net/http\"", ""},
		{"import arrows", "localdb/a.go", "package localdb\nimport \"net/http\"", "imports net/http"},
		{"import arrows", "localdb/a.go", "package localdb\nimport \"database/sql\"", ""},
		{"import arrows", "hub/store/sqlite/a.go", "package sqlite\nimport _ \"modernc.org/sqlite\"", ""},
		{"import arrows", "agent/page/a.go", "package page\nimport \"database/sql\"", "imports database/sql"},
		{"import arrows", "hub/a.go", "package hub\nimport \"github.com/jackc/pgx/v5\"", "imports github.com/jackc/pgx/v5"},
		{"import arrows", "hub/a.go", "package hub\nimport \"condica/agent/desk\"", "imports condica/agent/desk"},
		{"import arrows", "agent/a.go", "package agent\nimport \"condica/hub\"", "imports condica/hub"},
		{"import arrows", "cmd/condica/a.go", "package main\nimport (\n\"condica/agent\"\n\"condica/hub\"\n)", ""},
		{"import arrows", "cmd/condica/a.go", "package main\nimport \"condica/hub/store/postgres\"", "imports condica/hub/store/postgres"},
		{"import arrows", "hub/a.go", "package hub\nimport \"condica/cmd/condica\"", "imports condica/cmd/condica"},
		{"no clock", "spclep/a.go", "package spclep\nimport \"time\"\nvar t = time.Now()", "a.go:3: time.Now"},
		{"no clock", "sync/op/a.go", "package op\nimport tm \"time\"\nvar clock = tm.Now", "a.go:3: time.Now"},
		{"no clock", "sync/op/a.go", "package op\nimport . \"time\"\nvar clock = Now", "a.go: time is imported by dot"},
		{"no clock", "sync/op/a.go", "package op\nimport \"time\"\nvar d = time.Second", ""},
		{"no clock", "agent/a.go", "package agent\nimport \"time\"\nvar t = time.Now()", ""},
		{"one doc a package", "hub/a.go", "package hub", "hub: no file says what the package is"},
		{"one doc a package", "hub/a.go", "// Hubs.\npackage hub", "hub/a.go: starts with"},
		{"one doc a package", "hub/a.go", "// Package hub serves.\npackage hub", ""},
		{"one doc a package", "cmd/condica/a.go", "// Command condica runs.\npackage main", ""},
		{"no cedilla", "agent/page/a.html", "<p>\u015fi</p>", "a.html:1: "},
		{"no cedilla", "agent/page/a.html", "<p>și</p>", ""},
		{"no cedilla", "localdb/fold.go", "package localdb // \u0163 is ț written with a cedilla", ""},
		{"no long file", "hub/a.go", long, "hub/a.go: "},
		{"no nameless room", "sync/util/a.go", "package util", "sync/util: "},
		{"links lead to files", "docs/a.md", "see [b](b.md#here)", "docs/a.md:1: "},
		{"links lead to files", "docs/a.md", "see [a](../docs/a.md), [c](#c) and ![d](https://example.ro/d)", ""},
		{"links lead to files", "README.md", "see [out](../secret.md)", "README.md:1: "},
		{"links lead to files", "README.md", "[ref]: docs/none.md", "README.md:1: "},
	}
	for _, f := range faults {
		breaches, err := rules[f.rule](fstest.MapFS{f.file: {Data: []byte(f.text)}})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(breaches, "\n"); (got == "") != (f.breach == "") || !strings.Contains(got, f.breach) {
			t.Errorf("%s on %s %q: got %q, want %q", f.rule, f.file, f.text[:min(len(f.text), 90)], got, f.breach)
		}
	}

	two := fstest.MapFS{
		"hub/a.go": {Data: []byte("// Package hub serves.\npackage hub")},
		"hub/b.go": {Data: []byte("// Package hub serves too.\npackage hub")},
	}
	if breaches, err := oneDoc(two); err != nil || len(breaches) != 1 {
		t.Errorf("two package comments: got %q, %v, want one breach", breaches, err)
	}
}

func importArrows(tree fs.FS) ([]string, error) {
	files, err := goFiles(tree)
	var breaches []string
	for _, f := range files {
		for _, spec := range f.ast.Imports {
			to, _ := strconv.Unquote(spec.Path.Value) // the parser has seen to it
			for _, a := range arrows {
				if a.forbids(f.room, to) {
					breaches = append(breaches, fmt.Sprintf("%s: %s imports %s, but %s", f.path, f.room, to, a.why))
				}
			}
		}
	}
	return breaches, err
}

func (a arrow) forbids(from, to string) bool {
	return within(a.from, from) && !within(a.except, from) && within(a.to, to) && !within(a.but, to)
}

// within tells whether a name is one of the names, or lies below one of them
// that ends in "/...".
func within(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		top, deep := strings.CutSuffix(n, "/...")
		return n == "..." || name == top || deep && strings.HasPrefix(name, top+"/")
	})
}

// noClock looks for any mention, not only calls: a clock kept in a variable
// is read just the same.
func noClock(tree fs.FS) ([]string, error) {
	files, err := goFiles(tree)
	var breaches []string
	for _, f := range files {
		name := timeName(f.ast)
		if !within(pure, f.room) || name == "" {
			continue
		}
		if name == "." {
			breaches = append(breaches, f.path+": time is imported by dot, which hides who reads the clock")
			continue
		}
		for _, s := range selectors(f.ast, name) {
			if slices.Contains(clockReads, s.Sel.Name) {
				breaches = append(breaches, fmt.Sprintf("%s:%d: time.%s in a pure room: the moment is an argument",
					f.path, f.set.Position(s.Pos()).Line, s.Sel.Name))
			}
		}
	}
	return breaches, err
}

// timeName gives the name by which a file knows package time, "" if it does not.
func timeName(f *ast.File) string {
	for _, spec := range f.Imports {
		if spec.Path.Value != `"time"` {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return "time"
	}
	return ""
}

// selectors gives every pkg.X of the file.
func selectors(f *ast.File, pkg string) []*ast.SelectorExpr {
	var found []*ast.SelectorExpr
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == pkg {
				found = append(found, s)
			}
		}
		return true
	})
	return found
}

func oneDoc(tree fs.FS) ([]string, error) {
	files, err := goFiles(tree)
	docs := map[string][]string{}
	var breaches []string
	for _, f := range files {
		room := path.Dir(f.path)
		docs[room] = append(docs[room], "")[:len(docs[room])] // known, even if nothing describes it
		text := f.ast.Doc.Text()
		if text == "" {
			continue
		}
		docs[room] = append(docs[room], f.path)
		if !strings.HasPrefix(text, "Package "+f.ast.Name.Name+" ") && !strings.HasPrefix(text, "Command "+path.Base(room)+" ") {
			breaches = append(breaches, fmt.Sprintf("%s: starts with %.30q; a room's first sentence is \"Package NAME ...\", its promise and its refusal", f.path, text))
		}
	}
	for room, paths := range docs {
		switch {
		case len(paths) == 0:
			breaches = append(breaches, room+": no file says what the package is")
		case len(paths) > 1:
			breaches = append(breaches, fmt.Sprintf("%s: the package is described more than once: %s", room, strings.Join(paths, ", ")))
		}
	}
	return breaches, err
}

// noCedilla keeps the old letters (U+015E, U+015F, U+0162, U+0163) out of what
// people read. A line that must name them, to fold them, says "cedilla".
func noCedilla(tree fs.FS) ([]string, error) {
	kinds := []string{".go", ".html", ".css", ".js", ".yaml", ".yml", ".json", ".md", ".sql"}
	var breaches []string
	err := walk(tree, func(name string) error {
		if !slices.Contains(kinds, path.Ext(name)) || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		return eachLine(tree, name, func(n int, line string) {
			if strings.ContainsAny(line, "\u015e\u015f\u0162\u0163") && !strings.Contains(line, "cedilla") {
				breaches = append(breaches, fmt.Sprintf("%s:%d: a cedilla under s or t; Romanian has the comma below", name, n))
			}
		})
	})
	return breaches, err
}

const maxLines = 700

func noLongFile(tree fs.FS) ([]string, error) {
	var breaches []string
	err := walk(tree, func(name string) error {
		if path.Ext(name) != ".go" {
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if n := bytes.Count(text, []byte("\n")); n > maxLines {
			breaches = append(breaches, fmt.Sprintf("%s: %d lines; a file over %d is two files", name, n, maxLines))
		}
		return err
	})
	return breaches, err
}

func noNamelessRoom(tree fs.FS) ([]string, error) {
	nameless := []string{"util", "utils", "common", "helper", "helpers", "manager", "managers", "misc"}
	seen := map[string]bool{}
	var breaches []string
	err := walk(tree, func(name string) error {
		dir := path.Dir(name)
		if slices.Contains(nameless, path.Base(dir)) && !seen[dir] {
			seen[dir] = true
			breaches = append(breaches, dir+": the name does not say what is in the room")
		}
		return nil
	})
	return breaches, err
}

var (
	inlineLink = regexp.MustCompile(`\]\(<?([^)>\s]+)`)
	listedLink = regexp.MustCompile(`^\[[^\]]+\]:\s+<?([^>\s]+)`)
	scheme     = regexp.MustCompile(`^[a-z]+:`)
)

// linksLead follows the relative links of the documents. What stands in a
// fenced block is an example, not a link.
func linksLead(tree fs.FS) ([]string, error) {
	var breaches []string
	err := walk(tree, func(name string) error {
		if path.Ext(name) != ".md" {
			return nil
		}
		fenced := false
		return eachLine(tree, name, func(n int, line string) {
			if strings.HasPrefix(strings.TrimSpace(line), "```") {
				fenced = !fenced
			}
			if fenced {
				return
			}
			for _, link := range append(inlineLink.FindAllStringSubmatch(line, -1), listedLink.FindAllStringSubmatch(line, -1)...) {
				if !leads(tree, path.Dir(name), link[1]) {
					breaches = append(breaches, fmt.Sprintf("%s:%d: %s leads nowhere in this tree", name, n, link[1]))
				}
			}
		})
	})
	return breaches, err
}

// leads tells whether a link written in dir ends at a file or folder of the
// tree. Links to elsewhere and within the page are taken on trust.
func leads(tree fs.FS, dir, link string) bool {
	target, _, _ := strings.Cut(link, "#")
	if target == "" || scheme.MatchString(target) {
		return true
	}
	_, err := fs.Stat(tree, path.Join(dir, target))
	return err == nil
}

// goFiles gives every Go file that is built into a program: all systems', no tests.
func goFiles(tree fs.FS) ([]goFile, error) {
	var files []goFile
	err := walk(tree, func(name string) error {
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		f := goFile{path: name, room: path.Join("condica", path.Dir(name)), set: token.NewFileSet()}
		f.ast, err = parser.ParseFile(f.set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		files = append(files, f)
		return err
	})
	return files, err
}

// walk visits the files of the tree that are the project's own: not what was
// built into bin, not test data, and of the hidden folders none.
func walk(tree fs.FS, visit func(name string) error) error {
	return fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			return visit(name)
		}
		hidden := name != "." && strings.HasPrefix(d.Name(), ".")
		if hidden || name == "bin" || d.Name() == "testdata" {
			return fs.SkipDir
		}
		return nil
	})
}

func eachLine(tree fs.FS, name string, see func(n int, line string)) error {
	text, err := fs.ReadFile(tree, name)
	for i, line := range strings.Split(string(text), "\n") {
		see(i+1, line)
	}
	return err
}

// The office's program carries no driver of the country's database, on any
// system it is built for, also not by way of others' packages.
func TestAgentIsBuiltWithoutPostgres(t *testing.T) {
	if main, _ := fs.Glob(os.DirFS(".."), "cmd/condica/*.go"); len(main) == 0 {
		t.Fatal("there is no cmd/condica")
	}
	for _, system := range []string{"linux", "windows"} {
		deps := strings.Fields(string(goTool(t, system, "list", "-deps", "./cmd/condica")))
		if !slices.Contains(deps, "condica/cmd/condica") {
			t.Fatalf("go list on %s does not name cmd/condica itself: %d packages", system, len(deps))
		}
		for _, dep := range deps {
			if within([]string{"github.com/jackc/...", "condica/hub/store/postgres/..."}, dep) {
				t.Errorf("on %s cmd/condica carries %s: an old PC must not pay for the country's database", system, dep)
			}
		}
	}
}

// modernc.org/sqlite is C translated against one exact modernc.org/libc; with
// another the build passes and the database may misbehave.
func TestLibcIsTheOneThatSqliteNames(t *testing.T) {
	ours := requires(t, "go.mod")
	if ours["modernc.org/sqlite"] == "" {
		t.Fatal("modernc.org/sqlite is not in go.mod")
	}
	var sqlite, libc struct{ GoMod, Version string }
	decode(t, goTool(t, "", "list", "-m", "-json", "modernc.org/sqlite"), &sqlite)
	decode(t, goTool(t, "", "list", "-m", "-json", "modernc.org/libc"), &libc)
	want := requires(t, sqlite.GoMod)["modernc.org/libc"]
	if want == "" || libc.Version != want {
		t.Errorf("modernc.org/libc is %s, but modernc.org/sqlite %s names %q: go get modernc.org/libc@%s",
			libc.Version, sqlite.Version, want, want)
	}
}

// requires gives module -> version as a go.mod file, named from the root, has it.
func requires(t *testing.T, file string) map[string]string {
	t.Helper()
	var mod struct {
		Require []struct{ Path, Version string }
	}
	decode(t, goTool(t, "", "mod", "edit", "-json", file), &mod)
	versions := map[string]string{}
	for _, r := range mod.Require {
		versions[r.Path] = r.Version
	}
	return versions
}

func decode(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// goTool runs the go command at the root, as on the system named ("" is this one).
func goTool(t *testing.T, system string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = ".."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if system != "" {
		cmd.Env = append(cmd.Env, "GOOS="+system)
	}
	var grumble bytes.Buffer
	cmd.Stderr = &grumble
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, grumble.String())
	}
	return out
}
