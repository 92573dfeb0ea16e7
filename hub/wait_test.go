package hub_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"condica/spclep"
	"condica/sync/wire"
)

// hold is how long a PC asks to be held for news, in ms: who is answered sooner
// was woken. patience is a net below the stories, far beyond that.
const (
	hold     = 20_000
	patience = 2 * time.Minute
)

// polls asks for news in the background; the function it gives waits for the
// answer.
func (p *pc) polls(waitMs int) func() (wire.Answer, *trouble) {
	type result struct {
		a  wire.Answer
		tr *trouble
	}
	r := p.request()
	r.WaitMs = waitMs
	done := make(chan result, 1)
	go func() {
		a, tr := p.try(r)
		done <- result{a, tr}
	}()
	return func() (wire.Answer, *trouble) {
		select {
		case r := <-done:
			return r.a, r.tr
		case <-time.After(patience):
			p.town.t.Error("the poll was not answered")
			return wire.Answer{}, nil
		}
	}
}

// untilWaiting lets the test go on when so many PCs wait for news.
func (tw *town) untilWaiting(n int) {
	tw.t.Helper()
	for end := time.Now().Add(patience); tw.hub.WaitingNow() != n; {
		if time.Now().After(end) {
			tw.t.Fatalf("%d PCs wait, want %d", tw.hub.WaitingNow(), n)
		}
		time.Sleep(time.Millisecond)
	}
}

// A PC that waits hears of a booking and of another PC's work at once, and not
// of its own.
func TestNews(t *testing.T) {
	tw := newTown(t)
	one, two := tw.enrol("one", "covasna"), tw.enrol("two", "covasna")
	one.sync()
	waiting := one.polls(hold)
	tw.untilWaiting(1)
	tw.book("covasna", 0)
	if a, tr := waiting(); tr != nil || len(a.Entries) != 1 {
		t.Fatalf("after a booking: %+v, %+v", a, tr)
	}

	waiting = one.polls(hold)
	tw.untilWaiting(1)
	// The same PC's main request, beside its poll.
	beside := &pc{town: tw, key: one.key, office: one.office, counter: one.counter + 10, epoch: one.epoch, cursor: one.cursor, tip: one.tip}
	beside.writes("BKNG2345", spclep.FieldNote, false, "own")
	beside.sync()
	tw.book("botosani", 0)
	if n := tw.hub.WaitingNow(); n != 1 {
		t.Fatalf("%d PCs wait after the PC's own edit and another office's booking", n)
	}
	two.writes("BKNG2345", spclep.FieldNote, false, "other")
	two.sync()
	one.seq, one.log = beside.seq, beside.log
	if a, tr := waiting(); tr != nil || len(a.Entries) != 2 {
		t.Errorf("after another PC's edit: %+v, %+v", a, tr)
	}
}

// Without news the answer comes empty when the time is up; a hub that closes
// answers at once.
func TestNoNews(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	if a, tr := p.polls(30)(); tr != nil || len(a.Entries) != 0 || a.Head != 0 {
		t.Errorf("when the time was up: %+v, %+v", a, tr)
	}
	waiting := p.polls(hold)
	tw.untilWaiting(1)
	tw.hub.Close()
	if _, tr := waiting(); tr != nil && tr.status != 503 {
		t.Errorf("when the hub closed: %+v", tr)
	}
}

// What another process writes into the same store is heard too.
func TestNewsFromAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	tw, other := townIn(t, dir), townIn(t, dir)
	p := tw.enrol("one", "covasna")
	p.sync()
	waiting := p.polls(hold)
	tw.untilWaiting(1)
	other.book("covasna", 0)
	if a, tr := waiting(); tr != nil || len(a.Entries) != 1 {
		t.Errorf("after a booking from the command line: %+v, %+v", a, tr)
	}
}

// A PC that hangs up while it waits frees its place.
func TestHangsUp(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	r := p.request()
	r.WaitMs = hold
	body := mustJSON(t, r)
	ctx, hangUp := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, tw.url+"/v1/sync", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(wire.SignatureHeader, wire.SignRequest(p.key, 1, "/v1/sync", body))
	gone := make(chan error, 1)
	go func() {
		_, err := http.DefaultTransport.RoundTrip(req)
		gone <- err
	}()
	tw.untilWaiting(1)
	hangUp()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("hanging up gave %v", err)
	}
	tw.untilWaiting(0)
}

// A PC whose epoch is old is answered at once, whatever it would wait.
func TestOldEpochDoesNotWait(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	p.epoch = "another life"
	if a, tr := p.polls(hold)(); tr != nil || a.Epoch == "another life" || a.From != 0 {
		t.Errorf("answered %+v, %+v", a, tr)
	}
}
