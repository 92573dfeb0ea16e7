package link

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"condica/sync/wire"
)

func page(status int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, "<html><body>Autentificare Wi-Fi</body></html>")
	}
}

func says(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

// bomb is a small body that unpacks to more than anyone should hold.
func bomb(t *testing.T) string {
	c, err := wire.NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	z, _ := c.Pack(make([]byte, 2*wire.MaxDecoded))
	return string(z)
}

// Whatever answers in the hub's place, no op is dropped, the failure has its
// kind for the calm line, and the next good exchange takes everything over.
func TestBadWeather(t *testing.T) {
	for story, c := range map[string]struct {
		answer http.HandlerFunc
		kind   string
		retry  time.Duration
	}{
		"a captive portal":               {page(200), Captive, 0},
		"a redirect to the log-in page":  {page(302, "Location", "https://example.ro/login"), Captive, 0},
		"a portal that sends two weeks":  {page(503, "Retry-After", "1209600"), Captive, 1209600 * time.Second},
		"an error page of a proxy":       {page(500), Captive, 0},
		"not found, in HTML":             {page(404), Captive, 0},
		"nothing at all":                 {func(http.ResponseWriter, *http.Request) {}, Captive, 0},
		"the hub knows this PC no more":  {says(401, `{"code":"unknown-device","say":"cine?"}`), Turned, 0},
		"revoked":                        {says(403, `{"code":"revoked","say":"nu"}`), Turned, 0},
		"no such page":                   {says(404, `{"code":"path","say":"nu"}`), HubFault, 0},
		"too large":                      {says(413, `{"code":"size","say":"prea mult"}`), HubFault, 0},
		"too many":                       {says(429, `{"code":"busy","say":"mai târziu"}`, "Retry-After", "7"), Busy, 7 * time.Second},
		"busy":                           {says(503, `{"code":"busy","say":"mai târziu"}`, "Retry-After", "30"), Busy, 30 * time.Second},
		"busy until a date":              {says(503, `{}`, "Retry-After", "Wed, 21 Oct 2099 07:28:00 GMT"), Busy, 0},
		"busy for less than nothing":     {says(503, `{}`, "Retry-After", "-5"), Busy, 0},
		"a fault of the hub":             {says(500, `{"code":"fault","say":"discul"}`), HubFault, 0},
		"a redirect in JSON":             {says(307, `{}`, "Location", "/elsewhere"), HubFault, 0},
		"JSON, but somebody else's":      {says(200, `{"ok":true}`), HubFault, 0},
		"JSON cut in the middle":         {says(200, `{"v":1,"e":"e1","t":5,"a":[{"q":1,"p"`), HubFault, 0},
		"an answer of another age":       {says(200, `{"v":99,"e":"e1","t":5}`), HubFault, 0},
		"a body cut short":               {says(200, `{"v":1,"e":`, "Content-Length", "900"), Unreachable, 0},
		"a compressed body cut short":    {says(200, "\x28\xb5\x2f\xfd\x04", "Content-Encoding", "zstd"), HubFault, 0},
		"a bomb":                         {says(200, bomb(t), "Content-Encoding", "zstd"), HubFault, 0},
		"a body without end":             {says(200, strings.Repeat(" ", wire.MaxBody+10)), HubFault, 0},
		"an answer of a different shape": {says(200, `[]`), HubFault, 0},
	} {
		t.Run(story, func(t *testing.T) {
			hub, s := newCentre(t), newShelf(t, 5)
			hub.forecast(c.answer)
			l := office(t, serve(t, hub).URL, "", toDate, s)
			err := l.ask(t.Context(), s)
			var e *Error
			if !errors.As(err, &e) || e.Kind != c.kind || e.RetryAfter != c.retry || e.Error() == "" {
				t.Errorf("got %#v, %v; want kind %s, retry after %v", e, err, c.kind, c.retry)
			}
			if s.waiting() != 5 || len(s.ops) != 5 || hub.held() != 0 {
				t.Fatalf("%d of %d ops wait, the hub holds %d", s.waiting(), len(s.ops), hub.held())
			}
			if err := l.ask(t.Context(), s); err != nil || s.waiting() != 0 || hub.held() != 5 {
				t.Errorf("in good weather again: %v; %d wait, the hub holds %d", err, s.waiting(), hub.held())
			}
		})
	}
}

// A connection that breaks before an answer is tried again at once, each try
// with its own number, and then given up for later.
func TestEachTryHasItsOwnNumber(t *testing.T) {
	drop := func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }
	hub, s := newCentre(t), newShelf(t, 3)
	hub.forecast(drop, drop)
	l := office(t, serve(t, hub).URL, "", toDate, s)
	if err := l.ask(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	hub.forecast(drop, drop, drop, drop)
	s.add()
	var e *Error
	if err := l.ask(t.Context(), s); !errors.As(err, &e) || e.Kind != Unreachable {
		t.Errorf("three drops in a row: %v", err)
	}
	if got := hub.numbers(); len(got) != 6 || !slices.IsSorted(got) || len(slices.Compact(slices.Clone(got))) != 6 {
		t.Errorf("request numbers %v, want six that rise", got)
	}
	if s.waiting() != 1 {
		t.Errorf("%d wait", s.waiting())
	}
}

// The PC was restored from a backup and counts from an old number: the hub names
// the number to go on from, and the request goes out again at once. A machine with
// the same key that asks all the time would be ahead again a little later.
func TestCounterJump(t *testing.T) {
	hub, s := newCentre(t), newShelf(t, 2)
	hub.high = 500
	l := office(t, serve(t, hub).URL, "", toDate, s)
	if err := l.ask(t.Context(), s); err != nil || hub.numbers()[1] != 501 {
		t.Errorf("%v; numbers %v", err, hub.numbers())
	}
	if err := l.ask(t.Context(), s); err != nil || s.counter < 500 {
		t.Errorf("%v; on the shelf %d", err, s.counter)
	}
}

// Own names the ops that the hub may answer by number: those answered before
// and those that ride along, not those that wait behind.
func TestOwnCoversWhatRidesAlong(t *testing.T) {
	hub, s := newCentre(t), newShelf(t, 4)
	l := office(t, serve(t, hub).URL, "", toDate, s)
	size := len(s.ops[0])
	l.tuning.bytes = 2*size + size/2
	for range 2 {
		if err := l.ask(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if hub.held() != 4 || !slices.Equal(hub.own, []uint64{2, 4}) || s.waiting() != 0 {
		t.Errorf("the requests said they hold %v, %d wait", hub.own, s.waiting())
	}
}

// A hub that does not answer is given up in time, and it is said plainly.
func TestNoAnswerInTime(t *testing.T) {
	release := make(chan struct{})
	hub := serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-release:
		}
	}))
	defer close(release)
	l := office(t, hub.URL, "", toDate, newShelf(t, 1))
	_, err := l.client.post(t.Context(), "/v1/sync", 150*time.Millisecond, true, wire.Request{})
	var e *Error
	if !errors.As(err, &e) || e.Kind != Unreachable || e.Error() != "the hub did not answer in time" {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.client.post(ctx, "/v1/sync", time.Minute, true, wire.Request{}); err == nil {
		t.Error("a stopped link asked")
	}
}

// No line at all, and no such name.
func TestNobodyThere(t *testing.T) {
	gone := serve(t, http.NotFoundHandler())
	gone.Close()
	s := newShelf(t, 2)
	var e *Error
	if err := office(t, gone.URL, "", toDate, s).ask(t.Context(), s); !errors.As(err, &e) || e.Kind != Unreachable || s.waiting() != 2 {
		t.Errorf("%v, %d wait", err, s.waiting())
	}
	if _, err := New(Config{Hub: "hub", Key: pcKey, Now: reading, Times: toDate}, s); err == nil {
		t.Error("an address without a host was taken")
	}
}
