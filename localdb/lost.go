package localdb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"condica/localdb/journal"
	"condica/sync/hlc"
	"condica/sync/replica"
	"condica/sync/wire"
)

// finds is what a start has found of the two files.
type finds struct {
	begun   bool             // the folder has held a replica before
	aside   string           // the path of the damaged database; empty: there is none
	state   replica.State    // of the database as it was found; its Device is zero where it was new or could not be read
	saved   salvaged         // from aside
	device  hlc.Device       // this PC
	records []replica.Record // of the journal
	damage  journal.Damage
	next    uint64 // the number after the last that the journal knows
	unread  int    // records that no program of this version writes
}

// take notes what the journal held, and saves what else there is.
func (f *finds) take(ctx context.Context, records []replica.Record, damage journal.Damage, device hlc.Device) {
	f.records, f.damage, f.device = records, damage, device
	devices := []hlc.Device{device}
	if len(records) > 0 {
		f.device = records[len(records)-1].Device
		devices = []hlc.Device{f.device, device}
	}
	if f.aside != "" {
		f.saved = readAside(ctx, f.aside, devices, nextOf(records, f.device))
		f.state = f.saved.state
	}
	if f.state.Device != (hlc.Device{}) {
		f.device = f.state.Device
	}
	f.next = nextOf(records, f.device)
}

// all is the journal with what was saved around it. The journal's word counts
// more than the damaged database's, but for what that knows as sealed: it may
// have been sent.
func (f *finds) all() []replica.Record {
	if f.aside == "" {
		return f.records
	}
	return slices.Concat(f.saved.records(f.device, false), f.records, f.saved.records(f.device, true))
}

// nextOf is the number after the last that records know.
func nextOf(records []replica.Record, device hlc.Device) (next uint64) {
	for _, r := range records {
		if r.Device != device {
			continue
		}
		next = max(next, r.Next)
		for _, raw := range r.Ops {
			if o, err := wire.DecodeOp(device, raw); err == nil {
				next = max(next, o.ID.Seq+1)
			}
		}
	}
	return next
}

// harmed: not all of the journal could be read.
func (f *finds) harmed() bool { return f.damage.Any() || f.unread > 0 }

// onlyTorn: a stop in the middle of a write left an end that was never
// acknowledged: the database holds all that stands before it, and no more.
func (f *finds) onlyTorn() bool {
	return f.damage.Torn && f.damage.Lines == 0 && f.unread == 0 && f.aside == "" && f.state.Device == f.device && f.state.Next == f.next
}

// torn says so of the journal's last line.
func (f *finds) torn(report Report) Report {
	if f.onlyTorn() {
		report[len(report)-1] += " by a stop in the middle of a write; it had not been acknowledged"
	}
	return report
}

// say says what was put back.
func (f *finds) say(got replica.Replayed, unsent int) (report Report) {
	from := "the journal"
	if len(f.saved.ops) > 0 {
		from += " and from what can still be read of the damaged replica"
	}
	if f.anew() && f.aside == "" {
		report = append(report, "the replica was missing; it is made anew from the journal and the hub")
	}
	if f.unread > 0 {
		report = append(report, fmt.Sprintf("%d records of the journal are none that this program knows, and were passed over", f.unread))
	}
	if got.Restored > 0 {
		report = append(report, fmt.Sprintf("%d edits were put back from %s", got.Restored, from))
	}
	if got.Mended > 0 {
		report = append(report, fmt.Sprintf("%d unsent edits were damaged in the replica and were put right from %s", got.Mended, from))
	}
	if len(f.records) == 0 && unsent > 0 {
		report = append(report, fmt.Sprintf("the journal was missing; %d unsent edits were copied into a new one", unsent))
	}
	return report
}

// anew: this PC has worked, and its database knows nothing of it.
func (f *finds) anew() bool {
	return (f.begun || len(f.records) > 0 || f.damage.Any() || f.aside != "") && f.state.Device == (hlc.Device{})
}

// lost names the own edits of which nothing is left on this PC; empty: none. A
// journal that is whole vouches for all that the hub has not acknowledged;
// without it the numbers tell. Where the end of both is gone nobody knows how
// far they went.
func (f *finds) lost(t *rtx) (string, error) {
	whole := len(f.records) > 0 && !f.harmed()
	fresh := !f.begun && f.aside == "" && len(f.records) == 0 && !f.harmed() && f.state.Device == (hlc.Device{})
	if whole || fresh {
		return "", nil
	}
	from := f.floor()
	held, torn, err := t.own(from)
	if err != nil {
		return "", err
	}
	start := from
	if f.aside == "" && f.state.Gap {
		start = max(start, f.state.Next) // what was missing before was named before, or is on its way from the hub
	}
	gone := between(start, t.s.Next, slices.Sorted(slices.Values(slices.Concat(held, f.saved.hubs))))
	for _, seq := range torn {
		if seq < start {
			gone = append(gone, span{seq, seq})
		}
	}
	slices.SortFunc(gone, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return sentence(gone, f.endless(), max(t.s.Next, 1)-1), nil
}

// floor is the number below which the hub has acknowledged all that the journal
// does not hold: so its first line says, if what was copied behind that is whole.
func (f *finds) floor() uint64 {
	if len(f.records) == 0 || f.unread > 0 || f.records[0].Device != f.device {
		return 1
	}
	mark := max(f.records[0].Next, 1)
	if f.damage.Any() && (f.damage.First == 0 || nextOf(f.records[1:f.damage.First], f.device) <= mark) {
		return 1
	}
	return mark
}

// endless: the journal has no end, and no whole database reaches beyond it.
func (f *finds) endless() bool {
	open := f.damage.End || len(f.records) == 0
	return open && (f.aside != "" || f.state.Device != f.device || f.state.Next < f.next)
}

// own lists the numbers of the own log from one on: of ops that are here or on
// the hub, and of those without a place that cannot be read.
func (v *view) own(from uint64) (held, torn []uint64, err error) {
	rows, err := v.q.QueryContext(v.ctx, `SELECT `+keptColumns+` FROM op WHERE device = ? AND seq >= ? AND seq < ? ORDER BY seq`, v.me(), from, uint64(replica.Stray))
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scanRow(rows)
		if err != nil {
			return nil, nil, err
		}
		if r.Bad != nil && r.Pos == 0 && !r.Gone {
			torn = append(torn, r.ID.Seq)
			continue
		}
		held = append(held, r.ID.Seq)
	}
	return held, torn, rows.Err()
}

// A span is numbers in a row, both ends included.
type span struct{ from, to uint64 }

// between gives the numbers from one up to another that are not in held, which
// is in order.
func between(from, to uint64, held []uint64) (out []span) {
	for _, seq := range append(held, to) {
		if seq > to {
			seq = to
		}
		if seq > from {
			out = append(out, span{from, seq - 1})
		}
		from = max(from, seq+1)
	}
	return out
}

// sentence is what central IT reads.
func sentence(gone []span, endless bool, last uint64) string {
	if len(gone) == 0 && !endless {
		return ""
	}
	const where = " in neither the replica nor the journal; what of that had reached the hub comes back from it"
	var parts []string
	for _, s := range gone {
		if s.from == s.to {
			parts = append(parts, fmt.Sprint(s.from))
		} else {
			parts = append(parts, fmt.Sprintf("%d-%d", s.from, s.to))
		}
	}
	list := strings.Join(parts, ", ")
	switch {
	case !endless && len(gone) == 1 && gone[0].from == gone[0].to:
		return "edit " + list + " is" + where
	case !endless:
		return "edits " + list + " are" + where
	case len(gone) == 0:
		return fmt.Sprintf("all edits after %d, if there were any, are", last) + where
	}
	return fmt.Sprintf("edits %s and all after %d, if there were any, are", list, last) + where
}
