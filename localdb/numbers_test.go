package localdb

import (
	"context"
	"fmt"
	"hash/crc32"
	"os"
	"reflect"
	"strings"
	"testing"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
	"condica/sync/peer"
	"condica/sync/wire"
)

// files takes an application under the number that is due, and gives it.
func (c *counter) files(id string) (number string) {
	c.Helper()
	_, err := c.Edit(context.Background(), "", "Ana", spclep.BookingID(id), func(_ record.Booking, p Place) ([]op.Draft, error) {
		number = p.Number
		return []op.Draft{factDraft(id, spclep.Arrived, nil), factDraft(id, spclep.Filed, spclep.FiledValue{Number: number})}, nil
	})
	c.must(err)
	return number
}

// typed is an application whose number came from elsewhere.
func typed(id, number string) op.Draft {
	return factDraft(id, spclep.Filed, spclep.FiledValue{Number: number})
}

// given is an answer of the hub with numbers in it.
func (c *counter) given(tn *town, n wire.Numbers) peer.Outcome {
	c.Helper()
	a := tn.answer(c.where())
	a.Numbers = &n
	return c.save(a, true)
}

func (c *counter) left() int {
	c.Helper()
	st, err := c.Standing(context.Background())
	c.must(err)
	return st.NumbersLeft
}

func (c *counter) loseDatabase() {
	c.Helper()
	c.must(c.Close())
	c.must(os.Remove(c.path(DBName)))
	c.open()
}

// The hub has reserved numbers for this PC. It gives them one after the other,
// without a line, through restarts and the loss of its database, and goes on
// with its desk's own when they are used up: the clerk never waits.
func TestNumbersWithoutALine(t *testing.T) {
	c, tn := newCounter(t), newTown(t)
	if got := c.files("22222222"); got != "2-00001" {
		t.Errorf("before the hub was ever heard: %s", got)
	}
	c.given(tn, wire.Numbers{From: 1001, To: 1005})
	var got []string
	for i, between := range []func(){func() {}, c.reopen, c.loseDatabase, c.reopen, c.loseDatabase, func() {}, c.loseDatabase} {
		between()
		got = append(got, c.files(fmt.Sprintf("222222%02d", i+23)))
		if want := max(4-i, 0); c.left() != want {
			t.Errorf("after %v, %d numbers are left, want %d", got, c.left(), want)
		}
	}
	if say := strings.Join(got, " "); say != "1001 1002 1003 1004 1005 2-00002 2-00003" {
		t.Errorf("given: %s", say)
	}
}

// A stop between the journal's sync and the commit: the action is done, and so is
// its number.
func TestNumberOfAnActionThatIsOnlyInTheJournal(t *testing.T) {
	c, tn := newCounter(t), newTown(t)
	c.given(tn, wire.Numbers{From: 7, To: 9})
	before := t.TempDir()
	copyFolder(c, before)
	c.files("22222222")
	text := fileText(c, JournalName)
	c.must(c.Close())
	copyBack(c, before)
	c.must(os.WriteFile(c.path(JournalName), []byte(text), 0o600))
	c.open()
	if got := c.next(t); got != "8" || c.left() != 2 {
		t.Errorf("7 is given, and next comes %s of %d", got, c.left())
	}
}

func copyBack(c *counter, from string) {
	c.Helper()
	b, err := os.ReadFile(from + "/" + DBName)
	c.must(err)
	for _, ext := range []string{"-wal", "-shm"} {
		os.Remove(c.path(DBName + ext))
	}
	c.must(os.WriteFile(c.path(DBName), b, 0o600))
	if b, err = os.ReadFile(from + "/" + DBName + "-wal"); err == nil {
		c.must(os.WriteFile(c.path(DBName+"-wal"), b, 0o600))
	}
}

// A journal that speaks of numbers which no hub gives is not believed in that.
func TestNumbersThatNoHubGives(t *testing.T) {
	for _, free := range []string{`[{"f":9,"t":7}]`, `[{"f":0,"t":7}]`, `[{"f":1,"t":10000000}]`, `[{"f":10,"t":20},{"f":20,"t":30}]`} {
		c := newCounter(t)
		line := fmt.Sprintf(`{"d":"%s","next":2,"free":%s,"office":"covasna","desk":2}`, thisPC, free)
		text := fileText(c, JournalName) + fmt.Sprintf("%08x %s\n", crc32.Checksum([]byte(line), castagnoli), line)
		c.must(os.WriteFile(c.path(JournalName), []byte(text), 0o600))
		c.loseDatabase()
		if c.left() != 0 || c.next(t) != "2-00001" || !strings.Contains(strings.Join(c.report, "\n"), "1 records") {
			t.Errorf("%s: %d are left, next comes %s; report %v", free, c.left(), c.next(t), c.report)
		}
	}
}

// Each request says how many are left. More than four blocks are not kept, and
// what is no block is none.
func TestNumbersAreAskedFor(t *testing.T) {
	c, tn := newCounter(t), newTown(t)
	if at := c.where().Numbers; *at != (wire.NumbersAt{}) {
		t.Errorf("at first the PC says %+v", at)
	}
	for i, n := range []wire.Numbers{{From: 501, To: 1000}, {From: 2001, To: 2500}, {From: 1, To: 500}, {From: 3001, To: 3500}, {From: 4001, To: 4500}} {
		c.given(tn, n)
		if want := min(i+1, 4) * 500; c.left() != want || c.where().Numbers.Left != want {
			t.Errorf("after %d blocks %d are left, and %+v is said", i+1, c.left(), c.where().Numbers)
		}
	}
	if at := c.where().Numbers; at.Given != 3500 || c.next(t) != "1" {
		t.Errorf("the PC says %+v and gives %s", at, c.next(t))
	}
	d, tn := newCounter(t), newTown(t)
	for _, n := range []wire.Numbers{{}, {From: 5, To: 4}, {From: -5, To: 4}, {From: 1, To: 1 << 40}, {From: wire.NumberMax, To: wire.NumberMax + 1}} {
		if d.given(tn, n); d.left() != 0 {
			t.Errorf("the block %+v was taken: %d left", n, d.left())
		}
	}
}

// A number that somebody in the office has used is not given, whether it was seen
// before the block came or after; nor one that is held twice.
func TestUsedNumbersAreNotGiven(t *testing.T) {
	c, tn := newCounter(t), newTown(t)
	for i, number := range []string{"99", "101", "103/2026", "0104", "1000"} {
		tn.written(otherPC, uint64(i+1), storyNoon, typed(fmt.Sprintf("222222%02d", i+22), number))
	}
	c.given(tn, wire.Numbers{From: 98, To: 102})
	if c.given(tn, wire.Numbers{From: 101, To: 105}); c.left() != 6 {
		t.Errorf("%d numbers are left, want 98, 100, 102, 103, 104 and 105", c.left())
	}
	c.write("", "33333333", typed("33333333", "102"))
	tn.written(otherPC, 6, storyNoon, typed("44444444", "104"))
	c.syncAll(tn)
	c.reopen()
	var got []string
	for i := range 5 {
		got = append(got, c.files(fmt.Sprintf("555555%02d", i+22)))
	}
	if say := strings.Join(got, " "); say != "98 100 103 105 2-00001" {
		t.Errorf("given: %s", say)
	}
}

// Nobody knows who gives the numbers of a copied or forgotten block: they are
// dropped, also from the journal.
func TestNumbersAreDropped(t *testing.T) {
	for story, drop := range map[string]func(c *counter, tn *town){
		"another machine uses the key, and this PC has a new one": func(c *counter, tn *town) {
			c.must(c.Rekey(t.Context(), wire.Enrolled{Device: newPC, Office: "covasna", Desk: 2}))
			tn.pc = newPC
		},
		"the hub was set back, and says so by its epoch": func(c *counter, tn *town) {
			tn.epoch = "e2"
			if out := c.sync(tn); !out.More {
				t.Errorf("new numbers are not asked for at once: %+v", out)
			}
		},
		"the hub was set back, and says so itself": func(c *counter, tn *town) {
			if out := c.given(tn, wire.Numbers{Void: true}); !out.More {
				t.Errorf("new numbers are not asked for at once: %+v", out)
			}
		},
		"the PC was set back, and the hub holds more of its log": func(c *counter, tn *town) {
			tn.written(thisPC, 3, storyNoon, factDraft("44444444", spclep.Arrived, nil))
			tn.written(thisPC, 4, storyNoon, typed("44444444", "12"))
			c.sync(tn)
		},
		"the PC was set back, and went on before it heard": func(c *counter, tn *town) {
			tn.written(thisPC, 3, storyNoon, factDraft("44444444", spclep.Arrived, nil))
			c.newBoot("b2")
			for range 3 {
				c.arrive("33333333")
			}
			c.sync(tn)
		},
	} {
		for _, lost := range []bool{false, true} {
			c, tn := newCounter(t), newTown(t)
			c.given(tn, wire.Numbers{From: 11, To: 510})
			if got := c.files("22222222"); got != "11" {
				t.Fatalf("%s: the first number is %s", story, got)
			}
			c.syncAll(tn)
			if drop(c, tn); lost {
				c.loseDatabase()
			}
			if got := c.next(t); got != "2-00001" || *c.where().Numbers != (wire.NumbersAt{Known: c.where().Numbers.Known}) {
				t.Errorf("%s, the database lost %v: the next number is %s, and %+v is said", story, lost, got, c.where().Numbers)
			}
			c.syncAll(tn)
			if c.given(tn, wire.Numbers{From: 20_511, To: 21_010}); c.next(t) != "20511" {
				t.Errorf("%s: after a new block comes %s", story, c.next(t))
			}
		}
	}
}

// A hub that has lost something is told how far numbers were seen in use; any
// other is not, or a clerk who types the number of another register would lead
// the office's row astray.
func TestWhatAHubIsToldOfNumbers(t *testing.T) {
	c, tn := newCounter(t), newTown(t)
	c.given(tn, wire.Numbers{From: 1, To: 500})
	c.write("", "33333333", typed("33333333", "7777"))
	c.write("", "33333334", typed("33333334", "20261123"))
	c.syncAll(tn)
	if at := c.where().Numbers; at.Known != 0 || at.Given != 500 {
		t.Errorf("a hub that has all is told %+v", at)
	}
	tn.epoch, tn.log, tn.at, tn.have = "e2", nil, map[op.ID]int64{}, map[hlc.Device]uint64{}
	c.sync(tn)
	if at := c.where().Numbers; at.Known != 7777 || at.Given != 0 {
		t.Errorf("one that has lost all is told %+v", at)
	}
}

// Two bookings with one number are found; the same of one booking is none.
func TestTwoAlike(t *testing.T) {
	c, tn := newCounter(t), newTown(t)
	if got, err := c.TwoAlike(t.Context()); err != nil || len(got) != 0 {
		t.Errorf("in an empty office: %v, %v", got, err)
	}
	tn.written(otherPC, 1, storyNoon, typed("22222222", "12"))
	tn.written(otherPC, 2, storyNoon, typed("22222223", "13"))
	tn.written(otherPC, 3, storyNoon, typed("22222225", "2-00004"))
	c.write("", "22222224", factDraft("22222224", spclep.Arrived, nil), typed("22222224", "12"))
	c.write("", "22222226", factDraft("22222226", spclep.Arrived, nil), typed("22222226", "2-00004"))
	c.arrive("22222227")
	c.syncAll(tn)
	got, err := c.TwoAlike(t.Context())
	var said []string
	for _, a := range got {
		for _, r := range a.Rows {
			said = append(said, a.Number+" "+string(r.ID))
		}
	}
	if say := strings.Join(said, ", "); err != nil || len(got) != 2 || say != "12 22222222, 12 22222224, 2-00004 22222225, 2-00004 22222226" {
		t.Errorf("%v, %s", err, say)
	}
}

// Every PC knows what the others are called; the hub says it once.
func TestDesks(t *testing.T) {
	c, tn := newCounter(t), newTown(t)
	desks := func() map[hlc.Device]Desk {
		t.Helper()
		got, err := c.Desks(t.Context())
		c.must(err)
		return got
	}
	if got := desks(); !reflect.DeepEqual(got, map[hlc.Device]Desk{thisPC: {Number: 2}}) || c.where().Desks != wire.DesksSum(nil) {
		t.Errorf("before the hub was heard: %v", got)
	}
	list := []wire.Desk{{Device: otherPC, Desk: 1, Name: "Ghișeul de lângă ușă"}, {Device: thisPC, Desk: 2, Name: "Ghișeul 2"}}
	want := map[hlc.Device]Desk{otherPC: {1, "Ghișeul de lângă ușă"}, thisPC: {2, "Ghișeul 2"}}
	for _, l := range [][]wire.Desk{list, nil} {
		a := tn.answer(c.where())
		a.Desks = l
		c.save(a, true)
		if got := desks(); !reflect.DeepEqual(got, want) || c.where().Desks != wire.DesksSum(list) {
			t.Errorf("after the list %v: %v", l, got)
		}
	}
	c.reopen()
	if !reflect.DeepEqual(desks(), want) {
		t.Errorf("after a restart: %v", desks())
	}
	a := tn.answer(c.where())
	a.Desks = []wire.Desk{{Device: otherPC, Desk: 3, Name: "x"}}
	c.save(a, true)
	if got := desks(); len(got) != 2 || got[otherPC].Number != 3 || got[thisPC] != (Desk{Number: 2}) {
		t.Errorf("after another list: %v", got)
	}
	c.loseDatabase()
	if c.where().Desks != wire.DesksSum(nil) {
		t.Error("with its database lost the PC does not ask again")
	}
}
