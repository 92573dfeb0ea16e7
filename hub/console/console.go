// Package console is central IT's pages, Romanian, without scripts: which
// office stands where, what is held of a booking, a booking made by hand. It
// decides nothing and asks for no password, so it is served on loopback only.
package console

import (
	"net/http"

	"condica/hub"
)

// A Line is a line to the hub that can be cut, for the demo.
type Line interface {
	Cut()
	Restore()
	Down() bool
}

// New makes the pages. line may be nil.
func New(h *hub.Server, line Line) (http.Handler, error) {
	return http.NewServeMux(), nil
}
