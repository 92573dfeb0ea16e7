// Package office is one running office PC as its pages and scripts see it:
// the replica, the rules and the line in one hand. It decides nothing itself -
// desk says what may be done, localdb keeps it - and shows no page.
package office

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"condica/agent/desk"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/code"
	"condica/spclep/record"
	"condica/spclep/settings"
	"condica/sync/hlc"
	"condica/sync/link"
	"condica/sync/op"
	"condica/sync/wire"
)

// A Line is what the office needs of the link.
type Line interface {
	Ring()
	Status() link.Status
}

// Config of an Office.
type Config struct {
	DB     *localdb.DB
	Ref    *spclep.Reference
	Zone   *time.Location
	Random func([]byte) // fills with random bytes, for ids of walk-ins
	Up     func() int64 // the PC's running time in ms, on which link.Status counts
	Centre Centre       // says where the settings from the centre stand; nil: there is no centre
}

// A Centre is what the office needs of control.
type Centre interface {
	At(ctx context.Context) (wire.SettingsAt, error)
}

// An Office is safe for many goroutines.
type Office struct {
	cfg    Config
	rules  atomic.Pointer[settings.Rules]
	line   atomic.Pointer[Line]
	former atomic.Pointer[[]Former]
	desks  atomic.Pointer[map[hlc.Device]localdb.Desk]
	left   atomic.Pointer[leftOut]
}

// A Former is a name under which this PC wrote until it took another key.
type Former struct {
	Device  hlc.Device `json:"device"`
	UntilMs int64      `json:"until"` // the hub's time
}

// New makes an office; until SetLine it has no line.
func New(cfg Config) *Office {
	o := &Office{cfg: cfg}
	o.Use(settings.Builtin(cfg.Ref))
	return o
}

// Use puts rules in force for every page and script from the next request on.
func (o *Office) Use(r settings.Rules) { o.rules.Store(&r) }

// Rules are those in force: the reference bundle and the centre's settings.
func (o *Office) Rules() settings.Rules { return *o.rules.Load() }

// SetLine gives the office its line once the PC is enrolled.
func (o *Office) SetLine(l Line) { o.line.Store(&l) }

// Reference is the bundle in force.
func (o *Office) Reference() *spclep.Reference { return o.rules.Load().Reference }

// DB is the replica, for reading.
func (o *Office) DB() *localdb.DB { return o.cfg.DB }

// Device is this PC, as it writes now.
func (o *Office) Device() hlc.Device { return o.cfg.DB.Device() }

// SetFormer says which names this PC had before, the latest last.
func (o *Office) SetFormer(f []Former) { o.former.Store(&f) }

// Mine says whether this PC wrote under the name of d, now or before.
func (o *Office) Mine(d hlc.Device) bool {
	if d == o.Device() {
		return true
	}
	f := o.former.Load()
	return f != nil && slices.ContainsFunc(*f, func(f Former) bool { return f.Device == d })
}

// Zone is the office's time zone.
func (o *Office) Zone() *time.Location { return o.cfg.Zone }

// ErrNotEnrolled: the PC does not belong to an office yet.
var ErrNotEnrolled = errors.New("this PC is not enrolled in an office yet")

// Desk is the counter of this office under the bundle in force.
func (o *Office) Desk(ctx context.Context) (desk.Desk, error) {
	id, err := o.cfg.DB.Office(ctx)
	if err != nil {
		return desk.Desk{}, err
	}
	if id == "" {
		return desk.Desk{}, ErrNotEnrolled
	}
	desks, err := o.cfg.DB.Desks(ctx)
	if err != nil {
		return desk.Desk{}, err
	}
	o.desks.Store(&desks)
	undo := time.Duration(o.Rules().Settings.Tolerances.UndoHours) * time.Hour
	return desk.Desk{Ref: o.Reference(), Office: spclep.OfficeID(id), Zone: o.cfg.Zone, UndoFor: undo}, nil
}

// DeskNumber is the number of a PC's desk in the office, as of the last Desk; 0
// where it is not known.
func (o *Office) DeskNumber(d hlc.Device) int {
	if desks := o.desks.Load(); desks != nil {
		return (*desks)[d].Number
	}
	return 0
}

// Moment is now, in the hub's time as well as it is known.
func (o *Office) Moment(ctx context.Context) (desk.Moment, error) {
	ms, _, _, err := o.cfg.DB.Now(ctx)
	return desk.Moment{Ms: ms}, err
}

// Here is the counter and the moment, as most pages want both.
func (o *Office) Here(ctx context.Context) (desk.Desk, desk.Moment, error) {
	d, err := o.Desk(ctx)
	if err != nil {
		return d, desk.Moment{}, err
	}
	m, err := o.Moment(ctx)
	return d, m, err
}

// SetNow takes a clerk's word for the time while neither the hub nor the PC's
// clock can tell it. Edits written under it are stamped anew when the hub is
// heard.
func (o *Office) SetNow(ctx context.Context, t time.Time) error {
	return o.cfg.DB.SetNow(ctx, t.UnixMilli())
}

// Do takes a clerk's action on a booking. When it returns without error the
// action is durable, and the line has been told. key names the request: the
// same key acts once. by is the clerk. A *spclep.Refusal in the error says
// which rule stood against it.
func (o *Office) Do(ctx context.Context, key, by string, id spclep.BookingID, a desk.Action) (localdb.Receipt, error) {
	r, err := o.cfg.DB.Edit(ctx, key, by, id, func(b record.Booking, p localdb.Place) ([]op.Draft, error) {
		return a(b, desk.Moment{Ms: p.NowMs, Number: p.Number})
	})
	if err != nil {
		return r, err
	}
	o.Ring()
	return r, nil
}

// Ring wakes the line, so that what waits is sent now.
func (o *Office) Ring() {
	if l := o.line.Load(); l != nil {
		(*l).Ring()
	}
}

// WalkIn takes a person without a booking at the desk d, under a fresh id.
func (o *Office) WalkIn(ctx context.Context, key, by string, d desk.Desk, w desk.Walk) (spclep.BookingID, localdb.Receipt, error) {
	var random [5]byte
	o.cfg.Random(random[:])
	id := code.NewID(random)
	r, err := o.Do(ctx, key, by, id, d.WalkIn(w))
	if err != nil || !r.Again {
		return id, r, err
	}
	// The same form sent twice: the first one's booking is meant.
	id, err = o.cfg.DB.EntityOf(ctx, r.Action)
	return id, r, err
}

// Verify reads a booking code and checks it with the hub's keys.
func (o *Office) Verify(ctx context.Context, text string) (code.Booking, error) {
	held, err := o.cfg.DB.Keys(ctx)
	if err != nil {
		return code.Booking{}, err
	}
	keys := map[uint8]ed25519.PublicKey{}
	for _, k := range held {
		keys[k.ID] = k.Pub
	}
	return code.Verify(text, keys)
}

// A Found is what the scan and search box answers.
type Found struct {
	ID   spclep.BookingID // one booking that is meant without doubt
	New  *code.Booking    // a signed booking the replica has not seen yet; ID is its id
	Slip bool             // ID was read from a slip: the person comes for the card
	Rows []record.Row     // or else what the search found, those of today first
}

// maxFound is how many rows a search shows.
const maxFound = 50

// Find answers the scan and search box: a booking's QR, a slip's QR, a short
// code, a registration number, or letters of a name. Errors of package code
// say what was held up instead (another office's code, the ministry's identity
// code, a damaged one).
func (o *Office) Find(ctx context.Context, text string) (Found, error) {
	d, err := o.Desk(ctx)
	if err != nil {
		return Found{}, err
	}
	scanned, err := o.scanned(ctx, d, text)
	if err == nil || !errors.Is(err, code.ErrNotACode) {
		return scanned, err
	}
	if id, err := code.ParseID(text); err == nil {
		if b, err := o.cfg.DB.Booking(ctx, id); err != nil || b.Visit.State != spclep.StateNone {
			return Found{ID: id}, err
		}
	}
	m, err := o.Moment(ctx)
	if err != nil {
		return Found{}, err
	}
	rows, err := o.cfg.DB.ByNumber(ctx, text)
	if err == nil && len(rows) == 0 {
		rows, err = o.cfg.DB.Search(ctx, text, d.Today(m), maxFound)
	}
	if len(rows) == 1 {
		return Found{ID: rows[0].ID, Rows: rows}, err
	}
	return Found{Rows: rows}, err
}

// scanned reads the two codes a scanner may send.
func (o *Office) scanned(ctx context.Context, d desk.Desk, text string) (Found, error) {
	if id, err := code.ParseSlip(text); err == nil {
		return Found{ID: id, Slip: true}, nil
	} else if errors.Is(err, code.ErrDamaged) {
		return Found{}, err
	}
	c, err := o.Verify(ctx, text)
	if err != nil {
		return Found{}, err
	}
	here, err := d.Ref.Office(d.Office)
	if err != nil {
		return Found{}, err
	}
	if c.Office != here.Code {
		return Found{}, &OtherOfficeError{Code: c, Office: o.officeName(c.Office)}
	}
	b, err := o.cfg.DB.Booking(ctx, c.ID)
	if err != nil {
		return Found{}, err
	}
	f := Found{ID: c.ID}
	if b.Visit.State == spclep.StateNone {
		f.New = &c
	}
	return f, nil
}

// An OtherOfficeError is a valid code of another office's booking.
type OtherOfficeError struct {
	Code   code.Booking
	Office string // its name, or its number where the bundle does not know it
}

func (e *OtherOfficeError) Error() string {
	return fmt.Sprintf("the booking is at another office (%s), on %s at %s", e.Office, e.Code.Day, e.Code.At)
}

func (o *Office) officeName(number uint16) string {
	for _, of := range o.Reference().Offices() {
		if of.Code == number {
			return of.Name
		}
	}
	return fmt.Sprintf("no. %d", number)
}
