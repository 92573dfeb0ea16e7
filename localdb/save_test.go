package localdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/wire"
)

// filled is a PC that has had ten bookings from the hub and has written two
// actions, all answered.
func filled(t *testing.T) (*counter, *town) {
	c, tn := newCounter(t), newTown(t)
	for i := range 10 {
		tn.booked(uint64(i+1), fmt.Sprintf("222222%02d", i+22), "Mostră Ion")
	}
	c.syncAll(tn)
	c.arrive("22222222")
	c.arrive("22222223")
	c.syncAll(tn)
	return c, tn
}

func (c *counter) where() wire.Request {
	c.Helper()
	w, err := c.Where(c.Context())
	c.must(err)
	return w
}

// Answers come twice, overlap and are older than what is here: nothing changes.
func TestAnswersAgain(t *testing.T) {
	c, tn := filled(t)
	before := c.everything()
	for from := int64(0); from <= 12; from++ {
		for _, own := range []uint64{0, 2} {
			out := c.save(tn.answer(wire.Request{Epoch: "e1", Cursor: from, Own: own}), from%2 == 0)
			if out.Pulled != 0 || out.More || c.everything() != before || c.where().Cursor != 12 {
				t.Fatalf("an answer after %d: %+v, cursor %d", from, out, c.where().Cursor)
			}
		}
	}
	// One that overlaps and goes on.
	tn.written(otherPC, 1, storyNoon, factDraft("22222224", spclep.Arrived, nil))
	if out := c.save(tn.answer(wire.Request{Epoch: "e1", Cursor: 7}), true); out.Pulled != 1 || c.state("22222224") != spclep.StateArrived {
		t.Errorf("%+v, %s", out, c.state("22222224"))
	}
	// One that does not join on is left, and asked for again.
	tn.written(otherPC, 2, storyNoon, factDraft("22222225", spclep.Arrived, nil))
	tn.written(otherPC, 3, storyNoon, factDraft("22222226", spclep.Arrived, nil))
	if out := c.save(tn.answer(wire.Request{Epoch: "e1", Cursor: 14}), true); !out.More || c.where().Cursor != 13 || c.state("22222226") != spclep.StateBooked {
		t.Errorf("after a hole: %+v, cursor %d", out, c.where().Cursor)
	}
}

// A verdict and its entry are lost and come again later; in between the same op
// is sent again, the same bytes.
func TestVerdictLost(t *testing.T) {
	c, tn := filled(t)
	c.arrive("22222224")
	first := c.outbox()
	tn.put(thisPC, first[0], 0) // arrived there; the answer never came back
	if again := c.outbox(); string(again[0]) != string(first[0]) {
		t.Fatalf("sent %s and then %s", first[0], again[0])
	}
	c.syncAll(tn)
	if len(tn.log) != 13 || c.unsent() != 0 {
		t.Errorf("the hub holds %d, %d unsent", len(tn.log), c.unsent())
	}
}

// A refused op is put aside with its reason, is not part of the record, and
// everything after it flows.
func TestRefusedIsQuarantined(t *testing.T) {
	c, tn := filled(t)
	c.arrive("22222224")
	bad := c.arrive("22222225")
	c.arrive("22222226")
	tn.no[bad.Action] = "the booking was deleted <by law>"
	c.syncAll(tn)
	if len(tn.log) != 14 || c.unsent() != 0 || c.state("22222225") != spclep.StateBooked || c.state("22222226") != spclep.StateArrived {
		t.Errorf("the hub holds %d, %d unsent; %s %s", len(tn.log), c.unsent(), c.state("22222225"), c.state("22222226"))
	}
	st, err := c.Standing(t.Context())
	if err != nil || st.Refused != 1 {
		t.Errorf("standing %+v, %v", st, err)
	}
	q, err := c.Queue(t.Context(), 10)
	c.must(err)
	if q[0].ID != bad.Action || q[0].Verdict != wire.Refused || q[0].Say != tn.no[bad.Action] {
		t.Errorf("the queue begins with %+v", q[0])
	}
	// Further exchanges do not wake what was answered.
	for range 3 {
		if out := c.sync(tn); out.Unsent != 0 || out.More {
			t.Fatalf("at rest: %+v", out)
		}
	}
	// Kept through a restart and through the loss of the database.
	c.must(c.Close())
	c.must(os.Remove(c.path(DBName)))
	c.open()
	c.syncAll(tn)
	if st, err := c.Standing(t.Context()); err != nil || st.Refused != 1 || len(tn.log) != 14 {
		t.Errorf("after the loss: %+v, the hub holds %d", st, len(tn.log))
	}
}

// What the hub refused stays in the journal when a fresh one is begun.
func TestTidyKeepsWhatWasRefused(t *testing.T) {
	c, tn := filled(t)
	bad := c.arrive("22222224")
	tn.no[bad.Action] = "no"
	note := strings.Repeat("n", 30_000)
	for i := range 10 {
		c.register(fmt.Sprintf("333333%02d", i+22), spclep.FieldNote, note)
	}
	c.syncAll(tn)
	c.must(c.Tidy(t.Context()))
	text := fileText(c, JournalName)
	if len(text) > 4000 || !strings.Contains(text, "22222224/arrived") {
		t.Errorf("a journal of %d bytes: %.500s", len(text), text)
	}
}

// The hub gives another time to an op from the future: it is taken over, and the
// record shows it.
func TestClamped(t *testing.T) {
	c, tn := filled(t)
	c.arrive("22222224")
	raw := c.outbox()[0]
	v := tn.put(thisPC, raw, hlc.At(storyNoon-777))
	c.save(tn.answer(wire.Request{Epoch: "e1", Cursor: 12, Own: 3}, v), true)
	b, err := c.Booking(t.Context(), "22222224")
	c.must(err)
	if got := b.Visit.First[spclep.Arrived].AtMs; got != storyNoon-777 {
		t.Errorf("arrived at %+d ms", got-storyNoon)
	}
	if got := string(b.Facts[len(b.Facts)-1].Signed); got != string(raw) {
		t.Errorf("the signed bytes changed: %s", got)
	}
}

// The hub was restored from a backup: it has another epoch and lacks the end.
// What it acknowledged before is sent again, under the same ids.
func TestHubRestored(t *testing.T) {
	c, tn := filled(t)
	c.arrive("22222224")
	c.syncAll(tn)
	backup := newTown(t)
	backup.epoch = "e2"
	for _, e := range tn.log[:11] { // the last two of this PC's are gone
		backup.put(e.Device, e.Op, e.Eff)
	}
	out := c.sync(backup)
	if !out.Reset || out.Unsent == 0 {
		t.Errorf("the new epoch was answered with %+v", out)
	}
	c.syncAll(backup)
	if len(backup.log) != 13 || c.state("22222224") != spclep.StateArrived {
		t.Errorf("the restored hub holds %d", len(backup.log))
	}
	// A poll that the old hub had answered comes in late: it resets nothing.
	before := c.everything()
	if out := c.save(tn.answer(wire.Request{Epoch: "e1", Cursor: 5}), false); out.Reset || !out.More || c.everything() != before || c.where().Epoch != "e2" {
		t.Errorf("a late poll: %+v, epoch %s", out, c.where().Epoch)
	}
}

// The hub lost the end of this PC's log without a new epoch: it says so by Have.
func TestHaveRegresses(t *testing.T) {
	c, tn := filled(t)
	c.arrive("22222224")
	c.syncAll(tn)
	a := tn.answer(c.where())
	a.Have = 2
	if out := c.save(a, true); out.Unsent != 1 {
		t.Errorf("%+v, want one op to be sent again", out)
	}
	c.syncAll(tn)
	if len(tn.log) != 13 {
		t.Errorf("the hub holds %d", len(tn.log))
	}
}

// The disk was set back to an earlier image (or the whole folder was lost but
// for the key), and clerks went on before the line was there. The hub holds
// other edits under the same numbers. Nothing of either is lost.
func TestSetBack(t *testing.T) {
	for story, lost := range map[string]func(c *counter, image string){
		"to an image": func(c *counter, image string) {
			c.dir = image
		},
		"to nothing": func(c *counter, _ string) {
			c.must(os.RemoveAll(c.dir))
		},
	} {
		t.Run(story, func(t *testing.T) {
			c, tn := newCounter(t), newTown(t)
			for i := range 10 {
				tn.booked(uint64(i+1), fmt.Sprintf("222222%02d", i+22), "Mostră Ion")
			}
			c.arrive("22222222")
			c.syncAll(tn)
			image := t.TempDir()
			c.must(c.Close())
			copyFolder(c, image)
			c.open()
			c.arrive("22222223")
			c.register("22222223", spclep.FieldNote, "de dinainte")
			c.syncAll(tn)
			c.must(c.Close())

			lost(c, image)
			c.newBoot("b2")
			c.open()
			r := c.write("form", "22222224", factDraft("22222224", spclep.Arrived, nil), factDraft("22222224", spclep.Filed, spclep.FiledValue{Number: "2-00009"}))
			c.register("22222224", spclep.FieldNote, "unu")
			c.register("22222224", spclep.FieldNote, "doi")
			undone := c.arrive("22222225")
			c.write("", "22222225", factDraft("22222225", spclep.Undone, spclep.UndoneValue{Action: undone.Action.String()}))
			if _, has := tn.at[r.Action]; !has {
				t.Fatal("the story needs a number that the hub holds already")
			}
			c.syncAll(tn)
			check := func(when string) {
				t.Helper()
				b, err := c.Booking(t.Context(), "22222224")
				c.must(err)
				if b.Visit.State != spclep.StateFiled || b.Note != "doi" || len(b.Conflicts()) > 0 || c.state("22222225") == spclep.StateArrived ||
					c.state("22222222") != spclep.StateArrived || c.state("22222223") != spclep.StateArrived {
					t.Errorf("%s: %s, note %q, %d conflicts; %q %q %q", when, b.Visit.State, b.Note, len(b.Conflicts()), c.state("22222225"), c.state("22222222"), c.state("22222223"))
				}
				if st, err := c.Standing(t.Context()); err != nil || st.Refused != 0 || st.Cursor != st.Head {
					t.Errorf("%s: %+v, %v", when, st, err)
				}
			}
			check("synced")
			if len(tn.log) != 10+3+6 {
				t.Errorf("the hub holds %d ops", len(tn.log))
			}
			again := c.write("form", "22222224", factDraft("22222224", spclep.Arrived, nil))
			if b, err := c.Booking(t.Context(), "22222224"); err != nil || !again.Again || b.Facts[1].ActionID() != again.Action {
				t.Errorf("the form sent again gives %+v", again)
			}
			c.must(c.Close())
			c.must(os.Remove(c.path(DBName)))
			c.open()
			c.syncAll(tn)
			check("after the database was lost as well")
			if len(tn.log) != 10+3+6 {
				t.Errorf("the hub holds %d ops after all", len(tn.log))
			}
		})
	}
}

// An op that was sealed and sent clashes with another at the hub: another
// machine writes under this PC's name. Nothing more is taken from the hub until
// this one has a name of its own; then both edits count, and the forms that were
// sent before answer with the new numbers.
func TestClashTakesAnotherName(t *testing.T) {
	c, tn := filled(t)
	mine := c.write("form", "22222224", factDraft("22222224", spclep.Arrived, nil), factDraft("22222224", spclep.Filed, spclep.FiledValue{Number: "2-00009"}))
	c.outbox() // sealed
	other, err := wire.EncodeOp(op.Op{ID: mine.Action, Action: mine.Action.Seq, Cell: record.Cell("22222225", spclep.Arrived), Fact: true, Time: hlc.At(storyNoon)})
	c.must(err)
	tn.put(thisPC, other, 0)
	later := c.arrive("22222226")
	c.outbox()
	for range 3 {
		if out := c.save(tn.answer(c.where()), true); !out.Rekey {
			t.Fatalf("%+v, want another key", out)
		}
	}
	marks, err := c.UnsentMarks(t.Context())
	c.must(err)
	if len(marks) != 3 || marks[0].Seq != mine.Action.Seq || c.state("22222224") != spclep.StateFiled {
		t.Errorf("%d edits without an answer, %s", len(marks), c.state("22222224"))
	}

	// The second op of the action is on the hub after all, the answer was lost.
	raw := c.raw(op.ID{Device: thisPC, Seq: mine.Action.Seq + 1})
	c.must(c.Rekey(t.Context(), wire.Enrolled{Device: newPC, Office: "covasna", Desk: 3, Held: []uint64{mine.Action.Seq + 1}}))
	if again := c.write("form", "22222224"); !again.Again || again.Action != (op.ID{Device: newPC, Seq: 1}) {
		t.Errorf("the form answers %+v", again)
	}
	tn.put(thisPC, raw, 0)
	tn.pc = newPC
	for _, lost := range []bool{false, true} {
		c.must(c.Close())
		if lost {
			c.must(os.Remove(c.path(DBName)))
		}
		c.open()
		c.syncAll(tn)
		got := string(c.state("22222224") + " " + c.state("22222225") + " " + c.state("22222226"))
		if c.Device() != newPC || got != "filed arrived arrived" || len(tn.log) != 16 || tn.at[later.Action] != 0 {
			t.Errorf("database lost %v: %s, the bookings are %s, %d on the hub", lost, c.Device(), got, len(tn.log))
		}
	}
}

func (c *counter) raw(id op.ID) (raw []byte) {
	c.Helper()
	c.must(c.look(context.Background(), func(t *rtx) error {
		k, _, err := t.Op(id)
		raw = k.Raw
		return err
	}))
	return raw
}

// A request that was older than what this PC has read since reached a hub that
// was set back: the hub gives a place that is another op's here. Nothing is lost
// and the line goes on: all places are taken back and the log is read anew.
func TestAVerdictAtATakenPlace(t *testing.T) {
	c, tn := filled(t)
	c.arrive("22222226")
	tn.written(otherPC, 1, storyNoon, factDraft("22222224", spclep.Arrived, nil))
	a := tn.answer(c.where())
	a.Verdicts = []wire.Verdict{{Seq: 3, Pos: 5}}
	out, err := c.Save(t.Context(), a, c.clock, c.clock, true)
	if err != nil || !out.Reset || c.where().Cursor != 0 {
		t.Fatalf("%+v, %v; it stands at %d", out, err, c.where().Cursor)
	}
	if c.state("22222226") != spclep.StateArrived {
		t.Error("the check-in is gone")
	}
	c.syncAll(tn)
	if c.state("22222226") != spclep.StateArrived || c.state("22222224") != spclep.StateArrived || c.unsent() != 0 {
		t.Errorf("after the log was read anew: %s, %s, %d unsent", c.state("22222226"), c.state("22222224"), c.unsent())
	}
}

// An entry that this program cannot read is kept as it came and holds nothing
// up; an own op that the hub speaks of by number, and that is not here, is asked
// for in full.
func TestOddEntries(t *testing.T) {
	c, tn := filled(t)
	tn.written(otherPC, 1, storyNoon, factDraft("22222224", spclep.Arrived, nil))
	odd := tn.answer(c.where())
	odd.Entries[0].Op = []byte(`{"q":1,"c":7,"from":"a program of next year"}`)
	c.save(odd, true)
	if w := c.where(); w.Cursor != odd.Cursor || w.Tip != otherPC.String()+":1" || c.state("22222224") != spclep.StateBooked {
		t.Errorf("it stands at %d, %s", w.Cursor, w.Tip)
	}
	if unsent := c.unsent(); unsent != 0 {
		t.Errorf("%d unsent", unsent)
	}
	missing := tn.answer(c.where())
	missing.Entries, missing.Head = []wire.Entry{{Pos: odd.Cursor + 1, Seq: 3}}, odd.Cursor+1
	if out := c.save(missing, true); !out.Stuck || c.where().Cursor != odd.Cursor || c.where().Own != 0 {
		t.Errorf("%+v, own %d", out, c.where().Own)
	}
}

// Without a measure of this boot nothing is sealed.
func TestNoAnchorNoSeal(t *testing.T) {
	c, tn := filled(t)
	c.newBoot("b2")
	c.arrive("22222224")
	if _, err := c.Outbox(t.Context(), 10, 1<<20); !errors.Is(err, ErrNoAnchor) {
		t.Errorf("sealed in an unmeasured boot: %v", err)
	}
	c.syncAll(tn)
	if len(tn.log) != 13 {
		t.Errorf("the hub holds %d", len(tn.log))
	}
}

// The PC was in touch at noon, then switched off and on with a dead clock,
// worked an hour without a line, was switched off and on again, and finds the
// hub two hours later: the edits lie after noon and before the last switching
// on, though nothing was sealed since last week and the clock stood at 2009.
func TestDeadClockAfterContact(t *testing.T) {
	c, tn := filled(t)
	c.later(7 * 86_400_000) // quiet days: nothing was written, the hub was heard
	tn.now += 7 * 86_400_000
	c.sync(tn)
	noon := tn.now

	c.newBoot("b2")
	c.clock.Wall = 1_230_768_000_000
	c.arrive("22222224")
	c.later(3_600_000)
	c.register("22222224", spclep.FieldNote, "vine cu mama")
	c.newBoot("b3") // with a new battery, and the clock set
	tn.now = noon + 2*3_600_000
	c.clock.Wall = tn.now - 60_000
	c.later(60_000)
	c.syncAll(tn)

	b, err := c.Booking(t.Context(), "22222224")
	c.must(err)
	came, noted := b.Facts[len(b.Facts)-1].Eff.Ms(), b.Fields[spclep.FieldNote].Winner.Eff.Ms()
	if on := tn.now - 60_010; came < noon || noted > on || noted-came != 3_600_000 {
		t.Errorf("arrived %d ms after noon, noted %d ms later and %d ms before the PC was switched on", came-noon, noted-came, on-noted)
	}
}

// Request numbers are never used twice, whatever stops in between.
func TestCounterNeverRunsBack(t *testing.T) {
	c := newCounter(t)
	used := uint64(0)
	for round := range 5 {
		n, err := c.Counter(t.Context(), 0)
		c.must(err)
		if n <= used {
			t.Fatalf("round %d: number %d after %d", round, n, used)
		}
		for used = n; used < n+2500; used += 3 {
			if _, err := c.Counter(t.Context(), used); err != nil {
				t.Fatal(err)
			}
		}
		c.reopen()
	}
	if n, err := c.Counter(t.Context(), 1<<40); err != nil || n <= 1<<40 {
		t.Errorf("after the hub named %d it is %d, %v", 1<<40, n, err)
	}
}
