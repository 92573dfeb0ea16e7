package page

import (
	"net/http"
	"strings"

	"condica/sync/op"
)

// atSeat stands in the record, which is Romanian, between a clerk and the desk at
// which they worked, where that is no PC of its own in the log.
const atSeat = " · la "

// seat is the desk on another PC from which a request comes; empty: this PC's.
func (p *pages) seat(r *http.Request) string {
	if p.o.Seat == nil {
		return ""
	}
	name, _ := p.o.Seat(r)
	return name
}

// author is to whom an action is written down: the clerk, and the desk where it
// is not this PC's.
func (p *pages) author(r *http.Request) string {
	// A name that was written by hand makes up no desk.
	by := strings.ReplaceAll(p.clerk(r), "·", "-")
	if seat := p.seat(r); seat != "" {
		return by + atSeat + seat
	}
	return by
}

// byAndSeat takes an author apart; seat is empty where the PC that wrote the edit
// tells the desk.
func byAndSeat(author string) (by, seat string) {
	if i := strings.LastIndex(author, atSeat); i > 0 {
		return author[:i], author[i+len(atSeat):]
	}
	return author, ""
}

// by is who wrote an edit.
func by(e op.Entry) string {
	name, _ := byAndSeat(e.By)
	return name
}
