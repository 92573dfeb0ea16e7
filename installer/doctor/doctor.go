// Package doctor looks at an installed agent from outside and says in one
// sentence each what is fine, what is not and what to do. It changes nothing:
// where it has to open the replica it opens a copy.
package doctor

import (
	"context"
	"fmt"
	"time"

	"condica/agent/api"
	"condica/installer/service"
	"condica/sync/hlc"
)

// A Level is how bad a finding is.
type Level string

// The levels. A warning is something the office can work with.
const (
	Fine    Level = "ok"
	Warning Level = "warning"
	Fault   Level = "fault"
)

// A Finding is one check's result.
type Finding struct {
	Check string `json:"check"`
	Level Level  `json:"level"`
	Say   string `json:"say"`
	Do    string `json:"do,omitempty"` // empty if nothing is to be done
}

// Options of Examine.
type Options struct {
	Dir     string                                          // the data folder
	Now     func() time.Time                                // the PC's clock
	Clocks  func() hlc.Reading                              // all of them, to open a copy of the replica
	Service func(context.Context) (service.Standing, error) // of the service manager
}

// A patient is what the checks share.
type patient struct {
	Options
	standing service.Standing
	standErr error
	status   *api.Status // of the running service; nil if it does not answer
	silent   error       // why not
	place    place
	hub      hubAnswer
}

// Examine makes all checks, in the order in which one hangs on another.
func Examine(ctx context.Context, o Options) []Finding {
	p := &patient{Options: o}
	p.standing, p.standErr = o.Service(ctx)
	p.status, p.silent = askStatus(ctx, o.Dir)
	p.place = readPlace(o.Dir)
	p.hub = askHub(ctx, p.place)
	checks := []struct {
		name string
		look func(*patient, context.Context) Finding
	}{
		{"service", (*patient).checkService},
		{"account", (*patient).checkAccount},
		{"folder", (*patient).checkFolder},
		{"disk", (*patient).checkDisk},
		{"replica", (*patient).checkReplica},
		{"token", (*patient).checkToken},
		{"hub", (*patient).checkHub},
		{"tls", (*patient).checkTLS},
		{"clock", (*patient).checkClock},
		{"lan", (*patient).checkLAN},
	}
	var out []Finding
	for _, c := range checks {
		f := c.look(p, ctx)
		f.Check = c.name
		out = append(out, f)
	}
	return out
}

// Worst is the level of the worst finding.
func Worst(findings []Finding) Level {
	worst := Fine
	for _, f := range findings {
		if f.Level == Fault || f.Level == Warning && worst == Fine {
			worst = f.Level
		}
	}
	return worst
}

func fine(format string, a ...any) Finding {
	return Finding{Level: Fine, Say: fmt.Sprintf(format, a...)}
}

func warning(do, format string, a ...any) Finding {
	return Finding{Level: Warning, Say: fmt.Sprintf(format, a...), Do: do}
}

func fault(do, format string, a ...any) Finding {
	return Finding{Level: Fault, Say: fmt.Sprintf(format, a...), Do: do}
}

func (p *patient) checkService(context.Context) Finding {
	if p.standErr != nil {
		return fault("start Condica by hand with \"condica run\", or look into the service manager", "the service manager does not answer: %v", p.standErr)
	}
	switch p.standing.State {
	case service.Running:
		if p.status == nil {
			return warning("wait while it opens its data; if this stays, look into the system's log (journalctl -u condica, or the Event Viewer's Application log) and use \"condica restart\"",
				"%s, but its desk does not answer: %v", p.standing.Sentence(), p.silent)
		}
		return fine("%s, and its desk answers", p.standing.Sentence())
	case service.Absent:
		if p.status != nil {
			return warning("install it with \"condica install\", so that it starts with the PC", "Condica runs in the foreground; the service is not installed")
		}
		return fault("install it with \"condica install\"", "the service is not installed on this PC")
	case service.Stopped:
		return fault("start it with \"condica start\"", "the service is stopped")
	}
	return fault("look into the system's log for the reason, then \"condica restart\"", "%s", p.standing.Sentence())
}
