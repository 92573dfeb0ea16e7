// Package peer is a PC's side of the conversation with the hub as a pure
// machine: Step takes the time and what happened, and gives what to do, in
// order. It decides when to talk and nothing else: it never touches a socket,
// a file, a clock or the ops themselves, of which it knows only how many are
// unsent. It can be thrown away and made anew from the replica at any moment.
package peer

import "math/bits"

// Limits of the conversation, in ms.
const (
	FirstBackoff = 1_000
	MaxBackoff   = 5 * 60_000
	MaxRetry     = 15 * 60_000 // of a Retry-After: broken proxies send weeks
	EagerGap     = 5_000       // a clerk's click tries a broken line again, but not oftener than this
	WaitMs       = 25_000      // long poll
	PollEvery    = 30_000      // where long polls do not get through, unless Rhythm says another
	PollCuts     = 3           // quick failures in a row that mean they do not
	PollAgain    = 60 * 60_000 // and then long polls are tried again
)

// A Lane is one of the two requests that may be under way.
type Lane int

// Main carries edits up and down; Poll waits for news and carries none up.
const (
	Main Lane = iota
	Poll
)

func (l Lane) String() string { return [...]string{"main", "poll"}[l] }

// An Event is something that happened to the machine.
type Event interface{ event() }

// Events.
type (
	// Start: the replica is open. Anchored: this boot's clock has been measured
	// against the hub's.
	Start struct {
		Unsent   int
		Anchored bool
	}
	// Edited: a clerk's action is durable; Unsent ops wait in all.
	Edited struct{ Unsent int }
	// Wake: the time asked for by WakeAt has come.
	Wake struct{}
	// Rhythm: the centre's settings were looked at. PollEvery in ms; Wait: long
	// polls may be used. The hub is told at once where the PC stands.
	Rhythm struct {
		PollEvery int64
		Wait      bool
	}
	// Got: an answer has come and been checked.
	Got struct{ Lane Lane }
	// Saved: the answer is durable in the replica.
	Saved struct {
		Lane Lane
		Outcome
	}
	// Failed: no answer, or one that is not the hub's. RetryAfter in ms, 0 if
	// none was named.
	Failed struct {
		Lane       Lane
		RetryAfter int64
	}
)

// An Outcome is what an answer changed in the replica.
type Outcome struct {
	Unsent   int  // own ops the hub has not answered yet
	Anchored bool // this run of the PC has been measured against the hub
	More     bool // the hub holds entries beyond the answer
	Pulled   int  // entries that were new here
	Refused  int  // own ops that went into quarantine with this answer
	Reset    bool // the hub is another than before: everything is compared anew
	Stuck    bool // the answer was taken up to a point only: the rest is to be asked for otherwise
	Differs  bool // the hub's log adds up to something else: its days are to be asked for
	Rekey    bool // this PC must take another key before it may say anything more
}

func (Start) event()  {}
func (Rhythm) event() {}
func (Edited) event() {}
func (Wake) event()   {}
func (Got) event()    {}
func (Saved) event()  {}
func (Failed) event() {}

// An Action is something to do, in the order given.
type Action interface{ action() }

// Actions.
type (
	// Save the answer in one transaction, before anything else is done.
	Save struct{ Lane Lane }
	// Send a request. Ops: with unsent ops. WaitMs: the hub may hold it so long.
	Send struct {
		Lane   Lane
		Ops    bool
		WaitMs int
	}
	// WakeAt asks for Wake at that time in ms; a later one replaces an earlier.
	WakeAt struct{ Ms int64 }
)

func (Save) action()   {}
func (Send) action()   {}
func (WakeAt) action() {}

// A Machine is one PC's conversation. Its only randomness is the seed it was
// born with.
type Machine struct {
	seed     uint64
	unsent   int
	anchored bool

	busy     bool  // a Main request is under way
	due      bool  // a Main request is wanted
	notFor   int64 // but not before this time
	asked    int64 // the hub asked not to be asked before this time
	fails    uint  // Main failures in a row
	stalls   uint  // Main answers in a row that brought nothing on
	differs  uint  // and that left the replica different from the hub
	rekey    bool  // nothing more is said under this key
	ops      bool  // the last Main request carried ops
	lastMain int64 // when Main was last sent
	dirty    bool  // edited while Main was under way

	rhythm    Rhythm
	polling   bool
	pollCuts  int
	pollOffTo int64 // long polls are off until then
	nextPoll  int64
}

// New makes a machine. seed only spreads the retries of many PCs.
func New(seed uint64) *Machine {
	return &Machine{seed: seed | 1, rhythm: Rhythm{PollEvery, true}}
}

// Step gives what to do about e at now (ms on a clock that never runs back).
func (m *Machine) Step(now int64, e Event) []Action {
	var acts []Action
	switch e := e.(type) {
	case Start:
		m.unsent, m.anchored, m.due = e.Unsent, e.Anchored, true
	case Edited:
		m.edited(now, e)
	case Rhythm:
		m.rhythm, m.due, m.dirty = e, true, m.dirty || m.busy
	case Got:
		return []Action{Save(e)}
	case Saved:
		m.saved(now, e)
	case Failed:
		m.failed(now, e)
	}
	acts = append(acts, m.mainLane(now)...)
	acts = append(acts, m.pollLane(now)...)
	if at, ok := m.wake(now); ok {
		acts = append(acts, WakeAt{at})
	}
	return acts
}

func (m *Machine) edited(now int64, e Edited) {
	m.unsent = e.Unsent
	m.due = m.due || e.Unsent > 0
	m.dirty = m.busy
	soonest := max(now, m.asked)
	if m.fails > 0 {
		soonest = max(soonest, m.lastMain+EagerGap)
	}
	m.notFor = min(m.notFor, soonest)
}

func (m *Machine) saved(now int64, e Saved) {
	more := e.More || m.dirty
	m.rekey = m.rekey || e.Rekey
	stalled := e.Stuck || !more && !e.Reset && e.Unsent > 0 && e.Unsent >= m.unsent && (m.ops || !e.Anchored)
	m.unsent, m.anchored = e.Unsent, e.Anchored
	if e.Lane == Poll {
		m.polling, m.pollCuts = false, 0
		m.due = m.due || e.More || e.Differs || m.unsent > 0
		return
	}
	m.busy, m.dirty, m.fails, m.notFor = false, false, 0, now
	m.due = more || e.Differs || m.unsent > 0
	if !e.Differs {
		m.differs = 0
	} else if m.differs++; m.differs > 1 && !more {
		// It was asked for and did not help: the difference is not of this PC.
		m.notFor = now + m.jitter(FirstBackoff<<min(m.differs, 9))
	}
	if !stalled {
		m.stalls = 0
		return
	}
	// It answers but says nothing of the edits: asking again at once would turn
	// a fault of the hub into a storm.
	m.notFor = now + m.jitter(FirstBackoff<<min(m.stalls, 9))
	m.stalls++
}

func (m *Machine) failed(now int64, e Failed) {
	retry := min(max(e.RetryAfter, 0), MaxRetry)
	if e.Lane == Poll {
		m.polling = false
		m.pollFailed(now, retry)
		return
	}
	m.busy, m.dirty, m.due = false, false, true
	m.notFor = now + retry + m.jitter(FirstBackoff<<min(m.fails, 9))
	m.asked = now + retry
	m.fails++
}

// pollFailed: a poll that is cut before its time, again and again, while Main
// gets through, has met a proxy that does not like to wait.
func (m *Machine) pollFailed(now, retry int64) {
	m.nextPoll = now + retry + m.jitter(FirstBackoff<<min(m.pollCuts, 9))
	m.pollCuts++
	if m.pollCuts >= PollCuts && m.fails == 0 {
		m.pollOffTo, m.pollCuts = now+PollAgain, 0
	}
	if m.fails == 0 {
		// Is it the poll or the line? Main will tell; not at once, or a hub that
		// starts anew meets every PC in the same moment.
		m.due, m.notFor, m.asked = true, max(m.notFor, m.nextPoll), max(m.asked, now+retry)
	}
}

func (m *Machine) mainLane(now int64) []Action {
	if m.pollOff(now) && !m.busy && m.fails == 0 && now >= m.lastMain+m.rhythm.PollEvery {
		m.due = true
	}
	if m.busy || !m.due || m.rekey || now < m.notFor {
		return nil
	}
	m.busy, m.due, m.lastMain = true, false, now
	// Edits are stamped in the hub's time before they are sent, so the first
	// request of a boot only asks for the time.
	m.ops = m.anchored && m.unsent > 0
	return []Action{Send{Lane: Main, Ops: m.ops}}
}

// pollOff says whether news are asked for now and then: long polls are not
// wanted, or do not get through for the time being.
func (m *Machine) pollOff(now int64) bool { return !m.rhythm.Wait || now < m.pollOffTo }

func (m *Machine) pollLane(now int64) []Action {
	if m.polling || m.busy || m.due || m.rekey || m.fails > 0 || m.pollOff(now) || now < m.nextPoll {
		return nil
	}
	m.polling = true
	return []Action{Send{Lane: Poll, WaitMs: WaitMs}}
}

// wake is the next time at which something is to be done that no event brings.
func (m *Machine) wake(now int64) (int64, bool) {
	if m.rekey {
		return 0, false
	}
	var at int64
	sooner := func(t int64) {
		if t > now && (at == 0 || t < at) {
			at = t
		}
	}
	if m.due && !m.busy {
		sooner(m.notFor)
	}
	if !m.polling && !m.busy && m.fails == 0 {
		if m.rhythm.Wait {
			sooner(m.nextPoll)
			sooner(m.pollOffTo)
		}
		if m.pollOff(now) {
			sooner(m.lastMain + m.rhythm.PollEvery)
		}
	}
	return at, at != 0
}

// jitter draws from the whole of 0..limit ("full jitter"), so that thousands of
// offices do not come back together; never less than a twentieth of a second.
func (m *Machine) jitter(limit int64) int64 {
	limit = min(limit, MaxBackoff)
	// xorshift64*: small, seeded, and good enough to spread retries.
	m.seed ^= m.seed >> 12
	m.seed ^= m.seed << 25
	m.seed ^= m.seed >> 27
	r, _ := bits.Mul64(m.seed*0x2545F4914F6CDD1D, uint64(limit))
	return max(int64(r), 50)
}
