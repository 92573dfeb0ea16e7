package main

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Made-up people for the demo: given names of the region with surnames that
// are plainly words for "example". Both spellings of â are among them.
var (
	givenRO = []string{"Ana", "Ștefan", "Ioana", "Țica", "Mihai", "Ilinca", "Horațiu", "Brândușa", "Vasile", "Măriuca", "Gheorghiță", "Sânziana", "Dănuț", "Crăița", "Pîrvu", "Îngerina"}
	lastRO  = []string{"Exemplu", "Probă", "Încercare", "Model", "Mostră", "Schiță", "Tipar", "Pârvu-Exemplu", "Ficțiune", "Ștampilă-Test", "Demonstrație", "Țintă-Model"}
	givenHU = []string{"Ödön", "Ernő", "Ilka", "Győző", "Enikő", "Zsófia", "Béla", "Kinga", "Szabolcs", "Csilla"}
	lastHU  = []string{"Példa", "Minta", "Próba", "Kitalált", "Képzelt", "Szűcs-Minta", "Őrs-Példa"}
)

// A person of the demo.
type person struct{ name, email string }

// people draws n different persons.
func people(r *rand.Rand, n int) []person {
	seen := map[string]bool{}
	var out []person
	for i := 0; len(out) < n; i++ {
		name := draw(r, lastRO) + " " + draw(r, givenRO)
		if r.IntN(3) == 0 {
			name = draw(r, lastHU) + " " + draw(r, givenHU) // surname first, as in Hungarian
		}
		if seen[name] {
			if i < 20*n {
				continue
			}
			name += fmt.Sprintf(" %d", i)
		}
		seen[name] = true
		out = append(out, person{name, fmt.Sprintf("%s.%d@example.ro", ascii(name), len(out)+1)})
	}
	return out
}

func draw(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// ascii takes the marks off the letters of a name.
func ascii(name string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9':
			return c
		case c >= 'A' && c <= 'Z':
			return c + 'a' - 'A'
		case c == ' ' || c == '-':
			return '.'
		}
		return -1
	}, norm.NFD.String(name))
}
