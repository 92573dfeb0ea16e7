package link

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"condica/sync/hlc"
	"condica/sync/peer"
	"condica/sync/wire"
)

var (
	nextKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{8}, 32))
	nextID  = wire.DeviceOf(nextKey.Public().(ed25519.PublicKey))
)

// A desk of enrolment stands before a centre: it keeps what PCs ask it.
type enrolment struct {
	*centre
	mu     sync.Mutex
	asked  []wire.Enroll
	signed []wire.Signed
	says   func(wire.Enroll) (status int, answer any)
}

func (e *enrolment) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/v1/enroll" {
		e.centre.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		e.t.Error(err)
	}
	sent := body
	if r.Header.Get("Content-Encoding") == "zstd" {
		if body, err = e.codec.Unpack(body); err != nil {
			e.t.Error(err)
		}
	}
	var ask wire.Enroll
	if err := json.Unmarshal(body, &ask); err != nil {
		e.t.Error(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, ask)
	if h := r.Header.Get(wire.SignatureHeader); h != "" {
		s, err := wire.ParseSigned(h)
		if err != nil || !s.Verify(pcKey.Public().(ed25519.PublicKey), "/v1/enroll", sent) {
			e.t.Errorf("an enrolment's signature does not fit: %v", err)
		}
		e.signed = append(e.signed, s)
	}
	status, answer := e.says(ask)
	b, err := wire.Encode(answer)
	if err != nil {
		e.t.Error(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b)
}

func enrolled(d hlc.Device, desk int) (int, any) {
	return 200, wire.Enrolled{Device: d, Office: "covasna", Desk: desk, Epoch: "e1", HubMs: 1, Cert: "cert-2"}
}

func way(url string) Way { return Way{Hub: url, Name: "Ghișeul 1", Times: toDate} }

// A PC that another machine was copied from asks under the old key for a new
// one, and says what it does not know placed.
func TestAsksForANewKey(t *testing.T) {
	e := &enrolment{centre: newCentre(t), says: func(wire.Enroll) (int, any) { return enrolled(nextID, 3) }}
	hub := serve(t, e)
	unsent := make([]wire.Unsent, wire.MaxUnsent+2)
	for i := range unsent {
		unsent[i] = wire.Unsent{Seq: uint64(i + 1), Sum: []byte("12345678")}
	}
	got, err := way(hub.URL).Rekey(t.Context(), pcKey, nextKey, Was{pcID, unsent})
	if err != nil || got.Device != nextID || got.Desk != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	ask := e.asked[0]
	if len(e.signed) != 1 || e.signed[0].Device != pcID || ask.Old != pcID || !bytes.Equal(ask.Pub, nextKey.Public().(ed25519.PublicKey)) || ask.Name != "Ghișeul 1" || ask.Secret != "" {
		t.Errorf("asked %+v, signed by %v", ask.Old, e.signed)
	}
	// More than the hub reads would be refused for ever.
	if len(ask.Unsent) != wire.MaxUnsent || ask.Unsent[1].Seq != 2 {
		t.Errorf("%d edits were named", len(ask.Unsent))
	}
	// With a token, where the old key is lost, nothing is signed.
	if _, err := way(hub.URL).Enroll(t.Context(), "secret", nextKey, Was{pcID, unsent[:1]}); err != nil {
		t.Fatal(err)
	}
	if ask := e.asked[1]; len(e.signed) != 1 || ask.Old != pcID || len(ask.Unsent) != 1 || ask.Secret != "secret" {
		t.Errorf("with a token it asked %+v", ask)
	}
	e.says = func(wire.Enroll) (int, any) { return enrolled(pcID, 3) }
	if _, err := way(hub.URL).Rekey(t.Context(), pcKey, nextKey, Was{}); err == nil {
		t.Error("an answer for another PC was taken")
	}
}

// The hub has lost its database. The PC comes back with its certificate, once an
// exchange, and its work arrives in the same one.
func TestComesBackByCertificate(t *testing.T) {
	e := &enrolment{centre: newCentre(t), says: func(ask wire.Enroll) (int, any) { return enrolled(pcID, 4) }}
	s := newShelf(t, 3)
	l := office(t, serve(t, e).URL, "", toDate, s)
	var told []wire.Enrolled
	l.cert, l.cfg.Name, l.cfg.Returned = "cert-1", "Ghișeul 1", func(e wire.Enrolled) { told = append(told, e) }
	lost := says(401, `{"code":"unknown-device","say":"the hub does not know it"}`)

	e.forecast(lost)
	if err := l.ask(t.Context(), s); err != nil || s.waiting() != 0 {
		t.Fatalf("%v; %d wait", err, s.waiting())
	}
	if len(e.asked) != 1 || e.asked[0].Cert != "cert-1" || e.asked[0].Secret != "" || len(told) != 1 || told[0].Desk != 4 || !slices.IsSorted(e.numbers()) {
		t.Errorf("asked %+v, told %+v", e.asked, told)
	}

	// It is lost again at once: the certificate of the second time counts, and it
	// is not asked for ever.
	s.add()
	e.forecast(lost, lost, lost)
	var fault *Error
	if err := l.ask(t.Context(), s); !errors.As(err, &fault) || fault.Kind != Turned || len(e.asked) != 2 || e.asked[1].Cert != "cert-2" {
		t.Errorf("%v; asked %d times", err, len(e.asked))
	}

	// The certificate is no longer good: that is what a person has to know.
	e.says = func(wire.Enroll) (int, any) {
		return 403, wire.Problem{Code: "certificate", Say: "it needs a token"}
	}
	if err := l.ask(t.Context(), s); !errors.As(err, &fault) || fault.Kind != Turned || !strings.Contains(err.Error(), "it needs a token") || s.waiting() != 1 {
		t.Errorf("%v; %d wait", err, s.waiting())
	}

	// News are waited for under no certificate: the main request will see to it.
	e.forecast(lost)
	asked := len(e.asked)
	if r := l.exchange(t.Context(), peer.Send{Lane: peer.Poll, WaitMs: 1}, l.tuning); codeOf(r.err) != "unknown-device" || len(e.asked) != asked {
		t.Errorf("the poll: %v", r.err)
	}
}

// The line ends when the key is out of use, however it hears of it, and says so;
// and for nothing else.
func TestRetiredEndsTheLine(t *testing.T) {
	retired := says(403, `{"code":"retired","say":"it needs a new key"}`)
	revoked := says(403, `{"code":"revoked","say":"revoked"}`)
	for story, c := range map[string]struct {
		weather []http.HandlerFunc
		prepare func(s *shelf)
	}{
		"the main request hears it":        {weather: []http.HandlerFunc{retired}},
		"after other trouble":              {weather: []http.HandlerFunc{page(502), revoked, retired}},
		"the request for news hears it":    {weather: []http.HandlerFunc{nil, retired}},
		"an answer shows it":               {prepare: func(s *shelf) { s.rekey = true }},
		"the replica knows it from before": {prepare: func(s *shelf) { s.clash = true }},
		"nobody says it":                   {weather: []http.HandlerFunc{revoked}},
	} {
		t.Run(story, func(t *testing.T) {
			t.Parallel()
			hub, s := newCentre(t), newShelf(t, 1)
			if c.prepare != nil {
				c.prepare(s)
			}
			for i, w := range c.weather {
				if w == nil {
					c.weather[i] = func(w http.ResponseWriter, r *http.Request) { hub.answer(w, wire.Request{}) }
				}
			}
			hub.forecast(c.weather...)
			l := office(t, serve(t, hub).URL, "", toDate, s)
			arrived := make(chan struct{}, 100)
			l.cfg.Answered = func(wire.Answer) { arrived <- struct{}{} }
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- l.Run(ctx) }()
			if story == "nobody says it" {
				<-arrived // it went on after it was turned away
				cancel()
				if err := <-ended; err != nil {
					t.Errorf("it ended with %v", err)
				}
				return
			}
			if err := <-ended; !errors.Is(err, ErrRetired) {
				t.Fatalf("it ended with %v", err)
			}
			if st := l.Status(); st.Kind != Retired || st.Reached || st.Turned {
				t.Errorf("it says %+v", st)
			}
			if s.waiting() > 1 {
				t.Errorf("%d wait", s.waiting())
			}
		})
	}
}

// On a PC on which a look through the replica takes half a second, it is not
// looked through at every click; on one where it takes no time it is.
func TestScrubRests(t *testing.T) {
	for takes, want := range map[int64]int{500: 3, scrubQuick: 30} { // in half a minute of clicks, one a second
		s, up := newShelf(t, 1), int64(0)
		s.scrubbing = func() { up += takes }
		l := office(t, serve(t, newCentre(t)).URL, "", toDate, s)
		l.cfg.Now = func() hlc.Reading { return hlc.Reading{Wall: up, Boot: "b1", Up: up} }
		for click := range int64(30) {
			up = max(up, 1000+1000*click)
			if err := l.scrub(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if s.scrubs != want {
			t.Errorf("a look takes %d ms, and there were %d of them; want %d", takes, s.scrubs, want)
		}
	}
}

// The replica is looked through before each request; what a hub needs that has
// lost something rides with the main one, with edits or without, and never with
// the one that waits for news.
func TestScrubAndCompleteRideAlong(t *testing.T) {
	hub, s := newCentre(t), newShelf(t, 1)
	l := office(t, serve(t, hub).URL, "", toDate, s)
	s.first = 7
	for i, c := range []struct {
		send peer.Send
		want uint64
	}{{peer.Send{Lane: peer.Main, Ops: true}, 7}, {peer.Send{Lane: peer.Main}, 7}, {peer.Send{Lane: peer.Poll, WaitMs: 1}, 0}} {
		req, err := l.request(t.Context(), c.send, l.tuning)
		if err != nil || req.First != c.want || s.scrubs != i+1 {
			t.Errorf("%+v: first %d, looked through %d times, %v", c.send, req.First, s.scrubs, err)
		}
	}
}
