package spclep

import (
	"fmt"
	"slices"
	"strings"
)

// An Ask is what decides a checklist and a fee.
type Ask struct {
	Office  OfficeID
	Reason  Reason
	Product Product // "" takes what reason and answers lead to
	Answers Answers
	Day     Day // the appointment, not the day of asking
}

// Answers are the person's answers by question key, as in civil=married.
// Questions left out count as answered with their default.
type Answers map[string]string

// A Question is asked because its answer changes the checklist or the fee.
type Question struct {
	Key     string   `json:"key"`
	Title   string   `json:"title"`             // Romanian
	Kind    string   `json:"kind"`              // "choice", "yes-no" or "date" (YYYY-MM-DD)
	Options []Option `json:"options,omitempty"` // none for a date
	Default string   `json:"default,omitempty"` // "" is "not said"
	Rule    string   `json:"rule"`
}

// An Option is one answer to a Question.
type Option struct {
	Value string `json:"value"`
	Title string `json:"title"` // Romanian
}

// Kinds of Question.
const (
	KindChoice = "choice"
	KindYesNo  = "yes-no"
	KindDate   = "date"
)

// keyBirth is the one answer that is a date.
const keyBirth = "birth"

// An AnswerError is an answer that no question takes.
type AnswerError struct {
	Key, Value string
	Expected   string
}

func (e *AnswerError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("answer %q is to no question of the bundle, expected %s", e.Key, e.Expected)
	}
	return fmt.Sprintf("answer %s=%s: expected %s", e.Key, e.Value, e.Expected)
}

// CheckAnswers refuses a key or a value that stands in no question of the
// bundle. Keys of other lists are let pass: the reason of a visit may change
// and its answers stay. Papers and Fee read what they know and leave the rest.
func (r *Reference) CheckAnswers(a Ask) error {
	for _, key := range sortedKeys(a.Answers) {
		if err := r.checkAnswer(key, a.Answers[key]); err != nil {
			return err
		}
	}
	return nil
}

func (r *Reference) checkAnswer(key, value string) error {
	q, _ := r.question(key)
	if q == nil {
		return &AnswerError{Key: key, Expected: "one of " + strings.Join(r.answerKeys(), ", ")}
	}
	if key != q.Key || q.Kind == KindYesNo {
		if _, ok := yesNo(value); !ok {
			return &AnswerError{key, value, "yes or no"}
		}
		return nil
	}
	if q.Kind == KindDate {
		if _, err := ParseDay(value); err != nil {
			return &AnswerError{key, value, "a day, YYYY-MM-DD"}
		}
		return nil
	}
	if !q.takes(value) {
		return &AnswerError{key, value, "one of " + strings.Join(q.values(), ", ")}
	}
	return nil
}

func (r *Reference) answerKeys() []string {
	var out []string
	for _, q := range r.national.Questions {
		out = append(out, q.Key)
	}
	return out
}

// question finds the question of a key, or of an option's alias (stolen=yes is
// damage=stolen), with the value the alias stands for.
func (r *Reference) question(key string) (q *questionRow, alias string) {
	for i, row := range r.national.Questions {
		if row.Key == key {
			return &r.national.Questions[i], ""
		}
		for _, o := range row.Options {
			if o.Alias == key {
				return &r.national.Questions[i], o.Value
			}
		}
	}
	return nil, ""
}

func (q *questionRow) values() []string {
	if q.Kind == KindYesNo {
		return []string{"yes", "no"}
	}
	var out []string
	for _, o := range q.Options {
		out = append(out, o.Value)
	}
	return out
}

func (q *questionRow) takes(value string) bool {
	return q.Kind == KindDate || slices.Contains(q.values(), value)
}

func yesNo(s string) (string, bool) {
	switch s {
	case "yes", "true", "1", "da":
		return "yes", true
	case "no", "false", "0", "nu":
		return "no", true
	}
	return "", false
}

// read completes the answers: aliases are resolved, defaults filled in, what
// the list fixes is fixed, and what cannot be read counts as not said.
func (r *Reference) read(given Answers, fixed cond) Answers {
	out := Answers{}
	for _, q := range r.national.Questions {
		if q.Default != "" {
			out[q.Key] = q.Default
		}
	}
	for _, key := range sortedKeys(given) {
		value := given[key]
		q, alias := r.question(key)
		if q == nil {
			continue
		}
		if yn, ok := yesNo(value); ok && (alias != "" || q.Kind == KindYesNo) {
			value = yn
		}
		switch {
		case alias != "" && value == "yes":
			out[q.Key] = alias
		case alias == "" && q.takes(value):
			out[q.Key] = value
		}
	}
	for _, t := range fixed {
		out[t.Key] = t.Values[0]
	}
	return out
}

// birth is the birth date among the answers; 0 where it is not said.
func (a Answers) birth() Day {
	d, err := ParseDay(a[keyBirth])
	if err != nil {
		return 0
	}
	return d
}

// Questions are those whose answer, given the others, can change the list or
// the fee, in the bundle's order.
func (r *Reference) Questions(a Ask) ([]Question, error) {
	l, err := r.list(a.Office, a.Reason, a.Day)
	if err != nil {
		return nil, err
	}
	answers, items := r.read(a.Answers, l.row.Assume), r.items(l.row, a.Day)
	row := r.reason(a.Reason)
	var out []Question
	for _, q := range r.national.Questions {
		asked := q.Key == keyBirth && row.Birth
		for _, p := range row.Products {
			asked = asked || a.Product == "" && p.If.has(q.Key)
		}
		for _, it := range items {
			asked = asked || it.dependsOn(q.Key, answers)
		}
		if asked && !l.row.Assume.has(q.Key) {
			out = append(out, r.ask(q, items, a.Office))
		}
	}
	return out, nil
}

func (it itemRow) dependsOn(key string, a Answers) bool {
	if it.If.has(key) {
		return it.If.holdsBut(key, a)
	}
	return it.If.holds(a) && (it.OptionalIf.has(key) || it.Ask == key)
}

// ask words a question for one list: of the ways to prove an address only
// those which the list takes.
func (r *Reference) ask(q questionRow, items []itemRow, o OfficeID) Question {
	out := Question{Key: q.Key, Title: q.Title, Kind: q.Kind, Default: q.Default, Rule: orElse(q.Rule, "B05")}
	if q.Kind == KindYesNo {
		out.Options = []Option{{"yes", "da"}, {"no", "nu"}}
	}
	for _, opt := range q.Options {
		out.Options = append(out.Options, Option{opt.Value, opt.Title})
	}
	for _, it := range items {
		if it.Ask == q.Key {
			out.Options = nil
			for _, alt := range r.alternatives(it, o) {
				out.Options = append(out.Options, Option{alt.Answer, alt.Title})
			}
		}
	}
	return out
}
