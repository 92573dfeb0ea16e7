package localdb_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"condica/localdb"
	"condica/spclep"
)

var (
	trials     = flag.Int("trials", 12, "damaged data folders to open")
	firstTrial = flag.Uint64("trial", 0, "number of the first, to see one again")
)

// The power goes, and the disk has suffered: parts of the database, of its
// write-ahead log and of the journal are flipped, zeroed, cut off or gone. The
// desk opens all the same, and what a clerk was told is done is there: what the
// hub lacks at once, all of it when the line is back, and everything once. Only
// an edit that is neither in the database nor in the journal any more may be
// missing, and then the report names it - but for one case that is counted by
// itself: the ends of both are gone, and what is left passes for whole.
func TestDamagedFiles(t *testing.T) {
	scenes := []scene{
		stage(t, "young", "vine cu mama", false),
		stage(t, "young, in the log", "vine cu mama", true),
		stage(t, "old", strings.Repeat("n", 20_000), false),
		stage(t, "old, in the log", strings.Repeat("n", 20_000), true),
	}
	sum := &tally{ends: map[string]map[string]int{}}
	t.Run("trial", func(t *testing.T) {
		for seed := *firstTrial; seed < *firstTrial+uint64(*trials); seed++ {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				r := rand.New(rand.NewPCG(seed, 11))
				trial(t, scenes[r.IntN(len(scenes))], r, sum)
			})
		}
	})
	t.Logf("%d trials from %d\n%s", *trials, *firstTrial, sum)
}

func trial(t *testing.T, s scene, r *rand.Rand, sum *tally) {
	p := s.again(t)
	harmed, how := damage(t, r, p.dir)
	end := "failed"
	defer func() { sum.add(harmed, end) }()
	t.Logf("%s: %s", s.name, how)
	left := p.remains(s.deeds, harmed)
	p.openDamaged()
	t.Logf("report: %q", []string(p.report))
	first := p.report
	p.inForce(s.deeds, left, first)

	p.strikeAgain(r)
	p.inForce(s.deeds, left, first)
	p.work(fresh, "după", 3)
	must(p, p.db.Scrub(p.Context(), 100_000))
	p.talk()
	p.mended()
	p.talk() // what the first conversation found to differ is mended by the second
	missing, dark := p.inForce(slices.Concat(s.deeds, p.deeds), left, first)
	p.agrees()
	if len(neither(t, first)) == 0 && dark == 0 {
		p.numbersOnce()
	}
	switch {
	case t.Failed():
	case dark > 0:
		end = "lost, and nobody can know"
	case missing > 0:
		end = "named as lost"
	default:
		end = "nothing lost"
	}
}

// openDamaged opens the folder: no damage may make it panic, hang or refuse.
func (p *pc) openDamaged() {
	p.Helper()
	type opened struct {
		db     *localdb.DB
		report localdb.Report
		err    error
	}
	c := make(chan opened, 1)
	go func() {
		var o opened
		defer func() {
			if r := recover(); r != nil {
				o.err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
			}
			c <- o
		}()
		o.db, o.report, o.err = localdb.Open(context.Background(), p.dir, p.options())
	}()
	select {
	case o := <-c:
		if o.err != nil {
			p.Fatalf("the desk does not open: %v; report %q", o.err, []string(o.report))
		}
		p.keep(o.db, o.report)
	case <-time.After(patience):
		p.Fatal("opening hangs")
	}
}

// mended: the next start finds everything in order.
func (p *pc) mended() {
	p.Helper()
	must(p, p.db.Close())
	p.openDamaged()
	if len(p.report) > 0 {
		p.Errorf("after the repair, the next start says %q", []string(p.report))
	}
}

// strikeAgain takes one of the two files away: after a repair each holds again
// all that the hub does not.
func (p *pc) strikeAgain(r *rand.Rand) {
	p.Helper()
	gone := []string{localdb.DBName, localdb.JournalName}
	if i := r.IntN(8); i < len(gone) {
		must(p, p.db.Close())
		must(p, os.Remove(filepath.Join(p.dir, gone[i])))
		p.openDamaged()
		p.Logf("report after %s was lost too: %q", gone[i], []string(p.report))
	}
}

// inForce holds what is here against what was done, and counts what is missing.
// What the hub has comes again with the line; of all else a copy that was left
// on the disk must do. first is what the start after the damage reported. dark:
// so many more are missing that nobody can know of.
func (p *pc) inForce(deeds []deed, left remnant, first localdb.Report) (missing, dark int) {
	p.Helper()
	held, named := p.held(), neither(p.T, first)
	for _, d := range deeds {
		kept := left.edits[d.what] || d.fate == fresh
		switch n := held[d.what]; {
		case d.fate.onHub():
		case n > 1:
			p.Errorf("%s is here %d times", d, n)
		case n == 0 && kept:
			p.Errorf("%s is missing, though a copy of it was left", d)
		case n == 0 && !named.has(d.seq) && left.dark(d.seq, first):
			dark++
		case n == 0 && !named.has(d.seq):
			p.Errorf("%s is missing, and the report does not say so", d)
		case n == 0:
			missing++
		case d.fate != fresh && named.has(d.seq):
			p.Errorf("%s is named as lost, and is here", d)
		}
	}
	return missing, dark
}

// agrees: PC and hub hold the same, each edit once.
func (p *pc) agrees() {
	p.Helper()
	held, taken := p.held(), p.hub.taken(p.T)
	differ := 0
	for _, what := range slices.Sorted(maps.Keys(union(held, taken))) {
		aside := strings.Contains(what, teleported) && taken[what] == 0
		if aside || held[what] == 1 && taken[what] == 1 {
			continue
		}
		if differ++; differ <= 5 {
			p.Errorf("%d times here and %d times on the hub: %.60s", held[what], taken[what], what)
		}
	}
	if differ > 5 {
		p.Errorf("and %d more differ", differ-5)
	}
}

func union(a, b map[string]int) map[string]int {
	u := maps.Clone(a)
	maps.Copy(u, b)
	return u
}

// numbersOnce: no two applications have one registration number.
func (p *pc) numbersOnce() {
	p.Helper()
	seen := map[string]bool{}
	for what := range p.hub.taken(p.T) {
		_, value, ok := strings.Cut(what, "/"+spclep.Filed+" ")
		if !ok {
			continue
		}
		var v spclep.FiledValue
		must(p, json.Unmarshal([]byte(value), &v))
		if seen[v.Number] {
			p.Errorf("registration number %s was given twice", v.Number)
		}
		seen[v.Number] = true
	}
}

// tally counts trials by what was damaged and how they ended.
type tally struct {
	mu   sync.Mutex
	ends map[string]map[string]int
}

func (s *tally) add(harmed, end string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ends[harmed] == nil {
		s.ends[harmed] = map[string]int{}
	}
	s.ends[harmed][end]++
}

func (s *tally) String() string {
	var b strings.Builder
	for _, harmed := range slices.Sorted(maps.Keys(s.ends)) {
		fmt.Fprintf(&b, "%-34s", harmed)
		for _, end := range slices.Sorted(maps.Keys(s.ends[harmed])) {
			fmt.Fprintf(&b, "  %s: %d", end, s.ends[harmed][end])
		}
		b.WriteByte('\n')
	}
	return b.String()
}
