package hub_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"condica/hub"
	"condica/hub/store"
	"condica/hub/store/memory"
	"condica/localdb"
	"condica/spclep"
	"condica/sync/hlc"
	"condica/sync/link"
	"condica/sync/wire"
)

// A carrier is a PC whose line is dead: what it has to say goes on a stick.
type carrier struct {
	*replica
	link *link.Link
	boot string // of this run; "boot" at first
}

func (tw *town) carrier(name string) *carrier {
	tw.t.Helper()
	c := &carrier{replica: tw.replica(name), boot: "boot"}
	c.lines()
	return c
}

func (c *carrier) lines() {
	t := c.town.t
	t.Helper()
	if _, err := c.db.Counter(t.Context(), 5000); err != nil { // above what the replica's own requests use
		t.Fatal(err)
	}
	l, err := link.New(link.Config{Hub: "https://hub.example.ro", Key: c.key, Now: c.now, Log: slog.New(slog.DiscardHandler)}, c.db)
	if err != nil {
		t.Fatal(err)
	}
	c.link = l
}

func (c *carrier) now() hlc.Reading {
	r := c.reading()
	r.Boot = c.boot
	return r
}

// reboots switches the PC off and on; from then on its clock is so far ahead.
func (c *carrier) reboots(dir string, ahead int64) {
	c.town.t.Helper()
	if err := c.db.Close(); err != nil {
		c.town.t.Fatal(err)
	}
	c.boot += "+"
	db, _, err := localdb.Open(c.town.t.Context(), dir, localdb.Options{Device: c.device(), Now: func() hlc.Reading {
		r := c.now()
		r.Wall = c.town.now + ahead
		return r
	}})
	if err != nil {
		c.town.t.Fatal(err)
	}
	c.town.t.Cleanup(func() { db.Close() })
	c.db = db
	c.lines()
}

func (c *carrier) out() link.Carried {
	c.town.t.Helper()
	got, err := c.link.CarryOut(c.town.t.Context())
	if err != nil {
		c.town.t.Fatal(err)
	}
	return got
}

// carry takes a file to the hub and gives the answer.
func (tw *town) carry(file []byte) ([]byte, hub.Carried) {
	tw.t.Helper()
	var answer bytes.Buffer
	done, err := tw.hub.Carry(tw.t.Context(), file, &answer)
	if err != nil {
		tw.t.Fatal(err)
	}
	return answer.Bytes(), done
}

func (c *carrier) in(file []byte) link.Brought {
	c.town.t.Helper()
	got, err := c.link.CarryIn(c.town.t.Context(), file)
	if err != nil {
		c.town.t.Fatal(err)
	}
	return got
}

// inStep: nothing waits here, and PC and hub hold the same log.
func (c *carrier) inStep() {
	t := c.town.t
	t.Helper()
	c.counter += 10_000
	if out := c.answered(); out.Unsent != 0 || out.More || out.Differs || out.Reset || out.Pulled != 0 {
		t.Errorf("over the line that is back: %+v, want nothing to say", out)
	}
}

func (c *carrier) unsent() int {
	c.town.t.Helper()
	n, _, err := c.db.Unsent(c.town.t.Context())
	if err != nil {
		c.town.t.Fatal(err)
	}
	return n
}

func (tw *town) head() int64 {
	tw.t.Helper()
	heads, err := tw.store.Heads(tw.t.Context())
	if err != nil {
		tw.t.Fatal(err)
	}
	return heads["covasna"]
}

// The line is dead for three days. What the clerk has done goes to the hub on a
// stick, and what was booked there meanwhile comes back on it. Each file may be
// taken twice. Then the line is back, and has nothing to say.
func TestCarriedThereAndBack(t *testing.T) {
	tw := newTown(t)
	first := tw.book("covasna", 0)
	c := tw.carrier("one")
	c.settles()
	c.edits(first.ID, spclep.Arrived, true, "null")
	tw.now += 3 * 24 * 3_600_000
	c.up += 3 * 24 * 3_600_000
	second := tw.book("covasna", 1)
	tw.enrol("two", "covasna")
	before := c.anchor()

	request := c.out()
	if request.Edits != 1 || request.Left != 0 || request.Untimed != 0 {
		t.Fatalf("carried out: %+v", request)
	}
	answer, done := tw.carry(request.File)
	if done.Edits != 1 || done.Again || !done.Whole || done.Device != c.device() || done.Name != "one" {
		t.Errorf("the hub says %+v", done)
	}
	again, done := tw.carry(request.File)
	if head := tw.head(); done.Edits != 1 || !done.Again || head != 3 {
		t.Errorf("the same file once more: %+v, the log ends at %d", done, head)
	}
	tw.now += 3_600_000
	c.up += 7_200_000 // the way back
	b := c.in(answer)
	if b.Unsent != 0 || b.Pulled != 1 || b.Stale || b.More {
		t.Errorf("brought in: %+v", b)
	}
	if got, err := c.db.Booking(t.Context(), second.ID); err != nil || got.Name != "Mostră Ion B" {
		t.Errorf("the new booking is here as %q: %v", got.Name, err)
	}
	if desks, err := c.db.Desks(t.Context()); err != nil || len(desks) != 2 {
		t.Errorf("the office's desks as known here: %v, %v", desks, err)
	}
	if c.anchor() != before {
		t.Error("an exchange of days was taken for a measure of the clock")
	}
	for i, file := range [][]byte{answer, again, answer} {
		if b := c.in(file); b.Unsent != 0 || b.Pulled != 0 {
			t.Errorf("file %d once more: %+v", i, b)
		}
	}
	c.inStep()
	if head := tw.head(); head != 3 {
		t.Errorf("the log ends at %d, want three edits, each once", head)
	}
}

// anchor is how well this run of the PC knows the hub's time.
func (c *carrier) anchor() (q hlc.Quality) {
	c.town.t.Helper()
	_, q, _, err := c.db.Now(c.town.t.Context())
	if err != nil {
		c.town.t.Fatal(err)
	}
	return q
}

// The PC was switched off and on, and this run has never heard the hub: the
// queue goes all the same, by the clock that is plausible, and the answer is no
// measure.
func TestCarriedByAPCThatWasRebooted(t *testing.T) {
	tw := newTown(t)
	b := tw.book("covasna", 0)
	c, dir := tw.carrierIn("one")
	tw.now += 24 * 3_600_000
	c.reboots(dir, 0)
	c.edits(b.ID, spclep.Arrived, true, "null")
	if _, err := c.db.Outbox(t.Context(), 10, 1<<20); !errors.Is(err, localdb.ErrNoAnchor) {
		t.Fatalf("over the line the edit would go now: %v", err)
	}
	request := c.out()
	answer, done := tw.carry(request.File)
	if request.Edits != 1 || done.Edits != 1 {
		t.Fatalf("carried out %+v, taken %+v", request, done)
	}
	log, err := tw.hub.History(t.Context(), "covasna", 0)
	if last := log[len(log)-1]; err != nil || last.Effective.Ms() > tw.now || last.Effective.Ms() < tw.now-1000 {
		t.Errorf("the check-in counts as of %s: %v", last.EffectiveAt, err)
	}
	if b := c.in(answer); b.Unsent != 0 {
		t.Errorf("brought in: %+v", b)
	}
	if c.anchor() == hlc.Measured {
		t.Error("an exchange by stick was taken for a measure of the clock")
	}
}

// carrierIn is a PC in touch with its hub, and its folder.
func (tw *town) carrierIn(name string) (*carrier, string) {
	tw.t.Helper()
	c := tw.carrier(name)
	dir := tw.t.TempDir()
	c.open(dir)
	if err := c.db.SetOffice(tw.t.Context(), wire.Enrolled{Device: c.device(), Office: "covasna", Desk: 1, Epoch: c.epoch, HubMs: tw.now, Keys: tw.hub.QRKeys()}); err != nil {
		tw.t.Fatal(err)
	}
	c.lines()
	c.settles()
	return c, dir
}

// The battery died at the reboot, and the clock stands years back. What was done
// before goes with its exact time; what was done since goes once a clerk has
// told the hour.
func TestCarriedWithoutTheHour(t *testing.T) {
	tw := newTown(t)
	b := tw.book("covasna", 0)
	c, dir := tw.carrierIn("one")
	tw.now += 3_600_000
	c.up += 3_600_000
	c.edits(b.ID, spclep.Arrived, true, "null")
	at := tw.now
	tw.now += 24 * 3_600_000
	c.reboots(dir, -17*365*24*3_600_000)
	c.edits(b.ID, spclep.FieldNote, false, `"mâine"`)
	for range 2 {
		if got := c.out(); got.Edits != 1 || got.Untimed != 1 || got.Left != 0 {
			t.Fatalf("carried out: %+v, want the one whose time is known", got)
		}
	}
	if err := c.db.SetNow(t.Context(), tw.now); err != nil {
		t.Fatal(err)
	}
	request := c.out()
	answer, done := tw.carry(request.File)
	if request.Edits != 2 || request.Untimed != 0 || done.Edits != 2 {
		t.Fatalf("with the hour told: %+v, taken %+v", request, done)
	}
	log, err := tw.hub.History(t.Context(), "covasna", 0)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int64{at, tw.now} {
		if got := log[len(log)-2+i].Effective.Ms(); got < want-1000 || got > want+1000 {
			t.Errorf("edit %d counts as of %d, want %d", i+1, got, want)
		}
	}
	if b := c.in(answer); b.Unsent != 0 {
		t.Errorf("brought in: %+v", b)
	}
}

// The line comes back before the answer does, and more was done since.
func TestTheLineIsBackFirst(t *testing.T) {
	tw := newTown(t)
	b := tw.book("covasna", 0)
	c := tw.carrier("one")
	c.settles()
	c.edits(b.ID, spclep.Arrived, true, "null")
	request := c.out()
	answer, _ := tw.carry(request.File)
	tw.now += 60_000
	c.edits(b.ID, spclep.FieldNote, false, `"după"`)
	c.counter = request.Number
	c.settles()
	head := tw.head()
	if got := c.in(answer); !got.Stale || got.Unsent != 0 || got.Pulled != 0 {
		t.Errorf("the old answer: %+v", got)
	}
	c.inStep()
	// A file that is older than a hundred exchanges over the line: the hub cannot
	// tell any more whether it has had it, and takes nothing.
	late := c.out()
	if _, err := tw.hub.Carry(t.Context(), late.File, io.Discard); err == nil || !strings.Contains(err.Error(), "has been heard since") {
		t.Errorf("a file from before: %v", err)
	}
	if tw.head() != head {
		t.Errorf("the log ends at %d, not at %d", tw.head(), head)
	}
}

// What the hub takes of no one, and no PC of any hub.
func TestCarriedAndTurnedAway(t *testing.T) {
	tw, far := newTown(t), townOn(t, memory.New(), hub.Config{})
	b := tw.book("covasna", 0)
	c, other := tw.carrier("one"), tw.carrier("two")
	c.settles()
	other.settles()
	c.edits(b.ID, spclep.Arrived, true, "null")
	file := c.out().File
	head := tw.head()
	codec, err := wire.NewCodec()
	if err != nil {
		t.Fatal(err)
	}
	bomb, _ := codec.Pack(make([]byte, wire.MaxDecoded+1))
	over := wire.CarryRequest(c.key, 900, mustJSON(t, c.request()))
	for name, f := range map[string][]byte{
		"a stranger's":             wire.CarryRequest(keyOf("stranger"), 1, []byte("{}")),
		"with a changed body":      append(bytes.Clone(file[:len(file)-1]), file[len(file)-1]^1),
		"cut":                      file[:len(file)-1],
		"an answer":                wire.CarriedAnswers(),
		"a bomb":                   wire.CarryRequest(c.key, 901, bomb),
		"a request for the line":   bytes.Replace(over, over, signedForTheLine(t, c, over), 1),
		"with a body that is none": wire.CarryRequest(c.key, 902, []byte("<html>")),
	} {
		var answer bytes.Buffer
		if _, err := tw.hub.Carry(t.Context(), f, &answer); err == nil || len(err.Error()) < 20 || answer.Len() > 0 {
			t.Errorf("%s: %v, with %d bytes of answer", name, err, answer.Len())
		}
	}
	if tw.head() != head {
		t.Error("something of it was taken")
	}
	answer, _ := tw.carry(file)
	var bad *wire.CarriedError
	if _, err := other.link.CarryIn(t.Context(), answer); !errors.As(err, &bad) || bad.Code != wire.CarriedOther {
		t.Errorf("on another PC: %v", err)
	}
	stranger := far.enrol("one", "covasna")
	foreign, _ := far.carry(wire.CarryRequest(stranger.key, 5, mustJSON(t, stranger.request())))
	if _, err := c.link.CarryIn(t.Context(), foreign); !errors.As(err, &bad) {
		t.Errorf("another hub's answer: %v", err)
	}
	if c.unsent() != 1 {
		t.Errorf("%d edits wait, want the one", c.unsent())
	}
	if err := tw.hub.Revoke(t.Context(), c.device()); err != nil {
		t.Fatal(err)
	}
	if _, err := tw.hub.Carry(t.Context(), file, io.Discard); err == nil || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("of a revoked PC: %v", err)
	}
}

// signedForTheLine is the same request under the signature of one over the line.
func signedForTheLine(t *testing.T, c *carrier, file []byte) []byte {
	t.Helper()
	_, body, err := wire.ParseCarriedRequest(file)
	if err != nil {
		t.Fatal(err)
	}
	carried := wire.SignRequest(c.key, 900, wire.CarriedPath, body)
	return bytes.Replace(file, []byte(carried), []byte(wire.SignRequest(c.key, 900, "/v1/sync", body)), 1)
}

// A fresh PC, or one after the hub was set back, gets more than one answer
// holds: they stand in the file one after the other, its own edit whole among
// them.
func TestCarriedWholeLog(t *testing.T) {
	tw := townInMemory(t)
	author := tw.enrol("author", "covasna")
	const edits = 6000
	for range edits {
		author.writes("BKNG2345", spclep.FieldNote, false, "x")
		if len(author.log)%wire.MaxOps == 0 {
			author.send(author.request(author.log[len(author.log)-wire.MaxOps:]...))
		}
	}
	c := tw.carrier("one")
	c.edits("BKNG2345", spclep.FieldNote, false, `"y"`)
	answer, done := tw.carry(c.out().File)
	if done.Answers < 2 || !done.Whole {
		t.Fatalf("the hub says %+v, want several answers", done)
	}
	if b := c.in(answer); b.Pulled != edits+1 || b.More || b.Unsent != 0 {
		t.Errorf("brought in: %+v", b)
	}
	c.inStep()
}

// The hub's log has begun another life. The stick's answer says so, all is
// compared anew, and the next journey brings registration numbers again.
func TestCarriedToAnotherLifeOfTheLog(t *testing.T) {
	tw := newTown(t)
	b := tw.book("covasna", 0)
	c := tw.carrier("one")
	c.settles()
	c.edits(b.ID, spclep.Arrived, true, "null")
	c.settles()
	if err := tw.store.Write(t.Context(), "covasna", func(tx store.Tx) error { return tx.SetEpoch("00000000000000ff") }); err != nil {
		t.Fatal(err)
	}
	tw.now += 60_000
	answer, _ := tw.carry(c.out().File)
	if got := c.in(answer); got.Stale || !got.More {
		t.Errorf("brought in: %+v; want one more journey, for new registration numbers", got)
	}
	answer, _ = tw.carry(c.out().File)
	if got := c.in(answer); got.Unsent != 0 || got.More {
		t.Errorf("the second journey: %+v", got)
	}
	c.inStep()
	if tw.head() != 2 {
		t.Errorf("the log ends at %d, want 2", tw.head())
	}
}
