package localdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/hlc"
	"condica/sync/op"
)

// What a clerk did is there after the service was closed and opened again, and
// the journal alone would do.
func TestEditIsDurable(t *testing.T) {
	c := newCounter(t)
	r := c.arrive("7F3KQRST")
	if r.Action != (op.ID{Device: thisPC, Seq: 1}) || r.AtMs != storyNoon || r.Again {
		t.Errorf("receipt %+v", r)
	}
	c.reopen()
	if len(c.report) > 0 || c.state("7F3KQRST") != spclep.StateArrived {
		t.Errorf("after a restart: %s, report %v", c.state("7F3KQRST"), c.report)
	}
	text, err := os.ReadFile(c.path(JournalName))
	if err != nil || !strings.Contains(string(text), "7F3KQRST/arrived") {
		t.Errorf("the journal does not hold the arrival: %s", text)
	}
	if r := c.arrive("8F3KQRST"); r.Action.Seq != 2 {
		t.Errorf("the next action has number %d", r.Action.Seq)
	}
}

// A form sent twice acts once, and says what it did then; also after a restart
// and after the database was lost.
func TestSameKeyActsOnce(t *testing.T) {
	c := newCounter(t)
	first := c.write("form-1", "7F3KQRST", factDraft("7F3KQRST", spclep.Arrived, nil))
	for _, story := range []string{"at once", "after a restart", "after the database was lost"} {
		switch story {
		case "after a restart":
			c.reopen()
		case "after the database was lost":
			c.must(c.Close())
			c.must(os.Remove(c.path(DBName)))
			c.open()
		}
		again := c.write("form-1", "7F3KQRST", factDraft("7F3KQRST", spclep.Arrived, nil))
		if !again.Again || again.Action != first.Action || again.AtMs != first.AtMs || c.unsent() != 1 {
			t.Errorf("%s: %+v, want %+v again; %d ops", story, again, first, c.unsent())
		}
	}
}

// A refusal is given back as it is and writes nothing, nowhere.
func TestRefusalWritesNothing(t *testing.T) {
	c := newCounter(t)
	c.arrive("7F3KQRST")
	before, journal := c.everything(), fileText(c, JournalName)
	no := errors.New("B16: it is closed")
	for story, decide := range map[string]func(record.Booking, Place) ([]op.Draft, error){
		"refused": func(record.Booking, Place) ([]op.Draft, error) { return nil, no },
		"nothing": func(record.Booking, Place) ([]op.Draft, error) { return nil, nil },
		"what nobody can read": func(record.Booking, Place) ([]op.Draft, error) {
			return []op.Draft{factDraft("7F3KQRST", spclep.Ready, nil), {Cell: op.Cell{Kind: "booking", Entity: "7F3KQRST", Field: "a/b"}}}, nil
		},
		"a long reason": func(record.Booking, Place) ([]op.Draft, error) {
			return []op.Draft{{Cell: op.Cell{Kind: "other", Entity: "x", Field: "y"}, Why: strings.Repeat("x", 5000)}}, nil
		},
	} {
		_, err := c.Edit(t.Context(), "k-"+story, "Ana", "7F3KQRST", decide)
		if err == nil || story == "refused" && err != no {
			t.Errorf("%s: error %v", story, err)
		}
		if c.everything() != before || fileText(c, JournalName) != journal {
			t.Errorf("%s: something was written", story)
		}
	}
	if r := c.arrive("8F3KQRST"); r.Action.Seq != 2 {
		t.Errorf("a refusal used up number %d", r.Action.Seq-1)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := c.Edit(ctx, "", "Ana", "7F3KQRST", func(record.Booking, Place) ([]op.Draft, error) {
		cancel() // the browser went away in the middle
		return []op.Draft{factDraft("7F3KQRST", spclep.Ready, nil)}, nil
	})
	if err == nil || c.state("7F3KQRST") != spclep.StateArrived {
		t.Errorf("an edit whose caller was gone: %v, state %s", err, c.state("7F3KQRST"))
	}
	c.arrive("9F3KQRST")
	c.reopen()
	if len(c.report) > 0 || c.unsent() != 3 {
		t.Errorf("after it: %d ops, report %v", c.unsent(), c.report)
	}
}

func fileText(c *counter, name string) string {
	b, err := os.ReadFile(c.path(name))
	c.must(err)
	return string(b)
}

// Whatever the PC's clock shows, the times of actions rise.
func TestTimesRise(t *testing.T) {
	c := newCounter(t)
	last := int64(0)
	for i, wall := range []int64{storyNoon, 0, storyNoon - 5, 2_840_140_800_000, storyNoon, -7} {
		c.clock.Wall = wall
		if i == 3 {
			c.reopen()
		}
		r := c.arrive(fmt.Sprintf("%dF3KQRST", i+2))
		b, err := c.Booking(t.Context(), spclep.BookingID(fmt.Sprintf("%dF3KQRST", i+2)))
		c.must(err)
		if now := int64(b.Facts[0].Eff); now <= last {
			t.Fatalf("clock at %d: time %v after %v", wall, hlc.Time(now), hlc.Time(last))
		} else {
			last = now
		}
		if r.AtMs < storyNoon {
			t.Errorf("clock at %d: receipt says %d", wall, r.AtMs)
		}
	}
}

// Many clerks' pages write and read at once; every action gets its own number
// and is on disk.
func TestManyAtOnce(t *testing.T) {
	c := newCounter(t)
	tn := newTown(t)
	c.sync(tn)
	const pages, each = 8, 15
	var wg sync.WaitGroup
	seen := make([]map[uint64]bool, pages)
	for p := range pages {
		seen[p] = map[uint64]bool{}
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("%d2%02dKQRS", p+2, i+22)
				r, err := c.Edit(t.Context(), "", "Ana", spclep.BookingID(id), func(record.Booking, Place) ([]op.Draft, error) {
					return []op.Draft{factDraft(id, spclep.Arrived, nil), factDraft(id, spclep.Ready, nil)}, nil
				})
				if err != nil {
					t.Error(err)
					return
				}
				seen[p][r.Action.Seq] = true
				if _, err := c.Search(t.Context(), id, 20780, 5); err != nil {
					t.Error(err)
				}
				if _, err := c.Counter(t.Context(), uint64(i*100)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	stop := make(chan struct{})
	var hub sync.WaitGroup
	hub.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				c.sync(tn)
			}
		}
	})
	wg.Wait()
	close(stop)
	hub.Wait()
	c.syncAll(tn)
	all := map[uint64]bool{}
	for _, s := range seen {
		for seq := range s {
			all[seq] = true
		}
	}
	if len(all) != pages*each || len(tn.log) != 2*pages*each {
		t.Errorf("%d actions have %d numbers, and the hub holds %d ops", pages*each, len(all), len(tn.log))
	}
	c.reopen()
	if len(c.report) > 0 {
		t.Errorf("report %v", c.report)
	}
}

// A script does three things while a coarse clock shows the same: they are three
// things, and none is taken for another under a second name.
func TestThreeActionsInOneMoment(t *testing.T) {
	c := newCounter(t)
	first := c.arrive("22222222")
	c.write("", "22222222", factDraft("22222222", spclep.Undone, spclep.UndoneValue{Action: first.Action.String()}))
	c.arrive("22222222")
	if got := c.state("22222222"); got != spclep.StateArrived {
		t.Errorf("arrived, taken back, arrived again: %s", got)
	}
}
