package simtest

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"condica/hub"
	"condica/hub/store"
	"condica/hub/store/memory"
	"condica/spclep"
	"condica/sync/peer"
	"condica/sync/wire"
)

// dawn is the true time at which every storm begins, ms since 1970.
const dawn = int64(1_795_262_400_000)

// Odds of the storm, out of 100. In calm weather all are 0.
type odds struct{ loseRequest, loseAnswer, double, restart, reboot, setClock int }

var storm = odds{loseRequest: 20, loseAnswer: 20, double: 10, restart: 3, reboot: 2, setClock: 3}

// A world runs one thing after another in the order of true time. Nothing in
// it looks at a real clock or at chance but its own.
type world struct {
	t      *testing.T
	r      *rand.Rand
	now    int64 // true time, which is the hub's
	todo   []event
	n      int // events so far, to keep equal times in order
	hub    *hub.Server
	store  store.Store
	pcs    []*pc
	odds   odds
	script strings.Builder
}

type event struct {
	at int64
	n  int
	do func()
}

func newWorld(t *testing.T, seed uint64, pcs int) *world {
	w := &world{t: t, r: rand.New(rand.NewPCG(seed, 6)), now: dawn, odds: storm, store: memory.New()}
	ref, err := spclep.Builtin()
	w.must(err)
	var chaSeed [32]byte
	chaSeed[0], chaSeed[1] = byte(seed), byte(seed>>8)
	w.hub, err = hub.New(t.Context(), hub.Config{Store: w.store, Now: func() int64 { return w.now }, Reference: ref, Random: rand.NewChaCha8(chaSeed)})
	w.must(err)
	t.Cleanup(w.hub.Close)
	for i := range pcs {
		w.pcs = append(w.pcs, w.newPC(seed, i))
	}
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatalf("%v\n%s", err, w.tail())
	}
}

// say adds a line to the transcript.
func (w *world) say(format string, args ...any) {
	fmt.Fprintf(&w.script, "%8d ", w.now-dawn)
	fmt.Fprintf(&w.script, format+"\n", args...)
}

func (w *world) tail() string {
	s := w.script.String()
	return s[max(0, len(s)-4000):]
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
	w.todo = append(w.todo[:first], w.todo[first+1:]...)
	w.now = max(w.now, e.at)
	e.do()
	return true
}

func (w *world) chance(percent int) bool { return w.r.IntN(100) < percent }

// ask hands a request to the hub. Its handler is called as it stands; only the
// socket is missing.
func (w *world) ask(body []byte, signature string) (wire.Answer, error) {
	req := httptest.NewRequestWithContext(w.t.Context(), http.MethodPost, "/v1/sync", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(wire.SignatureHeader, signature)
	rec := httptest.NewRecorder()
	w.hub.Handler().ServeHTTP(rec, req)
	if n, err := strconv.ParseUint(rec.Header().Get("Condica-Counter"), 10, 63); err == nil {
		return wire.Answer{}, used(n)
	}
	if rec.Code != http.StatusOK {
		return wire.Answer{}, fmt.Errorf("status %d: %s", rec.Code, rec.Body)
	}
	return wire.DecodeAnswer(rec.Body.Bytes())
}

// used is the hub's word that a request number has been used, with the highest
// one: the PC had lost its count together with its database.
type used uint64

func (u used) Error() string {
	return fmt.Sprintf("request numbers up to %d have been used", uint64(u))
}

// letter is a request on its way, as it was written.
type letter struct {
	lane      peer.Lane
	body      []byte
	signature string
}

// post carries a letter: it may be lost, its answer may be lost, it may arrive
// twice, and each way takes its time. back is called with the answer, or never.
func (w *world) post(p *pc, l letter, back func(wire.Answer, error)) {
	there, home := 5+w.r.Int64N(1500), 5+w.r.Int64N(1500)
	if l.lane == peer.Poll {
		there += w.r.Int64N(peer.WaitMs) // the hub holds it for a while
	}
	if w.chance(w.odds.double) {
		w.in(there+w.r.Int64N(20_000), func() { w.ask(l.body, l.signature) })
	}
	lostThere, lostHome := w.chance(w.odds.loseRequest), w.chance(w.odds.loseAnswer)
	w.in(there, func() {
		if lostThere {
			w.in(10_000, func() { back(wire.Answer{}, fmt.Errorf("the request was lost")) })
			return
		}
		a, err := w.ask(l.body, l.signature)
		if lostHome {
			a, err = wire.Answer{}, fmt.Errorf("the answer was lost")
		}
		w.in(home, func() { back(a, err) })
	})
}

// folder is a data folder; in memory where the system has such a place, since
// a storm syncs thousands of times.
func (w *world) folder() string {
	if _, err := os.Stat("/dev/shm"); err != nil {
		return w.t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "condica-storm-")
	w.must(err)
	w.t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func keyOf(seed uint64, i int) ed25519.PrivateKey {
	sum := sha256.Sum256(fmt.Appendf(nil, "pc %d of storm %d", i, seed))
	return ed25519.NewKeyFromSeed(sum[:])
}

const hour = int64(time.Hour / time.Millisecond)
