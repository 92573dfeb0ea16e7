package spclep

import (
	"errors"
	"fmt"
)

// A Refusal says that the rules do not allow an action. It is an answer, not
// a fault: nothing was changed, and a person can be told why.
type Refusal struct {
	Rule string            `json:"rule"` // id in docs/rules.md, such as "B16"
	Code string            `json:"code"` // stable word for catalogues and scripts; Codes lists them all
	Say  string            `json:"say"`  // one English sentence, lower case
	Text string            `json:"text"` // the same in Romanian, for the clerk or the citizen
	Args map[string]string `json:"args,omitempty"`
}

func (r *Refusal) Error() string { return fmt.Sprintf("%s (rule %s)", r.Say, r.Rule) }

// Refused finds the Refusal in err, if there is one.
func Refused(err error) (*Refusal, bool) {
	var r *Refusal
	ok := errors.As(err, &r)
	return r, ok
}
