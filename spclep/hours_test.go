package spclep

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A week of each office: Covasna has 12 slots a day, Botoșani 22, 25 on
// Wednesday and 15 on Friday, with ten minutes left over that are no slot.
func TestSlotsOfAWeek(t *testing.T) {
	r := rules(t)
	for office, want := range map[OfficeID][]int{"covasna": {12, 12, 12, 12, 12, 0, 0}, "botosani": {22, 22, 25, 22, 15, 0, 0}} {
		for i, n := range want {
			slots, err := r.Slots(office, day(t, "2026-11-16").Add(i))
			if err != nil || len(slots) != n {
				t.Errorf("%s day %d: %d slots (%v), want %d", office, i, len(slots), err, n)
			}
		}
	}
	slots, err := r.Slots("covasna", monday)
	if err != nil || slots[0].String() != "09:00" || slots[11].String() != "12:40" {
		t.Errorf("covasna: %v (%v)", slots, err)
	}
	if wed, _ := r.Slots("botosani", day(t, "2026-11-18")); wed[24].String() != "18:00" {
		t.Errorf("botosani on Wednesday ends with %s", wed[24])
	}
}

// Between 13 and 14 Covasna takes papers and gives out cards at once (X15).
func TestHoursOverlap(t *testing.T) {
	h, err := rules(t).Hours("covasna", monday)
	if err != nil {
		t.Fatal(err)
	}
	for clock, want := range map[string]string{"08:59": "", "09:00": "booked", "12:59": "booked", "13:00": "walkin pickup",
		"13:59": "walkin pickup", "14:00": "walkin", "15:00": ""} {
		var open []string
		for _, kind := range []string{HoursBooked, HoursWalkIn, HoursPickup} {
			if h.Open(kind, at(t, clock)) {
				open = append(open, kind)
			}
		}
		if got := strings.Join(open, " "); got != want {
			t.Errorf("at %s: %s, want %s", clock, got, want)
		}
	}
	friday, _ := rules(t).Hours("covasna", day(t, "2026-11-27"))
	if friday.Open(HoursWalkIn, at(t, "13:30")) || friday.Open(HoursPickup, at(t, "13:30")) {
		t.Error("covasna takes walk-ins or gives out cards on Friday afternoon")
	}
}

func TestClosedDays(t *testing.T) {
	r := rules(t)
	for s, why := range map[string]string{"2026-11-30": "Sfântul Andrei", "2026-12-01": "Ziua Națională", "2026-11-28": "fără program"} {
		h, err := r.Hours("covasna", day(t, s))
		if err != nil || !h.Closed || !strings.Contains(h.Why, why) || h.Rule != "B15" {
			t.Errorf("%s: %+v (%v)", s, h, err)
		}
	}
	if _, err := r.Hours("sibiu", monday); err == nil || !strings.Contains(err.Error(), "covasna, botosani") {
		t.Errorf("unknown office: %v", err)
	}
}

// The Government gives a bridge day free and a Saturday to make up for it; one
// office is closed for a move and another keeps working through the bridge.
func TestBridgeDayAndRecoveredSaturday(t *testing.T) {
	r := loadWith(t, map[string]string{
		"national.yaml": `days: []=>days:
  - {day: 2026-12-24, kind: closed, title: "punte", rule: B15, source: "HG"}
  - {day: 2026-12-05, kind: working, as: 4, title: "recuperare", rule: B15}`,
		"botosani.yaml": `hours:=>days:
  - {day: 2026-12-24, kind: working, title: "se lucrează"}
  - {day: 2026-12-07, last: 2026-12-09, kind: closed, title: "mutarea sediului"}
hours:`})
	thursday, saturday := day(t, "2026-12-24"), day(t, "2026-12-05")
	if h, _ := r.Hours("covasna", thursday); !h.Closed || h.Why != "punte" {
		t.Errorf("covasna on the bridge: %+v", h)
	}
	if s, _ := r.Slots("botosani", thursday); len(s) != 22 {
		t.Errorf("botosani on the bridge: %d slots", len(s))
	}
	if s, _ := r.Slots("covasna", saturday); len(s) != 12 || !r.WorkingDay("covasna", saturday) {
		t.Errorf("covasna on the recovered Saturday: %d slots", len(s))
	}
	for i, closed := range []bool{false, true, true, true, false} { // Sunday has no hours at all
		if h, _ := r.Hours("botosani", day(t, "2026-12-06").Add(i)); i > 0 && h.Closed != closed {
			t.Errorf("botosani %s: closed %v", day(t, "2026-12-06").Add(i), h.Closed)
		}
	}
	if got := r.AddWorkingDays("botosani", day(t, "2026-12-04"), 2); got != day(t, "2026-12-10") {
		t.Errorf("two working days over the move: %s", got) // Saturday 5 is the first
	}
}

func TestFreeSlots(t *testing.T) {
	r := rules(t)
	taken := map[Minute]int{at(t, "09:00"): 1, at(t, "10:20"): 2}
	free, err := r.FreeSlots("covasna", monday, taken)
	if err != nil || len(free) != 10 {
		t.Errorf("%d free (%v), want 10", len(free), err)
	}
	for _, m := range free {
		if taken[m] > 0 {
			t.Errorf("%s is taken and free", m)
		}
	}
}

// The narrowest row wins, and each only in its time: fewer desks on Western
// Easter Monday, two desks in one county, other minutes for one reason.
func TestNarrowerSettingWins(t *testing.T) {
	r := loadWith(t, map[string]string{
		"covasna.yaml": `hours:=>settings:
  - {key: desks, value: 3, until: 2026-04-06, rule: G02}
  - {key: desks, value: 1, since: 2026-04-06, until: 2026-04-07, rule: G02}
  - {key: desks, value: 3, since: 2026-04-07, rule: G02}
  - {key: window_days, value: 45, reason: R04, rule: B17}
hours:`,
		"county.yaml": "=>layer: county\nid: BT\nsettings:\n  - {key: desks, value: 2, rule: G02}\n  - {key: min_days_ahead, value: 5, rule: X08}\n"})
	for _, c := range []struct {
		office, on string
		want       int
	}{{"covasna", "2026-04-05", 3}, {"covasna", "2026-04-06", 1}, {"covasna", "2026-04-07", 3}, {"botosani", "2026-04-06", 2}} {
		if got := r.Capacity(OfficeID(c.office), day(t, c.on)); got != c.want {
			t.Errorf("%s on %s: %d desks, want %d", c.office, c.on, got, c.want)
		}
	}
	if s, ok := r.Setting("min_days_ahead", "botosani", "", "", monday); !ok || *s.Value != 1 || s.Layer != "botosani" {
		t.Errorf("the office's row lost to the county's: %+v", s)
	}
	_, last := r.Window("covasna", "R04", monday)
	_, other := r.Window("covasna", "R01", monday)
	if last != monday.Add(45) || other != monday.Add(30) {
		t.Errorf("windows end %s and %s", last, other)
	}
}

// Competence by card and day (X01): any office for electronic cards from August 2025.
func TestCompetence(t *testing.T) {
	r := rules(t)
	for _, c := range []struct {
		p    Product
		on   string
		want int
	}{{"CEI_NEW", "2025-07-31", 0}, {"CEI_NEW", "2025-08-01", 1}, {"CIS", "2026-01-01", 0}, {"RESIDENCE", "2026-01-01", 0}} {
		if s, ok := r.Setting("any_office", "covasna", c.p, "", day(t, c.on)); !ok || *s.Value != c.want {
			t.Errorf("%s on %s: %+v", c.p, c.on, s)
		}
	}
}

func TestCalendarOfABookingDayIsPlain(t *testing.T) {
	if w := monday.Weekday(); w != time.Monday {
		t.Fatal(fmt.Sprint("the stories' Monday is a ", w))
	}
}

// A reason beats a product, a product beats the place: even the nation's row
// for a reason beats the office's for everything.
func TestReasonBeatsProductBeatsPlace(t *testing.T) {
	r := loadWith(t, map[string]string{
		"national.yaml": `settings:=>settings:
  - {key: window_days, value: 45, reason: R04, rule: B17}
  - {key: window_days, value: 40, product: CIS, rule: B17}`,
		"covasna.yaml": `hours:=>settings:
  - {key: window_days, value: 14, rule: B17}
hours:`})
	for _, c := range []struct {
		office OfficeID
		p      Product
		reason Reason
		want   int
	}{{"covasna", "", "R01", 14}, {"covasna", "CIS", "R01", 40}, {"covasna", "CIS", "R04", 45}, {"covasna", "", "R04", 45}, {"botosani", "", "R01", 30}} {
		if s, ok := r.Setting("window_days", c.office, c.p, c.reason, monday); !ok || *s.Value != c.want {
			t.Errorf("%s %s %s: %+v, want %d", c.office, c.p, c.reason, s, c.want)
		}
	}
}
