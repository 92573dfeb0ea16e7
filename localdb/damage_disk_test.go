package localdb_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"condica/localdb"
	"condica/localdb/file"
	"condica/sync/op"
	"condica/sync/wire"
)

// damage harms one file or more, and says which and how.
func damage(t *testing.T, r *rand.Rand, dir string) (harmed, how string) {
	t.Helper()
	const db, wal, journal = localdb.DBName, localdb.DBName + "-wal", localdb.JournalName
	files := [][]string{{db}, {wal}, {journal}, {db, wal}, {db, journal}, {wal, journal}, {db, wal, journal}}[r.IntN(7)]
	var said []string
	for _, name := range files {
		path := filepath.Join(dir, name)
		whole, err := os.ReadFile(path)
		must(t, err)
		bent, how := bend(r, whole)
		said = append(said, fmt.Sprintf("%s of %d bytes: %s", name, len(whole), how))
		if bent == nil {
			must(t, os.Remove(path))
			continue
		}
		must(t, os.WriteFile(path, bent, 0o600))
	}
	return strings.Join(files, " + "), strings.Join(said, "; ")
}

// page is how much of a file goes at once, be it SQLite's or the disk's.
const page = 4096

// bend harms the bytes of one file; nil: the file is gone.
func bend(r *rand.Rand, whole []byte) (bent []byte, how string) {
	b := bytes.Clone(whole)
	n, at := 1+r.IntN(4), r.IntN(len(b))
	switch r.IntN(8) {
	case 0, 1:
		n *= 5
		for range n {
			b[r.IntN(len(b))] ^= 1 << r.IntN(8)
		}
		return b, fmt.Sprintf("%d bits flipped", n)
	case 2, 3:
		for range n {
			from := r.IntN(len(b)) / page * page
			clear(b[from:min(from+page, len(b))])
		}
		return b, fmt.Sprintf("%d pages zeroed", n)
	case 4:
		end := min(at+1+r.IntN(2*page), len(b))
		for i := at; i < end; i++ {
			b[i] = byte(r.Uint32())
		}
		return b, fmt.Sprintf("bytes %d to %d overwritten", at, end)
	case 5, 6:
		return b[:at], fmt.Sprintf("cut at %d", at)
	}
	return nil, "gone"
}

// A remnant is what the damage has left on the disk of what the hub may not have.
type remnant struct {
	edits map[string]bool // of which a copy is left: in a whole line of the journal, or in a row that SQLite still reads and whose checksum fits
	tip   uint64          // no number from this one on is spoken of
	both  bool            // both files were harmed
	clean bool            // the journal ends with a whole line
	ahead bool            // the database knows of no less than the journal
}

// dark: the edit was in the ends of both files, and what is left of one of them
// passes for a file that never had more. No program can tell that it was there.
func (l remnant) dark(seq uint64, report localdb.Report) bool {
	return l.both && seq >= l.tip && (l.clean || l.ahead && !slices.ContainsFunc(report, func(s string) bool { return strings.Contains(s, "set aside") }))
}

// remains looks at the folder as it is after the damage.
func (p *pc) remains(deeds []deed, harmed string) remnant {
	p.Helper()
	lines, next, clean := p.inJournal()
	rows, dbNext := p.inDatabase(uint64(len(deeds)))
	l := remnant{edits: map[string]bool{}, tip: max(next, dbNext), clean: clean, ahead: dbNext > 0 && dbNext >= next}
	for _, o := range append(lines, rows...) {
		l.edits[whatOf(o)] = true
	}
	l.both = strings.Contains(harmed, localdb.DBName) && strings.Contains(harmed, localdb.JournalName)
	return l
}

// inJournal reads the journal by its description in journal.go, and the number
// after the last in it. clean: it ends with a whole line.
func (p *pc) inJournal() (ops []op.Op, next uint64, clean bool) {
	p.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, localdb.JournalName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.Fatal(err)
	}
	castagnoli := crc32.MakeTable(crc32.Castagnoli)
	for line := range bytes.Lines(text) {
		line, clean = bytes.CutSuffix(line, []byte("\n"))
		clean = clean && len(line) >= 10 && fmt.Sprintf("%08x ", crc32.Checksum(line[9:], castagnoli)) == string(line[:9])
		if !clean {
			continue
		}
		var rec struct {
			Ops  []json.RawMessage
			Next uint64
		}
		must(p, json.Unmarshal(line[9:], &rec))
		next = max(next, rec.Next)
		for _, raw := range rec.Ops {
			o, err := wire.DecodeOp(p.device(), raw)
			must(p, err)
			ops, next = append(ops, o), max(next, o.ID.Seq+1)
		}
	}
	return ops, next, clean
}

// inDatabase reads the own ops out of a copy of the damaged database, each by
// its key, as far as that goes, and the number that it would give next.
func (p *pc) inDatabase(most uint64) (ops []op.Op, next uint64) {
	p.Helper()
	dir := p.TempDir()
	copyFolder(p, p.dir, dir)
	path := filepath.Join(dir, localdb.DBName)
	if _, err := os.Stat(path); err != nil {
		return nil, 0
	}
	db, err := sql.Open("sqlite", file.URI(path, "rw", 1000))
	must(p, err)
	defer db.Close()
	for seq := range most {
		var raw []byte
		var crc uint32
		if db.QueryRow(`SELECT raw, crc FROM op WHERE device = ? AND seq = ?`, p.device().String(), seq+1).Scan(&raw, &crc) != nil || crc32.Checksum(raw, crc32.MakeTable(crc32.Castagnoli)) != crc {
			continue
		}
		if o, err := wire.DecodeOp(p.device(), raw); err == nil && o.ID.Seq == seq+1 {
			ops = append(ops, o)
		}
	}
	var state string
	var s struct{ Next uint64 }
	if db.QueryRow(`SELECT value FROM meta WHERE key = 'state'`).Scan(&state) == nil && json.Unmarshal([]byte(state), &s) == nil {
		next = s.Next
	}
	return ops, next
}

// lost is what a report says is in neither file: own numbers, from and to.
type lost [][2]uint64

func (l lost) has(seq uint64) bool {
	return slices.ContainsFunc(l, func(r [2]uint64) bool { return r[0] <= seq && seq <= r[1] })
}

var numbers = regexp.MustCompile(`(after )?(\d+)(?:-(\d+))?`)

// neither reads what a report says to central IT of what is lost: "edits 57-58,
// 61 and all after 63 are in neither the replica nor the journal".
func neither(t *testing.T, report localdb.Report) (l lost) {
	t.Helper()
	number := func(s string) uint64 {
		n, err := strconv.ParseUint(s, 10, 64)
		must(t, err)
		return n
	}
	for _, line := range report {
		said, _, ok := strings.Cut(line, "in neither the replica nor the journal")
		if !ok {
			continue
		}
		for _, m := range numbers.FindAllStringSubmatch(said, -1) {
			from := number(m[2])
			switch {
			case m[1] != "":
				l = append(l, [2]uint64{from + 1, ^uint64(0)})
			case m[3] != "":
				l = append(l, [2]uint64{from, number(m[3])})
			default:
				l = append(l, [2]uint64{from, from})
			}
		}
	}
	return l
}
