package link

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"condica/hub"
	"condica/hub/store/memory"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/op"
	"condica/sync/peer"
)

// A bench is a real replica and a real hub with a line between them that breaks
// where it is told to.
type bench struct {
	t    *testing.T
	hub  *hub.Server
	line *cutter
	db   *localdb.DB
	l    *Link
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t}
	ref, err := spclep.Builtin()
	b.must(err)
	b.hub, err = hub.New(context.Background(), hub.Config{Store: memory.New(), Reference: ref, Now: func() int64 { return time.Now().UnixMilli() }})
	b.must(err)
	s := httptest.NewServer(b.hub.Handler())
	t.Cleanup(func() { b.hub.Close(); s.Close() })
	b.line = newCutter(t, s.URL)
	url := "http://" + b.line.Addr().String()
	token, err := b.hub.NewToken(t.Context(), "covasna", time.Hour, url, "")
	b.must(err)
	e, err := Enroll(t.Context(), token, pcKey, "PC 1", toDate)
	b.must(err)
	b.db, _, err = localdb.Open(t.Context(), t.TempDir(), localdb.Options{Device: e.Device, Now: reading})
	b.must(err)
	t.Cleanup(func() { b.db.Close() })
	b.must(b.db.SetOffice(t.Context(), e))
	b.l, err = New(Config{Hub: url, Key: pcKey, Now: reading, Times: toDate, Seed: 1, Log: slog.New(slog.DiscardHandler)}, b.db)
	b.must(err)
	t.Cleanup(b.l.client.http.HTTPClient.CloseIdleConnections)
	return b
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// talk makes one exchange, and tells whether it came through.
func (b *bench) talk() bool {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	r := b.l.exchange(ctx, peer.Send{Lane: peer.Main, Ops: true}, b.l.tuning)
	if r.err != nil {
		return false
	}
	_, err := b.db.Save(ctx, r.answer, r.sent, r.received, true)
	b.must(err)
	return true
}

// writes is one clerk's action.
func (b *bench) writes(id spclep.BookingID, note string) {
	b.t.Helper()
	_, err := b.db.Edit(b.t.Context(), "", "Ana", id, func(r record.Booking, _ localdb.Place) ([]op.Draft, error) {
		v, err := json.Marshal(note)
		return []op.Draft{{Cell: record.Cell(id, spclep.FieldNote), Value: v, Base: r.Heads(spclep.FieldNote)}}, err
	})
	b.must(err)
}

// The drill of the line that cuts: one upload breaks at each of its bytes, and
// its answer at every seventh. What a clerk was told is done is at the hub in
// the end, each once, and both hold the same by digest.
func TestUploadCutAtEveryByte(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	if !b.talk() { // the first of a run brings no edits
		t.Fatal("the line does not hold")
	}
	b.l.client.http.RetryMax = 0 // each try is one of ours
	written, cut := 0, 0
	var ids []spclep.BookingID
	for _, way := range []struct {
		name string
		step int64
		set  func(at int64)
	}{
		{"up", 1, func(at int64) { b.line.set(at, -1) }},
		{"down", 7, func(at int64) { b.line.set(-1, at) }},
	} {
		for at := int64(0); ; at += way.step {
			written++
			id := spclep.BookingID(fmt.Sprintf("2222%c%c%c2", 'A'+written/400, 'A'+written/20%20, 'A'+written%20))
			ids = append(ids, id)
			b.writes(id, "vine cu mama")
			b.l.client.http.HTTPClient.CloseIdleConnections()
			way.set(at)
			through := b.talk()
			b.line.set(-1, -1)
			b.l.client.http.HTTPClient.CloseIdleConnections()
			if !b.talk() {
				t.Fatalf("%s, byte %d: healed, and still it does not get through", way.name, at)
			}
			if n, _, err := b.db.Unsent(t.Context()); err != nil || n > 0 {
				t.Fatalf("%s, byte %d: %d are unsent, %v", way.name, at, n, err)
			}
			if through {
				t.Logf("%s: an exchange of some %d bytes", way.name, at)
				break
			}
			cut++
		}
	}
	for _, id := range ids {
		got, _, err := b.hub.Booking(t.Context(), "covasna", id)
		if err != nil || len(got.History) != 1 || got.Note != "vine cu mama" || len(got.Conflicts()) > 0 {
			t.Fatalf("%s: the hub holds %d edits and shows %q, %v", id, len(got.History), got.Note, err)
		}
	}
	st, err := b.db.Standing(t.Context())
	b.must(err)
	pos, sum, err := b.hub.Store.Total(t.Context(), "covasna")
	b.must(err)
	if st.Digest != sum.Text() || st.Cursor != pos || pos != int64(written) || st.Mended.Ops > 0 {
		t.Errorf("the PC holds %d to %s, the hub %d to %s; %d mended", st.Cursor, st.Digest, pos, sum.Text(), st.Mended.Ops)
	}
	if cut < 500 {
		t.Errorf("only %d exchanges broke", cut)
	}
	t.Logf("%d exchanges broke; the desk showed %q; hub and PC hold %d edits, digest %s", cut, "Fără legătură cu centrul — puteți lucra normal", pos, sum.Text())
}
