package page_test

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"condica/agent/desk"
	"condica/spclep"
)

// alike are the texts that are the same in another language: names, figures,
// and words that both languages write alike.
var alike = map[string][]string{
	"hu": {"app", "clerk.default", "said", "edit.set"},
	"en": {"app", "clerk.default", "said", "edit.set", "signin.pin", "pin.link", "field.email", "form.original", "tick.original"},
}

// ruleKey tells the sentences of rules.yaml, which Romanian does not have.
func ruleKey(key string) bool {
	return strings.HasPrefix(key, "refusal.") || strings.HasPrefix(key, "note.")
}

// termKey tells the terms of terms.yaml, which are Romanian in the bundle itself.
func termKey(key string) bool { return strings.HasPrefix(key, "bundle.") }

// forms are a word's texts by form; "" is the form of a word that is not
// counted. Keys of the yaml file may be any value at all.
func formsOf(word any) map[string]string {
	if text, ok := word.(string); ok {
		return map[string]string{"": text}
	}
	out := map[string]string{}
	if counted, ok := word.(map[string]any); ok {
		for form, text := range counted {
			out[form] = fmt.Sprint(text)
		}
	}
	return out
}

var verb = regexp.MustCompile(`%(?:\[(\d+)\])?[a-z]`)

// verbs are what a text takes, by argument: "1 %s".
func verbs(text string) []string {
	var out []string
	next := 1
	for _, m := range verb.FindAllStringSubmatch(text, -1) {
		if m[1] != "" {
			next, _ = strconv.Atoi(m[1]) // digits, says the pattern
		}
		out = append(out, fmt.Sprint(next, " %", m[0][len(m[0])-1:]))
		next++
	}
	slices.Sort(out)
	return out
}

// Each language holds the same files and the same words, with the same shape
// and the same blanks to be filled in.
func TestLanguagesHoldTheSameWords(t *testing.T) {
	ro := catalogueKeys(t, "ro")
	for _, lang := range []string{"hu", "en"} {
		held := catalogueKeys(t, lang)
		for key := range ro {
			if held[key] == nil {
				t.Errorf("%s lacks %q", lang, key)
			}
		}
		for key, word := range held {
			if ruleKey(key) || termKey(key) {
				continue
			}
			if ro[key] == nil {
				t.Errorf("%s holds %q, which Romanian does not", lang, key)
				continue
			}
			sameShape(t, lang+" "+key, formsOf(ro[key]), formsOf(word))
		}
		for name := range catalogueFiles(t, "ro") {
			if there := filepath.Join("words", lang, filepath.Base(name)); catalogueFiles(t, lang)[there] == "" {
				t.Errorf("%s stands nowhere in %s", name, lang)
			}
		}
	}
}

func sameShape(t *testing.T, name string, ro, word map[string]string) {
	want := []string{"many", "one"} // few is Romanian's alone
	if _, plain := ro[""]; plain {
		want = []string{""}
	}
	if got := slices.Sorted(maps.Keys(word)); !slices.Equal(got, want) {
		t.Errorf("%s has the forms %q, want %q", name, got, want)
	}
	for form, text := range word {
		if strings.TrimSpace(text) == "" || strings.TrimSpace(text) != text {
			t.Errorf("%s is empty or has spaces around it: %q", name, text)
		}
		if got, want := verbs(text), verbs(ro[form]); !slices.Equal(got, want) {
			t.Errorf("%s takes %q, Romanian %q", name, got, want)
		}
		if strings.HasSuffix(name, ".sign") || strings.Contains(name, ".sign.") {
			if text != ro[form] {
				t.Errorf("%s is %q, and %q in Romanian: a sign is the same everywhere", name, text, ro[form])
			}
		}
	}
}

// Romanian counts in all three forms.
func TestRomanianHasItsThreeForms(t *testing.T) {
	for key, word := range catalogueKeys(t, "ro") {
		forms := slices.Sorted(maps.Keys(formsOf(word)))
		if !slices.Equal(forms, []string{""}) && !slices.Equal(forms, []string{"few", "many", "one"}) {
			t.Errorf("%s has the forms %q", key, forms)
		}
		for form, text := range formsOf(word) {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s %s is empty", key, form)
			}
		}
	}
}

// No Romanian is left over in another language, but what is listed above.
func TestTranslationsAreTranslated(t *testing.T) {
	ro := catalogueKeys(t, "ro")
	for lang, same := range alike {
		held := catalogueKeys(t, lang)
		for key, word := range held {
			if ruleKey(key) || termKey(key) || strings.HasSuffix(key, ".sign") || strings.Contains(key, ".sign.") || onlyBlanks(word) {
				continue
			}
			equal := false
			for form, text := range formsOf(word) {
				equal = equal || text == formsOf(ro[key])[form]
			}
			if listed := slices.Contains(same, key); equal != listed {
				t.Errorf("%s %q is as in Romanian: %v; listed as such: %v", lang, key, equal, listed)
			}
		}
	}
}

// onlyBlanks tells a text that has no word in it.
func onlyBlanks(word any) bool {
	for form, text := range formsOf(word) {
		if form != "" || regexp.MustCompile(`\pL`).MatchString(verb.ReplaceAllString(text, "")) {
			return false
		}
	}
	return true
}

// Each language is written with its own letters: Hungarian ő and ű are not the
// õ and û of old fonts, and nobody has a cedilla.
func TestLettersOfEachLanguage(t *testing.T) {
	foreign := map[string]string{
		"ro": "\u015e\u015f\u0162\u0163őűŐŰ",
		"hu": "\u015e\u015f\u0162\u0163\u00f5\u00fb\u00d5\u00db",
		"en": "\u015e\u015f\u0162\u0163őűŐŰăâîțĂÂÎȚ",
	}
	for lang, letters := range foreign {
		for key, word := range catalogueKeys(t, lang) {
			for _, text := range formsOf(word) {
				if i := strings.IndexAny(text, letters); i >= 0 {
					t.Errorf("%s %s: %q has a letter of another language at %d", lang, key, text, i)
				}
			}
		}
	}
}

// Everything the rules refuse or remark on has its sentence in both languages,
// which speaks of nothing that the refusal does not name; and there is no
// sentence more.
func TestEveryRefusalIsTranslated(t *testing.T) {
	said := spoken(t)
	for _, lang := range []string{"hu", "en"} {
		held := catalogueKeys(t, lang)
		for key := range said {
			if held[key] == nil {
				t.Errorf("%s has no sentence for %q", lang, key)
			}
		}
		for key, word := range held {
			if !ruleKey(key) {
				continue
			}
			names, ok := said[key]
			if !ok {
				t.Errorf("%s has a sentence for %q, which nothing says", lang, key)
			}
			for _, m := range regexp.MustCompile(`\{([^}]*)\}`).FindAllStringSubmatch(fmt.Sprint(word), -1) {
				if !slices.Contains(names, m[1]) {
					t.Errorf("%s %s speaks of {%s}; the refusal names %q", lang, key, m[1], names)
				}
			}
		}
	}
}

// spoken are the keys of all refusals and notes with the names of what they
// speak of: from the lists of codes, and from the sources beside them.
func spoken(t *testing.T) map[string][]string {
	said := map[string][]string{"note.age-reason": {"reason", "ages", "age", "day"}} // a refusal that a list of papers only remarks on
	for _, code := range slices.Concat(spclep.Codes(), desk.Codes()) {
		said["refusal."+code] = nil
	}
	for _, room := range []string{"../../spclep", "../desk", "../office", "."} {
		files := parsed(t, room)
		named := constants(files)
		for _, file := range files {
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.CallExpr:
					if key, names := refuseCall(n); key != "" {
						said[key] = append(said[key], names...)
					}
				case *ast.CompositeLit:
					if key, names := saidLiteral(n, named); key != "" {
						said[key] = append(said[key], names...)
					}
				}
				return true
			})
		}
	}
	said["refusal.papers-missing"] = []string{"papers", "titles"}
	said["refusal.undo-late"] = []string{"hours"}
	said["refusal.other-clerk"] = []string{"drawn", "now"}
	return said
}

// refuseCall reads refuse(rule, code, name, value, ...).
func refuseCall(n *ast.CallExpr) (key string, names []string) {
	if f, ok := n.Fun.(*ast.Ident); !ok || f.Name != "refuse" || len(n.Args) < 2 {
		return "", nil
	}
	code := literal(n.Args[1])
	if code == "" || len(n.Args)%2 != 0 {
		return "", nil
	}
	for i := 2; i < len(n.Args); i += 2 {
		names = append(names, literal(n.Args[i]))
	}
	return "refusal." + code, names
}

// constants are the texts that a room has names for.
func constants(files []*ast.File) map[string]string {
	out := map[string]string{}
	for _, file := range files {
		ast.Inspect(file, func(n ast.Node) bool {
			if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Names) == len(spec.Values) {
				for i, name := range spec.Names {
					out[name.Name] = literal(spec.Values[i])
				}
			}
			return true
		})
	}
	return out
}

// saidLiteral reads Refusal{Code: code} and Note{rule, code, say, text, args}.
// Notes of other shapes have their text from the bundle.
func saidLiteral(n *ast.CompositeLit, named map[string]string) (key string, names []string) {
	name := ""
	switch f := n.Type.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	switch {
	case name == "Refusal":
		for _, e := range n.Elts {
			kv, ok := e.(*ast.KeyValueExpr)
			if !ok || fmt.Sprint(kv.Key) != "Code" {
				continue
			}
			if code := cmp.Or(literal(kv.Value), named[fmt.Sprint(kv.Value)]); code != "" {
				return "refusal." + code, nil
			}
		}
	case name == "Note" && len(n.Elts) == 5 && literal(n.Elts[1]) != "":
		if args, ok := n.Elts[4].(*ast.CompositeLit); ok {
			for _, e := range args.Elts {
				names = append(names, literal(e.(*ast.KeyValueExpr).Key))
			}
		}
		return "note." + literal(n.Elts[1]), names
	}
	return "", nil
}

// literal is a text that stands in the source; empty for anything else.
func literal(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return text
}

func parsed(t *testing.T, room string) (out []*ast.File) {
	names, err := filepath.Glob(filepath.Join(room, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no sources in %s: %v", room, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, file)
	}
	return out
}

// A browser keeps the cookies it is given.
type browserOf struct {
	pages http.Handler
	kept  map[string]*http.Cookie
}

func (b *browserOf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, c := range b.kept {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	b.pages.ServeHTTP(rec, r)
	for _, c := range rec.Result().Cookies() {
		b.kept[c.Name] = c
	}
	maps.Copy(w.Header(), rec.Header())
	w.WriteHeader(rec.Code)
	w.Write(rec.Body.Bytes())
}

// in opens a counter whose browser was told to speak a language.
func in(t *testing.T, clock, lang string) (*counter, *browserOf) {
	t.Helper()
	c := at(t, clock)
	b := &browserOf{c.pages, map[string]*http.Cookie{}}
	c.pages = b
	c.open("/ajutor").press("/limba", url.Values{"limba": {lang}}).is(http.StatusOK)
	return c, b
}

// The clerk presses HU: list, visit, refusal and queue are Hungarian, the words
// of the law stay Romanian and say so, and the browser keeps the choice.
func TestTheDeskSpeaksHungarian(t *testing.T) {
	c, b := in(t, "09:15", "hu")
	if kept := b.kept["condica-limba"]; kept == nil || kept.Value != "hu" || kept.MaxAge < 300*24*60*60 || !kept.HttpOnly {
		t.Errorf("the choice is kept as %+v", kept)
	}
	c.books("2222AAAA", "Példa Réka", "R01", monday, "09:20")
	c.books("2222BBBB", "Minta Ödön", "R01", monday+1, "09:20")

	day := c.open("/").shows("Időpontok", "hétfő 23.11.2026", "1 időpont", "Példa Réka", "várt", "Keresés F2")
	for _, want := range []string{`<html lang="hu">`, `<span lang="ro">Carte electronică de identitate`, `value="hu" lang="hu" aria-pressed="true"`} {
		if !strings.Contains(day.Body.String(), want) {
			t.Errorf("the list of the day lacks %s", want)
		}
	}

	v := c.open("/vizita/2222AAAA").shows("23.11.2026, hétfő, 09:20", "Mi következik", "Jelen van F4").
		press("/vizita/2222AAAA/prezent", nil).shows("A jelenlét feljegyezve.", "iratot még nem láttak")
	v.press("/vizita/2222AAAA/raspunsuri", url.Values{"answer.civil": {"married"}}).shows("mert: căsătorit(ă)")
	if again := c.open("/vizita/2222AAAA").Body.String(); !strings.Contains(again, `mert: <span lang="ro">căsătorit(ă)</span>`) {
		t.Error("the reason for a paper is not marked as Romanian")
	}

	c.open("/vizita/2222BBBB").shows("Az időpont erre a napra szól: 24.11.2026, nem mára. B09 szabály")
	form := v.fill("/vizita/2222AAAA/acte", nil)
	c.post("/vizita/2222BBBB/prezent", url.Values{"cheie": form["cheie"]}).is(http.StatusUnprocessableEntity).
		shows("A művelet nem sikerült", "Az időpont erre a napra szól: 24.11.2026, nem mára.")
	c.open("/coada").shows("Küldés a központnak", "művelet vár arra, hogy a központba érjen", "nincs elküldve")
}

// English has its own order of words, and its sentences for the same refusals.
func TestTheDeskSpeaksEnglish(t *testing.T) {
	c, _ := in(t, "10:00", "en")
	c.open("/fara-programare").shows("only at 13:00–15:00").
		press("/fara-programare", url.Values{"nume": {"Példa Réka"}, "motiv": {"R11"}}).is(http.StatusUnprocessableEntity).
		shows("This could not be done", "No applications without a booking are taken at 10:00.", "rule B34")
	c.open("/coada").shows("Everything is sent.")
}

// A language that nobody speaks here is Romanian, whoever wrote the cookie.
func TestAForgedLanguageIsRomanian(t *testing.T) {
	c, b := in(t, "09:15", "hu")
	for _, forged := range []string{"", "de", "HU", "../hu", "<script>"} {
		b.kept["condica-limba"] = &http.Cookie{Name: "condica-limba", Value: forged}
		if s := c.open("/ajutor").shows("Stările unei vizite"); !strings.Contains(s.Body.String(), `<html lang="ro">`) || strings.Contains(s.Body.String(), "<span lang=") {
			t.Errorf("the cookie %q makes a page that is not wholly Romanian", forged)
		}
	}
	c.post("/limba", url.Values{"limba": {"de"}}).is(http.StatusBadRequest)
}

// On a page of another language, what is Romanian says so: beside the marked
// elements no Romanian letter is left but in names.
func TestRomanianOnOtherPagesIsMarked(t *testing.T) {
	for _, lang := range []string{"hu", "en"} {
		c, _ := in(t, "09:15", lang)
		c.clerk = "Ana"
		c.books("2222AAAA", "Exemplu Ioana", "R01", monday, "09:20")
		c.books("2222BBBB", "Minta Anna", "R02", monday, "09:40")
		c.books("2222CCCC", "Proba Maria", "R08", monday+1, "09:20")
		c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/prezent", nil)
		c.open("/vizita/2222AAAA").press("/vizita/2222AAAA/preia", url.Values{"desi": {"vine mama cu ele"}}).is(http.StatusOK)
		c.open("/vizita/2222BBBB").press("/vizita/2222BBBB/prezent", nil)
		c.open("/vizita/2222BBBB").press("/vizita/2222BBBB/raspunsuri", url.Values{"answer.civil": {"married"}})
		c.open("/vizita/2222BBBB").press("/vizita/2222BBBB/acte", url.Values{"paper.R02.1": {"original"}})
		c.open("/vizita/2222CCCC").press("/vizita/2222CCCC/date", url.Values{"reason": {"R02"}})
		c.elsewhere("Radu", c.wall+60_000, "2222CCCC", spclep.FieldReason, false, "R01")
		for _, path := range []string{"/", "/lista", "/fara-programare", "/ridicari", "/registru", "/sfarsit", "/coada", "/conflicte", "/ajutor", "/cauta?q=ex",
			"/vizita/2222BBBB", "/vizita/2222CCCC", "/vizita/2222BBBB/lipsa", "/vizita/2222AAAA/bon", "/?zi=2026-12-25"} {
			s := c.open(path)
			if s.Code != http.StatusOK {
				t.Errorf("%s %s: status %d", lang, path, s.Code)
			}
			left := readable(names.ReplaceAllString(unmarked(t, s.Body.String()), ""))
			if i := strings.IndexAny(left, "ăâîșțĂÂÎȘȚ"); i >= 0 {
				t.Errorf("%s %s: Romanian that does not say so: …%s…", lang, path, left[max(0, i-60):min(len(left), i+60)])
			}
		}
	}
}

// names are proper names of offices and streets, which are of no language.
var names = regexp.MustCompile(`(?s)ghișeu|SPCLEP [^<·]*|<p class="office">.*?</p>|<select id="preia-ridicare".*?</select>|<p class="sub">.*?</p>`)

// unmarked is a page without its elements in Romanian.
func unmarked(t *testing.T, page string) string {
	for {
		at := strings.Index(page, ` lang="ro"`)
		if at < 0 {
			return page
		}
		from := strings.LastIndexByte(page[:at], '<')
		name, _, _ := strings.Cut(page[from+1:at], " ")
		end := strings.Index(page[at:], "</"+name+">")
		if end < 0 {
			t.Fatalf("no end of %s", page[from:at])
		}
		page = page[:from] + page[at+end+len("</"+name+">"):]
	}
}
