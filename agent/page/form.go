package page

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"condica/agent/desk"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/op"
)

const (
	keyField = "cheie"  // the form's own key
	wasField = "vechi." // + field: what the form showed when it was drawn
	maxText  = 900      // bytes of one field; an op's texts end at 1 kB
	maxName  = 48       // bytes of a field's name
)

// doKey names what a form asks for: the key it was drawn with, and what is in
// it. A double click says the same twice; the same form sent again with other
// values is another wish. A form that was drawn for another clerk is refused.
func doKey(r *http.Request) (string, error) {
	if err := stillTheirs(r); err != nil {
		return "", err
	}
	key := r.PostForm.Get(keyField)
	if len(key) < 16 || len(key) > 64 {
		return "", &halt{http.StatusBadRequest, "halt.key"}
	}
	said := url.Values{}
	for field, values := range r.PostForm {
		if field != keyField {
			said[field] = values
		}
	}
	sum := sha256.Sum256([]byte(r.URL.Path + "\n" + said.Encode()))
	return key + ":" + hex.EncodeToString(sum[:8]), nil
}

// texts refuses fields that are longer than an op takes. It stands before any
// form is read further.
func (p *pages) texts(f url.Values) error {
	for field, values := range f {
		for _, v := range values {
			if len(v) > maxText || len(field) > maxName+len(wasField) {
				return &problem{Text: p.words.t("form.long"), Field: field}
			}
		}
	}
	return nil
}

// dayField reads a day as the browser's calendar writes it, or as a clerk does.
func (p *pages) dayField(f url.Values, field string) (spclep.Day, error) {
	text := clean(f.Get(field))
	if text == "" {
		return 0, nil
	}
	if parts := strings.FieldsFunc(text, func(r rune) bool { return r == '.' || r == '/' }); len(parts) == 3 {
		text = parts[2] + "-" + two(parts[1]) + "-" + two(parts[0])
	}
	day, err := spclep.ParseDay(text)
	if err != nil {
		return 0, &problem{Text: p.words.t("form.day", clean(f.Get(field))), Field: field}
	}
	return day, nil
}

func two(s string) string {
	if len(s) == 1 {
		return "0" + s
	}
	return s
}

// changes are the fields in which the form differs from what it showed. What
// the clerk did not touch is left alone, whatever it has become meanwhile.
func (p *pages) changes(f url.Values) (was, now map[string]string, err error) {
	was, now = map[string]string{}, map[string]string{}
	for name, shown := range f {
		field, ok := strings.CutPrefix(name, wasField)
		if !ok {
			continue
		}
		value, err := p.value(f, field)
		if err != nil {
			return nil, nil, err
		}
		if value != shown[0] {
			was[field], now[field] = shown[0], value
		}
	}
	return was, now, nil
}

// value is one field as desk.Set takes it.
func (p *pages) value(f url.Values, field string) (string, error) {
	switch {
	case strings.ContainsAny(field, "/\x00") || !known(field):
		return "", &halt{http.StatusBadRequest, "halt.form"}
	case strings.HasPrefix(field, spclep.PrefixPaper):
		return ticks(f[field]), nil
	case field == spclep.FieldLand || field == birthAnswer:
		day, err := p.dayField(f, field)
		return day.String(), err
	case field == spclep.FieldEmail:
		if mail := clean(f.Get(field)); mail != "" && !strings.Contains(mail, "@") {
			return "", &problem{Text: p.words.t("form.email"), Field: field}
		}
	}
	return clean(f.Get(field)), nil
}

const birthAnswer = spclep.PrefixAnswer + "birth"

func known(field string) bool {
	switch field {
	case spclep.FieldName, spclep.FieldEmail, spclep.FieldReason, spclep.FieldNote, spclep.FieldLand, spclep.FieldReceipt:
		return true
	}
	return strings.HasPrefix(field, spclep.PrefixAnswer) || strings.HasPrefix(field, spclep.PrefixPaper)
}

// ticks joins boxes in the order in which tickText writes them.
func ticks(boxes []string) string {
	var out []string
	for _, box := range []string{"original", "copy", "not-applicable"} {
		for _, b := range boxes {
			if b == box {
				out = append(out, box)
				break
			}
		}
	}
	return strings.Join(out, "+")
}

func tickText(t record.Tick) string {
	var out []string
	for _, b := range []struct {
		on   bool
		text string
	}{{t.Original, "original"}, {t.Copy, "copy"}, {t.NotApplicable, "not-applicable"}} {
		if b.on {
			out = append(out, b.text)
		}
	}
	return strings.Join(out, "+")
}

// set writes what the form changed, unless another desk has changed the same
// meanwhile: nobody overwrites a value they have not seen.
func (p *pages) set(d desk.Desk, f url.Values) (desk.Action, error) {
	was, now, err := p.changes(f)
	if err != nil {
		return nil, err
	}
	if len(now) == 0 {
		return nil, desk.ErrNoChange
	}
	return func(b record.Booking, m desk.Moment) ([]op.Draft, error) {
		defaults := map[string]string{}
		if questions, err := d.Ref.Questions(d.Ask(b)); err == nil {
			for _, q := range questions {
				defaults[spclep.PrefixAnswer+q.Key] = q.Default
			}
		}
		for field, shown := range was {
			if current := shownValue(b, field, defaults); current != shown && current != now[field] {
				return nil, &problem{Text: p.words.t("form.meanwhile", p.fieldName(d, b, field).String(), p.plainValue(current)), Field: field}
			}
		}
		if err := p.sensible(d, b, now); err != nil {
			return nil, err
		}
		return d.Set(now)(b, m)
	}, nil
}

// sensible says in Romanian what desk.Set would refuse as a request that makes
// no sense.
func (p *pages) sensible(d desk.Desk, b record.Booking, now map[string]string) error {
	for field, value := range now {
		key, isAnswer := strings.CutPrefix(field, spclep.PrefixAnswer)
		switch {
		case isAnswer && d.Ref.CheckAnswers(spclep.Ask{Answers: spclep.Answers{key: value}}) != nil:
			return &problem{Text: p.words.t("form.answer", p.fieldName(d, b, field).String()), Field: field}
		case field == spclep.FieldReason && p.reason(d, d.Ask(b).Day, spclep.Reason(value)).Code == "":
			return &problem{Text: p.words.t("form.reason"), Field: field}
		}
	}
	return nil
}

// shownValue is a field as the form shows it.
func shownValue(b record.Booking, field string, defaults map[string]string) string {
	switch field {
	case spclep.FieldName:
		return b.Name
	case spclep.FieldEmail:
		return b.Email
	case spclep.FieldReason:
		return string(b.Reason)
	case spclep.FieldNote:
		return b.Note
	case spclep.FieldReceipt:
		return b.Receipt
	case spclep.FieldLand:
		return b.Land.String()
	}
	if id, ok := strings.CutPrefix(field, spclep.PrefixPaper); ok {
		return tickText(b.Ticks[id])
	}
	if v := b.Answers[strings.TrimPrefix(field, spclep.PrefixAnswer)]; v != "" {
		return v
	}
	return defaults[field]
}
