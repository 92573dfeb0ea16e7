package main

import (
	"fmt"
	"io"
	"strings"

	"condica/agent/api"
	"condica/spclep"
)

// theBooking is the argument that names one booking.
type theBooking struct {
	Booking string `arg:"" help:"Short code, text of the QR or of the slip, or registration number."`
}

// find resolves the argument. A name never stands for a booking here, however
// few bookings bear it: what is done must not hang on who else is booked.
func (b theBooking) find(e *env, s service) (spclep.BookingID, error) {
	found, _, err := ask[api.Scan](e, s, "POST", "scan", api.ScanRequest{Text: b.Booking})
	if err != nil {
		return "", err
	}
	number := len(found.Bookings) == 1 && found.Bookings[0].Number == strings.TrimSpace(b.Booking)
	switch {
	case found.Found == api.FoundNew:
		return "", fmt.Errorf("booking %s, on %s at %s, has not come in yet: take it with scan --accept --name NAME", found.ID, found.Code.Day, found.Code.Time)
	case found.ID != "" && (len(found.Bookings) == 0 || number):
		return found.ID, nil
	case len(found.Bookings) > 0:
		return "", fmt.Errorf("%q names no one booking; name it by its short code: %s", b.Booking, candidates(found.Bookings))
	}
	return "", fmt.Errorf("there is no booking %s", b.Booking)
}

// candidates lists the first few.
func candidates(rows []api.Row) string {
	var out []string
	for i, r := range rows {
		if i == 5 {
			return strings.Join(out, ", ") + ", ..."
		}
		out = append(out, fmt.Sprintf("%s (%s, %s)", r.ID, r.Name, r.Day))
	}
	return strings.Join(out, ", ")
}

type scanCmd struct {
	service
	signed
	Text   string `arg:"" help:"What the scanner read, or letters of a name."`
	Accept bool   `help:"Take a signed booking code and check the person in."`
	Name   string `help:"Name of the person, for --accept: the code holds none."`
}

func (c *scanCmd) Run(e *env) error {
	found, raw, err := ask[api.Scan](e, c.service, "POST", "scan", api.ScanRequest{Common: c.common(), Text: c.Text, Accept: c.Accept, Name: c.Name})
	if err != nil {
		return err
	}
	c.answer(e, raw, func(w io.Writer) {
		switch {
		case found.Done != nil:
			printDone(w, *found.Done)
		case found.Found == api.FoundNew:
			fmt.Fprintf(w, "%s is a signed booking that has not come in yet: %s at %s, reason %s\n", found.ID, found.Code.Day, found.Code.Time, found.Code.Reason)
		case found.Found == api.FoundSlip:
			fmt.Fprintf(w, "%s, by its slip\n", found.ID)
		case found.ID != "":
			fmt.Fprintf(w, "%s\n", found.ID)
		case len(found.Bookings) > 0:
			printRows(w, found.Bookings)
		default:
			fmt.Fprintf(w, "nothing is found for %q\n", c.Text)
		}
	})
	return nil
}
