package spclep

import (
	"strings"
	"testing"
)

// The price moved on 1 August 2025; each day keeps the price it had (X02, X03),
// and an unknown price is never called free.
func TestFeesByDay(t *testing.T) {
	r := rules(t)
	for _, c := range []struct{ office, reason, product, on, want, rule string }{
		{"covasna", "R01", "CEI_NEW", "2025-06-22", "întrebați la ghișeu", "R01"},
		{"covasna", "R01", "CEI_NEW", "2025-06-23", "67 lei", "F03"},
		{"covasna", "R01", "CEI_NEW", "2025-07-31", "67 lei", "F03"},
		{"covasna", "R01", "CEI_NEW", "2025-08-01", "70 lei", "F02"},
		{"botosani", "R02", "CEI_U14", "2025-07-31", "67 lei", "F04"},
		{"botosani", "R02", "CEI_U14", "2025-08-01", "70 lei", "F04"},
		{"covasna", "R03", "CIS", "2025-07-31", "38 lei", "F06"},
		{"covasna", "R03", "CIS", "2025-08-01", "40 lei", "F06"},
		{"covasna", "R02", "CEI_U14_LAST30D", "2026-11-23", "gratuit", "F05"},
		{"covasna", "R01", "CEI_FIRST", "2026-06-30", "gratuit", "F01"},
		{"covasna", "R01", "CEI_FIRST", "2026-07-01", "întrebați la ghișeu", "F01"},
		{"covasna", "R08", "CI_1997", "2026-11-23", "7 lei", "F07"},
		{"botosani", "R06", "CIP", "2026-11-23", "1 leu", "F08"},
		{"covasna", "R12", "", "2026-11-23", "întrebați la ghișeu", "R12"},
		{"botosani", "R15", "", "2026-11-23", "întrebați la ghișeu", "R15"},
	} {
		f, err := r.Fee(Ask{Office: OfficeID(c.office), Reason: Reason(c.reason), Product: Product(c.product), Day: day(t, c.on)})
		if err != nil || f.Text != c.want || f.Rule != c.rule {
			t.Errorf("%s %s on %s: %s by %s (%v), want %s by %s", c.reason, c.product, c.on, f.Text, f.Rule, err, c.want, c.rule)
		}
		if f.Bani == nil && f.Status != Assumed {
			t.Errorf("%s %s on %s: unknown but %s", c.reason, c.product, c.on, f.Status)
		}
	}
}

// The same reason costs by what is made, and is paid where that is paid (X04).
func TestFeeFollowsTheCard(t *testing.T) {
	r := rules(t)
	a := asking("botosani R08")
	for product, want := range map[Product]string{"CI_1997": "P03 P04 P05", "CEI_NEW": "P01 P02", "CIS": "P01 P02"} {
		a.Product = product
		f, err := r.Fee(a)
		var places []string
		for _, p := range f.Places {
			places = append(places, p.ID)
		}
		if got := strings.Join(places, " "); err != nil || got != want {
			t.Errorf("%s is paid at %s (%v), want %s", product, got, err, want)
		}
	}
}

// The person's answers lead to the product; the clerk may name another of the
// reason's, and none that is not.
func TestProductOfAReason(t *testing.T) {
	r := rules(t)
	for _, c := range []struct{ who, asked, want string }{
		{"covasna R01", "", "CEI_FIRST"},
		{"covasna R01 first_cei=no", "", "CEI_NEW"},
		{"covasna R01", "CEI_NEW", "CEI_NEW"},
		{"covasna R01 first_cei=no", "CEI", "CEI_NEW"},
		{"covasna R02", "", "CEI_U14"},
		{"covasna R02 birth=2012-12-01", "", "CEI_U14_LAST30D"},
		{"covasna R02 birth=2012-12-01", "CEI_U14", "CEI_U14_LAST30D"},
		{"covasna R02 birth=2013-12-01", "CEI_U14_LAST30D", "CEI_U14"},
		{"covasna R08", "", "CI_1997"},
		{"covasna R06", "", "CIP"},
		{"botosani R12", "", "RESIDENCE"},
	} {
		a := asking(c.who)
		a.Product = Product(c.asked)
		f, err := r.Fee(a)
		if err != nil || string(f.Product) != c.want {
			t.Errorf("%s asked for %q: %s (%v), want %s", c.who, c.asked, f.Product, err, c.want)
		}
	}
	for who, want := range map[string][2]string{
		"covasna R02/CIS":      {"R02.9", "card-under-14"},
		"botosani R16/CEI_NEW": {"X05", "proxy-not-allowed"},
		"covasna R01/CIP":      {"X04", "product-not-for-reason"},
		"covasna R17/CIS":      {"X04", "product-not-for-reason"},
	} {
		ask, product, _ := strings.Cut(who, "/")
		a := asking(ask)
		a.Product = Product(product)
		_, err := r.Fee(a)
		refused(t, err, want[0], want[1])
	}
}
