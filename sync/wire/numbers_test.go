package wire

import (
	"reflect"
	"testing"

	"condica/sync/hlc"
)

// What travels of registration numbers and desks, as other programs see it.
func TestNumbersTravel(t *testing.T) {
	desks := []Desk{{Device: hlc.Device{0xc0}, Desk: 1}, {Device: pcID, Desk: 2, Name: "Ghișeul <2>"}}
	r := request(t)
	r.Numbers, r.Desks = &NumbersAt{Left: 480, Given: 1500, Known: 1020}, DesksSum(desks)
	golden(t, "numbers-at.json", must[[]byte](t)(Encode(r.Numbers)))
	if got := must[Request](t)(DecodeRequest(must[[]byte](t)(Encode(r)))); *got.Numbers != *r.Numbers || got.Desks != r.Desks {
		t.Errorf("the PC's word came as %+v, %q", got.Numbers, got.Desks)
	}
	a := answer(t)
	a.Numbers, a.Desks = &Numbers{From: 1501, To: 2000}, desks
	golden(t, "numbers.json", must[[]byte](t)(Encode(a.Numbers)))
	golden(t, "desks.json", must[[]byte](t)(Encode(a.Desks)))
	if got := must[Answer](t)(DecodeAnswer(must[[]byte](t)(Encode(a)))); *got.Numbers != *a.Numbers || !reflect.DeepEqual(got.Desks, desks) {
		t.Errorf("the hub's word came as %+v, %+v", got.Numbers, got.Desks)
	}
}

// No two lists have one sum: an end of one and the beginning of the next are told
// apart.
func TestDesksSum(t *testing.T) {
	a, b := hlc.Device{1}, hlc.Device{2}
	seen := map[string][]Desk{}
	for _, list := range [][]Desk{
		nil, {{Device: a, Desk: 1}}, {{Device: a, Desk: 2}}, {{Device: b, Desk: 1}}, {{Device: a, Desk: 1, Name: "x"}},
		{{Device: a, Desk: 1}, {Device: b, Desk: 2}}, {{Device: b, Desk: 2}, {Device: a, Desk: 1}},
		{{Device: a, Desk: 1, Name: "x"}, {Device: b, Desk: 2, Name: "y"}}, {{Device: a, Desk: 1, Name: "xy"}, {Device: b, Desk: 2}},
	} {
		sum := DesksSum(list)
		if other, known := seen[sum]; known || len(sum) != 8 {
			t.Errorf("%v and %v have the sum %q", other, list, sum)
		}
		seen[sum] = list
	}
}
