package agent

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"time"

	"condica/agent/api"
	"condica/agent/page"
	"condica/localdb/file"
)

// sessionsFile keeps, as hashes, which browsers were let in.
const sessionsFile = "desk-sessions.json"

// openTickets makes the pages ask for a ticket.
func (a *Agent) openTickets() error {
	if !a.o.Tickets {
		return nil
	}
	path := filepath.Join(a.o.Dir, sessionsFile)
	var known []string
	text, err := os.ReadFile(path)
	if err == nil && json.Unmarshal(text, &known) != nil {
		known = nil // browsers have to be let in again, and that is all
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	up := func() int64 { return a.o.Clock.Reading().Up }
	a.tickets = page.NewTickets(rand.Text, up, known, func(sessions []string) {
		text, err := json.Marshal(sessions)
		if err == nil {
			err = writeFile(path, text)
		}
		if err != nil {
			a.o.Log.Warn("which browsers were let in could not be kept; they have to be let in again after a restart", "error", err)
		}
	})
	return nil
}

// openAddress lets one browser in; nil where none needs to be.
func (a *Agent) openAddress() func() string {
	if a.tickets == nil {
		return nil
	}
	return func() string { return page.Enter(a.url, a.tickets.New()) }
}

// untell takes back what tell said to those who may open the pages.
func (a *Agent) untell() error {
	if a.o.OpenDir == "" {
		return nil
	}
	err := os.Remove(filepath.Join(a.o.OpenDir, api.OpenName))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// tellAgain is how long to wait for room on a full disk.
const tellAgain = 5 * time.Second

// tell says where the desk is. On a full disk it is said when there is room: until
// then the pages are at their address, to be read, and scripts do not find them.
func (a *Agent) tell(opener string) error {
	err := a.tellNow(opener)
	if !file.Full(err) {
		return err
	}
	a.o.Log.Error("the disk is full; the desk is open for reading, and scripts are told of it when there is room", "error", err)
	a.work.Go(func() {
		for err != nil {
			select {
			case <-a.ctx.Done():
				return
			case <-time.After(tellAgain):
				err = a.tellNow(opener)
			}
		}
	})
	return nil
}

// tellNow tells the service's own account, and those who may open the pages.
func (a *Agent) tellNow(opener string) error {
	err := api.WriteControl(a.o.Dir, api.Control{URL: a.url, Token: a.token, PID: os.Getpid()})
	if err != nil || a.o.OpenDir == "" {
		return err
	}
	if err := os.MkdirAll(a.o.OpenDir, 0o750); err != nil {
		return err
	}
	return api.WriteOpener(a.o.OpenDir, api.Control{URL: a.url, Token: opener, PID: os.Getpid()}, letOpen)
}
