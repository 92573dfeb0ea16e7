package store

import (
	"slices"
	"strings"

	"condica/spclep"
	"condica/spclep/record"
)

// HoldsSlot says whether a booking takes a place of its slot: one made on the
// hub and not given back. Walk-ins come beside the slots.
func HoldsSlot(r record.Row) bool {
	return (r.Origin == "" || r.Origin == spclep.OriginScanned) && r.State != spclep.StateCancelled && r.State != spclep.StateNone
}

// letters folds what Romanian and Hungarian names are written with; the four
// escapes are s and t with the old cedilla.
var letters = strings.NewReplacer(
	"ă", "a", "â", "a", "î", "i", "ș", "s", "ț", "t", "\u015f", "s", "\u0163", "t",
	"á", "a", "é", "e", "í", "i", "ó", "o", "ö", "o", "ő", "o", "ú", "u", "ü", "u", "ű", "u", "ä", "a", "ç", "c",
)

// Person is the key of one person for the rule of one booking each (B07): the
// portal asks only name and e-mail, and a family may share an e-mail (B08).
// Case, diacritics, spaces and the order of the names do not matter.
func Person(name, email string) string {
	words := strings.FieldsFunc(letters.Replace(strings.ToLower(name)), func(r rune) bool {
		return r == ' ' || r == '-' || r == '\t' || r == '\u00a0'
	})
	slices.Sort(words)
	return strings.Join(words, " ") + " <" + strings.ToLower(strings.TrimSpace(email)) + ">"
}
