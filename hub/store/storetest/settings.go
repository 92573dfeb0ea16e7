package storetest

import (
	"encoding/json"
	"errors"
	"maps"
	"testing"

	"condica/hub/store"
)

// Published settings are kept as they came, and found by number. A number
// counts once, and only above those before it, whatever their targets. What a
// PC says of its settings is kept with it.
func published(t *testing.T, s store.Store) {
	ctx := t.Context()
	if heads := must[map[string]int64](t)(s.SettingsHeads(ctx)); len(heads) != 0 {
		t.Errorf("a new store has settings: %v", heads)
	}
	one := store.Published{Number: 2, Target: "national", AtMs: 1000, Box: "box <2> & \"ț\"\n"}
	for _, p := range []store.Published{one, {Number: 5, Target: office, AtMs: 2000, Box: "5"}} {
		if err := s.AddSettings(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	for _, number := range []int64{1, 2, 4, 5} {
		if err := s.AddSettings(ctx, store.Published{Number: number, Target: "national", Box: "late"}); !errors.Is(err, store.ErrUsed) {
			t.Errorf("number %d after 5: %v", number, err)
		}
	}
	if heads := must[map[string]int64](t)(s.SettingsHeads(ctx)); !maps.Equal(heads, map[string]int64{"national": 2, office: 5}) {
		t.Errorf("heads: %v", heads)
	}
	if p := must[store.Published](t)(s.Settings(ctx, 2)); p != one {
		t.Errorf("kept as %+v", p)
	}
	if _, err := s.Settings(ctx, 3); !errors.Is(err, store.ErrNone) {
		t.Errorf("number 3: %v", err)
	}
	w := named("one")
	join(t, s, office, w)
	if d := must[store.Device](t)(s.Device(ctx, w.id())); d.Settings != nil {
		t.Errorf("a PC that said nothing: %s", d.Settings)
	}
	write(t, s, office, func(tx store.Tx) {
		d := must[store.Device](t)(tx.Device(w.id()))
		d.Settings = json.RawMessage(`{"a":5}`)
		if err := tx.SetDevice(d); err != nil {
			t.Fatal(err)
		}
	})
	if d := must[store.Device](t)(s.Device(ctx, w.id())); string(d.Settings) != `{"a":5}` {
		t.Errorf("the PC said %s", d.Settings)
	}
}
