package wire

import "fmt"

// Reasons for which an op is refused for ever. Verdict.Say is one of them, a
// colon, and a sentence; pages say them in the clerk's language.
const (
	WhyLarge      = "value-large"        // the value is longer than the hub keeps
	WhyEmpty      = "value-missing"      // a field without a value
	WhyNoBooking  = "not-a-booking"      // the cell is no booking's
	WhyHubOnly    = "hub-only"           // only the hub writes this
	WhyFact       = "fact-unknown"       // no program of this version knows the fact
	WhyBooking    = "booking-unreadable" // what a desk wrote of a new booking cannot be read
	WhyUnreadable = "op-unreadable"      // the op itself cannot be read
	WhyOwn        = "own-relayed"        // an own edit that was sent as another's
	WhyElsewhere  = "author-elsewhere"   // its author is of another office
	WhyDamaged    = "damaged"            // it is damaged in this replica, and the hub has lost it
)

// Reasons lists all of them.
func Reasons() []string {
	return []string{WhyLarge, WhyEmpty, WhyNoBooking, WhyHubOnly, WhyFact, WhyBooking, WhyUnreadable, WhyOwn, WhyElsewhere, WhyDamaged}
}

// A RefusalError is a reason with its sentence.
type RefusalError struct{ Why, Say string }

func (e *RefusalError) Error() string { return e.Why + ": " + e.Say }

// Refuse makes one.
func Refuse(why, say string, args ...any) error {
	return &RefusalError{why, fmt.Sprintf(say, args...)}
}
