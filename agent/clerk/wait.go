package clerk

import (
	"context"
	"time"

	"condica/sync/hlc"
)

// How wrong PINs are slowed. A clerk has five at once, then waits; all clerks of
// the PC together have twenty at once and one more every three minutes, so that
// going from name to name does not help either.
const (
	freeTries  = 5
	firstWait  = 30 * time.Second
	longest    = 15 * time.Minute
	freeForAll = 20
	oneMore    = 3 * time.Minute
)

// Rows of Store.Tries. A name that has no account is counted too, or the answer
// would tell which names have one.
const (
	everybody = "all"
	stranger  = "unknown"
	oneClerk  = "clerk/"
)

// tries is a count of wrong PINs and when, by the PC's running time, the last
// one was.
type tries struct {
	n    int
	last hlc.Reading
}

// delay is how long to wait after the n-th wrong PIN.
func delay(n int) time.Duration {
	if n < freeTries {
		return 0
	}
	d := firstWait
	for ; n > freeTries && d < longest; n-- {
		d *= 2
	}
	return min(d, longest)
}

// since is the running time since t, in one run of the PC.
func (t tries) since(now hlc.Reading) time.Duration {
	return time.Duration(now.Up-t.last.Up) * time.Millisecond
}

// here is t with its moment in this run of the PC. Nobody knows how long the PC
// was off, and its clock is not to be believed: the wait begins again, and is
// never longer than it was.
func (t tries) here(now hlc.Reading) tries {
	if t.last.Boot != now.Boot || now.Up < t.last.Up {
		t.last = now
	}
	return t
}

// wait is how long one clerk still has to wait.
func (t tries) wait(now hlc.Reading) time.Duration { return max(0, delay(t.n)-t.since(now)) }

// drained is the count of everybody after what has run off it since.
func (t tries) drained(now hlc.Reading) tries {
	gone := t.since(now) / oneMore
	t.n = max(0, t.n-int(min(gone, 1_000_000)))
	if t.n == 0 {
		t.last = now
	} else {
		t.last.Up += int64(gone * oneMore / time.Millisecond)
	}
	return t
}

func (t tries) full(now hlc.Reading) time.Duration {
	if t.n < freeForAll {
		return 0
	}
	return oneMore - t.since(now)
}

// tried reads a count, and puts it into this run of the PC where it is of an
// earlier one: the next look must not begin the wait once more.
func (r *Roster) tried(ctx context.Context, who string) (tries, error) {
	t, known := r.counts[who]
	if !known {
		var err error
		if t.n, t.last, err = r.cfg.Store.Tries(ctx, who); err != nil {
			return t, err
		}
	}
	now := r.cfg.Now()
	moved := t.here(now)
	if moved != t && t.n > 0 {
		r.keep(ctx, who, moved)
	}
	r.counts[who] = moved
	return moved, nil
}

// keep writes a count. Where it cannot be written - a full disk, say - it holds
// as long as the service runs: clerks must get in to read.
func (r *Roster) keep(ctx context.Context, who string, t tries) {
	r.counts[who] = t
	if err := r.cfg.Store.SetTries(ctx, who, t.n, t.last); err != nil {
		r.cfg.Fault(err)
	}
}

// waits is how long nobody, or this one, may try.
func (r *Roster) waits(ctx context.Context, who string) (time.Duration, error) {
	one, err := r.tried(ctx, who)
	if err != nil {
		return 0, err
	}
	all, err := r.tried(ctx, everybody)
	now := r.cfg.Now()
	return max(one.wait(now), all.drained(now).full(now)), err
}

// count notes a try before it is looked at: who ends the service in between has
// tried all the same.
func (r *Roster) count(ctx context.Context, who string) error {
	one, err := r.tried(ctx, who)
	if err != nil {
		return err
	}
	all, err := r.tried(ctx, everybody)
	if err != nil {
		return err
	}
	now := r.cfg.Now()
	r.keep(ctx, who, tries{one.n + 1, now})
	all = all.drained(now)
	all.n++
	r.keep(ctx, everybody, all)
	return nil
}

// forgive takes back what stands against one clerk, there and in the count of
// everybody: who knows one PIN gets no more tries at others'.
func (r *Roster) forgive(ctx context.Context, who string) error {
	one, err := r.tried(ctx, who)
	if err != nil || one.n == 0 {
		return err
	}
	all, err := r.tried(ctx, everybody)
	if err != nil {
		return err
	}
	all = all.drained(r.cfg.Now())
	all.n = max(0, all.n-one.n)
	r.keep(ctx, everybody, all)
	r.keep(ctx, who, tries{})
	return nil
}
