package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"condica/spclep"
)

// rulesCmd shows what a desk would show, straight from a bundle: it needs no
// service and reads no clock. It is the centre's preview of a bundle before it
// is pushed, and the way to check the rules from outside.
type rulesCmd struct {
	Papers    papersCmd    `cmd:"" help:"Papers to bring, who signs and who must come."`
	Questions questionsCmd `cmd:"" help:"Questions whose answers decide the list."`
	Fee       feeCmd       `cmd:"" help:"Fee and where it is paid."`
	Due       dueCmd       `cmd:"" help:"Day by which the card must be there."`
	Slots     slotsCmd     `cmd:"" help:"Slots of a day."`
	Hours     hoursCmd     `cmd:"" help:"Hours of a day."`
	Collect   collectCmd   `cmd:"" help:"Who may collect a card."`
}

// ruleBook is what every question to the rules needs.
type ruleBook struct {
	Office spclep.OfficeID `required:"" placeholder:"ID" help:"Office, such as covasna."`
	Bundle string          `placeholder:"PATH" help:"Bundle to ask: a folder or one file; the built-in one if left out."`
	JSON   bool            `name:"json" help:"Print one JSON object."`
}

// ruleAsk is one person's visit.
type ruleAsk struct {
	ruleBook
	Reason  spclep.Reason     `required:"" placeholder:"R" help:"Reason, R01 to R17."`
	Product spclep.Product    `placeholder:"P" help:"What is asked for, such as CEI_NEW; left out, what reason and answers lead to."`
	Day     spclep.Day        `required:"" placeholder:"DAY" help:"Day of the appointment, YYYY-MM-DD."`
	Answer  map[string]string `placeholder:"K=V" mapsep:"none" help:"Answer to a question, such as civil=married; may be given again."`
	Birth   spclep.Day        `placeholder:"DAY" help:"Date of birth, YYYY-MM-DD."`
}

type (
	papersCmd    struct{ ruleAsk }
	questionsCmd struct{ ruleAsk }
	feeCmd       struct{ ruleAsk }
)

type dueCmd struct {
	ruleBook
	Product spclep.Product  `required:"" placeholder:"P" help:"What was asked for, such as CIS."`
	Filed   spclep.Day      `placeholder:"DAY" help:"Day of registration; --day if left out."`
	Day     spclep.Day      `placeholder:"DAY" help:"The same."`
	Pickup  spclep.OfficeID `placeholder:"ID" help:"Office of collecting; the office of filing if left out."`
}

type slotsCmd struct {
	ruleBook
	Day spclep.Day `required:"" placeholder:"DAY" help:"The day, YYYY-MM-DD."`
}

type hoursCmd struct {
	ruleBook
	Day spclep.Day `required:"" placeholder:"DAY" help:"The day, YYYY-MM-DD."`
}

type collectCmd struct {
	ruleBook
	Product spclep.Product `required:"" placeholder:"P" help:"What lies ready, such as CEI_U14."`
	Day     spclep.Day     `required:"" placeholder:"DAY" help:"Day of collecting, YYYY-MM-DD."`
	Birth   spclep.Day     `placeholder:"DAY" help:"Date of birth of the holder; an age by the product if left out."`
}

// open loads the bundle that is asked and makes sure it has the office.
func (b ruleBook) open() (*spclep.Reference, error) {
	r, err := loadBundle(b.Bundle)
	if err != nil {
		return nil, err
	}
	if _, err := r.Office(b.Office); err != nil {
		return nil, &usageError{err}
	}
	return r, nil
}

func loadBundle(path string) (*spclep.Reference, error) {
	if path == "" {
		return spclep.Builtin()
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return spclep.Load(os.DirFS(path))
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return spclep.LoadFile(filepath.Base(path), data)
}

// ask puts the command line together as the rules want it.
func (a ruleAsk) ask() (*spclep.Reference, spclep.Ask, error) {
	r, err := a.open()
	if err != nil {
		return nil, spclep.Ask{}, err
	}
	answers := spclep.Answers{}
	for k, v := range a.Answer {
		answers[k] = v
	}
	if a.Birth != 0 {
		answers["birth"] = a.Birth.String()
	}
	ask := spclep.Ask{Office: a.Office, Reason: a.Reason, Product: a.Product, Answers: answers, Day: a.Day}
	if err := r.CheckAnswers(ask); err != nil {
		return nil, ask, &usageError{err}
	}
	return r, ask, nil
}

// show prints v as one line of JSON, or plainly line by line.
func (b ruleBook) show(out io.Writer, v any, plain func() []string) error {
	if b.JSON {
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	}
	_, err := fmt.Fprintln(out, strings.Join(plain(), "\n"))
	return err
}

func (c papersCmd) Run(e *env) error {
	r, ask, err := c.ask()
	if err != nil {
		return err
	}
	list, err := r.Papers(ask)
	if err != nil {
		return err
	}
	return c.show(e.Out, list, func() []string { return plainList(list) })
}

func plainList(list spclep.Checklist) []string {
	lines := []string{fmt.Sprintf("%s la %s, produs %s (setul de reguli %d, lista %s, %s)", list.Reason, list.Office, orDash(string(list.Product)), list.Bundle, list.Version, list.Status)}
	for _, p := range list.Papers {
		lines = append(lines, plainPaper(p)...)
	}
	lines = append(lines, "semnează: "+list.Signs, "se prezintă: "+list.Attends)
	for _, n := range list.Notes {
		lines = append(lines, fmt.Sprintf("! %s [%s]", n.Text, n.Rule))
	}
	return lines
}

func plainPaper(p spclep.Paper) []string {
	s := fmt.Sprintf("- %s", p.Title)
	if p.Quantity > 1 {
		s += fmt.Sprintf(" × %d", p.Quantity)
	}
	if f := formRO(p.Form); f != "" {
		s += " – " + f
	}
	if p.IfApplicable {
		s += ", dacă este cazul"
	}
	if p.When == spclep.AtPickup {
		s += ", la ridicare"
	}
	if p.Why != "" {
		s += " (" + p.Why + ")"
	}
	out := []string{s + " [" + p.ID + "]"}
	for _, alt := range p.OneOf {
		out = append(out, "    sau: "+alt.Title)
	}
	return out
}

func formRO(f spclep.Form) string {
	return map[spclep.Form]string{
		spclep.Original: "original",
		spclep.Copy:     "copie",
		spclep.Both:     "original și copie",
		spclep.AtDesk:   "se completează la ghișeu",
	}[f]
}

func (c questionsCmd) Run(e *env) error {
	r, ask, err := c.ask()
	if err != nil {
		return err
	}
	qs, err := r.Questions(ask)
	if err != nil {
		return err
	}
	shown := struct {
		Bundle    int               `json:"bundle"`
		Questions []spclep.Question `json:"questions"`
	}{r.Number(), append([]spclep.Question{}, qs...)}
	return c.show(e.Out, shown, func() []string {
		var lines []string
		for _, q := range qs {
			lines = append(lines, fmt.Sprintf("%s: %s [%s]", q.Key, q.Title, q.Rule))
			for _, o := range q.Options {
				mark := ""
				if o.Value == q.Default {
					mark = " (presupus)"
				}
				lines = append(lines, fmt.Sprintf("    %s=%s – %s%s", q.Key, o.Value, o.Title, mark))
			}
		}
		return orNone(lines)
	})
}

func (c feeCmd) Run(e *env) error {
	r, ask, err := c.ask()
	if err != nil {
		return err
	}
	fee, err := r.Fee(ask)
	if err != nil {
		return err
	}
	return c.show(e.Out, fee, func() []string {
		lines := []string{fmt.Sprintf("%s: %s [%s, %s]", orDash(string(fee.Product)), fee.Text, fee.Rule, fee.Status)}
		for _, p := range fee.Places {
			lines = append(lines, fmt.Sprintf("- %s [%s]", p.Title, p.ID))
		}
		return lines
	})
}

func (c dueCmd) Run(e *env) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	filed := c.Filed
	if filed == 0 {
		filed = c.Day
	}
	if filed == 0 {
		return &usageError{errors.New("give the day of registration, --filed YYYY-MM-DD")}
	}
	due, err := r.Due(spclep.DueAsk{Office: c.Office, Product: c.Product, Filed: filed, Pickup: c.Pickup})
	if err != nil {
		return err
	}
	return c.show(e.Out, due, func() []string {
		lines := []string{"termen: " + due.By.RO()}
		for _, s := range due.Steps {
			unit := "zile calendaristice"
			if s.Unit == spclep.WorkingDay {
				unit = "zile lucrătoare"
			}
			lines = append(lines, fmt.Sprintf("- %d %s, până la %s [%s]", s.N, unit, s.Until.RO(), s.Rule))
		}
		if due.EstimateFrom != 0 {
			lines = append(lines, fmt.Sprintf("estimat: %s – %s", due.EstimateFrom.RO(), due.EstimateTo.RO()))
		}
		return lines
	})
}

func (c slotsCmd) Run(e *env) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	slots, err := r.Slots(c.Office, c.Day)
	if err != nil {
		return err
	}
	shown := struct {
		Bundle   int             `json:"bundle"`
		Day      spclep.Day      `json:"day"`
		Slots    []spclep.Minute `json:"slots"`
		Capacity int             `json:"capacity"` // people per slot
	}{r.Number(), c.Day, append([]spclep.Minute{}, slots...), r.Capacity(c.Office, c.Day)}
	return c.show(e.Out, shown, func() []string {
		var lines []string
		for _, m := range slots {
			lines = append(lines, m.String())
		}
		return orNone(lines)
	})
}

func (c hoursCmd) Run(e *env) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	h, err := r.Hours(c.Office, c.Day)
	if err != nil {
		return err
	}
	return c.show(e.Out, h, func() []string {
		if h.Closed {
			return []string{fmt.Sprintf("închis: %s [%s]", h.Why, h.Rule)}
		}
		var lines []string
		for _, i := range h.Intervals {
			lines = append(lines, fmt.Sprintf("%s–%s %s [%s, %s]", i.From, i.To, hoursRO(i.Kind), i.Rule, i.Status))
		}
		return lines
	})
}

func hoursRO(kind string) string {
	return map[string]string{
		spclep.HoursBooked: "depunere cu programare",
		spclep.HoursWalkIn: "depunere fără programare",
		spclep.HoursPickup: "eliberare acte",
		spclep.HoursPublic: "program cu publicul",
		spclep.HoursStaff:  "program de lucru",
	}[kind]
}

func (c collectCmd) Run(e *env) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	if err := knownProduct(r, c.Product); err != nil {
		return err
	}
	who := append([]spclep.Collector{}, r.Collectors(c.Office, c.Product, c.Birth, c.Day)...)
	shown := struct {
		Bundle     int                `json:"bundle"`
		Collectors []spclep.Collector `json:"collectors"`
	}{r.Number(), who}
	return c.show(e.Out, shown, func() []string {
		var lines []string
		for _, w := range who {
			lines = append(lines, fmt.Sprintf("- %s (%s) [%s, %s]", w.Title, w.To, w.Rule, w.Status))
		}
		return orNone(lines)
	})
}

func knownProduct(r *spclep.Reference, p spclep.Product) error {
	var codes []string
	for _, info := range r.Products() {
		if info.Code == p {
			return nil
		}
		codes = append(codes, string(info.Code))
	}
	return &usageError{fmt.Errorf("product %q is not in bundle %d, which holds %s", p, r.Number(), strings.Join(codes, ", "))}
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

func orNone(lines []string) []string {
	if len(lines) == 0 {
		return []string{"–"}
	}
	return lines
}
