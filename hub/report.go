package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// A Line of an office's history is one op and what became of it.
type Line struct {
	Pos         int64           `json:"pos,omitempty"` // 0: not taken
	ID          op.ID           `json:"id"`
	Cell        string          `json:"cell,omitempty"` // kind/entity/field
	Fact        bool            `json:"fact"`
	Value       json.RawMessage `json:"value,omitempty"`
	Base        []op.ID         `json:"base,omitempty"`
	Action      string          `json:"action,omitempty"`
	By          string          `json:"by,omitempty"`
	Why         string          `json:"why,omitempty"`
	Device      hlc.Device      `json:"device"`
	Original    hlc.Time        `json:"original"`     // as the author stamped it
	Effective   hlc.Time        `json:"effective"`    // as it counts
	EffectiveAt string          `json:"effective_at"` // the same for people, UTC
	Clock       Clock           `json:"clock"`        // the author's clocks when it was written
	Clamped     bool            `json:"clamped"`
	Via         hlc.Device      `json:"via,omitzero"` // the PC that brought it back after the hub had lost it
	TakenAt     string          `json:"taken_at"`     // by the hub, UTC
	Verdict     string          `json:"verdict"`      // accepted, refused, clash
	Say         string          `json:"reason,omitempty"`
	Raw         string          `json:"raw,omitempty"` // of an op that cannot be read

	Alike []spclep.BookingID `json:"alike,omitempty"` // of an application: the other bookings that carry its registration number too
}

// A Clock is an author's raw reading: wall clock and time since boot, in ms.
type Clock struct {
	Wall int64  `json:"wall"`
	Boot string `json:"boot"`
	Up   int64  `json:"up"`
}

// Accepted is the verdict on an op that has its place.
const Accepted = "accepted"

// History is every op of an office after a position, and then all that was not
// taken, in the order in which it came.
func (s *Server) History(ctx context.Context, office spclep.OfficeID, after int64) ([]Line, error) {
	if _, err := s.Rules(office).Office(office); err != nil {
		return nil, err
	}
	out := []Line{}
	for pos := after; ; {
		entries, head, err := s.Store.After(ctx, string(office), pos, page)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			out, pos = append(out, LineOf(e)), e.Pos
		}
		if len(entries) == 0 || pos >= head {
			break
		}
	}
	alike, err := s.TwoAlike(ctx, office)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i].Alike = out[i].besides(alike)
	}
	refused, err := s.Store.Refusals(ctx, string(office))
	for _, r := range refused {
		o, bad := wire.DecodeOp(r.ID.Device, r.Raw)
		l := lineOf(o)
		if bad != nil {
			l = Line{Raw: string(r.Raw)}
		}
		l.ID, l.Device, l.TakenAt, l.Verdict, l.Say = r.ID, r.ID.Device, instant(r.AtMs), r.Code, r.Say
		out = append(out, l)
	}
	return out, err
}

// LineOf is the line of an op that was taken.
func LineOf(e store.Entry) Line {
	l := lineOf(e.Op)
	l.Pos, l.Effective, l.EffectiveAt, l.Clamped, l.Via = e.Pos, e.Eff, instant(e.Eff.Ms()), e.Clamped, e.Via
	l.TakenAt, l.Verdict = instant(e.AtMs), Accepted
	return l
}

// Field is the last part of the cell.
func (l Line) Field() string { return l.part(2) }

// Entity is its middle part.
func (l Line) Entity() string { return l.part(1) }

// Booking says whether the line speaks of a booking.
func (l Line) Booking() bool { return l.part(0) == record.Kind }

func (l Line) part(n int) string {
	p := strings.Split(l.Cell, "/")
	if len(p) != 3 {
		return ""
	}
	return p[n]
}

func lineOf(o op.Op) Line {
	return Line{
		ID: o.ID, Cell: o.Cell.String(), Fact: o.Fact, Value: o.Value, Base: o.Base, Action: o.ActionID().String(),
		By: o.By, Why: o.Why, Device: o.ID.Device, Original: o.Time, Clock: Clock(o.Clock),
	}
}

func instant(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// An Office is how one office stands.
type Office struct {
	ID      spclep.OfficeID `json:"office"`
	Name    string          `json:"name"`
	Head    int64           `json:"head"`    // edits held
	PCs     int             `json:"pcs"`     // at work: neither revoked nor replaced
	Today   int             `json:"today"`   // bookings of today
	LastMs  int64           `json:"last_ms"` // last contact of any of its PCs; 0: never
	Relayed int             `json:"relayed"` // edits that other PCs brought back after the hub had lost them
	Gone    int             `json:"gone"`    // authors known only by such edits: they have not come back
	Cloned  int             `json:"cloned"`  // PCs whose key two machines used and that not both of them have given up
	Alike   []Alike         `json:"alike,omitempty"`
	IllDisk int             `json:"ill_disk"` // PCs at work on whose disks records were found damaged of late
	// As its PCs last said of themselves:
	Unsent   int   `json:"unsent"`
	OldestMs int64 `json:"oldest_ms"` // oldest unsent edit; 0: none
	Refused  int   `json:"refused"`   // edits in quarantine
}

// A Health is what a PC says of itself with a request now and then. Fields
// that are not here are the PC's own.
type Health struct {
	Version  string `json:"v,omitempty"`
	Unsent   int    `json:"u,omitempty"`   // edits the hub has not answered
	OldestMs int64  `json:"o,omitempty"`   // when the oldest of them was written
	Refused  int    `json:"r,omitempty"`   // edits in quarantine
	Person   int    `json:"p,omitempty"`   // bookings on which something waits for a person
	OffMs    int64  `json:"off,omitempty"` // its clock is ahead by so much
	Mended   int    `json:"m,omitempty"`   // records that were found damaged on its disk and put right, in all
	MendedMs int64  `json:"mm,omitempty"`  // when it last did so, the hub's time
}

// HealthOf reads what a PC last said of itself. A newer PC's words may be
// beyond us; its contact still counts.
func HealthOf(d store.Device) Health {
	var h Health
	if len(d.Health) > 0 && json.Unmarshal(d.Health, &h) != nil {
		return Health{}
	}
	return h
}

// illDiskDays is how long a record that was put right tells something of a
// PC's disk, as the PC's own doctor has it.
const illDiskDays = 30

// IllDisk says whether the disk of a PC that is at work has changed records
// behind everybody's back of late, as the PC last said: such a disk does it again.
func (s *Server) IllDisk(d store.Device) bool {
	at := HealthOf(d).MendedMs
	return atWork(d) && at != 0 && s.Now()-at <= illDiskDays*24*60*60*1000
}

// Offices says how every office of the reference bundle stands.
func (s *Server) Offices(ctx context.Context) ([]Office, error) {
	heads, err := s.Store.Heads(ctx)
	if err != nil {
		return nil, err
	}
	out := []Office{}
	for _, ref := range s.Rules("").Offices() {
		o := Office{ID: ref.ID, Name: ref.Name, Head: heads[string(ref.ID)]}
		rows, err := s.Store.Rows(ctx, string(ref.ID), store.Filter{Day: s.Today()})
		if err != nil {
			return nil, err
		}
		o.Today = len(rows)
		if o.Relayed, err = s.Store.Relayed(ctx, string(ref.ID)); err != nil {
			return nil, err
		}
		devices, err := s.Store.Devices(ctx, string(ref.ID))
		if err != nil {
			return nil, err
		}
		if o.Alike, err = s.TwoAlike(ctx, ref.ID); err != nil {
			return nil, err
		}
		for _, d := range devices {
			o.add(d)
			if s.IllDisk(d) {
				o.IllDisk++
			}
			if StillCloned(d, devices) {
				o.Cloned++
			}
		}
		out = append(out, o)
	}
	return out, nil
}

func (o *Office) add(d store.Device) {
	if d.Kind == store.Gone && shutOut(d) == nil {
		o.Gone++
	}
	if !atWork(d) {
		return
	}
	h := HealthOf(d)
	o.PCs++
	o.LastMs = max(o.LastMs, d.LastMs)
	o.Unsent += h.Unsent
	o.Refused += h.Refused
	if h.OldestMs > 0 && (o.OldestMs == 0 || h.OldestMs < o.OldestMs) {
		o.OldestMs = h.OldestMs
	}
}

// StillCloned says whether a PC's key was used by two machines that have not
// both gone on under a key of their own. all are the devices of its office.
func StillCloned(d store.Device, all []store.Device) bool {
	heirs := 0
	for _, o := range all {
		if o.Old == d.ID {
			heirs++
		}
	}
	return d.Cloned && d.RevokedMs == 0 && heirs < 2
}

// Today is the day by the offices' calendar.
func (s *Server) Today() spclep.Day { return spclep.DayOf(s.Local(s.Now())) }

// Local gives a moment in ms as the offices' wall clock shows it.
func (s *Server) Local(ms int64) time.Time { return time.UnixMilli(ms).In(s.Zone) }

// Revoke shuts a PC out, at once and for good.
func (s *Server) Revoke(ctx context.Context, id hlc.Device) error {
	d, err := s.Store.Device(ctx, id)
	if err != nil {
		return err
	}
	return s.revoke(ctx, id, d.Office)
}

// RevokeUnknown shuts a PC out of an office of a hub that does not know it, or
// no longer: it may have a certificate that would bring it back.
func (s *Server) RevokeUnknown(ctx context.Context, id hlc.Device, office spclep.OfficeID) error {
	if _, err := s.Rules(office).Office(office); err != nil {
		return err
	}
	return s.revoke(ctx, id, string(office))
}

func (s *Server) revoke(ctx context.Context, id hlc.Device, office string) error {
	err := s.Store.Write(ctx, office, func(tx store.Tx) error {
		d, err := tx.Device(id)
		switch {
		case errors.Is(err, store.ErrNone):
			d = store.Device{ID: id, Office: office, Kind: store.Gone, AddedMs: s.Now()}
		case err != nil:
			return err
		case d.Office != office:
			return fmt.Errorf("the device %s is of office %s", id, d.Office)
		case d.Kind == store.Hub:
			return errors.New("that is the hub's own pen, no PC")
		case d.RevokedMs != 0:
			return nil
		}
		d.RevokedMs = s.Now()
		return tx.SetDevice(d)
	})
	if err == nil {
		s.news.ring(office) // who waits is sent away
	}
	return err
}
