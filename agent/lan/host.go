package lan

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of a host.
const (
	invitedFor   = 60 * 60_000 // ms
	maxGuests    = 20
	maxName      = 30               // letters
	joinWithin   = 10 * time.Second // for the whole of a joining PC's message
	headerWithin = 10 * time.Second // for a handshake, and for a request's header
	maxHeader    = 64 << 10         // bytes
	maxWrong     = 10               // tries with a wrong secret, and every invitation is void
	maxAtOnce    = 16               // requests of one guest; one of all guests may bring a file
)

// A Guest is a PC that may ask.
type Guest struct {
	Name string `json:"name"`
	Pin  string `json:"pin"` // PinOf its key
}

// HostConfig is what a host is made of.
type HostConfig struct {
	Key    ed25519.PrivateKey
	Guests []Guest             // as Keep was last given them
	Keep   func([]Guest) error // durable when it returns
	Random func() string       // a fresh text nobody can guess
	Up     func() int64        // running time, ms
	Log    *slog.Logger
}

// A Host serves its desk to the guests it knows.
type Host struct {
	c    HostConfig
	cert tls.Certificate

	mu      sync.Mutex
	guests  []Guest
	invited map[[sha256.Size]byte]invited // by the hash of the secret
	wrong   int
	busy    map[string]int // requests that are answered, by the guest's key
	file    bool           // one of them brings a file
}

type invited struct {
	name  string
	until int64  // running time, ms
	by    string // the key of the PC that used it up; empty: none yet
}

// NewHost makes a host; it serves nothing yet.
func NewHost(c HostConfig) (*Host, error) {
	cert, err := certificate(c.Key)
	return &Host{c: c, cert: cert, guests: slices.Clone(c.Guests), invited: map[[sha256.Size]byte]invited{}, busy: map[string]int{}}, err
}

// Errors of Invite.
var (
	ErrName    = fmt.Errorf("a desk's name has 1 to %d letters, single spaces between its words, and no ·", maxName)
	ErrTaken   = errors.New("a desk of this name was let in; remove it first, or take another name")
	ErrTooMany = fmt.Errorf("%d desks have been let in; remove one first", maxGuests)
)

// Invite makes an invitation for one PC: good once, for an hour, until this
// process ends. host is this PC's name among people, at is where it can be found.
func (h *Host) Invite(host, name string, at []string) (Invitation, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := checkName(name); err != nil {
		return Invitation{}, err
	}
	if h.called(name) >= 0 {
		return Invitation{}, ErrTaken
	}
	if len(h.guests) >= maxGuests {
		return Invitation{}, ErrTooMany
	}
	pin, err := PinOf(h.c.Key.Public())
	if err != nil {
		return Invitation{}, err
	}
	now := h.c.Up()
	for sum, i := range h.invited {
		if i.until <= now || i.by != "" || i.name == name || len(h.invited) >= maxGuests {
			delete(h.invited, sum)
		}
	}
	secret := h.c.Random()
	h.invited[sha256.Sum256([]byte(secret))] = invited{name: name, until: now + invitedFor}
	h.wrong = 0
	return Invitation{Host: host, At: at, Pin: pin, Secret: secret, Name: name}, nil
}

// checkName: people tell desks apart by their names, in the record too, where a
// dot stands between a clerk and the desk. What is not seen is in no name.
func checkName(name string) error {
	if n := utf8.RuneCountInString(name); n == 0 || n > maxName || name != strings.Join(strings.Fields(name), " ") ||
		strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError || r == '·' }) {
		return ErrName
	}
	return nil
}

func (h *Host) called(name string) int {
	return slices.IndexFunc(h.guests, func(g Guest) bool { return strings.EqualFold(g.Name, name) })
}

// Guests lists the PCs that may ask.
func (h *Host) Guests() []Guest {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.guests)
}

// Remove shuts a guest out from its next request on; ok is false where there is
// none of that name.
func (h *Host) Remove(name string) (ok bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := h.called(name)
	if i < 0 {
		return false, nil
	}
	left := slices.Delete(slices.Clone(h.guests), i, i+1)
	if err := h.c.Keep(left); err != nil {
		return true, err
	}
	h.guests = left
	return true, nil
}

// Serve answers guests at ln with the desk until ctx ends. The desk finds out by
// SeatOf which of them asks.
func (h *Host) Serve(ctx context.Context, ln net.Listener, desk http.Handler) error {
	server := &http.Server{
		Handler: h.handler(desk), ReadHeaderTimeout: headerWithin, WriteTimeout: 2 * grace, // some of it is the body's
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(h.c.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		soon, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		if server.Shutdown(soon) != nil {
			server.Close()
		}
	})
	err := server.Serve(tls.NewListener(newListener(ln), &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{h.cert},
		ClientAuth: tls.RequireAnyClientCert, // whose it is, the handler looks up
	}))
	if !stop() {
		<-ended
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// A Seat is where a request comes from.
type Seat struct {
	Name    string // of the guest's desk
	Browser string // names one of its browsers; empty: it tells none apart
}

type seatKey struct{}

// SeatOf is the guest from which a request came.
func SeatOf(r *http.Request) (Seat, bool) {
	s, ok := r.Context().Value(seatKey{}).(Seat)
	return s, ok
}

func (h *Host) handler(desk http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pin := pinOf(r.TLS.PeerCertificates[0].RawSubjectPublicKeyInfo) // RequireAnyClientCert: there is one
		// Also for a body that nobody wants: the server waits for it.
		if http.NewResponseController(w).SetReadDeadline(due(time.Now(), 0)) != nil {
			return // the connection has ended
		}
		if r.URL.Path == joinPath {
			h.join(w, r, pin)
			return
		}
		name, ok := h.name(pin)
		if !ok {
			h.c.Log.Warn("a PC that was not let in asked for the desk")
			refuse(w, http.StatusForbidden, refusedUnknown)
			return
		}
		if r.URL.Path == askPath {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		browser := r.Header.Get(browserHeader)
		r.Header.Del(browserHeader)
		if browser != "" {
			browser = name + "\n" + browser // in neither there is such a sign
		}
		h.serve(desk, w, r.WithContext(context.WithValue(r.Context(), seatKey{}, Seat{name, browser})), pin)
	})
}

func (h *Host) name(pin string) (string, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.guests, func(g Guest) bool { return subtle.ConstantTimeCompare([]byte(g.Pin), []byte(pin)) == 1 })
	if i < 0 {
		return "", false
	}
	return h.guests[i].Name, true
}

// Reasons in refusedHeader.
const (
	refusedUnknown = "unknown" // the PC was not let in, or was shut out
	refusedSecret  = "secret"  // the invitation is used, out of time or none of this PC's
	refusedFault   = "fault"
	refusedSlow    = "slow" // the form came slower than any office's network carries it
	refusedCut     = "cut"  // the form did not come whole
	refusedBusy    = "busy" // the PC has as many requests here as it may, or a file is being read already
)

// refuse also ends the connection: who gets nothing keeps none.
func refuse(w http.ResponseWriter, status int, why string) {
	w.Header().Set(refusedHeader, why)
	w.Header().Set("Connection", "close")
	w.WriteHeader(status)
}

// join lets the PC in that brings an invitation's secret. A wrong one is a guess
// at random.Text: ten of them void all invitations, so that nobody goes on.
func (h *Host) join(w http.ResponseWriter, r *http.Request, pin string) {
	var ask struct {
		Secret string `json:"secret"`
	}
	late := http.NewResponseController(w).SetReadDeadline(time.Now().Add(joinWithin))
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxMessage))
	err = errors.Join(late, err)
	if r.Method != http.MethodPost || err != nil || json.Unmarshal(text, &ask) != nil {
		refuse(w, http.StatusBadRequest, refusedSecret)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	sum := sha256.Sum256([]byte(ask.Secret))
	i, ok := h.invited[sum]
	if ok && i.by == pin && slices.Contains(h.guests, Guest{i.name, pin}) { // the answer was lost on the way
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if !ok || i.by != "" || i.until <= h.c.Up() || h.called(i.name) >= 0 {
		if h.wrong++; h.wrong >= maxWrong {
			clear(h.invited)
		}
		h.c.Log.Warn("a PC came with an invitation that is not good")
		refuse(w, http.StatusForbidden, refusedSecret)
		return
	}
	// A PC that is let in once more has one name, the new one.
	now := append(slices.DeleteFunc(slices.Clone(h.guests), func(g Guest) bool { return g.Pin == pin }), Guest{i.name, pin})
	if len(now) > maxGuests { // more invitations than places were out
		refuse(w, http.StatusForbidden, refusedSecret)
		return
	}
	if err := h.c.Keep(now); err != nil {
		h.c.Log.Error("a PC could not be let in", "error", err)
		refuse(w, http.StatusInternalServerError, refusedFault)
		return
	}
	h.guests = now
	i.by = pin
	h.invited[sum] = i
	w.WriteHeader(http.StatusNoContent)
}
