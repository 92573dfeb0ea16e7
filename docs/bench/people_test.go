package bench

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"golang.org/x/text/unicode/norm"

	"condica/spclep"
)

// A booking is one of the bookings both sides are given.
type booking struct {
	ID     spclep.BookingID
	Name   string
	Email  string
	Reason spclep.Reason
	Day    spclep.Day
	At     spclep.Minute
	Asked  int64 // ms
}

var (
	given     = []string{"Ana", "Ștefan", "Ioana", "Țica", "Mihai", "Ilinca", "Horațiu", "Brândușa", "Vasile", "Măriuca", "Gheorghiță", "Sânziana", "Ödön", "Ernő", "Ilka", "Győző", "Enikő", "Zsófia", "Béla", "Kinga"}
	syllables = []string{"ba", "bră", "ce", "dor", "fi", "gâl", "hor", "ju", "lan", "mo", "nec", "o", "pla", "ră", "sil", "șu", "te", "țin", "ve", "zam", "mir", "lu", "can", "dre", "pes", "tol", "ghi", "nu", "ster", "vla", "bog", "cu"}
	endings   = []string{"escu", "eanu", "aru", "ița", "uș", "oiu", "ar", "an"}
)

// person makes up somebody whose surname is drawn from syllables: real names
// repeat far less than a short list would, and a packer must not live on that.
func person(r *rand.Rand) (name, email string) {
	last := draw(r, syllables) + draw(r, syllables) + draw(r, endings)
	first := draw(r, given)
	name = capital(last) + " " + first
	email = plain(first) + "." + plain(last)
	if r.IntN(2) == 0 {
		email = fmt.Sprintf("%s%02d", plain(last), r.IntN(100))
	}
	return name, email + "@" + draw(r, []string{"posta", "mail", "birou"}) + ".example.ro"
}

func draw(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

func capital(s string) string {
	rs := []rune(s)
	return strings.ToUpper(string(rs[0])) + string(rs[1:])
}

// plain takes the marks off the letters and makes them small.
func plain(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z':
			return c
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		}
		return -1
	}, norm.NFD.String(s))
}
