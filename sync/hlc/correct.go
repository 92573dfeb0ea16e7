package hlc

// A Reading is what a PC's clocks showed when an edit was written. Wall may
// be wrong by decades; Boot and Up are not: Up counts milliseconds since the
// PC was switched on, sleep included, and Boot changes with each switching on.
type Reading struct {
	Wall int64  // ms since 1970 by the PC's clock
	Boot string // names one run of the PC from power-on to power-off
	Up   int64  // ms since power-on, counting sleep
}

// An Anchor ties one boot's Up to the hub's time: at Up the hub showed Hub,
// give or take Err (half the round trip). Wall is what the PC's clock showed.
type Anchor struct {
	Boot string
	Up   int64
	Hub  int64
	Wall int64
	Err  int64
}

// driftPerMs: quartz may run off by 100 millionths, 8.6 s a day.
const driftPerMs = 10_000

// Measure makes an anchor from one exchange: the PC's readings before and
// after, and the hub's time in between (Cristian's method). It refuses, with
// ok false, an exchange during which the PC was switched off or Up ran back.
func Measure(sent, received Reading, hubMs int64) (a Anchor, ok bool) {
	trip := received.Up - sent.Up
	if sent.Boot != received.Boot || trip < 0 {
		return Anchor{}, false
	}
	return Anchor{
		Boot: sent.Boot,
		Up:   sent.Up + trip/2,
		Hub:  hubMs,
		Wall: received.Wall - (trip - trip/2),
		Err:  trip - trip/2,
	}, true
}

// Better reports whether the new anchor should replace the old one of the same
// boot: it is sharper, or the old one has drifted past it.
func Better(now, old Anchor) bool {
	return now.Boot != old.Boot || now.Err <= old.Err+abs(now.Up-old.Up)/driftPerMs
}

// Anchors holds the best anchor of each boot, and the order of the boots.
type Anchors map[string]Anchor

// Now gives the hub's time at a reading and its uncertainty in ms. Without an
// anchor for the reading's boot it falls back on the wall clock and ok is
// false.
func (as Anchors) Now(r Reading) (ms, err int64, ok bool) {
	a, ok := as[r.Boot]
	if !ok {
		return r.Wall, 0, false
	}
	since := r.Up - a.Up
	return a.Hub + since, a.Err + abs(since)/driftPerMs, true
}

// Correct gives edits written out of contact, in the order in which they were
// written, the Times at which they happened in the hub's time. now is the
// reading at the moment of correcting, whose boot must have been measured. last
// is the last Time this PC sent out; every answer lies after it, and none after
// now. floor, if not zero, is the latest moment the hub is known to have been
// in contact before the first edit, in ms.
//
//   - boots that were measured: hub time at the anchor plus the difference in Up;
//   - boots that were not are moved as a whole into the gap in which they must
//     have happened: switched on after all that was written before and after
//     that contact, and off before the next boot began. Within it the wall clock
//     is believed, as wrong as it is now, as it was when last measured, or right;
//     if none of these lies in the gap, the boot lies at the end of it on whose
//     side its clock is. Differences within a boot are kept.
//
// The order within the PC is kept whatever the readings say. All edits of a boot
// must be given at once.
func Correct(edits []Reading, anchors Anchors, now Reading, last Time, floor int64) []Time {
	nowMs, _, _ := anchors.Now(now)
	runs := runsOf(edits)
	for i := range runs {
		a, ok := anchors.measured(runs[i].edits[0].Boot)
		runs[i].known, runs[i].on = ok, a.Hub-a.Up
	}
	bound(runs, floor, nowMs-now.Up)
	believe(runs, anchors, now.Boot)
	bound(runs, floor, nowMs-now.Up) // what is believed of one bounds the others
	out := make([]Time, 0, len(edits))
	low := floor
	for _, r := range runs {
		if !r.known {
			// On the side of the gap that its clock is on.
			r.on = max(min(r.guesses(anchors, now.Boot)[0], r.latest), low)
		}
		for _, e := range r.edits {
			t := max(At(min(r.on+e.Up, nowMs)), last.After())
			out = append(out, t)
			last = t
		}
		low = max(low, r.on+r.length())
	}
	return out
}

// A run is what was written between a power-on and a power-off.
type run struct {
	edits            []Reading
	known            bool  // on is measured, or believed
	on               int64 // hub ms of the power-on
	earliest, latest int64 // between which it must lie
}

// length is how long the run had lasted at its last edit, in ms.
func (r run) length() int64 { return r.edits[len(r.edits)-1].Up }

func runsOf(edits []Reading) (runs []run) {
	for from := 0; from < len(edits); {
		to := from + 1
		for to < len(edits) && edits[to].Boot == edits[from].Boot {
			to++
		}
		runs = append(runs, run{edits: edits[from:to]})
		from = to
	}
	return runs
}

// bound finds the gap of each run: it began after the one before had ended, and
// ended before the next began; the last of all before end.
func bound(runs []run, start, end int64) {
	for i := range runs {
		r := &runs[i]
		if r.earliest = start; r.known {
			r.earliest = r.on
		}
		start = max(start, r.earliest+r.length())
	}
	for i := len(runs) - 1; i >= 0; i-- {
		r := &runs[i]
		if r.latest = end - r.length(); r.known {
			r.latest = r.on
		}
		end = r.latest
	}
}

// believe takes the wall clock's word for the runs into whose gap it fits.
func believe(runs []run, anchors Anchors, thisBoot string) {
	low := int64(0)
	for i := range runs {
		r := &runs[i]
		for _, g := range r.guesses(anchors, thisBoot) {
			if !r.known && g >= max(low, r.earliest) && g <= r.latest {
				r.known, r.on = true, g
			}
		}
		if r.known {
			low = r.on + r.length()
		}
	}
}

// guesses says when a run may have begun, the best first: by a person's word,
// by its wall clock as wrong as it is now, as it was when last measured, or
// right.
func (r run) guesses(anchors Anchors, thisBoot string) (out []int64) {
	first := r.edits[0]
	if a, ok := anchors[first.Boot]; ok {
		out = append(out, a.Hub-a.Up)
	}
	wall, this := first.Wall-first.Up, anchors[thisBoot]
	out = append(out, wall+this.Hub-this.Wall)
	if a, ok := anchors.lastBut(thisBoot); ok {
		out = append(out, wall+a.Hub-a.Wall)
	}
	return append(out, wall)
}

// measured gives the anchor of a boot, if it is one and no person's word.
func (as Anchors) measured(boot string) (Anchor, bool) {
	a, ok := as[boot]
	return a, ok && a.Err <= MaxMeasured
}

// lastBut is the measurement made last in another boot.
func (as Anchors) lastBut(boot string) (last Anchor, ok bool) {
	for name := range as {
		if a, is := as.measured(name); is && name != boot && (!ok || a.Hub > last.Hub) {
			last, ok = a, true
		}
	}
	return last, ok
}

func abs(n int64) int64 { return max(n, -n) }

// A Quality says how far a time can be trusted.
type Quality int

// Qualities of a time.
const (
	Measured  Quality = iota // against the hub, in this run of the PC
	Plausible                // by a clock that fits what is known
	Lost                     // by nothing: the clock cannot be right
)

const (
	// MaxMeasured is the largest Err, in ms, of a time that was measured; a time
	// a person has typed in has a larger one.
	MaxMeasured = 10 * 60_000
	// TypedErr is the Err of a time a person has typed in.
	TypedErr = 12 * 60 * 60_000

	maxAway = 60 * 24 * 60 * 60_000 // ms a PC may have been without the hub for its clock to be believed
	slack   = 2 * 60_000
)

// Guess gives the hub's time at a reading as well as it can be known. heard is
// the hub's time when it was last heard, 0 for never. Where the clock cannot
// be right - it stands before that, or months after - the answer is heard.
func (as Anchors) Guess(r Reading, heard int64) (ms int64, q Quality) {
	if a, ok := as[r.Boot]; ok {
		ms, _, _ = as.Now(r)
		if a.Err > MaxMeasured {
			return ms, Plausible
		}
		return ms, Measured
	}
	var last Anchor
	for _, a := range as {
		if a.Hub > last.Hub {
			last = a
		}
	}
	// As wrong as it last was, or else set right since.
	for _, ms := range []int64{r.Wall + last.Hub - last.Wall, r.Wall} {
		if heard == 0 || (ms >= heard-slack && ms <= heard+maxAway) {
			return ms, Plausible
		}
	}
	return heard, Lost
}
