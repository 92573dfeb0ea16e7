package spclep

import "testing"

// A citizen asks for Tuesday 09:20 in Covasna, and each time one thing is off.
func TestBooking(t *testing.T) {
	r := rules(t)
	good := func() BookAsk {
		return BookAsk{Office: "covasna", Reason: "R01", Day: monday.Add(1), At: at(t, "09:20"), Requested: monday,
			Consent: true, Name: "Ödön Példa", Email: "odon@example.ro"}
	}
	allowed(t, r.MayBook(good()))
	for code, off := range map[string]struct {
		rule string
		do   func(*BookAsk)
	}{
		"name-missing":        {"B24", func(q *BookAsk) { q.Name = "  " }},
		"email-invalid":       {"B23", func(q *BookAsk) { q.Email = "odon@example" }},
		"consent-missing":     {"B26", func(q *BookAsk) { q.Consent = false }},
		"reason-not-offered":  {"B25", func(q *BookAsk) { q.Reason = "R99" }},
		"reason-not-bookable": {"B19", func(q *BookAsk) { q.Reason = "R17" }},
		"past-day":            {"B16", func(q *BookAsk) { q.Day = monday.Add(-1) }},
		"beyond-window":       {"B17", func(q *BookAsk) { q.Day = monday.Add(31) }},
		"closed-day":          {"B15", func(q *BookAsk) { q.Day = day(t, "2026-12-01") }},
		"no-such-slot":        {"B22", func(q *BookAsk) { q.At = at(t, "09:10") }},
		"slot-full":           {"B22", func(q *BookAsk) { q.TakenAt = 1 }},
		"already-booked":      {"B07", func(q *BookAsk) { q.ActiveOfPerson = 1 }},
	} {
		q := good()
		off.do(&q)
		refused(t, r.MayBook(q), off.rule, code)
	}
}

// The edges of the window, and the same day: Covasna's notice begins with
// today, Botoșani's excludes it (X08). The 30th day counts (G08).
func TestWindowEdges(t *testing.T) {
	r := rules(t)
	ask := func(o OfficeID, ahead int, clock string) error {
		return r.MayBook(BookAsk{Office: o, Reason: "R01", Day: monday.Add(ahead), At: at(t, clock), Requested: monday,
			RequestedAt: at(t, "10:00"), Consent: true, Name: "Ana Exemplu", Email: "ana@example.ro"})
	}
	allowed(t, ask("covasna", 0, "10:20"))
	refused(t, ask("covasna", 0, "10:00"), "B22", "slot-past")
	refused(t, ask("botosani", 0, "10:20"), "B16", "same-day")
	allowed(t, ask("botosani", 1, "10:20"))
	allowed(t, ask("covasna", 30, "10:20"))
	allowed(t, ask("botosani", 30, "10:20"))
	refused(t, ask("covasna", 31, "10:20"), "B17", "beyond-window")
}

// The window is that of the day of asking, the slots those of the day asked
// for: a rule that changes in between changes only its own side.
func TestBookingAcrossAChangeOfRules(t *testing.T) {
	r := loadWith(t, map[string]string{"covasna.yaml": `hours:=>settings:
  - {key: window_days, value: 7, until: 2026-11-24, rule: B17}
  - {key: slot_minutes, value: 30, since: 2026-12-02, rule: B06}
hours:`})
	ask := func(requested, on, clock string) error {
		return r.MayBook(BookAsk{Office: "covasna", Reason: "R01", Day: day(t, on), At: at(t, clock), Requested: day(t, requested),
			Consent: true, Name: "Ana Exemplu", Email: "ana@example.ro"})
	}
	refused(t, ask("2026-11-23", "2026-12-02", "09:30"), "B17", "beyond-window")
	allowed(t, ask("2026-11-24", "2026-12-02", "09:30"))
	refused(t, ask("2026-11-24", "2026-12-02", "09:20"), "B22", "no-such-slot")
	allowed(t, ask("2026-11-24", "2026-11-27", "09:20"))
}

func TestEmails(t *testing.T) {
	for s, want := range map[string]bool{
		"ana@example.ro": true, "a.b+c@mail.example.ro": true, "șerban@example.ro": true,
		"": false, "ana": false, "@example.ro": false, "ana@": false, "ana@.ro": false, "ana@ro.": false,
		"a na@example.ro": false, "ana@exa\nmple.ro": false, "a@b@example.ro": false, "<ana@example.ro>": false, "ana@ex..ro": false,
	} {
		if got := plausibleEmail(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}

// Fifteen minutes from the request, the last millisecond still counts and the
// fifteenth minute does not (B28).
func TestConfirm(t *testing.T) {
	r := rules(t)
	const asked = 1_795_000_000_000
	allowed(t, r.MayConfirm(asked, asked))
	allowed(t, r.MayConfirm(asked, asked+15*60_000-1))
	refused(t, r.MayConfirm(asked, asked+15*60_000), "B28", "confirm-expired")
}
