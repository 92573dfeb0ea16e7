package lan

import (
	"net"
	"net/netip"
	"sync"
)

// maxFromOne is how many connections one address may have: some browsers of one
// PC need a dozen, and a stranger must not use up those of the whole desk.
const maxFromOne = 64

// maxFromAll bounds what connections cost, some 60 kB each; a machine may have more
// addresses than anybody counts.
const maxFromAll = 1024

// A listener takes no connection from beyond the office's network, and not too
// many from one address, nor in all.
type listener struct {
	net.Listener
	mu   sync.Mutex
	open map[netip.Addr]int
	all  int
}

func newListener(ln net.Listener) *listener {
	return &listener{Listener: ln, open: map[netip.Addr]int{}}
}

func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		at, ok := c.RemoteAddr().(*net.TCPAddr)
		if ok && near(at.IP) && l.takes(from(at)) {
			return &counted{Conn: c, gone: sync.OnceFunc(func() { l.leaves(from(at)) })}, nil
		}
		c.Close()
	}
}

func from(at *net.TCPAddr) netip.Addr { return at.AddrPort().Addr().Unmap() }

func (l *listener) takes(at netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[at] >= maxFromOne || l.all >= maxFromAll {
		return false
	}
	l.open[at]++
	l.all++
	return true
}

func (l *listener) leaves(at netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all--
	if l.open[at]--; l.open[at] == 0 {
		delete(l.open, at)
	}
}

// A counted connection tells when it ends.
type counted struct {
	net.Conn
	gone func()
}

func (c *counted) Close() error {
	defer c.gone()
	return c.Conn.Close()
}
