package main

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"condica/spclep"
)

type demoReady struct{ Desk, Hub, Data, Day string }

func startDemo(t *testing.T, args ...string) (*process, demoReady) {
	t.Helper()
	p := start(t, "condica", append([]string{"demo", "--json"}, args...)...)
	return p, demoReady{p.url("desk"), p.url("hub"), p.url("data"), p.url("day")}
}

// The demo shows a day with work in every state, whatever day and hour it
// really is; its line is cut and mended by a command; its folder is continued.
func TestDemo(t *testing.T) {
	dir := t.TempDir()
	p, d := startDemo(t, "--data", dir)
	pc := dir + "/desk"
	ref, err := spclep.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	day, err := spclep.ParseDay(d.Day)
	if err != nil || !ref.WorkingDay(demoOffice, day) {
		t.Fatalf("the demo's day %q is no working day (%v)", d.Day, err)
	}
	rows := read[struct{ Bookings []bookingRow }](t, "condica", "bookings", "--json", "--data", pc).Bookings
	states := map[string]int{}
	for _, b := range rows {
		states[b.State]++
	}
	if len(rows) < 10 || states["booked"] < 5 || states["filed"]+states["sent-away"] == 0 {
		t.Errorf("the demo's day: %v", states)
	}
	for _, s := range []string{"ready", "handed-over"} {
		if n := len(read[struct{ Bookings []bookingRow }](t, "condica", "bookings", "--state", s, "--json", "--data", pc).Bookings); n == 0 {
			t.Errorf("the demo has no booking that is %s", s)
		}
	}
	reasons := map[string]bool{}
	for back := -12; back <= 30; back++ {
		type row struct{ Reason string }
		for _, b := range read[struct{ Bookings []row }](t, "condica", "bookings", "--day", day.Add(back).String(), "--json", "--data", pc).Bookings {
			reasons[b.Reason] = true
		}
	}
	for _, r := range ref.Reasons(demoOffice, day) {
		if r.Bookable && !reasons[string(r.Code)] {
			t.Errorf("no booking of the demo has reason %s", r.Code)
		}
	}

	must(t, "condica", "line", "cut", "--data", dir)
	id := rows[len(rows)-1].ID
	must(t, "condica", "set", id, "note=fără linie", "--data", pc)
	until(t, "the desk tells that the line is cut", func() bool {
		s := read[struct {
			Hub    struct{ Reached bool }
			Unsent int
		}](t, "condica", "status", "--json", "--data", pc)
		return !s.Hub.Reached && s.Unsent == 1
	})
	must(t, "condica", "line", "restore", "--data", dir)
	until(t, "everything is sent again", func() bool {
		return read[statusAnswer](t, "condica", "status", "--json", "--data", pc).Sent
	})

	for _, page := range []string{d.Desk + "/", d.Hub + "/"} {
		resp, err := http.Get(page)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", page, resp.StatusCode)
		}
	}
	p.stop()
	_, again := startDemo(t, "--data", dir)
	if again.Day != d.Day {
		t.Errorf("continued on %s, was %s", again.Day, d.Day)
	}
	if v := must(t, "condica", "visit", id, "--data", pc); !strings.Contains(v, "fără linie") {
		t.Errorf("the continued demo forgot the note:\n%s", v)
	}
}

// On every kind of day, at every hour, the demo opens on a working day with
// people waiting.
func TestDemoOnAnyDay(t *testing.T) {
	for _, c := range []struct{ real, want string }{
		{"2026-11-21T03:00:00+02:00", "2026-11-23"}, // a Saturday night
		{"2026-11-30T12:00:00+02:00", "2026-12-02"}, // Saint Andrew, then the National Day
		{"2026-11-23T23:59:00+02:00", "2026-11-23"},
		{"2026-04-10T10:00:00+03:00", "2026-04-14"}, // Good Friday to Easter Monday
		{"2027-01-01T00:10:00+02:00", "2027-01-04"},
		{"2028-02-29T16:00:00+02:00", "2028-02-29"},
	} {
		real, err := time.Parse(time.RFC3339, c.real)
		if err != nil {
			t.Fatal(err)
		}
		d := &demo{dir: t.TempDir()}
		err = d.start(t.Context(), real, "127.0.0.1:0", slog.New(slog.DiscardHandler))
		if err == nil {
			rows, e := d.agent.Office().DB().Day(t.Context(), d.day)
			if e != nil || len(rows) < 12 || d.day.String() != c.want {
				t.Errorf("on %s: day %s, want %s, with %d bookings (%v)", c.real, d.day, c.want, len(rows), e)
			}
		}
		if err := errors.Join(err, d.close()); err != nil {
			t.Errorf("on %s: %v", c.real, err)
		}
	}
}
