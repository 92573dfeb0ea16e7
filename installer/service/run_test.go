package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// heard keeps what a manager is told.
type heard struct {
	mu    sync.Mutex
	lines []string
}

func (h *heard) tell(line string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, line)
}

func (h *heard) count(line string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.lines {
		if l == line {
			n++
		}
	}
	return n
}

// While the replica is mended for an hour the service counts as alive; once
// the desk is open it does so only as long as the desk answers.
func TestSignsOfLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		var stuck atomic.Bool
		n := &teller{tell: h.tell, every: time.Minute}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- carry(ctx, n, hardExit, func(ctx context.Context, n Notifier) error {
				n.Say("mending the replica")
				time.Sleep(time.Hour)
				n.Watch(func(context.Context) error {
					if stuck.Load() {
						return errors.New("the desk is stuck")
					}
					return nil
				})
				<-ctx.Done()
				return nil
			})
		}()
		time.Sleep(time.Hour + time.Second)
		if got := h.count("WATCHDOG=1"); got < 60 {
			t.Errorf("in an hour of mending %d signs of life, want 60", got)
		}
		time.Sleep(10 * time.Minute)
		stuck.Store(true)
		before := h.count("WATCHDOG=1")
		time.Sleep(10 * time.Minute)
		if got := h.count("WATCHDOG=1"); got != before {
			t.Errorf("%d signs of life of a stuck desk", got-before)
		}
		if h.count("STATUS=the desk does not answer: the desk is stuck") == 0 {
			t.Errorf("the manager is not told what is wrong: %q", h.lines)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		synctest.Wait()
		h.mu.Lock()
		defer h.mu.Unlock()
		if !slices.Contains(h.lines, "STOPPING=1") {
			t.Errorf("the manager is not told of the end: %q", h.lines)
		}
	})
}

// Where no manager counts, a desk that stays silent is ended after two
// minutes, and one that was silent for one is not.
func TestStuckIsEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		var silent atomic.Bool
		var dead atomic.Int32
		n := &teller{tell: h.tell, every: 30 * time.Second, dead: func() { dead.Add(1) }}
		n.Watch(func(context.Context) error {
			if silent.Load() {
				return errors.New("no answer")
			}
			return nil
		})
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go n.watch(ctx)
		time.Sleep(time.Minute + time.Second)
		silent.Store(true)
		time.Sleep(time.Minute)
		silent.Store(false)
		time.Sleep(5 * time.Minute)
		if dead.Load() != 0 {
			t.Fatal("a desk that was silent for a minute was ended")
		}
		silent.Store(true)
		time.Sleep(aliveWithin + 31*time.Second)
		if dead.Load() == 0 {
			t.Error("a desk that stayed silent was not ended")
		}
	})
}

// Asked to end, the program hangs: its process ends hard and says so. The test
// starts itself as that program.
func TestHangingProgramEndsHard(t *testing.T) {
	if os.Getenv("CONDICA_HANG") == "1" {
		ctx, stop := context.WithCancel(t.Context())
		stop()
		err := carry(ctx, newTeller(func(string) {}), 200*time.Millisecond, func(context.Context, Notifier) error {
			time.Sleep(time.Minute) // deaf to ctx
			return nil
		})
		fmt.Println("ended softly:", err)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestHangingProgramEndsHard$")
	cmd.Env = append(os.Environ(), "CONDICA_HANG=1")
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "ending hard") || time.Since(begin) > 30*time.Second {
		t.Errorf("after %s: %v\n%s", time.Since(begin), err, out)
	}
}
