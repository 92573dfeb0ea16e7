package spclep

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// visit tells a story of facts: "booked arrived filed".
func visit(t testing.TB, story string, b BookedValue) Visit {
	t.Helper()
	var facts []Fact
	for i, name := range strings.Fields(story) {
		f := Fact{Name: name, Action: name, AtMs: int64(i)}
		var v any
		switch name {
		case Booked:
			v = b
		case Filed:
			v = FiledValue{Product: "CI_1997", Day: b.Day}
		case SentAway:
			v = SentAwayValue{Ground: GroundNoShow}
		}
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		f.Value = raw
		facts = append(facts, f)
	}
	return Derive(facts)
}

func booked(t testing.TB) BookedValue {
	return BookedValue{Name: "Ana Exemplu", Email: "ana@example.ro", Reason: "R08", Day: monday, At: at(t, "10:00")}
}

func TestCheckIn(t *testing.T) {
	r := rules(t)
	ask := func(story, clock string) ([]Note, error) {
		return r.MayCheckIn(CheckInAsk{"covasna", visit(t, story, booked(t)), monday, at(t, clock)})
	}
	for clock, want := range map[string]string{"09:44": "early", "09:45": "", "10:00": "", "10:20": "", "10:21": "late"} {
		notes, err := ask("booked", clock)
		allowed(t, err)
		var codes []string
		for _, n := range notes {
			codes = append(codes, n.Code)
		}
		if got := strings.Join(codes, " "); got != want {
			t.Errorf("at %s: notes %q, want %q", clock, got, want)
		}
	}
	for story, want := range map[string][2]string{
		"":                            {"B09", "no-booking"},
		"booked arrived":              {"B09", "already-arrived"},
		"booked arrived filed":        {"B09", "already-filed"},
		"booked arrived filed ready":  {"B09", "already-filed"},
		"booked filed handed-over":    {"R17", "already-handed-over"},
		"booked cancelled":            {"B14", "cancelled"},
		"booked arrived sent-away x":  {"B09", "already-arrived"}, // a no-show beside an arrival: presence stands
		"booked sent-away":            {"B14", "sent-away"},
		"booked arrived cancelled":    {"B09", "already-arrived"},
		"booked arrived filed booked": {"B09", "already-filed"},
	} {
		_, err := ask(story, "10:00")
		refused(t, err, want[0], want[1])
	}
	_, err := r.MayCheckIn(CheckInAsk{"covasna", visit(t, "booked", booked(t)), monday.Add(1), at(t, "10:00")})
	refused(t, err, "B09", "other-day")
}

// The day was declared free after the booking, and yet desk and person are
// there: it is noted, not refused (G11).
func TestCheckInOnADayDeclaredFree(t *testing.T) {
	b := booked(t)
	b.Day = day(t, "2026-12-01")
	notes, err := rules(t).MayCheckIn(CheckInAsk{"covasna", visit(t, "booked", b), b.Day, b.At})
	allowed(t, err)
	if len(notes) != 1 || notes[0].Rule != "B15" {
		t.Errorf("notes %+v", notes)
	}
}

func TestWalkIn(t *testing.T) {
	r := rules(t)
	allowed(t, r.MayWalkIn("covasna", monday, at(t, "13:00"), "R08", false, "", ""))
	refused(t, r.MayWalkIn("covasna", monday, at(t, "12:59"), "R08", false, "", ""), "B34", "no-walk-in-hours")
	refused(t, r.MayWalkIn("covasna", day(t, "2026-11-27"), at(t, "13:30"), "R08", false, "", ""), "B34", "no-walk-in-hours")
	refused(t, r.MayWalkIn("botosani", monday, at(t, "13:30"), "R08", false, "", ""), "B34", "no-walk-in-hours")
	refused(t, r.MayWalkIn("covasna", day(t, "2026-12-01"), at(t, "13:30"), "R08", false, "", ""), "B15", "closed-day")
	refused(t, r.MayWalkIn("covasna", monday, at(t, "13:30"), "R99", false, "", ""), "B25", "reason-not-offered")
	// An urgency needs the head of service's name and the reason, not the hours (B33).
	allowed(t, r.MayWalkIn("botosani", monday, at(t, "08:10"), "R01", true, "șef serviciu", "zbor mâine"))
	refused(t, r.MayWalkIn("botosani", monday, at(t, "08:10"), "R01", true, " ", "zbor mâine"), "B33", "urgency-not-approved")
	refused(t, r.MayWalkIn("botosani", monday, at(t, "08:10"), "R01", true, "șef serviciu", ""), "B33", "urgency-no-reason")
	// A card is collected without booking or walk-in hours (B19).
	allowed(t, r.MayWalkIn("botosani", monday, at(t, "10:00"), "R17", false, "", ""))
}

func TestSendAway(t *testing.T) {
	r := rules(t)
	b := booked(t)
	ask := Ask{Office: "covasna", Reason: b.Reason, Day: monday}
	away := func(story, ground string, missing ...string) error {
		return r.MaySendAway("covasna", visit(t, story, b), ground, missing, ask)
	}
	allowed(t, away("booked", GroundNoShow))
	allowed(t, away("booked arrived", GroundDataMismatch))
	allowed(t, away("booked arrived", GroundRuleBreach))
	allowed(t, away("booked arrived", GroundPapersMissing, "R08C.3", "R08C.8"))
	refused(t, away("booked arrived", GroundNoShow), "B10", "has-arrived")
	refused(t, away("booked arrived", GroundPapersMissing), "B12", "missing-unnamed")
	refused(t, away("booked arrived", GroundPapersMissing, "R08B.5"), "B12", "paper-not-on-list")
	refused(t, away("booked arrived", "bad-mood"), "X09", "ground-unknown")
	refused(t, away("booked arrived filed", GroundRuleBreach), "B13", "not-waiting")
	refused(t, away("booked cancelled", GroundRuleBreach), "B13", "not-waiting")
}

// An office may switch a ground off (X09); the others stay.
func TestGroundSwitchedOff(t *testing.T) {
	r := loadWith(t, map[string]string{"covasna.yaml": `hours:=>cancel_grounds:
  - {ground: data-mismatch, title: "datele nu corespund", off: true, rule: X09}
hours:`})
	v := visit(t, "booked arrived", booked(t))
	refused(t, r.MaySendAway("covasna", v, GroundDataMismatch, nil, Ask{Day: monday}), "X09", "ground-off")
	allowed(t, r.MaySendAway("botosani", v, GroundDataMismatch, nil, Ask{Day: monday}))
	if got := r.Grounds("covasna", monday); slices.Contains(got, GroundDataMismatch) || len(got) != 3 {
		t.Errorf("grounds %v", got)
	}
}

// All papers seen in the form they are asked in: nothing is missing. One
// without its copy: that one is.
func TestFilingMissingPapers(t *testing.T) {
	r := rules(t)
	v := visit(t, "booked arrived", booked(t))
	both := PaperTick{Original: true, Copy: true}
	have := map[string]PaperTick{"R08C.2": {Original: true}, "R08C.3": both, "R08C.7": both, "R08C.8": {Original: true}}
	missing, err := r.MayFile("covasna", v, Ask{}, 0, monday, have)
	allowed(t, err)
	if len(missing) != 0 {
		t.Errorf("missing %s", ids(missing))
	}
	have["R08C.3"] = PaperTick{Original: true}
	have["R08C.8"] = PaperTick{NotApplicable: true} // a receipt that is due cannot be waved away
	missing, err = r.MayFile("covasna", v, Ask{}, 0, monday, have)
	allowed(t, err)
	if ids(missing) != "R08C.3 R08C.8" {
		t.Errorf("missing %s", ids(missing))
	}
	// For a simple card the original is enough.
	missing, err = r.MayFile("covasna", v, Ask{Product: "CIS"}, 0, monday, have)
	allowed(t, err)
	if ids(missing) != "R08C.8" {
		t.Errorf("CIS: missing %s", ids(missing))
	}
}

func TestFilingRefused(t *testing.T) {
	r := rules(t)
	for story, want := range map[string][2]string{
		"booked":                     {"B09", "not-arrived"},
		"booked arrived filed":       {"B09", "already-filed"},
		"booked sent-away":           {"B14", "sent-away"},
		"booked cancelled":           {"B14", "cancelled"},
		"booked arrived filed ready": {"B09", "already-filed"},
	} {
		_, err := r.MayFile("covasna", visit(t, story, booked(t)), Ask{}, 0, monday, nil)
		refused(t, err, want[0], want[1])
	}
	for who, want := range map[string][2]string{
		"covasna R03 birth=2013-01-01":           {"R02.9", "card-under-14"},
		"covasna R03 birth=2012-11-24":           {"R02.9", "card-under-14"}, // 14 tomorrow
		"covasna R02 birth=2012-11-23":           {"R02", "age-reason"},      // 14 today
		"covasna R04 birth=2012-11-24":           {"R04", "age-reason"},
		"covasna R05 birth=2008-11-24":           {"R05", "age-reason"},
		"covasna R01 abroad_proxy=yes":           {"X05", "proxy-not-allowed"},
		"covasna R03 abroad_proxy=yes":           {"X05", "proxy-not-allowed"},
		"covasna R01 address_proof=land-extract": {"R01.8", "extract-day-missing"},
	} {
		_, err := r.MayFile("covasna", visit(t, "booked arrived", booked(t)), asking(who), 0, monday, nil)
		refused(t, err, want[0], want[1])
	}
	for _, who := range []string{"covasna R04 birth=2012-11-23", "covasna R03 birth=2012-11-23", "covasna R05 birth=2008-11-23", "covasna R08 abroad_proxy=yes"} {
		_, err := r.MayFile("covasna", visit(t, "booked arrived", booked(t)), asking(who), 0, monday, nil)
		allowed(t, err)
	}
	_, err := r.MayFile("covasna", visit(t, "booked arrived", booked(t)), asking("covasna R01"), monday.Add(-31), monday, nil)
	refused(t, err, "R01.8", "extract-too-old")
	// Booked for an earlier day, extract aged since: the filing counts.
	_, err = r.MayFile("covasna", visit(t, "booked arrived", booked(t)), asking("covasna R01"), monday.Add(-30), monday.Add(1), nil)
	refused(t, err, "R01.8", "extract-too-old")
}

func TestHandOver(t *testing.T) {
	r := rules(t)
	b := booked(t)
	give := func(story, to, birth string, reason Reason, permit bool) error {
		q := HandOverAsk{Office: "covasna", Visit: visit(t, story, b), To: to, Today: monday, Now: at(t, "13:10"), Reason: reason, Permit: permit}
		if birth != "" {
			q.Birth = day(t, birth)
		}
		return r.MayHandOver(q)
	}
	const ready = "booked arrived filed ready"
	allowed(t, give(ready, "holder", "", "R08", false))
	refused(t, give("booked arrived filed", "holder", "", "R08", false), "R17", "not-ready")
	refused(t, give("booked arrived", "holder", "", "R08", false), "R17", "not-filed")
	refused(t, give(ready+" handed-over", "holder", "", "R08", false), "R17", "already-handed-over")
	refused(t, give(ready, "parent", "1990-01-01", "R08", false), "G4", "collector-not-allowed")
	refused(t, give(ready, "neighbour", "", "R08", false), "G4", "collector-not-allowed")
	// Under 14: a parent or the person of art. 12^1, nobody else (R02.8).
	allowed(t, give(ready, "parent", "2012-11-24", "R02", false))
	allowed(t, give(ready, "art12-1", "2020-01-01", "R02", false))
	refused(t, give(ready, "holder", "2012-11-24", "R02", false), "R02.8", "collector-not-allowed")
	refused(t, give(ready, "legal-representative", "2020-01-01", "R02", false), "R02.8", "collector-not-allowed")
	// Exactly 14.
	allowed(t, give(ready, "holder", "2012-11-23", "R04", false))
	// A new citizen surrenders the residence permit (R14.8).
	refused(t, give(ready, "holder", "", "R14", false), "R14.8", "permit-not-surrendered")
	allowed(t, give(ready, "holder", "", "R14", true))
}

// A new citizen who never had a permit has none to surrender.
func TestHandOverWithoutPermit(t *testing.T) {
	v := visit(t, "booked arrived filed ready", booked(t))
	allowed(t, rules(t).MayHandOver(HandOverAsk{Office: "botosani", Visit: v, To: "holder", Today: monday, Reason: "R14", Answers: Answers{"residence_permit": "no"}}))
}

// Outside the hours for it a card may be given; the clerk is told.
func TestHandOverNotes(t *testing.T) {
	r := rules(t)
	v := visit(t, "booked arrived filed ready", booked(t))
	for clock, want := range map[string]int{"13:10": 0, "09:00": 1, "14:00": 1} {
		if got := r.HandOverNotes(HandOverAsk{Office: "covasna", Visit: v, Today: monday, Now: at(t, clock)}); len(got) != want {
			t.Errorf("at %s: %+v", clock, got)
		}
	}
}
