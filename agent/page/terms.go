package page

import "strings"

// termKey is what the catalogue calls a term of the bundle: by its Romanian
// text, so that a bundle with another text is not given the old translation.
const termKey = "bundle."

// maxTerm is how long a term may be, in bytes, for its parts to be looked for.
const maxTerm = 1000

// Between the terms that the rules put together to one.
const together = ", împreună cu: "

// foreign is a term of the law or the bundle in the language of these pages;
// empty where the catalogue lacks it or a part of it, and in Romanian. A term
// may be put together of others: a paper and the way it is proven, a paper and
// what goes with it, several answers, a receipt and its amount.
func (w words) foreign(text string) string {
	if len(text) > maxTerm {
		return ""
	}
	if w.has(termKey + text) {
		return w.t(termKey + text)
	}
	if title, sum, ok := strings.Cut(text, " ("); ok && (strings.HasSuffix(sum, " lei)") || sum == "1 leu)") && w.has(termKey+title) {
		return w.t(termKey+title) + " (" + sum
	}
	for _, by := range []string{together, ": ", ", "} {
		for at := 0; ; at += len(by) {
			next := strings.Index(text[at:], by)
			if next < 0 {
				break
			}
			at += next
			if !w.has(termKey + text[:at]) {
				continue
			}
			if rest := w.foreign(text[at+len(by):]); rest != "" {
				return w.t(termKey+text[:at]) + w.joint(by) + rest
			}
		}
	}
	return ""
}

func (w words) joint(by string) string {
	if by == together {
		return w.t("paper.together") + " " // a text of the catalogue ends in none
	}
	return by
}

// term is a term in the language of these pages with its Romanian name beside,
// which is the one that has force and that other offices ask for. Where there is
// no other, the Romanian stands alone.
func (p *pages) term(text string) parts {
	if said := p.words.foreign(text); said != "" {
		return append(plain(said+" "), lawful("("+text+")")...)
	}
	return lawful(text)
}

// because tells why a paper is asked for.
func (p *pages) because(why string) parts { return p.words.around("paper.why", p.term(why)) }
