package hub_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"condica/hub"
	"condica/spclep"
	"condica/sync/hlc"
	"condica/sync/wire"
)

// in sends an empty request from a run of the PC and gives the problem's code.
func (p *pc) in(boot string) string {
	r := p.request()
	r.SetClock(hlc.Reading{Wall: 1, Boot: boot, Up: 1})
	if _, tr := p.try(r); tr != nil {
		return tr.Code
	}
	return ""
}

// copied is a second machine with the PC's disk.
func (p *pc) copied() *pc {
	return &pc{town: p.town, key: p.key, office: p.office, epoch: p.epoch, counter: p.counter, seq: p.seq, log: slices.Clone(p.log)}
}

// A PC is switched off and on, is set back to an old disk, has its requests
// overtaken: it stays at work.
func TestOneMachine(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	for _, boot := range []string{"monday", "tuesday", "tuesday", ""} {
		if code := p.in(boot); code != "" {
			t.Fatalf("in the run %q: %s", boot, code)
		}
	}
	p.counter = 0 // an old disk, in a new run of the machine
	for range 2 {
		if code := p.in("wednesday"); code != "counter" {
			t.Errorf("with an old counter: %q", code)
		}
	}
	p.counter = 10
	if code := p.in("wednesday"); code != "" {
		t.Errorf("after it went on: %q", code)
	}
	p.counter = 20
	if code := p.in("thursday"); code != "" {
		t.Fatal(code)
	}
	p.counter = 14 // sent before, and overtaken on the line
	if code := p.in("wednesday"); code != "" {
		t.Errorf("an older request of an older run that came late: %q", code)
	}
	if d := tw.device(p); d.RetiredMs != 0 || d.Boot != "thursday" || !slices.Equal(d.Boots, []string{"monday", "tuesday", "wednesday"}) {
		t.Errorf("kept: %+v", d)
	}
}

// A disk was copied onto a second machine. When both have been heard and the
// first comes again, the key is taken from neither any more, at once: the
// machine that waits for news hears so too. IT sees it.
func TestTwoMachines(t *testing.T) {
	tw := newTown(t)
	one := tw.enrol("Ghișeul 1", "covasna")
	if code := one.in("one's run"); code != "" {
		t.Fatal(code)
	}
	two := one.copied()
	two.counter += 100
	if code := two.in("two's run"); code != "" {
		t.Fatalf("the copy cannot be told yet: %q", code)
	}
	two.counter++
	waiting := two.polls(hold)
	tw.untilWaiting(1)
	one.counter = 200
	one.writes("BKNG2345", spclep.Arrived, true, nil)
	r := one.request(one.log...)
	r.SetClock(hlc.Reading{Wall: 1, Boot: "one's run", Up: 1})
	began := time.Now()
	if _, tr := one.try(r); tr == nil || tr.status != 403 || tr.Code != "retired" || !strings.Contains(tr.Say, "another machine") {
		t.Errorf("the first machine again: %+v", tr)
	}
	if _, tr := waiting(); tr == nil || tr.Code != "retired" || time.Since(began) >= hold*time.Millisecond {
		t.Errorf("the second, waiting: %+v", tr)
	}
	if entries, _, err := tw.store.After(t.Context(), "covasna", 0, 9); err != nil || len(entries) != 0 {
		t.Errorf("of the request that told them apart %d edits were taken, %v", len(entries), err)
	}
	if d := tw.device(one); d.RetiredMs != noon || !d.Cloned || d.Heir != (hlc.Device{}) {
		t.Errorf("kept: %+v", d)
	}
	if o := tw.stands("covasna"); o.Cloned != 1 || o.PCs != 0 {
		t.Errorf("IT sees %+v", o)
	}
	// Both machines go on, each under a key of its own, and the alarm is over.
	for i, m := range []*pc{one, two} {
		if e, code := tw.enrols(&pc{key: keyOf("new" + string(rune('0'+i)))}, wire.Enroll{Old: one.device()}, m); code != "" || e.Desk != 2+i {
			t.Errorf("machine %d: %+v, %q", i+1, e, code)
		}
		if o := tw.stands("covasna"); o.Cloned != 1-i || o.PCs != i+1 {
			t.Errorf("after machine %d IT sees %+v", i+1, o)
		}
	}
}

// stands is how an office stands.
func (tw *town) stands(office spclep.OfficeID) hub.Office {
	tw.t.Helper()
	offices, err := tw.hub.Offices(tw.t.Context())
	if err != nil {
		tw.t.Fatal(err)
	}
	return offices[slices.IndexFunc(offices, func(o hub.Office) bool { return o.ID == office })]
}
