package localdb

import (
	"context"
	"strings"
	"unicode"

	"condica/spclep"
	"condica/spclep/record"
)

// MinSearch is the fewest letters a search takes.
const MinSearch = 2

// Search finds bookings by the beginnings of words of the name, the e-mail, the
// short code or the registration number, in any order, with or without
// diacritics; where nobody is found so, by any part of the e-mail. Those of today come first, then the nearest days. At most limit
// rows; nil for a query of fewer than MinSearch letters or digits.
func (db *DB) Search(ctx context.Context, query string, today spclep.Day, limit int) ([]Row, error) {
	match := matchQuery(query)
	if match == "" {
		return nil, nil
	}
	const found, order = `SELECT ` + rowColumns + ` FROM booking WHERE n IN (SELECT rowid FROM booking_fts WHERE booking_fts MATCH ?)`, ` ORDER BY abs(day - ?), day DESC, at, id LIMIT ?`
	// Two letters fit half the town; who is meant is mostly near.
	rows, err := db.rows(ctx, found+` AND day BETWEEN ? AND ?`+order, match, int64(today-nearby), int64(today+nearby), int64(today), limit)
	if err == nil && len(rows) < limit {
		rows, err = db.rows(ctx, found+order, match, int64(today), limit)
	}
	part := strings.ToLower(strings.TrimSpace(query))
	if err != nil || len(rows) > 0 || len(part) < minPart || strings.ContainsFunc(part, unicode.IsSpace) {
		return rows, err
	}
	return db.rows(ctx, `SELECT `+rowColumns+` FROM booking WHERE instr(lower(email), ?) > 0`+order, part, int64(today), limit)
}

// nearby is how many days around today are searched first.
const nearby = 30

// minPart is the fewest letters by which the middle of an e-mail is looked for.
const minPart = 3

// matchQuery writes the query in the language of FTS5. Every word is quoted,
// so that nothing a person types is an operator.
func matchQuery(query string) string {
	words := strings.FieldsFunc(record.Letters(query), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) })
	var terms []string
	letters := 0
	for _, w := range words {
		letters += len([]rune(w))
		terms = append(terms, `"`+w+`"*`)
	}
	if letters < MinSearch {
		return ""
	}
	return strings.Join(terms, " AND ")
}
