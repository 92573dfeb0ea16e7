package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"time"

	"condica/agent/api"
)

// clientCmds are the commands that ask the running service.
type clientCmds struct {
	Open      openCmd      `cmd:"" help:"Open the desk's pages in this user's browser."`
	Status    statusCmd    `cmd:"" help:"Show where this PC stands: the hub, what is not sent, what is held."`
	Bookings  bookingsCmd  `cmd:"" help:"List bookings of a day, a state or a search; of today if none is given."`
	Visit     visitCmd     `cmd:"" help:"Show one booking whole."`
	Set       setCmd       `cmd:"" help:"Write fields, answers (answer.KEY) and ticks (paper.ITEM)."`
	CheckIn   checkInCmd   `cmd:"" name:"check-in" help:"Note that the person stands at the desk."`
	Scan      scanCmd      `cmd:"" help:"Say what a code or a text is; with --accept take a signed code and check the person in."`
	SendAway  sendAwayCmd  `cmd:"" name:"send-away" help:"End a visit without an application."`
	File      fileCmd      `cmd:"" help:"Take the application."`
	Extend    extendCmd    `cmd:"" help:"Extend the term, as the head of service may."`
	Ready     readyCmd     `cmd:"" help:"Note that the card lies in the office."`
	HandOver  handOverCmd  `cmd:"" name:"hand-over" help:"Give the card to someone who may collect it."`
	WalkIn    walkInCmd    `cmd:"" name:"walk-in" help:"Take a person without a booking."`
	Undo      undoCmd      `cmd:"" help:"Take an action back."`
	Restore   restoreCmd   `cmd:"" help:"Write a value that lost a conflict again."`
	Keep      keepCmd      `cmd:"" help:"Settle a conflict in favour of the value that counts."`
	Queue     queueCmd     `cmd:"" help:"Show what goes from here to the hub, and what it has not taken."`
	Conflicts conflictsCmd `cmd:"" help:"List the bookings on which something waits for a person."`
	Carry     carryCmd     `cmd:"" help:"Where the line is dead: carry what waits to the hub as a file, and its answer back."`
	Lan       lanCmd       `cmd:"" name:"lan" help:"Let the PCs of one office work at one desk, over the office's own network."`
}

// service is how to find the running service, and how to answer.
type service struct {
	Data string `default:"${data}" placeholder:"DIR" help:"Data folder (${default})."`
	JSON bool   `name:"json" help:"Print the service's answer as one line of JSON."`
}

// timeout is long enough for a PC whose disk is busy, and for an enrolment
// over a village line.
const timeout = 60 * time.Second

// fileTimeout is for a file of the hub's answers: it may hold an office's whole
// log.
const fileTimeout = 15 * time.Minute

// maxAnswer bounds what the service is believed to say.
const maxAnswer = 64 << 20

// ask makes one request of the service and reads the answer. raw is the
// answer as it came. With --json a refusal is printed too; its sentence is the
// error either way.
func ask[A any](e *env, s service, method, path string, body any) (a A, raw []byte, err error) {
	raw, err = s.call(e, method, path, body)
	var p *api.Problem
	if errors.As(err, &p) && s.JSON {
		fmt.Fprintf(e.Out, "%s\n", bytes.TrimSpace(raw))
	}
	if err != nil {
		return a, raw, err
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return a, raw, fmt.Errorf("the service on %s answers in another form: is it of the same version? %w", s.Data, err)
	}
	return a, raw, nil
}

// answer prints an answer: as it came, or as plain does.
func (s service) answer(e *env, raw []byte, plain func(io.Writer)) {
	if s.JSON {
		fmt.Fprintf(e.Out, "%s\n", bytes.TrimSpace(raw))
		return
	}
	plain(e.Out)
}

func (s service) call(e *env, method, path string, body any) ([]byte, error) {
	c, err := api.ReadControl(s.Data)
	if errors.Is(err, api.ErrNotRunning) {
		return nil, s.notRunning()
	}
	if errors.Is(err, os.ErrPermission) {
		return nil, fmt.Errorf("this account may not use the Condica service on %s", s.Data)
	}
	if err != nil {
		return nil, err
	}
	return s.callAt(e, c, method, path, body)
}

// callAt asks the service that c leads to.
func (s service) callAt(e *env, c api.Control, method, path string, body any) ([]byte, error) {
	r, err := request(e, c, method, path, body)
	if err != nil {
		return nil, err
	}
	// The service is on this PC: no proxy, no redirect.
	most := timeout
	if _, file := body.([]byte); file {
		most = fileTimeout
	}
	client := http.Client{
		Timeout:       most,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(r)
	if err != nil {
		return nil, s.silent(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("the service on %s broke off its answer: %w", s.Data, err)
	}
	return s.read(resp, raw)
}

func request(e *env, c api.Control, method, path string, body any) (*http.Request, error) {
	var sent io.Reader
	kind := "application/json"
	if file, ok := body.([]byte); ok {
		sent, kind = bytes.NewReader(file), "application/octet-stream"
	} else if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(e.Ctx, method, c.URL+api.Prefix+path, sent)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.Token)
	if body != nil {
		r.Header.Set("Content-Type", kind)
	}
	return r, nil
}

// read tells the service's answer from a problem, and from another program
// that has taken over the port of a service that is gone.
func (s service) read(resp *http.Response, raw []byte) ([]byte, error) {
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind == "application/json" && resp.StatusCode == http.StatusOK {
		return raw, nil
	}
	var e struct{ Error *api.Problem }
	if kind != "application/json" || json.Unmarshal(raw, &e) != nil || e.Error == nil || e.Error.Say == "" {
		return nil, fmt.Errorf("%w: another program answers in its place", s.notRunning())
	}
	switch {
	case e.Error.Status == http.StatusBadRequest:
		return raw, &usageError{e.Error}
	case e.Error.Rule != "":
		return raw, fmt.Errorf("%w (rule %s)", e.Error, e.Error.Rule)
	}
	return raw, e.Error
}

func (s service) notRunning() error { return fmt.Errorf("%w on %s", api.ErrNotRunning, s.Data) }

// silent: a service that was killed leaves its control file behind.
func (s service) silent(err error) error {
	var timeout net.Error
	var dial *net.OpError
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("the Condica service on %s does not answer", s.Data)
	case errors.As(err, &dial) && dial.Op == "dial":
		return s.notRunning()
	}
	return fmt.Errorf("ask the service on %s: %w", s.Data, err)
}

func usage(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// isRefusal tells the rules' no, or that of the thing held up, from a fault.
func isRefusal(err error) bool {
	var p *api.Problem
	return errors.As(err, &p) && p.Status == http.StatusConflict
}
