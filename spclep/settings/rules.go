package settings

import (
	"errors"
	"fmt"
	"maps"

	"condica/spclep"
)

// Rules are all that a bundle puts in force at an office, and what is in force
// at one time is one of these.
type Rules struct {
	Number    int64 // of the signed bundle; 0: those built into the program
	IssuedMs  int64 // by the signer's clock; 0: not signed
	ExpiresMs int64 // 0: never. It is shown, and stops no counter
	Reference *spclep.Reference
	Settings  Settings
}

// Builtin are the rules of a PC that was sent none, with this reference.
func Builtin(ref *spclep.Reference) Rules {
	return Rules{Reference: ref, Settings: Defaults()}
}

// Read makes rules of a bundle's files: a whole reference bundle that bears the
// number it is signed as, and a settings.yaml. The error joins one
// *spclep.BundleError for each fault.
func Read(number int64, files map[string]string) (Rules, error) {
	text, ok := files[FileName]
	rest := maps.Clone(files)
	delete(rest, FileName)
	var faults []error
	if !ok {
		faults = append(faults, &spclep.BundleError{File: FileName, Problem: "is missing"})
	}
	r := Rules{Number: number}
	var err error
	if ok {
		if r.Settings, err = Parse(text); err != nil {
			faults = append(faults, err)
		}
	}
	if r.Reference, err = spclep.LoadFiles(rest); err != nil {
		faults = append(faults, err)
	} else if err := r.Reference.Numbered(number); err != nil {
		faults = append(faults, err)
	}
	if len(faults) > 0 {
		return Rules{}, errors.Join(faults...)
	}
	r.Reference, err = r.Reference.WithSettings(r.Settings.Tolerances.values())
	return r, err
}

// values are the tolerances under the reference bundle's names.
func (t Tolerances) values() map[string]int {
	out := map[string]int{}
	if t.LateMinutes != nil {
		out["late_tolerance_min"] = *t.LateMinutes
	}
	if t.EarlyMinutes != nil {
		out["arrive_early_min"] = *t.EarlyMinutes
	}
	return out
}

// tryDays is how far ahead hours and slots are tried: the booking window.
const tryDays = 31

// Try works an office by the rules without anybody seeing it: what each reason
// asks for today and what it costs, and hours and slots of the days to come.
func (r Rules) Try(office spclep.OfficeID, today spclep.Day) (err error) {
	// A bundle comes from outside: what it trips up must not end the service.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the rules stumble over it: %v", p)
		}
	}()
	if _, err := r.Reference.Office(office); err != nil {
		return err
	}
	reasons := r.Reference.Reasons(office, today)
	if len(reasons) == 0 {
		return fmt.Errorf("office %s offers no reason at all on %s", office, today)
	}
	for _, reason := range reasons {
		if err := r.tryReason(office, reason, today); err != nil {
			return fmt.Errorf("reason %s on %s: %w", reason.Code, today, err)
		}
	}
	for day := today; day < today.Add(tryDays); day++ {
		if _, err := r.Reference.Slots(office, day); err != nil {
			return fmt.Errorf("slots of %s: %w", day, err)
		}
	}
	return nil
}

func (r Rules) tryReason(office spclep.OfficeID, reason spclep.ReasonInfo, today spclep.Day) error {
	ask := spclep.Ask{Office: office, Reason: reason.Code, Day: today}
	if _, err := r.Reference.Questions(ask); err != nil {
		return err
	}
	for _, product := range append([]spclep.Product{""}, reason.Products...) {
		ask.Product = product
		if _, err := r.Reference.Papers(ask); err != nil {
			return err
		}
		if _, err := r.Reference.Fee(ask); err != nil {
			return err
		}
	}
	return nil
}
