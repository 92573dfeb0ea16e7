package simtest

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	seeds   = flag.Int("seeds", 0, "storms to run; 0: as many as fit into -for")
	from    = flag.Uint64("from", 0, "the first seed")
	during  = flag.Duration("for", 5*time.Second, "how long, where -seeds is 0")
	onSQL   = flag.Bool("sqlite", false, "replicas and hub on SQLite files, not in memory")
	workers = flag.Int("workers", runtime.GOMAXPROCS(0), "storms at a time")
)

// Two to five PCs in up to three offices and one hub, in any weather: lines that
// lose, double, tear and delay, clocks from 1976 to 2076, services and PCs that
// end at any step, full and torn disks, hub and PCs set back to old backups, PCs
// copied. When the weather clears all sides hold the same, and it is what clerks
// were told.
//
//	go test ./sync/simtest -run Storm -args -from 5000 -seeds 1
//
// runs one storm again, and prints what happened if it fails.
func TestStorms(t *testing.T) {
	storms(t, *onSQL, *from, *seeds, *during)
}

// The same on real SQLite files.
func TestStormsOnSQLite(t *testing.T) {
	if *onSQL || *seeds > 0 {
		t.Skip("TestStorms runs what was asked for")
	}
	storms(t, true, *from, 0, *during)
}

// storms runs seeds from a first one, and stops at the first that fails.
func storms(t *testing.T, sqlite bool, from uint64, n int, during time.Duration) {
	var next atomic.Uint64
	var stop atomic.Bool
	next.Store(from)
	until := time.Now().Add(during)
	var mu sync.Mutex
	seen := tally{}
	var wg sync.WaitGroup
	for range max(*workers, 1) {
		wg.Go(func() {
			for !stop.Load() {
				seed := next.Add(1) - 1
				if n > 0 && seed >= from+uint64(n) || n == 0 && time.Now().After(until) {
					return
				}
				say, counts := runStorm(seed, sqlite, false)
				mu.Lock()
				seen.add(counts)
				mu.Unlock()
				if say != "" {
					stop.Store(true)
					t.Error(explain(seed, sqlite, say))
				}
			}
		})
	}
	wg.Wait()
	t.Logf("storms: %s", seen)
}

// explain runs a failing seed again, loudly.
func explain(seed uint64, sqlite bool, say string) string {
	w, again := storm(seed, derive(seed, sqlite), true)
	lines := w.lines.String()
	if len(lines) > 60_000 {
		lines = "..." + lines[len(lines)-60_000:]
	}
	if again != say {
		say += "\nand when run again: " + again
	}
	return fmt.Sprintf("seed %d: %s\nweather: %s\n%s\nseed %d: %s", seed, say, w.o, lines, seed, say)
}

func runStorm(seed uint64, sqlite, loud bool) (say string, counts tally) {
	w, say := storm(seed, derive(seed, sqlite), loud)
	return say, w.counts
}

// storm runs one world: faults on, then off.
func storm(seed uint64, o options, loud bool) (w *world, say string) {
	w = &world{}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case failed:
			say = e.say
		default:
			panic(fmt.Sprintf("seed %d: %v", seed, e))
		}
		if w.hub != nil {
			w.close()
		}
	}()
	w.begin(seed, o, loud)
	w.counts["storms"]++
	for i := range o.PCs {
		w.newPC(string(w.offices[i%len(w.offices)]))
	}
	w.plan()
	end := dawn + int64(o.Minutes)*minute
	for w.now < end && w.next() {
	}
	w.clear()
	w.check()
	return w, ""
}

// The same seed gives the same storm, or no failure could be replayed.
func TestStormsReplay(t *testing.T) {
	for _, sqlite := range []bool{false, true} {
		for seed := range uint64(4) {
			a, _ := storm(seed, derive(seed, sqlite), true)
			b, _ := storm(seed, derive(seed, sqlite), true)
			as, bs := strings.Split(a.lines.String(), "\n"), strings.Split(b.lines.String(), "\n")
			if len(as) < 20 {
				t.Fatalf("seed %d: only %d lines", seed, len(as))
			}
			for i := range min(len(as), len(bs)) {
				if as[i] != bs[i] {
					t.Fatalf("seed %d: two runs part at\n%s\nand\n%s", seed, as[i], bs[i])
				}
			}
		}
	}
}

// Each file in testdata is a storm that found a fault once, with the fault's name:
// the first that found it. They pass now, and go on being tried.
func TestStormsThatFoundSomething(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no storms are kept: %v", err)
	}
	for _, f := range files {
		seed, o := kept(t, f)
		if w, say := storm(seed, o, false); say != "" {
			t.Errorf("%s, seed %d: %s\nweather: %s", f, seed, say, w.o)
		}
	}
}

// kept reads a storm: a line on the fault, the seed, the weather.
func kept(t *testing.T, file string) (seed uint64, o options) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		key, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "seed":
			seed, err = strconv.ParseUint(rest, 10, 64)
		case "weather":
			o, err = weather(rest)
		}
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
	}
	if o.PCs == 0 {
		t.Fatalf("%s: no weather", file)
	}
	return seed, o
}

// A tally counts what storms were made of.
type tally map[string]int

func (t tally) add(o tally) {
	for k, n := range o {
		t[k] += n
	}
}

// String lists it by name.
func (t tally) String() string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(t)) {
		out = append(out, fmt.Sprintf("%s %d", k, t[k]))
	}
	return strings.Join(out, ", ")
}
