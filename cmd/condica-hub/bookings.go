package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"condica/hub"
	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/code"
)

type bookingsCmd struct {
	Add    addCmd    `cmd:"" help:"Make a booking, or all those of a CSV file."`
	List   listCmd   `cmd:"" help:"List an office's bookings."`
	Set    setCmd    `cmd:"" help:"Correct a field of a booking."`
	Cancel cancelCmd `cmd:"" help:"Give a booking's slot back."`
	QR     qrCmd     `cmd:"" name:"qr" help:"The signed code of a booking."`
}

// by is who the console's and the command line's edits are signed with.
const by = "hub"

type addCmd struct {
	place
	File   string `placeholder:"LIST.CSV" help:"Columns office,name,email,reason,day,time; all rows are booked or none."`
	Office string `help:"The office, such as covasna."`
	Name   string
	Email  string
	Reason string `help:"R01 to R17."`
	Day    string `placeholder:"YYYY-MM-DD"`
	Time   string `placeholder:"HH:MM"`
	JSON   bool   `name:"json"`
}

type addedJSON struct {
	Office spclep.OfficeID  `json:"office"`
	ID     spclep.BookingID `json:"id"`
	Name   string           `json:"name"`
	Email  string           `json:"email"`
	Reason spclep.Reason    `json:"reason"`
	Day    spclep.Day       `json:"day"`
	Time   spclep.Minute    `json:"time"`
	QR     string           `json:"qr"`
}

func (c *addCmd) Run(ctx context.Context, out io.Writer) error {
	if c.File != "" {
		return c.addFile(ctx, out)
	}
	ask, err := row{c.Office, c.Name, c.Email, c.Reason, c.Day, c.Time}.ask()
	if err != nil {
		return wrongUse("%v", err)
	}
	return c.with(ctx, func(h *hub.Server) error {
		b, err := h.Book(ctx, ask)
		if err != nil {
			return refusal(err)
		}
		return c.print(out, []hub.BookAsk{ask}, []hub.Booked{b}, false)
	})
}

func (c *addCmd) print(out io.Writer, asks []hub.BookAsk, booked []hub.Booked, list bool) error {
	added := make([]addedJSON, len(booked))
	for i, b := range booked {
		a := asks[i]
		added[i] = addedJSON{a.Office, b.ID, a.Name, a.Email, a.Reason, a.Day, a.At, b.Code}
	}
	if c.JSON && list {
		return printJSON(out, added)
	}
	for _, a := range added {
		if c.JSON {
			return printJSON(out, a)
		}
		if _, err := fmt.Fprintf(out, "%s  %s %s  %s  %s\n%s\n", a.ID, a.Day, a.Time, a.Reason, a.Name, a.QR); err != nil {
			return err
		}
	}
	return nil
}

type listCmd struct {
	place
	Office string `required:""`
	Day    string `placeholder:"YYYY-MM-DD"`
	JSON   bool   `name:"json"`
}

type bookingJSON struct {
	ID      spclep.BookingID `json:"id"`
	Day     spclep.Day       `json:"day"`
	Time    spclep.Minute    `json:"time"`
	Name    string           `json:"name"`
	Email   string           `json:"email"`
	Reason  spclep.Reason    `json:"reason"`
	Origin  string           `json:"origin,omitempty"`
	State   spclep.State     `json:"state"`
	Number  string           `json:"number,omitempty"`
	Product spclep.Product   `json:"product,omitempty"`
	Pickup  spclep.OfficeID  `json:"pickup,omitempty"`
	Due     string           `json:"due,omitempty"`
	Person  bool             `json:"needs_person,omitempty"`
}

func (c *listCmd) Run(ctx context.Context, out io.Writer) error {
	filter := store.Filter{}
	if c.Day != "" {
		d, err := spclep.ParseDay(c.Day)
		if err != nil {
			return wrongUse("--%v", err)
		}
		filter.Day = d
	}
	return c.with(ctx, func(h *hub.Server) error {
		if _, err := h.Rules(spclep.OfficeID(c.Office)).Office(spclep.OfficeID(c.Office)); err != nil {
			return err
		}
		rows, err := h.Store.Rows(ctx, c.Office, filter)
		if err != nil {
			return err
		}
		list := make([]bookingJSON, len(rows))
		for i, r := range rows {
			list[i] = bookingJSON{r.ID, r.Day, r.At, r.Name, r.Email, r.Reason, r.Origin, r.State, r.Number, r.Product, r.Pickup, r.Due.String(), r.Person}
		}
		if c.JSON {
			return printJSON(out, list)
		}
		for _, b := range list {
			if _, err := fmt.Fprintf(out, "%s  %s %s  %-11s  %s  %s\n", b.ID, b.Day, b.Time, b.State, b.Reason, b.Name); err != nil {
				return err
			}
		}
		return nil
	})
}

// which names one booking.
type which struct {
	place
	Office string `required:""`
	ID     string `required:"" name:"id" help:"The booking's short code."`
}

func (w which) id() (spclep.BookingID, error) {
	id, err := code.ParseID(w.ID)
	if err != nil {
		return "", wrongUse("--id %q: want the 8 symbols of a booking's short code", w.ID)
	}
	return id, nil
}

type setCmd struct {
	which
	Field string `required:"" enum:"name,email,reason,note" help:"name, email, reason or note."`
	Value string `required:""`
}

func (c *setCmd) Run(ctx context.Context) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	return c.with(ctx, func(h *hub.Server) error {
		return h.SetField(ctx, spclep.OfficeID(c.Office), id, c.Field, c.Value, by)
	})
}

type cancelCmd struct {
	which
	Ground string `default:"citizen" enum:"citizen,office-closed"`
}

func (c *cancelCmd) Run(ctx context.Context) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	return c.with(ctx, func(h *hub.Server) error {
		return h.Cancel(ctx, spclep.OfficeID(c.Office), id, c.Ground, by)
	})
}

type qrCmd struct {
	which
	SVG  string `name:"svg" placeholder:"FILE" help:"Draw it into this file."`
	JSON bool   `name:"json"`
}

func (c *qrCmd) Run(ctx context.Context, out io.Writer) error {
	id, err := c.id()
	if err != nil {
		return err
	}
	return c.with(ctx, func(h *hub.Server) error {
		b, _, err := h.Booking(ctx, spclep.OfficeID(c.Office), id)
		if err != nil {
			return err
		}
		text, err := h.CodeOf(spclep.OfficeID(c.Office), b)
		if err != nil {
			return err
		}
		if c.SVG != "" {
			svg, err := code.SVG(text)
			if err != nil {
				return err
			}
			if err := os.WriteFile(c.SVG, svg, 0o644); err != nil {
				return fmt.Errorf("draw the code: %w", err)
			}
		}
		if c.JSON {
			return printJSON(out, map[string]string{"id": string(id), "qr": text, "svg": c.SVG})
		}
		_, err = fmt.Fprintln(out, text)
		return err
	})
}
