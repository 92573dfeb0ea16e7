package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"condica/agent/desk"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/link"
	"condica/sync/op"
	"condica/sync/wire"
)

// A pastDesk is the demo's second PC: it works through the days before the
// demo's day, out of contact, and then brings its work to the hub the way any
// PC does after an outage. Its clock is moved from one visit to the next.
type pastDesk struct {
	db     *localdb.DB
	key    ed25519.PrivateKey
	desk   desk.Desk
	token  wire.Token
	times  func() []time.Time
	start  time.Time // the demo's moment; the desk's running time counts from it
	moment time.Time // what its clock shows
	by     string
	random *rand.Rand
}

// upAtStart leaves room for days before the demo's moment.
const upAtStart = 100 * 24 * time.Hour

func openPastDesk(ctx context.Context, dir string, t wire.Token, d desk.Desk, start time.Time, seed uint64) (*pastDesk, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	p := &pastDesk{
		key: key, desk: d, token: t, start: start, moment: start, by: "Ghișeul 2",
		random: rand.New(rand.NewPCG(seed, 2)), times: func() []time.Time { return []time.Time{start} },
	}
	e, err := link.Enroll(ctx, t, key, "ghiseul-2", p.times)
	if err != nil {
		return nil, err
	}
	if p.db, _, err = localdb.Open(ctx, dir, localdb.Options{Device: e.Device, Now: p.reading}); err != nil {
		return nil, err
	}
	return p, p.db.SetOffice(ctx, e)
}

func (p *pastDesk) reading() hlc.Reading {
	return hlc.Reading{Wall: p.moment.UnixMilli(), Boot: "demo", Up: (upAtStart + p.moment.Sub(p.start)).Milliseconds()}
}

// sync talks to the hub at the demo's moment until both hold the same.
func (p *pastDesk) sync(ctx context.Context) error {
	p.moment = p.start
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	began := time.Now()
	l, err := link.New(link.Config{
		Hub: p.token.Hub, Pin: p.token.Pin, Key: p.key, Times: p.times, Log: slog.New(slog.DiscardHandler),
		Now: func() hlc.Reading { // running on, so that the line's timers work
			r := p.reading()
			r.Up += time.Since(began).Milliseconds()
			return r
		},
	}, p.db)
	if err != nil {
		return err
	}
	var running sync.WaitGroup
	running.Go(func() { l.Run(ctx) })
	defer running.Wait()
	defer stop()
	for {
		st, err := p.db.Standing(ctx)
		if err == nil && st.Unsent == 0 && st.LastOK > 0 && st.Cursor == st.Head && st.Head > 0 {
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(err, fmt.Errorf("the demo's second desk could not reach the hub: %s", l.Status().Say))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// do takes one action at a moment of the past.
func (p *pastDesk) do(ctx context.Context, at time.Time, id spclep.BookingID, a desk.Action) error {
	p.moment = at
	_, err := p.db.Edit(ctx, "", p.by, id, func(b record.Booking, pl localdb.Place) ([]op.Draft, error) {
		return a(b, desk.Moment{Ms: at.UnixMilli(), Number: pl.Number})
	})
	return err
}

// bring ticks everything the checklist asks for, and what else an application
// needs: the extract's day, the receipt, a day of birth.
func (p *pastDesk) bring(ctx context.Context, at time.Time, id spclep.BookingID) error {
	b, err := p.db.Booking(ctx, id)
	if err != nil {
		return err
	}
	list, err := p.desk.Ref.Papers(p.desk.Ask(b))
	if err != nil {
		return err
	}
	values := map[string]string{
		spclep.FieldLand:    spclep.DayOf(at.In(p.desk.Zone)).Add(-12).String(),
		spclep.FieldReceipt: fmt.Sprintf("%06d", p.random.IntN(1_000_000)),
	}
	for _, paper := range list.Papers {
		if paper.When == spclep.AtPickup {
			continue
		}
		tick := "original+copy"
		switch paper.Form {
		case spclep.Original, spclep.AtDesk:
			tick = "original"
		case spclep.Copy:
			tick = "copy"
		}
		values[spclep.PrefixPaper+paper.ID] = tick
	}
	return p.do(ctx, at, id, p.desk.Set(values))
}

// handOver gives the card to the first who may collect it.
func (p *pastDesk) handOver(ctx context.Context, at time.Time, id spclep.BookingID) error {
	b, err := p.db.Booking(ctx, id)
	if err != nil {
		return err
	}
	may := p.desk.Collectors(b, desk.Moment{Ms: at.UnixMilli()})
	if len(may) == 0 {
		return nil
	}
	name := ""
	if may[0].To != "holder" {
		name = "Părinte " + b.Name
	}
	return p.do(ctx, at, id, p.desk.HandOver(may[0].To, name, b.Reason == "R14"))
}
