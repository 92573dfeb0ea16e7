package spclep

import "slices"

// money checks fees, places, forms and grounds.
func (c *checker) money(l *layerRow) {
	for i, f := range l.Fees {
		c.ruled(f.meta)
		c.oneOf(f.at, "product", string(f.Product), c.products())
		if f.Bani != nil && (*f.Bani < 0 || *f.Bani > 10_000_000) {
			c.fail(f.at, "bani", "%d is no amount in bani", *f.Bani)
		}
		for _, o := range l.Fees[:i] {
			if o.Product == f.Product && o.overlaps(f.meta) {
				c.fail(f.at, "since", "%s overlaps in time with the fee on line %d", f.Product, o.at.line)
			}
		}
	}
	for _, p := range l.Places {
		c.meta(p.meta)
		c.families(p.at, "families", p.Families)
	}
	for _, f := range l.Forms {
		c.ruled(f.meta)
		c.families(f.at, "families", f.Families)
		c.form(f.at, "replace", f.Replace)
		c.form(f.at, "with", f.With)
	}
	for _, g := range l.Grounds {
		c.ruled(g.meta)
		c.oneOf(g.at, "ground", g.Ground, []string{GroundNoShow, GroundDataMismatch, GroundPapersMissing, GroundRuleBreach})
	}
	for _, row := range l.Collectors {
		c.ruled(row.meta)
		c.oneOf(row.at, "to", row.To, []string{"holder", "parent", "legal-representative", "art12-1"})
	}
}

func (c *checker) form(at pos, key string, f Form) {
	c.oneOf(at, key, string(f), []string{string(Original), string(Copy), string(Both), string(AtDesk), string(Unstated)})
}

func (c *checker) terms(l *layerRow) {
	keys := []string{termDecide, termExtend, termHandover, termElsewhere, termEstimate, termExtract}
	for i, t := range l.Terms {
		c.ruled(t.meta)
		c.oneOf(t.at, "key", t.Key, keys)
		c.oneOf(t.at, "unit", t.Unit, []string{CalendarDay, WorkingDay})
		c.families(t.at, "families", t.Families)
		if t.N < 0 || t.N > 1000 || t.Max != 0 && (t.Max < t.N || t.Max > 1000) {
			c.fail(t.at, "n", "%d to %d is no span of days", t.N, t.Max)
		}
		for _, o := range l.Terms[:i] {
			if o.Key == t.Key && o.overlaps(t.meta) && shareFamily(o.Families, t.Families) {
				c.fail(t.at, "key", "%s overlaps in time with line %d", t.Key, o.at.line)
			}
		}
	}
}

func shareFamily(a, b []string) bool {
	return len(a) == 0 || len(b) == 0 || slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// lists checks checklists and what they are made of.
func (c *checker) lists(l *layerRow) {
	c.alternatives(l.AddressProofs)
	proofs, _ := c.r.question(keyProof)
	for _, alt := range l.AddressProofs {
		if proofs == nil || !proofs.takes(alt.Answer) {
			c.fail(alt.at, "answer", "%q is not an answer to %s", alt.Answer, keyProof)
		}
	}
	for i, row := range l.Checklists {
		c.meta(row.meta)
		c.oneOf(row.at, "reason", string(row.Reason), c.reasons())
		c.cond(row.Assume)
		for _, o := range l.Checklists[:i] {
			if o.Reason == row.Reason && o.overlaps(row.meta) {
				c.fail(row.at, "reason", "%s overlaps in time with the list on line %d", row.Reason, o.at.line)
			}
		}
		seen := map[string]bool{}
		for _, it := range row.Items {
			c.item(it)
			if it.ID != "" && seen[it.ID] {
				c.fail(it.at, "id", "%q stands twice in the list", it.ID)
			}
			seen[it.ID] = true
		}
		for _, n := range row.Notes {
			c.ruled(n.meta)
			c.cond(n.If)
		}
	}
}

func (c *checker) item(it itemRow) {
	c.meta(it.meta)
	c.cond(it.If)
	c.cond(it.OptionalIf)
	if it.Include != nil {
		if it.ID != "" || it.Title != "" {
			c.fail(it.at, "include", "stands beside a paper, expected one of the two")
		}
		c.ref(*it.Include, 0)
		return
	}
	if it.ID == "" || it.Title == "" {
		c.fail(it.at, "id", "an item needs id and title, or include")
	}
	c.form(it.at, "form", it.Form)
	if it.Quantity < 0 || it.Quantity > 20 {
		c.fail(it.at, "quantity", "%d is not between 1 and 20", it.Quantity)
	}
	if it.When != "" {
		c.oneOf(it.at, "when", it.When, []string{AtFiling, AtPickup})
	}
	if it.Ask != "" {
		c.oneOf(it.at, "ask", it.Ask, c.r.answerKeys())
		if len(it.OneOf) == 0 && !it.AddressProof {
			c.fail(it.at, "one_of", "is missing: ask %s picks among alternatives", it.Ask)
		}
	}
	if len(it.OneOf) == 1 && !it.AddressProof {
		c.fail(it.at, "one_of", "holds one alternative, expected two or more")
	}
	c.alternatives(it.OneOf)
	for _, alt := range it.OneOf {
		if q, _ := c.r.question(it.Ask); alt.Answer != "" && (q == nil || !q.takes(alt.Answer)) {
			c.fail(alt.at, "answer", "%q is not an answer to %q", alt.Answer, it.Ask)
		}
	}
}

func (c *checker) alternatives(alts []altRow) {
	seen := map[string]bool{}
	for _, alt := range alts {
		c.meta(alt.meta)
		if alt.Form != "" {
			c.form(alt.at, "form", alt.Form)
		}
		if alt.MaxAge < 0 || alt.MaxAge > 3650 {
			c.fail(alt.at, "max_age_days", "%d is no age in days", alt.MaxAge)
		}
		if seen[alt.ID] {
			c.fail(alt.at, "id", "%q stands twice among the alternatives", alt.ID)
		}
		seen[alt.ID] = true
	}
}

// ref checks that a list that is used or included is there, and that lists do
// not include each other in a circle.
func (c *checker) ref(ref listRef, depth int) {
	l := c.r.layer(ref.Layer)
	if l == nil {
		c.fail(ref.at, "layer", "no layer is called %q", ref.Layer)
		return
	}
	// Counted too, or ten lists of a thousand includes each would never end.
	if c.refs++; depth > 4 || c.refs > maxRefs {
		c.fail(ref.at, "reason", "lists include each other too often, too deeply, or in a circle")
		return
	}
	found := map[string]bool{}
	ok := false
	for _, row := range l.Checklists {
		if row.Reason != ref.Reason {
			continue
		}
		ok = true
		for _, it := range row.Items {
			found[it.ID] = true
			if it.Include != nil {
				c.ref(*it.Include, depth+1)
			}
		}
	}
	if !ok {
		c.fail(ref.at, "reason", "%s has no list for %q", ref.Layer, ref.Reason)
	}
	for _, id := range ref.Only {
		if ok && !found[id] {
			c.fail(ref.at, "only", "%q is not in the list of %s for %s%s", id, ref.Layer, ref.Reason, closest(id, found))
		}
	}
}

// offered checks that an office has a list for what it offers.
func (c *checker) offered(l *layerRow) {
	if len(l.Offers) == 0 {
		c.fail(l.at, "offers", "is missing: the office offers nothing")
	}
	for i, o := range l.Offers {
		c.meta(o.meta)
		c.oneOf(o.at, "reason", string(o.Reason), c.reasons())
		for _, other := range l.Offers[:i] {
			if other.Reason == o.Reason && other.overlaps(o.meta) {
				c.fail(o.at, "reason", "%s overlaps in time with line %d", o.Reason, other.at.line)
			}
		}
		if o.Use != nil {
			c.ref(*o.Use, 0)
			continue
		}
		has := func(l *layerRow) bool {
			return slices.ContainsFunc(l.Checklists, func(row checklistRow) bool { return row.Reason == o.Reason })
		}
		if !slices.ContainsFunc(c.r.layersOf(OfficeID(l.ID)), has) {
			c.fail(o.at, "reason", "%s has no list of its own, say whose with use", o.Reason)
		}
	}
}

// complete looks at each list as it will be shown on the day of issue: no two
// papers of one id, or one tick would stand for both.
func (c *checker) complete(l *layerRow) {
	for _, o := range l.Offers {
		list, err := c.r.list(OfficeID(l.ID), o.Reason, max(c.r.head.Issued, o.Since))
		if err != nil {
			continue // a list that ends or begins on another day
		}
		seen := map[string]bool{}
		for _, it := range c.r.items(list.row, c.r.head.Issued) {
			if seen[it.ID] {
				c.fail(list.row.at, "items", "%q comes twice, once through include", it.ID)
			}
			seen[it.ID] = true
		}
	}
}

func (c *checker) matters(l *layerRow) {
	seen := map[string]bool{}
	for _, row := range append(slices.Clone(l.Contradictions), l.Gaps...) {
		c.meta(row.meta)
		if seen[row.ID] {
			c.fail(row.at, "id", "%q stands twice", row.ID)
		}
		seen[row.ID] = true
	}
}
