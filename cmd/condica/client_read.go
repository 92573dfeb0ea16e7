package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"

	"condica/agent/api"
	svc "condica/installer/service"
)

type statusCmd struct{ service }

func (c *statusCmd) Run(e *env) error {
	st, raw, err := ask[api.Status](e, c.service, "GET", "status", nil)
	if errors.Is(err, api.ErrNotRunning) && c.Data == svc.DataDir() {
		// The desk is silent; what the system says of its service may tell why.
		if s, e := svc.Status(e.Ctx); e == nil {
			return fmt.Errorf("%w: %s", err, s.Sentence())
		}
	}
	if err != nil {
		return err
	}
	c.answer(e, raw, func(w io.Writer) { printStatus(w, st) })
	return nil
}

type bookingsCmd struct {
	service
	Day   string `placeholder:"YYYY-MM-DD" help:"Of this day; also: today."`
	State string `help:"booked, cancelled, arrived, sent-away, filed, ready or handed-over."`
	Find  string `short:"q" placeholder:"LETTERS" help:"By the beginnings of words of the name, in any order, with or without diacritics."`
}

func (c *bookingsCmd) Run(e *env) error {
	q := url.Values{}
	for key, v := range map[string]string{"day": c.Day, "state": c.State, "q": c.Find} {
		if v != "" {
			q.Set(key, v)
		}
	}
	list, raw, err := ask[api.Bookings](e, c.service, "GET", "bookings?"+q.Encode(), nil)
	if err != nil {
		return err
	}
	c.answer(e, raw, func(w io.Writer) {
		printRows(w, list.Bookings)
		if list.More {
			io.WriteString(w, "there are more\n")
		}
	})
	return nil
}

type visitCmd struct {
	service
	theBooking
}

func (c *visitCmd) Run(e *env) error {
	id, err := c.find(e, c.service)
	if err != nil {
		return err
	}
	v, raw, err := ask[api.Visit](e, c.service, "GET", "visits/"+string(id), nil)
	if err != nil {
		return err
	}
	c.answer(e, raw, func(w io.Writer) { printVisit(w, v) })
	return nil
}

type queueCmd struct {
	service
	Limit int `default:"200" help:"At most so many edits."`
}

func (c *queueCmd) Run(e *env) error {
	q, raw, err := ask[api.Queue](e, c.service, "GET", "queue?limit="+strconv.Itoa(c.Limit), nil)
	if err != nil {
		return err
	}
	c.answer(e, raw, func(w io.Writer) { printQueue(w, q) })
	return nil
}

type conflictsCmd struct{ service }

func (c *conflictsCmd) Run(e *env) error {
	list, raw, err := ask[api.Conflicts](e, c.service, "GET", "conflicts", nil)
	if err != nil {
		return err
	}
	c.answer(e, raw, func(w io.Writer) { printConflicts(w, list) })
	return nil
}
