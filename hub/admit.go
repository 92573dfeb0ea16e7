package hub

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"condica/sync/wire"
)

// Limits in time of one exchange on a slow line.
const (
	readTime  = 3 * time.Minute
	writeTime = 3 * time.Minute
)

// A failure is an answer that is not 200.
type failure struct {
	status int
	wire.Problem
	counter uint64 // 409: the highest number seen
}

func (f *failure) Error() string { return f.Say }

func fail(status int, code, say string) error {
	return &failure{status: status, Problem: wire.Problem{Code: code, Say: say}}
}

// busy asks the PC to come back later.
func busy() error {
	return fail(http.StatusServiceUnavailable, "busy", "the hub is busy; come back as Retry-After says")
}

// admit lets an exchange in or sends it away before any work is done.
func (s *Server) admit(exchange func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// Bare answers: each header is paid for on a village line.
		w.Header()["Date"] = nil
		// The deadline of the connection's last answer is not this one's.
		if err := http.NewResponseController(w).SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return // the connection is gone
		}
		select {
		case s.line <- struct{}{}:
		default:
			s.answerFailure(w, r, busy())
			return
		}
		defer func() { <-s.line }()
		if err := exchange(w, r); err != nil {
			s.answerFailure(w, r, err)
		}
	}
}

// atWork takes a place among those at work; leave gives it back.
func (s *Server) atWork(r *http.Request) (leave func(), err error) {
	leave = func() { <-s.work }
	select {
	case s.work <- struct{}{}: // also when the hub is closing: who has waited is still answered
		return leave, nil
	default:
	}
	select {
	case s.work <- struct{}{}:
		return leave, nil
	case <-s.done:
		return nil, busy()
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func (s *Server) answerFailure(w http.ResponseWriter, r *http.Request, err error) {
	var f *failure
	if !errors.As(err, &f) {
		if r.Context().Err() == nil {
			s.Log.Error("exchange", "path", r.URL.Path, "err", err)
		}
		// The hub's own trouble: the PC keeps everything and tries again.
		f = &failure{status: http.StatusServiceUnavailable, Problem: wire.Problem{Code: "hub-fault", Say: "the hub has a fault of its own; nothing was taken"}}
	}
	if f.status == http.StatusServiceUnavailable {
		// Jitter, so that those sent away do not come back together.
		w.Header().Set("Retry-After", strconv.Itoa(2+rand.IntN(9)))
	}
	if f.status == http.StatusConflict {
		w.Header().Set("Condica-Counter", strconv.FormatUint(f.counter, 10))
	}
	s.problem(w, f.status, f.Code, f.Say)
}

func (s *Server) problem(w http.ResponseWriter, status int, code, say string) {
	b, err := wire.Encode(wire.Problem{Code: code, Say: say})
	if err != nil {
		s.Log.Error("problem", "err", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b)
}
