package localdb

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/op"
	"condica/sync/wire"
)

// Power is cut at every byte of the last record: what was acknowledged before
// is there, the torn record is not, and the next action goes on in its place.
func TestJournalCutAtEveryByte(t *testing.T) {
	c := newCounter(t)
	c.arrive("22222222")
	c.arrive("33333333")
	c.must(c.Close())
	whole, err := os.ReadFile(c.path(JournalName))
	c.must(err)
	start := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for cut := start; cut <= len(whole); cut++ {
		d := &counter{TB: t, dir: t.TempDir(), clock: c.clock}
		d.must(os.WriteFile(d.path(JournalName), whole[:cut], 0o600))
		d.open()
		last := spclep.StateNone
		if cut == len(whole) {
			last = spclep.StateArrived
		}
		if d.state("22222222") != spclep.StateArrived || d.state("33333333") != last {
			t.Fatalf("cut at byte %d of %d: %q %q", cut-start, len(whole)-start, d.state("22222222"), d.state("33333333"))
		}
		torn := cut > start && cut < len(whole)
		if said := strings.Contains(strings.Join(d.report, "\n"), "cut off"); said != torn {
			t.Fatalf("cut at byte %d: report %v", cut-start, d.report)
		}
		if cut%16 != 0 && cut > start+2 && cut < len(whole)-2 {
			d.must(d.Close())
			continue
		}
		d.arrive("44444444")
		before := d.everything()
		d.reopen()
		if len(d.report) > 0 || d.everything() != before {
			t.Fatalf("cut at byte %d: after the next action and a restart: %v", cut-start, d.report)
		}
		d.must(d.Close())
	}
}

// A damaged line in the middle is said and passed over; what stands around it
// counts.
func TestJournalDamagedInTheMiddle(t *testing.T) {
	c := newCounter(t)
	for _, id := range []string{"22222222", "33333333", "44444444"} {
		c.arrive(id)
	}
	c.must(c.Close())
	text := fileText(c, JournalName)
	for story, bent := range map[string]string{
		"a bit fell over":   strings.Replace(text, "33333333", "33333332", 1),
		"a sector of zeros": strings.Replace(text, `"c":"booking/33333333/arrived"`, strings.Repeat("\x00", 30), 1),
	} {
		d := &counter{TB: t, dir: t.TempDir(), clock: c.clock}
		d.must(os.WriteFile(d.path(JournalName), []byte(bent), 0o600))
		d.open()
		if d.state("22222222") != spclep.StateArrived || d.state("33333333") != spclep.StateNone || d.state("44444444") != spclep.StateArrived {
			t.Errorf("%s: %q %q %q", story, d.state("22222222"), d.state("33333333"), d.state("44444444"))
		}
		if r := strings.Join(d.report, "\n"); !strings.Contains(r, "damaged") || !strings.Contains(r, "2 edits") {
			t.Errorf("%s: report %q", story, r)
		}
		// What is left reaches the hub, and the hole does not keep the PC asking.
		tn := newTown(t)
		d.syncAll(tn)
		if len(tn.log) != 2 || d.sync(tn).Unsent != 0 {
			t.Errorf("%s: the hub holds %d ops, %d unsent", story, len(tn.log), d.unsent())
		}
		d.must(d.Close())
	}
}

// The database is deleted, cut, overwritten or only half there: the journal and
// the hub give everything back, and it is said.
func TestDatabaseLost(t *testing.T) {
	for story, harm := range map[string]func(c *counter){
		"deleted":              func(c *counter) { c.must(os.Remove(c.path(DBName))) },
		"cut to half a page":   func(c *counter) { c.must(os.Truncate(c.path(DBName), 2000)) },
		"cut in the middle":    func(c *counter) { c.must(os.Truncate(c.path(DBName), 40_960)) },
		"overwritten at start": func(c *counter) { overwrite(c, 0, 4096) },
		"overwritten inside":   func(c *counter) { overwrite(c, 8192, 1<<20) },
		"an empty file":        func(c *counter) { c.must(os.Truncate(c.path(DBName), 0)) },
	} {
		t.Run(story, func(t *testing.T) {
			c, tn := newCounter(t), newTown(t)
			for i := range 40 {
				tn.booked(uint64(i+1), fmt.Sprintf("222222%02d", i+22), "Mostră Ion")
			}
			c.arrive("22222222")
			c.syncAll(tn)
			c.write("form-9", "22222223", factDraft("22222223", spclep.Arrived, nil), factDraft("22222223", spclep.Filed, spclep.FiledValue{Number: "2-00007"}))
			before, next := c.everything(), c.next(t)
			c.must(c.Close())
			harm(c)
			c.open()
			if len(c.report) == 0 {
				t.Error("nothing was said")
			}
			if c.state("22222223") != spclep.StateFiled {
				t.Errorf("the unsent application is gone: %q", c.state("22222223"))
			}
			if got := c.next(t); got != next {
				t.Errorf("the next registration number is %s, was %s", got, next)
			}
			if st, err := c.Standing(t.Context()); err != nil || st.Office != "covasna" || st.Desk != 2 {
				t.Errorf("it no longer knows whose it is: %+v, %v", st, err)
			}
			c.syncAll(tn)
			if len(tn.log) != 43 {
				t.Errorf("the hub holds %d ops", len(tn.log))
			}
			if after := c.everything(); !strings.Contains(after, "22222223/arrived") || strings.Count(after, "\n") != strings.Count(before, "\n") {
				t.Errorf("before\n%s\nafter\n%s", before, after)
			}
			c.reopen()
			if len(c.report) > 0 {
				t.Errorf("the second start says %v", c.report)
			}
		})
	}
}

func overwrite(c *counter, from, size int64) {
	st, err := os.Stat(c.path(DBName))
	c.must(err)
	f, err := os.OpenFile(c.path(DBName), os.O_RDWR, 0)
	c.must(err)
	defer f.Close()
	_, err = f.WriteAt(bytes.Repeat([]byte{0xA5}, int(min(size, st.Size()-from))), from)
	c.must(err)
}

// next is the registration number that would be given now.
func (c *counter) next(t *testing.T) (number string) {
	_, err := c.Edit(t.Context(), "", "Ana", "22222222", func(_ record.Booking, p Place) ([]op.Draft, error) {
		number = p.Number
		return nil, os.ErrInvalid
	})
	if err != os.ErrInvalid {
		t.Fatal(err)
	}
	return number
}

// Long after the journal was begun anew the database is lost: the hub's answer
// must not speak of ops by numbers that mean nothing here.
func TestDatabaseLostAfterTidy(t *testing.T) {
	c, tn := newCounter(t), newTown(t)
	for i := range 30 {
		c.register("22222222", spclep.FieldNote, strings.Repeat("x", 5000)+fmt.Sprint(i))
		if i%10 == 9 {
			c.syncAll(tn)
		}
	}
	c.syncAll(tn)
	c.must(c.Tidy(t.Context()))
	if n := len(fileText(c, JournalName)); n > 1000 {
		t.Fatalf("the journal still has %d bytes", n)
	}
	c.arrive("33333333")
	before := c.state("22222222")
	c.must(c.Close())
	c.must(os.Remove(c.path(DBName)))
	c.open()
	c.syncAll(tn)
	if c.state("33333333") != spclep.StateArrived || c.state("22222222") != before || len(tn.log) != 31 {
		t.Errorf("%q %q, the hub holds %d", c.state("33333333"), c.state("22222222"), len(tn.log))
	}
	if b, err := c.Booking(t.Context(), "22222222"); err != nil || !strings.HasSuffix(b.Note, "29") || len(b.Conflicts()) > 0 {
		t.Errorf("the note ends in %q, %v", b.Note[len(b.Note)-3:], err)
	}
}

// The power went between the journal's sync and the commit, or before any of
// it: the folder is copied while an edit decides, and while it is half written.
func TestCrashInTheMiddle(t *testing.T) {
	c := newCounter(t)
	c.arrive("22222222")
	during := t.TempDir()
	_, err := c.Edit(t.Context(), "k", "Ana", "33333333", func(record.Booking, Place) ([]op.Draft, error) {
		copyFolder(c, during)
		return []op.Draft{factDraft("33333333", spclep.Arrived, nil)}, nil
	})
	c.must(err)
	// Journal of after, database of before: exactly what a stop between the two
	// leaves behind.
	between := t.TempDir()
	copyFolder(&counter{TB: t, dir: during}, between)
	text := fileText(c, JournalName)
	c.must(os.WriteFile(filepath.Join(between, JournalName), []byte(text), 0o600))
	for story, want := range map[string]struct {
		dir   string
		state spclep.State
	}{"before the write": {during, spclep.StateNone}, "between journal and commit": {between, spclep.StateArrived}} {
		d := &counter{TB: t, dir: want.dir, clock: c.clock}
		d.open()
		if d.state("22222222") != spclep.StateArrived || d.state("33333333") != want.state {
			t.Errorf("%s: %q %q", story, d.state("22222222"), d.state("33333333"))
		}
		r := d.write("k", "33333333", factDraft("33333333", spclep.Arrived, nil))
		if r.Again != (want.state == spclep.StateArrived) || d.unsent() != 2 {
			t.Errorf("%s: the form sent again gives %+v, %d ops", story, r, d.unsent())
		}
	}
}

func copyFolder(c *counter, to string) {
	files, err := os.ReadDir(c.dir)
	c.must(err)
	for _, f := range files {
		b, err := os.ReadFile(c.path(f.Name()))
		c.must(err)
		c.must(os.WriteFile(filepath.Join(to, f.Name()), b, 0o600))
	}
}

// What was sealed and perhaps sent is the same bytes for ever, though the
// database was lost in between: else the hub would see two ops under one id.
func TestSealedSurvivesTheDatabase(t *testing.T) {
	c, tn := newCounter(t), newTown(t)
	c.clock.Wall = 1_230_768_000_000 // 2009
	c.arrive("22222222")
	c.register("22222222", spclep.FieldNote, "cu mama")
	c.sync(tn) // measures
	c.later(60_000)
	sent := c.outbox()
	if len(sent) != 2 {
		t.Fatalf("%d ops to send", len(sent))
	}
	c.must(c.Close())
	c.must(os.Remove(c.path(DBName)))
	c.later(3_600_000)
	c.open()
	c.sync(tn)
	again := c.outbox()
	for i := range sent {
		if i >= len(again) || !bytes.Equal(sent[i], again[i]) {
			t.Fatalf("op %d was\n%s and is now\n%s", i+1, sent[i], again)
		}
	}
	o, err := wire.DecodeOp(thisPC, again[0])
	if err != nil || o.Time.Ms() != storyNoon {
		t.Errorf("sealed at %d, want noon; %v", o.Time.Ms()-storyNoon, err)
	}
}

// Clerks may paste long notes for weeks without a line: sealing them all still
// fits the journal.
func TestSealingMuchAtOnce(t *testing.T) {
	c, tn := newCounter(t), newTown(t)
	note := strings.Repeat("n", 50_000)
	for i := range 150 {
		c.register(fmt.Sprintf("22222%03d", i+222), spclep.FieldNote, note)
	}
	c.syncAll(tn)
	if len(tn.log) != 150 {
		t.Errorf("the hub holds %d", len(tn.log))
	}
}

// A mark of another kind of damage: the journal is gone, the database is not.
func TestJournalLost(t *testing.T) {
	c, tn := newCounter(t), newTown(t)
	c.arrive("22222222")
	c.must(c.Close())
	c.must(os.Remove(c.path(JournalName)))
	c.open()
	c.arrive("33333333")
	// From here on both copies are complete again.
	c.must(c.Close())
	c.must(os.Remove(c.path(DBName)))
	c.open()
	c.syncAll(tn)
	if c.state("22222222") != spclep.StateArrived || c.state("33333333") != spclep.StateArrived || len(tn.log) != 2 {
		t.Errorf("%q %q, the hub holds %d", c.state("22222222"), c.state("33333333"), len(tn.log))
	}
}
