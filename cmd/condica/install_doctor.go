package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"condica/agent"
	"condica/installer/doctor"
	svc "condica/installer/service"
)

type doctorCmd struct {
	Data string `default:"${data}" placeholder:"DIR" help:"Data folder (${default})."`
	JSON bool   `name:"json" help:"Print the findings as JSON."`
}

// Run prints what was found; the exit code is that of the worst finding.
func (c *doctorCmd) Run(e *env) error {
	clock := agent.NewClock(0)
	found := doctor.Examine(e.Ctx, doctor.Options{Dir: c.Data, Now: clock.Wall, Clocks: clock.Reading, Service: svc.Status})
	if err := c.print(e.Out, found); err != nil {
		return err
	}
	switch doctor.Worst(found) {
	case doctor.Fault:
		return errors.New("there are faults")
	case doctor.Warning:
		return codedError{errors.New("there are warnings"), exitWarnings}
	}
	return nil
}

func (c *doctorCmd) print(w io.Writer, found []doctor.Finding) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(map[string]any{"level": doctor.Worst(found), "findings": found})
	}
	for _, f := range found {
		line := fmt.Sprintf("%-8s %-8s %s.", f.Level, f.Check, strings.TrimSuffix(f.Say, "."))
		if f.Do != "" {
			line += " To do: " + f.Do + "."
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
