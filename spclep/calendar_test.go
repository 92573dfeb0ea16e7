package spclep

import (
	"testing"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/ro"
)

// Every day from 1990 to 2099 against an independent library: 40 177 days, no
// holiday more and none less.
func TestHolidaysAgainstRickarCal(t *testing.T) {
	r := rules(t)
	oracle := &cal.Calendar{}
	oracle.AddHoliday(ro.Holidays...)
	for d := NewDay(1990, 1, 1); d < NewDay(2100, 1, 1); d++ {
		y, m, n := d.Date()
		_, want, _ := oracle.IsHoliday(time.Date(y, m, n, 12, 0, 0, 0, time.UTC))
		if name, got := r.Holiday(d); got != want {
			t.Errorf("%s: holiday %v (%s), the library says %v", d, got, name, want)
		}
	}
}

func TestOrthodoxEaster(t *testing.T) {
	for _, s := range []string{"2025-04-20", "2026-04-12", "2027-05-02", "2028-04-16", "2029-04-08", "2030-04-28",
		"2031-04-13", "2032-05-02", "2033-04-24", "2034-04-09", "2035-04-29"} {
		want := day(t, s)
		y, _, _ := want.Date()
		if got := OrthodoxEaster(y); got != want {
			t.Errorf("%d: %s, want %s", y, got, want)
		}
	}
}

func TestHolidaysBeginWhenTheLawDoes(t *testing.T) {
	r := rules(t)
	for s, want := range map[string]string{
		"2023-01-06": "", "2024-01-06": "Boboteaza", "2024-01-07": "Sfântul Ioan Botezătorul",
		"2017-04-14": "", "2018-04-06": "Vinerea Mare",
		"2016-06-01": "", "2017-06-01": "Ziua Copilului",
		"2026-06-01": "Ziua Copilului și A doua zi de Rusalii",
		"2027-05-01": "Ziua Muncii",
	} {
		if got, _ := r.Holiday(day(t, s)); got != want {
			t.Errorf("%s: %q, want %q", s, got, want)
		}
	}
}

// Working days over Easter 2026: from Thursday 9 April the next is Tuesday 14.
func TestWorkingDaysOverEaster(t *testing.T) {
	r := rules(t)
	thursday := day(t, "2026-04-09")
	if got := r.AddWorkingDays("covasna", thursday, 1); got != day(t, "2026-04-14") {
		t.Errorf("one working day after Holy Thursday: %s", got)
	}
	if got := r.NextWorkingDay("covasna", day(t, "2026-04-10")); got != day(t, "2026-04-14") {
		t.Errorf("first working day from Good Friday: %s", got)
	}
	if got := r.AddWorkingDays("covasna", thursday, 0); got != thursday {
		t.Errorf("no working days: %s", got)
	}
}
