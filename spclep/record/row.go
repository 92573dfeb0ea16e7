package record

import (
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"condica/spclep"
)

// A Row is a booking as lists show it.
type Row struct {
	ID      spclep.BookingID
	Day     spclep.Day // zero: not known
	At      spclep.Minute
	Name    string
	Email   string
	Reason  spclep.Reason
	Origin  string
	State   spclep.State
	Number  string // registration number of the application
	Product spclep.Product
	Pickup  spclep.OfficeID
	Due     spclep.Day
	Person  bool   // something waits for a person
	Changed int64  // effective ms of the latest fact
	Words   string // what search finds it by
}

// RowOf is the booking in one line.
func RowOf(b Booking) Row {
	r := Row{ID: b.ID, Name: b.Name, Email: b.Email, Reason: b.Reason, State: b.Visit.State, Due: b.Visit.Due, Person: b.NeedsPerson()}
	if k := b.Visit.Booked; k != nil {
		r.Day, r.At, r.Origin = k.Day, k.At, k.Origin
	}
	if f := b.Visit.Filed; f != nil {
		r.Number, r.Product, r.Pickup = f.Number, f.Product, f.Pickup
	}
	if n := len(b.Facts); n > 0 {
		r.Changed = b.Facts[n-1].Eff.Ms()
	}
	r.Words = strings.Join([]string{Words(r.Name), Words(r.Email), string(r.ID), r.Number}, " ")
	return r
}

// Search folds what removing diacritics leaves apart: letters that are no
// letter with a mark, and the two spellings of one Romanian sound (Pârvu,
// Pîrvu). A text is indexed in both, so a query needs to know neither.
var (
	letters = strings.NewReplacer("ł", "l", "Ł", "L", "ß", "ss")
	withI   = strings.NewReplacer("â", "î", "Â", "Î")
	withA   = strings.NewReplacer("î", "â", "Î", "Â")
)

// Letters gives a text in the letters that search knows.
func Letters(s string) string { return letters.Replace(norm.NFC.String(s)) }

// Words gives the words a text is found by: as written and, where it differs,
// in the other spelling.
func Words(s string) string {
	s = Letters(s)
	out := []string{s}
	for _, other := range []string{withI.Replace(s), withA.Replace(s)} {
		if !slices.Contains(out, other) {
			out = append(out, other)
		}
	}
	return strings.Join(out, " ")
}
