package spclep

import "fmt"

// A BundleError is one fault of a bundle, told so that the person who wrote
// the line can mend it.
type BundleError struct {
	File    string
	Line    int    // 0 where no line is to blame
	Key     string // "hours[2].from"
	Problem string // what stands there and what was expected
}

func (e *BundleError) Error() string {
	s := e.File
	if e.Line > 0 {
		s += fmt.Sprintf(":%d", e.Line)
	}
	if e.Key != "" {
		s += ": " + e.Key
	}
	return s + ": " + e.Problem
}
