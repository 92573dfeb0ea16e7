package spclep

import (
	"slices"
	"strings"
)

// Families of cards; familyNone is what is not a card.
const (
	familyCIS  = "CIS"
	familyNone = "none"
)

// productFor is what will be made: the one asked for, or the first that the
// reason's conditions lead to. A family ("CEI") stands for the first of it.
// How close to 14 a child is decides between its products by itself (F05, T16).
func (r *Reference) productFor(a Ask, answers Answers) (Product, error) {
	row := r.reason(a.Reason)
	named := func(c choiceRow) bool {
		return a.Product == "" || a.Product == c.Code || a.Product == Product(r.familyOf(c.Code))
	}
	exact := func(c choiceRow) bool { return a.Product == c.Code }
	byAge := func(c choiceRow) bool { return c.LastDays > 0 }
	if !slices.ContainsFunc(row.Products, named) && a.Product != "" {
		return "", r.refuseProduct(row, a.Product)
	}
	birthDecides := answers.birth() != 0 && slices.ContainsFunc(row.Products, byAge)
	if !birthDecides && slices.ContainsFunc(row.Products, exact) {
		return a.Product, nil
	}
	for _, c := range row.Products {
		inTime := c.LastDays == 0 || row.inLastDays(c.LastDays, answers.birth(), a.Day)
		if (named(c) || birthDecides) && c.If.holds(answers) && inTime {
			return c.Code, nil
		}
	}
	return a.Product, nil
}

// refuseProduct says why a product does not go with a reason: R02.9, X05, X04.
func (r *Reference) refuseProduct(row *reasonRow, p Product) error {
	known := r.product(p)
	switch {
	case known != nil && known.Family == familyCIS && row.Age != nil && row.Age.Under > 0 && row.Age.Under <= 14:
		return refuse("R02.9", "card-under-14")
	case known != nil && !known.Proxy && row.Code == proxyReason:
		return refuse("X05", "proxy-not-allowed", "product", string(p))
	}
	var codes []string
	for _, c := range row.Products {
		codes = append(codes, string(c.Code))
	}
	return refuse("X04", "product-not-for-reason", "product", string(p), "reason", string(row.Code),
		"known", orElse(strings.Join(codes, ", "), "none"))
}

// Reasons that rules name.
const (
	proxyReason       Reason = "R16"
	citizenshipReason Reason = "R14"
	pickupReason      Reason = "R17"
)
