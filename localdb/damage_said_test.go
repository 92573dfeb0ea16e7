package localdb_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"condica/localdb"
	"condica/spclep"
)

// alone is a PC that has never had a line, and has seen n people.
func alone(t *testing.T, n int) *pc {
	t.Helper()
	p := &pc{T: t, hub: &centre{booked: []spclep.BookingID{"22222222"}}, dir: t.TempDir(), boot: "b1", began: time.Now()}
	p.open()
	for range n {
		p.people = 1 // no application: one edit each
		p.work(written, strings.Repeat("i", len(p.deeds)), 1)
	}
	must(t, p.db.Close())
	return p
}

func (p *pc) harm(name string, bend func([]byte) []byte) {
	p.Helper()
	path := filepath.Join(p.dir, name)
	b, err := os.ReadFile(path)
	must(p, err)
	must(p, os.WriteFile(path, bend(b), 0o600))
}

func (p *pc) remove(names ...string) {
	p.Helper()
	for _, name := range names {
		must(p, os.Remove(filepath.Join(p.dir, name)))
	}
}

// The database is gone and a line of the journal with it: central IT is told
// which edits that were, and no others.
func TestSaysWhatIsLost(t *testing.T) {
	p := alone(t, 6)
	p.remove(localdb.DBName)
	p.harm(localdb.JournalName, func(b []byte) []byte {
		return bytes.Replace(b, []byte(`note","v":"1 ii"`), []byte(`note","v":"1 uu"`), 1)
	})
	p.openDamaged()
	named := neither(t, p.report)
	for _, d := range p.deeds {
		if named.has(d.seq) != (d.seq == 3) {
			t.Errorf("edit %d: named as lost %v; report %q", d.seq, named.has(d.seq), []string(p.report))
		}
	}
	p.inForce(slices.Delete(slices.Clone(p.deeds), 2, 3), remnant{}, nil)
	if held := p.held(); held[p.deeds[2].what] != 0 {
		t.Errorf("here is %v", held)
	}
}

// The journal was begun anew when the hub had answered everything, and after that
// a line of it is damaged and the database gone: what the hub has acknowledged
// is not named with what is lost.
func TestSaysNothingOfWhatTheHubHas(t *testing.T) {
	began := time.Now()
	ref, err := spclep.Builtin()
	must(t, err)
	p := &pc{T: t, hub: openCentre(t, t.TempDir(), func() int64 { return dawn + time.Since(began).Milliseconds() }, ref), dir: t.TempDir(), boot: "b1", began: began}
	p.hub.book(t)
	p.open()
	p.enrol()
	p.talk()
	p.work(acked, strings.Repeat("n", 20_000), 15)
	p.talk()
	must(t, p.db.Tidy(t.Context()))
	p.work(written, "scris", 4)
	must(t, p.db.Close())
	p.remove(localdb.DBName)
	p.harm(localdb.JournalName, func(b []byte) []byte {
		if len(b) > 20_000 {
			t.Fatal("the journal was not begun anew")
		}
		return bytes.Replace(b, []byte("17 scris"), []byte("17 scras"), 1)
	})
	p.openDamaged()
	named := neither(t, p.report)
	for _, d := range p.deeds {
		if lost := strings.Contains(d.what, "17 scris"); named.has(d.seq) != lost {
			t.Errorf("%s: named as lost %v; report %q", d, !lost, []string(p.report))
		}
	}
}

// The database is gone and the journal's end with it: nobody can know how much
// there was, and that is said.
func TestSaysThatTheEndIsLost(t *testing.T) {
	for story, cut := range map[string]func([]byte) []byte{
		"in the middle of a line":  func(b []byte) []byte { return b[:bytes.LastIndex(b, []byte("iiii"))] },
		"the last line is damaged": func(b []byte) []byte { return append(b[:len(b)-3], "x\n"...) },
	} {
		t.Run(story, func(t *testing.T) {
			p := alone(t, 6)
			p.remove(localdb.DBName)
			p.harm(localdb.JournalName, cut)
			p.openDamaged()
			named := neither(t, p.report)
			if !named.has(6) || named.has(4) {
				t.Errorf("report %q", []string(p.report))
			}
		})
	}
}

// Both files are gone from a PC that has worked: that is not the first start of
// a new PC, and is not passed over in silence.
func TestSaysThatAllIsLost(t *testing.T) {
	p := alone(t, 6)
	p.remove(localdb.DBName, localdb.JournalName)
	p.openDamaged()
	if !neither(t, p.report).has(1) {
		t.Errorf("report %q", []string(p.report))
	}
}

// The last record was torn by the power cut, and the database is whole: nothing
// is lost, and nothing is said to be.
func TestSaysNothingOfATornEnd(t *testing.T) {
	p := alone(t, 6)
	p.harm(localdb.JournalName, func(b []byte) []byte { return append(b, `deadbeef {"d":"`...) })
	p.openDamaged()
	if n := neither(t, p.report); n != nil {
		t.Errorf("report %q", []string(p.report))
	}
	p.inForce(p.deeds, remnant{}, nil)
}

// The disk was set back to an image of this morning, in which edits wait that
// have since been sent: the hub has them, and does not get them again.
func TestImageOfWhatWasSentSince(t *testing.T) {
	began, image := time.Now(), t.TempDir()
	ref, err := spclep.Builtin()
	must(t, err)
	c := openCentre(t, t.TempDir(), func() int64 { return dawn + time.Since(began).Milliseconds() }, ref)
	c.book(t)
	p := &pc{T: t, hub: c, dir: t.TempDir(), boot: "b1", began: began}
	p.open()
	p.enrol()
	p.talk()
	p.work(acked, "dimineața", 4)
	must(t, p.db.Close())
	copyFolder(t, p.dir, image)
	p.open()
	p.talk()
	must(t, p.db.Close())

	p.dir, p.boot = image, "b2"
	p.open()
	p.work(fresh, "după", 3)
	p.talk()
	p.agrees()
	p.numbersOnce()
}

// An op whose bytes have changed in the database is not shown, not sent, and
// does not stop the desk: the journal has it as it was written.
func TestBytesChangeInARow(t *testing.T) {
	for story, now := range map[string]string{"still readable": `"1 uuuuu"`, "no JSON any more": "\"1 \x01uuuu\""} {
		t.Run(story, func(t *testing.T) {
			p := alone(t, 8)
			p.harm(localdb.DBName, func(b []byte) []byte {
				bent := bytes.Replace(b, []byte(`"1 iiiii"`), []byte(now), 1)
				if bytes.Equal(b, bent) {
					t.Fatal("the row is not where the story has it")
				}
				return bent
			})
			p.openDamaged()
			if was := p.deeds[5].what; p.held()[was] != 1 {
				t.Errorf("%s is not here; report %q", was, []string(p.report))
			}
		})
	}
}
