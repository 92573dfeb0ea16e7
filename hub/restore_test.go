package hub_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"condica/hub"
	"condica/hub/store/sqlite"
	"condica/spclep"
	"condica/spclep/record"
)

// townIn opens a hub on the store in dir.
func townIn(t *testing.T, dir string) *town {
	t.Helper()
	s, err := sqlite.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return townOn(t, s, hub.Config{})
}

// The hub is put back to last night's backup. What the PCs had sent since comes
// again from them, once; what the hub itself had written since is gone from it
// but keeps its numbers to itself; every PC ends with the same log.
func TestRestoredHub(t *testing.T) {
	live, backup := t.TempDir(), t.TempDir()
	tw := townIn(t, live)
	one, two := tw.enrol("one", "covasna"), tw.enrol("two", "covasna")
	tw.book("covasna", 5) // the hub's own pen is in the backup too
	one.writes("BKNG2345", spclep.FieldNote, false, "before")
	one.sync()
	two.sync()
	tw.shut(live, backup)

	tw = townIn(t, live).after(1)
	one.town, two.town = tw, tw
	lost := tw.book("covasna", 0)
	for range 3 {
		one.writes("BKNG2345", spclep.FieldNote, false, "since")
	}
	one.sync()
	two.sync()
	lostID := one.booking(lost.ID).Facts[0].ID
	oldEpoch, oldHead := one.epoch, one.cursor
	tw.shut(live, "")

	tw = townIn(t, backup).after(2)
	one.town, two.town = tw, tw
	again := tw.book("covasna", 1) // before any PC has told the hub
	a := one.send(one.request())
	if a.Epoch == oldEpoch || a.From != 0 {
		t.Fatalf("the restored hub answered PC one, which stood at %d, with epoch %q from %d", oldHead, a.Epoch, a.From)
	}
	b := two.send(two.request())
	if b.Epoch != a.Epoch {
		t.Errorf("the second PC got another epoch: %q and %q; once is enough", a.Epoch, b.Epoch)
	}
	if a.Have != 1 {
		t.Errorf("the hub claims %d of PC one's edits, want the 1 of the backup", a.Have)
	}
	one.sync()
	two.sync()
	if one.epoch != a.Epoch || !slices.Equal(ids(one), ids(two)) || len(one.held) != 6 {
		t.Errorf("PC one holds %v, PC two %v", ids(one), ids(two))
	}
	if got := one.booking(again.ID); got.Visit.State != spclep.StateBooked {
		t.Errorf("the booking made after the restore shows %q", got.Visit.State)
	}
	for _, e := range one.held {
		if e.Cell.Kind == record.Kind && e.Cell.Entity == string(lost.ID) {
			t.Error("the hub holds a booking it had lost")
		}
		if e.ID == lostID {
			t.Errorf("the number %s of a lost edit was given out again", e.ID)
		}
	}
}

// The restored hub has since written further than a PC's cursor: the op at the
// cursor tells.
func TestRestoredHubGrewPast(t *testing.T) {
	live, backup := t.TempDir(), t.TempDir()
	tw := townIn(t, live)
	p := tw.enrol("one", "covasna")
	tw.shut(live, backup)
	tw = townIn(t, live).after(1)
	p.town = tw
	tw.book("covasna", 0)
	p.sync()
	epoch := p.epoch
	tw.shut(live, "")
	tw = townIn(t, backup).after(2)
	p.town = tw
	tw.book("covasna", 1)
	tw.book("covasna", 2)
	p.sync()
	if p.epoch == epoch || len(p.held) != 2 {
		t.Errorf("the PC kept epoch %q and holds %d edits; its own first is not the hub's", p.epoch, len(p.held))
	}
	epoch = p.epoch
	p.sync()
	p.sync()
	if p.epoch != epoch {
		t.Error("the epoch changed again with nothing restored")
	}
}

// A PC that has read further than the log goes needs no op to tell.
func TestCursorBeyondTheLog(t *testing.T) {
	tw := newTown(t)
	tw.book("covasna", 0)
	p := tw.enrol("one", "covasna")
	p.sync()
	r := p.request()
	r.Cursor, r.Tip = 2, ""
	if a := p.send(r); a.Epoch == r.Epoch || a.From != 0 || len(a.Entries) != 1 {
		t.Errorf("answered with epoch %q from %d", a.Epoch, a.From)
	}
}

func ids(p *pc) []string {
	var out []string
	for _, e := range p.held {
		out = append(out, e.ID.String())
	}
	slices.Sort(out)
	return out
}

// after lets days pass.
func (tw *town) after(days int64) *town {
	tw.now = noon + days*86_400_000
	return tw
}

// shut ends the hub in dir and, where backup is named, copies its database.
func (tw *town) shut(dir, backup string) {
	tw.t.Helper()
	tw.stop()
	if err := tw.store.Close(); err != nil {
		tw.t.Fatal(err)
	}
	if backup == "" {
		return
	}
	b, err := os.ReadFile(filepath.Join(dir, sqlite.DBName))
	if err == nil {
		err = os.WriteFile(filepath.Join(backup, sqlite.DBName), b, 0o600)
	}
	if err != nil {
		tw.t.Fatal(err)
	}
}
