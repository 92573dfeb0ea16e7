package hlc

// A Clock issues Times that only grow. Its high-water mark must be saved in
// the transaction of the edit that took the Time, and given back to New.
type Clock struct{ high Time }

// New makes a clock that continues after the saved high-water mark.
func New(high Time) *Clock { return &Clock{high: high} }

// High is the high-water mark: the last Time issued, or the one New began with.
func (c *Clock) High() Time { return c.high }

// Next issues a Time for an edit written at nowMs by the best reading there
// is, on top of edits up to after. It is always later than every Time issued
// before.
func (c *Clock) Next(nowMs int64, after Time) Time {
	c.high = max(At(nowMs), c.high.After(), after.After())
	return c.high
}
