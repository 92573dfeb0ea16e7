package replica

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"condica/spclep"
	"condica/sync/op"
	"condica/sync/wire"
)

// A Range is plain registration numbers in a row, both ends included.
type Range struct {
	From int64 `json:"f"`
	To   int64 `json:"t"`
}

// maxFree is how many numbers a PC holds at most: four blocks.
const maxFree = 4 * wire.NumberBlock

// NumbersLeft is how many plain registration numbers this PC still has to give.
func (s *State) NumbersLeft() (n int) {
	for _, r := range s.Free {
		n += int(r.To - r.From + 1)
	}
	return n
}

// nextNumber is the lowest of those that the hub has reserved for this PC. Where
// none is left the clerk goes on all the same, with the PC's number in the office
// and a running one: no other PC gives these, and no block holds them.
func (s *State) nextNumber() string {
	if len(s.Free) > 0 {
		return strconv.FormatInt(s.Free[0].From, 10)
	}
	return fmt.Sprintf("%d-%05d", s.Desk, s.Number+1)
}

// saw takes the number of an application out of those that are still to be
// given, whoever used it and however it came into the log.
func (s *State) saw(o op.Op) {
	if !o.Fact || o.Cell.Field != spclep.Filed {
		return
	}
	var v spclep.FiledValue
	if json.Unmarshal(o.Value, &v) != nil {
		return
	}
	if n, ok := PlainNumber(v.Number); ok {
		s.Seen, s.Free = max(s.Seen, n), without(s.Free, Range{n, n})
		return
	}
	desk, n, _ := strings.Cut(v.Number, "-")
	if number, err := strconv.Atoi(n); err == nil && number <= wire.NumberMax && desk == strconv.Itoa(s.Desk) {
		s.Number = max(s.Number, number)
	}
}

// PlainNumber reads a registration number that may come out of a block.
func PlainNumber(text string) (n int64, ok bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n > 0 && n <= wire.NumberMax && strconv.FormatInt(n, 10) == text
}

// without is all of free but the numbers of cut, in a slice of its own: a
// transaction that fails leaves the state as it was.
func without(free []Range, cut Range) []Range {
	if !slices.ContainsFunc(free, func(r Range) bool { return r.From <= cut.To && cut.From <= r.To }) {
		return free
	}
	var out []Range
	for _, r := range free {
		if low := (Range{r.From, min(r.To, cut.From-1)}); low.From <= low.To {
			out = append(out, low)
		}
		if high := (Range{max(r.From, cut.To+1), r.To}); high.From <= high.To {
			out = append(out, high)
		}
	}
	return out
}

// ascending: these are numbers that a hub could have given.
func ascending(free []Range) bool {
	last := int64(0)
	for _, r := range free {
		if r.From <= last || r.To < r.From || r.To > wire.NumberMax {
			return false
		}
		last = r.To
	}
	return true
}

// forgetNumbers drops the blocks: another may be giving out the same.
func forgetNumbers(tx Tx) error {
	s := tx.State()
	if len(s.Free) == 0 && s.Given == 0 {
		return nil
	}
	s.Free, s.Given = nil, 0
	return tx.Journal(s.Mark())
}

// numbers takes a block from the hub, but for what is held already and what is
// known to be in use here: such a hub has forgotten something, or somebody has
// typed a number from another register. It is in the journal before anything is
// given out of it.
func (t *saving) numbers(n *wire.Numbers) error {
	switch {
	case n == nil || t.out.Reset:
		return nil
	case n.Void:
		t.bare = true
		return forgetNumbers(t.tx)
	case n.From < 1 || n.To < n.From || n.To > wire.NumberMax || n.To-n.From >= maxFree || t.s.NumbersLeft()+int(n.To-n.From+1) > maxFree:
		return nil
	}
	used, err := t.tx.Numbers(n.From, n.To)
	if err != nil {
		return err
	}
	fresh := []Range{{n.From, n.To}}
	for _, r := range t.s.Free {
		fresh = without(fresh, r)
	}
	for _, u := range used {
		fresh = without(fresh, Range{u, u})
	}
	t.s.Given = max(t.s.Given, n.To)
	t.s.Free = slices.SortedFunc(slices.Values(slices.Concat(t.s.Free, fresh)), func(a, b Range) int { return int(a.From - b.From) })
	return t.tx.Journal(t.s.Mark())
}

// numbersAt is what a request says of them. Only a hub that has lost something is
// told what was seen in use: a number that a clerk has typed must not lead the
// row astray.
func (s *State) numbersAt() *wire.NumbersAt {
	at := &wire.NumbersAt{Left: s.NumbersLeft(), Given: s.Given}
	if s.Resend {
		at.Known = s.Seen
	}
	return at
}
