package agent

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"condica/agent/api"
	"condica/agent/lan"
	"condica/agent/page"
)

// Files of the data folder for desks on the office's own network.
const (
	lanKeyFile   = "lan.key"
	lendingFile  = "lan.json"
	guestsFile   = "lan-guests.json" // []lan.Guest
	visitingFile = "guest.json"      // lan.Joined
)

// lending is what is kept of a PC that lends its desk.
type lending struct {
	Listen string `json:"listen"` // empty: it lends nothing now
}

// network is the PC's place among the office's desks: it lends its own, works at
// another's, or does neither.
type network struct {
	a    *Agent
	desk http.Handler // for guests

	mu       sync.Mutex
	kept     lending
	host     *lan.Host // nil: this PC has never lent its desk
	stop     func()    // ends listening and waits; nil: nothing listens
	at       *net.TCPAddr
	trouble  error             // why nothing listens
	system   func() []net.Addr // this PC's addresses; nil: as it says
	visiting atomic.Pointer[visit]
}

// A visit is this PC at another one's desk.
type visit struct {
	*lan.Visiting
	pages http.Handler
}

// openNetwork goes on as the PC was left. What is wrong with the network closes no
// desk: the PC works by itself, and says why.
func (a *Agent) openNetwork() {
	n := a.network
	n.mu.Lock()
	defer n.mu.Unlock()
	var j lan.Joined
	visits, err := readJSON(filepath.Join(a.o.Dir, visitingFile), &j)
	if err == nil && visits {
		err = n.visit(j)
	}
	if err != nil {
		n.trouble = fmt.Errorf("this PC cannot work at the desk of another: %w", err)
		a.o.Log.Error("this PC cannot work at the desk of another", "error", err)
	}
	if visits && err == nil {
		return
	}
	ok, err := readJSON(filepath.Join(a.o.Dir, lendingFile), &n.kept)
	if err == nil && ok && n.kept.Listen != "" {
		if err = lan.CheckListen(n.kept.Listen); err == nil {
			err = n.listenSoon()
		}
	}
	if err != nil {
		n.trouble = err
		a.o.Log.Error("this PC cannot lend its desk", "error", err)
	}
}

// listenAgain is how often an address is tried that is not there yet: at the start
// of a PC its network comes later.
const listenAgain = 5 * time.Second

// listenSoon listens now, or as soon as the address is there.
func (n *network) listenSoon() error {
	err := n.listen(n.kept.Listen)
	var down *net.OpError
	if !errors.As(err, &down) {
		return err
	}
	n.trouble = err
	n.a.o.Log.Warn("the address at which this PC lends its desk is not there yet", "error", err)
	ctx, stop := context.WithCancel(n.a.ctx)
	n.stop = stop
	n.a.work.Go(func() {
		again := time.NewTicker(listenAgain)
		defer again.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-again.C:
			}
			n.mu.Lock()
			if ctx.Err() == nil {
				n.trouble = n.listen(n.kept.Listen)
			}
			done := n.trouble == nil
			n.mu.Unlock()
			if done {
				return
			}
		}
	})
	return nil
}

// listen takes the address and serves guests there.
func (n *network) listen(address string) error {
	if err := n.needHost(); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("lend the desk at %s: %w", address, err)
	}
	ctx, stop := context.WithCancel(n.a.ctx)
	ended := make(chan struct{})
	n.a.work.Go(func() {
		defer close(ended)
		if err := n.host.Serve(ctx, ln, n.desk); err != nil {
			n.a.o.Log.Error("this PC lends its desk no more", "error", err)
		}
	})
	n.at, n.trouble = ln.Addr().(*net.TCPAddr), nil
	n.stop = func() { stop(); <-ended }
	return nil
}

func (n *network) needHost() error {
	if n.host != nil {
		return nil
	}
	key, err := n.key()
	if err != nil {
		return err
	}
	path := filepath.Join(n.a.o.Dir, guestsFile)
	var guests []lan.Guest
	if _, err := readJSON(path, &guests); err != nil {
		return err
	}
	n.host, err = lan.NewHost(lan.HostConfig{
		Key: key, Guests: guests, Random: rand.Text, Log: n.a.o.Log,
		Up:   func() int64 { return n.a.o.Clock.Reading().Up },
		Keep: func(g []lan.Guest) error { return writeJSON(path, g) },
	})
	return err
}

// key is this PC's key on the office's network; it is made here, and is another
// than the one the hub knows, which changes where a disk was copied.
func (n *network) key() (ed25519.PrivateKey, error) {
	path := filepath.Join(n.a.o.Dir, lanKeyFile)
	key, err := readKey(path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, errBadKey) {
		return makeKey(path)
	}
	return key, err
}

// visit makes this PC's browsers work at another one's desk.
func (n *network) visit(j lan.Joined) error {
	key, err := n.key()
	if err != nil {
		return err
	}
	v, err := lan.Visit(key, j, n.a.o.Log)
	if err != nil {
		return err
	}
	pages := page.Guest(page.GuestDesk{
		Log: n.a.o.Log, Office: n.a.office, Hosts: n.a.front.hosts, Tickets: n.a.tickets, Lender: j.Host, Forward: v.Forward,
		ShutOut: func(err error) bool { return errors.Is(err, lan.ErrShutOut) },
		Busy:    func(err error) bool { return errors.Is(err, lan.ErrBusy) },
		Here:    n.a.pages, Works: n.works,
	})
	if old := n.visiting.Swap(&visit{v, pages}); old != nil {
		old.Close()
	}
	return nil
}

// works: this PC is enrolled, and can be worked at by itself.
func (n *network) works() bool {
	_, err := n.a.office.Desk(n.a.ctx)
	return err == nil
}

// lender is the PC at whose desk this one works; empty: none.
func (n *network) lender() string {
	if v := n.visiting.Load(); v != nil {
		return v.Joined().Host
	}
	return ""
}

// ServeHTTP answers this PC's browsers: with the pages of the desk it works at,
// or its own. The looks at whether this service lives are at its own.
func (n *network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if v := n.visiting.Load(); v != nil && r.Method != http.MethodHead && !page.Inside(r, n.a.inside) {
		v.pages.ServeHTTP(w, r)
		return
	}
	n.a.pages.ServeHTTP(w, r)
}

// guestPages is the desk as the office's other PCs see it.
func (a *Agent) guestPages() http.Handler {
	return page.New(a.office, page.Options{
		Log: a.o.Log, Fault: a.fault, Version: a.o.Version, Hosts: []string{lan.Authority}, Random: rand.Text, Roster: a.clerks,
		Seat: func(r *http.Request) (name, browser string) {
			s, _ := lan.SeatOf(r) // the host lets nobody through who is no guest
			return s.Name, s.Browser
		},
	})
}

func readJSON(path string, into any) (ok bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return true, nil
}

func writeJSON(path string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return writeFile(path, text)
}

var _ api.Network = (*network)(nil)
