package page

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A word is one text of the catalogue: one form, or the three that Romanian
// counts with (1 operație, 2 operații, 20 de operații). Texts hold the verbs
// of fmt; %[2]s lets a translation change the order.
type word struct {
	text           string
	one, few, many string
}

// words is one language of the catalogue, by key.
type words map[string]word

// romanian loads the catalogue of the embedded file words/ro.yaml.
func romanian() words {
	text, err := files.ReadFile("words/ro.yaml")
	if err != nil {
		panic(err) // the file is embedded
	}
	w, err := parseWords(text)
	if err != nil {
		panic(err) // the file is embedded, and a test reads it
	}
	return w
}

func parseWords(text []byte) (words, error) {
	var w words
	if err := yaml.Unmarshal(text, &w); err != nil {
		return nil, fmt.Errorf("words: %w", err)
	}
	return w, nil
}

// UnmarshalYAML reads a text, or a mapping of one, few and many.
func (w *word) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		return n.Decode(&w.text)
	}
	var forms struct{ One, Few, Many string }
	if err := n.Decode(&forms); err != nil {
		return err
	}
	if forms.One == "" || forms.Few == "" || forms.Many == "" {
		return fmt.Errorf("line %d: want a text, or one, few and many", n.Line)
	}
	w.one, w.few, w.many = forms.One, forms.Few, forms.Many
	return nil
}

// t is the text of a key. A key that is missing shows itself: a hole in the
// catalogue must not take a page away from a clerk. A test finds it first.
func (w words) t(key string, args ...any) string {
	e, ok := w[key]
	if !ok {
		return "[" + key + "]"
	}
	if len(args) == 0 {
		return e.text
	}
	return fmt.Sprintf(e.text, args...)
}

// has reports whether the catalogue holds the key.
func (w words) has(key string) bool { _, ok := w[key]; return ok }

// n is the text of a key for a count, which is its first argument.
func (w words) n(key string, count int, args ...any) string {
	e, ok := w[key]
	if !ok {
		return "[" + key + "]"
	}
	return fmt.Sprintf(e.form(count), append([]any{dotted(count)}, args...)...)
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

// dotted writes 1284 as 1.284.
func dotted(n int) string {
	s := strconv.Itoa(n)
	var b strings.Builder
	for i, c := range s {
		if left := len(s) - i; i > 0 && left%3 == 0 && s[i-1] != '-' {
			b.WriteByte('.')
		}
		b.WriteRune(c)
	}
	return b.String()
}
