package lan

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxHeld is how much of an answer a guest has whole before it passes the first byte
// on, so that a page that breaks off can still be told as one that did not come.
// The longest page has some 500 kB.
const maxHeld = 4 << 20

// errSilence: the host took the request, or began its answer, and then said nothing.
var errSilence = errors.New("it fell silent before its answer was whole")

// A patience ends a request whose host is silent for longer than what goes on then
// may take.
type patience struct {
	end   context.CancelCauseFunc
	timer *time.Timer

	mu   sync.Mutex
	from time.Time
	n    int64
}

func waits(end context.CancelCauseFunc) *patience {
	return &patience{end: end, timer: time.AfterFunc(grace, func() { end(errSilence) }), from: time.Now()}
}

// more notes that so many bytes went over the line.
func (p *patience) more(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n += int64(n)
	p.timer.Reset(time.Until(due(p.from, p.n)))
}

// again begins another thing to wait for: something of it has to come within so
// long, and the rest at the pace.
func (p *patience) again(within time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.from, p.n = time.Now(), 0
	p.timer.Reset(within)
}

func (p *patience) over() {
	p.timer.Stop()
	p.end(nil)
}

// A sent body tells the patience how far it is.
type sent struct {
	io.ReadCloser
	p      *patience
	within time.Duration // for the answer
}

func (s *sent) Read(b []byte) (int, error) {
	n, err := s.ReadCloser.Read(b)
	if err != nil {
		s.p.again(s.within)
	} else {
		s.p.more(n)
	}
	return n, err
}

// askWithPatience makes a request, and has its answer whole where it is no longer
// than maxHeld. within is how long the host may work on it.
func askWithPatience(line http.RoundTripper, r *http.Request, within time.Duration) (*http.Response, error) {
	ctx, end := context.WithCancelCause(r.Context())
	p := waits(end)
	r = r.Clone(ctx)
	if r.Body == nil || r.Body == http.NoBody {
		p.again(within)
	} else {
		r.Body = &sent{r.Body, p, within}
	}
	resp, err := line.RoundTrip(r)
	if err == nil {
		p.again(grace)
		err = hold(resp, p)
	}
	if err != nil {
		p.over()
		return nil, err
	}
	return resp, nil
}

// hold reads an answer as far as it is held. What is longer comes as it is read.
func hold(resp *http.Response, p *patience) error {
	var held bytes.Buffer
	rest := &told{resp.Body, p}
	_, err := io.CopyN(&held, rest, maxHeld)
	switch {
	case err == io.EOF:
		resp.Body.Close()
		p.over()
		resp.Body = io.NopCloser(&held)
		return nil
	case err != nil:
		resp.Body.Close()
		return err
	}
	p.timer.Stop()
	resp.Body = &streamed{io.MultiReader(&held, &prompt{rest}), rest}
	return nil
}

// A told answer tells the patience how far it is, and ends it when it is closed.
type told struct {
	io.ReadCloser
	p *patience
}

func (t *told) Read(b []byte) (int, error) {
	n, err := t.ReadCloser.Read(b)
	if n > 0 {
		t.p.more(n)
	}
	return n, err
}

func (t *told) Close() error {
	defer t.p.over()
	return t.ReadCloser.Close()
}

// A prompt answer has to bring something each time it is asked: between two times
// it is the browser that is waited for.
type prompt struct{ t *told }

func (s *prompt) Read(b []byte) (int, error) {
	s.t.p.again(grace)
	n, err := s.t.Read(b)
	s.t.p.timer.Stop()
	return n, err
}

// A streamed answer is the part that is held and what comes after it.
type streamed struct {
	io.Reader
	io.Closer
}
