package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"condica/agent/api"
	"condica/spclep"
)

// table writes lines of cells in columns.
func table(w io.Writer, lines func(line func(cells ...any))) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	lines(func(cells ...any) {
		var text []string
		for _, c := range cells {
			text = append(text, oneLine(fmt.Sprint(c)))
		}
		fmt.Fprintln(t, strings.TrimRight(strings.Join(text, "\t"), "\t"))
	})
	t.Flush()
}

// oneLine keeps what people typed from moving the columns, or the terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

// when shortens a moment to what a person reads: 2026-11-23 09:15.
func when(at string) string {
	if len(at) < 16 {
		return "-"
	}
	return at[:10] + " " + at[11:16]
}

func yes(b bool, text, otherwise string) string {
	if b {
		return text
	}
	return otherwise
}

func printStatus(w io.Writer, st api.Status) {
	if !st.Enrolled {
		fmt.Fprintln(w, "this PC is not enrolled in an office yet")
		table(w, func(line func(...any)) { printDesk(line, st.LAN) })
		return
	}
	table(w, func(line func(...any)) {
		line("office", st.OfficeName, fmt.Sprintf("(%s), desk %d", st.Office, st.Desk))
		printDesk(line, st.LAN)
		line("hub", yes(st.Hub.Reached, "reached", "not reached"), sinceWhen(st.Hub))
		line("unsent", st.Unsent, yes(st.Unsent > 0, "oldest "+when(st.Oldest), yes(st.Sent, "the hub has all", "")))
		if st.Refused > 0 {
			line("refused", st.Refused, "see queue")
		}
		if st.Person > 0 {
			line("waiting", st.Person, "see conflicts")
		}
		line("bookings", st.Bookings, fmt.Sprintf("%s to %s", st.From, st.To))
		line("log", st.Cursor, fmt.Sprintf("of %d", st.Head), st.Digest)
		if st.Mended > 0 {
			line("mended", st.Mended, "records of the local copy, last "+when(st.MendedAt))
		}
		if st.LetGo > 0 {
			line("let go", st.LetGo, "edits past their time of retention")
		}
		if st.Renewed != "" {
			line("key", "new", "since "+when(st.Renewed))
		}
		line("rules", st.Bundle, "")
		printSettings(line, st.Settings)
		if st.ClockOff {
			line("clock", fmt.Sprintf("%d s", st.OffMs/1000), "off the hub's")
		}
	})
}

// printDesk says whether this PC's pages are another one's, or others' are its.
func printDesk(line func(...any), s api.LANState) {
	now := yes(s.Say != "", "not now: "+s.Say, "")
	switch {
	case s.Lender != "":
		line("works at", s.Lender, fmt.Sprintf("as %q; %s", s.Seat, yes(s.Say == "", "it answers", now)))
	case s.Listen != "":
		line("lends at", s.Listen, strings.Join(slices.DeleteFunc([]string{fmt.Sprintf("let in: %d", len(s.Guests)), now}, func(t string) bool { return t == "" }), "; "))
	case now != "":
		line("lan", "", now)
	}
}

// printSettings says which settings of the centre are in force.
func printSettings(line func(...any), s api.Settings) {
	line("settings", s.Applied, yes(s.Applied == 0, "those of the program", yes(s.Applied == s.Proven, "proven", fmt.Sprintf("being proven; the last proven is %d", s.Proven))))
	if s.Expired {
		line("", "", "expired "+when(s.Expires))
	}
	if s.Refused > 0 {
		line("", s.Refused, "refused: "+s.Code+": "+s.Say)
	}
	line("log level", s.Settings.LogLevel, "")
	line("rhythm", fmt.Sprintf("%d s", s.Settings.Sync.PollSeconds), yes(s.Settings.Sync.Wait, "and a request waits for news", ""))
}

// sinceWhen says since when the hub is reached, or why it is not.
func sinceWhen(h api.Hub) string {
	var parts []string
	for _, p := range []string{yes(h.SinceMs > 0, "since "+when(h.Since), ""), h.Say} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ": ")
}

func printRows(w io.Writer, rows []api.Row) {
	if len(rows) == 0 {
		fmt.Fprintln(w, "no bookings")
		return
	}
	table(w, func(line func(...any)) {
		for _, r := range rows {
			line(r.Day, r.Time, r.ID, r.State, r.Reason, r.Name, r.Number, yes(r.Person, "!", ""))
		}
	})
}

func printDone(w io.Writer, d api.Done) {
	if d.Visit == nil {
		fmt.Fprintf(w, "done at %s (action %s)\n", when(d.At), d.Action)
		return
	}
	v := *d.Visit
	state := yes(v.State == "", "taken back", string(v.State))
	switch {
	case d.Action == "":
		fmt.Fprintf(w, "%s %s: nothing to change, it is %s\n", v.ID, oneLine(v.Name), state)
	case d.Again:
		fmt.Fprintf(w, "%s %s: done before at %s, it is %s (action %s)\n", v.ID, oneLine(v.Name), when(d.At), state, d.Action)
	default:
		fmt.Fprintf(w, "%s %s: %s (action %s)\n", v.ID, oneLine(v.Name), state, d.Action)
	}
	if v.Filed != nil && v.State == spclep.StateFiled {
		fmt.Fprintf(w, "application %s, %s, due %s\n", v.Filed.Number, v.Filed.Product, v.Due)
	}
	for _, p := range d.Missing {
		fmt.Fprintf(w, "not seen: %s %s\n", p.ID, p.Title)
	}
}

func printQueue(w io.Writer, q api.Queue) {
	switch {
	case q.Sent:
		fmt.Fprintln(w, "the hub has all that was done here")
	default:
		fmt.Fprintf(w, "%d unsent, oldest %s; %d refused\n", q.Unsent, when(q.Oldest), q.Refused)
	}
	table(w, func(line func(...any)) {
		for _, o := range q.Ops {
			line(when(o.At), o.State, o.Entity, o.Name, o.By, o.Op, o.Refusal)
		}
	})
}

func printConflicts(w io.Writer, list api.Conflicts) {
	if len(list.Bookings) == 0 {
		fmt.Fprintln(w, "nothing waits for a person")
		return
	}
	for _, b := range list.Bookings {
		fmt.Fprintf(w, "%s %s, %s %s\n", b.ID, oneLine(b.Name), b.Day, b.Time)
		printWaiting(w, b.Conflicts, b.Doubles, b.Alarms)
	}
}

func printWaiting(w io.Writer, conflicts []api.Conflict, doubles []api.Entry, alarms []api.Alarm) {
	table(w, func(line func(...any)) {
		for _, a := range alarms {
			line("  ALARM", a.Say)
		}
		for _, c := range conflicts {
			line("  "+c.Field, "counts", string(c.Winner.Value), c.Winner.By, when(c.Winner.At), c.Winner.Op)
			line("  "+c.Field, "lost", string(c.Loser.Value), c.Loser.By, when(c.Loser.At), c.Loser.Op)
		}
		for _, d := range doubles {
			line("  "+d.Name, "again", "", d.By, when(d.At), d.Op)
		}
	})
}

func printVisit(w io.Writer, v api.Visit) {
	fmt.Fprintf(w, "%s %s: %s\n", v.ID, oneLine(v.Name), yes(v.State == "", "taken back", string(v.State)))
	table(w, func(line func(...any)) {
		if b := v.Booked; b != nil {
			line("booked", fmt.Sprintf("%s %s", b.Day, b.Time), b.Origin)
		}
		line("reason", v.Reason, v.ReasonTitle)
		for _, l := range [][2]string{{"e-mail", v.Email}, {"note", v.Note}, {"receipt", v.Receipt}, {"extract", v.LandExtract.String()}} {
			if l[1] != "" {
				line(l[0], l[1])
			}
		}
		for _, key := range slices.Sorted(maps.Keys(v.Answers)) {
			line("answer", key+"="+v.Answers[key])
		}
		if f := v.Filed; f != nil {
			line("filed", f.Number, fmt.Sprintf("%s, due %s", f.Product, v.Due))
		}
		if f := v.Rules.Fee; f != nil {
			line("fee", f.Text, f.Product)
		}
		if b := v.Booked; b != nil && v.Rules.Changed {
			line("list", fmt.Sprintf("has changed since rules %d, by which the person was told", b.Bundle))
		}
		if v.Rules.Error != "" {
			line("rules", v.Rules.Error)
		}
		for _, n := range v.Rules.Notes {
			line("note", n.Rule, n.Text)
		}
	})
	printPapers(w, v)
	printFacts(w, v)
	printWaiting(w, v.Conflicts, v.Doubles, v.Alarms)
}

func printPapers(w io.Writer, v api.Visit) {
	if v.Rules.Checklist == nil {
		return
	}
	missing := map[string]bool{}
	for _, p := range v.Rules.Missing {
		missing[p.ID] = true
	}
	table(w, func(line func(...any)) {
		for _, p := range v.Rules.Checklist.Papers {
			line("paper", p.ID, p.Form, seen(v.Ticks[p.ID]), yes(missing[p.ID], "missing", ""), p.Title)
		}
	})
}

// seen writes a tick as set takes it.
func seen(t api.Tick) string {
	var words []string
	for _, w := range []struct {
		on   bool
		word string
	}{{t.Original, "original"}, {t.Copy, "copy"}, {t.NotApplicable, "not-applicable"}} {
		if w.on {
			words = append(words, w.word)
		}
	}
	return yes(len(words) > 0, strings.Join(words, "+"), "-")
}

func printFacts(w io.Writer, v api.Visit) {
	table(w, func(line func(...any)) {
		for _, f := range v.Facts {
			line(when(f.At), f.Name, yes(f.Undone, "taken back", yes(f.Counts, "", "again")), f.By, yes(f.ThisPC, "this PC", f.Device), yes(f.Sent, "sent", "unsent"), f.Action, f.Why)
		}
	})
}
