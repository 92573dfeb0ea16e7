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
// reading at the moment of correcting, whose boot must have an anchor. last is
// the last Time this PC sent out; every answer lies after it, and none after
// now. floor, if not zero, is the latest moment the hub is known to have been
// in contact before the first edit, in ms.
//
//   - boots with an anchor: hub time at the anchor plus the difference in Up;
//   - boots without one: the wall clock, moved as a whole by the offset known
//     from the anchor next in age, and then moved as a whole into the gap in
//     which that boot must have happened. Differences within a boot are kept.
//
// The order within the PC is kept whatever the readings say.
func Correct(edits []Reading, anchors Anchors, now Reading, last Time, floor int64) []Time {
	nowMs, _, _ := anchors.Now(now)
	bootMs := nowMs - now.Up // this boot began here: older boots lie before it
	low := max(last.Ms(), floor)
	out := make([]Time, 0, len(edits))
	for from := 0; from < len(edits); {
		to := from + 1
		for to < len(edits) && edits[to].Boot == edits[from].Boot {
			to++
		}
		high := bootMs
		if edits[from].Boot == now.Boot {
			high = nowMs
		}
		for _, ms := range place(edits[from:to], anchors, now.Boot, low, high) {
			t := max(At(min(ms, nowMs)), last.After())
			out = append(out, t)
			last = t
		}
		low = max(low, last.Ms())
		from = to
	}
	return out
}

// place finds the hub time in ms of each edit of one boot, between low and high.
func place(edits []Reading, anchors Anchors, thisBoot string, low, high int64) []int64 {
	ms := make([]int64, len(edits))
	if a, ok := anchors[edits[0].Boot]; ok {
		for i, e := range edits {
			ms[i] = a.Hub + e.Up - a.Up
		}
		return ms
	}
	first, final := edits[0], edits[len(edits)-1]
	start := first.Wall + wallOffset(anchors, thisBoot)
	length := final.Up - first.Up
	start = max(min(start, high-length), low)
	for i, e := range edits {
		ms[i] = start + e.Up - first.Up
	}
	return ms
}

// wallOffset is what must be added to a wall clock of a boot without anchor:
// the offset last measured, which is this boot's.
func wallOffset(anchors Anchors, thisBoot string) int64 {
	a, ok := anchors[thisBoot]
	if !ok {
		return 0
	}
	return a.Hub - a.Wall
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
