package bundle

import "fmt"

// Reasons not to take a bundle.
const (
	Torn        = "torn"              // not whole
	Senseless   = "senseless"         // whole, but not what this program understands
	NoRoot      = "no-root-key"       // nobody's word is known here
	UnknownKey  = "unknown-key"       // signed by a key whose certificate it does not bring
	StrangeKey  = "key-not-certified" // by a key that root has not certified
	KeyTime     = "key-out-of-time"   // by a key that was not certified at that time
	Forged      = "forged"            // the signature does not fit
	OtherOffice = "other-office"
	Replayed    = "replayed"    // a number that was used
	Downgraded  = "downgraded"  // a number below the one in force
	Contents    = "contents"    // the settings are not sound; file, line and key say where
	Untried     = "dry-run"     // sound, but this office cannot be worked by them
	NotProven   = "not-proven"  // in force, the desk could no longer do what it did before
	Interrupted = "interrupted" // the program ended, twice, before they were proven
)

// An Error says why a bundle is not taken.
type Error struct {
	Code string
	Say  string // a sentence without its end
}

func (e *Error) Error() string { return e.Code + ": " + e.Say }

func refuse(code, format string, args ...any) error {
	return &Error{code, fmt.Sprintf(format, args...)}
}

// Refuse makes an *Error out of what is wrong with a bundle's contents or use.
func Refuse(code string, err error) *Error { return &Error{code, err.Error()} }
