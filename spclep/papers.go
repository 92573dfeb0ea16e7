package spclep

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Form is how a paper must be brought.
type Form string

// Forms of a paper.
const (
	Original Form = "original"
	Copy     Form = "copy"
	Both     Form = "both"         // original and copy
	AtDesk   Form = "form-at-desk" // filled in at the desk
	Unstated Form = "unstated"     // the source does not say
)

// When a paper is asked for.
const (
	AtFiling = "filing"
	AtPickup = "pickup"
)

// A Checklist is what a person must bring and who must come.
type Checklist struct {
	Bundle  int     `json:"bundle"`
	Version string  `json:"version"` // changes if and only if the list shown changes
	Office  string  `json:"office"`
	Reason  Reason  `json:"reason"`
	Product Product `json:"product,omitempty"`
	Papers  []Paper `json:"papers"`
	// Who signs, attends and collects, by age (table 7).
	AgeRule      string      `json:"age_rule"` // G1 to G6, G8
	Signs        string      `json:"signs"`    // Romanian
	Attends      string      `json:"attends"`  // Romanian
	Fingerprints string      `json:"fingerprints"`
	Cards        []string    `json:"cards"` // families: CEI, CIS
	Collects     []Collector `json:"collects"`
	Notes        []Note      `json:"notes,omitempty"`
	Status       string      `json:"status"` // assumed where the list is borrowed
	Source       string      `json:"source"`
}

// Answers of Checklist.Fingerprints (R02.6, R02.7).
const (
	FingerprintsYes      = "yes"
	FingerprintsNo       = "no"
	FingerprintsUnstated = "unstated"
)

// A Paper is one line of a checklist.
type Paper struct {
	ID           string        `json:"id"`    // R01.1; further papers of one row are R08B.3b-2, -3
	Title        string        `json:"title"` // Romanian
	Form         Form          `json:"form"`
	Quantity     int           `json:"quantity"`
	Why          string        `json:"why,omitempty"`    // Romanian: the answer that brought it
	OneOf        []Alternative `json:"one_of,omitempty"` // any one of these will do
	MaxAgeDays   int           `json:"max_age_days,omitempty"`
	When         string        `json:"when"`
	IfApplicable bool          `json:"if_applicable,omitempty"` // the source says "if it is the case"
	Rule         string        `json:"rule"`
	Source       string        `json:"source"`
	Status       string        `json:"status"`
}

// An Alternative is one way to satisfy a paper (AD.a to AD.d, R13.4).
type Alternative struct {
	ID         string `json:"id"`
	Title      string `json:"title"` // Romanian
	Form       Form   `json:"form"`
	MaxAgeDays int    `json:"max_age_days,omitempty"` // R01.8, at filing
}

// PaperTick is what the clerk saw of one paper.
type PaperTick struct {
	Original      bool `json:"o,omitempty"`
	Copy          bool `json:"c,omitempty"`
	NotApplicable bool `json:"na,omitempty"`
}

// A Collector is someone who may take the card.
type Collector struct {
	To     string `json:"to"`    // "holder", "parent", "legal-representative", "art12-1"
	Title  string `json:"title"` // Romanian
	Rule   string `json:"rule"`
	Status string `json:"status"`
}

// Papers are what a person must bring to an office for a reason on a day
// (B05, sections 5 and 6 of docs/rules.md), and who must come (table 7). Ask.Day is
// the appointment, not today. A product that this reason does not lead to is
// refused; answers it does not know are left aside.
func (r *Reference) Papers(a Ask) (Checklist, error) {
	l, err := r.list(a.Office, a.Reason, a.Day)
	if err != nil {
		return Checklist{}, err
	}
	answers := r.read(a.Answers, l.row.Assume)
	product, err := r.productFor(a, answers)
	if err != nil {
		return Checklist{}, err
	}
	a.Product, a.Answers = product, answers
	c := Checklist{Bundle: r.Number(), Office: string(a.Office), Reason: a.Reason, Product: product, Papers: []Paper{},
		Status: l.status, Source: orElse(l.offer.Source, l.row.Source)}
	for _, it := range r.items(l.row, a.Day) {
		if it.If.holds(answers) {
			c.Papers = append(c.Papers, r.paper(it, a, l.status)...)
		}
	}
	r.party(&c, a)
	c.Notes = r.notes(l, a)
	c.Version = version(c)
	return c, nil
}

// ListShown is the version of the list that a person is shown who books: before
// any question is answered. "" where the office has no list for the reason.
func (r *Reference) ListShown(o OfficeID, reason Reason, day Day) string {
	c, err := r.Papers(Ask{Office: o, Reason: reason, Day: day})
	if err != nil {
		return ""
	}
	return c.Version
}

// ListChanged says whether the list for a booking's reason and day is now
// another than the person was shown. What the person answered since is no
// change of the list; neither is another reason.
func (r *Reference) ListChanged(o OfficeID, b BookedValue, now Reason) bool {
	return b.List != "" && now == b.Reason && r.ListShown(o, b.Reason, b.Day) != b.List
}

// paper is one row as the person's answers make it: usually one paper, more
// where the row names several, none where a receipt is asked and nothing is due.
func (r *Reference) paper(it itemRow, a Ask, listStatus string) []Paper {
	p := Paper{ID: it.ID, Title: it.Title, Form: orForm(it.Form, Unstated), Quantity: max(1, it.Quantity),
		Why: r.why(it.If, a.Answers), When: orElse(it.When, AtFiling), Rule: it.Rule, Source: it.Source,
		Status:       lessSure(it.status(), listStatus),
		IfApplicable: it.IfApplicable || len(it.OptionalIf) > 0 && it.OptionalIf.holds(a.Answers)}
	if it.Receipt && !r.receipt(&p, a) {
		return nil
	}
	also := it.Also
	if alts := r.alternatives(it, a.Office); len(alts) > 0 {
		also = append(slices.Clone(also), choose(&p, alts, a.Answers[it.Ask])...)
	}
	r.formFor(&p, a)
	out := []Paper{p}
	for i, title := range also {
		more := p
		more.ID, more.Title, more.OneOf, more.MaxAgeDays = fmt.Sprintf("%s-%d", p.ID, i+2), title, nil, 0
		out = append(out, more)
	}
	return out
}

// receipt words the proof of payment by the product's fee (X04), not by the
// list: nothing to bring where it is free, and no promise where it is unknown.
func (r *Reference) receipt(p *Paper, a Ask) bool {
	fee := r.feeOf(a)
	switch {
	case fee.Bani == nil:
		p.IfApplicable = true
		p.Why = "taxă necunoscută: întrebați la ghișeu"
	case *fee.Bani == 0:
		return false
	default:
		p.Title += " (" + fee.Text + ")"
	}
	return true
}

// alternatives are the row's own, then the proofs of address of the asked
// office: a borrowed list does not bring the other office's proofs (X14).
func (r *Reference) alternatives(it itemRow, o OfficeID) []altRow {
	out := slices.Clone(it.OneOf)
	if !it.AddressProof {
		return out
	}
	for _, l := range r.layersOf(o) {
		if len(l.AddressProofs) > 0 {
			return append(out, l.AddressProofs...)
		}
	}
	return out
}

// choose narrows a paper to the alternative that was answered, and gives back
// the papers that go with it. Unanswered, all are shown.
func choose(p *Paper, alts []altRow, answer string) []string {
	for _, alt := range alts {
		if answer != "" && alt.Answer == answer {
			p.Title += ": " + alt.Title
			p.OneOf, p.MaxAgeDays = nil, alt.MaxAge
			p.addAlternative(alt)
			return alt.Also
		}
		p.MaxAgeDays = max(p.MaxAgeDays, alt.MaxAge)
		p.addAlternative(alt)
	}
	return nil
}

func (p *Paper) addAlternative(alt altRow) {
	title := strings.Join(append([]string{alt.Title}, alt.Also...), ", împreună cu: ")
	p.OneOf = append(p.OneOf, Alternative{alt.ID, title, orForm(alt.Form, p.Form), alt.MaxAge})
}

// formFor applies the forms by family of card: electronic and simple cards are
// asked for with originals, which are scanned (X06).
func (r *Reference) formFor(p *Paper, a Ask) {
	family := r.familyOf(a.Product)
	for _, l := range r.layersOf(a.Office) {
		for _, row := range l.Forms {
			if !row.validOn(a.Day) || !slices.Contains(row.Families, family) {
				continue
			}
			if p.Form == row.Replace {
				p.Form = row.With
			}
			for i := range p.OneOf {
				if p.OneOf[i].Form == row.Replace {
					p.OneOf[i].Form = row.With
				}
			}
		}
	}
}

// why tells in Romanian which answers brought a paper.
func (r *Reference) why(c cond, a Answers) string {
	var out []string
	for _, t := range c {
		q, _ := r.question(t.Key)
		switch v := a[t.Key]; {
		case q == nil:
		case q.Kind == KindYesNo && v == "yes":
			out = append(out, q.Yes)
		case q.Kind == KindYesNo:
			out = append(out, q.No)
		default:
			for _, o := range q.Options {
				if o.Value == v {
					out = append(out, o.Title)
				}
			}
		}
	}
	return strings.Join(slices.DeleteFunc(out, func(s string) bool { return s == "" }), ", ")
}

// notes are the list's own, and what a clerk should know about this ask.
func (r *Reference) notes(l listing, a Ask) []Note {
	var out []Note
	if l.offer.Use != nil {
		out = append(out, Note{Rule: orElse(l.offer.Rule, "X21"), Code: "borrowed-list",
			Say:  "this office has no list for the reason, shown is the list of " + l.layer.name(),
			Text: orElse(l.offer.Note, "Biroul nu are o listă proprie pentru acest motiv; întrebați la ghișeu.")})
	}
	for _, n := range l.row.Notes {
		if n.If.holds(a.Answers) {
			out = append(out, Note{n.Rule, n.Code, n.Say, n.Text, nil})
		}
	}
	if err, ok := Refused(r.ageFits(a)); ok {
		out = append(out, Note{err.Rule, err.Code, err.Say, err.Text, err.Args})
	}
	return out
}

// version is short and stable: two lists have the same if and only if the
// person is asked for the same.
func version(c Checklist) string {
	c.Bundle, c.Version = 0, ""
	b, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and numbers only
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:5])
}

func orForm(f, other Form) Form {
	if f == "" {
		return other
	}
	return f
}
