package page

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"condica/agent/desk"
	"condica/agent/office"
	"condica/sync/link"
	"condica/sync/wire"
)

// The queue on a stick, where the line is dead for days.
const (
	carryOutPath = "/coada/stick"
	carryInPath  = "/coada/raspuns"
	carryField   = "fisier"
)

// bringTime is how long a file may take to be read in: it may hold an office's
// whole log.
const bringTime = 15 * time.Minute

// carryPart is the section of the queue's page.
type carryPart struct {
	May  bool // who asks may carry
	Lost bool // nobody knows the hour: some edits will stay
	Most int  // edits in a file
	Left int  // that the last file had no room for
}

func (p *pages) carryPart(r *http.Request, st office.Status) carryPart {
	return carryPart{May: st.Line && p.mayCarry(r), Lost: st.Lost, Most: wire.MaxSegments * wire.MaxOps, Left: st.Left}
}

// mayCarry: the head of service, or anybody where there are no accounts.
func (p *pages) mayCarry(r *http.Request) bool { return p.role(r) != desk.RoleClerk }

// carryOut gives what waits as a file. Its name has the request's number, so that
// two files of one stick are told apart, and nothing else.
func (p *pages) carryOut(w http.ResponseWriter, r *http.Request) error {
	if !p.mayCarry(r) {
		return &halt{http.StatusForbidden, "halt.head"}
	}
	if err := stillTheirs(r); err != nil {
		return err
	}
	c, err := p.office.CarryOut(r.Context(), p.author(r))
	if err != nil {
		return carryHalt(err)
	}
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="condica-cerere-%d.condica"`, c.Number))
	h.Set("Content-Length", strconv.Itoa(len(c.File)))
	w.Write(c.File) // an error here is the browser having gone
	return nil
}

// carryIn takes the hub's answer.
func (p *pages) carryIn(w http.ResponseWriter, r *http.Request) error {
	if !p.mayCarry(r) {
		return &halt{http.StatusForbidden, "halt.head"}
	}
	if err := stillTheirs(r); err != nil {
		return err
	}
	f, _, err := r.FormFile(carryField)
	if err != nil {
		return &halt{http.StatusUnprocessableEntity, "carry.no-file"}
	}
	defer f.Close()
	file, err := io.ReadAll(f)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), bringTime) // what was begun is done, though the browser goes
	defer cancel()
	b, err := p.office.CarryIn(ctx, p.author(r), file)
	if err != nil {
		return p.carryFault(err)
	}
	http.Redirect(w, r, done("/coada", brought(b)), http.StatusSeeOther)
	return nil
}

// brought is the word for what a file has brought.
func brought(b link.Brought) string {
	switch {
	case b.Stale:
		return "adus-vechi"
	case b.More:
		return "adus-in-parte"
	case b.Unsent > 0:
		return "adus-mai"
	}
	return "adus"
}

// carryFault says why a file was not taken.
func (p *pages) carryFault(err error) error {
	var bad *wire.CarriedError
	if errors.As(err, &bad) {
		return &halt{http.StatusUnprocessableEntity, "carry.why." + bad.Code}
	}
	return carryHalt(err)
}

func carryHalt(err error) error {
	if errors.Is(err, office.ErrNoCarrier) || errors.Is(err, link.ErrRetired) {
		return &halt{http.StatusConflict, "carry.no-line"}
	}
	return err
}
