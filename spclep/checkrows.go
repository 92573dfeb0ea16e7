package spclep

import (
	"slices"
	"strings"
)

// vocabulary checks the national words every other row may use.
func (c *checker) vocabulary() {
	n := c.r.national
	seen := map[string]bool{}
	once := func(at pos, key, kind, name string) {
		if seen[kind+name] {
			c.fail(at, key, "%q stands twice", name)
		}
		seen[kind+name] = true
	}
	for _, p := range n.Products {
		c.ruled(p.meta)
		once(p.at, "code", "product ", string(p.Code))
	}
	for _, q := range n.Questions {
		once(q.at, "key", "answer ", q.Key)
		c.question(q)
		for _, o := range q.Options {
			if o.Alias != "" {
				once(o.at, "alias", "answer ", o.Alias)
			}
		}
	}
	for _, row := range n.Reasons {
		once(row.at, "code", "reason ", string(row.Code))
		c.reason(row)
	}
	for _, row := range n.Ages {
		c.ruled(row.meta)
		c.oneOf(row.at, "fingerprints", row.Fingerprints, []string{FingerprintsYes, FingerprintsNo, FingerprintsUnstated})
		c.ageSpan(row.at, row.From, row.Under)
		c.families(row.at, "cards", row.Cards)
		if row.Reason != "" {
			c.oneOf(row.at, "reason", string(row.Reason), c.reasons())
		}
		if row.LastDays > 0 && row.Under == 0 {
			c.fail(row.at, "last_days", "needs the upper age, under")
		}
	}
	for _, row := range n.Collectors {
		c.ageSpan(row.at, row.From, row.Under)
	}
	// Without these the rules would have to guess.
	for _, key := range sortedKeys(settingKeys()) {
		if !slices.ContainsFunc(n.Settings, func(s settingRow) bool { return s.Key == key }) {
			c.fail(n.at, "settings", "no row for %s", key)
		}
	}
}

func (c *checker) question(q questionRow) {
	c.meta(q.meta)
	c.oneOf(q.at, "kind", q.Kind, []string{KindChoice, KindYesNo, KindDate})
	if q.Kind == KindChoice && len(q.Options) < 2 {
		c.fail(q.at, "options", "a choice needs two or more")
	}
	if q.Kind != KindChoice && len(q.Options) > 0 {
		c.fail(q.at, "options", "stand only with kind choice")
	}
	if q.Default != "" && !q.takes(q.Default) {
		c.fail(q.at, "default", "%q is not one of %s", q.Default, strings.Join(q.values(), ", "))
	}
	seen := map[string]bool{}
	for _, o := range q.Options {
		if seen[o.Value] {
			c.fail(o.at, "value", "%q stands twice", o.Value)
		}
		seen[o.Value] = true
	}
}

func (c *checker) reason(row reasonRow) {
	c.meta(row.meta)
	c.meta(row.Booking)
	if row.Age != nil {
		c.ageSpan(row.Age.at, row.Age.From, row.Age.Under)
	}
	for _, p := range row.Products {
		c.oneOf(p.at, "code", string(p.Code), c.products())
		c.cond(p.If)
		if p.LastDays < 0 || p.LastDays > 0 && (row.Age == nil || row.Age.Under == 0) {
			c.fail(p.at, "last_days", "needs the upper age of the reason, age.under")
		}
	}
}

func (c *checker) ageSpan(at pos, from, under int) {
	if from < 0 || under < 0 || from > 150 || under > 150 || under > 0 && under <= from {
		c.fail(at, "under", "%d to under %d is no span of ages", from, under)
	}
}

// cond checks a condition: known questions, known answers.
func (c *checker) cond(terms cond) {
	for _, t := range terms {
		q, alias := c.r.question(t.Key)
		if q == nil || alias != "" {
			c.oneOf(t.at, "", t.Key, c.r.answerKeys())
			continue
		}
		if len(t.Values) == 0 {
			c.fail(t.at, "", "names no answer")
		}
		for _, v := range t.Values {
			if q.Kind != KindDate && !q.takes(v) {
				c.fail(t.at, "", "%q is not an answer to %s, expected %s", v, t.Key, strings.Join(q.values(), ", "))
			}
		}
	}
}

func (c *checker) reasons() (out []string) {
	for _, row := range c.r.national.Reasons {
		out = append(out, string(row.Code))
	}
	return out
}

func (c *checker) products() (out []string) {
	for _, row := range c.r.national.Products {
		out = append(out, string(row.Code))
	}
	return out
}

// families checks words like CEI and CIS, which the products name.
func (c *checker) families(at pos, key string, words []string) {
	var known []string
	for _, p := range c.r.national.Products {
		known = append(known, p.Family)
	}
	for _, w := range words {
		c.oneOf(at, key, w, known)
	}
}

func (c *checker) settings(l *layerRow) {
	ranges := settingKeys()
	for i, s := range l.Settings {
		c.ruled(s.meta)
		span, ok := ranges[s.Key]
		if !ok {
			c.fail(s.at, "key", "%q is not a setting%s", s.Key, closest(s.Key, ranges))
			continue
		}
		if s.Value != nil && (*s.Value < span.min || *s.Value > span.max) {
			c.fail(s.at, "value", "%d is not between %d and %d", *s.Value, span.min, span.max)
		}
		if s.Product != "" {
			c.oneOf(s.at, "product", string(s.Product), c.products())
		}
		if s.Reason != "" {
			c.oneOf(s.at, "reason", string(s.Reason), c.reasons())
		}
		for _, o := range l.Settings[:i] {
			if o.Key == s.Key && o.Product == s.Product && o.Reason == s.Reason && o.overlaps(s.meta) {
				c.fail(s.at, "key", "%s overlaps in time with line %d", s.Key, o.at.line)
			}
		}
	}
}

func (c *checker) calendar(l *layerRow) {
	kinds := []string{HoursBooked, HoursWalkIn, HoursPickup, HoursPublic, HoursStaff}
	for _, h := range l.Hours {
		c.ruled(h.meta)
		c.oneOf(h.at, "kind", h.Kind, kinds)
		if h.From >= h.To {
			c.fail(h.at, "to", "%s does not lie after from %s", h.To, h.From)
		}
		if len(h.Days) == 0 {
			c.fail(h.at, "days", "is empty, expected days 1 (Monday) to 7")
		}
		for _, d := range h.Days {
			c.weekday(h.at, "days", d)
		}
	}
	for i, d := range l.Days {
		c.meta(d.meta)
		c.oneOf(d.at, "kind", d.Kind, []string{dayClosed, dayWorking})
		if d.Last != 0 && (d.Last < d.Day || d.Last > d.Day+366) {
			c.fail(d.at, "last", "%s is not within a year after day %s", d.Last, d.Day)
		}
		if d.As != 0 {
			c.weekday(d.at, "as", d.As)
		}
		for _, o := range l.Days[:i] {
			if o.Day <= max(d.Day, d.Last) && d.Day <= max(o.Day, o.Last) && o.overlaps(d.meta) {
				c.fail(d.at, "day", "also stands on line %d", o.at.line)
			}
		}
	}
	for _, h := range l.Holidays {
		c.meta(h.meta)
		c.holiday(h)
	}
}

func (c *checker) weekday(at pos, key string, d int) {
	if d < 1 || d > 7 {
		c.fail(at, key, "%d is not a weekday, expected 1 (Monday) to 7", d)
	}
}

func (c *checker) holiday(h holidayRow) {
	switch {
	case h.Easter != nil && (h.Month != 0 || h.Day != 0):
		c.fail(h.at, "easter", "stands beside month and day, expected one of the two")
	case h.Easter != nil && (*h.Easter < -60 || *h.Easter > 60):
		c.fail(h.at, "easter", "%d is not within 60 days of Easter", *h.Easter)
	case h.Easter == nil && (h.Month < 1 || h.Month > 12 || h.Day < 1 || h.Day > 31):
		c.fail(h.at, "month", "%d/%d is no day of a year", h.Month, h.Day)
	}
}
