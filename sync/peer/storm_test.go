package peer

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// A world is one machine, the line it talks over and the replica it counts. It
// checks at every step what must never happen.
type world struct {
	t        *testing.T
	r        *rand.Rand
	m        *Machine
	now      int64
	wakeAt   int64
	unsent   int // ops in the replica without an answer
	anchored bool
	flying   [2]*Send // requests under way, by lane
	carried  int      // ops the Main request took along
	more     bool     // the hub holds news
	sends    int
	log      []string
}

func (w *world) fatalf(format string, args ...any) {
	w.t.Helper()
	tail := w.log[max(0, len(w.log)-40):]
	w.t.Fatalf("%s\n%s", fmt.Sprintf(format, args...), strings.Join(tail, "\n"))
}

func (w *world) step(e Event) {
	w.log = append(w.log, fmt.Sprintf("%d: %T%+v", w.now, e, e))
	for _, a := range w.m.Step(w.now, e) {
		w.log = append(w.log, "    "+describe(a, w.now))
		switch a := a.(type) {
		case WakeAt:
			if a.Ms <= w.now {
				w.fatalf("it asked to be woken at %d, which is past", a.Ms)
			}
			w.wakeAt = a.Ms
		case Send:
			w.send(a)
		}
	}
}

func (w *world) send(s Send) {
	w.sends++
	switch {
	case w.flying[s.Lane] != nil:
		w.fatalf("two %v requests at once", s.Lane)
	case s.Ops && (s.Lane == Poll || !w.anchored):
		w.fatalf("ops sent by %v, anchored %v", s.Lane, w.anchored)
	case s.Lane == Main && s.WaitMs != 0 || s.WaitMs > WaitMs:
		w.fatalf("a %v request that waits %d ms", s.Lane, s.WaitMs)
	}
	w.flying[s.Lane] = &s
	if s.Lane == Main {
		w.carried = 0
		if s.Ops {
			w.carried = min(w.unsent, 3) // small batches, so that many rounds are needed
		}
	}
}

// end lets one request under way end, well or badly.
func (w *world) end(lane Lane, well bool) {
	if w.flying[lane] == nil {
		return
	}
	w.flying[lane] = nil
	if !well {
		retry := int64(0)
		if w.r.IntN(6) == 0 {
			retry = w.r.Int64N(2 * MaxRetry)
		}
		w.step(Failed{Lane: lane, RetryAfter: retry})
		return
	}
	saved := false
	for _, a := range w.m.Step(w.now, Got{Lane: lane}) {
		_, saved = a.(Save)
	}
	if !saved {
		w.fatalf("an answer was not saved")
	}
	if lane == Main {
		w.unsent -= w.carried
		w.carried = 0
	}
	w.anchored = true
	more := w.more
	w.more = w.more && w.r.IntN(2) == 0
	w.step(Saved{Lane: lane, Outcome: Outcome{Unsent: w.unsent, Anchored: true, More: more}})
}

// restart: the service was killed; what was under way is void, the replica stays.
func (w *world) restart(newBoot bool) {
	w.m = New(w.r.Uint64())
	w.flying, w.carried, w.wakeAt = [2]*Send{}, 0, 0
	w.anchored = w.anchored && !newBoot
	w.step(Start{Unsent: w.unsent, Anchored: w.anchored})
}

// ring lets the timer fire, once.
func (w *world) ring() {
	w.now, w.wakeAt = max(w.now, w.wakeAt), 0
	w.step(Wake{})
}

// After any storm, once the line holds, everything is sent within a bounded
// time, and the machine comes to rest in one poll.
func TestNeverStuck(t *testing.T) {
	for seed := range uint64(3000) {
		w := &world{t: t, r: rand.New(rand.NewPCG(seed, 5)), now: 1000, log: []string{fmt.Sprintf("seed %d", seed)}}
		w.restart(true)
		for range 150 {
			w.disturb()
		}
		w.calm()
	}
}

func (w *world) disturb() {
	w.now += w.r.Int64N(10_000)
	switch w.r.IntN(10) {
	case 0, 1, 2:
		w.unsent += 1 + w.r.IntN(4)
		w.step(Edited{Unsent: w.unsent})
	case 3, 4:
		w.end(Main, w.r.IntN(3) == 0)
	case 5:
		w.end(Poll, w.r.IntN(3) == 0)
	case 6:
		w.more = true
	case 7:
		w.step(Wake{}) // a timer that fires for nothing does no harm
	case 8:
		if w.wakeAt > 0 && w.r.IntN(2) == 0 {
			w.ring()
		}
	case 9:
		if w.r.IntN(4) == 0 {
			w.restart(w.r.IntN(2) == 0)
		}
	}
}

// calm lets every request succeed and every timer fire in its time.
func (w *world) calm() {
	limit := w.now + MaxRetry + 2*MaxBackoff
	before := w.sends
	for w.unsent > 0 || w.more {
		switch {
		case w.flying[Main] != nil:
			w.now += 100
			w.end(Main, true)
		case w.wakeAt > 0:
			w.ring()
		case w.flying[Poll] != nil:
			w.now += WaitMs
			w.end(Poll, true)
		default:
			w.fatalf("stuck: %d ops wait, nothing is under way, nothing will wake it", w.unsent)
		}
		if w.now > limit {
			w.fatalf("%d ops still wait after %d ms of a good line", w.unsent, MaxRetry+2*MaxBackoff)
		}
	}
	if n := w.sends - before; n > 600 {
		w.fatalf("%d requests for a queue of three a request", n)
	}
}

// With a good line and nothing to do, the machine is quiet: one poll at a time.
func TestQuietAtRest(t *testing.T) {
	w := &world{t: t, r: rand.New(rand.NewPCG(1, 5)), now: 1000}
	w.restart(true)
	w.end(Main, true)
	for range 100 {
		if w.flying[Poll] == nil || w.flying[Main] != nil {
			w.fatalf("at rest there must be one poll and nothing else: %v", w.flying)
		}
		w.now += WaitMs
		w.end(Poll, true)
	}
	if w.sends > 102 {
		t.Errorf("%d requests in 100 long polls", w.sends)
	}
}

// Behind a proxy that cuts every poll, the cost stays bounded: a request every
// half minute, and a few trials an hour.
func TestPollingBehindAProxy(t *testing.T) {
	w := &world{t: t, r: rand.New(rand.NewPCG(2, 5)), now: 1000}
	w.restart(true)
	for w.now < 4*3_600_000 {
		switch {
		case w.flying[Main] != nil:
			w.now += 100
			w.end(Main, true)
		case w.flying[Poll] != nil:
			w.now += 5_000
			w.flying[Poll] = nil
			w.step(Failed{Lane: Poll})
		case w.wakeAt > 0:
			w.ring()
		default:
			w.fatalf("stuck")
		}
	}
	if w.sends < 4*100 || w.sends > 4*150 {
		t.Errorf("%d requests in four hours behind the proxy, want about 120 an hour", w.sends)
	}
}

// Thousands of offices that lost the hub in one moment do not come back in one.
func TestHerdIsSpread(t *testing.T) {
	const offices = 3000
	busiest, second := map[int64]int{}, int64(0)
	for seed := range uint64(offices) {
		m := New(seed*2 + 1)
		m.Step(0, Start{Anchored: true})
		m.Step(10, Saved{Lane: Main, Outcome: Outcome{Anchored: true}})
		for _, a := range m.Step(5000, Failed{Lane: Poll, RetryAfter: 60_000}) {
			if _, ok := a.(Send); ok {
				t.Fatal("the hub asked for a minute, and was asked at once")
			}
			if w, ok := a.(WakeAt); ok {
				second = (w.Ms - 65_000) / 100
				busiest[second]++
			}
		}
	}
	for tenth, n := range busiest {
		if n > offices/4 {
			t.Errorf("%d of %d offices come back in the same tenth of a second (%d)", n, offices, tenth)
		}
	}
}
