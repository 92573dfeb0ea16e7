package page

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"condica/spclep"
)

// Every term that the built-in bundle can put on a person's paper has its
// translation, put together of others or not, and there is no translation more.
func TestEveryTermOfTheBundleIsTranslated(t *testing.T) {
	ref, err := spclep.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	shown, held := termsShown(t, ref), map[string]bool{"gratuit": true, "întrebați la ghișeu": true, "taxă necunoscută": true} // which the rules themselves say
	bundleTexts(t, held, shown)
	for _, lang := range languages[1:] {
		w, err := catalogue(lang)
		if err != nil {
			t.Fatal(err)
		}
		for text := range shown {
			if w.foreign(text) == "" && !strings.HasPrefix(text, "www.") && !strings.HasSuffix(text, " lei") && text != "1 leu" {
				t.Errorf("%s has no words for %q", lang, text)
			}
		}
		for key := range w.all {
			if text, ok := strings.CutPrefix(key, termKey); ok && !held[text] {
				t.Errorf("%s translates %q, which the bundle does not say", lang, text)
			}
		}
	}
	if len(shown) < 170 {
		t.Errorf("only %d terms were found", len(shown))
	}
}

// termsShown are what papers hold at each office, for each reason,
// as it is asked first and with each answer to each question.
func termsShown(t *testing.T, ref *spclep.Reference) map[string]bool {
	t.Helper()
	out := map[string]bool{}
	for _, o := range ref.Offices() {
		for _, l := range o.Links {
			out[l.Title] = true
		}
		for _, reason := range ref.Reasons(o.ID, ref.Issued()) {
			out[reason.Title] = true
			ask := spclep.Ask{Office: o.ID, Reason: reason.Code, Day: ref.Issued()}
			questions, err := ref.Questions(ask)
			if err != nil {
				t.Fatal(err)
			}
			all := []spclep.Answers{{}}
			for _, q := range questions {
				for _, value := range answersTo(q) {
					all = append(all, spclep.Answers{q.Key: value})
				}
			}
			for _, a := range all {
				ask.Answers = a
				add(out, ref, ask)
			}
		}
	}
	for _, p := range ref.Products() {
		out[p.Title] = true
	}
	delete(out, "")
	return out
}

func add(out map[string]bool, ref *spclep.Reference, ask spclep.Ask) {
	list, err := ref.Papers(ask)
	if err != nil {
		return // an answer that leads to another product
	}
	for _, p := range list.Papers {
		out[p.Title], out[p.Why] = true, true
		for _, way := range p.OneOf {
			out[way.Title] = true
		}
	}
	if fee, err := ref.Fee(ask); err == nil {
		out[fee.Text] = true
		for _, place := range fee.Places {
			out[place.Title] = true
		}
	}
}

func answersTo(q spclep.Question) (out []string) {
	for _, o := range q.Options {
		out = append(out, o.Value)
	}
	if q.Kind == spclep.KindYesNo {
		out = []string{"yes", "no"}
	}
	return out
}

// bundleTexts adds all texts of the built-in bundle, and among them what names a
// paper or a way to prove something, or is the answer that asks for a paper.
func bundleTexts(t *testing.T, all, named map[string]bool) {
	t.Helper()
	var walk func(n *yaml.Node, paper bool)
	walk = func(n *yaml.Node, paper bool) {
		if n.Kind == yaml.ScalarNode {
			all[n.Value] = true
			named[n.Value] = named[n.Value] || paper
			return
		}
		for i, c := range n.Content {
			if n.Kind != yaml.MappingNode {
				walk(c, paper && c.Kind == yaml.ScalarNode)
			} else if i%2 == 1 {
				key := n.Content[i-1].Value
				walk(c, slices.Contains([]string{"yes", "no", "also"}, key) || key == "title" && slices.Contains([]string{"id", "value"}, n.Content[0].Value) && !matter(n))
			}
		}
	}
	for name, text := range spclep.BuiltinTexts() {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		walk(&doc, false)
	}
	for text := range named {
		if !named[text] {
			delete(named, text)
		}
	}
}

// matter tells a row of the console's list of open matters.
func matter(row *yaml.Node) bool {
	return slices.ContainsFunc(row.Content, func(c *yaml.Node) bool { return c.Value == "held" })
}

// Central IT changes a paper's title: the person is given the new Romanian one,
// and not the translation of the old. So it is with one part of a term.
func TestATermThatWasChangedIsRomanian(t *testing.T) {
	w, err := catalogue("hu")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"Certificatul de naștere":                            "születési anyakönyvi kivonat",
		"Certificatul de naștere, în original":               "",
		"Chitanța pentru cartea de identitate (7 lei)":       "a személyazonosító igazolvány díjának nyugtája (7 lei)",
		"Chitanța pentru cartea de identitate (7,50 lei)":    "a személyazonosító igazolvány díjának nyugtája (7,50 lei)",
		"Chitanța pentru cartea de identitate (dacă e)":      "",
		"Dovada adresei de domiciliu: extras nou":            "",
		"Dovada adresei de domiciliu: pașaport":              "a lakcím igazolása: útlevél",
		"pașaport, împreună cu: livret militar":              "útlevél, ezzel együtt: katonakönyv",
		"căsătorit(ă), are reședință, are carte de alegător": "házas, tartózkodási helye van, választói igazolványa van",
		"are reședință, ":                                    "",
		strings.Repeat("are reședință, ", 10_000):            "",
	} {
		if got := w.foreign(text); got != want {
			t.Errorf("%.60q is %q, want %q", text, got, cmp.Or(want, "the Romanian alone"))
		}
	}
}
