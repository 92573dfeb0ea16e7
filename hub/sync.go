package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"condica/hub/store"
	"condica/sync/hlc"
	"condica/sync/wire"
)

// syncPath is what requests are signed for; a proxy may not rewrite it.
const syncPath = "/v1/sync"

// sync is one exchange: who asks, what they bring, what they get.
func (s *Server) sync(w http.ResponseWriter, r *http.Request) error {
	signed, err := wire.ParseSigned(r.Header.Get(wire.SignatureHeader))
	if err != nil {
		return fail(http.StatusUnauthorized, "signature", err.Error())
	}
	me, err := s.author(r.Context(), signed)
	if err != nil {
		return err
	}
	// The body is read before a place at work is taken: on a slow line that
	// lasts minutes.
	body, err := readBody(w, r)
	if err != nil {
		return err
	}
	leave, err := s.atWork(r)
	if err != nil {
		return err
	}
	defer func() { leave() }()
	req, err := s.request(r, me, signed, body)
	if err != nil {
		return err
	}
	got, err := s.take(r.Context(), me, signed.Counter, req, false)
	if err != nil {
		return err
	}
	if req.WaitMs > 0 && len(req.Segments) == 0 && len(req.Relay) == 0 && len(req.Days) == 0 && !got.reset && got.numbers == nil {
		leave()
		leave = func() {}
		if err := s.wait(r.Context(), me, got.from, req.Settings, time.Duration(req.WaitMs)*time.Millisecond); err != nil {
			return err
		}
		again, err := s.atWork(r)
		if err != nil {
			return err
		}
		leave = again
		// A PC that was shut out while it waited gets nothing more.
		if _, err := s.author(r.Context(), signed); err != nil {
			return err
		}
	}
	answer, err := s.compose(r.Context(), me, req, got)
	if err != nil {
		return err
	}
	return s.answer(w, r, answer)
}

// author finds who claims to have signed. The signature itself is checked
// against the body, which a stranger is not let to send.
func (s *Server) author(ctx context.Context, signed wire.Signed) (store.Device, error) {
	d, err := s.Store.Device(ctx, signed.Device)
	switch {
	case errors.Is(err, store.ErrNone) || err == nil && d.Kind != store.PC:
		return d, unknownDevice(signed.Device)
	case err != nil:
		return d, err
	}
	return d, shutOut(d)
}

func unknownDevice(id hlc.Device) error {
	return fail(http.StatusUnauthorized, "unknown-device", fmt.Sprintf("the hub does not know the device %s; enrol it again", id))
}

// request checks the signature too. The office is the device's,
// whatever the body says.
func (s *Server) request(r *http.Request, me store.Device, signed wire.Signed, body []byte) (wire.Request, error) {
	if !signed.Verify(me.Pub, syncPath, body) {
		return wire.Request{}, fail(http.StatusUnauthorized, "signature", "the request's signature does not fit: something on the line changed it, or it is not this PC's")
	}
	body, err := s.decoded(r.Header.Get("Content-Encoding"), body)
	if err != nil {
		return wire.Request{}, err
	}
	return s.readRequest(r.Context(), me, body)
}

// readRequest checks shape and authors.
func (s *Server) readRequest(ctx context.Context, me store.Device, body []byte) (wire.Request, error) {
	req, err := wire.DecodeRequest(body)
	if err != nil {
		return req, fail(http.StatusBadRequest, "request", err.Error())
	}
	if req.WaitMs > 0 && s.news.count() >= s.Config.Waiting {
		return req, busy()
	}
	if err := named(req.Relay); err != nil {
		return req, err
	}
	for i, seg := range req.Segments {
		if err := s.genuine(ctx, me, seg); err != nil {
			return req, fmt.Errorf("segment %d: %w", i+1, err)
		}
	}
	return req, nil
}

// genuine: a segment may come by another PC of the office, but its author must
// be of the office and must have signed it. Otherwise nothing of the request
// is taken; the PC keeps it all.
func (s *Server) genuine(ctx context.Context, me store.Device, seg wire.Segment) error {
	author, err := s.Store.Device(ctx, seg.Device)
	switch {
	case errors.Is(err, store.ErrNone) || err == nil && (author.Office != me.Office || author.Kind != store.PC):
		return fail(http.StatusBadRequest, "segment", fmt.Sprintf("a segment is by device %s, which is no PC of office %s", seg.Device, me.Office))
	case err != nil:
		return err
	case author.RevokedMs != 0:
		return fail(http.StatusBadRequest, "segment", fmt.Sprintf("a segment is by device %s, which has been revoked", seg.Device))
	case author.RetiredMs != 0:
		return fail(http.StatusBadRequest, "segment", fmt.Sprintf("a segment is by device %s, whose key was replaced", seg.Device))
	}
	if err := seg.Verify(author.Pub); err != nil {
		return fail(http.StatusBadRequest, "segment", err.Error())
	}
	return nil
}

// wait holds the exchange until another device of the office has news after
// pos, there are settings that the PC lacks, the time is up, the PC goes away or
// the hub closes.
func (s *Server) wait(ctx context.Context, me store.Device, pos int64, at *wire.SettingsAt, most time.Duration) error {
	timeout := time.NewTimer(most)
	defer timeout.Stop()
	for {
		// First the ear at the bell, then the look: news in between is heard.
		rung, leave := s.news.hear(me.Office)
		head, news, err := s.look(ctx, me, pos)
		if err != nil || news || at != nil && at.Lacks(s.desired(me.Office)) {
			leave()
			return err
		}
		pos = head
		select {
		case <-rung:
			leave()
		case <-timeout.C:
			leave()
			return nil
		case <-s.done:
			leave()
			return nil
		case <-ctx.Done():
			leave()
			return ctx.Err()
		}
	}
}

// look says whether the log holds something after pos that is not the PC's
// own. That the PC has been shut out is news too.
func (s *Server) look(ctx context.Context, me store.Device, pos int64) (seen int64, news bool, err error) {
	if me, err = s.Store.Device(ctx, me.ID); err != nil || shutOut(me) != nil {
		return pos, err == nil, err
	}
	for {
		entries, head, err := s.Store.After(ctx, me.Office, pos, page)
		if err != nil {
			return pos, false, err
		}
		for _, e := range entries {
			if pos = e.Pos; e.ID.Device != me.ID {
				return pos, true, nil
			}
		}
		if len(entries) == 0 || pos >= head {
			return pos, false, nil
		}
	}
}

const (
	page      = 500              // entries read from the store at a time
	maxAnswer = wire.MaxBody / 2 // bytes of ops in one answer; the rest comes with the next
	maxHealth = 4 << 10          // bytes kept of what a PC says of itself
)

// compose puts the answer together from what is in the log now.
func (s *Server) compose(ctx context.Context, me store.Device, req wire.Request, got taken) (wire.Answer, error) {
	a := wire.Answer{V: wire.Version, Epoch: got.epoch, Have: got.have, Verdicts: got.verdicts, From: got.from, Cursor: got.from, Numbers: got.numbers}
	if keys := s.QRKeys(); req.Keys != wire.KeysSum(keys) {
		a.Keys = keys
	}
	if got.reset {
		req.Own = 0 // what it holds is of another life of the log, in which the same number may have meant another op
	}
	if err := s.desks(ctx, me.Office, req.Desks, &a); err != nil {
		return a, err
	}
	size, err := s.continued(ctx, me, req, &a)
	if err != nil {
		return a, err
	}
	if err := s.digest(ctx, me.Office, &a); err != nil {
		return a, err
	}
	if len(req.Days) > 0 && !got.reset {
		if a.Mend, err = s.mend(ctx, me.Office, req, maxAnswer-size); err != nil {
			return a, err
		}
		if a.Mend != nil {
			for _, e := range a.Mend.Entries {
				size += weight(e)
			}
		}
	}
	if err := s.due(ctx, me.Office, req.Settings, &a, size); err != nil {
		return a, err
	}
	a.HubMs = s.Now()
	return a, nil
}

// continued puts the log from the PC's place on into an answer, and gives the
// size of that in bytes.
func (s *Server) continued(ctx context.Context, me store.Device, req wire.Request, a *wire.Answer) (size int, err error) {
	for len(a.Entries) < req.Limit && size < maxAnswer {
		entries, head, err := s.Store.After(ctx, me.Office, a.Cursor, min(page, req.Limit-len(a.Entries)))
		if err != nil {
			return size, err
		}
		a.Head = head
		for _, e := range entries {
			if size >= maxAnswer {
				break
			}
			out := outgoing(e, me, req.Own)
			size += weight(out)
			a.Entries, a.Cursor = append(a.Entries, out), e.Pos
		}
		if len(entries) == 0 || a.Cursor >= head {
			break
		}
	}
	return size, nil
}

// weight is about how many bytes an entry takes in an answer.
func weight(e wire.Entry) int { return len(e.Op) + 64 }

// outgoing is an entry as this PC needs it: of its own ops that it holds, only
// the place.
func outgoing(e store.Entry, me store.Device, own uint64) wire.Entry {
	out := whole(e)
	if e.ID.Device == me.ID && e.ID.Seq <= own {
		out.Device, out.Op, out.Seq = hlc.Device{}, nil, e.ID.Seq
	}
	return out
}

// whole is an entry with all its bytes.
func whole(e store.Entry) wire.Entry {
	out := wire.Entry{Pos: e.Pos, Device: e.ID.Device, Op: e.Signed}
	if e.Eff != e.Time {
		out.Eff = e.Eff
	}
	return out
}

// contact notes what the PC says of itself.
func contact(d *store.Device, now int64, req wire.Request) (err error) {
	d.LastMs = now
	if len(req.Health) > 0 && len(req.Health) <= maxHealth {
		d.Health = req.Health
	}
	if req.Settings != nil {
		d.Settings, err = json.Marshal(req.Settings)
	}
	return err
}
