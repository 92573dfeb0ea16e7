package bench

import (
	_ "embed"
	"fmt"
	"os"
	"slices"
	"strings"
)

//go:embed benchmarks-desk.md.tmpl
var deskText string

// What is asked of the desk on an old PC, in ms: an answer to a key within what
// a person takes for at once.
const (
	deedAim   = 200
	searchAim = 100
)

// write makes the page of the desk's figures anew, all but its reading.
func (d *deskDay) write(path string) error {
	return writePage(path, deskText, map[string]any{
		"Many": thousands(len(d.books)), "Ops": thousands(int(d.edits)), "PerDay": perDay, "Rounds": rounds, "Reads": reads, "Two": d.two,
		"Deeds": d.deeds, "Pages": d.pages, "Searches": d.search, "Aims": d.aims(), "Machine": machineOf(d.TB), "Load": d.load(), "Visits": perDay,
	})
}

func (d *deskDay) aims() []aim {
	acts := slices.Concat(d.deeds, d.pages)
	return []aim{
		under("any action or page, p99: "+acts.worst().What, median(acts.worst().P99), deedAim),
		under("any search, p99: "+d.search.worst().What, median(d.search.worst().P99), searchAim),
	}
}

func under(what string, got, want float64) aim {
	a := aim{What: what, Want: "≤ " + short(want) + " ms", Got: short(got) + " ms", Met: got <= want}
	if !a.Met {
		a.By = short(got/want) + " × the aim"
	}
	return a
}

// load says how busy the machine was when the run began and when it ended; empty
// where the system does not tell.
func (d *deskDay) load() string {
	if d.before == "" {
		return ""
	}
	return fmt.Sprintf("load %s when the run began, %s when it ended", d.before, loadNow())
}

// loadNow is how many wanted a core in the last minute, as Linux tells.
func loadNow() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	first, _, _ := strings.Cut(string(text), " ")
	return first
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
