package main

import (
	"errors"
	"io"
	"net"
	"sync"
)

// A gate is the demo's line to the hub: a relay on loopback that can be cut
// and restored. Cut, it breaks what is open and refuses what comes.
type gate struct {
	ln net.Listener

	mu    sync.Mutex
	to    string
	down  bool
	conns map[net.Conn]bool
	work  sync.WaitGroup
}

// openGate listens on a free loopback port; relayTo says where it leads.
func openGate() (*gate, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gate{ln: ln, conns: map[net.Conn]bool{}}
	g.work.Go(g.serve)
	return g, nil
}

func (g *gate) addr() string { return g.ln.Addr().String() }

func (g *gate) relayTo(addr string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.to = addr
}

func (g *gate) target() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.to
}

func (g *gate) serve() {
	for {
		c, err := g.ln.Accept()
		if err != nil {
			return
		}
		if !g.hold(c) {
			c.Close()
			continue
		}
		g.work.Go(func() { g.relay(c) })
	}
}

func (g *gate) relay(c net.Conn) {
	defer g.drop(c)
	h, err := net.Dial("tcp", g.target())
	if err != nil {
		return
	}
	if !g.hold(h) {
		h.Close()
		return
	}
	defer g.drop(h)
	done := make(chan struct{}, 2)
	pipe := func(to, from net.Conn) {
		io.Copy(to, from)
		done <- struct{}{}
	}
	go pipe(h, c)
	go pipe(c, h)
	<-done
}

// hold notes an open connection; a cut line holds none.
func (g *gate) hold(c net.Conn) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.down {
		return false
	}
	g.conns[c] = true
	return true
}

func (g *gate) drop(c net.Conn) {
	c.Close()
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, c)
}

// Cut breaks the line.
func (g *gate) Cut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.down = true
	for c := range g.conns {
		c.Close()
	}
}

// Restore mends it.
func (g *gate) Restore() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.down = false
}

func (g *gate) set(cut bool) {
	if cut {
		g.Cut()
	} else {
		g.Restore()
	}
}

// Down reports whether it is cut.
func (g *gate) Down() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.down
}

func (g *gate) Close() error {
	g.Cut()
	err := g.ln.Close()
	g.work.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
