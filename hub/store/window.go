package store

// A Window remembers which numbers a device's requests have carried, so that
// each counts once. Requests may overtake one another by up to 64.
type Window struct {
	High uint64 // the highest number seen
	Seen uint64 // bit n: High-n has been seen
}

const windowSize = 64

// Admit notes a number. ok is false for one seen before, or too old to tell.
func (w Window) Admit(n uint64) (next Window, ok bool) {
	switch {
	case n == 0:
		return w, false
	case n > w.High:
		// A shift by 64 or more leaves nothing, as it should.
		return Window{High: n, Seen: w.Seen<<(n-w.High) | 1}, true
	case w.High-n >= windowSize || w.Seen&(1<<(w.High-n)) != 0:
		return w, false
	}
	w.Seen |= 1 << (w.High - n)
	return w, true
}

// Has says whether a number has been seen; false too for one too old to tell.
func (w Window) Has(n uint64) bool {
	return n != 0 && n <= w.High && w.High-n < windowSize && w.Seen&(1<<(w.High-n)) != 0
}
