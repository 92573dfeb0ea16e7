package storetest

import (
	"errors"
	"testing"

	"condica/hub/store"
	"condica/spclep/record"
	"condica/sync/digest"
	"condica/sync/op"
	"condica/sync/wire"
)

func total(t *testing.T, s store.Store, office string) (int64, digest.Sum) {
	t.Helper()
	pos, sum, err := s.Total(t.Context(), office)
	if err != nil {
		t.Fatal(err)
	}
	return pos, sum
}

// The digest of a log is there with what was written beside it, or not at all,
// and each office has its own.
func totals(t *testing.T, s store.Store) {
	one := digest.Of(op.ID{Seq: 1}, 1, 5, digest.Raw([]byte("x")))
	if pos, sum := total(t, s, office); pos != 0 || sum != (digest.Sum{}) {
		t.Errorf("an office nobody wrote for: %d, %+v", pos, sum)
	}
	stop := errors.New("stop")
	err := s.Write(t.Context(), office, func(tx store.Tx) error {
		if pos, sum, err := tx.Total(); pos != 0 || sum != (digest.Sum{}) || err != nil {
			t.Errorf("before the first: %d, %+v, %v", pos, sum, err)
		}
		if err := tx.SetTotal(7, one); err != nil {
			t.Fatal(err)
		}
		if pos, sum, err := tx.Total(); pos != 7 || sum != one || err != nil {
			t.Errorf("what was just set reads %d, %+v, %v", pos, sum, err)
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if pos, sum := total(t, s, office); pos != 0 || sum != (digest.Sum{}) {
		t.Errorf("a failed write left %d, %+v", pos, sum)
	}
	write(t, s, office, func(tx store.Tx) {
		if err := tx.SetTotal(7, one); err != nil {
			t.Fatal(err)
		}
	})
	if pos, sum := total(t, s, office); pos != 7 || sum != one {
		t.Errorf("kept as %d, %+v", pos, sum)
	}
	if pos, _ := total(t, s, "botosani"); pos != 0 {
		t.Errorf("another office stands at %d", pos)
	}
}

// Within a write the log is read with what that write has put.
func afterInside(t *testing.T, s store.Store) {
	w := named("one")
	join(t, s, office, w)
	write(t, s, office, func(tx store.Tx) {
		for range 4 {
			must[int64](t)(tx.Put(w.writes(1000, "BOOKING2", "a@example.ro")))
		}
		for _, c := range []struct {
			pos   int64
			limit int
			want  []int64
		}{{0, 2, []int64{1, 2}}, {2, 9, []int64{3, 4}}, {3, 1, []int64{4}}, {4, 9, nil}, {9, 9, nil}} {
			got := must[[]store.Entry](t)(tx.After(c.pos, c.limit))
			if len(got) != len(c.want) {
				t.Errorf("after %d, at most %d: %d entries", c.pos, c.limit, len(got))
				continue
			}
			for i, e := range got {
				if e.Pos != c.want[i] || e.ID.Seq != uint64(c.want[i]) || len(e.Signed) == 0 {
					t.Errorf("after %d came %+v", c.pos, e)
				}
			}
		}
	})
}

// An op that came by another hand says by whose, wherever it is read.
func brought(t *testing.T, s store.Store) {
	w, bearer, far := named("one"), named("two"), named("far")
	join(t, s, office, w)
	join(t, s, "botosani", far)
	e, own := w.writes(1000, "BOOKING2", "a@example.ro"), w.writes(1001, "BOOKING2", "b@example.ro")
	e.Via = bearer.id()
	write(t, s, office, func(tx store.Tx) {
		must[int64](t)(tx.Put(e))
		must[int64](t)(tx.Put(own))
	})
	write(t, s, "botosani", func(tx store.Tx) { must[int64](t)(tx.Put(far.writes(1, "BOOKING2", "c@example.ro"))) })
	log, _, err := s.After(t.Context(), office, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range [][]store.Entry{log, must[[]store.Entry](t)(s.Entity(t.Context(), office, record.Kind, "BOOKING2"))} {
		if len(got) != 2 || got[0].Via != bearer.id() || got[1].Via != own.Via {
			t.Errorf("brought by: %+v", got)
		}
	}
	for name, want := range map[string]int{office: 1, "botosani": 0, "nowhere": 0} {
		if n := must[int](t)(s.Relayed(t.Context(), name)); n != want {
			t.Errorf("%s counts %d, want %d", name, n, want)
		}
	}
}

// What an id stands for is found whole, placed or refused; a clash is somebody
// else's.
func bytesOf(t *testing.T, s store.Store) {
	w := named("one")
	join(t, s, office, w)
	placed, refused := w.writes(1000, "BOOKING2", "a@example.ro"), w.writes(1001, "BOOKING2", "b@example.ro")
	write(t, s, office, func(tx store.Tx) {
		must[int64](t)(tx.Put(placed))
		for _, r := range []store.Refusal{
			{ID: placed.ID, Code: wire.Clash, Raw: []byte("clash"), Sum: [32]byte{1}},
			{ID: refused.ID, Code: wire.Refused, Raw: refused.Signed, Sum: [32]byte{2}},
			{ID: refused.ID, Code: wire.Clash, Raw: []byte("clash"), Sum: [32]byte{3}},
		} {
			if err := tx.Refuse(r); err != nil {
				t.Fatal(err)
			}
		}
		for _, e := range []store.Entry{placed, refused} {
			if got := must[[][]byte](t)(tx.Bytes(e.ID)); len(got) != 1 || string(got[0]) != string(e.Signed) {
				t.Errorf("under %s: %q", e.ID, got)
			}
		}
		if got := must[[][]byte](t)(tx.Bytes(op.ID{Device: w.id(), Seq: 99})); len(got) != 0 {
			t.Errorf("under a number that never came: %q", got)
		}
	})
}

// Another hub's secrets are taken over all or none: two that belong together
// must not come from two hubs.
func takenOver(t *testing.T, s store.Store) {
	ctx := t.Context()
	if err := s.AddSecrets(ctx, map[string][]byte{"ca": {1}, "qr/1": {2}}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddSecrets(ctx, map[string][]byte{"ca": {1}, "pen/covasna": {3}}); err != nil {
		t.Errorf("the same once more: %v", err)
	}
	if err := s.AddSecrets(ctx, map[string][]byte{"a-new": {9}, "qr/1": {7}, "z-new": {9}}); !errors.Is(err, store.ErrOther) {
		t.Errorf("another hub's: %v", err)
	}
	got := must[map[string][]byte](t)(s.AllSecrets(ctx))
	if len(got) != 3 || string(got["ca"]) != "\x01" || string(got["qr/1"]) != "\x02" || string(got["pen/covasna"]) != "\x03" {
		t.Errorf("kept: %v", got)
	}
}
