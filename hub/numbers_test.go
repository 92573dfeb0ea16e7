package hub_test

import (
	"testing"
	"time"

	"condica/hub/store"
	"condica/spclep"
	"condica/sync/wire"
)

// asks makes one exchange of a PC that stands so with its numbers.
func (p *pc) asks(at wire.NumbersAt) *wire.Numbers {
	p.town.t.Helper()
	r := p.request()
	r.Numbers = &at
	return p.send(r).Numbers
}

func (p *pc) gets(at wire.NumbersAt, from, to int64) {
	p.town.t.Helper()
	if n := p.asks(at); n == nil || *n != (wire.Numbers{From: from, To: to}) {
		p.town.t.Errorf("at %+v the PC gets %+v, want %d-%d", at, n, from, to)
	}
}

func (p *pc) getsNone(at wire.NumbersAt) {
	p.town.t.Helper()
	if n := p.asks(at); n != nil {
		p.town.t.Errorf("at %+v the PC gets %+v", at, n)
	}
}

// Two PCs of one office share one row, in blocks; another office has its own. A
// PC gets more when it runs low, and again what was lost on the line: never the
// same.
func TestNumbersInBlocks(t *testing.T) {
	tw := newTown(t)
	one, two, far := tw.enrol("one", "covasna"), tw.enrol("two", "covasna"), tw.enrol("far", "botosani")
	one.gets(wire.NumbersAt{}, 1, 500)
	two.gets(wire.NumbersAt{}, 501, 1000)
	far.gets(wire.NumbersAt{}, 1, 500)
	one.getsNone(wire.NumbersAt{Left: 500, Given: 500})
	one.gets(wire.NumbersAt{Left: 499, Given: 500}, 1001, 1500)
	one.gets(wire.NumbersAt{Left: 499, Given: 500}, 1501, 2000)
	one.getsNone(wire.NumbersAt{Left: 999, Given: 2000})
	two.gets(wire.NumbersAt{Left: -7, Given: 1000}, 2001, 2500)
}

// An older PC takes none, a request that comes twice takes none, and neither does
// one of a PC that is shut out.
func TestNumbersForNobody(t *testing.T) {
	tw := newTown(t)
	one, two := tw.enrol("one", "covasna"), tw.enrol("two", "covasna")
	if a := one.sync(); a.Numbers != nil || a.Desks != nil {
		t.Errorf("a PC that asks for none gets %+v and %+v", a.Numbers, a.Desks)
	}
	r := one.request()
	r.Numbers = &wire.NumbersAt{}
	one.gets(*r.Numbers, 1, 500)
	if status, _, body := one.raw(mustJSON(t, r), one.counter); status != 409 {
		t.Errorf("the same request once more: %d %s", status, body)
	}
	if err := tw.hub.Revoke(t.Context(), one.device()); err != nil {
		t.Fatal(err)
	}
	if _, tr := one.try(r); tr == nil || tr.status != 403 {
		t.Errorf("a PC that was revoked: %+v", tr)
	}
	two.gets(wire.NumbersAt{}, 501, 1000)
}

// A PC that runs low does not wait with its request for news.
func TestNumbersAreNotHeldForNews(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	r := p.request()
	r.WaitMs, r.Numbers = hold, &wire.NumbersAt{}
	answered := make(chan wire.Answer, 1)
	go func() { a, _ := p.try(r); answered <- a }()
	for {
		select {
		case a := <-answered:
			if a.Numbers == nil {
				t.Errorf("answered with %+v", a)
			}
			return
		case <-time.After(time.Millisecond):
			if tw.hub.WaitingNow() > 0 {
				t.Fatal("a PC without numbers is kept waiting")
			}
		}
	}
}

// The hub is put back to a backup and does not know any more what it gave since.
// Once it notices, by the log, the office's row goes on far beyond; each PC that
// comes with the old epoch drops what it had.
func TestNumbersOfARestoredHub(t *testing.T) {
	live, backup := t.TempDir(), t.TempDir()
	tw := townIn(t, live)
	one, two := tw.enrol("one", "covasna"), tw.enrol("two", "covasna")
	one.gets(wire.NumbersAt{}, 1, 500)
	tw.shut(live, backup)

	tw = townIn(t, live)
	one.town, two.town = tw, tw
	two.gets(wire.NumbersAt{}, 501, 1000)
	two.writes("BKNG2345", spclep.FieldNote, false, "since")
	two.sync()
	tw.shut(live, "")

	tw = townIn(t, backup)
	one.town, two.town = tw, tw
	two.getsNone(wire.NumbersAt{Left: 480, Given: 1000}) // the answer that tells of the new epoch
	one.getsNone(wire.NumbersAt{Left: 480, Given: 500})  // and to the other
	two.gets(wire.NumbersAt{}, 501+wire.NumberLeap, 1000+wire.NumberLeap)
	one.gets(wire.NumbersAt{}, 1001+wire.NumberLeap, 1500+wire.NumberLeap)
	one.sync()
	one.gets(wire.NumbersAt{Left: 1}, 1501+wire.NumberLeap, 2000+wire.NumberLeap)
}

// Nothing in the log shows that the hub was put back; but a PC says that it was
// given numbers of which the hub knows nothing. Meanwhile they have been given to
// another: the first drops them.
func TestNumbersThatTheHubHasForgotten(t *testing.T) {
	live, backup := t.TempDir(), t.TempDir()
	tw := townIn(t, live)
	one, two := tw.enrol("one", "covasna"), tw.enrol("two", "covasna")
	one.sync()
	tw.shut(live, backup)
	tw = townIn(t, live)
	one.town = tw
	one.gets(wire.NumbersAt{}, 1, 500)
	tw.shut(live, "")

	tw = townIn(t, backup)
	one.town, two.town = tw, tw
	two.gets(wire.NumbersAt{}, 1, 500)
	one.counter += 10
	for range 2 { // the first answer may be lost
		if n := one.asks(wire.NumbersAt{Left: 480, Given: 500}); n == nil || *n != (wire.Numbers{Void: true}) {
			t.Errorf("the PC with forgotten numbers gets %+v", n)
		}
	}
	one.gets(wire.NumbersAt{}, 501, 1000)
	two.gets(wire.NumbersAt{Left: 499, Given: 500}, 1001, 1500)
}

// A hub that has lost all its numbers is told by the first PC how far they were
// given or used, and goes on beyond.
func TestNumbersOfALostHub(t *testing.T) {
	for known, want := range map[wire.NumbersAt]int64{
		{Known: 7777}:                     7778 + wire.NumberLeap,
		{Known: 7777, Left: 3, Given: 0}:  7778 + wire.NumberLeap,
		{Known: wire.NumberMax + 1}:       1,
		{Known: -1}:                       1,
		{Known: wire.NumberMax - 100_000}: wire.NumberMax - 100_000 + 1 + wire.NumberLeap,
	} {
		newTown(t).enrol("one", "covasna").gets(known, want, want+wire.NumberBlock-1)
	}
	p := newTown(t).enrol("one", "covasna")
	p.getsNone(wire.NumbersAt{Known: wire.NumberMax}) // the row is at its end: desks go on with their own
	if n := p.asks(wire.NumbersAt{Given: 300}); n == nil || !n.Void {
		t.Errorf("what a lost hub gave counts no more: %+v", n)
	}
}

// The list of desks is sent where it differs from what the PC knows; who is not at
// work any more, stays in it; the hub's own pen is no desk.
func TestDesksAreSaidOnce(t *testing.T) {
	tw := newTown(t)
	one, two := tw.enrol("one", "covasna"), tw.enrol("two", "covasna")
	tw.enrol("far", "botosani")
	tw.book("covasna", 0)
	ask := func(known []wire.Desk) []wire.Desk {
		r := one.request()
		r.Desks = wire.DesksSum(known)
		return one.send(r).Desks
	}
	list := ask(nil)
	if len(list) != 2 || list[0] != (wire.Desk{Device: one.device(), Desk: 1, Name: "one"}) || list[1] != (wire.Desk{Device: two.device(), Desk: 2, Name: "two"}) {
		t.Fatalf("the desks are %+v", list)
	}
	if again := ask(list); again != nil {
		t.Errorf("said again: %+v", again)
	}
	if err := tw.hub.Revoke(t.Context(), two.device()); err != nil {
		t.Fatal(err)
	}
	if again := ask(list); again != nil {
		t.Errorf("after one was revoked: %+v", again)
	}
	tw.enrol("three", "covasna")
	if list = ask(list); len(list) != 3 || list[2].Desk != 3 {
		t.Errorf("after a third came: %+v", list)
	}
	if err := tw.store.Write(t.Context(), "covasna", func(tx store.Tx) error {
		d, err := tx.Device(two.device())
		if err != nil {
			return err
		}
		d.Name = "Ghișeul 2"
		return tx.SetDevice(d)
	}); err != nil {
		t.Fatal(err)
	}
	if list = ask(list); len(list) != 3 || list[1].Name != "Ghișeul 2" {
		t.Errorf("after one had another name: %+v", list)
	}
}
