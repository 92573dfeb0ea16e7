// Package storetest is the contract of a hub's store as a test: every store
// runs it in one line, and what passes it may stand behind the hub. Log is the
// smaller contract that replica and hub share. It knows no store by name.
package storetest

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// Run holds a store to its contract. open gives a fresh, empty store each
// time and closes it with the test.
func Run(t *testing.T, open func(*testing.T) store.Store) {
	for name, test := range map[string]func(*testing.T, store.Store){
		"an op is placed once":                   once,
		"a clash is told apart":                  clash,
		"a failed write leaves nothing":          allOrNone,
		"offices do not mix":                     offices,
		"a reader by cursor misses nothing":      nothingMissed,
		"each counter counts once":               counters,
		"a token lets one PC in":                 tokens,
		"a secret is made once":                  secrets,
		"rows are found by day and person":       rows,
		"effective times are found by their ops": times,
		"devices keep what they were given":      devices,
		"epochs":                                 epochs,
		"settings are numbered once":             published,
		"the digest is kept with the log":        totals,
		"numbers are given with what is written": numbers,
		"two applications alike are found":       twoAlike,
		"the log is read while it is written":    afterInside,
		"who brought an op back is kept":         brought,
		"bytes are found by their id":            bytesOf,
		"secrets are taken over together":        takenOver,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

const office = "covasna"

// A writer is a device with a name for a key.
type writer struct {
	key ed25519.PrivateKey
	seq uint64
}

func named(name string) *writer {
	seed := sha256.Sum256([]byte(name))
	return &writer{key: ed25519.NewKeyFromSeed(seed[:])}
}

func (w *writer) id() hlc.Device { return wire.DeviceOf(w.key.Public().(ed25519.PublicKey)) }

func (w *writer) device(office string) store.Device {
	return store.Device{ID: w.id(), Office: office, Kind: store.PC, Desk: 1, Name: "PC", Pub: w.key.Public().(ed25519.PublicKey), AddedMs: 1}
}

// writes makes the device's next op: an e-mail written into a booking.
func (w *writer) writes(ms int64, booking, email string, base ...op.ID) store.Entry {
	w.seq++
	v, err := json.Marshal(email)
	if err != nil {
		panic(err) // a string
	}
	o := op.Op{ID: op.ID{Device: w.id(), Seq: w.seq}, Action: w.seq, Cell: record.Cell(spclep.BookingID(booking), spclep.FieldEmail), Value: v, Base: base, Time: hlc.At(ms)}
	return sealed(o)
}

func sealed(o op.Op) store.Entry {
	raw, err := wire.EncodeOp(o)
	if err != nil {
		panic(err) // made here, and short
	}
	if o, err = wire.DecodeOp(o.ID.Device, raw); err != nil {
		panic(err)
	}
	return store.Entry{Entry: op.Entry{Op: o, Eff: o.Time}, AtMs: o.Time.Ms()}
}

// write runs f in one transaction and wants it to pass.
func write(t *testing.T, s store.Store, office string, f func(store.Tx)) {
	t.Helper()
	if err := s.Write(t.Context(), office, func(tx store.Tx) error { f(tx); return nil }); err != nil {
		t.Fatal(err)
	}
}

// must gives the value or ends the test.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func join(t *testing.T, s store.Store, office string, w *writer) {
	t.Helper()
	write(t, s, office, func(tx store.Tx) {
		if err := tx.SetDevice(w.device(office)); err != nil {
			t.Fatal(err)
		}
	})
}

// Placed ops are held under their id with position, time and bytes; the same
// id is never placed again.
func once(t *testing.T, s store.Store) {
	w := named("one")
	join(t, s, office, w)
	e := w.writes(1000, "BOOKING2", "a@example.ro")
	e.Clamped, e.Eff = true, hlc.At(900)
	write(t, s, office, func(tx store.Tx) {
		if h := must[store.Held](t)(tx.Held(e.ID)); h != (store.Held{}) {
			t.Errorf("an op that never came is held: %+v", h)
		}
		if pos := must[int64](t)(tx.Put(e)); pos != 1 {
			t.Errorf("the first op is at %d", pos)
		}
		h := must[store.Held](t)(tx.Held(e.ID))
		if h.Pos != 1 || h.Eff != e.Eff || h.Sum != store.Sum(e.Signed) || h.Code != "" {
			t.Errorf("held: %+v", h)
		}
	})
	err := s.Write(t.Context(), office, func(tx store.Tx) error { _, err := tx.Put(e); return err })
	if err == nil {
		t.Error("the same op was placed twice")
	}
	entries, head, err := s.After(t.Context(), office, 0, 10)
	if err != nil || head != 1 || len(entries) != 1 {
		t.Fatalf("the log holds %d entries up to %d: %v", len(entries), head, err)
	}
	got := entries[0]
	if got.Pos != 1 || got.Eff != e.Eff || !got.Clamped || got.AtMs != 1000 || got.Time != e.Time || string(got.Signed) != string(e.Signed) {
		t.Errorf("the entry came back as %+v", got)
	}
}

// Other bytes under a held id are kept beside it, once, and change nothing.
func clash(t *testing.T, s store.Store) {
	w, clone := named("one"), named("one")
	join(t, s, office, w)
	mine, other := w.writes(1000, "BOOKING2", "a@example.ro"), clone.writes(1000, "BOOKING2", "b@example.ro")
	r := store.Refusal{ID: other.ID, Code: wire.Clash, Say: "another edit", Raw: other.Signed, Sum: store.Sum(other.Signed), AtMs: 5}
	write(t, s, office, func(tx store.Tx) {
		must[int64](t)(tx.Put(mine))
		for range 2 {
			if err := tx.Refuse(r); err != nil {
				t.Fatal(err)
			}
		}
		if h := must[store.Held](t)(tx.Held(mine.ID)); h.Pos != 1 || h.Sum == r.Sum {
			t.Errorf("the clash took the place of the op: %+v", h)
		}
	})
	refused := must[[]store.Refusal](t)(s.Refusals(t.Context(), office))
	if len(refused) != 1 || refused[0].Code != wire.Clash || refused[0].Say != r.Say || string(refused[0].Raw) != string(r.Raw) || refused[0].Sum != r.Sum || refused[0].AtMs != 5 || refused[0].ID != other.ID {
		t.Errorf("kept of the clash: %+v", refused)
	}
	// A refused op is held too, under its reason.
	never := w.writes(1000, "BOOKING2", "c@example.ro")
	write(t, s, office, func(tx store.Tx) {
		if err := tx.Refuse(store.Refusal{ID: never.ID, Code: wire.Refused, Say: "no", Sum: store.Sum(never.Signed), Raw: never.Signed}); err != nil {
			t.Fatal(err)
		}
		if h := must[store.Held](t)(tx.Held(never.ID)); h.Pos != 0 || h.Code != wire.Refused || h.Say != "no" || h.Sum != store.Sum(never.Signed) {
			t.Errorf("held of the refused op: %+v", h)
		}
		if last := must[uint64](t)(tx.LastSeq(w.id())); last != never.ID.Seq {
			t.Errorf("the last number is %d, want %d", last, never.ID.Seq)
		}
		// What clashed with another number of its action leaves its own free.
		r.ID.Seq = never.ID.Seq + 1
		if err := tx.Refuse(r); err != nil {
			t.Fatal(err)
		}
		if h := must[store.Held](t)(tx.Held(r.ID)); h != (store.Held{}) {
			t.Errorf("a clash took a number that was free: %+v", h)
		}
	})
}

// A transaction that fails takes back all its steps, and its positions are
// given to the next.
func allOrNone(t *testing.T, s store.Store) {
	w := named("one")
	join(t, s, office, w)
	first, lost := w.writes(1000, "BOOKING2", "a@example.ro"), w.writes(1001, "BOOKING2", "b@example.ro")
	stop := errors.New("stop")
	hash := [32]byte{1}
	if err := s.AddToken(t.Context(), store.Token{Hash: hash, Office: office, Expires: 9}); err != nil {
		t.Fatal(err)
	}
	write(t, s, office, func(tx store.Tx) { must[int64](t)(tx.Put(first)) })
	err := s.Write(t.Context(), office, func(tx store.Tx) error {
		must[int64](t)(tx.Put(lost))
		must[store.Token](t)(tx.TakeToken(hash, w.id()))
		d := w.device(office)
		d.Have = 77
		return errors.Join(tx.SetDevice(d), tx.SetEpoch("lost"), tx.Project(record.Row{ID: "BOOKING2", Day: 1, State: spclep.StateBooked}),
			tx.Refuse(store.Refusal{ID: op.ID{Device: w.id(), Seq: 9}, Code: wire.Refused, Sum: [32]byte{1}, Raw: []byte("x")}), stop)
	})
	if !errors.Is(err, stop) {
		t.Fatalf("the transaction's error came back as %v", err)
	}
	write(t, s, office, func(tx store.Tx) {
		if h := must[store.Held](t)(tx.Held(lost.ID)); h != (store.Held{}) {
			t.Errorf("an op of a failed transaction is held: %+v", h)
		}
		if e := must[string](t)(tx.Epoch()); e != "" {
			t.Errorf("the epoch is %q", e)
		}
		if pos := must[int64](t)(tx.Put(lost)); pos != 2 {
			t.Errorf("the next op is at %d, want 2: positions have no gaps", pos)
		}
	})
	d := must[store.Device](t)(s.Device(t.Context(), w.id()))
	tok := must[store.Token](t)(s.Token(t.Context(), hash))
	list := must[[]record.Row](t)(s.Rows(t.Context(), office, store.Filter{}))
	refused := must[[]store.Refusal](t)(s.Refusals(t.Context(), office))
	if d.Have != 0 || tok.UsedBy != (hlc.Device{}) || len(list) != 0 || len(refused) != 0 {
		t.Errorf("left over: have %d, token used by %s, rows %v, refusals %v", d.Have, tok.UsedBy, list, refused)
	}
}

// Each office has its own positions, and a device writes only in its own.
func offices(t *testing.T, s store.Store) {
	here, there := named("here"), named("there")
	join(t, s, office, here)
	join(t, s, "botosani", there)
	write(t, s, office, func(tx store.Tx) { must[int64](t)(tx.Put(here.writes(1, "BOOKING2", "a@example.ro"))) })
	write(t, s, "botosani", func(tx store.Tx) {
		if pos := must[int64](t)(tx.Put(there.writes(1, "BOOKING2", "b@example.ro"))); pos != 1 {
			t.Errorf("the second office begins at %d", pos)
		}
		if got := must[[]op.Entry](t)(tx.Entity(record.Kind, "BOOKING2")); len(got) != 1 || got[0].ID.Device != there.id() {
			t.Errorf("the booking of one office shows %d edits in another", len(got))
		}
	})
	if err := s.Write(t.Context(), office, func(tx store.Tx) error { _, err := tx.Put(there.writes(2, "BOOKING2", "c@example.ro")); return err }); err == nil {
		t.Error("a device wrote into another office's log")
	}
	d := there.device(office)
	if err := s.Write(t.Context(), office, func(tx store.Tx) error { return tx.SetDevice(d) }); err == nil {
		t.Error("a device was moved to another office")
	}
	heads := must[map[string]int64](t)(s.Heads(t.Context()))
	if len(heads) != 2 || heads[office] != 1 || heads["botosani"] != 1 {
		t.Errorf("heads: %v", heads)
	}
	if got := must[[]store.Entry](t)(s.Entity(t.Context(), office, record.Kind, "BOOKING2")); len(got) != 1 || got[0].ID.Device != here.id() {
		t.Errorf("the booking shows %d edits", len(got))
	}
}

// Requests may overtake one another within 64; each number counts once.
func counters(t *testing.T, s store.Store) {
	w := named("one")
	join(t, s, office, w)
	steps := []struct {
		n  uint64
		ok bool
	}{{0, false}, {1, true}, {1, false}, {3, true}, {2, true}, {2, false}, {100, true}, {37, true}, {37, false}, {36, false}, {99, true}, {500, true}, {100, false}, {437, true}, {436, false}}
	for _, step := range steps {
		write(t, s, office, func(tx store.Tx) {
			d := must[store.Device](t)(tx.Device(w.id()))
			var ok bool
			if d.Window, ok = d.Window.Admit(step.n); ok != step.ok {
				t.Errorf("number %d: %v, want %v", step.n, ok, step.ok)
			}
			if err := tx.SetDevice(d); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// Whoever is first has the token; everyone is told who that was.
func tokens(t *testing.T, s store.Store) {
	one, two := named("one"), named("two")
	tok := store.Token{Hash: [32]byte{7}, Office: office, Expires: 50, MadeMs: 3}
	if err := s.AddToken(t.Context(), tok); err != nil {
		t.Fatal(err)
	}
	if got := must[store.Token](t)(s.Token(t.Context(), tok.Hash)); got != tok {
		t.Errorf("the token came back as %+v", got)
	}
	if _, err := s.Token(t.Context(), [32]byte{8}); !errors.Is(err, store.ErrNone) {
		t.Errorf("an unknown token: %v", err)
	}
	err := s.Write(t.Context(), "botosani", func(tx store.Tx) error { _, err := tx.TakeToken(tok.Hash, one.id()); return err })
	if !errors.Is(err, store.ErrNone) {
		t.Errorf("another office took the token: %v", err)
	}
	winners := make(chan hlc.Device, 2)
	for _, w := range []*writer{one, two} {
		go func() {
			var by hlc.Device
			err := s.Write(context.Background(), office, func(tx store.Tx) error {
				got, err := tx.TakeToken(tok.Hash, w.id())
				by = got.UsedBy
				return err
			})
			if err != nil {
				t.Error(err)
			}
			winners <- by
		}()
	}
	if a, b := <-winners, <-winners; a != b || (a != one.id() && a != two.id()) {
		t.Errorf("two PCs were let in by one token: %s and %s", a, b)
	}
}

// Of many who ask for a secret at once, one makes it.
func secrets(t *testing.T, s store.Store) {
	got := make(chan string, 8)
	for i := range cap(got) {
		go func() {
			v, err := s.Secret(context.Background(), "ca", func() ([]byte, error) { return []byte{byte(i)}, nil })
			if err != nil {
				t.Error(err)
			}
			got <- string(v)
		}()
	}
	first := <-got
	for range cap(got) - 1 {
		if v := <-got; v != first {
			t.Errorf("two secrets under one name: %q and %q", v, first)
		}
	}
	if err := s.SetSecret(t.Context(), "ca", []byte("new")); err != nil {
		t.Fatal(err)
	}
	if v := must[[]byte](t)(s.Secret(t.Context(), "ca", nil)); string(v) != "new" {
		t.Errorf("the replaced secret is %q", v)
	}
	stop := errors.New("stop")
	if _, err := s.Secret(t.Context(), "other", func() ([]byte, error) { return nil, stop }); !errors.Is(err, stop) {
		t.Errorf("a secret that cannot be made: %v", err)
	}
}

// Bookings are listed by day and time; slots and persons are counted.
func rows(t *testing.T, s store.Store) {
	row := func(id, name, email string, day, at int, state spclep.State, origin string) record.Row {
		return record.Row{ID: spclep.BookingID(id), Name: name, Email: email, Day: spclep.Day(day), At: spclep.Minute(at), State: state, Origin: origin,
			Reason: "R05", Number: "1-00001", Product: "CIS", Pickup: "botosani", Due: 20, Person: true, Changed: 99, Words: name}
	}
	all := []record.Row{
		row("AAAAAAAA", "Ștefan Pârvu", "a@example.ro", 10, 540, spclep.StateBooked, ""),
		row("BBBBBBBB", "Pirvu-Stefan", "A@example.ro ", 10, 560, spclep.StateCancelled, ""),
		row("CCCCCCCC", "Példa Éva", "k@example.ro", 10, 540, spclep.StateArrived, ""),
		row("DDDDDDDD", "Ana Model", "p@example.ro", 10, 540, spclep.StateArrived, spclep.OriginWalkIn),
		row("EEEEEEEE", "pârvu  ŞTEFAN", "a@example.ro", 12, 540, spclep.StateBooked, spclep.OriginScanned), // cedilla, as older keyboards write it
	}
	write(t, s, office, func(tx store.Tx) {
		for _, r := range append([]record.Row{row("AAAAAAAA", "old", "old@example.ro", 9, 1, spclep.StateArrived, "")}, all...) {
			if err := tx.Project(r); err != nil {
				t.Fatal(err)
			}
		}
		taken := must[map[spclep.Minute]int](t)(tx.Taken(10))
		if len(taken) != 1 || taken[540] != 2 {
			t.Errorf("slots taken: %v, want two at 09:00: the walk-in and the cancelled one take none", taken)
		}
		person := store.Person("Stefan Pârvu", "a@example.ro")
		for from, want := range map[spclep.Day]int{10: 2, 11: 1, 13: 0} {
			if n := must[int](t)(tx.ActiveOf(person, from)); n != want {
				t.Errorf("bookings of the person from day %d: %d, want %d", from, n, want)
			}
		}
	})
	got := must[[]record.Row](t)(s.Rows(t.Context(), office, store.Filter{Day: 10}))
	want := []record.Row{all[0], all[2], all[3], all[1]}
	if !slices.Equal(got, want) {
		t.Errorf("the day shows\n%+v\nwant\n%+v", got, want)
	}
	if got := must[[]record.Row](t)(s.Rows(t.Context(), office, store.Filter{State: spclep.StateBooked})); len(got) != 2 {
		t.Errorf("%d are booked, want 2", len(got))
	}
	if got := must[[]record.Row](t)(s.Rows(t.Context(), office, store.Filter{ID: "CCCCCCCC"})); len(got) != 1 || got[0] != all[2] {
		t.Errorf("by id: %+v", got)
	}
}

// What an op comes after is found by its device's log and by its bases.
func times(t *testing.T, s store.Store) {
	w, far := named("one"), named("far")
	join(t, s, office, w)
	join(t, s, "botosani", far)
	a, b := w.writes(1000, "BOOKING2", "a@example.ro"), w.writes(2000, "BOOKING2", "b@example.ro")
	f := far.writes(9000, "BOOKING2", "f@example.ro")
	write(t, s, "botosani", func(tx store.Tx) { must[int64](t)(tx.Put(f)) })
	write(t, s, office, func(tx store.Tx) {
		must[int64](t)(tx.Put(a))
		must[int64](t)(tx.Put(b))
		for seq, want := range map[uint64]hlc.Time{1: 0, 2: a.Eff, 3: b.Eff, 99: b.Eff} {
			if got := must[hlc.Time](t)(tx.LastEff(w.id(), seq)); got != want {
				t.Errorf("the op before number %d is at %s, want %s", seq, got, want)
			}
		}
		got := must[[]hlc.Time](t)(tx.Eff([]op.ID{b.ID, f.ID, {Device: w.id(), Seq: 99}}))
		if len(got) != 1 || got[0] != b.Eff {
			t.Errorf("times of the bases: %v, want only this office's", got)
		}
		if id, ok, err := tx.At(2); id != b.ID || !ok || err != nil {
			t.Errorf("at 2: %s, %v, %v", id, ok, err)
		}
		if _, ok, err := tx.At(3); ok || err != nil {
			t.Errorf("at 3: %v, %v", ok, err)
		}
		if head := must[int64](t)(tx.Head()); head != 2 {
			t.Errorf("head %d", head)
		}
	})
}

// A device comes back as it was written.
func devices(t *testing.T, s store.Store) {
	one, two := named("one"), named("two")
	d := one.device(office)
	d.Health, d.LastMs, d.RevokedMs, d.Have, d.Window = json.RawMessage(`{"u":3}`), 7, 8, 9, store.Window{High: 1 << 40, Seen: 1<<63 | 1}
	d.Old, d.RetiredMs, d.Heir, d.Cloned, d.Boot, d.Boots = hlc.Device{1}, 10, hlc.Device{2}, true, "b-3", []string{"b-1", "b-2"}
	late := two.device(office)
	late.Desk, late.AddedMs = 2, 2
	gone := store.Device{ID: named("three").id(), Office: office, Kind: store.Gone, AddedMs: 3} // without a key
	write(t, s, office, func(tx store.Tx) {
		if _, err := tx.Device(one.id()); !errors.Is(err, store.ErrNone) {
			t.Errorf("an unknown device: %v", err)
		}
		if err := errors.Join(tx.SetDevice(late), tx.SetDevice(d), tx.SetDevice(gone)); err != nil {
			t.Fatal(err)
		}
		if got := must[[]store.Device](t)(tx.Devices()); len(got) != 3 {
			t.Errorf("%d devices", len(got))
		}
	})
	got := must[[]store.Device](t)(s.Devices(t.Context(), office))
	if len(got) != 3 || fmt.Sprint(got[0]) != fmt.Sprint(d) || got[1].ID != two.id() || fmt.Sprint(got[2]) != fmt.Sprint(gone) {
		t.Errorf("devices: %+v", got)
	}
	if _, err := s.Device(t.Context(), named("four").id()); !errors.Is(err, store.ErrNone) {
		t.Errorf("an unknown device: %v", err)
	}
}

func epochs(t *testing.T, s store.Store) {
	for _, want := range []string{"", "first", "second"} {
		write(t, s, office, func(tx store.Tx) {
			if got := must[string](t)(tx.Epoch()); got != want {
				t.Errorf("epoch %q, want %q", got, want)
			}
			if err := tx.SetEpoch(map[string]string{"": "first", "first": "second", "second": "third"}[want]); err != nil {
				t.Fatal(err)
			}
		})
	}
	write(t, s, "botosani", func(tx store.Tx) {
		if got := must[string](t)(tx.Epoch()); got != "" {
			t.Errorf("another office has epoch %q", got)
		}
	})
}
