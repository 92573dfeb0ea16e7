package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"condica/hub"
	"condica/hub/store"
	"condica/spclep"
	"condica/sync/hlc"
)

type logCmd struct {
	place
	Office string `required:""`
	JSON   bool   `name:"json" help:"One line of JSON for each edit."`
}

func (c *logCmd) Run(ctx context.Context, out io.Writer) error {
	return c.with(ctx, func(h *hub.Server) error {
		lines, err := h.History(ctx, spclep.OfficeID(c.Office), 0)
		if err != nil {
			return err
		}
		for _, l := range lines {
			if c.JSON {
				err = printJSON(out, l)
			} else {
				_, err = fmt.Fprintf(out, "%6d  %s  %-8s  %s  %s  %s  %s\n", l.Pos, l.EffectiveAt, l.Verdict, l.ID, l.Cell, l.Value, remark(l))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// remark is what there is to say of an edit: why it was refused, or who else has
// the registration number that it gives.
func remark(l hub.Line) string {
	if len(l.Alike) == 0 {
		return l.Say
	}
	return "the same registration number as " + listed(l.Alike)
}

func listed(ids []spclep.BookingID) (say string) {
	for i, id := range ids {
		if i > 0 {
			say += ", "
		}
		say += string(id)
	}
	return say
}

type officesCmd struct {
	place
	JSON bool `name:"json"`
}

func (c *officesCmd) Run(ctx context.Context, out io.Writer) error {
	return c.with(ctx, func(h *hub.Server) error {
		offices, err := h.Offices(ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(out, offices)
		}
		for _, o := range offices {
			if _, err := fmt.Fprintf(out, "%-10s  %d edits, %d PCs, %d bookings today, last contact %s%s\n", o.ID, o.Head, o.PCs, o.Today, cmp.Or(at(o.LastMs), "never"), alarms(o)); err != nil {
				return err
			}
		}
		return nil
	})
}

// alarms says in words what a person must look into at an office.
func alarms(o hub.Office) (say string) {
	for _, a := range o.Alike {
		say += fmt.Sprintf("  the same registration number %s: %s", a.Number, listed(a.Bookings))
	}
	if o.IllDisk > 0 {
		say += fmt.Sprintf("  PCs whose disk damages records: %d", o.IllDisk)
	}
	return say
}

type devicesCmd struct {
	place
	Office string `required:""`
	JSON   bool   `name:"json"`
}

type deviceJSON struct {
	Device  hlc.Device      `json:"device"`
	Kind    string          `json:"kind"`
	Desk    int             `json:"desk,omitempty"`
	Name    string          `json:"name"`
	Added   string          `json:"added"`
	Revoked string          `json:"revoked,omitempty"`
	Retired string          `json:"retired,omitempty"` // nothing more is taken from it
	Cloned  bool            `json:"cloned,omitempty"`  // because two machines used its key
	Heir    hlc.Device      `json:"heir,omitzero"`     // the first that follows it
	Follows hlc.Device      `json:"follows,omitzero"`  // the one that it follows
	Last    string          `json:"last_contact,omitempty"`
	Have    uint64          `json:"have"`
	Health  json.RawMessage `json:"health,omitempty"`

	Mended     int    `json:"mended,omitempty"`      // records that were found damaged on its disk and put right, in all
	LastMended string `json:"last_mended,omitempty"` // when it last did so
	IllDisk    bool   `json:"ill_disk,omitempty"`    // of late: the disk is to be looked at
}

func (c *devicesCmd) Run(ctx context.Context, out io.Writer) error {
	return c.with(ctx, func(h *hub.Server) error {
		if _, err := h.Rules(spclep.OfficeID(c.Office)).Office(spclep.OfficeID(c.Office)); err != nil {
			return err
		}
		devices, err := h.Store.Devices(ctx, c.Office)
		if err != nil {
			return err
		}
		list := []deviceJSON{}
		for _, d := range devices {
			says := hub.HealthOf(d)
			list = append(list, deviceJSON{d.ID, d.Kind, d.Desk, d.Name, at(d.AddedMs), at(d.RevokedMs), at(d.RetiredMs), d.Cloned, d.Heir, d.Old, at(d.LastMs), d.Have, d.Health,
				says.Mended, at(says.MendedMs), h.IllDisk(d)})
		}
		if c.JSON {
			return printJSON(out, list)
		}
		for _, d := range list {
			if _, err := fmt.Fprintf(out, "%s  %-4s  %d  %s  last contact %s%s\n", d.Device, d.Kind, d.Desk, d.Name, cmp.Or(d.Last, "never"), d.fate()); err != nil {
				return err
			}
		}
		return nil
	})
}

// fate says in words what became of a PC that is not simply at work.
func (d deviceJSON) fate() (say string) {
	if d.Follows != (hlc.Device{}) {
		say += "  follows " + d.Follows.String()
	}
	if d.Cloned {
		say += "  two machines used its key"
	}
	if d.Retired != "" {
		say += "  replaced " + d.Retired
	}
	if d.Revoked != "" {
		say += "  revoked " + d.Revoked
	}
	if d.IllDisk {
		say += fmt.Sprintf("  disk: records found damaged and put right: %d, the last %s", d.Mended, d.LastMended)
	}
	return say
}

type revokeCmd struct {
	place
	Device string `required:"" help:"16 digits, as condica-hub devices lists them."`
	Office string `help:"Shut it out of this office though the hub does not know it: after a rebuild, before it comes back."`
}

func (c *revokeCmd) Run(ctx context.Context, out io.Writer) error {
	id, err := hlc.ParseDevice(c.Device)
	if err != nil {
		return wrongUse("--%v", err)
	}
	return c.with(ctx, func(h *hub.Server) error {
		err := h.Revoke(ctx, id)
		switch {
		case !errors.Is(err, store.ErrNone):
			return err
		case c.Office != "":
			return h.RevokeUnknown(ctx, id, spclep.OfficeID(c.Office))
		}
		return fmt.Errorf("the hub knows no device %s; with --office it is shut out before it comes", id)
	})
}
