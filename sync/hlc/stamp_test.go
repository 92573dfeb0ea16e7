package hlc

import (
	"encoding/json"
	"math"
	"testing"
)

var (
	pcA = Device{0xa1}
	pcB = Device{0xb2}
)

// The order of all edits: time first, then count, then device, never a tie
// between two devices.
func TestStampOrder(t *testing.T) {
	rising := []Stamp{
		{},
		{At(-5), pcA}, // clamped to 1970
		{At(1), pcA},
		{At(1), pcB},
		{At(1).After(), pcA},
		{At(2), pcA},
		{At(MaxMs), pcA},
		{At(math.MaxInt64), pcB}, // clamped to the last millisecond
	}
	for i, a := range rising {
		for j, b := range rising {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := a.Compare(b); got != want {
				t.Errorf("Compare(%v, %v) = %d, want %d", a, b, got, want)
			}
		}
	}
}

// The count of a full millisecond carries into the next one.
func TestCountCarries(t *testing.T) {
	last := At(1000) | 0xffff
	if next := last.After(); next.Ms() != 1001 || next.Count() != 0 {
		t.Errorf("after %v comes %v, want 1001.0", last, next)
	}
}

// Even after the last Time there is, what a clock gives can be written and read
// again: an edit that cannot be read would jam the outbox.
func TestTimeIsReadableAtTheEnd(t *testing.T) {
	c := New(At(MaxMs) | 0xffff)
	got, err := ParseTime(c.Next(5, 0).String())
	if err != nil {
		t.Fatalf("the clock gave a Time nobody can read: %v", err)
	}
	if int64(got) < 0 {
		t.Errorf("Time %v does not fit a signed column", got)
	}
}

func TestTimeText(t *testing.T) {
	for _, v := range []Time{0, 1, At(1795282440123), At(1795282440123) | 0xffff, At(MaxMs)} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var back Time
		if err := json.Unmarshal(b, &back); err != nil || back != v {
			t.Errorf("%v came back from %s as %v, %v", v, b, back, err)
		}
	}
	for _, s := range []string{"", "1", ".", "1.", ".1", "-1.0", "1.-0", "1.65536", "140737488355328.0", "1.0.0", "1e3.0", " 1.0"} {
		if v, err := ParseTime(s); err == nil {
			t.Errorf("%q was read as %v", s, v)
		}
	}
}

func TestDeviceText(t *testing.T) {
	d, err := ParseDevice("00ff0123456789AB")
	if err != nil || d.String() != "00ff0123456789ab" {
		t.Errorf("got %v, %v", d, err)
	}
	for _, s := range []string{"", "00ff0123456789a", "00ff0123456789abc", "00ff0123456789ag", "00ff 123456789ab"} {
		if d, err := ParseDevice(s); err == nil {
			t.Errorf("%q was read as %v", s, d)
		}
	}
}

// Whatever the PC's clock does, a clock's Times only grow.
func TestClockNeverRunsBack(t *testing.T) {
	c := New(At(5000))
	last := c.High()
	for _, now := range []int64{5000, 5001, 5001, 4000, 0, -7, 9000, 8999, math.MinInt64, 9000} {
		next := c.Next(now, 0)
		if next <= last {
			t.Fatalf("at %d the clock gave %v after %v", now, next, last)
		}
		last = next
	}
	if got := c.Next(0, At(20_000)); got != At(20_000).After() {
		t.Errorf("an edit on top of 20000.0 got %v", got)
	}
}
