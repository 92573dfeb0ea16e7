package control

import (
	"context"
	"fmt"

	"condica/sync/hlc"
)

const (
	dayMs = 24 * 60 * 60 * 1000

	// letGoAtOnce is how many bookings one question takes.
	letGoAtOnce = 200
)

// A cleaning is when what was past its time of retention was last let go, and
// what that time was.
type cleaning struct {
	ms   int64 // the hub's time; 0: never in this run of the program
	days int
}

// retain lets go, once a day, of what is past the time of retention that the
// centre has set; 0 days: never. The day is the hub's, as it was measured in this
// run of the PC: by a PC's own clock fifty years may have passed since yesterday.
func (c *Control) retain(ctx context.Context) error {
	days := c.Rules().Settings.RetentionDays
	if days == 0 {
		return nil
	}
	now, clock, _, err := c.cfg.Store.Now(ctx)
	if err != nil || clock != hlc.Measured || c.cleaned.days == days && now-c.cleaned.ms < dayMs {
		return err
	}
	bookings, edits := 0, 0
	for more := true; more; {
		b, e, err := c.cfg.Store.LetGo(ctx, days, now, letGoAtOnce)
		if err != nil {
			return fmt.Errorf("let bookings go: %w", err)
		}
		bookings, edits, more = bookings+b, edits+e, b == letGoAtOnce
	}
	c.cleaned = cleaning{now, days}
	if edits > 0 {
		c.cfg.Log.Info("bookings past their time of retention were let go", "bookings", bookings, "edits", edits, "days", days)
	}
	return nil
}
