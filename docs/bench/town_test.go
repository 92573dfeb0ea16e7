package bench

import (
	"cmp"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"condica/hub"
	"condica/hub/serve"
	"condica/spclep"
	"condica/sync/wire"
)

const officeID = spclep.OfficeID("botosani")

// A town is the hub's data folder with an office's bookings in it, and the
// moment at which everything is measured.
type town struct {
	tb    testing.TB
	dir   string // of the hub's data
	now   time.Time
	began time.Time // when now was
	zone  *time.Location
	books []booking
}

// newTown books n visits by the rules, as citizens would have: over the weeks
// before now, each at its own moment, through the hub.
func newTown(tb testing.TB, n int) *town {
	tb.Helper()
	zone, err := time.LoadLocation("Europe/Bucharest")
	if err != nil {
		tb.Fatal(err)
	}
	// A Monday morning. Half an hour before it all clocks stand here.
	t := &town{tb: tb, dir: tb.TempDir(), zone: zone, now: time.Date(2026, 11, 23, 9, 30, 0, 0, zone), began: time.Now()}
	t.books = t.wanted(n)
	t.book()
	return t
}

// clock is the town's time.
func (t *town) clock() time.Time { return t.now.Add(time.Since(t.began)) }

// wanted draws the bookings: every slot of the days that lead up to two days
// from now, in the order in which they were asked for.
func (t *town) wanted(n int) []booking {
	ref, err := spclep.Builtin()
	if err != nil {
		t.tb.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, uint64(n)))
	var out []booking
	for day := spclep.DayOf(t.now).Add(2); len(out) < n; day = day.Add(-1) {
		slots, err := ref.Slots(officeID, day)
		if err != nil {
			t.tb.Fatal(err)
		}
		for _, at := range slots[:min(len(slots), n-len(out))] {
			b := booking{Day: day, At: at, Reason: reason(ref, officeID, r, day), Asked: t.askedFor(r, day)}
			b.Name, b.Email = person(r)
			out = append(out, b)
		}
	}
	slices.SortFunc(out, func(a, b booking) int { return cmp.Compare(a.Asked, b.Asked) })
	return out
}

// reason draws what people come to an office for; half of them for the commonest.
func reason(ref *spclep.Reference, office spclep.OfficeID, r *rand.Rand, day spclep.Day) spclep.Reason {
	var may []spclep.Reason
	for _, info := range ref.Reasons(office, day) {
		if info.Bookable {
			may = append(may, info.Code)
		}
	}
	if r.IntN(2) == 0 {
		return may[0]
	}
	return may[r.IntN(len(may))]
}

// askedFor is a moment 3 to 20 days before the day, in waking hours.
func (t *town) askedFor(r *rand.Rand, day spclep.Day) int64 {
	y, m, d := day.Add(-3 - r.IntN(18)).Date()
	return time.Date(y, m, d, 7, 0, 0, 0, t.zone).UnixMilli() + r.Int64N(15*3_600_000)
}

// book makes the bookings through a hub whose clock is moved along.
func (t *town) book() {
	t.tb.Helper()
	ctx := context.Background()
	moment := t.now
	h, err := serve.Start(ctx, serve.Options{Data: t.dir, Listen: "127.0.0.1:0", Now: func() time.Time { return moment }})
	if err != nil {
		t.tb.Fatal(err)
	}
	for i := range t.books {
		b := &t.books[i]
		moment = time.UnixMilli(b.Asked)
		made, err := h.Book(ctx, hub.BookAsk{Office: officeID, Reason: b.Reason, Day: b.Day, At: b.At, Name: b.Name, Email: b.Email, Consent: true, By: "portal"})
		if err != nil {
			t.tb.Fatalf("booking %d for %s %s: %v", i, b.Day, b.At, err)
		}
		b.ID = made.ID
	}
	if err := h.Close(); err != nil {
		t.tb.Fatal(err)
	}
}

// today lists the bookings of the town's day.
func (t *town) today() (ids []spclep.BookingID) {
	for _, b := range t.books {
		if b.Day == spclep.DayOf(t.now) {
			ids = append(ids, b.ID)
		}
	}
	return ids
}

// A hubside is a hub that PCs may be enrolled with.
type hubside struct {
	dir string
	url string
}

// copied starts the hub as a process of its own on a copy of the data.
func (t *town) copied(program string, plain bool) hubside {
	t.tb.Helper()
	dir := filepath.Join(t.tb.TempDir(), "hub")
	if err := os.CopyFS(dir, os.DirFS(t.dir)); err != nil {
		t.tb.Fatal(err)
	}
	args := []string{"serve", "--data", dir, "--listen", "127.0.0.1:0", "--now", t.clock().Format(time.RFC3339Nano), "--json"}
	if plain {
		args = append(args, "--plain")
	}
	p := start(t.tb, "", program, args...)
	return hubside{dir, p.ready["hub"].(string)}
}

// inside runs the hub in this process, for tests that build nothing.
func (t *town) inside() hubside {
	t.tb.Helper()
	h, err := serve.Start(context.Background(), serve.Options{Data: t.dir, Listen: "127.0.0.1:0", Plain: true, Now: t.clock})
	if err != nil {
		t.tb.Fatal(err)
	}
	t.tb.Cleanup(func() { h.Close() })
	return hubside{t.dir, h.URL}
}

// token lets one PC enrol by way of a relay.
func (t *town) token(h hubside, r *relay) string {
	t.tb.Helper()
	tok, err := serve.NewToken(context.Background(), serve.Options{Data: h.dir, Now: t.clock}, officeID, time.Hour, h.url)
	if err != nil {
		t.tb.Fatal(err)
	}
	tok.Hub = r.url()
	return wire.Token(tok).String()
}
