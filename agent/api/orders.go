package api

import (
	"fmt"
	"net/http"
	"strings"

	"condica/agent/desk"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/op"
)

// Requests of the actions on one booking.
type (
	// CheckInRequest notes that the person stands at the desk.
	CheckInRequest struct{ Common }
	// SendAwayRequest ends the visit without an application.
	SendAwayRequest struct {
		Common
		Ground  string   `json:"ground"`  // no-show, data-mismatch, papers-missing or rule-breach
		Missing []string `json:"missing"` // papers of the checklist, for papers-missing
		Note    string   `json:"note"`
	}
	// SetRequest writes fields, answers and ticks, all or none.
	SetRequest struct {
		Common
		Fields  map[string]string `json:"fields"`
		Answers map[string]string `json:"answers"`
		Ticks   map[string]string `json:"ticks"` // original, copy, original+copy, not-applicable or none
	}
	// FileRequest takes the application.
	FileRequest struct {
		Common
		Number  string          `json:"number"`  // empty: the PC's next
		Product spclep.Product  `json:"product"` // empty: what reason and answers lead to
		Pickup  spclep.OfficeID `json:"pickup"`  // empty: here
		Birth   spclep.Day      `json:"birth"`   // where the age decides
		Despite string          `json:"despite"` // the reason for taking it though papers were not seen
	}
	// ExtendRequest is the head of service's extension.
	ExtendRequest struct {
		Common
		Days int    `json:"days"`
		Why  string `json:"why"`
	}
	// ReadyRequest notes that the card lies in the office.
	ReadyRequest struct{ Common }
	// HandOverRequest gives the card away.
	HandOverRequest struct {
		Common
		To     string `json:"to"`     // as in the visit's collectors
		Name   string `json:"name"`   // of the person, where it is not the holder
		Permit bool   `json:"permit"` // the residence permit was surrendered
	}
	// UndoRequest takes an action back.
	UndoRequest struct {
		Common
		Action string `json:"action"`
		Why    string `json:"why"`
	}
	// SettleRequest names the value that lost, for restore and keep.
	SettleRequest struct {
		Common
		Op string `json:"op"`
	}
)

// An order is one verb on a booking.
type order struct {
	verb  string
	body  any
	serve serve
}

func orders() []order {
	return []order{
		verb("check-in", func(k desk.Desk, _ CheckInRequest) (desk.Action, error) { return k.CheckIn(), nil }),
		verb("send-away", func(k desk.Desk, q SendAwayRequest) (desk.Action, error) {
			return k.SendAway(q.Ground, q.Missing, q.Note), nil
		}),
		verb("set", func(k desk.Desk, q SetRequest) (desk.Action, error) {
			values, err := q.values()
			return k.Set(values), err
		}),
		{"file", FileRequest{}, file},
		verb("extend", func(k desk.Desk, q ExtendRequest) (desk.Action, error) { return k.Extend(q.Days, q.Why), nil }),
		verb("ready", func(k desk.Desk, _ ReadyRequest) (desk.Action, error) { return k.MarkReady(), nil }),
		verb("hand-over", func(k desk.Desk, q HandOverRequest) (desk.Action, error) {
			return k.HandOver(q.To, q.Name, q.Permit), nil
		}),
		verb("undo", func(k desk.Desk, q UndoRequest) (desk.Action, error) {
			return opNamed(q.Action, func(id op.ID) desk.Action { return k.Undo(id, q.Why) })
		}),
		verb("restore", func(k desk.Desk, q SettleRequest) (desk.Action, error) { return opNamed(q.Op, k.Restore) }),
		verb("keep", func(k desk.Desk, q SettleRequest) (desk.Action, error) { return opNamed(q.Op, k.Keep) }),
	}
}

// verb makes an order out of a request and what the desk does for it.
func verb[Q interface{ common() Common }](name string, action func(desk.Desk, Q) (desk.Action, error)) order {
	var empty Q
	return order{name, empty, func(d *door, r *http.Request) (any, error) {
		id, err := named(r)
		if err != nil {
			return nil, err
		}
		q, err := read[Q](r)
		if err != nil {
			return nil, err
		}
		k, err := d.o.Desk(r.Context())
		if err != nil {
			return nil, err
		}
		a, err := action(k, q)
		if err != nil {
			return nil, bad(err)
		}
		return d.do(r.Context(), q.common(), name, id, held(a))
	}}
}

func opNamed(text string, a func(op.ID) desk.Action) (desk.Action, error) {
	id, err := op.ParseID(text)
	if err != nil {
		return nil, err
	}
	return a(id), nil
}

// values are the request's as the desk names them.
func (q SetRequest) values() (map[string]string, error) {
	out := map[string]string{}
	for name, v := range q.Fields {
		if strings.HasPrefix(name, spclep.PrefixAnswer) || strings.HasPrefix(name, spclep.PrefixPaper) {
			return nil, fmt.Errorf("field %q: answers and ticks have maps of their own", name)
		}
		out[name] = v
	}
	for key, v := range q.Answers {
		out[spclep.PrefixAnswer+key] = v
	}
	for item, v := range q.Ticks {
		out[spclep.PrefixPaper+item] = v
	}
	return out, nil
}

// file also says which papers had not been seen when it was taken despite
// them.
func file(d *door, r *http.Request) (any, error) {
	id, err := named(r)
	if err != nil {
		return nil, err
	}
	q, err := read[FileRequest](r)
	if err != nil {
		return nil, err
	}
	k, err := d.o.Desk(r.Context())
	if err != nil {
		return nil, err
	}
	in := desk.Application{Number: q.Number, Product: q.Product, Pickup: q.Pickup, Birth: q.Birth, Despite: q.Despite}
	var missing []spclep.Paper
	out, err := d.do(r.Context(), q.Common, "file", id, held(func(b record.Booking, m desk.Moment) (drafts []op.Draft, err error) {
		if missing, err = k.Missing(b, in, m); err != nil {
			return nil, err
		}
		return k.File(in)(b, m)
	}))
	if err != nil {
		return nil, err
	}
	out.Missing = missing
	return out, nil
}
