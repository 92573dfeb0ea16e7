package localdb_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"condica/localdb"
)

// bendDefinition changes one letter in what defines a table: no page is wrong,
// and nothing that speaks of the table works.
func bendDefinition(t *testing.T, b []byte) []byte {
	t.Helper()
	bent := bytes.Replace(b, []byte("product TEXT"), []byte("prodact TEXT"), 1)
	if bytes.Equal(b, bent) {
		t.Fatal("the table is not defined where the story has it")
	}
	return bent
}

func (p *pc) allHere(deeds []deed) {
	p.Helper()
	held := p.held()
	for _, d := range deeds {
		if held[d.what] != 1 {
			p.Errorf("%s is here %d times; report %q", d, held[d.what], []string(p.report))
		}
	}
}

// The journal is gone and the database cannot be worked with: what was never
// sent is read out of the database that was set aside. From then on it lies in
// both files again.
func TestSavedFromTheDamagedDatabase(t *testing.T) {
	p := alone(t, 8)
	p.remove(localdb.JournalName)
	p.harm(localdb.DBName, func(b []byte) []byte { return bendDefinition(t, b) })
	p.openDamaged()
	p.allHere(p.deeds)
	if said := strings.Join(p.report, "; "); !strings.Contains(said, "set aside as replica.db.damaged-1") || !strings.Contains(said, "8 edits were put back") {
		t.Errorf("report %q", said)
	}
	must(t, p.db.Close())
	p.remove(localdb.DBName)
	p.openDamaged()
	p.allHere(p.deeds)
	if n := neither(t, p.report); n != nil {
		t.Errorf("named as lost: %v; report %q", n, []string(p.report))
	}
}

// The power goes while the damaged database is being set aside: when it has only
// just been renamed, and its log of writes not yet, or when the new one has been
// begun. The next start reads out of it what was never sent.
func TestStoppedWhileSettingAside(t *testing.T) {
	const aside = localdb.DBName + ".damaged-1"
	for story, rename := range map[string]func(p *pc){
		"the log is not renamed": func(*pc) {},
		"the new one is begun": func(p *pc) {
			must(p, os.Rename(filepath.Join(p.dir, localdb.DBName+"-wal"), filepath.Join(p.dir, aside+"-wal")))
			must(p, os.WriteFile(filepath.Join(p.dir, localdb.DBName), nil, 0o600))
		},
	} {
		t.Run(story, func(t *testing.T) {
			p := alone(t, 4)
			p.open()
			p.people = 1
			p.work(written, "în jurnalul de scrieri", 1)
			dir := t.TempDir()
			copyFolder(t, p.dir, dir) // as the power leaves it: the log of writes is there
			must(t, p.db.Close())
			p.dir = dir
			p.remove(localdb.JournalName)
			must(t, os.Rename(filepath.Join(dir, localdb.DBName), filepath.Join(dir, aside)))
			must(t, os.WriteFile(filepath.Join(dir, "replica.begun"), []byte(aside), 0o600))
			rename(p)
			p.openDamaged()
			p.allHere(p.deeds)
			p.mended()
		})
	}
}

// Of the database that was set aside one op is not as it was written: it is not
// put back as if it were, and is named. The others are put back.
func TestADamagedOpIsNotSaved(t *testing.T) {
	p := alone(t, 8)
	p.remove(localdb.JournalName)
	p.harm(localdb.DBName, func(b []byte) []byte {
		return bytes.Replace(bendDefinition(t, b), []byte(`"1 iiiii"`), []byte(`"1 uuuuu"`), 1)
	})
	p.openDamaged()
	p.allHere(append(p.deeds[:5:5], p.deeds[6:]...))
	if held := p.held(); len(held) != 7 {
		t.Errorf("here is %v", held)
	}
	if n := neither(t, p.report); !n.has(6) || n.has(5) || n.has(7) {
		t.Errorf("report %q", []string(p.report))
	}
}

// An op of a database that opens has been changed, and the journal is gone: the
// op is named, and the rest of the queue is shown.
func TestTheQueueWithoutADamagedOp(t *testing.T) {
	p := alone(t, 8)
	p.remove(localdb.JournalName)
	p.harm(localdb.DBName, func(b []byte) []byte {
		return bytes.Replace(b, []byte(`"1 iiiii"`), []byte("\"1 \x01uuuu\""), 1)
	})
	p.openDamaged()
	queue, err := p.db.Queue(t.Context(), 100)
	if err != nil || len(queue) != 7 {
		t.Errorf("the queue shows %d, %v", len(queue), err)
	}
	if n := neither(t, p.report); !n.has(6) || n.has(5) || n.has(7) {
		t.Errorf("report %q", []string(p.report))
	}
}

// The journal is gone, and a bit has changed in this PC's next number: it is not
// believed, and the number after the last is given.
func TestTheStateIsNotBelieved(t *testing.T) {
	p := alone(t, 6)
	p.remove(localdb.JournalName)
	p.harm(localdb.DBName, func(b []byte) []byte {
		i := bytes.LastIndex(b, []byte(`"next":7`))
		if i < 0 {
			t.Fatal("the state is not where the story has it")
		}
		b[i+len(`"next":`)] = '3'
		return b
	})
	p.openDamaged()
	p.allHere(p.deeds)
	p.work(fresh, "după", 1)
	if last := p.deeds[len(p.deeds)-1]; last.seq != 7 {
		t.Errorf("the next edit is %d", last.seq)
	}
}

// A damaged journal is kept as it was found before it is begun anew; one whose
// last line a power cut has torn holds nothing that anybody was told is done.
func TestTheDamagedJournalIsKept(t *testing.T) {
	for story, c := range map[string]struct {
		bend func([]byte) []byte
		kept bool
	}{
		"a line in the middle": {func(b []byte) []byte { return bytes.Replace(b, []byte("1 ii"), []byte("1 uu"), 1) }, true},
		"a torn end":           {func(b []byte) []byte { return append(b, `deadbeef {"d":"`...) }, false},
		"cut too far":          {func(b []byte) []byte { return b[:len(b)-700] }, true},
	} {
		t.Run(story, func(t *testing.T) {
			p := alone(t, 6)
			p.harm(localdb.JournalName, c.bend)
			found, err := os.ReadFile(filepath.Join(p.dir, localdb.JournalName))
			must(t, err)
			p.openDamaged()
			kept, err := os.ReadFile(filepath.Join(p.dir, localdb.JournalName+".damaged-1"))
			if c.kept && (err != nil || !bytes.Equal(kept, found)) {
				t.Errorf("%d bytes were kept of %d, %v", len(kept), len(found), err)
			}
			if !c.kept && err == nil {
				t.Error("a torn end is kept")
			}
			p.allHere(p.deeds)
			p.mended()
		})
	}
}
