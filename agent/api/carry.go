package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"condica/sync/wire"
)

// carryIn is the one path whose body is a file.
const carryInPath = "carry/in"

// CarryRequest asks for the file that is carried to the hub.
type CarryRequest struct {
	By string `json:"by"` // who carries it; empty: "script"
}

// CarriedOut is the file, and what it holds.
type CarriedOut struct {
	File    []byte `json:"file"`    // base64
	Number  uint64 `json:"number"`  // of the request
	Edits   int    `json:"edits"`   // in the file
	Left    int    `json:"left"`    // that go with the next one
	Untimed int    `json:"untimed"` // that stay until somebody has told the PC the hour
}

func carryOut(d *door, r *http.Request) (any, error) {
	var q CarryRequest
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	c, err := d.o.CarryOut(r.Context(), Common{By: q.By}.by())
	return CarriedOut{c.File, c.Number, c.Edits, c.Left, c.Untimed}, err
}

// CarriedIn says what a file of answers has brought.
type CarriedIn struct {
	Unsent  int  `json:"unsent"`
	Pulled  int  `json:"pulled"`  // edits of others that are new here
	Refused int  `json:"refused"` // own edits that the hub will not take
	More    bool `json:"more"`    // the hub has more to say than one file holds
	Stale   bool `json:"stale"`   // the hub has been heard since
	Rekey   bool `json:"rekey"`   // this PC needs another key, which takes a line
}

func carryIn(d *door, r *http.Request) (any, error) {
	file, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, wire.MaxCarriedFile))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, wire.TooLarge()
	case err != nil:
		return nil, bad(fmt.Errorf("the file broke off: %w", err))
	}
	b, err := d.o.CarryIn(r.Context(), Common{By: r.URL.Query().Get("by")}.by(), file)
	return CarriedIn{b.Unsent, b.Pulled, b.Refused, b.More, b.Stale, b.Rekey}, err
}

func carriedProblem(e *wire.CarriedError) *Problem {
	return problem(http.StatusUnprocessableEntity, e.Code, e.Error(), "Fișierul adus nu a fost primit; nimic nu s-a schimbat.")
}
