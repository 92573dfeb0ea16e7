package replica

import (
	"testing"
	"time"

	"condica/sync/hlc"
)

// ten is ten o'clock of the day of these stories, in the hub's time.
var ten = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

func clock(text string) int64 {
	d, err := time.ParseDuration(text)
	if err != nil {
		panic(err) // the table's
	}
	return ten.Add(d).UnixMilli()
}

// Somebody wants a file now, and this run of the PC was never measured. Times
// are said as hours after ten, when the hub was last heard; run a was measured
// then, run b began at twelve and was not. On a run's own clock two hours up are
// "2h".
func TestSealingByEstimate(t *testing.T) {
	up := func(h string) int64 { d, _ := time.ParseDuration(h); return d.Milliseconds() }
	a := func(h string) hlc.Reading { return hlc.Reading{Boot: "a", Up: up(h), Wall: clock(h)} }
	b := func(h, wall string) hlc.Reading { return hlc.Reading{Boot: "b", Up: up(h), Wall: clock(wall)} }
	const in2009 = "-148000h"
	measured := hlc.Anchor{Boot: "a", Up: 0, Hub: clock("0s"), Wall: clock("0s"), Err: 50}
	told := func(h, at string) hlc.Anchor {
		return hlc.Anchor{Boot: "b", Up: up(h), Hub: clock(at), Wall: clock(in2009), Err: hlc.TypedErr}
	}
	for _, c := range []struct {
		name    string
		edits   []hlc.Reading
		anchors []hlc.Anchor
		now     hlc.Reading
		sealed  string // the last time sent; empty: none
		want    []string
		heard   string // when the hub was last heard, without a measure; empty: at ten
	}{
		{"a run that was measured is exact", []hlc.Reading{a("1h"), a("2h")}, []hlc.Anchor{measured}, a("3h"), "", []string{"1h", "2h"}, ""},
		{"after a reboot the wall clock is believed", []hlc.Reading{a("1h"), b("1h", "3h")}, []hlc.Anchor{measured}, b("2h", "4h"), "", []string{"1h", "3h"}, ""},
		{"with a dead battery only what was measured goes", []hlc.Reading{a("1h"), b("1h", in2009)}, []hlc.Anchor{measured}, b("2h", in2009), "", []string{"1h"}, ""},
		{"and nothing where nothing was", []hlc.Reading{b("1h", in2009)}, []hlc.Anchor{measured}, b("2h", in2009), "", nil, ""},
		{"a clerk's word makes the rest go", []hlc.Reading{a("1h"), b("1h", in2009)}, []hlc.Anchor{measured, told("2h", "4h")}, b("3h", in2009), "", []string{"1h", "3h"}, ""},
		{"but not before what is known exactly", []hlc.Reading{a("3h"), b("1h", in2009)}, []hlc.Anchor{measured, told("1h", "1h")}, b("1h", in2009), "", []string{"3h", "3h"}, ""},
		{"and not before the last contact", []hlc.Reading{b("1h", in2009), b("2h", in2009)}, []hlc.Anchor{measured, told("2h", "-24h")}, b("2h", in2009), "", []string{"0s", "0s"}, ""},
		{"nor is it earlier now than then", []hlc.Reading{b("1h", in2009)}, []hlc.Anchor{measured, told("2h", "1h")}, b("2h", in2009), "", []string{"1h"}, "2h"},
		{"nor before what was sent", []hlc.Reading{b("1h", "3h")}, []hlc.Anchor{measured}, b("2h", "4h"), "5h", []string{"5h"}, ""},
		{"a clock months ahead is not believed", []hlc.Reading{b("1h", "2400h")}, []hlc.Anchor{measured}, b("2h", "2401h"), "", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			anchors := hlc.Anchors{}
			for _, an := range c.anchors {
				anchors[an.Boot] = an
			}
			s := &State{LastOK: clock("0s"), Floor: clock("0s")}
			if c.sealed != "" {
				s.Sealed = hlc.At(clock(c.sealed))
			}
			if c.heard != "" {
				s.LastOK = clock(c.heard)
			}
			got := estimated(c.edits, anchors, c.now, s)
			if len(got) != len(c.want) {
				t.Fatalf("%d of %d edits have a time, want %d", len(got), len(c.edits), len(c.want))
			}
			last := s.Sealed
			for i, at := range got {
				if at.Ms() != clock(c.want[i]) || at <= last {
					t.Errorf("edit %d is put at %s after %s, want %s", i+1, time.UnixMilli(at.Ms()).UTC(), last, c.want[i])
				}
				last = at
			}
			if len(anchors) != len(c.anchors) {
				t.Error("the estimate was kept as if it had been measured")
			}
		})
	}
}
