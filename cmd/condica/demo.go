package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"condica/agent"
	"condica/agent/desk"
	"condica/agent/page"
	"condica/hub"
	"condica/hub/serve"
	"condica/spclep"
)

// demoOffice is the demo's office.
const demoOffice = spclep.OfficeID("covasna")

// opening is the hour at which the demo's day begins: two people have been
// served, the third has come.
const opening = spclep.Minute(9*60 + 38)

type demoCmd struct {
	Data   string `help:"Folder to keep and continue; a temporary one, removed at the end, if left out." placeholder:"DIR"`
	Listen string `help:"Loopback address of the desk's pages." default:"127.0.0.1:0" placeholder:"HOST:PORT"`
	Now    string `help:"Take this instant for the real one (RFC 3339), for tests." placeholder:"TIME"`
	JSON   bool   `name:"json" help:"Print one line of JSON when ready."`
}

// demo is a hub and an office PC in one process, with a line that can be cut.
type demo struct {
	dir   string
	ref   *spclep.Reference
	zone  *time.Location
	clock atomic.Int64 // shift of the demo's wall clock against the system's, ns
	gate  *gate
	hub   *serve.Running
	agent *agent.Agent
	day   spclep.Day
	real  spclep.Day // today by the system's calendar
}

// demoFile is what the folder remembers of the demo.
type demoFile struct {
	Now     time.Time `json:"now"`     // the demo's clock when it was last seen
	Console string    `json:"console"` // of the running demo, for condica line
}

const demoFileName = "demo.json"

func (c *demoCmd) Run(e *env) (err error) {
	dir, remove, err := c.folder()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	shift, err := shiftTo(c.Now)
	if err != nil {
		return err
	}
	d := &demo{dir: dir}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.start(e.Ctx, time.Now().Add(shift), c.Listen, logger(e.Err, c.JSON)); err != nil {
		if e.Ctx.Err() != nil {
			return nil // Ctrl-C before it was ready
		}
		return err
	}
	fields := map[string]any{
		"desk": d.agent.URL(), "hub": d.hub.Console, "sync": "https://" + d.gate.addr(), "data": dir,
		"day": d.day.String(), "pid": os.Getpid(),
	}
	if err := ready(e.Out, c.JSON, fields, d.welcome()); err != nil {
		return err
	}
	<-e.Ctx.Done()
	return nil
}

func (c *demoCmd) folder() (dir string, remove func() error, err error) {
	keep := func() error { return nil }
	if c.Data == "" {
		dir, err = os.MkdirTemp("", "condica-demo-")
		return dir, func() error { return os.RemoveAll(dir) }, err
	}
	if dir, err = filepath.Abs(c.Data); err != nil {
		return "", keep, err
	}
	return dir, keep, os.MkdirAll(dir, 0o700)
}

func (d *demo) now() time.Time { return time.Now().Add(time.Duration(d.clock.Load())) }

// setNow makes the demo's clock show t and run on from there.
func (d *demo) setNow(t time.Time) { d.clock.Store(int64(time.Until(t))) }

// moment is a time of a day of the office.
func (d *demo) moment(day spclep.Day, at spclep.Minute) time.Time {
	y, m, dd := day.Date()
	return time.Date(y, m, dd, int(at/60), int(at%60), 0, 0, d.zone)
}

// start opens everything; today is the real day's moment.
func (d *demo) start(ctx context.Context, today time.Time, listen string, log *slog.Logger) (err error) {
	if d.ref, err = spclep.Builtin(); err != nil {
		return err
	}
	if d.zone, err = time.LoadLocation(zone); err != nil {
		return err
	}
	known, begun, err := d.remembered()
	if err != nil {
		return err
	}
	d.real = spclep.DayOf(today.In(d.zone))
	d.day = d.ref.NextWorkingDay(demoOffice, d.real)
	start := d.moment(d.day, opening)
	if known.Now.After(start) {
		start, d.day = known.Now, spclep.DayOf(known.Now.In(d.zone))
	}
	if d.gate, err = openGate(); err != nil {
		return err
	}
	quiet := slog.New(slog.DiscardHandler)
	d.setNow(start)
	d.hub, err = serve.Start(ctx, serve.Options{
		Data: filepath.Join(d.dir, "hub"), Listen: "127.0.0.1:0", Console: "127.0.0.1:0",
		Now: d.now, Reference: d.ref, Log: quiet, Line: d.gate,
	})
	if err != nil {
		return fmt.Errorf("the demo's hub: %w", err)
	}
	u, err := url.Parse(d.hub.URL)
	if err != nil {
		return err
	}
	d.gate.relayTo(u.Host)
	if !begun {
		if err := d.book(ctx, start); err != nil {
			return fmt.Errorf("the demo's bookings: %w", err)
		}
	}
	if err := d.openDesk(ctx, listen, log); err != nil {
		return fmt.Errorf("the demo's office PC: %w", err)
	}
	if !begun {
		if err := d.live(ctx, start); err != nil {
			return fmt.Errorf("the demo's past: %w", err)
		}
	}
	if err := d.settle(ctx); err != nil {
		return err
	}
	return d.remember()
}

// book fills the hub: some days back, the day itself and the window after it.
// The hub's clock is moved to the days on which people would have booked.
func (d *demo) book(ctx context.Context, start time.Time) error {
	r := rand.New(rand.NewPCG(uint64(d.day), 1))
	defer d.setNow(start)
	who := people(r, 400)
	reasons := d.bookable()
	for _, batch := range []struct{ asked, from, to int }{{-16, -12, 6}, {-1, 7, 29}} {
		d.setNow(d.moment(d.day.Add(batch.asked), 12*60))
		var asks []hub.BookAsk
		for day := d.day.Add(batch.from); day <= d.day.Add(batch.to); day++ {
			slots, err := d.ref.Slots(demoOffice, day)
			if err != nil {
				return err
			}
			for _, at := range slots {
				// Today is full but for two slots; the days after thin out.
				if day > d.day && r.IntN(36) < 4+int(day-d.day) || day < d.day && r.IntN(3) > 0 {
					continue
				}
				p := who[0]
				who = who[1:]
				asks = append(asks, hub.BookAsk{
					Office: demoOffice, Reason: reasons[len(who)%len(reasons)], Day: day, At: at,
					Name: p.name, Email: p.email, Consent: true, By: "portal",
				})
			}
		}
		if _, err := d.hub.Hub.BookAll(ctx, asks); err != nil {
			return err
		}
	}
	return nil
}

// bookable lists every reason the office takes bookings for, the commonest
// more than once.
func (d *demo) bookable() []spclep.Reason {
	var out []spclep.Reason
	for _, r := range d.ref.Reasons(demoOffice, d.day) {
		if r.Bookable {
			out = append(out, r.Code)
		}
	}
	return append(out, "R01", "R01", "R01", "R08")
}

// openDesk starts the office PC and enrols it, if it is not yet.
func (d *demo) openDesk(ctx context.Context, listen string, log *slog.Logger) (err error) {
	v, built := build()
	d.agent, err = agent.Start(ctx, agent.Options{
		Dir: filepath.Join(d.dir, "desk"), Listen: listen, Clock: agent.NewClock(time.Duration(d.clock.Load())), Zone: d.zone,
		Hub: "https://" + d.gate.addr(), Version: v, Built: built, Log: log,
		Demo: &page.Demo{Cut: d.gate.Down, SetCut: d.gate.set, Command: "condica line cut --data " + d.dir},
	})
	if err != nil {
		return err
	}
	st, err := d.agent.Office().Status(ctx)
	if err != nil || st.Office != "" {
		return err
	}
	token, err := d.hub.Token(ctx, demoOffice, time.Hour)
	if err != nil {
		return err
	}
	token.Hub = "https://" + d.gate.addr()
	_, err = d.agent.Enroll(ctx, token.String())
	return err
}

// live works through the past at the second desk: people came, applications
// were taken, cards are ready or were handed over; this morning two have been
// served.
func (d *demo) live(ctx context.Context, start time.Time) (err error) {
	token, err := d.hub.Token(ctx, demoOffice, time.Hour)
	if err != nil {
		return err
	}
	counter := desk.Desk{Ref: d.ref, Office: demoOffice, Zone: d.zone}
	p, err := openPastDesk(ctx, filepath.Join(d.dir, "desk-2"), token, counter, start, uint64(d.day))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.db.Close()) }()
	if err := p.sync(ctx); err != nil {
		return err
	}
	if err := d.past(ctx, p, start); err != nil {
		return err
	}
	return p.sync(ctx)
}

func (d *demo) past(ctx context.Context, p *pastDesk, start time.Time) error {
	served := 0
	for day := d.day.Add(-12); day <= d.day; day++ {
		rows, err := p.db.Day(ctx, day)
		if err != nil {
			return err
		}
		for _, row := range rows {
			at := d.moment(row.Day, row.At).Add(-4 * time.Minute)
			if !at.Before(start) {
				break
			}
			if at.After(start.Add(-15 * time.Minute)) {
				if err := p.do(ctx, at, row.ID, p.desk.CheckIn()); err != nil {
					return err
				}
				continue
			}
			if err := d.serve(ctx, p, row.ID, at, served, start); err != nil {
				return fmt.Errorf("booking %s of %s %s: %w", row.ID, row.Day, row.At, err)
			}
			served++
		}
	}
	return nil
}

// serve is one visit of the past: the n-th decides how it went.
func (d *demo) serve(ctx context.Context, p *pastDesk, id spclep.BookingID, at time.Time, n int, start time.Time) error {
	if n%11 == 7 {
		return p.do(ctx, at.Add(40*time.Minute), id, p.desk.SendAway(spclep.GroundNoShow, nil, ""))
	}
	if err := p.do(ctx, at, id, p.desk.CheckIn()); err != nil {
		return err
	}
	if err := p.bring(ctx, at.Add(6*time.Minute), id); err != nil {
		return err
	}
	err := p.do(ctx, at.Add(14*time.Minute), id, p.desk.File(desk.Application{}))
	if _, refused := spclep.Refused(err); refused {
		// The made-up person is of the wrong age or without a paper that this
		// reason needs: sent home, as at a real desk.
		return p.do(ctx, at.Add(15*time.Minute), id, p.desk.SendAway(spclep.GroundDataMismatch, nil, "datele nu corespund"))
	}
	if err != nil {
		return err
	}
	if came := at.AddDate(0, 0, 6); came.Before(start) && n%4 != 0 {
		if err := p.do(ctx, came, id, p.desk.MarkReady()); err != nil {
			return err
		}
		if n%3 == 1 {
			return p.handOver(ctx, came.Add(26*time.Hour), id)
		}
	}
	return nil
}

// settle waits until the desk holds what the hub holds.
func (d *demo) settle(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	for {
		st, err := d.agent.Office().Status(ctx)
		if err != nil {
			return err
		}
		heads, err := d.hub.Hub.Store.Heads(ctx)
		if err != nil {
			return err
		}
		head := heads[string(demoOffice)]
		if st.Cursor == head {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the demo's desk holds %d of the hub's %d entries", st.Cursor, head)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (d *demo) remembered() (f demoFile, begun bool, err error) {
	text, err := os.ReadFile(filepath.Join(d.dir, demoFileName))
	if errors.Is(err, os.ErrNotExist) {
		return f, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &f)
	}
	if err != nil {
		return f, false, fmt.Errorf("the demo's folder: %s: %w", demoFileName, err)
	}
	return f, true, nil
}

func (d *demo) remember() error {
	text, err := json.Marshal(demoFile{Now: d.now(), Console: d.hub.Console})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(d.dir, demoFileName), text, 0o600)
}

func (d *demo) close() error {
	var errs []error
	if d.agent != nil {
		errs = append(errs, d.remember(), d.agent.Close())
	}
	if d.hub != nil {
		errs = append(errs, d.hub.Close())
	}
	if d.gate != nil {
		errs = append(errs, d.gate.Close())
	}
	return errors.Join(errs...)
}

func (d *demo) welcome() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Condica runs for the office of %s.\n\n", demoOffice)
	fmt.Fprintf(&b, "  The clerk's desk   %s\n", d.agent.URL())
	fmt.Fprintf(&b, "  The hub's console  %s\n\n", d.hub.Console)
	if d.day != d.real {
		fmt.Fprintf(&b, "The office is closed on %s, so the demo's day is the next working day, %s.\n", d.real, d.day)
	}
	fmt.Fprintf(&b, "The demo's clock shows %s and runs on.\n", d.now().In(d.zone).Format("2006-01-02 15:04"))
	fmt.Fprint(&b, "No PIN is needed, and every browser on this PC is let in. A button on both cuts the line and restores it, as do:\n")
	fmt.Fprintf(&b, "  condica line cut     --data %s\n  condica line restore --data %s\n", d.dir, d.dir)
	fmt.Fprint(&b, "Ctrl-C ends it.")
	return b.String()
}

type lineCmd struct {
	What string `arg:"" enum:"cut,restore" help:"cut or restore"`
	Data string `help:"The running demo's folder." required:"" placeholder:"DIR"`
}

// Run presses the console's button.
func (c *lineCmd) Run(e *env) error {
	d := demo{dir: c.Data}
	f, begun, err := d.remembered()
	if err != nil {
		return err
	}
	if !begun {
		return fmt.Errorf("no demo runs on %s", c.Data)
	}
	req, err := http.NewRequestWithContext(e.Ctx, http.MethodPost, f.Console+"/line", strings.NewReader("do="+c.What))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("no demo runs on %s: %w", c.Data, err)
	}
	resp.Body.Close()
	if resp.StatusCode >= 400 {
		return fmt.Errorf("the console answered with status %d", resp.StatusCode)
	}
	_, err = fmt.Fprintf(e.Out, "line: %s\n", c.What)
	return err
}
