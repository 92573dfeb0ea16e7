package link

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"

	"condica/sync/wire"
)

// carriedOps bounds the ops of a carried request in bytes: with all else in it,
// it is no longer than a body may be, packed or not.
const carriedOps = 2 << 20

// Carried is a request as a file, for a PC that has no line.
type Carried struct {
	File    []byte
	Number  uint64 // of the request
	Edits   int    // own edits in it
	Left    int    // for which there was no room: they go with the next file
	Untimed int    // which stay here until somebody has told the PC the hour
}

// CarryOut writes down what the next request would say, signed and counted like
// one, to be carried to the hub. Nothing changes here but that the edits in it
// are sealed: the line may come back meanwhile and send the same.
func (l *Link) CarryOut(ctx context.Context) (c Carried, err error) {
	clash, err := l.replica.Clashed(ctx)
	if err != nil {
		return c, err
	}
	if clash {
		return c, ErrRetired
	}
	ops, untimed, left, err := l.replica.Carry(ctx, wire.MaxSegments*wire.MaxOps, carriedOps)
	if err != nil {
		return c, err
	}
	req, err := l.stand(ctx)
	if err != nil {
		return c, err
	}
	if err := l.put(&req, ops); err != nil {
		return c, err
	}
	if err := l.replica.Complete(ctx, &req, maxOutbox); err != nil {
		return c, err
	}
	req.Limit = wire.MaxPull
	req.SetClock(l.cfg.Now())
	body, err := wire.Encode(req)
	if err != nil {
		return c, err
	}
	body, _ = l.client.codec.Pack(body)
	number, err := l.number(ctx)
	if err != nil {
		return c, err
	}
	return Carried{wire.CarryRequest(l.cfg.Key, number, body), number, len(ops), left, untimed}, nil
}

// number takes the next request number, also before the conversation has begun.
func (l *Link) number(ctx context.Context) (uint64, error) {
	held, err := l.replica.Counter(ctx, l.client.counter.Load())
	if err != nil {
		return 0, err
	}
	raise(l.client.counter, held)
	return l.client.counter.Add(1), nil
}

// Brought is what a file of answers has brought.
type Brought struct {
	Unsent  int  // own edits that the hub has not answered, up to 1,000
	Pulled  int  // edits of others that are new here
	Refused int  // own edits that the hub will not take
	More    bool // the hub has more to say than the file holds: another has to be carried
	Stale   bool // the hub has been heard since the file was written
	Rekey   bool // this PC needs another key, which takes a line
}

// CarryIn saves a file of answers, one after the other, as the line saves its
// own. A file that is not whole, or not the hub's to this PC, changes nothing:
// the error is then a *wire.CarriedError. The same file may be brought again.
func (l *Link) CarryIn(ctx context.Context, file []byte) (b Brought, err error) {
	keys, err := l.replica.Keys(ctx)
	if err != nil {
		return b, err
	}
	answers, err := wire.ParseCarriedAnswers(file, wire.DeviceOf(l.cfg.Key.Public().(ed25519.PublicKey)), keys)
	if err != nil {
		return b, err
	}
	for _, a := range answers {
		if err := l.bring(ctx, a, &b); err != nil {
			return b, fmt.Errorf("answer %d of %d: %w", a.N+1, len(answers), err)
		}
	}
	l.Ring() // fewer edits wait
	return b, nil
}

func (l *Link) bring(ctx context.Context, carried wire.CarriedAnswer, b *Brought) error {
	body, err := l.client.codec.Opened(carried.Body)
	if err != nil {
		return err
	}
	a, err := wire.DecodeAnswer(body)
	if err != nil {
		return err
	}
	saved, stale, err := l.replica.SaveCarried(ctx, a)
	if err != nil {
		return err
	}
	b.Unsent, b.More, b.Stale, b.Rekey = saved.Unsent, saved.More, stale, saved.Rekey
	b.Pulled, b.Refused = b.Pulled+saved.Pulled, b.Refused+saved.Refused
	l.settle(ctx, saved)
	if !stale && l.cfg.Answered != nil {
		l.cfg.Answered(a)
	}
	return nil
}

// put signs ops, in the order of the log, into a request.
func (l *Link) put(req *wire.Request, ops [][]byte) (err error) {
	for some := range slices.Chunk(ops, wire.MaxOps) {
		s := wire.SignSegment(l.cfg.Key, some)
		req.Segments = append(req.Segments, s)
		if req.Own, err = held(req.Own, s); err != nil {
			return err
		}
	}
	return nil
}
