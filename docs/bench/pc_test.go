package bench

import (
	"context"
	"crypto/rand"
	"log/slog"
	"testing"
	"time"

	"condica/agent"
	"condica/agent/desk"
	"condica/spclep"
)

// A pc is an office PC of ours: the whole agent, in this process.
type pc struct {
	tb    testing.TB
	town  *town
	dir   string
	agent *agent.Agent
	relay *relay // its line; nil: none
}

// openPC starts the agent on a folder. hub may name another address than the
// one it was enrolled with.
func (t *town) openPC(tb testing.TB, dir, hub string) *pc {
	tb.Helper()
	a, err := agent.Start(context.Background(), agent.Options{
		Dir: dir, Listen: "127.0.0.1:0", Clock: agent.NewClock(t.now.Sub(t.began)), Zone: t.zone,
		Hub: hub, Version: "bench", Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		tb.Fatal(err)
	}
	p := &pc{tb: tb, town: t, dir: dir, agent: a}
	tb.Cleanup(func() { p.agent.Close() })
	return p
}

// filled enrols a new PC by way of a relay of its own and waits until it holds
// what the hub holds; took has it all: enrolment, handshake, pull, save.
func (t *town) filled(tb testing.TB, h hubside) (p *pc, took time.Duration) {
	tb.Helper()
	p = t.openPC(tb, tb.TempDir(), "")
	p.relay = newRelay(tb, h.url)
	token := t.token(h, p.relay)
	began := time.Now()
	if _, err := p.agent.Enroll(context.Background(), token); err != nil {
		tb.Fatal(err)
	}
	untilEvery(tb, 5*time.Millisecond, "the replica is full", func() bool { return p.cursor() >= int64(len(t.books)) })
	return p, time.Since(began)
}

func (p *pc) close() {
	p.tb.Helper()
	if err := p.agent.Close(); err != nil {
		p.tb.Fatal(err)
	}
}

func (p *pc) cursor() int64 {
	r, err := p.agent.Office().DB().Where(context.Background())
	if err != nil {
		p.tb.Fatal(err)
	}
	return r.Cursor
}

func (p *pc) unsent() int {
	n, _, err := p.agent.Office().DB().Unsent(context.Background())
	if err != nil {
		p.tb.Fatal(err)
	}
	return n
}

// act takes a clerk's action as the page's form does: a key of its own, the
// desk of the moment, the edit.
func (p *pc) act(id spclep.BookingID, with func(desk.Desk) desk.Action) {
	p.tb.Helper()
	ctx := context.Background()
	o := p.agent.Office()
	d, err := o.Desk(ctx)
	if err == nil {
		_, err = o.Do(ctx, rand.Text(), "Ghișeul 1", id, with(d))
	}
	if err != nil {
		p.tb.Fatalf("booking %s: %v", id, err)
	}
}

// tick notes a paper as seen: what clerks do most.
func (p *pc) tick(b booking, paper string) {
	p.tb.Helper()
	p.act(b.ID, func(d desk.Desk) desk.Action {
		return d.Set(map[string]string{spclep.PrefixPaper + string(b.Reason) + "." + paper: "original+copy"})
	})
}

func (p *pc) checkIn(id spclep.BookingID) {
	p.tb.Helper()
	p.act(id, func(d desk.Desk) desk.Action { return d.CheckIn() })
}

func (p *pc) state(id spclep.BookingID) spclep.State {
	b, err := p.agent.Office().DB().Booking(context.Background(), id)
	if err != nil {
		p.tb.Fatal(err)
	}
	return b.Visit.State
}

// held lists all bookings with their states, as they were booked.
func (p *pc) held() (all []string) {
	p.tb.Helper()
	for _, b := range p.town.books {
		got, err := p.agent.Office().DB().Booking(context.Background(), b.ID)
		if err != nil {
			p.tb.Fatal(err)
		}
		if got.Visit.Booked != nil {
			all = append(all, string(got.ID)+" "+got.Name+" "+got.Email+" "+string(got.Visit.State))
		}
	}
	return all
}
