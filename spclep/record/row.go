package record

import (
	"strings"

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

// spellings folds what removing diacritics leaves apart: the two spellings of
// one Romanian sound (Pârvu, Pîrvu), and letters that are no letter with a mark.
var spellings = strings.NewReplacer("â", "î", "Â", "Î", "ł", "l", "Ł", "L", "ß", "ss")

// OtherSpelling gives the text in the spelling that search treats as equal.
func OtherSpelling(s string) string { return spellings.Replace(s) }

// Words gives the words a text is found by: as written and, where it differs,
// in the other spelling.
func Words(s string) string {
	if other := OtherSpelling(s); other != s {
		return s + " " + other
	}
	return s
}
