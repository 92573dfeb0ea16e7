package hub

import (
	"context"

	"condica/hub/store"
	"condica/sync/wire"
)

// reserve gives a PC a block of registration numbers, if it runs low. What the
// hub cannot have forgotten is never given twice: the row only goes forward, in
// the transaction that answers; a block whose answer is lost stays a gap.
func reserve(tx store.Tx, d *store.Device, req wire.Request, at taken) (*wire.Numbers, error) {
	n, err := tx.Numbers()
	if err != nil {
		return nil, err
	}
	was := n
	n.Next = max(n.Next, 1)
	if at.reset && req.Epoch != "" && n.Leapt != at.epoch {
		n.Next, n.Leapt = n.Next+wire.NumberLeap, at.epoch // another life of the log has given numbers that nobody may ever speak of
	}
	out := block(&n, d, req.Numbers, at.reset)
	if n == was || n == (store.Numbers{Next: 1}) {
		return out, nil
	}
	return out, tx.SetNumbers(n)
}

// block decides what a PC is given that stands at ask.
func block(n *store.Numbers, d *store.Device, ask *wire.NumbersAt, reset bool) *wire.Numbers {
	if ask == nil {
		return nil
	}
	if known := max(ask.Given, ask.Known); known >= n.Next && known <= wire.NumberMax {
		n.Next = known + 1 + wire.NumberLeap
	}
	switch last := n.Next + wire.NumberBlock - 1; {
	case reset:
		return nil // the PC drops what it has, and asks once it has seen the new epoch
	case ask.Given > d.Number:
		return &wire.Numbers{Void: true}
	case ask.Left >= wire.NumberBlock || last > wire.NumberMax:
		return nil
	default:
		out := &wire.Numbers{From: n.Next, To: last}
		n.Next, d.Number = last+1, last
		return out
	}
}

// desks puts into an answer what the office's PCs are called, if the PC that asks
// knows otherwise. One that was revoked or replaced keeps its name: what it wrote
// is still read.
func (s *Server) desks(ctx context.Context, office, known string, a *wire.Answer) error {
	if known == "" {
		return nil
	}
	devices, err := s.Store.Devices(ctx, office)
	if err != nil {
		return err
	}
	var all []wire.Desk
	for _, d := range devices {
		if d.Desk > 0 {
			all = append(all, wire.Desk{Device: d.ID, Desk: d.Desk, Name: d.Name})
		}
	}
	if wire.DesksSum(all) != known {
		a.Desks = all
	}
	return nil
}
