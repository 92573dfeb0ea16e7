package spclep

import (
	"fmt"
	"strconv"
	"time"
)

// OfficeID names one office, such as "covasna".
type OfficeID string

// Reason is why a person comes, R01 to R17 (table 5.0 of docs/rules.md).
type Reason string

// Product is what is made for the person: CEI_FIRST, CEI_NEW, CIS, CIP, ...
type Product string

// A Day is a calendar day of the office, counted in days since 1 January
// 1970. The zero Day is "no day". It has no time zone: the office's wall
// calendar is meant.
type Day int32

// NewDay gives the day of a year, month and day of the month.
func NewDay(year int, month time.Month, day int) Day {
	return Day(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// DayOf gives the calendar day that t shows in its own location.
func DayOf(t time.Time) Day {
	y, m, d := t.Date()
	return NewDay(y, m, d)
}

// ParseDay reads a day written 2006-01-02.
func ParseDay(s string) (Day, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, fmt.Errorf("day %q: want YYYY-MM-DD", s)
	}
	return DayOf(t), nil
}

// Date splits a day into its parts.
func (d Day) Date() (year int, month time.Month, day int) {
	return d.time().Date()
}

// Weekday is the day of the week.
func (d Day) Weekday() time.Weekday { return d.time().Weekday() }

// Add moves by n calendar days.
func (d Day) Add(n int) Day { return d + Day(n) }

// String writes 2006-01-02; the zero Day is empty.
func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return d.time().Format(time.DateOnly)
}

// RO writes 02.01.2006, as a clerk would.
func (d Day) RO() string {
	if d == 0 {
		return ""
	}
	return d.time().Format("02.01.2006")
}

func (d Day) time() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// MarshalText writes 2006-01-02.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes; empty is the zero Day.
func (d *Day) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = 0
		return nil
	}
	v, err := ParseDay(string(b))
	*d = v
	return err
}

// A Minute is a time of day in minutes since midnight, 0 to 1440.
type Minute int16

// ParseMinute reads 09:20; 24:00 is the end of the day.
func ParseMinute(s string) (Minute, error) {
	bad := fmt.Errorf("time of day %q: want HH:MM", s)
	if len(s) != 5 || s[2] != ':' {
		return 0, bad
	}
	h, err1 := strconv.ParseUint(s[:2], 10, 8)
	m, err2 := strconv.ParseUint(s[3:], 10, 8)
	if err1 != nil || err2 != nil || m > 59 || h*60+m > 24*60 {
		return 0, bad
	}
	return Minute(h*60 + m), nil
}

// MinuteOf gives the time of day that t shows in its own location.
func MinuteOf(t time.Time) Minute { return Minute(t.Hour()*60 + t.Minute()) }

// String writes 09:20.
func (m Minute) String() string { return fmt.Sprintf("%02d:%02d", m/60, m%60) }

// MarshalText writes 09:20.
func (m Minute) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (m *Minute) UnmarshalText(b []byte) error {
	v, err := ParseMinute(string(b))
	*m = v
	return err
}
