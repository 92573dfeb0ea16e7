package bench

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"text/template"
)

//go:embed benchmarks.md.tmpl
var pageText string

// reading begins the part of the page that a person writes.
const reading = "<!-- reading -->"

// An aim is what we want of a figure, and what it was.
type aim struct {
	What, Want, Got string
	Met             bool
	By              string // how far it is from the aim, where it is missed
}

// write makes the page anew, all but its reading.
func write(path string, tb testing.TB, f figures) error {
	return writePage(path, pageText, map[string]any{
		"F": f, "Aims": aims(f), "Rounds": rounds, "Many": thousands(records), "Queued": float64(queued), "Actions": actions,
		"Machine": machineOf(tb), "Node": nodeVersion(tb),
	})
}

// writePage fills a page's text with what was measured, and keeps its reading.
func writePage(path, text string, data map[string]any) error {
	old, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	_, kept, found := strings.Cut(string(old), reading)
	if !found {
		kept = "\n\nNobody has written one yet.\n"
	}
	t, err := template.New("page").Funcs(template.FuncMap{
		"m":     func(s series) string { return short(median(s)) },
		"ms":    short,
		"times": func(a, b series) string { return short(median(a.over(b))) + " ×" },
		"kb":    func(s series) string { return bytesOf(median(s)) },
		"mb":    func(v float64) string { return fmt.Sprintf("%.1f MB", v/(1<<20)) },
		"mbs":   func(s series) string { return fmt.Sprintf("%.1f MB", median(s)/(1<<20)) },
		"sec":   func(s series) string { return fmt.Sprintf("%.2f s", median(s)/1000) },
		"per":   func(s series, n float64) string { return short(median(s) / n) },
		"div":   func(a, b float64) string { return short(a/b) + " ×" },
	}).Parse(text)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return err
	}
	return os.WriteFile(path, append(out.Bytes(), []byte(reading+kept)...), 0o644)
}

// machineOf is what the figures were measured on and with.
func machineOf(tb testing.TB) string {
	tb.Helper()
	return fmt.Sprintf("%d cores, %s/%s, %s, modernc.org/sqlite %s", runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), moduleVersion(tb, "modernc.org/sqlite"))
}

func aims(f figures) []aim {
	const mb = 1 << 20
	most := func(what string, got, want float64, unit string) aim {
		a := aim{What: what, Want: "≤ " + short(want) + unit, Got: short(got) + unit, Met: got <= want}
		if !a.Met {
			a.By = short(got/want) + " × the aim"
		}
		return a
	}
	least := func(what string, got, want float64, unit string) aim {
		a := aim{What: what, Want: "≥ " + short(want) + unit, Got: short(got) + unit, Met: got >= want}
		if !a.Met {
			a.By = "1/" + short(want/got) + " of the aim"
		}
		return a
	}
	return []aim{
		most("a clerk's action, of a bare commit (p50)", median(f.Action.over(f.Bare)), 2, " ×"),
		least("first fill, of PouchDB's rate", median(f.Fill.over(f.PeerFill)), 10, " ×"),
		most("first fill, bytes a record", median(f.FillTLSBytes), 60, " B"),
		most("one change to the hub, requests", median(f.One.Requests), 1, ""),
		most("one change to the hub, bytes", median(f.One.Bytes), 600, " B"),
		most("one change to a second PC, bytes", median(f.Two.Bytes), 600, " B"),
		most("500 queued actions, bytes an action", median(f.Queue.Bytes)/queued, 15, " B"),
		most("nothing to do, bytes a round", median(f.Nothing.Bytes), 600, " B"),
		most("idle memory", median(f.Idle)/mb, 40, " MB"),
		most("cold start", median(f.Cold)/1000, 1, " s"),
	}
}

// short writes a number with as many digits as it deserves.
func short(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
	}
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
}

func bytesOf(v float64) string {
	if v < 10_000 {
		return fmt.Sprintf("%.0f B", v)
	}
	return fmt.Sprintf("%.0f kB", v/1000)
}

// moduleVersion asks the go command: a test's own build says nothing of what
// it is made of.
func moduleVersion(tb testing.TB, path string) string {
	tb.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", path).Output()
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
