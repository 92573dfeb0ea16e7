package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"condica/hub/store"
	"condica/sync/hlc"
	"condica/sync/wire"
)

// A Carried says what the hub did with a request that came as a file.
type Carried struct {
	Device  hlc.Device
	Name    string // of the PC
	Office  string
	Number  uint64 // of the request
	Edits   int    // placed, now or before
	Refused int
	Again   bool // the file had been taken before; nothing counts twice
	Answers int
	Whole   bool // the answers reach the end of the office's log
}

// Carry takes a request that was carried here as a file, as if it had come over
// the line, and writes the answers to it, up to the end of the office's log or
// wire.MaxCarried bytes. A file is signed for another path than a request over
// the line: neither passes for the other. Taken twice it is answered twice.
func (s *Server) Carry(ctx context.Context, file []byte, w io.Writer) (out Carried, err error) {
	signed, body, err := wire.ParseCarriedRequest(file)
	if err != nil {
		return out, err
	}
	me, err := s.author(ctx, signed)
	if err != nil {
		return out, err
	}
	if !signed.Verify(me.Pub, wire.CarriedPath, body) {
		return out, fail(http.StatusUnauthorized, "signature", "the signature does not fit: something has changed the file, or it is not of this PC; copy it again")
	}
	if body, err = unpacked(s.codec.Opened(body)); err != nil {
		return out, err
	}
	req, err := s.readRequest(ctx, me, body)
	if err != nil {
		return out, err
	}
	got, err := s.take(ctx, me, signed.Counter, req, true)
	if err != nil {
		return out, overtaken(err)
	}
	out = Carried{Device: me.ID, Name: me.Name, Office: me.Office, Number: signed.Counter, Again: got.again}
	out.count(got.verdicts)
	err = s.answers(ctx, me, signed.Counter, req, got, w, &out)
	return out, err
}

// CarryReasons lists the codes of CarryReason.
func CarryReasons() []string {
	return []string{
		wire.CarriedForeign, wire.CarriedCut, wire.CarriedChanged, "signature", "unknown-device", "revoked", "retired",
		"counter", "too-large", "body", "request", "segment", "busy",
	}
}

// CarryReason gives the code of an error of Carry that is the file's or its
// PC's; ok is false for a trouble of the hub's own. Nothing was taken from such a
// file.
func CarryReason(err error) (code string, ok bool) {
	var bad *wire.CarriedError
	if errors.As(err, &bad) {
		return bad.Code, true
	}
	var f *failure
	if errors.As(err, &f) {
		return f.Code, true
	}
	return "", false
}

// overtaken words a number that is too old for whoever carries files.
func overtaken(err error) error {
	var f *failure
	if errors.As(err, &f) && f.Code == "counter" {
		f.Say = fmt.Sprintf("the PC has been heard since it wrote this file, up to request %d; nothing is taken from it, and nothing is lost: what the hub has not acknowledged the PC still holds. Write a new file", f.counter)
	}
	return err
}

func (c *Carried) count(verdicts []wire.Verdict) {
	for _, v := range verdicts {
		n := int(max(v.N, 1))
		switch {
		case v.Dev != (hlc.Device{}): // relayed: another's
		case v.Code != "":
			c.Refused += n
		default:
			c.Edits += n
		}
	}
}

// answers composes one answer after the other, each from where the one before it
// ends, and signs them.
func (s *Server) answers(ctx context.Context, me store.Device, number uint64, req wire.Request, got taken, w io.Writer, out *Carried) error {
	if _, err := w.Write(wire.CarriedAnswers()); err != nil {
		return err
	}
	for size := 0; ; {
		a, err := s.compose(ctx, me, req, got)
		if err != nil {
			return err
		}
		body, err := wire.Encode(a)
		if err != nil {
			return err
		}
		body, _ = s.codec.Pack(body)
		size += len(body)
		out.Whole = a.Cursor >= a.Head
		part := wire.CarriedAnswer{Device: me.ID, Number: number, N: out.Answers, Last: out.Whole || size >= wire.MaxCarried, Body: body}
		if _, err := w.Write(part.Sign(s.qr, qrKeyID)); err != nil {
			return err
		}
		if out.Answers++; part.Last {
			return nil
		}
		if got.reset {
			req.Own = 0 // as compose has it for the first
		}
		req.Days, req.Settings, req.Desks, req.Keys = nil, nil, "", wire.KeysSum(s.QRKeys())
		got = taken{epoch: got.epoch, from: a.Cursor, have: got.have}
	}
}
