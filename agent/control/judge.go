package control

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"condica/localdb"
	"condica/spclep/settings"
	"condica/sync/bundle"
	"condica/sync/wire"
)

// judge looks at the candidates, one after the other: while one was proven
// another may have taken its place.
func (c *Control) judge(ctx context.Context) error {
	for {
		s, err := c.cfg.Store.Settings(ctx)
		if err != nil || s.Candidate == 0 {
			return err
		}
		err = c.take(ctx, s)
		var bad *bundle.Error
		if errors.As(err, &bad) {
			err = c.refuse(ctx, s.Candidate, bad)
		}
		if err != nil && !errors.Is(err, localdb.ErrSuperseded) {
			return err
		}
		c.cfg.Judged()
	}
}

// take brings one candidate in force, or gives the *bundle.Error that stands
// against it.
func (c *Control) take(ctx context.Context, s localdb.Settings) error {
	if s.Tries >= maxTries {
		return bundle.Refuse(bundle.Interrupted, fmt.Errorf("the program ended %d times before they were proven", s.Tries))
	}
	next, err := c.check(ctx, s)
	if err != nil {
		return err
	}
	before := c.cfg.Faults(ctx)
	if err := c.cfg.Store.TrySettings(ctx, s.Candidate); err != nil {
		return err
	}
	old := c.Rules()
	c.use(next)
	if err := c.prove(ctx, before); err != nil {
		c.use(old)
		return err
	}
	if err := c.cfg.Store.ProveSettings(ctx, s.Candidate); err != nil {
		c.use(old)
		return err
	}
	c.cfg.Log.Info("settings are in force and proven", "number", next.Number, "before", old.Number)
	return nil
}

// check verifies the candidate, reads it, and works the office by it without
// anybody seeing.
func (c *Control) check(ctx context.Context, s localdb.Settings) (settings.Rules, error) {
	box, err := c.cfg.Store.CandidateSettings(ctx)
	if err != nil {
		return settings.Rules{}, err
	}
	office, today, err := c.cfg.Office(ctx)
	if err != nil {
		return settings.Rules{}, err
	}
	b, err := bundle.Open(box, c.cfg.Root())
	if err != nil {
		return settings.Rules{}, err
	}
	held, err := c.held(ctx)
	if err != nil {
		return settings.Rules{}, err
	}
	if err := b.Admit(string(office), held); err != nil {
		return settings.Rules{}, err
	}
	if b.Number != s.Candidate {
		return settings.Rules{}, bundle.Refuse(bundle.Senseless, fmt.Errorf("the hub lists it as number %d, it is signed as number %d", s.Candidate, b.Number))
	}
	_, r, err := c.read(box)
	if err != nil {
		return r, err
	}
	if err := r.Try(office, today); err != nil {
		return r, bundle.Refuse(bundle.Untried, err)
	}
	return r, nil
}

// held is what a new bundle must be newer than: the last proven one, or the
// program's own rules.
func (c *Control) held(ctx context.Context) (bundle.Held, error) {
	box, err := c.cfg.Store.ProvenSettings(ctx)
	if err != nil {
		return bundle.Held{}, err
	}
	if b, err := bundle.Open(box, c.cfg.Root()); err == nil {
		return bundle.Held{Number: b.Number, Sum: b.Sum}, nil
	}
	return bundle.Held{Number: int64(c.cfg.Base.Number())}, nil
}

// prove asks the desk what it cannot do any more.
func (c *Control) prove(ctx context.Context, before map[string]string) error {
	var lost []string
	after := c.cfg.Faults(ctx)
	if err := ctx.Err(); err != nil {
		return err // the program ends: nothing is known
	}
	for _, what := range slices.Sorted(maps.Keys(after)) {
		if _, failed := before[what]; !failed {
			lost = append(lost, what+": "+after[what])
		}
	}
	if len(lost) == 0 {
		return nil
	}
	more := ""
	if len(lost) > 3 {
		lost, more = lost[:3], fmt.Sprintf("; and %d more", len(lost)-3)
	}
	return bundle.Refuse(bundle.NotProven, errors.New(strings.Join(lost, "; ")+more))
}

// refuse keeps the reason for the hub and says it to the log.
func (c *Control) refuse(ctx context.Context, number int64, bad *bundle.Error) error {
	say := strings.ToValidUTF8(bad.Say[:min(len(bad.Say), wire.MaxRefusal)], "")
	c.cfg.Log.Error("settings from the centre are refused; those in force stay", "number", number, "in_force", c.Rules().Number, "code", bad.Code, "say", say)
	return c.cfg.Store.RefuseSettings(ctx, number, bad.Code, say)
}
