package simtest

import (
	"context"
	"encoding/json"
	"slices"

	"condica/spclep"
	"condica/sync/op"
	"condica/sync/replica"
	"condica/sync/wire"
)

// block is registration numbers that the hub gave in one of its lives.
type block struct {
	office string
	life   uint64
	replica.Range
}

// given notes what the hub gives away, and that it gives nothing twice as long as
// nobody sets it back.
func (w *world) given(request, answer []byte) {
	var asked struct {
		Office string `json:"o"`
	}
	var got struct {
		Numbers *wire.Numbers `json:"nr"`
	}
	if json.Unmarshal(answer, &got) != nil || got.Numbers == nil || got.Numbers.Void || json.Unmarshal(request, &asked) != nil {
		return
	}
	b := block{asked.Office, w.lives, replica.Range{From: got.Numbers.From, To: got.Numbers.To}}
	w.say("the hub gives the numbers %d-%d", b.From, b.To)
	w.counts["blocks of numbers"]++
	for _, o := range w.blocks {
		if o.office == b.office && o.life == b.life && o.From <= b.To && b.From <= o.To {
			w.fail("the hub gives the numbers %d-%d, and has given %d-%d", b.From, b.To, o.From, o.To)
		}
	}
	w.blocks = append(w.blocks, b)
}

// copied notes the numbers that lay on a disk of which there are, or were, two:
// until the hub is heard nobody can know who gives them.
func (w *world) copied(office string, free []replica.Range) {
	for _, r := range free {
		w.doubled = append(w.doubled, block{office: office, Range: r})
	}
}

// free is what a PC may still give.
func (p *pc) free() (free []replica.Range) {
	p.w.must(p.db.Look(context.Background(), func(tx replica.Tx) error {
		free = tx.State().Free
		return nil
	}))
	return free
}

// checkNumbers: no two applications of an office have one plain number, but where
// its block was given by two lives of a hub that was set back between them, or lay
// on a disk that was copied.
func (w *world) checkNumbers(office string, log []op.Entry) {
	by := map[int64]string{}
	for _, e := range log {
		var v spclep.FiledValue
		if e.Cell.Field != spclep.Filed || json.Unmarshal(e.Value, &v) != nil {
			continue
		}
		n, ok := replica.PlainNumber(v.Number)
		if !ok {
			w.counts["numbers of a desk"]++
			continue
		}
		w.counts["plain numbers"]++
		if other := by[n]; other != "" && other != e.By {
			if w.counts["numbers twice"]++; !w.mayDouble(office, n) {
				w.fail("%s and %s of %s have the number %d", other, e.By, office, n)
			}
		}
		by[n] = e.By
	}
}

func (w *world) mayDouble(office string, n int64) bool {
	has := func(b block) bool { return b.office == office && b.From <= n && n <= b.To }
	lives := map[uint64]bool{}
	for _, b := range w.blocks {
		if has(b) {
			lives[b.life] = true
		}
	}
	return len(lives) > 1 || slices.ContainsFunc(w.doubled, has)
}
