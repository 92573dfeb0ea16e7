package link

import (
	"context"
	"crypto/ed25519"
	"errors"
	"testing"

	"condica/sync/wire"
)

// While the line talks, somebody writes stick after stick: no request number is
// used twice, each file is signed, and all hold what waits.
func TestCarriedBesideTheLine(t *testing.T) {
	t.Parallel()
	hub, s := newCentre(t), newShelf(t, 3)
	l := office(t, serve(t, hub).URL, "", toDate, s)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); l.Run(ctx) }()
	used := map[uint64]bool{}
	for range 30 {
		s.add()
		l.Ring()
		c, err := l.CarryOut(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		signed, body, err := wire.ParseCarriedRequest(c.File)
		if err != nil || signed.Counter != c.Number || !signed.Verify(pcKey.Public().(ed25519.PublicKey), wire.CarriedPath, body) {
			t.Fatalf("the file of request %d: %v", c.Number, err)
		}
		if used[c.Number] {
			t.Fatalf("request number %d was used twice", c.Number)
		}
		used[c.Number] = true
	}
	cancel()
	<-ended
	for _, n := range hub.numbers() {
		if used[n] {
			t.Errorf("request number %d went over the line and on a stick", n)
		}
	}
}

// More waits than one segment holds: all of it is in the file, in order, and the
// hub may speak of it by number.
func TestCarriedInSegments(t *testing.T) {
	t.Parallel()
	s := newShelf(t, 2*wire.MaxOps+1)
	l := office(t, "https://hub.example.ro", "", toDate, s)
	c, err := l.CarryOut(t.Context())
	if err != nil || c.Edits != 2*wire.MaxOps+1 || c.Left != 0 {
		t.Fatalf("%+v, %v", c, err)
	}
	_, body, err := wire.ParseCarriedRequest(c.File)
	if err != nil {
		t.Fatal(err)
	}
	if body, err = l.client.codec.Opened(body); err != nil {
		t.Fatal(err)
	}
	req, err := wire.DecodeRequest(body)
	if err != nil || len(req.Segments) != 3 || len(req.Segments[2].Ops) != 1 || req.Own != 2*wire.MaxOps+1 {
		t.Fatalf("%d segments, own %d: %v", len(req.Segments), req.Own, err)
	}
	for i, seg := range req.Segments {
		if err := seg.Verify(pcKey.Public().(ed25519.PublicKey)); err != nil {
			t.Errorf("segment %d: %v", i+1, err)
		}
	}
}

// Another machine writes under this PC's name: nothing more is said under it, on
// a stick either.
func TestNothingIsCarriedUnderAClashedName(t *testing.T) {
	t.Parallel()
	s := newShelf(t, 1)
	s.clash = true
	if _, err := office(t, "https://hub.example.ro", "", toDate, s).CarryOut(t.Context()); !errors.Is(err, ErrRetired) {
		t.Errorf("carried out: %v", err)
	}
}
