// Package settings is what central IT may set on office PCs, and how a bundle of
// files becomes the rules of one office. A file with an unknown key or a bad
// value is refused with file, line, key and reason; nothing of it is taken. It
// puts nothing in force and keeps nothing.
package settings

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"condica/spclep"
)

// FileName is the file of a bundle that holds the settings; all others are the
// reference bundle.
const FileName = "settings.yaml"

// format is the shape of the file.
const format = 1

// Settings are the values of one settings.yaml, with the defaults where it is
// silent.
type Settings struct {
	Format        int        `yaml:"format,required" json:"format"`
	Sync          Sync       `yaml:"sync" json:"sync"`
	Clerks        []Clerk    `yaml:"clerks" json:"clerks"`
	Desk          Desk       `yaml:"desk" json:"desk"`
	RetentionDays int        `yaml:"retention_days" json:"retention_days"`
	Texts         Texts      `yaml:"texts" json:"texts"`
	LogLevel      string     `yaml:"log_level" json:"log_level"`
	Tolerances    Tolerances `yaml:"tolerances" json:"tolerances"`
}

// Sync is the rhythm of the conversation with the hub.
type Sync struct {
	PollSeconds int  `yaml:"poll_seconds" json:"poll_seconds"` // between two questions, where no request waits for news
	Wait        bool `yaml:"wait" json:"wait"`                 // a request may wait at the hub for news
}

// A Clerk is one person at the desk.
type Clerk struct {
	Name     string `yaml:"name,required" json:"name"`
	Role     string `yaml:"role" json:"role"`                   // RoleClerk or RoleHead
	PIN      string `yaml:"pin" json:"-"`                       // the verifier of the PIN (ParseVerifier); empty: no account. It leaves the PC by no answer
	Language string `yaml:"language" json:"language,omitempty"` // of the pages once signed in; empty: as the browser was told
}

// A Desk is how the clerks' pages behave.
type Desk struct {
	LockMinutes int `yaml:"lock_minutes" json:"lock_minutes"` // without a request, until the clerk has to give the PIN again
}

// Roles of a Clerk.
const (
	RoleClerk = "clerk"
	RoleHead  = "head" // of service
)

// Texts are what clerks read, in Romanian.
type Texts struct {
	HelpDesk string `yaml:"help_desk" json:"help_desk"` // whom to call
	Notice   string `yaml:"notice" json:"notice"`       // on the page of the day
}

// Tolerances replace the reference bundle's; nil leaves it its own.
type Tolerances struct {
	LateMinutes  *int `yaml:"late_minutes" json:"late_minutes,omitempty"`   // late_tolerance_min
	EarlyMinutes *int `yaml:"early_minutes" json:"early_minutes,omitempty"` // arrive_early_min
	UndoHours    int  `yaml:"undo_hours" json:"undo_hours"`                 // the desk's own: until when a clerk may take an action back; 0: no limit
}

// Defaults are the settings of a PC that was sent none.
func Defaults() Settings {
	return Settings{Format: format, Clerks: []Clerk{}, Desk: Desk{LockMinutes: 10}, Sync: Sync{PollSeconds: 30, Wait: true}, LogLevel: "info", Tolerances: Tolerances{UndoHours: 24}}
}

// A Key is one row of the table in docs/settings.md.
type Key struct {
	Path    string // clerks[].name
	Takes   string
	Default string
	Effect  string
}

// Keys are all that can be set, in the file's order.
func Keys() []Key {
	return []Key{
		{"format", "1", "must be given", "The shape of this file."},
		{"sync.poll_seconds", "10 to 3600", "30", "Seconds between two questions to the hub, where `sync.wait` is off or a proxy cuts requests that wait."},
		{"sync.wait", "true, false", "true", "A request may wait at the hub for news, so that news come at once. Off: news come with the next question."},
		{"clerks[].name", "1 to 60 letters, each name once", "must be given", "Offered where a clerk says who is working."},
		{"clerks[].role", "clerk, head", "clerk", "Head of service, or clerk. The head approves what a clerk may not decide, sees the trace and lifts a clerk's wait after wrong PINs."},
		{"clerks[].pin", "a verifier, as `condica-hub pin` prints it", "no account", "The clerk signs in with the PIN. Once one clerk has a PIN, the desk opens to those who have one, and to nobody else."},
		{"clerks[].language", "ro, hu, en", "as the browser was told", "The language of the pages once the clerk has signed in."},
		{"desk.lock_minutes", "1 to 120", "10", "After so many minutes without a request the clerk gives the PIN again."},
		{"retention_days", "0, or 30 to 3650", "0", "How many days a closed booking is kept on the PCs after its day and its last change; 0: no limit. The hub keeps it."},
		{"texts.help_desk", "up to 300 letters, one line", "the county's IT contact", "Whom to call, on the help page."},
		{"texts.notice", "up to 500 letters, one line", "none", "A notice on the page of the day."},
		{"log_level", "debug, info, warn, error", "info", "How much the service writes into its log."},
		{"tolerances.late_minutes", "0 to 240", "the reference bundle's `late_tolerance_min`", "Up to how late a person is still in time."},
		{"tolerances.early_minutes", "0 to 240", "the reference bundle's `arrive_early_min`", "From how early on."},
		{"tolerances.undo_hours", "0 to 720", "24", "For so many hours a clerk may take an action back; later it needs the head of service. 0: no limit."},
	}
}

// Parse reads a settings.yaml. The error joins one *spclep.BundleError for each
// fault.
func Parse(text string) (Settings, error) {
	s := Defaults()
	lines, err := spclep.Decode(FileName, []byte(text), &s)
	if err != nil {
		return Settings{}, err
	}
	c := checker{lines: lines}
	c.check(&s)
	if len(c.faults) > 0 {
		return Settings{}, errors.Join(c.faults...)
	}
	return s, nil
}

type checker struct {
	lines  map[string]int
	faults []error
}

func (c *checker) fail(key, say string, args ...any) {
	c.faults = append(c.faults, &spclep.BundleError{File: FileName, Line: c.lines[key], Key: key, Problem: fmt.Sprintf(say, args...)})
}

func (c *checker) check(s *Settings) {
	if s.Format != format {
		c.fail("format", "%d, this program reads %d", s.Format, format)
	}
	c.between("sync.poll_seconds", s.Sync.PollSeconds, 10, 3600)
	if s.RetentionDays != 0 {
		c.between("retention_days", s.RetentionDays, 30, 3650)
	}
	c.text("texts.help_desk", s.Texts.HelpDesk, 300)
	c.text("texts.notice", s.Texts.Notice, 500)
	c.oneOf("log_level", s.LogLevel, "debug", "info", "warn", "error")
	if m := s.Tolerances.LateMinutes; m != nil {
		c.between("tolerances.late_minutes", *m, 0, 240)
	}
	if m := s.Tolerances.EarlyMinutes; m != nil {
		c.between("tolerances.early_minutes", *m, 0, 240)
	}
	c.between("tolerances.undo_hours", s.Tolerances.UndoHours, 0, 720)
	c.between("desk.lock_minutes", s.Desk.LockMinutes, 1, 120)
	c.clerks(s.Clerks)
}

// maxClerks is more than any office has.
const maxClerks = 200

func (c *checker) clerks(all []Clerk) {
	if len(all) > maxClerks {
		c.fail("clerks", "%d names, at most %d are read", len(all), maxClerks)
		return
	}
	seen := map[string]bool{}
	for i := range all {
		row := fmt.Sprintf("clerks[%d]", i)
		name := all[i].Name
		if name == "" {
			c.fail(row+".name", "is empty, expected a name")
		}
		if seen[name] {
			c.fail(row+".name", "%q stands twice", name)
		}
		seen[name] = true
		c.text(row+".name", name, 60)
		if all[i].Role == "" {
			all[i].Role = RoleClerk
		}
		c.oneOf(row+".role", all[i].Role, RoleClerk, RoleHead)
		c.account(row, all[i])
	}
}

func (c *checker) account(row string, one Clerk) {
	if one.PIN != "" {
		if _, err := ParseVerifier(one.PIN); err != nil {
			c.fail(row+".pin", "%v; condica-hub pin prints one that fits", err)
		}
	}
	if one.Language != "" {
		c.oneOf(row+".language", one.Language, "ro", "hu", "en")
	}
}

func (c *checker) between(key string, n, from, to int) {
	if n < from || n > to {
		c.fail(key, "%d is not between %d and %d", n, from, to)
	}
}

func (c *checker) oneOf(key, value string, known ...string) {
	for _, k := range known {
		if k == value {
			return
		}
	}
	c.fail(key, "%q is not known, expected one of %s", value, strings.Join(known, ", "))
}

func (c *checker) text(key, value string, most int) {
	switch {
	case utf8.RuneCountInString(value) > most:
		c.fail(key, "has %d letters, at most %d are allowed", utf8.RuneCountInString(value), most)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl) || strings.TrimSpace(value) != value:
		c.fail(key, "holds a line break, a control sign or spaces around it, expected one line of text")
	}
}
