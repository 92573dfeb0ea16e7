package spclep

import (
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// A Contact is where an office is and how it is reached, as papers say it. What
// no source gives is empty.
type Contact struct {
	Address, Phone string
}

// Contact is how an office is reached on a day: of a card that is collected in a
// month, on the day of collecting. Only what is confirmed is told: a person who
// is sent to the wrong house loses the day.
func (r *Reference) Contact(o OfficeID, day Day) (Contact, error) {
	for _, l := range r.offices {
		if l.ID == string(o) {
			return Contact{l.Address.on(day), l.Phone.on(day)}, nil
		}
	}
	return Contact{}, r.known(o)
}

// contactRow is an address or a phone number, for as long as it holds.
type contactRow struct {
	Text string `yaml:"text,required"`
	meta
}

// contactRows are those of one kind. One text alone may stand for them: so an
// address stood in bundles before there were rows.
type contactRows []contactRow

func (c *contactRows) decodeNode(d decoder, n *yaml.Node, path string) {
	if n.Kind != yaml.ScalarNode {
		d.list(n, path, reflect.ValueOf((*[]contactRow)(c)).Elem())
		return
	}
	row := contactRow{meta: meta{at: pos{d.file, n.Line, path}}}
	d.scalar(n, path, reflect.ValueOf(&row.Text).Elem())
	if row.Text != "" {
		*c = contactRows{row}
	}
}

// on is the text that holds on a day; empty: none does for certain.
func (c contactRows) on(day Day) string {
	for _, row := range c {
		if row.validOn(day) && row.status() == Confirmed {
			return row.Text
		}
	}
	return ""
}

const (
	maxAddress = 200 // letters: it stands on one or two lines of a strip of 80 mm
	minDigits  = 6
	maxDigits  = 15 // ITU-T E.164
)

func (c *checker) contacts(l *layerRow) {
	for key, rows := range map[string]contactRows{"address": l.Address, "phone": l.Phone} {
		if len(rows) > 0 && l.Layer != layerOffice {
			c.fail(l.at, key, "stands only in an office's layer")
		}
	}
	c.contact(l.Address, func(text string) string {
		if utf8.RuneCountInString(text) > maxAddress || strings.TrimSpace(text) == "" || strings.ContainsFunc(text, unicode.IsControl) {
			return "no address, expected one line of at most 200 letters"
		}
		return ""
	})
	c.contact(l.Phone, func(text string) string {
		digits := len(text) - len(strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' {
				return -1
			}
			return r
		}, text))
		if digits < minDigits || digits > maxDigits || strings.Trim(text, "0123456789 +()./-") != "" {
			return "no phone number, expected 6 to 15 digits"
		}
		return ""
	})
}

// contact checks the rows of one kind: what each says, and that no two hold on
// one day.
func (c *checker) contact(rows contactRows, wrong func(string) string) {
	for i, row := range rows {
		key := "text"
		if !strings.HasSuffix(row.at.path, "]") {
			key = "" // a text alone
		}
		c.meta(row.meta)
		if why := wrong(row.Text); why != "" {
			c.fail(row.at, key, "%q is %s", row.Text, why)
		}
		for _, o := range rows[:i] {
			if o.overlaps(row.meta) {
				c.fail(row.at, key, "overlaps in time with line %d", o.at.line)
			}
		}
	}
}
