package hub

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net/http"

	"condica/hub/store"
	"condica/sync/wire"
)

// taken is what became of a request in the office's log.
type taken struct {
	epoch    string
	reset    bool  // the PC must compare everything anew
	clone    bool  // another machine uses the PC's key
	again    bool  // a file that was taken before
	from     int64 // its answer begins after this position
	have     uint64
	verdicts []wire.Verdict
	numbers  *wire.Numbers // nil: it is given none
}

// take writes what a request brings, all in one transaction: its counter, its
// ops, its health. A replayed request leaves nothing; carried as a file it may
// come again, as long as the hub can tell that it is the same.
func (s *Server) take(ctx context.Context, me store.Device, counter uint64, req wire.Request, carried bool) (taken, error) {
	var out taken
	placed := false
	var pen ed25519.PublicKey
	if len(req.Relay) > 0 {
		var err error
		if pen, err = s.penKey(ctx, me.Office); err != nil {
			return out, err
		}
	}
	err := s.Store.Write(ctx, me.Office, func(tx store.Tx) error {
		t := newTaking(tx, me.Office, s.Now())
		t.newer, t.pen = req.V > wire.Version, pen
		d, err := t.device(me.ID)
		if err != nil {
			return err
		}
		if err := shutOut(*d); err != nil {
			return err
		}
		again := carried && d.Window.Has(counter)
		if !again {
			if out.clone, err = s.count(d, counter, req.Clock.Boot); err != nil {
				return err
			}
		}
		if out.clone {
			return tx.SetDevice(*d) // and the answer is no: that is for after the commit
		}
		if out, err = s.stand(tx, req); err != nil {
			return err
		}
		if out.numbers, err = reserve(tx, d, req, out); err != nil {
			return err
		}
		if err := t.all(d, req); err != nil {
			return err
		}
		if err := contact(d, t.now, req); err != nil {
			return err
		}
		if err := t.finish(); err != nil {
			return err
		}
		out.again = again
		out.have, out.verdicts, placed = d.Have, append(runs(t.verdicts[me.ID]), runs(t.relayed)...), t.placed
		return nil
	})
	if err == nil && (placed || out.clone) {
		s.news.ring(me.Office)
	}
	if err == nil && out.clone {
		s.Log.Warn("two machines use the key of one PC; it is taken from neither any more", "device", me.ID, "office", me.Office, "name", me.Name)
		return out, retired()
	}
	return out, err
}

// shutOut says why nothing more is taken from a device; nil if it may come.
func shutOut(d store.Device) error {
	switch {
	case d.RevokedMs != 0:
		return fail(http.StatusForbidden, "revoked", "this PC has been revoked by central IT")
	case d.RetiredMs != 0:
		return retired()
	}
	return nil
}

func retired() error {
	return fail(http.StatusForbidden, "retired", "this PC's key is in use on another machine too, or was replaced; it needs a new one")
}

// count notes the request's number and the run of the PC that it comes from.
// clone: it shows that two machines use the key, and the device is retired.
func (s *Server) count(d *store.Device, counter uint64, boot string) (clone bool, err error) {
	seen, ok := d.Window.Admit(counter)
	if !ok {
		return false, &failure{status: http.StatusConflict, counter: d.Window.High, Problem: wire.Problem{
			Code: "counter", Say: fmt.Sprintf("request number %d has been used; go on after %d", counter, d.Window.High)}}
	}
	if counter > d.Window.High {
		if d.Boot, d.Boots, clone = cameFrom(d.Boot, d.Boots, boot); clone {
			d.RetiredMs, d.Cloned = s.Now(), true
		}
	}
	d.Window = seen
	return clone, nil
}

// stand finds out whether PC and hub speak of the same log. A PC that has read
// further than the log goes, or holds another op at its place, knows a life of
// the log that is lost: the hub was restored from a backup. The log gets a new
// epoch, once; every PC that brings the old one sends again what is missing.
func (s *Server) stand(tx store.Tx, req wire.Request) (taken, error) {
	epoch, err := s.epoch(tx)
	if err != nil {
		return taken{}, err
	}
	if req.Epoch != epoch {
		return taken{epoch: epoch, reset: true}, nil
	}
	head, err := tx.Head()
	if err != nil {
		return taken{}, err
	}
	id, _, err := tx.At(req.Cursor)
	if err != nil {
		return taken{}, err
	}
	if req.Cursor <= head && (req.Tip == "" || req.Cursor == 0 || id.String() == req.Tip) {
		return taken{epoch: epoch, from: req.Cursor}, nil
	}
	if epoch, err = s.newEpoch(); err != nil {
		return taken{}, err
	}
	s.Log.Warn("an office's log has been restored to an earlier state", "head", head, "cursor", req.Cursor, "epoch", epoch)
	return taken{epoch: epoch, reset: true}, tx.SetEpoch(epoch)
}
