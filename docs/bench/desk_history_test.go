package bench

import (
	"math/rand/v2"
	"strconv"
	"time"

	"condica/spclep"
	"condica/spclep/code"
	"condica/sync/wire"
)

// perDay is how many bookings each day has.
const perDay = 60

// firstDay is the Monday on which measuring begins: what lies before it is over.
var firstDay = spclep.NewDay(2026, time.November, 2)

// daysAhead is for how many working days from then on there are bookings.
const daysAhead = 20

// handedDays and readyDays say how long a card takes, in working days: made
// before readyDays ago, it lies in the office; before handedDays ago, it was
// given.
const (
	handedDays = 30
	readyDays  = 20
)

// openConflicts is how many conflicts wait for a person.
const openConflicts = 20

// A booked is what the run knows of one of the bookings.
type booked struct {
	booking
	Number string // of the application; empty: none was taken
}

// fill writes n bookings into the replica as a hub would send them: those of
// days gone by with all that has happened to them.
func (c *deskPC) fill(n int) {
	c.Helper()
	h := history{c, rand.New(rand.NewPCG(5, uint64(n)))}
	var entries []wire.Entry
	for back, day := range h.days(n) {
		for i := range min(perDay, n-len(c.books)) {
			b := h.person(day, i)
			entries = append(entries, h.life(&b, back)...)
			c.books = append(c.books, b)
		}
		if len(entries) > 4_000 {
			c.save(wire.Answer{Entries: entries})
			entries = nil
		}
	}
	c.save(wire.Answer{Entries: entries})
	c.night()
}

type history struct {
	*deskPC
	r *rand.Rand
}

// days are enough working days for n bookings, the earliest first, each with
// how many working days before the first measured one it was; what is to come
// has 0.
func (h history) days(n int) func(yield func(int, spclep.Day) bool) {
	for day := firstDay; len(h.working) < daysAhead; day++ {
		if h.ref.WorkingDay(counterOffice, day) {
			h.working = append(h.working, day)
		}
	}
	var past []spclep.Day
	for day := firstDay.Add(-1); (len(past)+daysAhead)*perDay < n; day-- {
		if h.ref.WorkingDay(counterOffice, day) {
			past = append(past, day)
		}
	}
	return func(yield func(int, spclep.Day) bool) {
		for back := len(past); back > 0; back-- {
			if !yield(back, past[back-1]) {
				return
			}
		}
		for _, day := range h.working {
			if !yield(0, day) {
				return
			}
		}
	}
}

// person books the i-th visit of a day: five counters, from nine to one.
func (h history) person(day spclep.Day, i int) booked {
	b := booking{Day: day, At: spclep.Minute(9*60 + i*240/perDay)}
	// Today's offer, as a person who comes today would have been shown: what was
	// offered years ago is not in the bundle.
	b.Reason = reason(h.ref, counterOffice, h.r, firstDay)
	if day >= firstDay {
		b.Reason = measured
	}
	b.Name, b.Email = person(h.r)
	var id [5]byte
	for i := range id {
		id[i] = byte(h.r.UintN(256))
	}
	b.ID = code.NewID(id)
	return booked{booking: b}
}

// measured is why those come whose visits are measured: for the commonest
// reason, a first electronic card.
const measured = spclep.Reason("R01")

// life is what happened to a booking whose day was back working days ago: one
// visit at this PC, the next at the other.
func (h history) life(b *booked, back int) []wire.Entry {
	slot, desk := h.at(b.Day, b.At), otherPC
	if len(h.books)%2 == 0 {
		desk = ownPC
	}
	out := []wire.Entry{h.entry(hubName, slot-10*24*3_600_000, b.ID, spclep.Booked, true,
		spclep.BookedValue{Name: b.Name, Email: b.Email, Reason: b.Reason, Day: b.Day, At: b.At, Bundle: h.ref.Number()})}
	happened := func(after int64, name string, value any) {
		out = append(out, h.entry(desk, min(slot+after, h.wall-60_000), b.ID, name, true, value))
	}
	chance := h.r.IntN(20)
	if back == 0 || chance == 0 { // still to come, or nobody came
		return out
	}
	happened(0, spclep.Arrived, nil)
	if chance == 1 {
		happened(300_000, spclep.SentAway, spclep.SentAwayValue{Ground: spclep.GroundDataMismatch})
		return out
	}
	out = append(out, h.entry(desk, slot+60_000, b.ID, spclep.PrefixAnswer+"civil", false, "married"))
	h.given++
	b.Number = strconv.FormatInt(h.given, 10)
	happened(600_000, spclep.Filed, spclep.FiledValue{Number: b.Number, Product: h.product(b.Reason), Day: b.Day, Due: b.Day.Add(30), Bundle: h.ref.Number()})
	if back > readyDays {
		happened(20*24*3_600_000, spclep.Ready, nil)
	}
	if back > handedDays {
		happened(30*24*3_600_000, spclep.HandedOver, spclep.HandedOverValue{To: "holder"})
	}
	if back == 1 && h.apart < openConflicts {
		h.apart++
		out = append(out, h.entry(hubName, slot, b.ID, spclep.FieldNote, false, "vine cu mama"), h.entry(otherPC, slot+900_000, b.ID, spclep.FieldNote, false, "vine cu tata"))
	}
	return out
}

// product is what a reason leads to where nobody has said more.
func (h history) product(reason spclep.Reason) spclep.Product {
	fee, err := h.ref.Fee(spclep.Ask{Office: counterOffice, Reason: reason, Day: firstDay})
	h.must(err)
	return fee.Product
}

// of lists the bookings of a day.
func (c *deskPC) of(day spclep.Day) (out []booked) {
	for _, b := range c.books {
		if b.Day == day {
			out = append(out, b)
		}
	}
	return out
}
