package op

import "encoding/json"

// A Draft is an edit a clerk's action asks for, before it has an id and a
// stamp. Drafts of one action are written together or not at all.
type Draft struct {
	Cell  Cell
	Fact  bool
	Value json.RawMessage // compact JSON
	Base  []ID            // registers: the heads it replaces
	Why   string
}
