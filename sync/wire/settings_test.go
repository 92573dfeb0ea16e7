package wire

import (
	"strings"
	"testing"
)

// What travels of settings, as other programs see it; a torn box is a text like
// any other and tears nothing around it.
func TestSettingsTravel(t *testing.T) {
	r := request(t)
	r.Settings = &SettingsAt{Root: true, Held: 9, Applied: 7, Proven: 7, Refused: 8, Code: "contents", Say: `settings.yaml:2: "ț" <nu>`}
	golden(t, "settings-at.json", must[[]byte](t)(Encode(r.Settings)))
	if got := must[Request](t)(DecodeRequest(must[[]byte](t)(Encode(r)))); *got.Settings != *r.Settings {
		t.Errorf("the PC's word came as %+v", got.Settings)
	}
	torn := "condica-settings-1\ncertificate {\"\x01<"
	a := answer(t)
	a.Settings, a.Root = &Settings{Number: 9, Box: torn}, []byte{1, 2, 3}
	golden(t, "settings.json", must[[]byte](t)(Encode(a.Settings)))
	if got := must[Answer](t)(DecodeAnswer(must[[]byte](t)(Encode(a)))); got.Settings.Box != torn || len(got.Root) != 3 {
		t.Errorf("the box came as %+v", got.Settings)
	}
	r.Settings.Say = strings.Repeat("x", MaxRefusal+1)
	if _, err := DecodeRequest(must[[]byte](t)(Encode(r))); err == nil {
		t.Error("a refusal without end was taken")
	}
}

// A bundle is sent once: not to a PC that has it, is judging it or refused it,
// and never one below what it has.
func TestLacks(t *testing.T) {
	for _, f := range []struct {
		at   SettingsAt
		want bool
	}{
		{SettingsAt{}, true}, {SettingsAt{Applied: 7, Proven: 7}, true}, {SettingsAt{Held: 7}, true}, {SettingsAt{Refused: 7}, true},
		{SettingsAt{Held: 8}, false}, {SettingsAt{Applied: 8}, false}, {SettingsAt{Proven: 8}, false}, {SettingsAt{Refused: 8}, false},
		{SettingsAt{Applied: 9, Proven: 9}, false},
	} {
		if got := f.at.Lacks(8); got != f.want {
			t.Errorf("at %+v it lacks bundle 8: %v", f.at, got)
		}
	}
	if (SettingsAt{}).Lacks(0) {
		t.Error("where nothing is published something is lacked")
	}
}
