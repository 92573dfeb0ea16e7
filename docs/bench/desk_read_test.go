package bench

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"condica/spclep"
)

// reads is how often each page and search is asked for in a round.
const reads = 40

// An asked is one page or search, for one booking drawn from all.
type asked struct {
	what   string
	path   string
	status int
	shows  string // on the page, or where it leads
	beside func() time.Duration
}

// asking draws what is asked next.
type asking struct {
	*shift
	r     *rand.Rand
	today spclep.Day
	over  spclep.Day // a day whose visits all took place
	two   string     // the two letters with which most names begin, of those that no e-mail's end has
}

// pages are the pages that lie open all day.
func (d asking) pages() []asked {
	one := d.anyone()
	row := func() time.Duration { return d.rows.row(one) }
	list := d.of(d.today)[d.r.IntN(perDay)]
	done := d.of(d.over)[d.r.IntN(perDay)]
	return []asked{
		{"today's list of 60, all still to come", "/", http.StatusOK, string(list.ID), row},
		{"a day's list of 60, all visits over", "/?zi=" + d.over.String(), http.StatusOK, string(done.ID), row},
		{"a visit's page, any of all", "/vizita/" + string(one.ID), http.StatusOK, string(one.ID), row},
		{"the queue", "/coada", http.StatusOK, "/vizita/", row},
		{"the conflicts", "/conflicte", http.StatusOK, "restaureaza", row},
		{"the pickups", "/ridicari", http.StatusOK, "/vizita/", row},
		{"the status line", "/stare", http.StatusOK, "Fără legătură", row},
	}
}

// searches are what is typed or scanned into the box.
func (d asking) searches() []asked {
	one := d.anyone()
	filed := d.anyone()
	for filed.Number == "" {
		filed = d.anyone()
	}
	first, last, _ := strings.Cut(one.Name, " ")
	mailbox, _, _ := strings.Cut(one.Email, "@")
	words := func(what, q, shows string) asked {
		return asked{what, "/cauta?q=" + url.QueryEscape(q), 0, shows, func() time.Duration { return d.rows.words(q) }}
	}
	code := func(what, q string, k booked) asked {
		return asked{what, "/cauta?q=" + url.QueryEscape(q), http.StatusSeeOther, string(k.ID), func() time.Duration { return d.rows.row(k) }}
	}
	return []asked{
		words("2 letters, with which most names begin", d.two, "/vizita/"),
		words("2 letters, which every e-mail has", "ex", "/vizita/"),
		words("2 letters with a mark", "șt", "/vizita/"),
		words("both names in the other order", last+" "+first, string(one.ID)),
		words("the e-mail up to its @", mailbox, string(one.ID)),
		code("a short code", strings.ToLower(string(one.ID)), one),
		code("a registration number", filed.Number, filed),
	}
}

func (d asking) anyone() booked { return d.books[d.r.IntN(len(d.books))] }

// round asks for everything in turn and notes it.
func (d asking) round(times int, search *ledger) {
	d.Helper()
	for range times {
		for _, a := range d.pages() {
			d.ask(a, &d.shift.pages)
		}
		for _, a := range d.searches() {
			d.ask(a, search)
		}
	}
}

func (d asking) ask(a asked, into *ledger) {
	d.Helper()
	s := d.open(a.path)
	got := s.Body.String() + s.Header().Get("Location")
	// A search that finds one person goes there at once.
	status := s.Code == a.status || a.status == 0 && (s.Code == http.StatusOK || s.Code == http.StatusSeeOther)
	if !status || !strings.Contains(got, a.shows) {
		d.Fatalf("%s, %s: %d, and %q is not on it:\n%s", a.what, a.path, s.Code, a.shows, got)
	}
	into.note(a.what, s.took, a.beside())
}

// commonest gives the two letters with which most words of the names begin, in
// small letters without marks, but for those with which the end of an e-mail
// begins: they would find a third of the town by its post office.
func commonest(books []booked) string {
	n := map[string]int{}
	best := ""
	for _, b := range books {
		for word := range strings.FieldsFuncSeq(b.Name, func(r rune) bool { return !unicode.IsLetter(r) }) {
			two := string([]rune(plain(word))[:2])
			if slices.Contains([]string{"bi", "ex", "ma", "po", "ro"}, two) {
				continue
			}
			if n[two]++; n[two] > n[best] || n[two] == n[best] && two < best {
				best = two
			}
		}
	}
	return best
}
