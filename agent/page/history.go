package page

import (
	"encoding/json"
	"slices"
	"strings"

	"condica/agent/desk"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/op"
)

// action is one thing a person did, as the history shows it.
type action struct {
	ID      string
	When    string
	By      string
	Where   string
	Why     parts
	Lines   []parts
	Unsent  bool
	Undone  bool
	CanUndo bool
	Late    bool // only the head of service may undo it now
	Last    bool // the latest that can be undone
	first   op.Entry
}

// history is all that happened to a booking, the latest first.
func (p *pages) history(d desk.Desk, b record.Booking, nowMs int64) []action {
	byID := map[op.ID]*action{}
	for _, e := range slices.Concat(b.Facts, b.History) {
		a := byID[e.ActionID()]
		if a == nil {
			a = &action{ID: e.ActionID().String(), When: p.stamp(e.Eff.Ms()), By: by(e), Where: p.where(e), first: e}
			byID[e.ActionID()] = a
		}
		a.Lines = append(a.Lines, p.line(d, b, e))
		a.Unsent = a.Unsent || e.Pos == 0
		a.Undone = a.Undone || b.Visit.Undone[a.ID]
		a.CanUndo = a.CanUndo || canUndo(b, e)
		if a.Why == nil && e.Why != "" {
			a.Why = p.why(e.Why)
		}
	}
	var out []action
	for _, a := range byID {
		a.CanUndo = a.CanUndo && !a.Undone
		a.Late = d.UndoFor > 0 && nowMs-a.first.Eff.Ms() > d.UndoFor.Milliseconds()
		out = append(out, *a)
	}
	slices.SortFunc(out, func(x, y action) int { return -op.Compare(x.first, y.first) })
	if i := slices.IndexFunc(out, func(a action) bool { return a.CanUndo }); i >= 0 {
		out[i].Last = true
	}
	return out
}

// canUndo: the desks' own facts, and values that still count.
func canUndo(b record.Booking, e op.Entry) bool {
	if e.Fact {
		return !fromHub(e)
	}
	return b.Fields[e.Cell.Field].Winner.ID == e.ID
}

// fromHub tells what the citizen did on the hub's pages.
func fromHub(e op.Entry) bool {
	switch e.Cell.Field {
	case spclep.Cancelled:
		return true
	case spclep.Booked:
		return value[spclep.BookedValue](e).Origin == ""
	}
	return false
}

// where names the desk at which an edit was written, or the PC that wrote it.
func (p *pages) where(e op.Entry) string {
	_, seat := byAndSeat(e.By)
	switch {
	case seat != "":
		return p.words.t("guest.seat", seat)
	case e.ID.Device == p.office.Device() && p.o.Seat != nil:
		return p.words.t("where.host")
	case e.ID.Device == p.office.Device():
		return p.words.t("where.here")
	case p.office.Mine(e.ID.Device):
		return p.words.t("where.before")
	case fromHub(e):
		return p.words.t("where.hub")
	}
	if n := p.office.DeskNumber(e.ID.Device); n > 0 {
		return p.words.t("where.desk", n)
	}
	return p.words.t("where.other", e.ID.Device.String()[:4])
}

// why says a reason as it was typed; that the head of service approved it stands
// in Romanian in the record.
func (p *pages) why(text string) parts {
	typed, head, approved := strings.Cut(text, approvedBy)
	said := plain(typed)
	if approved {
		said = append(said, part{approvedBy, true}, part{Text: head})
	}
	return p.words.around("history.why", said)
}

// line says one edit in words.
func (p *pages) line(d desk.Desk, b record.Booking, e op.Entry) parts {
	if !e.Fact {
		return p.words.around("edit.set", p.fieldName(d, b, e.Cell.Field), p.valueText(d, b, e.Cell.Field, e.Value))
	}
	head := plain(p.factName(e.Cell.Field))
	if more := p.factText(b, e); more.String() != "" {
		return slices.Concat(head, plain(": "), more)
	}
	return head
}

// factName is a fact's name in words; a newer program's is shown as it is.
func (p *pages) factName(name string) string {
	if key := "fact." + name; p.words.has(key) {
		return p.words.t(key)
	}
	return name
}

func (p *pages) factText(b record.Booking, e op.Entry) parts {
	if e.Cell.Field == spclep.Filed {
		v := value[spclep.FiledValue](e)
		return p.words.around("fact.filed.text", plain(v.Number), lawful(p.product(v.Product)), plain(v.Due.RO()))
	}
	return plain(p.plainFact(b, e))
}

// plainFact is of facts in which nothing of the bundle stands.
func (p *pages) plainFact(b record.Booking, e op.Entry) string {
	switch e.Cell.Field {
	case spclep.Booked:
		v := value[spclep.BookedValue](e)
		text := p.words.t("day.when", p.weekday(v.Day), v.Day.RO(), v.At.String()) + " · " + string(v.Reason)
		if v.Approved != "" {
			text += " · " + p.words.t("fact.approved", v.Approved)
		}
		return text
	case spclep.Cancelled:
		return p.orKey("cancel.", value[spclep.CancelledValue](e).Ground)
	case spclep.SentAway:
		v := value[spclep.SentAwayValue](e)
		return join("; ", p.orKey("ground.", v.Ground), strings.Join(v.Missing, ", "), v.Note)
	case spclep.Extended:
		v := value[spclep.ExtendedValue](e)
		return p.words.n("fact.extended.text", v.Days, v.Due.RO())
	case spclep.HandedOver:
		v := value[spclep.HandedOverValue](e)
		text := join(", ", p.orKey("collector.", v.To), v.Name)
		if v.PermitSurrendered {
			text = join("; ", text, p.words.t("fact.permit"))
		}
		return text
	case spclep.Undone:
		return p.undoneText(b, value[spclep.UndoneValue](e).Action)
	case spclep.Settled:
		return p.undoneText(b, value[spclep.SettledValue](e).Actions...)
	case spclep.Printed:
		v := value[spclep.PrintedValue](e)
		text := p.orKey("printed.", v.What)
		if v.Lang != "" && v.Lang != languages[0] {
			text = join(", ", text, p.orKey("printed-in.", v.Lang))
		}
		return text
	}
	return ""
}

// undoneText names what an undo took back, or a person has settled.
func (p *pages) undoneText(b record.Booking, actions ...string) string {
	var out []string
	for _, f := range b.Facts {
		if slices.Contains(actions, f.ActionID().String()) {
			out = append(out, p.factName(f.Cell.Field)+" ("+p.stamp(f.Eff.Ms())+")")
		}
	}
	return strings.Join(out, ", ")
}

// orKey is a word of the catalogue, or the bare code of a newer program.
func (p *pages) orKey(prefix, code string) string {
	if p.words.has(prefix + code) {
		return p.words.t(prefix + code)
	}
	return code
}

func join(by string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), by)
}

// fieldName is a register in words.
func (p *pages) fieldName(d desk.Desk, b record.Booking, field string) parts {
	if key, ok := strings.CutPrefix(field, spclep.PrefixAnswer); ok {
		if q, ok := question(d, b, key); ok {
			return lawful(q.Title)
		}
		return p.words.around("field.answer", plain(key))
	}
	if id, ok := strings.CutPrefix(field, spclep.PrefixPaper); ok {
		if c, err := d.Ref.Papers(d.Ask(b)); err == nil {
			for _, item := range c.Papers {
				if item.ID == id {
					return p.quote("field.paper", item.Title)
				}
			}
		}
		return p.words.around("field.paper", plain(id))
	}
	return plain(p.orKey("field.", field))
}

func question(d desk.Desk, b record.Booking, key string) (spclep.Question, bool) {
	questions, err := d.Ref.Questions(d.Ask(b))
	if err != nil {
		return spclep.Question{}, false
	}
	i := slices.IndexFunc(questions, func(q spclep.Question) bool { return q.Key == key })
	if i < 0 {
		return spclep.Question{}, false
	}
	return questions[i], true
}

// valueText is a register's value in words.
func (p *pages) valueText(d desk.Desk, b record.Booking, field string, raw json.RawMessage) parts {
	if strings.HasPrefix(field, spclep.PrefixPaper) {
		var t record.Tick
		if json.Unmarshal(raw, &t) != nil {
			return plain(string(raw))
		}
		return plain(p.tickWords(t))
	}
	var text *string
	if json.Unmarshal(raw, &text) != nil {
		return plain(string(raw)) // a newer program's shape is shown as it is
	}
	if text == nil {
		return plain(p.words.t("value.none"))
	}
	if key, ok := strings.CutPrefix(field, spclep.PrefixAnswer); ok {
		if q, ok := question(d, b, key); ok {
			for _, o := range q.Options {
				if o.Value == *text {
					return lawful(o.Title)
				}
			}
		}
	}
	if field == spclep.FieldReason {
		if info := p.reason(d, d.Ask(b).Day, spclep.Reason(*text)); info.Title != "" {
			return lawful(info.Title)
		}
	}
	return plain(p.plainValue(*text))
}

// plainValue shows days as days and nothing as nothing.
func (p *pages) plainValue(text string) string {
	if text == "" {
		return p.words.t("value.none")
	}
	if day, err := spclep.ParseDay(text); err == nil {
		return day.RO()
	}
	return text
}

func (p *pages) tickWords(t record.Tick) string {
	var out []string
	for _, box := range strings.Split(tickText(t), "+") {
		if box != "" {
			out = append(out, p.words.t("tick."+box))
		}
	}
	if len(out) == 0 {
		return p.words.t("tick.none")
	}
	return strings.Join(out, " + ")
}

// value reads an edit's value; what cannot be read counts as empty.
func value[T any](e op.Entry) T {
	var v T
	if json.Unmarshal(e.Value, &v) != nil {
		return *new(T)
	}
	return v
}
