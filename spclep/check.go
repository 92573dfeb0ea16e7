package spclep

import "slices"

// checker finds what no single row can show: that rows speak of things that
// are there, and do not contradict each other.
type checker struct {
	r    *Reference
	d    decoder
	refs int // lists looked at through use and include
}

const maxRefs = 10_000

// check puts the layers in order and looks at the bundle as a whole. It finds
// every fault it can; what a missing national layer would say is not guessed.
func check(r *Reference, d decoder) {
	c := &checker{r: r, d: d}
	if !c.layers() {
		return
	}
	c.vocabulary()
	for i := range r.layers {
		l := &r.layers[i]
		c.settings(l)
		c.contacts(l)
		c.calendar(l)
		c.money(l)
		c.terms(l)
		c.lists(l)
		c.matters(l)
	}
	for _, l := range r.offices {
		c.offered(l)
	}
	if len(*d.probs) > 0 {
		return // includes may be circular
	}
	for _, l := range r.offices {
		c.complete(l)
	}
}

// fail blames a row, or one key of it.
func (c *checker) fail(at pos, key, format string, args ...any) {
	d := c.d
	d.file = orElse(at.file, d.file)
	d.fail(at.line, join(at.path, key), format, args...)
}

func (c *checker) layers() bool {
	byName := map[string]*layerRow{}
	for i := range c.r.layers {
		l := &c.r.layers[i]
		c.layer(l)
		if byName[l.name()] != nil {
			c.fail(l.at, "id", "layer %q stands twice", l.name())
		}
		byName[l.name()] = l
		if l.Layer == layerNational {
			c.r.national = l
		}
	}
	codes := map[int]string{}
	for _, id := range c.r.head.Offices {
		l := byName[string(id)]
		if l == nil || l.Layer != layerOffice {
			c.fail(c.r.head.at, "offices", "no layer for office %q%s", id, closest(string(id), byName))
			continue
		}
		if slices.Contains(c.r.offices, l) {
			c.fail(c.r.head.at, "offices", "%q stands twice", id)
			continue
		}
		if other := codes[l.Code]; other != "" {
			c.fail(l.at, "code", "%d is also the code of %s", l.Code, other)
		}
		codes[l.Code] = l.ID
		c.r.offices = append(c.r.offices, l)
	}
	c.head(byName)
	if c.r.national == nil {
		c.d.fail(0, "layer", "no document is the national layer")
	}
	return c.r.national != nil
}

func (c *checker) head(byName map[string]*layerRow) {
	h := c.r.head
	if h.at.file == "" {
		return // said already
	}
	if h.Format != bundleFormat {
		c.fail(h.at, "format", "%d is not read by this program, expected %d", h.Format, bundleFormat)
	}
	if h.Bundle < 1 {
		c.fail(h.at, "bundle", "%d is not a number above 0", h.Bundle)
	}
	for _, name := range sortedKeys(byName) {
		if l := byName[name]; l.Layer == layerOffice && !slices.Contains(h.Offices, OfficeID(l.ID)) {
			c.fail(l.at, "id", "office %q is not named in the bundle's offices", l.ID)
		}
	}
}

func (c *checker) layer(l *layerRow) {
	if !slices.Contains([]string{layerNational, layerCounty, layerOffice}, l.Layer) {
		c.fail(l.at, "layer", "%q is not a layer, expected national, county or office", l.Layer)
	}
	if l.Layer == layerOffice {
		if l.Code < 1 || l.Code > 65535 {
			c.fail(l.at, "code", "%d is not between 1 and 65535", l.Code)
		}
		if l.Name == "" {
			c.fail(l.at, "name", "is missing")
		}
	}
	if l.Layer != layerNational && (l.ID == "" || l.ID == layerNational) {
		c.fail(l.at, "id", "%q cannot name a layer", l.ID)
	}
	if l.Layer == layerNational {
		return
	}
	for key, n := range map[string]int{"products": len(l.Products), "reasons": len(l.Reasons), "questions": len(l.Questions),
		"holidays": len(l.Holidays), "ages": len(l.Ages)} {
		if n > 0 {
			c.fail(l.at, key, "stands only in the national layer")
		}
	}
}

// meta checks what every row carries.
func (c *checker) meta(m meta) {
	if !slices.Contains([]string{"", Confirmed, Assumed, Contradicted}, m.Status) {
		c.fail(m.at, "status", "%q is not a status, expected confirmed, assumed or contradicted", m.Status)
	}
	if m.Until != 0 && m.Until <= m.Since {
		c.fail(m.at, "until", "%s does not lie after since %s", m.Until, m.Since)
	}
}

// ruled is meta for rows that must say which rule they are.
func (c *checker) ruled(m meta) {
	c.meta(m)
	if m.Rule == "" {
		c.fail(m.at, "rule", "is missing")
	}
}

// oneOf checks a word against those that are known.
func (c *checker) oneOf(at pos, key, word string, known []string) {
	if slices.Contains(known, word) {
		return
	}
	set := map[string]bool{}
	for _, k := range known {
		set[k] = true
	}
	c.fail(at, key, "%q is not known%s", word, closest(word, set))
}
