package hub

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/code"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// A BookAsk is a booking somebody wants made. The day and hour of asking are
// the hub's.
type BookAsk struct {
	Office  spclep.OfficeID
	Reason  spclep.Reason
	Day     spclep.Day
	At      spclep.Minute
	Name    string
	Email   string
	Consent bool // has read how the data are used (B26)
	By      string
}

// Booked is a booking that was made, with what the citizen takes home.
type Booked struct {
	ID   spclep.BookingID
	Code string // text of the signed QR
}

// Book makes a booking by the rules (B01 to B26), or refuses with a
// *spclep.Refusal.
func (s *Server) Book(ctx context.Context, ask BookAsk) (Booked, error) {
	all, err := s.BookAll(ctx, []BookAsk{ask})
	if err != nil {
		var at *AskError
		if errors.As(err, &at) {
			return Booked{}, at.Err
		}
		return Booked{}, err
	}
	return all[0], nil
}

// An AskError names the booking of a list that could not be made.
type AskError struct {
	Index int // from 0
	Err   error
}

func (e *AskError) Error() string { return fmt.Sprintf("booking %d: %v", e.Index+1, e.Err) }
func (e *AskError) Unwrap() error { return e.Err }

// BookAll makes the bookings of one office, all or none. Each one that cannot
// be made has its *AskError in the joined error.
func (s *Server) BookAll(ctx context.Context, asks []BookAsk) ([]Booked, error) {
	if len(asks) == 0 {
		return nil, errors.New("there is nothing to book")
	}
	office, err := s.Rules(asks[0].Office).Office(asks[0].Office)
	if err != nil {
		return nil, &AskError{0, err}
	}
	var out []Booked
	err = s.write(ctx, office.ID, asks[0].By, func(p *pen) error {
		var bad []error
		for i, ask := range asks {
			if ask.Office != office.ID {
				return &AskError{i, fmt.Errorf("office %s: a list is for one office", ask.Office)}
			}
			b, err := s.book(p, office, ask)
			if err != nil {
				bad = append(bad, &AskError{i, err})
				continue
			}
			out = append(out, b)
		}
		return errors.Join(bad...)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Server) book(p *pen, office spclep.Office, ask BookAsk) (Booked, error) {
	ref := s.Rules(office.ID)
	asked := time.UnixMilli(p.now).In(s.Zone)
	taken, err := p.tx.Taken(ask.Day)
	if err != nil {
		return Booked{}, err
	}
	active, err := p.tx.ActiveOf(store.Person(ask.Name, ask.Email), spclep.DayOf(asked))
	if err != nil {
		return Booked{}, err
	}
	if err := ref.MayBook(spclep.BookAsk{
		Office: ask.Office, Reason: ask.Reason, Day: ask.Day, At: ask.At, Requested: spclep.DayOf(asked), RequestedAt: spclep.MinuteOf(asked),
		TakenAt: taken[ask.At], ActiveOfPerson: active, Consent: ask.Consent, Name: ask.Name, Email: ask.Email,
	}); err != nil {
		return Booked{}, err
	}
	id, err := s.freshID(p.tx)
	if err != nil {
		return Booked{}, err
	}
	if err := p.fact(id, spclep.Booked, spclep.BookedValue{
		Name: ask.Name, Email: ask.Email, Reason: ask.Reason, Day: ask.Day, At: ask.At, Bundle: ref.Number(), List: ref.ListShown(office.ID, ask.Reason, ask.Day),
	}); err != nil {
		return Booked{}, err
	}
	text, err := code.Sign(s.qr, code.Booking{Key: qrKeyID, Office: office.Code, ID: id, Day: ask.Day, At: ask.At, Reason: ask.Reason})
	return Booked{ID: id, Code: text}, err
}

// freshID draws an id that the office does not have yet.
func (s *Server) freshID(tx store.Tx) (spclep.BookingID, error) {
	for {
		b, err := s.random(5)
		if err != nil {
			return "", err
		}
		id := code.NewID([5]byte(b))
		if old, err := tx.Entity(record.Kind, string(id)); err != nil || len(old) == 0 {
			return id, err
		}
	}
}

// ErrNoBooking: no op of the office speaks of the booking.
var ErrNoBooking = errors.New("the hub has no such booking")

// Booking reads one booking whole.
func (s *Server) Booking(ctx context.Context, office spclep.OfficeID, id spclep.BookingID) (record.Booking, []store.Entry, error) {
	entries, err := s.Store.Entity(ctx, string(office), record.Kind, string(id))
	if err != nil {
		return record.Booking{}, nil, err
	}
	if len(entries) == 0 {
		return record.Booking{}, nil, ErrNoBooking
	}
	plain := make([]op.Entry, len(entries))
	for i, e := range entries {
		plain[i] = e.Entry
	}
	return record.Of(id, plain), entries, nil
}

// CodeOf signs the QR of a booking as it stands.
func (s *Server) CodeOf(office spclep.OfficeID, b record.Booking) (string, error) {
	o, err := s.Rules(office).Office(office)
	if err != nil {
		return "", err
	}
	if b.Visit.Booked == nil {
		return "", ErrNoBooking
	}
	k := b.Visit.Booked
	return code.Sign(s.qr, code.Booking{Key: qrKeyID, Office: o.Code, ID: b.ID, Day: k.Day, At: k.At, Reason: b.Reason})
}

// Cancel gives a booking's slot back. A person who has come, or an application
// that was taken, is no longer a booking to cancel.
func (s *Server) Cancel(ctx context.Context, office spclep.OfficeID, id spclep.BookingID, ground, by string) error {
	return s.write(ctx, office, by, func(p *pen) error {
		b, err := p.booking(id)
		if err != nil {
			return err
		}
		if b.Visit.State != spclep.StateBooked {
			return fmt.Errorf("booking %s cannot be given back: its state is %s", id, b.Visit.State)
		}
		return p.fact(id, spclep.Cancelled, spclep.CancelledValue{Ground: ground})
	})
}

// SetField replaces a register of a booking, knowing what stands there.
func (s *Server) SetField(ctx context.Context, office spclep.OfficeID, id spclep.BookingID, field string, value any, by string) error {
	return s.write(ctx, office, by, func(p *pen) error {
		b, err := p.booking(id)
		if err != nil {
			return err
		}
		return p.set(b, field, value)
	})
}

// A pen writes the hub's own ops in one office, within one transaction.
type pen struct {
	taking
	id    hlc.Device
	by    string
	next  uint64
	clock *hlc.Clock
}

// write runs f with the hub's pen in an office. The pen is a device with a key
// of its own in each office, so that its numbers are under the office's lock.
func (s *Server) write(ctx context.Context, office spclep.OfficeID, by string, f func(*pen) error) error {
	if _, err := s.Rules(office).Office(office); err != nil {
		return err
	}
	key, err := s.penKey(ctx, string(office))
	if err != nil {
		return err
	}
	err = s.Store.Write(ctx, string(office), func(tx store.Tx) error {
		p, err := s.newPen(tx, string(office), key)
		if err != nil {
			return err
		}
		p.by = by
		if err := f(p); err != nil {
			return err
		}
		return p.finish()
	})
	if err == nil {
		s.news.ring(string(office))
	}
	return err
}

// penKey is the public half of the pen's key in an office.
func (s *Server) penKey(ctx context.Context, office string) (ed25519.PublicKey, error) {
	key, err := s.key(ctx, "pen/"+office)
	if err != nil {
		return nil, err
	}
	return key.Public().(ed25519.PublicKey), nil
}

// penOf is the pen as a device.
func penOf(office string, pub ed25519.PublicKey, now int64) store.Device {
	return store.Device{ID: wire.DeviceOf(pub), Office: office, Kind: store.Hub, Name: "hub", Pub: pub, AddedMs: now}
}

func (s *Server) newPen(tx store.Tx, office string, pub ed25519.PublicKey) (*pen, error) {
	if _, err := s.epoch(tx); err != nil {
		return nil, err
	}
	now := s.Now()
	p := &pen{id: wire.DeviceOf(pub), taking: newTaking(tx, office, now)}
	_, err := tx.Device(p.id)
	if errors.Is(err, store.ErrNone) {
		err = tx.SetDevice(penOf(office, pub, now))
	}
	if err != nil {
		return nil, err
	}
	last, err := tx.LastSeq(p.id)
	if err != nil {
		return nil, err
	}
	// The number jumps to the clock: a hub restored from a backup must not give
	// out again a number under which the PCs hold an op that it has lost.
	p.next = max(last+1, uint64(max(now, 1)))
	eff, err := tx.LastEff(p.id, p.next)
	p.clock = hlc.New(eff)
	return p, err
}

func (p *pen) booking(id spclep.BookingID) (record.Booking, error) {
	entries, err := p.tx.Entity(record.Kind, string(id))
	if err == nil && len(entries) == 0 {
		err = ErrNoBooking
	}
	return record.Of(id, entries), err
}

func (p *pen) fact(id spclep.BookingID, name string, value any) error {
	return p.op(op.Op{Cell: record.Cell(id, name), Fact: true}, value)
}

func (p *pen) set(b record.Booking, field string, value any) error {
	return p.op(op.Op{Cell: record.Cell(b.ID, field), Base: b.Heads(field)}, value)
}

// op numbers, stamps, seals and places one op. Each is an action of its own.
func (p *pen) op(o op.Op, value any) error {
	v, err := wire.Encode(value)
	if err != nil {
		return err
	}
	after, err := p.tx.Eff(o.Base)
	if err != nil {
		return err
	}
	var known hlc.Time
	for _, t := range after {
		known = max(known, t)
	}
	o.ID, o.Action, o.Value, o.By = op.ID{Device: p.id, Seq: p.next}, p.next, v, p.by
	o.Time = p.clock.Next(p.now, known)
	o.Clock = hlc.Reading{Wall: p.now, Boot: "hub"}
	p.next++
	raw, err := wire.EncodeOp(o)
	if err != nil {
		return err
	}
	// Read back as any PC will: the hub must not write what nobody can take.
	if o, err = wire.DecodeOp(p.id, raw); err != nil {
		return err
	}
	if _, err = p.put(o, o.Time, hlc.Device{}); err != nil {
		return err
	}
	return p.project() // the next one of a list must find this one's slot taken
}

// Free lists the slots of a day that can still be given.
func (s *Server) Free(ctx context.Context, office spclep.OfficeID, day spclep.Day) ([]spclep.Minute, error) {
	rows, err := s.Store.Rows(ctx, string(office), store.Filter{Day: day})
	if err != nil {
		return nil, err
	}
	taken := map[spclep.Minute]int{}
	for _, r := range rows {
		if store.HoldsSlot(r) {
			taken[r.At]++
		}
	}
	return s.Rules(office).FreeSlots(office, day, taken)
}
