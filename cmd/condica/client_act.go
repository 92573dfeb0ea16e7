package main

import (
	"io"
	"strings"

	"condica/agent/api"
	"condica/spclep"
)

// signed says whose action it is, and names the request.
type signed struct {
	By  string `placeholder:"CLERK" help:"Who acts, as the record will show (script)."`
	Key string `help:"Name of this request: sent again under it, it acts once."`
}

func (s signed) common() api.Common { return api.Common{Key: s.Key, By: s.By} }

// onBooking is what all actions on one booking take.
type onBooking struct {
	service
	signed
	theBooking
}

// act finds the booking, does the verb and prints what stands then.
func (c onBooking) act(e *env, verb string, body any) error {
	id, err := c.find(e, c.service)
	if err != nil {
		return err
	}
	return c.do(e, id, verb, body)
}

func (c onBooking) do(e *env, id spclep.BookingID, verb string, body any) error {
	return do(e, c.service, "visits/"+string(id)+"/"+verb, body)
}

func do(e *env, s service, path string, body any) error {
	done, raw, err := ask[api.Done](e, s, "POST", path, body)
	if err != nil {
		return err
	}
	s.answer(e, raw, func(w io.Writer) { printDone(w, done) })
	return nil
}

type checkInCmd struct{ onBooking }

func (c *checkInCmd) Run(e *env) error {
	return c.act(e, "check-in", api.CheckInRequest{Common: c.common()})
}

type sendAwayCmd struct {
	onBooking
	Ground  string   `required:"" help:"no-show, data-mismatch, papers-missing or rule-breach."`
	Missing []string `placeholder:"ITEM" help:"Papers of the checklist, for papers-missing: R01.1,R01.6."`
	Note    string   `help:"A remark."`
}

func (c *sendAwayCmd) Run(e *env) error {
	return c.act(e, "send-away", api.SendAwayRequest{Common: c.common(), Ground: c.Ground, Missing: c.Missing, Note: c.Note})
}

type setCmd struct {
	onBooking
	Values []string `arg:"" name:"key=value" help:"As in email=x@example.ro, answer.civil=married, paper.R01.1=original+copy."`
}

func (c *setCmd) Run(e *env) error {
	q := api.SetRequest{Common: c.common(), Fields: map[string]string{}, Answers: map[string]string{}, Ticks: map[string]string{}}
	for _, v := range c.Values {
		name, value, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return usage("%q: want KEY=VALUE", v)
		}
		into := q.Fields
		if key, ok := strings.CutPrefix(name, spclep.PrefixAnswer); ok {
			name, into = key, q.Answers
		} else if item, ok := strings.CutPrefix(name, spclep.PrefixPaper); ok {
			name, into = item, q.Ticks
		}
		if _, twice := into[name]; twice {
			return usage("%q: the key is given twice", v)
		}
		into[name] = value
	}
	return c.act(e, "set", q)
}

type fileCmd struct {
	onBooking
	Number  string          `help:"Registration number (the PC's next)."`
	Product spclep.Product  `help:"What is made, such as CEI_FIRST (what reason and answers lead to)."`
	Pickup  spclep.OfficeID `placeholder:"OFFICE" help:"Where the card will be collected (here)."`
	Birth   string          `placeholder:"YYYY-MM-DD" help:"Day of birth, where the age decides."`
	Despite string          `placeholder:"REASON" help:"Why it is taken though papers were not seen."`
}

func (c *fileCmd) Run(e *env) error {
	q := api.FileRequest{Common: c.common(), Number: c.Number, Product: c.Product, Pickup: c.Pickup, Despite: c.Despite}
	if c.Birth != "" {
		day, err := spclep.ParseDay(c.Birth)
		if err != nil {
			return usage("--birth: %v", err)
		}
		q.Birth = day
	}
	return c.act(e, "file", q)
}

type extendCmd struct {
	onBooking
	Days int    `required:"" help:"1 to 15."`
	Why  string `required:"" placeholder:"REASON" help:"The reason."`
}

func (c *extendCmd) Run(e *env) error {
	return c.act(e, "extend", api.ExtendRequest{Common: c.common(), Days: c.Days, Why: c.Why})
}

type readyCmd struct{ onBooking }

func (c *readyCmd) Run(e *env) error {
	return c.act(e, "ready", api.ReadyRequest{Common: c.common()})
}

type handOverCmd struct {
	onBooking
	To     string `default:"holder" help:"holder, parent, legal-representative or art12-1."`
	Name   string `help:"Name of the person, where it is not the holder."`
	Permit bool   `help:"The residence permit was surrendered."`
}

func (c *handOverCmd) Run(e *env) error {
	return c.act(e, "hand-over", api.HandOverRequest{Common: c.common(), To: c.To, Name: c.Name, Permit: c.Permit})
}

type walkInCmd struct {
	service
	signed
	Name     string        `required:"" help:"Name of the person."`
	Reason   spclep.Reason `required:"" placeholder:"R01" help:"R01 to R17."`
	Urgent   bool          `help:"A justified urgency, outside the hours for it."`
	Approved string        `placeholder:"HEAD" help:"Head of service who approved the urgency."`
	Why      string        `placeholder:"REASON" help:"Why it is urgent."`
}

func (c *walkInCmd) Run(e *env) error {
	return do(e, c.service, "walk-ins", api.WalkInRequest{
		Common: c.common(), Name: c.Name, Reason: c.Reason, Urgent: c.Urgent, Approved: c.Approved, Why: c.Why,
	})
}
