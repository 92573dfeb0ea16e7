package agent

import (
	"net/http"
	"sync/atomic"
	"time"

	"condica/agent/page"
)

// A front is what a browser meets at the desk's address: a page that says what
// is being done to the replica, and the desk once it is open.
type front struct {
	hosts []string
	clock Clock
	desk  atomic.Pointer[http.Handler]
	step  atomic.Pointer[step]
}

type step struct {
	name  string
	since int64 // running time, ms
}

func (f *front) begin(hosts []string, clock Clock) {
	f.hosts, f.clock = hosts, clock
	f.doing("")
	f.open(page.Opening(hosts, func() (string, time.Duration) {
		s := f.step.Load()
		return s.name, time.Duration(clock.Reading().Up-s.since) * time.Millisecond
	}))
}

// doing notes what the replica's start is at.
func (f *front) doing(name string) {
	f.step.Store(&step{name, f.clock.Reading().Up})
}

func (f *front) open(desk http.Handler) { f.desk.Store(&desk) }

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*f.desk.Load()).ServeHTTP(w, r) }
