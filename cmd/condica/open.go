package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"condica/agent/api"
)

// openCmd is what the Start menu's entry runs: it asks the service for an
// address that lets one browser in, and opens it.
type openCmd struct {
	service
	Print bool `help:"Print the address and open nothing."`
}

func (c *openCmd) Run(e *env) error {
	at, err := c.opener()
	if err != nil {
		return err
	}
	raw, err := c.callAt(e, at, "POST", "open", nil)
	if err != nil {
		return err
	}
	var opened api.Opened
	if err := json.Unmarshal(raw, &opened); err != nil {
		return fmt.Errorf("the service on %s answers in another form: is it of the same version? %w", c.Data, err)
	}
	if c.JSON || c.Print {
		c.answer(e, raw, func(w io.Writer) { fmt.Fprintln(w, opened.URL) })
		return nil
	}
	return browse(opened.URL)
}

// opener finds the service as somebody does who may open the desk and no more;
// the folder's owner may do that too.
func (c *openCmd) opener() (api.Control, error) {
	at, err := api.ReadOpener(openers(c.Data))
	if errors.Is(err, api.ErrNotRunning) {
		at, err = api.ReadControl(c.Data)
	}
	switch {
	case errors.Is(err, api.ErrNotRunning):
		return at, c.notRunning()
	case errors.Is(err, os.ErrPermission):
		return at, fmt.Errorf("this user may not open the desk of this PC; the IT contact can let you in: %w", err)
	}
	return at, err
}

// openers is the folder in which a service with that data folder says how its
// pages are opened.
func openers(data string) string {
	switch {
	case runtime.GOOS == "windows":
		return filepath.Join(data, "open")
	case data == defaultDir():
		return "/run/condica" // RuntimeDirectory of the unit
	}
	return data
}

// openDir is where this process says it; on Linux the service manager names the
// folder, and without one there is none.
func openDir(data string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(data, "open")
	}
	return os.Getenv("RUNTIME_DIRECTORY")
}

func browse(url string) error {
	name, args := "xdg-open", []string{url}
	if runtime.GOOS == "windows" {
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", url}
	}
	if err := exec.Command(name, args...).Start(); err != nil {
		return fmt.Errorf("no browser could be started (%w); condica open --print gives the address", err)
	}
	return nil
}
