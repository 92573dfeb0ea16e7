package main

import (
	"crypto/rand"
	"fmt"
	"io"
	"strings"

	"condica/agent/clerk"
	"condica/spclep/settings"
)

type pinCmd struct {
	Name     string `required:"" help:"The clerk's name, as it is to stand in each action."`
	Role     string `default:"clerk" enum:"clerk,head" help:"clerk, or head of service."`
	Language string `default:"" enum:",ro,hu,en" help:"Of the pages once signed in; left out, as the browser was told."`
	JSON     bool   `name:"json"`
}

// Run draws a PIN and shows it this once; kept of it is only the line for
// settings.yaml.
func (c *pinCmd) Run(out io.Writer) error {
	random := func(b []byte) { rand.Read(b) }
	pin := clerk.Draw(random)
	verifier := clerk.Make(pin, random).String()
	line := c.line(verifier)
	if _, err := settings.Parse("format: 1\nclerks:\n  " + line + "\n"); err != nil {
		return wrongUse("--name %q: %v", c.Name, err)
	}
	if c.JSON {
		return printJSON(out, map[string]any{"name": c.Name, "role": c.Role, "pin": pin, "verifier": verifier, "line": line})
	}
	_, err := fmt.Fprintf(out, "PIN: %s\n%s\n", pin, line)
	return err
}

// line is one row of clerks in settings.yaml.
func (c *pinCmd) line(verifier string) string {
	fields := []string{fmt.Sprintf("name: %q", c.Name)}
	if c.Role != settings.RoleClerk {
		fields = append(fields, "role: "+c.Role)
	}
	if c.Language != "" {
		fields = append(fields, "language: "+c.Language)
	}
	return "- {" + strings.Join(append(fields, fmt.Sprintf("pin: %q", verifier)), ", ") + "}"
}
