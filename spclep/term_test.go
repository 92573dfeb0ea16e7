package spclep

import "testing"

// Applications filed in Covasna in spring 2026, over Easter (12 April) and
// 1 May: Good Friday 10, Easter Monday 13 April, 1 May are no working days.
func TestDueDays(t *testing.T) {
	r := rules(t)
	for _, c := range []struct{ product, filed, pickup, by string }{
		{"CEI_FIRST", "2026-03-02", "", "2026-04-01"},         // T01
		{"CEI_FIRST", "2026-03-02", "covasna", "2026-04-01"},  // here
		{"CEI_FIRST", "2026-03-02", "botosani", "2026-04-17"}, // T04: 1 April + 10 working days, Easter left out
		{"CIS", "2026-03-02", "", "2026-04-15"},               // T03: 30 working days, two of Easter left out
		{"CIP", "2026-03-02", "", "2026-04-01"},
		{"CI_1997", "2026-01-31", "", "2026-03-02"}, // calendar days over February
		{"RESIDENCE", "2026-03-02", "", "2026-04-01"},
	} {
		due, err := r.Due(DueAsk{"covasna", Product(c.product), day(t, c.filed), OfficeID(c.pickup)})
		if err != nil || due.By.String() != c.by {
			t.Errorf("%s filed %s for %q: by %s (%v), want %s", c.product, c.filed, c.pickup, due.By, err, c.by)
		}
	}
	for _, p := range []Product{"CIS", "CIP", "CI_1997", "RESIDENCE"} {
		_, err := r.Due(DueAsk{"covasna", p, day(t, "2026-03-02"), "botosani"})
		refused(t, err, "T05", "pickup-elsewhere")
	}
}

// The estimate is Covasna's own and promises nothing elsewhere (T06).
func TestEstimate(t *testing.T) {
	r := rules(t)
	here, err := r.Due(DueAsk{Office: "covasna", Product: "CIS", Filed: monday})
	if err != nil || here.EstimateFrom != monday.Add(10) || here.EstimateTo != monday.Add(12) {
		t.Errorf("covasna: %s to %s (%v)", here.EstimateFrom, here.EstimateTo, err)
	}
	there, err := r.Due(DueAsk{Office: "botosani", Product: "CIS", Filed: monday})
	if err != nil || there.EstimateFrom != 0 {
		t.Errorf("botosani: %s (%v), want none", there.EstimateFrom, err)
	}
}

func TestExtension(t *testing.T) {
	r := rules(t)
	for _, n := range []int{1, 15} {
		if d, err := r.Extend(monday, n); err != nil || d != monday.Add(n) {
			t.Errorf("%d days: %s (%v)", n, d, err)
		}
	}
	for _, n := range []int{-1, 0, 16} {
		d, err := r.Extend(monday, n)
		refused(t, err, "T02", "extension-days")
		if d != monday {
			t.Errorf("a refused extension moved the day to %s", d)
		}
	}
}

func TestLandExtract(t *testing.T) {
	r := rules(t)
	allowed(t, r.LandExtract(monday, monday))
	allowed(t, r.LandExtract(monday.Add(-30), monday))
	refused(t, r.LandExtract(monday.Add(-31), monday), "R01.8", "extract-too-old")
	refused(t, r.LandExtract(monday.Add(1), monday), "R01.8", "extract-from-future")
	refused(t, r.LandExtract(0, monday), "R01.8", "extract-day-missing")
}
