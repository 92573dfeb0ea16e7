package spclep

import (
	"strings"
	"time"
)

// OrthodoxEaster is Easter Sunday of the Romanian Orthodox Church, by Meeus'
// Julian algorithm, on the Gregorian calendar.
func OrthodoxEaster(year int) Day {
	a, b, c := year%4, year%7, year%19
	d := (19*c + 15) % 30
	e := (2*a + 4*b - d + 34) % 7
	m := d + e + 114
	ahead := year/100 - year/400 - 2 // 13 days from 1900 to 2099
	return NewDay(year, time.Month(m/31), m%31+1+ahead)
}

// Holiday names the public holiday of a day, by the law's list as the bundle
// holds it (B15). Two that fall together are both named.
func (r *Reference) Holiday(d Day) (name string, ok bool) {
	var names []string
	for _, h := range r.national.Holidays {
		if h.validOn(d) && h.fallsOn(d) {
			names = append(names, h.Title)
		}
	}
	return strings.Join(names, " și "), len(names) > 0
}

func (h holidayRow) fallsOn(d Day) bool {
	y, m, day := d.Date()
	if h.Easter != nil {
		return OrthodoxEaster(y).Add(*h.Easter) == d
	}
	return int(m) == h.Month && day == h.Day
}

// special finds the row that closes or opens a day against the calendar; the
// office's own word beats the county's and the nation's.
func (r *Reference) special(o OfficeID, d Day) *dayRow {
	for _, l := range r.layersOf(o) {
		for i, row := range l.Days {
			if row.validOn(d) && row.Day <= d && d <= max(row.Day, row.Last) {
				return &l.Days[i]
			}
		}
	}
	return nil
}

// Kinds of dayRow.
const (
	dayClosed  = "closed"
	dayWorking = "working"
)

// WorkingDay says whether a day counts in terms of working days: Monday to
// Friday, no holiday, not closed for this office; or a recovered working day.
func (r *Reference) WorkingDay(o OfficeID, d Day) bool {
	if row := r.special(o, d); row != nil {
		return row.Kind == dayWorking
	}
	if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
		return false
	}
	_, holiday := r.Holiday(d)
	return !holiday
}

// NextWorkingDay is the first working day that is not before from.
func (r *Reference) NextWorkingDay(o OfficeID, from Day) Day {
	for !r.WorkingDay(o, from) {
		from++
	}
	return from
}

// AddWorkingDays is the n-th working day after from, which is not counted
// itself (T03, T04). With n below 1 it is from.
func (r *Reference) AddWorkingDays(o OfficeID, from Day, n int) Day {
	for ; n > 0; n-- {
		from = r.NextWorkingDay(o, from+1)
	}
	return from
}
