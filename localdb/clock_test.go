package localdb_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"condica/hub"
	"condica/hub/store/memory"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// A clockStory is a morning of two PCs of one office, A and B, that write the
// note of one booking and check its holder in, apart from each other. Steps
// stand between semicolons, in the order in which they truly happen:
//
//	A writes          the note, knowing what A shows, and a check-in beside it
//	A wall 2009       somebody, or a dead battery, sets A's clock; also right, +3h, -90m
//	A off; A on       the PC is switched off and on; its clock ran on meanwhile
//	A on 2009         ... or came back so
//	A drifts 100      A's quartz runs fast by so many millionths, from its next start
//	A told -1d        a clerk types the time, off by a day
//	A asks            one round trip, which asks but brings nothing: then the line is gone
//	A syncs           talks to the hub until there is nothing more to say
//	20m               time passes; a PC that sleeps is one that does nothing
//
// At the end the line is back and all talk. The edit that was truly the last
// counts then, on both PCs and the hub, unless nobody could know the order.
type clockStory struct {
	name    string
	steps   string
	within  time.Duration // each edit's time ends up so close to the truth; 0: only the order counts
	unknown bool          // no system could know the order: all must agree, and show what lost
}

// clockStories is the table of docs/clocks.md.
var clockStories = []clockStory{
	{name: "right clocks", steps: `A syncs; B syncs; 1h; A writes; 20m; B writes`, within: time.Second},
	{name: "dead battery, the clock stands at 1970", steps: `A wall 1970; A syncs; B syncs; 1h; B writes; 20m; A writes`, within: time.Second},
	{name: "dead battery, the clock stands at 2009", steps: `A wall 2009; A syncs; B syncs; 1h; B writes; 20m; A writes`, within: time.Second},
	{name: "dead battery, the clock stands at 2060", steps: `A wall 2060; A syncs; B syncs; 1h; A writes; 20m; B writes`, within: time.Second},
	{name: "one PC in 2060, the other in 1970", steps: `A wall 2060; B wall 1970; A syncs; B syncs; 1h; A writes; 20m; B writes`, within: time.Second},
	{name: "two PCs five and three hours off", steps: `A wall +5h; B wall -3h; A syncs; B syncs; 1h; A writes; 20m; B writes; 20m; A writes; 5s; B writes`, within: time.Second},
	{name: "the clock jumps to 2060 in the outage", steps: `A syncs; B syncs; 1h; A wall 2060; A writes; 20m; B writes`, within: time.Second},
	{name: "the clock falls back to 2009 in the outage", steps: `A syncs; B syncs; 1h; B writes; 5m; A wall 2009; A writes`, within: time.Second},
	{name: "the clock is set right in the outage", steps: `A wall 2060; A syncs; B syncs; 1h; A writes; 10m; A wall right; B writes; 10m; A writes; 10m; B writes`, within: time.Second},
	{name: "the PC sleeps through the night", steps: `A syncs; B syncs; 1h; A writes; 14h; B writes; 10m; A writes`, within: time.Second},
	{name: "the PC wakes up with a wrong clock", steps: `A syncs; B syncs; 1h; 14h; A wall 2009; B writes; 10m; A writes`, within: time.Second},
	{name: "written in the outage, then switched off and on", steps: `A syncs; B syncs; 1h; A writes; 10m; B writes; 10m; A off; 5m; A on`, within: time.Second},
	{name: "written in the outage, then the battery died at the reboot", steps: `A syncs; B syncs; 1h; B writes; 10m; A writes; 10m; A off; 5m; A on 2009`, within: time.Second},
	{name: "written after the reboot, with a dead clock", steps: `A syncs; B syncs; 1h; A off; 5m; A on 2009; 10m; B writes; 10m; A writes`, within: time.Second},
	{name: "written before and after the reboot", steps: `A syncs; B syncs; 1h; A writes; 5m; B writes; A off; 5m; A on 2060; 5m; A writes; 5m; B writes`, within: time.Second},
	{name: "the service restarts and the PC does not", steps: `A wall 2009; A syncs; B syncs; 1h; B writes; 5m; A writes; A restarts; 5m; B writes; 5m; A writes`, within: time.Second},
	{name: "several reboots, the clock right", steps: `A syncs; B syncs; 1h; A off; 5m; A on; 1h; A writes; 10m; B writes; 5m; A off; 1h; A on`, within: time.Second},
	{name: "several reboots, the clock off by the same hours", steps: `A wall -3h; A syncs; B syncs; 1h; A off; 5m; A on; 1h; B writes; 10m; A writes; 5m; A off; 1h; A on`, within: time.Second},
	{name: "several reboots, the clock right until the battery died at the last one", steps: `A syncs; B syncs; 1h; A off; 5m; A on; 1h; A writes; 5m; A off; 10m; B writes; 1h; A on 2009`},
	{name: "several reboots, and a wrong clock at the last one", steps: `A syncs; B syncs; 1h; B writes; 20m; A off; 5m; A on; 1h; A writes; 5m; A off; 1h; A on 2009; 10m; A writes`},
	{name: "a run with a dead clock, written before the last contact of the other", steps: `A syncs; B syncs; B writes; 1h; A syncs; 1m; A off; 1m; A on 2009; 5m; A writes; 5m; A off; 10m; A on right`},
	{name: "a run with a clock in 2060, and the other wrote after the next start", steps: `A syncs; B syncs; 1h; A off; 5m; A on 2060; 10m; A writes; 5m; A off; 5m; A on right; 30m; B writes`},
	{name: "a run with a dead clock, but it had run for hours before the edit", steps: `A syncs; B syncs; 1m; A off; 1m; A on 2009; 2h; B writes; 1h; A writes; 5m; A off; 5m; A on right`},
	{name: "a run with a clock in 2060, but the one after it ran for hours", steps: `A syncs; B syncs; 1h; A off; 5m; A on 2060; 10m; A writes; 5m; A off; 5m; A on right; 20m; B writes; 2h; A writes; 5m; B writes; A off; 5m; A on right`},
	{name: "a run with a clock in 2060, and a contact too short to send", steps: `A syncs; B syncs; 1h; A off; 5m; A on 2060; 10m; A writes; 5m; A off; 5m; A on right; A asks; 10m; A writes; 10m; B writes; 1h; A off; 5m; A on`},
	{name: "a run with a clock in 2060, a contact too short to send, and no edit after it", steps: `A syncs; B syncs; 1h; A off; 5m; A on 2060; 10m; A writes; 5m; A off; 5m; A on right; A asks; 10m; B writes; 1h; A off; 5m; A on`},
	{name: "a clerk typed yesterday's date", steps: `A syncs; B syncs; 20m; B writes; 40m; A syncs; 1m; A off; 1m; A on 2009; A told -1d; 5m; A writes; 5m; A off; 10m; A on right`},
	{name: "a run with a dead clock, longer than one request", steps: `A syncs; B syncs; 1h; A off; 5m; A on 2060; A writes; 16m; B writes; 4m; A writes; 10m; A off; 1m; A on right; 5m; A writes`},
	{name: "forty days without a line, edits a quarter of an hour apart", steps: `A drifts 100; A off; A on; B drifts -100; B off; B on; A syncs; B syncs; 24h; A writes; 15m; B writes; 936h; A writes; 15m; B writes`, within: 350 * time.Second},
	{name: "forty days without a line, edits two minutes apart, on both sides of a new measure", steps: `A drifts 100; A off; A on; B drifts -100; B off; B on; A syncs; B syncs; 936h; A syncs; B syncs; 1h; A writes; 2m; B writes; 24h`, within: 20 * time.Second},

	{name: "both rebooted twice with dead batteries", steps: `A syncs; B syncs; 1h; A off; B off; 5m; A on 2009; B on 2009; 1h; B writes; 20m; A writes; 5m; A off; B off; 1h; A on 2009; B on 2009`, unknown: true},
	{name: "a short run with a dead clock, and the other wrote within the gap", steps: `A syncs; B syncs; 1h; A off; 5m; A on 2009; 2m; A writes; 2m; A off; 1h; B writes; 2h; A on 2009`, unknown: true},
	{name: "a run with a wrong clock that was set right before the contact", steps: `A syncs; B syncs; 1h; A off; 3h; A on -3h; 10m; B writes; 10m; A writes; 10m; A off; 3h; A on right`, unknown: true},
	{name: "a clerk typed a wrong hour that could be", steps: `A syncs; B syncs; 6h; A off; 5m; A on 2009; A told -4h; 10m; B writes; 10m; A writes; 5m; A off; 5m; A on 2009`, unknown: true},
	{name: "forty days without a line, edits two minutes apart", steps: `A drifts 100; A off; A on; B drifts -100; B off; B on; A syncs; B syncs; 24h; A writes; 2m; B writes; 936h`, unknown: true},
	{name: "edits closer than the line can measure", steps: `A syncs; B syncs; 1h; A writes; 1ms; B writes`, unknown: true},
}

// Every story is told four times: whichever PC's key is the lower, whichever
// reaches the hub first, with requests of many edits and of one.
func TestClocks(t *testing.T) {
	for _, s := range clockStories {
		t.Run(s.name, func(t *testing.T) {
			for run := 0; run < 4 && !t.Failed(); run++ {
				st := newStreet(t, run&1 == 1)
				st.batch = []int{100, 1}[run>>1^run&1]
				st.tell(s, run>>1 == 1)
			}
		})
	}
}

// docs/clocks.md names each story of the table, and no other.
func TestClocksAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/clocks.md")
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z][^|]*) \|`).FindAllStringSubmatch(string(text), -1) {
		told = append(told, m[1])
	}
	var played []string
	for _, s := range clockStories {
		played = append(played, s.name)
	}
	slices.Sort(told)
	slices.Sort(played)
	if !slices.Equal(told, played) {
		t.Errorf("docs/clocks.md tells\n%s\nand the tests play\n%s", strings.Join(told, "\n"), strings.Join(played, "\n"))
	}
}

const theBooking = spclep.BookingID("7F3KQRST")

// A street is one office: two PCs, the hub, and the true time, which is the
// hub's.
type street struct {
	t     testing.TB
	now   float64 // ms
	hub   *hub.Server
	a, b  *clockPC
	batch int // edits in one request
	told  []edit
}

// An edit is what truly happened.
type edit struct {
	pc    *clockPC
	value string
	at    float64
	id    op.ID
}

// A clockPC is a PC with clocks of its own and a real replica.
type clockPC struct {
	s       *street
	name    string
	key     ed25519.PrivateKey
	dir     string
	db      *localdb.DB
	wallOff float64 // ms that its clock is ahead at its last setting
	setAt   float64
	onAt    float64
	rate    float64 // of its quartz; 1 is right
	drift   float64 // of rate, from the next start
	boot    int
	counter uint64
}

func newStreet(t testing.TB, swapped bool) *street {
	t.Helper()
	s := &street{t: t, now: 1_795_262_400_000}
	ref, err := spclep.Builtin()
	s.must(err)
	s.hub, err = hub.New(context.Background(), hub.Config{
		Store: memory.New(), Reference: ref, Random: rand.NewChaCha8([32]byte{7}), Now: func() int64 { return int64(s.now) },
	})
	s.must(err)
	t.Cleanup(s.hub.Close)
	low, high := clockKey(1), clockKey(2)
	if bytes.Compare(deviceOf(low), deviceOf(high)) > 0 != swapped {
		low, high = high, low
	}
	s.a, s.b = s.newPC("A", low), s.newPC("B", high)
	return s
}

func clockKey(n byte) ed25519.PrivateKey {
	sum := sha256.Sum256([]byte{n})
	return ed25519.NewKeyFromSeed(sum[:])
}

func deviceOf(key ed25519.PrivateKey) []byte {
	d := wire.DeviceOf(key.Public().(ed25519.PublicKey))
	return d[:]
}

func (s *street) newPC(name string, key ed25519.PrivateKey) *clockPC {
	s.t.Helper()
	p := &clockPC{s: s, name: name, key: key, dir: folder(s.t), onAt: s.now - 600_000, setAt: s.now - 600_000, rate: 1, drift: 1}
	token, err := s.hub.NewToken(s.t.Context(), "covasna", time.Hour, "https://hub.example.ro", "")
	s.must(err)
	e, err := s.hub.Enroll(s.t.Context(), wire.Enroll{V: wire.Version, Secret: token.Secret, Pub: key.Public().(ed25519.PublicKey), Name: name})
	s.must(err)
	p.open()
	s.must(p.db.SetOffice(s.t.Context(), e))
	return p
}

// folder is a data folder; in memory where the system has such a place, since
// thousands are opened and each syncs many times.
func folder(t testing.TB) string {
	t.Helper()
	root := "/dev/shm"
	if _, err := os.Stat(root); err != nil {
		root = ""
	}
	dir, err := os.MkdirTemp(root, "condica-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func (s *street) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (p *clockPC) open() {
	p.s.t.Helper()
	db, report, err := localdb.Open(context.Background(), p.dir, localdb.Options{Device: hlc.Device(deviceOf(p.key)), Now: p.reading})
	p.s.must(err)
	if len(report) > 0 {
		p.s.t.Fatalf("%s was mended: %v", p.name, report)
	}
	p.db = db
	p.s.t.Cleanup(func() { db.Close() })
}

func (p *clockPC) reading() hlc.Reading {
	return hlc.Reading{
		Wall: int64(p.setAt + p.wallOff + (p.s.now-p.setAt)*p.rate),
		Boot: fmt.Sprintf("%s%d", p.name, p.boot),
		Up:   10 + int64((p.s.now-p.onAt)*p.rate),
	}
}

// tell plays a story and looks at its end.
func (s *street) tell(c clockStory, bFirst bool) {
	s.t.Helper()
	for step := range strings.SplitSeq(c.steps, ";") {
		s.step(strings.Fields(step))
	}
	s.now += 60_000
	order := []*clockPC{s.a, s.b}
	if bFirst {
		slices.Reverse(order)
	}
	for _, p := range append(order, order...) {
		p.syncs()
	}
	s.look(c)
}

func (s *street) step(words []string) {
	s.t.Helper()
	if d, err := time.ParseDuration(words[0]); err == nil {
		s.now += float64(d) / float64(time.Millisecond)
		return
	}
	p := map[string]*clockPC{"A": s.a, "B": s.b}[words[0]]
	switch what := strings.Join(words[1:], " ") + " "; words[1] {
	case "writes":
		p.writes()
	case "wall":
		p.setWall(words[2])
	case "off":
		s.must(p.db.Close())
	case "on":
		p.boot, p.onAt = p.boot+1, s.now
		if words = words[2:]; len(words) > 0 {
			p.setWall(words[0])
		}
		p.setAt, p.wallOff, p.rate = s.now, p.ahead(), p.drift
		p.open()
	case "restarts":
		s.must(p.db.Close())
		p.open()
	case "drifts":
		var ppm float64
		_, err := fmt.Sscan(words[2], &ppm)
		s.must(err)
		p.drift = 1 + ppm/1e6
	case "told":
		s.must(p.db.SetNow(s.t.Context(), int64(s.now)+span(s.t, words[2])))
	case "asks":
		p.exchange(false)
	case "syncs":
		p.syncs()
	default:
		s.t.Fatalf("step %q: nobody knows what that is", what)
	}
}

// ahead is how far the PC's clock is ahead of the truth now, in ms.
func (p *clockPC) ahead() float64 { return p.wallOff + (p.s.now-p.setAt)*(p.rate-1) }

func (p *clockPC) setWall(to string) {
	p.s.t.Helper()
	off := 0.0
	if year, err := time.Parse("2006", to); err == nil {
		off = float64(year.UnixMilli()) - p.s.now
	} else if to != "right" {
		off = float64(span(p.s.t, to))
	}
	p.setAt, p.wallOff = p.s.now, off
}

// span reads +3h, -90m or -1d as ms.
func span(t testing.TB, text string) int64 {
	t.Helper()
	if days, ok := strings.CutSuffix(text, "d"); ok {
		var n int64
		if _, err := fmt.Sscan(days, &n); err != nil {
			t.Fatal(err)
		}
		return n * 24 * time.Hour.Milliseconds()
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d.Milliseconds()
}

// writes is one action of a clerk: the note, on top of what this PC shows, and
// a check-in.
func (p *clockPC) writes() {
	p.s.t.Helper()
	e := edit{pc: p, value: fmt.Sprintf("%s%d", p.name, len(p.s.told)+1), at: p.s.now}
	r, err := p.db.Edit(p.s.t.Context(), "", "clerk at "+p.name, theBooking, func(b record.Booking, _ localdb.Place) ([]op.Draft, error) {
		v, err := json.Marshal(e.value)
		return []op.Draft{
			{Cell: record.Cell(theBooking, spclep.FieldNote), Value: v, Base: b.Heads(spclep.FieldNote)},
			{Cell: record.Cell(theBooking, spclep.Arrived), Fact: true, Value: []byte(`{}`)},
		}, err
	})
	p.s.must(err)
	e.id = r.Action
	p.s.told = append(p.s.told, e)
}

// exchange is one round trip of 40 ms, with the hub's real handler at its end.
// As link does, a PC that has not been measured since it was switched on
// brings nothing.
func (p *clockPC) exchange(brings bool) (rest bool) {
	t, ctx := p.s.t, p.s.t.Context()
	t.Helper()
	req, err := p.db.Where(ctx)
	p.s.must(err)
	_, anchored, err := p.db.Unsent(ctx)
	p.s.must(err)
	if anchored && brings {
		ops, err := p.db.Outbox(ctx, p.s.batch, 1<<20)
		p.s.must(err)
		if len(ops) > 0 {
			req.Segments = []wire.Segment{wire.SignSegment(p.key, ops)}
		}
	}
	sent := p.reading()
	req.SetClock(sent)
	body, err := wire.Encode(req)
	p.s.must(err)
	p.counter++
	p.s.now += 20
	rec := post(p.s.hub, body, wire.SignRequest(p.key, p.counter, "/v1/sync", body))
	p.s.now += 20
	if rec.Code != http.StatusOK {
		t.Fatalf("%s was answered with %d: %s", p.name, rec.Code, rec.Body)
	}
	a, err := wire.DecodeAnswer(rec.Body.Bytes())
	p.s.must(err)
	out, err := p.db.Save(ctx, a, sent, p.reading(), true)
	p.s.must(err)
	return anchored && out.Unsent == 0 && !out.More
}

// post hands a request to the hub's handler; only the socket is missing.
func post(h *hub.Server, body []byte, signature string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/v1/sync", bytes.NewReader(body))
	r.Header.Set(wire.SignatureHeader, signature)
	rec := httptest.NewRecorder()
	h.Handler().ServeHTTP(rec, r)
	return rec
}

// syncs talks until there is nothing more to say.
func (p *clockPC) syncs() {
	p.s.t.Helper()
	for range 100 {
		if p.exchange(true) {
			return
		}
	}
	p.s.t.Fatalf("%s never comes to rest", p.name)
}

// look compares what is shown with what truly happened.
func (s *street) look(c clockStory) {
	s.t.Helper()
	first, last := s.told[0], s.told[len(s.told)-1]
	if c.unknown {
		shown := s.a.shows()
		last.value = shown.Note
		first.value = shown.Visit.First[spclep.Arrived].By
	} else {
		first.value = "clerk at " + first.pc.name
	}
	onHub, _, err := s.hub.Booking(s.t.Context(), "covasna", theBooking)
	s.must(err)
	for where, b := range map[string]record.Booking{"A": s.a.shows(), "B": s.b.shows(), "the hub": onHub} {
		if b.Note != last.value {
			s.t.Errorf("%s shows %s, want %s%s", where, b.Note, last.value, s.times(b))
		}
		if got := b.Visit.First[spclep.Arrived].By; got != first.value {
			s.t.Errorf("on %s the check-in of %s counts, want that of %s%s", where, got, first.value, s.times(b))
		}
		s.nothingLost(where, b)
		if c.within > 0 {
			s.timely(where, b, c.within)
		}
	}
}

func (p *clockPC) shows() record.Booking {
	p.s.t.Helper()
	b, err := p.db.Booking(p.s.t.Context(), theBooking)
	p.s.must(err)
	return b
}

// nothingLost: every edit is found with its author, and what the other PC
// wrote last is listed as having lost.
func (s *street) nothingLost(where string, b record.Booking) {
	s.t.Helper()
	for _, e := range s.told {
		i := slices.IndexFunc(b.History, func(h op.Entry) bool { return h.ID == e.id })
		if i < 0 || string(b.History[i].Value) != `"`+e.value+`"` || b.History[i].By != "clerk at "+e.pc.name {
			s.t.Errorf("on %s the edit %s is not to be found with its author", where, e.value)
		}
	}
	loser := ""
	for _, e := range s.told {
		if e.pc.name != b.Note[:1] {
			loser = e.value
		}
	}
	lost := b.Conflicts()
	if !slices.ContainsFunc(lost, func(c record.Conflict) bool {
		return string(c.Loser.Value) == `"`+loser+`"` && c.Loser.By == "clerk at "+loser[:1]
	}) {
		s.t.Errorf("on %s %s lost and is not listed: %+v", where, loser, lost)
	}
}

// timely: the times by which edits are ordered are the true ones.
func (s *street) timely(where string, b record.Booking, within time.Duration) {
	s.t.Helper()
	for _, e := range s.told {
		for _, h := range b.History {
			if off := float64(h.Eff.Ms()) - e.at; h.ID == e.id && max(off, -off) > float64(within.Milliseconds()) {
				s.t.Errorf("on %s %s lies %.0f s from the truth", where, e.value, off/1000)
			}
		}
	}
}

// times tells where each edit ended up, in seconds after the truth.
func (s *street) times(b record.Booking) string {
	var out strings.Builder
	for _, e := range s.told {
		for _, h := range b.History {
			if h.ID == e.id {
				fmt.Fprintf(&out, "\n\t%s is %+.3f s off", e.value, (float64(h.Eff.Ms())-e.at)/1000)
			}
		}
	}
	return out.String()
}
