package api

import (
	"context"
	"net/http"
)

// A Network is the PC's place among the desks of its office (agent/lan). Errors
// are made by Against, Bad and Unreached, or are faults.
type Network interface {
	State(ctx context.Context) (LANState, error)
	Lend(ctx context.Context, listen string) (LANState, error) // empty: no more
	Invite(ctx context.Context, name string, at []string) (invitation string, err error)
	Remove(ctx context.Context, name string) (LANState, error)
	Join(ctx context.Context, invitation string) (LANState, error)
	Leave(ctx context.Context) (LANState, error)
	Find(ctx context.Context, at []string) (LANState, error)
}

// A LANState says which desks work together.
type LANState struct {
	Listen string   `json:"listen"` // where this PC lends its desk; empty: it does not
	Guests []string `json:"guests"` // desks that were let in, as they are called
	Lender string   `json:"lender"` // the PC at whose desk this one works; empty: at its own
	Seat   string   `json:"seat"`   // how this PC's desk is called there
	At     []string `json:"at"`     // host:port at which this PC, or the lender, is found
	Say    string   `json:"say"`    // why it does not work now; empty: it works
}

// A LendRequest says where to listen for other PCs of the office.
type LendRequest struct {
	Listen string `json:"listen"` // host:port of this PC on the office's network; empty: lend no more
}

// An InviteRequest asks for an invitation for one PC.
type InviteRequest struct {
	Name string   `json:"name"` // how its desk is called, up to 30 letters
	At   []string `json:"at"`   // host:port at which it finds this PC; none: this PC's addresses
}

// An Invited is the invitation.
type Invited struct {
	Invitation string `json:"invitation"` // good once, within an hour, while this service runs
}

// A RemoveRequest shuts a desk out.
type RemoveRequest struct {
	Name string `json:"name"`
}

// A JoinRequest makes this PC work at the desk of the one that invited it.
type JoinRequest struct {
	Invitation string `json:"invitation"`
}

// A FindRequest says where the PC is found at whose desk this one works.
type FindRequest struct {
	At []string `json:"at"` // host:port, the likeliest first
}

// lan is how the desks stand, for those who ask for more than that.
func (d *door) lan(r *http.Request) (LANState, error) {
	if d.opt.Network == nil {
		return LANState{Guests: []string{}, At: []string{}}, nil
	}
	return d.opt.Network.State(r.Context())
}

func lanState(d *door, r *http.Request) (any, error) {
	return onNetwork(d, r, nil, func(n Network) (any, error) { return n.State(r.Context()) })
}

func lend(d *door, r *http.Request) (any, error) {
	var q LendRequest
	return onNetwork(d, r, &q, func(n Network) (any, error) { return n.Lend(r.Context(), q.Listen) })
}

func invite(d *door, r *http.Request) (any, error) {
	var q InviteRequest
	return onNetwork(d, r, &q, func(n Network) (any, error) {
		i, err := n.Invite(r.Context(), q.Name, q.At)
		return Invited{i}, err
	})
}

func remove(d *door, r *http.Request) (any, error) {
	var q RemoveRequest
	return onNetwork(d, r, &q, func(n Network) (any, error) { return n.Remove(r.Context(), q.Name) })
}

func joinDesk(d *door, r *http.Request) (any, error) {
	var q JoinRequest
	return onNetwork(d, r, &q, func(n Network) (any, error) { return n.Join(r.Context(), q.Invitation) })
}

func leave(d *door, r *http.Request) (any, error) {
	return onNetwork(d, r, nil, func(n Network) (any, error) { return n.Leave(r.Context()) })
}

func find(d *door, r *http.Request) (any, error) {
	var q FindRequest
	return onNetwork(d, r, &q, func(n Network) (any, error) { return n.Find(r.Context(), q.At) })
}

// onNetwork reads a request, unless into is nil, and asks the network.
func onNetwork(d *door, r *http.Request, into any, do func(Network) (any, error)) (any, error) {
	if into != nil {
		if err := decode(r, into); err != nil {
			return nil, err
		}
	}
	if d.opt.Network == nil {
		return nil, notHere()
	}
	return do(d.opt.Network)
}

// Against is the error for what stands against an order as things are; code is
// the word for scripts.
func Against(code string, err error) error {
	return problem(http.StatusConflict, code, err.Error(), "Nu se poate face acum; anunțați persoana de contact IT.")
}

// Bad is the error for an order that makes no sense.
func Bad(err error) error { return bad(err) }

// Unreached is the error for another PC of the office that does not answer.
func Unreached(err error) error {
	return problem(http.StatusBadGateway, "unreachable", err.Error(), "Celălalt calculator al biroului nu răspunde.")
}
