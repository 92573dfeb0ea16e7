package spclep

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The files of the code itself, without its tests.
func sourceFiles(t *testing.T) (out []string) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(names, func(s string) bool { return strings.HasSuffix(s, "_test.go") })
}

func parsed(t *testing.T) (out []*ast.File) {
	t.Helper()
	for _, name := range sourceFiles(t) {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, f)
	}
	return out
}

func source(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	for _, name := range sourceFiles(t) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(data)
	}
	return b.String()
}

func bundleText(t *testing.T) string {
	t.Helper()
	names, err := fs.Glob(BuiltinFiles(), "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, name := range names {
		data, err := fs.ReadFile(BuiltinFiles(), name)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(data)
	}
	return b.String()
}

// Every refusal in the code has its two sentences, and every sentence a
// refusal: the pages' catalogue is complete and has nothing dead in it.
func TestEveryRefusalHasItsSentences(t *testing.T) {
	used := map[string]bool{}
	for _, file := range parsed(t) {
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) > 1 {
				f, _ := call.Fun.(*ast.Ident)
				lit, isLit := call.Args[1].(*ast.BasicLit)
				if f != nil && f.Name == "refuse" && isLit {
					used[strings.Trim(lit.Value, `"`)] = true
				}
			}
			return true
		})
	}
	codes := Codes()
	for code := range used {
		if !slices.Contains(codes, code) {
			t.Errorf("code %q has no sentences", code)
		}
	}
	for _, s := range sayings() {
		if !used[s.code] {
			t.Errorf("code %q is never used", s.code)
		}
		if s.say == "" || s.text == "" {
			t.Errorf("code %q lacks a sentence", s.code)
		}
	}
	if !slices.IsSorted(codes) || len(codes) != len(slices.Compact(slices.Clone(codes))) {
		t.Error("codes are not in order, once each")
	}
}

// Every rule that the code or the bundle names stands in docs/rules.md with its
// source.
func TestEveryRuleIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, line := range strings.Split(string(doc), "\n") {
		if cells := strings.Split(line, "|"); len(cells) > 3 {
			rows[strings.TrimSpace(cells[1])] = strings.TrimSpace(cells[len(cells)-2])
		}
	}
	id := regexp.MustCompile(`\b(?:R\d\d(?:[BC]?\.(?:N|\d+[a-e]?))?|[BFGHPTX]\d\d|G[1-8]|AD\.[a-dwx])\b`)
	found := map[string]bool{}
	for _, text := range []string{source(t), bundleText(t)} {
		for _, m := range id.FindAllString(text, -1) {
			found[m] = true
		}
	}
	if len(found) < 150 {
		t.Fatalf("found only %d rule ids", len(found))
	}
	for _, rule := range sortedKeys(found) {
		if src, ok := rows[rule]; !ok || src == "" {
			t.Errorf("%s has no row with a source in docs/rules.md", rule)
		}
	}
}

// What people read is Romanian with comma below; the cedilla is a typewriter's.
func TestDiacritics(t *testing.T) {
	doc, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"code": source(t), "bundle": bundleText(t), "docs/rules.md": string(doc)} {
		if i := strings.IndexAny(text, "ŞşŢţ"); i >= 0 {
			t.Errorf("%s has a cedilla near %q", name, text[max(0, i-30):i+10])
		}
	}
}

// All contradictions and gaps of the sources are held, and each says how.
func TestContradictionsAndGapsAreHeld(t *testing.T) {
	held := map[string]Matter{}
	for _, m := range rules(t).Matters() {
		held[m.ID] = m
	}
	if len(held) != 21+12 {
		t.Errorf("%d matters, want X01 to X21 and G01 to G12", len(held))
	}
	for id, m := range held {
		want := Assumed
		if id[0] == 'X' {
			want = Contradicted
		}
		if m.Status != want || m.Held == "" || want == Contradicted && m.Source == "" {
			t.Errorf("%s: %+v", id, m)
		}
	}
}
