package digest

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"condica/sync/hlc"
	"condica/sync/op"
)

type kept struct {
	id  op.ID
	pos int64
	eff hlc.Time
	raw string
}

func (k kept) sum() Sum { return Of(k.id, k.pos, k.eff, Raw([]byte(k.raw))) }

var log = []kept{
	{op.ID{Device: hlc.Device{1}, Seq: 1}, 1, hlc.At(1000), "a"},
	{op.ID{Device: hlc.Device{1}, Seq: 2}, 2, hlc.At(2000), "b"},
	{op.ID{Device: hlc.Device{2}, Seq: 1}, 3, hlc.At(1500), "c"},
}

func total(ks []kept) (s Sum) {
	for _, k := range ks {
		s = s.Add(k.sum())
	}
	return s
}

// The order in which two replicas took the ops does not matter.
func TestOrderDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		ks := append([]kept{}, log...)
		r.Shuffle(len(ks), func(i, j int) { ks[i], ks[j] = ks[j], ks[i] })
		if total(ks).Text() != total(log).Text() {
			t.Fatal("another order gives another digest")
		}
	}
}

// Whatever differs in one op, or if one is missing or there twice, the digest
// differs.
func TestEveryDifferenceShows(t *testing.T) {
	want := total(log).Text()
	change := map[string]func(k *kept){
		"device":   func(k *kept) { k.id.Device[7]++ },
		"number":   func(k *kept) { k.id.Seq++ },
		"place":    func(k *kept) { k.pos++ },
		"time":     func(k *kept) { k.eff++ },
		"one byte": func(k *kept) { k.raw = "A" },
		"no bytes": func(k *kept) { k.raw = "" },
	}
	for name, f := range change {
		for i := range log {
			ks := append([]kept{}, log...)
			f(&ks[i])
			if total(ks).Text() == want {
				t.Errorf("%s of op %d changed, and the digest is the same", name, i+1)
			}
		}
	}
	if total(log[:2]).Text() == want || total(append(log[:3:3], log[2])).Text() == want || (Sum{}).Text() == want {
		t.Error("an op is missing or there twice, and the digest is the same")
	}
}

func TestSumIsKept(t *testing.T) {
	for _, s := range []Sum{{}, total(log)} {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back Sum
		if err := json.Unmarshal(text, &back); err != nil || back != s {
			t.Errorf("%s came back as %+v, %v", text, back, err)
		}
	}
	var s Sum
	if s.UnmarshalText([]byte("AAAA")) == nil || s.UnmarshalText([]byte("?")) == nil {
		t.Error("half a digest was read")
	}
}

func TestDays(t *testing.T) {
	d := Days{}
	evening, morning := hlc.At(5*dayMs-1), hlc.At(5*dayMs)
	d.Add(evening, log[0].sum())
	d.Add(morning, log[1].sum())
	d.Add(morning.After(), log[2].sum())
	if len(d) != 2 || d[4].N != 1 || d[5].N != 2 {
		t.Errorf("%+v", d)
	}
	if from, to := Within(5); from != morning || to <= morning.After() || DayOf(to) != 6 {
		t.Errorf("day 5 is %v to %v", from, to)
	}
}
