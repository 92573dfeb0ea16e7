package page

import (
	"cmp"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Languages of the pages. The first is what a desk shows that was told nothing;
// the law is Romanian in all of them, and so are the papers that the office keeps.
var languages = []string{"ro", "hu", "en"}

// A word is one text of the catalogue: one form, or those a language counts
// with. Romanian has three (1 operație, 2 operații, 20 de operații); where few
// is not given it is as many. Texts hold the verbs of fmt; %[2]s lets a
// translation change the order.
type word struct {
	text           string
	one, few, many string
}

// words is one language of the catalogue, by key.
type words struct {
	lang string
	all  map[string]word
}

// catalogue loads a language from the embedded files words/LANG/*.yaml.
func catalogue(lang string) (words, error) {
	w := words{lang, map[string]word{}}
	names, err := fs.Glob(files, "words/"+lang+"/*.yaml")
	if err != nil {
		return w, err
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			return w, err
		}
		if err := w.read(text); err != nil {
			return w, fmt.Errorf("%s: %w", name, err)
		}
	}
	return w, nil
}

// read adds the keys of one file; a key stands once in a language.
func (w words) read(text []byte) error {
	var file map[string]word
	if err := yaml.Unmarshal(text, &file); err != nil {
		return err
	}
	for key, e := range file {
		if _, again := w.all[key]; again {
			return fmt.Errorf("%q stands in another file too", key)
		}
		w.all[key] = e
	}
	return nil
}

// UnmarshalYAML reads a text, or a mapping of one, few (may be left out) and many.
func (w *word) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&w.text)
	}
	var forms struct{ One, Few, Many string }
	if err := n.Decode(&forms); err != nil {
		return err
	}
	if forms.One == "" || forms.Many == "" {
		return fmt.Errorf("line %d: want a text, or one, few and many", n.Line)
	}
	w.one, w.few, w.many = forms.One, cmp.Or(forms.Few, forms.Many), forms.Many
	return nil
}

// t is the text of a key. A key that is missing shows itself: a hole in the
// catalogue must not take a page away from a clerk. A test finds it first.
func (w words) t(key string, args ...any) string {
	e, ok := w.all[key]
	if !ok {
		return "[" + key + "]"
	}
	if len(args) == 0 {
		return e.text
	}
	return fmt.Sprintf(e.text, args...)
}

// has reports whether the catalogue holds the key.
func (w words) has(key string) bool { _, ok := w.all[key]; return ok }

// n is the text of a key for a count, which is its first argument.
func (w words) n(key string, count int, args ...any) string {
	e, ok := w.all[key]
	if !ok {
		return "[" + key + "]"
	}
	return fmt.Sprintf(e.form(count), append([]any{w.number(count)}, args...)...)
}

// form picks by the rule of Romanian: 1; then 0 and all that end in 01 to 19;
// then the rest, which takes "de".
func (e word) form(n int) string {
	switch {
	case n == 1:
		return e.one
	case n == 0 || n%100 >= 1 && n%100 <= 19:
		return e.few
	}
	return e.many
}

// number writes 1284 as the language does: 1.284, 1 284, 1,284.
func (w words) number(n int) string {
	mark := map[string]string{"hu": "\u00a0", "en": ","}[w.lang]
	s := strconv.Itoa(n)
	var b strings.Builder
	for i, c := range s {
		if left := len(s) - i; i > 0 && left%3 == 0 && s[i-1] != '-' {
			b.WriteString(cmp.Or(mark, "."))
		}
		b.WriteRune(c)
	}
	return b.String()
}
