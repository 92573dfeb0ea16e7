package bench

import (
	"flag"
	"testing"
	"time"

	"condica/spclep"
)

var written = flag.String("write", "", "the page that BenchmarkOffice writes; its reading at the end is kept")

const (
	records = 10_000
	actions = 500 // in each round
	queued  = 500
)

// BenchmarkOffice measures everything once over and writes the page. Each
// round measures ours and the others' in turn, so that a busy machine is busy
// for all.
func BenchmarkOffice(b *testing.B) {
	bin := b.TempDir()
	m := &measure{B: b, bin: bin, condica: build(b, bin, "condica/cmd/condica"), hub: build(b, bin, "condica/cmd/condica-hub"), bare: build(b, bin, "condica/docs/bench/testdata/bare")}
	m.town = newTown(b, records)
	m.secure, m.plain = m.town.copied(m.hub, false), m.town.copied(m.hub, true)
	m.peer = newPouch(b, m.town.books)
	for _, step := range []struct {
		name string
		do   func(*figures)
	}{
		{"first fill", m.fill}, {"action", m.action}, {"one change", m.one}, {"queue", m.queue}, {"nothing to do", m.nothing}, {"cost", m.cost},
	} {
		began := time.Now()
		step.do(&m.figures)
		b.Logf("%s: %s", step.name, time.Since(began).Round(time.Second))
	}
	b.ReportMetric(median(m.figures.Action.over(m.figures.Bare)), "action/commit")
	b.ReportMetric(median(m.figures.Fill.over(m.figures.PeerFill)), "fill/PouchDB")
	if *written != "" {
		if err := write(*written, b, m.figures); err != nil {
			b.Fatal(err)
		}
	}
}

// measure is what the steps share.
type measure struct {
	*testing.B
	bin, condica, hub, bare string // programs
	town                    *town
	secure, plain           hubside // the same bookings over HTTPS, and over HTTP where bytes and requests are counted
	peer                    *pouch
	figures                 figures
}

// figures are all that was measured. Times are ms, rates are records/s, sizes
// are bytes.
type figures struct {
	Action, Action99, Bare, Bare99 series

	Fill, PeerFill, BareFill                    series // records/s
	FillBytes, FillTLSBytes, PeerFillBytes      series // per record
	FillRequests, PeerFillRequests              series
	One, Two, PeerOne, PeerTwo                  line // a change: of the PC that makes it, of the other
	LiveOne, LiveTwo                            line // the peer, connected all the time
	Durable, Acked, Heard, PeerAcked, PeerHeard series
	Queue, PeerQueue                            line
	QueueMs, PeerQueueMs                        series
	Nothing, PeerNothing, PeerLive              line

	Idle, IdlePeak, BareIdle, Cold, BareCold series
	Agent, Hub, BareSize                     float64
}

// A line is the traffic of each round.
type line struct{ Requests, Bytes series }

func (l *line) add(t traffic) {
	l.Requests.add(float64(t.Requests))
	l.Bytes.add(float64(t.Bytes))
}

// action: a clerk ticks a paper, without a line, beside a bare commit. They
// take turns, so that both meet the same disk.
func (m *measure) action(f *figures) {
	p, _ := m.town.filled(m, m.secure)
	p.close()
	off := m.town.openPC(m, p.dir, "https://127.0.0.1:1")
	defer off.close()
	bare := newBare(m)
	for round := range rounds {
		var ours, theirs series
		for i := range actions {
			b := m.town.books[round*actions+i]
			began := time.Now()
			off.tick(b, "1")
			ours.took(time.Since(began))
			theirs.took(bare.commit())
		}
		f.Action.add(median(ours))
		f.Action99.add(quantile(ours, 0.99))
		f.Bare.add(median(theirs))
		f.Bare99.add(quantile(theirs, 0.99))
	}
}

// fill: a new PC, from enrolment to the last booking saved.
func (m *measure) fill(f *figures) {
	rate := func(d time.Duration) float64 { return records / d.Seconds() }
	for range rounds {
		p, took := m.town.filled(m, m.secure)
		f.Fill.add(rate(took))
		f.FillTLSBytes.add(float64(p.relay.passed().Bytes) / records)
		p.close()

		theirs, took := m.peer.filled(m)
		f.PeerFill.add(rate(took))
		passed := theirs.relay.quiet(m, quietFor)
		f.PeerFillBytes.add(float64(passed.Bytes) / records)
		f.PeerFillRequests.add(float64(passed.Requests))
		theirs.equal(records)
		theirs.end()

		f.BareFill.add(rate(newBare(m).bulk(records)))

		p, _ = m.town.filled(m, m.plain)
		passed = p.relay.passed()
		f.FillBytes.add(float64(passed.Bytes) / records)
		f.FillRequests.add(float64(passed.Requests))
		p.close()
	}
}

// one: a person is checked in at one PC; the hub and a second PC learn of it.
func (m *measure) one(f *figures) {
	ids := m.town.today()[:rounds]
	one, _ := m.town.filled(m, m.plain)
	two, _ := m.town.filled(m, m.plain)
	defer one.close()
	defer two.close()
	for _, id := range ids {
		a, b := one.relay.quiet(m, quietFor), two.relay.quiet(m, quietFor)
		began := time.Now()
		one.checkIn(id)
		f.Durable.took(time.Since(began))
		until(m, "the hub has it", func() bool { return one.unsent() == 0 })
		f.Acked.took(time.Since(began))
		until(m, "the second PC has it", func() bool { return two.state(id) == spclep.StateArrived })
		f.Heard.took(time.Since(began))
		f.One.add(one.relay.quiet(m, quietFor).since(a))
		f.Two.add(two.relay.quiet(m, quietFor).since(b))
	}
	m.peerOne(f, ids)
	m.peerLive(f, m.town.books[:rounds])
}

var arrived = map[string]any{"state": "arrived", "arrived": map[string]any{"by": "Ghișeul 1", "at": "2026-11-23T09:41:00+02:00"}}

// peerOne: the same with one two-way sync at each PC.
func (m *measure) peerOne(f *figures, ids []spclep.BookingID) {
	one, _ := m.peer.filled(m)
	two, _ := m.peer.filled(m)
	one.do("sync", nil) // the first one after a fill compares everything
	two.do("sync", nil)
	for _, id := range ids {
		a, b := one.relay.quiet(m, quietFor), two.relay.quiet(m, quietFor)
		one.do("edit", change(arrived, id))
		one.do("sync", nil)
		two.do("sync", nil)
		f.PeerOne.add(one.relay.quiet(m, quietFor).since(a))
		f.PeerTwo.add(two.relay.quiet(m, quietFor).since(b))
	}
	two.equal(records)
	one.end()
	two.end()
}

// peerLive: the same with both PCs connected all the time, for the time it takes.
func (m *measure) peerLive(f *figures, books []booking) {
	one, _ := m.peer.filled(m)
	two, _ := m.peer.filled(m)
	one.do("live", nil)
	two.do("live", nil)
	for _, b := range books {
		was, other := one.relay.quiet(m, quietFor), two.relay.quiet(m, quietFor)
		pushed := one.do("push", change(arrived, b.ID))
		f.PeerAcked.add(pushed.MS)
		f.PeerHeard.add(two.do("heard", change(nil, b.ID)).At - pushed.At)
		f.LiveOne.add(one.relay.quiet(m, quietFor).since(was))
		f.LiveTwo.add(two.relay.quiet(m, quietFor).since(other))
	}
	two.equal(records)
	one.end()
	two.end()
}

// queue: a morning's actions go up when the line is back.
func (m *measure) queue(f *figures) {
	p, _ := m.town.filled(m, m.plain)
	theirs, _ := m.peer.filled(m)
	theirs.do("sync", nil)
	for round := range rounds {
		books := m.town.books[(round+1)*queued:][:queued]
		p.close()
		off := m.town.openPC(m, p.dir, "http://127.0.0.1:1")
		for _, b := range books {
			off.tick(b, "1")
		}
		if n := off.unsent(); n != queued {
			m.Fatalf("%d actions wait, want %d", n, queued)
		}
		off.close()
		was, began := p.relay.passed(), time.Now()
		on := m.town.openPC(m, p.dir, "")
		until(m, "the outbox is empty", func() bool { return on.unsent() == 0 })
		f.QueueMs.took(time.Since(began))
		f.Queue.add(p.relay.passed().since(was))
		p.agent = on.agent

		ids := make([]spclep.BookingID, len(books))
		for i, b := range books {
			ids[i] = b.ID
		}
		theirs.do("edit", change(map[string]any{"paper.1": map[string]any{"o": 1, "c": 1, "by": "Ghișeul 1", "at": "2026-11-23T09:41:00+02:00"}}, ids...))
		was = theirs.relay.quiet(m, quietFor)
		f.PeerQueueMs.add(theirs.do("sync", nil).MS)
		f.PeerQueue.add(theirs.relay.quiet(m, quietFor).since(was))
	}
	theirs.equal(records)
	theirs.end()
	p.close()
}

// nothing: what goes over the line while nobody does anything. Ours: one round
// of the long poll, 25 s. The peer: the same time connected, and one two-way
// sync.
func (m *measure) nothing(f *figures) {
	var ours [rounds]*pc
	var theirs [rounds]*pouchPC
	for i := range rounds {
		ours[i], _ = m.town.filled(m, m.plain)
		theirs[i], _ = m.peer.filled(m)
		theirs[i].do("sync", nil)
		was := theirs[i].relay.quiet(m, quietFor)
		theirs[i].do("sync", nil)
		f.PeerNothing.add(theirs[i].relay.quiet(m, quietFor).since(was))
		theirs[i].do("live", nil)
	}
	var live [rounds]traffic
	for i := range rounds {
		live[i] = theirs[i].relay.passed()
	}
	began := time.Now()
	for _, round := range m.pollRounds(ours[:]) {
		f.Nothing.add(round)
	}
	time.Sleep(25*time.Second - time.Since(began)) // the peer is watched for as long as one of our rounds lasts, or a little longer
	scale := 25 / time.Since(began).Seconds()
	for i := range rounds {
		passed := theirs[i].relay.passed().since(live[i])
		f.PeerLive.Requests.add(float64(passed.Requests) * scale)
		f.PeerLive.Bytes.add(float64(passed.Bytes) * scale)
	}
	// That little passed must not mean that the line was dead.
	id := m.town.books[records-1].ID
	theirs[0].do("push", change(arrived, id))
	for i := range rounds {
		if i > 0 {
			theirs[i].do("heard", change(nil, id))
		}
		theirs[i].end()
		ours[i].close()
	}
}

// pollRounds gives what passes at each PC from the moment a poll has been
// asked to the moment the next one has.
func (m *measure) pollRounds(pcs []*pc) []traffic {
	marks := make([][]traffic, len(pcs))
	last := make([]traffic, len(pcs))
	for i, p := range pcs {
		last[i] = p.relay.passed()
	}
	until(m, "a whole round of every poll", func() bool {
		done := true
		for i, p := range pcs {
			if now := p.relay.passed(); now.Requests > last[i].Requests {
				last[i] = now
				marks[i] = append(marks[i], now)
			}
			done = done && len(marks[i]) >= 2
		}
		return done
	})
	out := make([]traffic, len(pcs))
	for i, at := range marks {
		out[i] = at[1].since(at[0])
	}
	return out
}

// cost: what the agent takes of an old PC, beside a program that only has the
// same four libraries.
func (m *measure) cost(f *figures) {
	f.Agent, f.Hub, f.BareSize = size(m, m.condica), size(m, m.hub), size(m, m.bare)
	p, _ := m.town.filled(m, m.plain)
	p.close()
	for range rounds {
		was := p.relay.passed()
		a := start(m, m.bin, m.condica, "run", "--data", p.dir, "--listen", "127.0.0.1:0", "--now", m.town.clock().Format(time.RFC3339), "--json")
		f.Cold.took(a.took)
		until(m, "the agent waits for news", func() bool { return p.relay.passed().Requests >= was.Requests+2 })
		p.relay.quiet(m, 5*time.Second)
		f.Idle.add(a.status("VmRSS"))
		f.IdlePeak.add(a.status("VmHWM"))
		a.end()

		b := start(m, m.bin, m.bare)
		f.BareCold.took(b.took)
		f.BareIdle.add(b.status("VmRSS"))
		b.end()
	}
}
