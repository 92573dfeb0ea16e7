package lan

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"time"
)

// The pace at which PCs of one office speak. The slowest network that is still
// worked over, a poor Wi-Fi, carries some ten times of it.
const (
	grace   = 30 * time.Second // for nothing at all
	slowest = 16 << 10         // bytes a second, beyond that
)

// due is by when so many bytes have to be over that began to come at a time.
func due(from time.Time, n int64) time.Time {
	return from.Add(grace + time.Duration(n)*time.Second/slowest)
}

// isFile tells a request that brings more than a form, or does not say how much.
func isFile(r *http.Request) bool { return r.ContentLength < 0 || r.ContentLength >= largeFrom }

// serve answers a guest's request, if it comes and is taken at the pace, and is not
// one too many.
func (h *Host) serve(desk http.Handler, w http.ResponseWriter, r *http.Request, pin string) {
	ended, ok := h.begins(pin, isFile(r))
	if !ok {
		h.c.Log.Warn("a guest asks for more at once than one PC is given")
		// It is a guest's: the server leaves it the time to read this, though it is
		// still sending a file.
		w.Header().Set(refusedHeader, refusedBusy)
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	defer ended()
	out := leaves(w)
	if why := takeBody(w, r); why != "" {
		h.c.Log.Warn("a guest's form did not come whole", "why", why)
		refuse(w, http.StatusRequestTimeout, why)
	} else {
		desk.ServeHTTP(out, r)
	}
	// What is still in the buffer; where it cannot be set the connection has ended.
	_ = out.soon(0)
}

// begins counts a request in, if the guest may have one more.
func (h *Host) begins(pin string, file bool) (ended func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.busy[pin] >= maxAtOnce || file && h.file {
		return nil, false
	}
	h.busy[pin]++
	h.file = h.file || file
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if file {
			h.file = false
		}
		if h.busy[pin]--; h.busy[pin] == 0 {
			delete(h.busy, pin)
		}
	}, true
}

// An arriving body has to come at the pace, or reading it ends.
type arriving struct {
	io.ReadCloser
	rc   *http.ResponseController
	from time.Time
	n    int64
}

func arrives(w http.ResponseWriter, body io.ReadCloser) *arriving {
	return &arriving{body, http.NewResponseController(w), time.Now(), 0}
}

func (a *arriving) Read(b []byte) (int, error) {
	if err := a.rc.SetReadDeadline(due(a.from, a.n)); err != nil {
		return 0, err
	}
	n, err := a.ReadCloser.Read(b)
	a.n += int64(n)
	if err != io.EOF {
		return n, err
	}
	// The work that follows has its own time, and ends when the guest goes.
	if late := a.rc.SetReadDeadline(time.Time{}); late != nil {
		return n, late
	}
	return n, io.EOF
}

// takeBody has a form whole in memory before the desk sees it, so that a guest that
// sends none of it holds up nobody. A file comes as the desk reads it.
func takeBody(w http.ResponseWriter, r *http.Request) (why string) {
	in := arrives(w, r.Body)
	if isFile(r) {
		r.Body = in
		return ""
	}
	text, err := io.ReadAll(in)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return refusedSlow
	case err != nil:
		return refusedCut
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	return ""
}

// A leaving answer has to be taken at the pace, or the connection ends.
type leaving struct {
	http.ResponseWriter
	rc *http.ResponseController
}

func leaves(w http.ResponseWriter) *leaving {
	return &leaving{w, http.NewResponseController(w)}
}

// Unwrap is for http.ResponseController.
func (l *leaving) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (l *leaving) Write(b []byte) (int, error) {
	if err := l.soon(int64(len(b))); err != nil {
		return 0, err
	}
	return l.ResponseWriter.Write(b)
}

// soon gives time for so many bytes from now on.
func (l *leaving) soon(n int64) error { return l.rc.SetWriteDeadline(due(time.Now(), n)) }
