package agent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"condica/agent/api"
	"condica/agent/lan"
)

// What IT is told where the order of things is another.
var (
	errLends    = errors.New("this PC lends its own desk; end that first")
	errVisits   = errors.New("this PC works at the desk of another; leave that first")
	errIdle     = errors.New("this PC does not lend its desk; say first at which address")
	errItself   = errors.New("this is this PC's own invitation; it is for another one")
	errNoGuest  = errors.New("no desk of this name was let in")
	errNowhere  = errors.New("this PC has no address on the office's network; name one")
	errNoLender = errors.New("this PC works at no other's desk")
	errAstray   = errors.New("this PC has that address no more")
	errWhere    = fmt.Errorf("name one address, or up to %d", maxAt)
	errOffice   = errors.New("this PC belongs to another office than the one that invites")
)

// maxAt is how many addresses of a lender are tried.
const maxAt = 8

// askWithin bounds how long a lender is waited for that only has to say it lives.
const askWithin = 6 * time.Second

// findWithin is for all addresses that are tried in turn.
const findWithin = 20 * time.Second

// State says what stands, and asks the lender whether it answers: not under mu,
// or nobody could leave one that is silent.
func (n *network) State(ctx context.Context) (api.LANState, error) {
	n.mu.Lock()
	s := n.state()
	n.mu.Unlock()
	if v := n.visiting.Load(); v != nil {
		ctx, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		if err := v.Ask(ctx); err != nil {
			s.Say = err.Error()
		}
	}
	return s, nil
}

// state says what stands; it is called under mu.
func (n *network) state() api.LANState {
	s := api.LANState{Listen: n.kept.Listen, Guests: []string{}, At: []string{}}
	if n.kept.Listen != "" && n.at != nil {
		s.At = append(s.At, lan.Reachable(n.at, n.own())...)
	}
	switch {
	case n.trouble != nil:
		s.Say = n.trouble.Error()
	case n.at != nil && lan.Astray(n.at, n.own()):
		s.Say = errAstray.Error()
	}
	if n.host != nil {
		for _, g := range n.host.Guests() {
			s.Guests = append(s.Guests, g.Name)
		}
	}
	if v := n.visiting.Load(); v != nil {
		j := v.Joined()
		s.Lender, s.Seat, s.At = j.Host, j.Name, j.At
	}
	return s
}

// own are this PC's addresses.
func (n *network) own() []net.Addr {
	if n.system != nil {
		return n.system()
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil // then the address has to be named
	}
	return all
}

// Lend listens for guests at an address; an empty one ends that. Guests stay let
// in.
func (n *network) Lend(ctx context.Context, listen string) (api.LANState, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.visiting.Load() != nil {
		return api.LANState{}, api.Against("guest", errVisits)
	}
	if listen != "" {
		if err := lan.CheckListen(listen); err != nil {
			return api.LANState{}, api.Bad(err)
		}
	}
	if n.stop != nil {
		n.stop()
		n.stop, n.at, n.trouble = nil, nil, nil
	}
	if listen != "" {
		if err := n.listen(listen); err != nil {
			return api.LANState{}, api.Against("address", errors.Join(err, n.again()))
		}
		listen = sameName(listen, n.at)
	}
	kept := lending{listen}
	if err := writeJSON(filepath.Join(n.a.o.Dir, lendingFile), kept); err != nil {
		return api.LANState{}, err
	}
	n.kept = kept
	return n.state(), nil
}

// again goes on listening where it did.
func (n *network) again() error {
	if n.kept.Listen == "" {
		return nil
	}
	return n.listenSoon()
}

// sameName keeps the port that was found for port 0: guests look for it there
// after a restart.
func sameName(listen string, at *net.TCPAddr) string {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return at.String()
	}
	_, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return at.String()
	}
	return net.JoinHostPort(host, port)
}

// Invite makes an invitation for one PC, whose desk is to be called name. at names
// where this PC is found; none: every address it has on the office's network.
func (n *network) Invite(ctx context.Context, name string, at []string) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.at == nil {
		return "", api.Against("not-lending", errIdle)
	}
	for _, a := range at {
		if err := lan.CheckAddress(a); err != nil {
			return "", api.Bad(err)
		}
	}
	if len(at) == 0 {
		at = lan.Reachable(n.at, n.own())
	}
	if len(at) == 0 {
		return "", api.Bad(errNowhere)
	}
	d, err := n.a.office.Desk(ctx)
	if err != nil {
		return "", err
	}
	i, err := n.host.Invite(n.name(ctx), name, at)
	switch {
	case errors.Is(err, lan.ErrName):
		return "", api.Bad(err)
	case errors.Is(err, lan.ErrTaken), errors.Is(err, lan.ErrTooMany):
		return "", api.Against("desk-name", err)
	case err != nil:
		return "", err
	}
	i.Office = string(d.Office)
	return i.String(), nil
}

// name is how people call this PC.
func (n *network) name(ctx context.Context) string {
	if host, err := os.Hostname(); err == nil && host != "" {
		return host
	}
	return n.a.db.Device().String()[:4]
}

// Remove shuts a guest out.
func (n *network) Remove(ctx context.Context, name string) (api.LANState, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err := n.needHost(); err != nil {
		return api.LANState{}, err
	}
	ok, err := n.host.Remove(name)
	if err == nil && !ok {
		err = api.Against("desk-name", errNoGuest)
	}
	return n.state(), err
}

// Join makes this PC a guest of the one that invited it.
func (n *network) Join(ctx context.Context, invitation string) (api.LANState, error) {
	i, err := lan.ParseInvitation(invitation)
	if err != nil {
		return api.LANState{}, api.Bad(err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.kept.Listen != "" {
		return api.LANState{}, api.Against("lending", errLends)
	}
	// A PC that is enrolled nowhere may be a guest; its own desk is then nobody's.
	if d, err := n.a.office.Desk(ctx); err == nil && string(d.Office) != i.Office {
		return api.LANState{}, api.Against("other-office", errOffice)
	}
	key, err := n.key()
	if err != nil {
		return api.LANState{}, err
	}
	if pin, err := lan.PinOf(key.Public()); err != nil || pin == i.Pin {
		return api.LANState{}, errors.Join(err, api.Against("itself", errItself))
	}
	j, err := lan.Join(ctx, key, i)
	switch {
	case errors.Is(err, lan.ErrInvitation):
		return api.LANState{}, api.Against("invitation", err)
	case errors.Is(err, lan.ErrSilent):
		return api.LANState{}, api.Unreached(err)
	case err != nil:
		return api.LANState{}, err
	}
	if err := writeJSON(filepath.Join(n.a.o.Dir, visitingFile), j); err != nil {
		return api.LANState{}, err
	}
	if err := n.visit(j); err != nil {
		return api.LANState{}, err
	}
	n.trouble = nil
	return n.state(), nil
}

// Find goes on with the same lender at another address, once it has answered there.
func (n *network) Find(ctx context.Context, at []string) (api.LANState, error) {
	v := n.visiting.Load()
	if v == nil {
		return api.LANState{}, api.Against("no-guest", errNoLender)
	}
	if len(at) == 0 || len(at) > maxAt {
		return api.LANState{}, api.Bad(errWhere)
	}
	for _, a := range at {
		if err := lan.CheckAddress(a); err != nil {
			return api.LANState{}, api.Bad(err)
		}
	}
	j := v.Joined()
	j.At = at
	if err := n.answers(ctx, j); err != nil {
		return api.LANState{}, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.visiting.Load() != v { // it was left meanwhile
		return api.LANState{}, api.Against("no-guest", errNoLender)
	}
	if err := writeJSON(filepath.Join(n.a.o.Dir, visitingFile), j); err != nil {
		return api.LANState{}, err
	}
	if err := n.visit(j); err != nil {
		return api.LANState{}, err
	}
	return n.state(), nil
}

// answers asks a lender whether it is found by j, and lets this PC in.
func (n *network) answers(ctx context.Context, j lan.Joined) error {
	key, err := n.key()
	if err != nil {
		return err
	}
	v, err := lan.Visit(key, j, n.a.o.Log)
	if err != nil {
		return err
	}
	defer v.Close()
	ctx, cancel := context.WithTimeout(ctx, findWithin)
	defer cancel()
	switch err := v.Ask(ctx); {
	case errors.Is(err, lan.ErrShutOut):
		return api.Against("shut-out", err)
	case err != nil:
		return api.Unreached(err)
	}
	return nil
}

// Leave makes this PC work at its own desk again.
func (n *network) Leave(ctx context.Context) (api.LANState, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	v := n.visiting.Load()
	if v == nil {
		return api.LANState{}, api.Against("no-guest", errNoLender)
	}
	if err := os.Remove(filepath.Join(n.a.o.Dir, visitingFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return api.LANState{}, err
	}
	if err := syncDir(n.a.o.Dir); err != nil {
		return api.LANState{}, err
	}
	n.visiting.Store(nil)
	v.Close()
	return n.state(), nil
}

var _ http.Handler = (*network)(nil)
