package storetest

import (
	"errors"
	"testing"

	"condica/hub/store"
)

// How far the numbers of an office are given out is there with what was written
// beside it, or not at all; each office and each PC has its own.
func numbers(t *testing.T, s store.Store) {
	w := named("one")
	join(t, s, office, w)
	given := store.Numbers{Next: 501, Leapt: "e-2"}
	give := func(tx store.Tx) error {
		d := must[store.Device](t)(tx.Device(w.id()))
		d.Number = 500
		return errors.Join(tx.SetNumbers(given), tx.SetDevice(d))
	}
	at := func(office string) (n store.Numbers) {
		write(t, s, office, func(tx store.Tx) { n = must[store.Numbers](t)(tx.Numbers()) })
		return n
	}
	stop := errors.New("stop")
	err := s.Write(t.Context(), office, func(tx store.Tx) error {
		if err := give(tx); err != nil {
			t.Fatal(err)
		}
		if n := must[store.Numbers](t)(tx.Numbers()); n != given {
			t.Errorf("what was just set reads %+v", n)
		}
		return stop
	})
	if !errors.Is(err, stop) || at(office) != (store.Numbers{}) {
		t.Errorf("a failed write, %v, left %+v", err, at(office))
	}
	write(t, s, office, func(tx store.Tx) {
		if err := give(tx); err != nil {
			t.Fatal(err)
		}
	})
	if d, err := s.Device(t.Context(), w.id()); err != nil || d.Number != 500 || at(office) != given {
		t.Errorf("kept as %+v, the PC's as %d, %v", at(office), d.Number, err)
	}
	if n := at("botosani"); n != (store.Numbers{}) {
		t.Errorf("another office stands at %+v", n)
	}
}
