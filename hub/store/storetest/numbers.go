package storetest

import (
	"errors"
	"reflect"
	"testing"

	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/record"
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

// Applications of one office that carry one number are found together, as long
// as they do; other offices, other numbers and bookings without any do not count.
func twoAlike(t *testing.T, s store.Store) {
	filed := func(office, id, number string) {
		t.Helper()
		write(t, s, office, func(tx store.Tx) {
			if err := tx.Project(record.Row{ID: spclep.BookingID(id), Number: number}); err != nil {
				t.Fatal(err)
			}
		})
	}
	are := func(want ...store.Alike) {
		t.Helper()
		if got := must[[]store.Alike](t)(s.TwoAlike(t.Context(), office)); !reflect.DeepEqual(got, want) {
			t.Errorf("alike are %v, want %v", got, want)
		}
	}
	are()
	for _, b := range [][2]string{{"BKNG2346", "12"}, {"BKNG2347", "13"}, {"BKNG2348", ""}, {"BKNG2349", ""}, {"BKNG2352", "2-00004"}} {
		filed(office, b[0], b[1])
	}
	filed("botosani", "BKNG2355", "13")
	filed("botosani", "BKNG2356", "13")
	are()
	for _, b := range [][2]string{{"BKNG2345", "12"}, {"BKNG2344", "2-00004"}, {"BKNG2353", "2-00004"}} {
		filed(office, b[0], b[1])
	}
	three := store.Alike{Number: "2-00004", Bookings: []spclep.BookingID{"BKNG2344", "BKNG2352", "BKNG2353"}}
	are(store.Alike{Number: "12", Bookings: []spclep.BookingID{"BKNG2345", "BKNG2346"}}, three)
	filed(office, "BKNG2346", "")
	are(three)
}
