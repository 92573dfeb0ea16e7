package api

import (
	"errors"
	"net/http"

	"condica/agent/office"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/code"
	"condica/sync/link"
	"condica/sync/wire"
)

// A Problem is the body of every answer but 200, as {"error": ...}.
type Problem struct {
	Status int               `json:"status"` // as in the status line
	Code   string            `json:"code"`   // stable word for scripts
	Rule   string            `json:"rule,omitempty"`
	Say    string            `json:"say"`  // one English sentence
	Text   string            `json:"text"` // the same for the clerk, in Romanian
	Args   map[string]string `json:"args,omitempty"`
}

func (p *Problem) Error() string { return p.Say }

func problem(status int, code, say, text string) *Problem {
	return &Problem{Status: status, Code: code, Say: say, Text: text}
}

func bad(err error) *Problem {
	return problem(http.StatusBadRequest, "bad-request", err.Error(), "Datele trimise nu sunt corecte.")
}

func unknownBooking(id string) *Problem {
	return problem(http.StatusNotFound, "unknown-booking", "there is no booking "+id, "Nu există o programare cu acest cod.")
}

func notHere() *Problem {
	return problem(http.StatusNotImplemented, "not-here", "this service does not do that", "Serviciul nu oferă această operație.")
}

// problemOf turns any error of the rooms below into what a script is told:
// 409 the rules or the thing held up stand against it, 404 no such booking,
// 400 the request makes no sense, 502 the hub, 503 no office yet, 507 the disk is
// full, and 500 for what should not happen.
func problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	if r, ok := spclep.Refused(err); ok {
		status := http.StatusConflict
		if r.Code == "unknown-booking" {
			status = http.StatusNotFound
		}
		return &Problem{Status: status, Code: r.Code, Rule: r.Rule, Say: r.Say, Text: r.Text, Args: r.Args}
	}
	if p := codeProblem(err); p != nil {
		return p
	}
	var l *link.Error
	var carried *wire.CarriedError
	switch {
	case errors.As(err, &carried):
		return carriedProblem(carried)
	case errors.Is(err, office.ErrNoCarrier), errors.Is(err, link.ErrRetired):
		return problem(http.StatusConflict, "no-line", err.Error(), "Acest calculator nu poate vorbi acum cu serviciul central; anunțați persoana de contact IT.")
	case errors.As(err, &l):
		return hubProblem(l, err)
	case errors.Is(err, office.ErrNotEnrolled):
		return problem(http.StatusServiceUnavailable, "not-enrolled", err.Error(), "Acest calculator nu este încă înscris la un birou.")
	case errors.Is(err, localdb.ErrFull):
		return problem(http.StatusInsufficientStorage, "disk-full", err.Error(), "Nu s-a salvat: discul acestui PC este plin. Eliberați spațiu și încercați din nou; dacă nu puteți, anunțați persoana de contact IT.")
	}
	return problem(http.StatusInternalServerError, "fault", err.Error(), "A apărut o eroare; datele înregistrate nu s-au pierdut.")
}

// codeProblem says what was held up to the scanner instead of a booking here.
func codeProblem(err error) *Problem {
	var other *office.OtherOfficeError
	if errors.As(err, &other) {
		p := problem(http.StatusConflict, "other-office", err.Error(), "Programarea este la alt birou: "+other.Office+", "+other.Code.Day.RO()+", ora "+other.Code.At.String()+".")
		p.Args = map[string]string{"office": other.Office, "day": other.Code.Day.String(), "time": other.Code.At.String()}
		return p
	}
	for _, c := range []struct {
		err        error
		code, text string
	}{
		{code.ErrIdentity, "identity-code", "Acesta este codul de identitate al ministerului, nu codul programării."},
		{code.ErrDamaged, "damaged-code", "Codul este deteriorat: suma de control nu se potrivește."},
		{code.ErrSignature, "bad-signature", "Codul nu este semnat de serviciul central."},
		{code.ErrKey, "unknown-key", "Codul este semnat cu o cheie pe care acest birou nu o cunoaște."},
		{code.ErrNotACode, "not-a-code", "Acesta nu este codul unei programări."},
	} {
		if errors.Is(err, c.err) {
			return problem(http.StatusConflict, c.code, err.Error(), c.text)
		}
	}
	return nil
}

// hubProblem tells a token that the hub refuses from a hub out of reach.
func hubProblem(l *link.Error, err error) *Problem {
	if l.Kind == link.Turned || l.Code != "" && l.Kind != link.Busy {
		word := l.Code
		if word == "" {
			word = l.Kind
		}
		return problem(http.StatusConflict, word, err.Error(), "Serviciul central a refuzat cererea.")
	}
	return problem(http.StatusBadGateway, l.Kind, err.Error(), "Serviciul central nu a putut fi contactat.")
}
