package hub_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"condica/hub"
	"condica/hub/store"
	"condica/spclep"
	"condica/sync/op"
)

func (p *pc) files(booking, number string) op.ID {
	p.town.t.Helper()
	return p.writes(booking, spclep.Filed, true, spclep.FiledValue{Number: number, Product: "CIS", Day: p.town.hub.Today()})
}

// alike is what the hub says of an office's numbers: its list, the offices', and
// the remarks in its log.
func (tw *town) alike(office spclep.OfficeID) string {
	tw.t.Helper()
	found, err := tw.hub.TwoAlike(tw.t.Context(), office)
	if err != nil {
		tw.t.Fatal(err)
	}
	offices, err := tw.hub.Offices(tw.t.Context())
	if err != nil {
		tw.t.Fatal(err)
	}
	for _, o := range offices {
		if o.ID == office && !reflect.DeepEqual(o.Alike, found) {
			tw.t.Errorf("the office's list is %v, its line says %v", found, o.Alike)
		}
	}
	lines, err := tw.hub.History(tw.t.Context(), office, 0)
	if err != nil {
		tw.t.Fatal(err)
	}
	var said []string
	for _, a := range found {
		said = append(said, fmt.Sprint(a.Number, a.Bookings))
	}
	for _, l := range lines {
		if l.Alike != nil {
			said = append(said, fmt.Sprint(l.ID.Seq, " ", l.Entity(), " as ", l.Alike))
		}
	}
	return strings.Join(said, ", ")
}

// A hub that was put back gave one number to two desks, and both have filed under
// it: the hub names both applications until one was taken back and filed anew. A
// number that another office uses, or that a booking was filed under twice, is
// none of that.
func TestTwoApplicationsAlike(t *testing.T) {
	tw := newTown(t)
	one, two, far := tw.enrol("one", "covasna"), tw.enrol("two", "covasna"), tw.enrol("far", "botosani")
	one.files("BKNG2345", "12")
	one.files("BKNG2346", "13")
	one.sync()
	far.files("BKNG2352", "12")
	far.sync()
	two.writes("BKNG2347", spclep.FieldNote, false, "12")
	two.files("BKNG2346", "12") // a double of the other desk's: 13 counts
	two.writes("BKNG2345", spclep.Arrived, true, spclep.FiledValue{Number: "12"})
	two.sync()
	if got := tw.alike("covasna"); got != "" {
		t.Errorf("alike before: %s", got)
	}
	wrong := two.files("BKNG2347", "12")
	two.sync()
	if got, want := tw.alike("covasna"), "12[BKNG2345 BKNG2347], 1 BKNG2345 as [BKNG2347], 4 BKNG2347 as [BKNG2345]"; got != want {
		t.Errorf("alike: %s, want %s", got, want)
	}
	if got := tw.alike("botosani"); got != "" {
		t.Errorf("in the other office: %s", got)
	}
	two.writes("BKNG2347", spclep.Undone, true, spclep.UndoneValue{Action: wrong.String()})
	two.files("BKNG2347", "14")
	two.sync()
	if got := tw.alike("covasna"); got != "" {
		t.Errorf("alike after one was corrected: %s", got)
	}
}

// A PC says that records on its disk were found damaged and put right: for thirty
// days its disk is one to be looked at, unless the PC was shut out.
func TestIllDisk(t *testing.T) {
	tw := newTown(t)
	p := tw.enrol("one", "covasna")
	ill := func() (n int) {
		t.Helper()
		offices, err := tw.hub.Offices(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range offices {
			n += o.IllDisk
		}
		return n
	}
	says := func(health string) {
		t.Helper()
		r := p.request()
		r.Health = []byte(health)
		p.send(r)
	}
	says(`{"v":"1"}`)
	if n := ill(); n != 0 {
		t.Errorf("a sound PC counts: %d", n)
	}
	says(fmt.Sprintf(`{"v":"1","m":3,"mm":%d}`, tw.now))
	if n := ill(); n != 1 {
		t.Errorf("%d ill disks, want the one", n)
	}
	d, err := tw.store.Device(t.Context(), p.device())
	if h := hub.HealthOf(d); err != nil || h.Mended != 3 || h.MendedMs != tw.now {
		t.Errorf("the hub reads %+v, %v", h, err)
	}
	for after, want := range map[time.Duration]int{30 * 24 * time.Hour: 1, 30*24*time.Hour + time.Millisecond: 0} {
		tw.now += after.Milliseconds()
		if n := ill(); n != want {
			t.Errorf("%s later: %d ill disks, want %d", after, n, want)
		}
		tw.now -= after.Milliseconds()
	}
	if err := tw.hub.Revoke(t.Context(), p.device()); err != nil {
		t.Fatal(err)
	}
	if n := ill(); n != 0 {
		t.Error("the disk of a PC that was revoked is still asked for")
	}
	if tw.hub.IllDisk(store.Device{Kind: store.PC, Health: []byte(`{"m":"x"}`)}) {
		t.Error("what cannot be read is an ill disk")
	}
}
