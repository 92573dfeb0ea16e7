package localdb

import (
	"context"
	"errors"
	"fmt"

	"condica/sync/digest"
	"condica/sync/replica"
)

// scrubPage is how many ops are read in one go: a clerk's edit may have to wait
// for that many.
const scrubPage = 1000

// Scrub reads part of the replica again and puts right what the disk has
// changed without a word: at most budget ops of the log, or all of it where a row
// could not be read, and a twentieth as many bookings of the lists. Where the log
// does not add up to what it was, the hub is asked with the next request which
// days differ. It reads beside the clerk, and writes only where something is
// wrong. An error is the file's; Options.Found is told what was put right.
func (db *DB) Scrub(ctx context.Context, budget int) error {
	db.scrub.Lock()
	defer db.scrub.Unlock()
	torn := db.torn.Swap(false)
	err := db.scrubWaiting(ctx)
	if err == nil {
		err = db.scrubLog(ctx, budget, torn)
	}
	if err == nil {
		err = db.scrubLists(ctx, max(budget/20, 1))
	}
	if torn {
		// What was met again on the way has been dealt with.
		db.torn.Store(err != nil)
	}
	return err
}

func (db *DB) scrubLog(ctx context.Context, budget int, whole bool) error {
	if whole {
		db.pass = replica.Pass{} // what could not be read may lie before it
	}
	for budget > 0 || whole {
		most := scrubPage
		if !whole {
			most = min(most, budget)
		}
		done, err := db.pace(ctx, most)
		if err != nil {
			return fmt.Errorf("look through the log: %w", err)
		}
		if done {
			break
		}
		budget -= most
	}
	return nil
}

// pace takes the pass one step on: as a look, and only if there is something to
// write, once more with the writer.
func (db *DB) pace(ctx context.Context, most int) (done bool, err error) {
	var p replica.Pass
	var before, after replica.State
	step := func(t *rtx) (err error) {
		p, before = db.pass, *t.s
		done, err = p.Step(t, most)
		after = *t.s
		return err
	}
	err = db.look(ctx, step)
	if errors.Is(err, errReadOnly) || err == nil && verdictOf(before) != verdictOf(after) {
		err = db.write(ctx, step)
	}
	if err != nil {
		return false, err
	}
	db.pass = p
	if n := after.Mended.Ops - before.Mended.Ops; n > 0 {
		db.found(fmt.Sprintf("%d edits stood beside wrong words in the log; these were written anew", n))
	}
	if after.Differs && !before.Differs {
		db.found("the log does not add up to what it was; the hub is asked for the days that differ")
	}
	return done, nil
}

// verdictOf is what a pass may have found out.
func verdictOf(s replica.State) any {
	return struct {
		differs, summed bool
		total           digest.Sum
		mended          replica.Mended
	}{s.Differs, s.Summed, s.Total, s.Mended}
}
