package page

import "strings"

// A part is a piece of a line. Law is what the law, the bundle or the record
// says: Romanian on every page. What people typed is nobody's language, and goes
// with the page's own words.
type part struct {
	Text string
	Law  bool
}

// parts are a line. The fragment "parts" shows it with what is Romanian marked
// so: a screen reader must know it (WCAG 3.1.2).
type parts []part

func plain(text string) parts { return parts{{Text: text}} }

func lawful(text string) parts { return parts{{text, true}} }

func (ps parts) String() string {
	var b strings.Builder
	for _, p := range ps {
		b.WriteString(p.Text)
	}
	return b.String()
}

// mark stands around the number of a blank; no text of the catalogue holds it.
const mark = "\x01"

// around is a text of the catalogue with parts in its blanks, ten at most.
func (w words) around(key string, blanks ...parts) parts {
	marks := make([]any, len(blanks))
	for i := range blanks {
		marks[i] = mark + string(rune('0'+i)) + mark
	}
	var out parts
	for i, text := range strings.Split(w.t(key, marks...), mark) {
		switch {
		case i%2 == 1:
			out = append(out, blanks[text[0]-'0']...)
		case text != "":
			out = append(out, part{Text: text})
		}
	}
	return out
}

// quote is a text of the page around words of the law.
func (p *pages) quote(key string, words ...string) parts {
	blanks := make([]parts, len(words))
	for i, said := range words {
		blanks[i] = lawful(said)
	}
	return p.words.around(key, blanks...)
}
