package simtest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing/fstest"
	"time"

	"condica/hub"
	"condica/hub/store"
	"condica/hub/store/memory"
	"condica/hub/store/sqlite"
	"condica/spclep"
	"condica/sync/op"
	"condica/sync/peer"
	"condica/sync/wire"
)

// dawn is the true time at which every storm begins, ms since 1970.
const (
	dawn   = int64(1_795_262_400_000)
	second = int64(1000)
	minute = 60 * second
	hour   = 60 * minute
)

// A world runs one thing after another in the order of true time. Nothing in
// it looks at a real clock or at chance but its own.
type world struct {
	o      options
	seed   uint64
	r      *rand.Rand
	now    int64 // true time, which is the hub's
	todo   []event
	n      int // events so far, to keep equal times in order
	dirs   []string
	calm   bool // the weather has cleared
	loud   bool // the transcript is kept
	lines  strings.Builder
	counts tally

	hub     *hub.Server
	store   store.Store
	lives   uint64 // of the hub
	backups []backup
	offices []spclep.OfficeID
	blocks  []block // of registration numbers, as the hub gave them
	doubled []block // and those that lay on a disk which was copied

	pcs  []*pc
	told []*told // what clerks were told is done, and what the hub was told
	// of the line
	oneWay, down, slow bool
}

// told is an action somebody has tried.
type told struct {
	by      string // names it in every op of it
	ops     int
	at      int64 // true time
	pc      *pc   // nil: the hub's own
	office  string
	id      spclep.BookingID
	poison  bool
	done    bool // and was told so
	sent    bool // it was on a hub that was set back
	excused bool // what held it was taken away by a person, and nobody else had it
	exact   bool // its PC's clocks allow its time to be known
	fact    string
}

type event struct {
	at int64
	n  int
	do func()
}

// backup is the hub as it was.
type backup struct {
	mem *memory.Store
	dir string
}

// failed is how a world ends that has found something wrong.
type failed struct{ say string }

func (w *world) fail(format string, args ...any) { panic(failed{fmt.Sprintf(format, args...)}) }

func (w *world) must(err error) {
	if err != nil {
		w.fail("%v", err)
	}
}

// say adds a line to the transcript.
func (w *world) say(format string, args ...any) {
	if w.loud {
		fmt.Fprintf(&w.lines, "%9.3f  %s\n", float64(w.now-dawn)/1000, fmt.Sprintf(format, args...))
	}
}

// reference is the built-in rules, with a third office after the second.
var reference = sync.OnceValues(func() (*spclep.Reference, error) {
	files := fstest.MapFS{}
	for name, text := range spclep.BuiltinTexts() {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	model := strings.NewReplacer("id: botosani", "id: model", "code: 2", "code: 3").Replace(string(files["botosani.yaml"].Data))
	files["model.yaml"] = &fstest.MapFile{Data: []byte(model)}
	all := strings.Replace(string(files["bundle.yaml"].Data), "[covasna, botosani]", "[covasna, botosani, model]", 1)
	files["bundle.yaml"] = &fstest.MapFile{Data: []byte(all)}
	return spclep.Load(files)
})

func (w *world) begin(seed uint64, o options, loud bool) {
	*w = world{counts: tally{}, o: o, seed: seed, r: rand.New(rand.NewPCG(seed, 6)), now: dawn, loud: loud, offices: []spclep.OfficeID{"covasna", "botosani", "model"}[:o.Offices]}
	if o.SQLite {
		s, err := sqlite.Open(context.Background(), w.folder())
		w.must(err)
		w.store = s
	} else {
		w.store = memory.New()
	}
	w.openHub()
}

// openHub begins a life of the hub over its store.
func (w *world) openHub() {
	ref, err := reference()
	w.must(err)
	w.lives++
	var chance [32]byte
	chance[0], chance[1], chance[2], chance[3] = byte(w.seed), byte(w.seed>>8), byte(w.seed>>16), byte(w.lives)
	w.hub, err = hub.New(context.Background(), hub.Config{Store: w.store, Now: w.clock, Reference: ref, Random: rand.NewChaCha8(chance)})
	w.must(err)
}

// clock is the hub's.
func (w *world) clock() int64 {
	if w.o.Coarse {
		return w.now / second * second
	}
	return w.now
}

func (w *world) close() {
	w.hub.Close()
	w.store.Close()
	for _, p := range w.pcs {
		p.close()
	}
	for _, d := range w.dirs {
		os.RemoveAll(d)
	}
}

// in lets something happen after ms of true time.
func (w *world) in(ms int64, do func()) {
	w.n++
	w.todo = append(w.todo, event{w.now + max(ms, 0), w.n, do})
}

// next does the earliest thing to do.
func (w *world) next() bool {
	if len(w.todo) == 0 {
		return false
	}
	first := 0
	for i, e := range w.todo {
		if f := w.todo[first]; e.at < f.at || e.at == f.at && e.n < f.n {
			first = i
		}
	}
	e := w.todo[first]
	w.todo[first] = w.todo[len(w.todo)-1]
	w.todo = w.todo[:len(w.todo)-1]
	w.now = max(w.now, e.at)
	e.do()
	return true
}

func (w *world) chance(percent int) bool { return !w.calm && percent > 0 && w.r.IntN(100) < percent }

// A letter is a request on its way, as it was written.
type letter struct {
	path, signature string
	body            []byte
}

// reply is what came back: a status and a body, or nothing.
type reply struct {
	status  int
	counter string
	body    []byte
}

// ask hands a letter to the hub. Its handler is called as it stands; only the
// socket is missing.
func (w *world) ask(l letter) reply {
	w.counts["letters"]++
	req, err := http.NewRequest(http.MethodPost, l.path, bytes.NewReader(l.body))
	w.must(err)
	req.Header["Content-Type"] = []string{"application/json"}
	if l.signature != "" {
		req.Header[wire.SignatureHeader] = []string{l.signature}
	}
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	w.hub.Handler().ServeHTTP(rec, req)
	w.given(l.body, rec.body.Bytes())
	return reply{rec.status, rec.header.Get("Condica-Counter"), rec.body.Bytes()}
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

// used is the hub's word that a request number has been used, with the highest
// one: the PC had lost its count together with its database.
type used uint64

func (u used) Error() string { return "request numbers up to " + strconv.FormatUint(uint64(u), 10) }

var errNothing = errors.New("no answer came")

// read makes of a reply what link would: a body, or an error that has the hub's
// word in it if it was the hub's.
func (r reply) read() ([]byte, error) {
	if n, err := strconv.ParseUint(r.counter, 10, 63); err == nil {
		return nil, used(n)
	}
	if r.status == http.StatusOK {
		return r.body, nil
	}
	var p wire.Problem
	if json.Unmarshal(r.body, &p) == nil && p.Code != "" {
		return nil, &p
	}
	return nil, fmt.Errorf("status %d", r.status)
}

// statuses that something between PC and hub may answer with, and a page.
var statuses = []int{401, 403, 404, 407, 413, 429, 500, 502, 503, 504}

// post carries a letter: it may be lost, torn or answered by somebody else, its
// answer too, it may arrive twice and days later, and each way takes its time.
// back is called once.
func (w *world) post(l letter, poll bool, back func([]byte, error)) {
	there, home := 5+w.r.Int64N(1500), 5+w.r.Int64N(1500)
	if poll {
		there += w.r.Int64N(peer.WaitMs)
	}
	if w.chance(w.o.Late) {
		there += w.r.Int64N(60_000)
	}
	if w.slow {
		home += w.r.Int64N(180_000)
	}
	if w.chance(w.o.Double) {
		w.in(there+w.r.Int64N(120_000), func() { w.again(l) })
	}
	if w.o.DaysLate > 0 && w.chance(5) {
		w.in(w.r.Int64N(72*hour), func() { w.again(l) })
	}
	const timeout = 90 * second
	done := false
	end := func(b []byte, err error) {
		if !done {
			done = true
			back(b, err)
		}
	}
	w.in(timeout, func() { end(nil, errNothing) })
	switch {
	case w.down || w.chance(w.o.LoseRequest):
		w.in(10*second, func() { end(nil, errNothing) })
		return
	case w.chance(w.o.Status):
		status := statuses[w.r.IntN(len(statuses))]
		w.in(there, func() { end(nil, fmt.Errorf("status %d by a proxy", status)) })
		return
	case w.chance(w.o.Captive):
		w.in(there, func() { end([]byte("<html><title>Bine ați venit</title>"), nil) })
		return
	case w.chance(w.o.TearRequest):
		l.body = l.body[:w.r.IntN(len(l.body))]
	}
	w.in(there, func() {
		if w.down {
			return
		}
		answer := w.ask(l)
		b, err := answer.read()
		switch {
		case w.oneWay || w.chance(w.o.LoseAnswer):
			return
		case w.chance(w.o.TearAnswer) && len(b) > 0:
			b = b[:w.r.IntN(len(b))]
		}
		w.in(home, func() { end(b, err) })
	})
}

// again: the letter arrives once more, and nobody waits for the answer.
func (w *world) again(l letter) {
	if !w.down {
		w.say("a letter to %s arrives again", l.path)
		w.ask(l)
	}
}

// folder is a data folder; in memory where the system has such a place, since
// a storm syncs thousands of times.
func (w *world) folder() string {
	parent := "/dev/shm"
	if _, err := os.Stat(parent); err != nil {
		parent = ""
	}
	dir, err := os.MkdirTemp(parent, "condica-storm-")
	w.must(err)
	w.dirs = append(w.dirs, dir)
	return dir
}

func (w *world) key(name string) ed25519.PrivateKey {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s of storm %d", name, w.seed))
	return ed25519.NewKeyFromSeed(sum[:])
}

func (w *world) token(office string) string {
	t, err := w.hub.NewToken(context.Background(), spclep.OfficeID(office), time.Hour, "https://hub.example.ro", "")
	w.must(err)
	return t.Secret
}

// log gives an office's whole log on the hub.
func (w *world) log(office string) (out []op.Entry) {
	for pos := int64(0); ; {
		es, head, err := w.store.After(context.Background(), office, pos, 1000)
		w.must(err)
		for _, e := range es {
			pos = e.Pos
			out = append(out, e.Entry)
		}
		if pos >= head || len(es) == 0 {
			return out
		}
	}
}
