package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"condica/agent/api"
	"condica/spclep"
)

// A window is the desk's local API as it is now: each life of the service has an
// address and a token of its own.
type window struct {
	mu     sync.Mutex
	change *sync.Cond
	at     api.Control
	life   int
	idle   int  // clerks that wait for another life
	closed bool // nobody begins anything new
	over   bool // nobody waits for another life
}

func newWindow() *window {
	w := &window{}
	w.change = sync.NewCond(&w.mu)
	return w
}

func (w *window) open(at api.Control) { w.say(func() { w.at, w.life = at, w.life+1 }) }

func (w *window) close() { w.say(func() { w.closed = true }) }
func (w *window) end()   { w.say(func() { w.closed, w.over = true, true }) }

func (w *window) say(what func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	what()
	w.change.Broadcast()
}

// next waits for a life after the one given; not ok: there will be none.
func (w *window) next(after int) (at api.Control, life int, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.idle++
	for w.life <= after && !w.over {
		w.change.Wait()
	}
	w.idle--
	return w.at, w.life, w.life > after
}

func (w *window) isClosed() (yes bool) {
	w.say(func() { yes = w.closed })
	return yes
}

func (w *window) idlers() (n int) {
	w.say(func() { n = w.idle })
	return n
}

// told is one edit of an action of which a clerk was told that it is done.
type told struct {
	action string
	id     spclep.BookingID
	name   string // of the fact or field
	value  string // of a field, as JSON
}

// cell is what the hub calls it.
func (d told) cell() string {
	return strings.TrimSpace("booking/" + string(d.id) + "/" + d.name + " " + d.value)
}

// A refusal is a request that was not done, and what was said instead.
type refusal struct {
	path   string
	body   map[string]any
	status int
	answer []byte
}

// A clerk works at the window, one action after the other.
type clerk struct {
	t       *testing.T
	name    string
	window  *window
	r       *rand.Rand
	refused func(api.Control, refusal) bool
	n       int // actions begun
	again   int // requests sent again

	mu   sync.Mutex
	done []told
	left []told // sent once, and never asked about again
}

// fourClerks begin to work; home waits until they have ended what they are at,
// after the window is closed. refused is asked of a request that was not done:
// is it to be sent again in the next life? nil: none may be refused.
func fourClerks(t *testing.T, w *window, seed uint64, refused func(api.Control, refusal) bool) (clerks []*clerk, home func()) {
	var work sync.WaitGroup
	for i, name := range []string{"Ana", "Dan", "Ilinca", "Mircea"} {
		k := &clerk{t: t, name: name, window: w, r: rand.New(rand.NewPCG(seed, uint64(i))), refused: refused}
		clerks = append(clerks, k)
		work.Go(func() {
			for !w.isClosed() {
				k.person()
			}
		})
	}
	t.Cleanup(func() { w.end(); work.Wait() })
	return clerks, work.Wait
}

func (k *clerk) told() []told {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.done)
}

// person takes somebody without a booking through some or all of it.
func (k *clerk) person() {
	d, ok := k.act("walk-ins", api.WalkInRequest{Name: "Persoană Exemplu", Reason: "R08", Urgent: true, Approved: "Șef Exemplu", Why: "urgență"}, nil)
	if !ok {
		return
	}
	if d.Visit == nil {
		k.t.Errorf("%s: %s is done, and nothing is said of whom it is", k.name, d.Action)
		return
	}
	id := d.Visit.ID
	k.did(d.Action, id, spclep.Booked, spclep.Arrived)
	for range k.r.IntN(4) {
		k.note(id)
	}
	for _, step := range []struct {
		verb, fact string
		body       any
	}{
		{"file", spclep.Filed, api.FileRequest{Despite: "le aduce mâine"}},
		{"ready", spclep.Ready, api.ReadyRequest{}},
		{"hand-over", spclep.HandedOver, api.HandOverRequest{To: "holder"}},
	} {
		if k.r.IntN(4) == 0 || k.window.isClosed() {
			return
		}
		d, ok := k.act("visits/"+string(id)+"/"+step.verb, step.body, nil)
		if !ok {
			return
		}
		k.did(d.Action, id, step.fact)
	}
}

// note writes something that nobody has written before. Of those that were not
// answered, some are not sent again.
func (k *clerk) note(id spclep.BookingID) {
	text := fmt.Sprintf("%s %d", k.name, k.n)
	value := fmt.Sprintf("%q", text)
	var leave func()
	if k.r.IntN(4) == 0 {
		leave = func() { k.left = append(k.left, told{id: id, name: spclep.FieldNote, value: value}) }
	}
	d, ok := k.act("visits/"+string(id)+"/set", api.SetRequest{Fields: map[string]string{spclep.FieldNote: text}}, leave)
	if ok {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.done = append(k.done, told{d.Action, id, spclep.FieldNote, value})
	}
}

func (k *clerk) did(action string, id spclep.BookingID, names ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, name := range names {
		k.done = append(k.done, told{action: action, id: id, name: name})
	}
}

// act sends a request until it is answered, under one key. leave: it is sent
// only once, and then left.
func (k *clerk) act(path string, what any, leave func()) (d api.Done, ok bool) {
	k.n++
	body := keyed(k.t, what, api.Common{Key: fmt.Sprint(k.n, " ", k.name), By: k.name})
	for life := 0; ; k.again++ {
		at, next, here := k.window.next(life)
		if !here {
			return d, false
		}
		life = next
		out, status, err := call(at, "POST", path, body)
		switch {
		case err != nil && leave != nil:
			leave()
			return d, false
		case err != nil: // the service is gone; the next one is asked
			continue
		case status != http.StatusOK:
			if k.refused == nil {
				k.t.Errorf("%s: %s: %d %s", k.name, path, status, out)
			} else if k.refused(at, refusal{path, body, status, out}) {
				continue
			}
			return d, false
		}
		if err := json.Unmarshal(out, &d); err != nil || d.Action == "" {
			k.t.Errorf("%s: %s: %v: %s", k.name, path, err, out)
			return d, false
		}
		return d, true
	}
}

// keyed gives a request its key and its clerk.
func keyed(t *testing.T, body any, c api.Common) map[string]any {
	out := map[string]any{}
	for _, part := range []any{body, c} {
		b, err := json.Marshal(part)
		if err == nil {
			err = json.Unmarshal(b, &out)
		}
		if err != nil {
			t.Error(err)
		}
	}
	return out
}

// call makes one request of a service. An answer that breaks off is an error.
func call(at api.Control, method, path string, body any) (out []byte, status int, err error) {
	sent, err := json.Marshal(body)
	if err != nil {
		return nil, 0, err
	}
	r, err := http.NewRequest(method, at.URL+api.Prefix+path, bytes.NewReader(sent))
	if err != nil {
		return nil, 0, err
	}
	r.Header.Set("Authorization", "Bearer "+at.Token)
	r.Header.Set("Content-Type", "application/json")
	client := http.Client{Timeout: timeout, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	out, err = io.ReadAll(resp.Body)
	return out, resp.StatusCode, err
}

func asked(clerks []*clerk) string {
	again, left := 0, 0
	for _, k := range clerks {
		again, left = again+k.again, left+len(k.left)
	}
	return fmt.Sprintf("%d requests sent again, %d left unanswered", again, left)
}
