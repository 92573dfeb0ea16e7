package service

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	kardianos "github.com/kardianos/service"
)

// underWindows tells whether the service control manager started this process.
func underWindows() bool { return !kardianos.Interactive() }

// runWindows answers the service control manager until it says stop.
func runWindows(ctx context.Context, name string, work Work) error {
	p := &program{work: work, ended: make(chan struct{}), exit: os.Exit}
	p.ctx, p.cancel = context.WithCancel(ctx)
	defer p.cancel()
	s, err := kardianos.New(p, &kardianos.Config{Name: name})
	if err != nil {
		return err
	}
	if p.log, err = s.Logger(nil); err != nil {
		p.log = kardianos.ConsoleLogger // without its event source the service runs all the same
	}
	return s.Run()
}

// A program is what kardianos/service starts and stops. It is a Shutdowner, so
// that the manager also tells it when the PC goes down.
type program struct {
	work   Work
	ctx    context.Context
	cancel context.CancelFunc
	ended  chan struct{}
	err    error // of work; read after ended
	log    kardianos.Logger
	exit   func(code int)
}

var _ kardianos.Shutdowner = (*program)(nil)

// Start only spawns: Windows counts the service as running when it returns,
// and gives up on one that takes half a minute.
func (p *program) Start(kardianos.Service) error {
	go p.run()
	return nil
}

func (p *program) run() {
	t := newTeller(p.tell)
	t.every = aliveWithin / 4
	t.dead = func() {
		p.log.Error("the desk did not answer for two minutes; the service is ended and started again")
		p.exit(1)
	}
	p.err = carry(p.ctx, t, hardExit, p.work)
	asked := p.ctx.Err() != nil
	close(p.ended)
	if asked {
		return
	}
	// Ended by itself. kardianos/service would go on waiting for the manager's
	// word with nothing running; an end without a word is what starts the
	// recovery.
	p.log.Errorf("the service ended by itself and is started again: %v", p.err)
	p.exit(1)
}

// Stop is called when the manager asks for it. An error makes the manager
// count this as a failure.
func (p *program) Stop(kardianos.Service) error { return p.end(hardExit) }

// Shutdown is Stop when the PC goes down: Windows does not wait long.
func (p *program) Shutdown(kardianos.Service) error { return p.end(hardExitShutdown) }

func (p *program) end(within time.Duration) error {
	p.cancel()
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-p.ended:
		return p.err
	case <-late.C:
		p.exit(1)
		return fmt.Errorf("not ended %s after it was asked to", within)
	}
}

// tell keeps what the service says of itself in the event log.
func (p *program) tell(line string) {
	if text, ok := strings.CutPrefix(line, "STATUS="); ok {
		p.log.Info(text)
	}
}
