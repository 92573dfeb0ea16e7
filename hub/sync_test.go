package hub_test

import (
	"testing"

	"condica/spclep"
)

// A booking made on the hub reaches both PCs of the office; the check-in of
// one reaches the other; another office sees nothing of it.
func TestTwoPCsOfOneOffice(t *testing.T) {
	tw := newTown(t)
	b := tw.book("covasna", 0)
	one, two, far := tw.enrol("one", "covasna"), tw.enrol("two", "covasna"), tw.enrol("far", "botosani")
	one.sync()
	if got := one.booking(b.ID); got.Visit.State != spclep.StateBooked || got.Name != "Mostră Ion A" {
		t.Fatalf("PC one shows %q, %s", got.Name, got.Visit.State)
	}
	one.writes(string(b.ID), spclep.Arrived, true, nil)
	a := one.sync()
	if a.Have != 1 || len(a.Verdicts) != 1 || a.Verdicts[0].Pos != 2 || a.Verdicts[0].Eff != 0 {
		t.Errorf("the check-in was answered with %+v", a)
	}
	if len(a.Entries) != 1 || a.Entries[0].Seq != 1 || len(a.Entries[0].Op) != 0 {
		t.Errorf("the PC's own edit came back as %+v, want its number alone", a.Entries)
	}
	two.sync()
	if got := two.booking(b.ID); got.Visit.State != spclep.StateArrived {
		t.Errorf("PC two shows %s, want arrived", got.Visit.State)
	}
	if a := far.sync(); a.Head != 0 || len(a.Entries) != 0 {
		t.Errorf("another office was given %d edits", len(a.Entries))
	}
}
