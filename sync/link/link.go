package link

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"condica/sync/hlc"
	"condica/sync/peer"
	"condica/sync/wire"
)

// A Replica is what the link needs of localdb.DB.
type Replica interface {
	Where(ctx context.Context) (wire.Request, error)
	Outbox(ctx context.Context, max, maxBytes int) ([][]byte, error)
	Complete(ctx context.Context, r *wire.Request, maxBytes int) error
	Clashed(ctx context.Context) (bool, error)
	Scrub(ctx context.Context, budget int) error
	Save(ctx context.Context, a wire.Answer, sent, received hlc.Reading, main bool) (peer.Outcome, error)
	Unsent(ctx context.Context) (unsent int, anchored bool, err error)
	Counter(ctx context.Context, atLeast uint64) (uint64, error)
	Tidy(ctx context.Context) error

	// What is carried as a file where there is no line.
	Carry(ctx context.Context, max, maxBytes int) (ops [][]byte, untimed, left int, err error)
	SaveCarried(ctx context.Context, a wire.Answer) (out peer.Outcome, stale bool, err error)
	Keys(ctx context.Context) ([]wire.QRKey, error)
}

// Config of a Link.
type Config struct {
	Hub    string // https://host:port
	Pin    string // of the hub's CA; empty: the system's CAs
	Key    ed25519.PrivateKey
	Now    func() hlc.Reading
	Times  func() []time.Time // moments it may be now, for TLS
	Health func() json.RawMessage
	Seed   uint64 // spreads the retries of many PCs
	Log    *slog.Logger

	// Settings says with each request which settings this PC has; nil: it takes
	// none. Answered is called with each answer once it is saved; may be nil.
	Settings func(context.Context) (wire.SettingsAt, error)
	Answered func(wire.Answer)

	// With Cert, the hub's certificate of the enrolment, the PC comes back by
	// itself to a hub that does not know it any more. Returned is told what the
	// hub then said; the desk's number may be another. Both may be left out.
	Cert     string
	Name     string // of this PC, for that hub
	Returned func(wire.Enrolled)

	Fault func(error) // is told when the replica could not be read or written; may be nil
}

// ErrRetired: another machine uses this PC's key, too, or the PC has had another
// one since. Nothing may be said under it any more.
var ErrRetired = errors.New("this PC's key may not be used any more; it needs a new one")

// A Status is what the desk's calm line says about the hub.
type Status struct {
	Reached bool   // the last exchange succeeded
	SinceMs int64  // when that began or ended, by the PC's running time (hlc.Reading.Up)
	Kind    string // of the failure: Unreachable, Captive, ...
	Say     string // the failure as a sentence
	Turned  bool   // the hub knows this PC no more
}

// A Link runs one PC's conversation with the hub.
type Link struct {
	cfg     Config
	replica Replica
	client  *client
	bell    chan struct{}
	rhythm  chan peer.Rhythm // the last one asked for
	results chan result
	tuning  tuning        // of the Main lane; touched by the loop only
	retired bool          // so is this: the conversation is at its end
	cert    string        // touched by the Main request under way only
	pause   time.Duration // before the conversation begins anew

	mu     sync.Mutex
	status Status

	looking sync.Mutex // the replica is being looked through
	restTo  int64      // and not again before this time (Up)
}

// result is an exchange that has ended.
type result struct {
	lane           peer.Lane
	answer         wire.Answer
	sent, received hlc.Reading
	err            error
}

// New makes a link; Run starts it.
func New(cfg Config, replica Replica) (*Link, error) {
	c, err := newClient(cfg.Hub, cfg.Pin, cfg.Key, cfg.Times)
	if err != nil {
		return nil, err
	}
	return &Link{
		cfg: cfg, replica: replica, client: c,
		bell: make(chan struct{}, 1), rhythm: make(chan peer.Rhythm, 1), results: make(chan result, 2),
		tuning: tuning{entries: wire.MaxPull, bytes: maxOutbox}, pause: restartPause, cert: cfg.Cert,
		status: Status{SinceMs: cfg.Now().Up, Say: "the hub has not been asked yet", Kind: Unreachable},
	}, nil
}

// Ring tells the link that a clerk has written something. It carries no data
// and never blocks.
func (l *Link) Ring() {
	select {
	case l.bell <- struct{}{}:
	default:
	}
}

// SetRhythm changes how often the hub is asked, and tells it at once where this
// PC stands. It never blocks; of several the last counts.
func (l *Link) SetRhythm(r peer.Rhythm) {
	for {
		select {
		case l.rhythm <- r:
			return
		default:
		}
		select {
		case <-l.rhythm:
		default:
		}
	}
}

// Status is safe to call at any time.
func (l *Link) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.status
}

// Run talks to the hub until ctx ends. Everything that has to outlive it is in
// the replica, so it may be stopped at any point - and begins anew by itself
// when the replica could not be read for a moment: a line never ends for good.
// Only ErrRetired ends it, and is then what it gives: another Link with another
// key has to go on.
func (l *Link) Run(ctx context.Context) error {
	for {
		err := l.converse(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.Is(err, ErrRetired) {
			l.note(false, &Error{Kind: Retired, Err: err})
			return err
		}
		l.fault(err)
		l.note(false, &Error{Kind: Local, Err: err})
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(l.pause):
		}
	}
}

// converse drives one machine until ctx ends, the replica cannot be read or the
// key is out of use.
func (l *Link) converse(ctx context.Context) error {
	clash, err := l.replica.Clashed(ctx)
	if err != nil {
		return fmt.Errorf("start the link: %w", err)
	}
	if clash {
		return ErrRetired
	}
	counter, err := l.replica.Counter(ctx, 0)
	if err != nil {
		return fmt.Errorf("start the link: %w", err)
	}
	raise(l.client.counter, counter)
	unsent, anchored, err := l.replica.Unsent(ctx)
	if err != nil {
		return fmt.Errorf("start the link: %w", err)
	}
	for len(l.results) > 0 {
		<-l.results // of a machine that is no more
	}
	m := peer.New(l.cfg.Seed)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var asking sync.WaitGroup
	defer asking.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	step := func(e peer.Event) { l.do(ctx, m, timer, &asking, e) }
	step(peer.Start{Unsent: unsent, Anchored: anchored})
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
			step(peer.Wake{})
		case <-l.bell:
			unsent, _, err := l.replica.Unsent(ctx)
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return fmt.Errorf("count the outbox: %w", err)
			}
			step(peer.Edited{Unsent: unsent})
		case r := <-l.rhythm:
			step(r)
		case r := <-l.results:
			if step(l.heard(ctx, m, r)); l.retired {
				return ErrRetired
			}
		}
	}
}

// heard turns a result into the event the machine is told: the answer is
// saved before anything else happens.
func (l *Link) heard(ctx context.Context, m *peer.Machine, r result) peer.Event {
	if r.err == nil {
		for _, a := range m.Step(l.cfg.Now().Up, peer.Got{Lane: r.lane}) {
			if _, ok := a.(peer.Save); !ok {
				continue
			}
			saved, err := l.replica.Save(ctx, r.answer, r.sent, r.received, r.lane == peer.Main)
			if err != nil {
				r.err = &Error{Kind: Local, Err: fmt.Errorf("save the hub's answer: %w", err)}
				break
			}
			l.saved(ctx, r.lane, saved)
			if l.cfg.Answered != nil {
				l.cfg.Answered(r.answer)
			}
			return peer.Saved{Lane: r.lane, Outcome: saved}
		}
	}
	var e *Error
	if !errors.As(r.err, &e) {
		e = &Error{Kind: Local, Err: r.err} // the request could not be made
	}
	if e.Kind == Local && ctx.Err() == nil {
		l.fault(e)
	}
	l.retired = l.retired || e.Code == codeRetired
	if r.lane == peer.Main && ctx.Err() == nil {
		l.tuning.slower()
		l.note(false, e)
	}
	return peer.Failed{Lane: r.lane, RetryAfter: e.RetryAfter.Milliseconds()}
}

func (l *Link) fault(err error) {
	if l.cfg.Fault != nil {
		l.cfg.Fault(err)
	}
}

func (l *Link) saved(ctx context.Context, lane peer.Lane, s peer.Outcome) {
	if lane == peer.Main {
		l.tuning.faster()
	}
	l.note(true, nil)
	l.retired = l.retired || s.Rekey
	l.settle(ctx, s)
}

// settle tells of what an answer has done to the replica, however it came.
func (l *Link) settle(ctx context.Context, s peer.Outcome) {
	if s.Reset {
		l.cfg.Log.Warn("the hub was restored or replaced; everything is compared anew")
	}
	if s.Refused > 0 {
		l.cfg.Log.Warn("the hub refused edits; they are kept in quarantine", "count", s.Refused)
	}
	if s.Unsent == 0 {
		if err := l.replica.Tidy(ctx); err != nil {
			l.cfg.Log.Warn("the journal could not be tidied", "error", err)
		}
	}
}

// note keeps the status; only a change is logged, or weeks without a line would
// fill the disk.
func (l *Link) note(reached bool, e *Error) {
	now := l.cfg.Now().Up
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.status
	s := Status{Reached: reached, SinceMs: now}
	if e != nil {
		s.Kind, s.Say, s.Turned = e.Kind, e.Error(), e.Kind == Turned
	}
	if was.Reached == reached && (was.Reached || was.Kind == s.Kind) {
		s.SinceMs = was.SinceMs
	} else if reached {
		l.cfg.Log.Info("the hub is reached")
	} else {
		l.cfg.Log.Info("the hub is not reached", "kind", s.Kind, "error", s.Say)
	}
	l.status = s
}

// do takes one step of the machine and does what it says, in order.
func (l *Link) do(ctx context.Context, m *peer.Machine, timer *time.Timer, asking *sync.WaitGroup, e peer.Event) {
	now := l.cfg.Now().Up
	for _, a := range m.Step(now, e) {
		switch a := a.(type) {
		case peer.WakeAt:
			timer.Reset(time.Duration(a.Ms-now) * time.Millisecond)
		case peer.Send:
			tune := l.tuning
			asking.Add(1)
			go func() {
				defer asking.Done()
				r := l.exchange(ctx, a, tune)
				select {
				case l.results <- r:
				case <-ctx.Done():
				}
			}()
		}
	}
}

// exchange makes one round trip.
func (l *Link) exchange(ctx context.Context, s peer.Send, tune tuning) result {
	r := result{lane: s.Lane}
	req, err := l.request(ctx, s, tune)
	if err != nil {
		r.err = err
		return r
	}
	timeout := mainTimeout
	if s.Lane == peer.Poll {
		timeout = pollTimeout
	}
	r.sent = l.cfg.Now()
	req.SetClock(r.sent)
	body, err := l.client.post(ctx, "/v1/sync", timeout, true, req)
	if s.Lane == peer.Main && l.cert != "" && codeOf(err) == codeUnknown {
		if err = l.comeBack(ctx); err == nil {
			r.sent = l.cfg.Now()
			req.SetClock(r.sent)
			body, err = l.client.post(ctx, "/v1/sync", timeout, true, req)
		}
	}
	r.received = l.cfg.Now()
	if err != nil {
		r.err = err
		return r
	}
	if r.answer, err = wire.DecodeAnswer(body); err != nil {
		r.err = &Error{Kind: HubFault, Err: err}
	}
	return r
}

const (
	// scrubBudget is how many ops are read again before a request: a replica of
	// years is looked through in an hour.
	scrubBudget = 5000

	scrubQuick = 50 // ms that a look may always take
	scrubRest  = 20 // and where it takes longer, the next one waits so many times that
)

// scrub has the replica looked through. On an old PC that takes its time, and
// each clerk's click brings a request: then it is done now and then only.
func (l *Link) scrub(ctx context.Context) error {
	l.looking.Lock()
	defer l.looking.Unlock()
	begin := l.cfg.Now().Up
	if begin < l.restTo {
		return nil
	}
	err := l.replica.Scrub(ctx, scrubBudget)
	end := l.cfg.Now().Up
	l.restTo = end + scrubRest*max(0, end-begin-scrubQuick)
	return err
}

// stand begins a request with where this PC stands.
func (l *Link) stand(ctx context.Context) (wire.Request, error) {
	if err := l.scrub(ctx); err != nil {
		return wire.Request{}, err
	}
	req, err := l.replica.Where(ctx)
	if err != nil || l.cfg.Settings == nil {
		return req, err
	}
	at, err := l.cfg.Settings(ctx)
	req.Settings = &at
	return req, err
}

func (l *Link) request(ctx context.Context, s peer.Send, tune tuning) (wire.Request, error) {
	req, err := l.stand(ctx)
	if err != nil {
		return req, err
	}
	req.WaitMs, req.Limit = s.WaitMs, tune.entries
	if l.cfg.Health != nil && s.Lane == peer.Main {
		req.Health = l.cfg.Health()
	}
	if _, err := l.replica.Counter(ctx, l.client.counter.Load()); err != nil {
		return req, err
	}
	if s.Ops {
		if err := l.load(ctx, &req, tune.bytes); err != nil {
			return req, err
		}
	}
	if s.Lane == peer.Main {
		err = l.replica.Complete(ctx, &req, tune.bytes)
	}
	return req, err
}

// load puts into a request what waits to be sent.
func (l *Link) load(ctx context.Context, req *wire.Request, most int) error {
	ops, err := l.replica.Outbox(ctx, wire.MaxOps, most)
	if err != nil {
		return err
	}
	return l.put(req, ops)
}

// held moves on over the ops that ride in the same request: the hub compares
// them before it answers.
func held(own uint64, s wire.Segment) (uint64, error) {
	first, err := wire.DecodeOp(s.Device, s.Ops[0])
	if err != nil {
		return own, err
	}
	last, err := wire.DecodeOp(s.Device, s.Ops[len(s.Ops)-1])
	if err != nil || first.ID.Seq != own+1 {
		return own, err
	}
	return last.ID.Seq, nil
}

// restartPause lets a disk that is busy or full come to itself.
const restartPause = 5 * time.Second

// tuning is how much one exchange carries: halved when exchanges fail, so that
// a line that breaks every few seconds still makes progress.
type tuning struct{ entries, bytes int }

const (
	maxOutbox  = 256 << 10
	minOutbox  = 4 << 10
	minEntries = 50
)

func (t *tuning) slower() {
	t.entries, t.bytes = max(t.entries/2, minEntries), max(t.bytes/2, minOutbox)
}

func (t *tuning) faster() {
	t.entries, t.bytes = min(t.entries*2, wire.MaxPull), min(t.bytes*2, maxOutbox)
}
