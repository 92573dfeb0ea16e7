package localdb

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"condica/sync/hlc"
)

// The journal is a second copy of what the hub has not acknowledged, in a
// file that needs no database to be read. One record a line:
//
//	crc32c of the JSON in 8 hexadecimal digits, a space, the JSON, a newline
//
// A record is synced before the clerk sees "done". The last line may be torn
// by a power cut: it was not acknowledged. A torn line anywhere else is damage;
// the lines around it still count.
type journal struct {
	path string
	f    *os.File
	size int64
}

// A journalRecord is one action as written, a batch as sealed, or the mark
// with which a fresh journal begins.
type journalRecord struct {
	Device hlc.Device        `json:"d"`
	Key    string            `json:"key,omitempty"`    // of the request that made the action
	Ops    []json.RawMessage `json:"ops,omitempty"`    // as in the table op
	Sealed bool              `json:"sealed,omitempty"` // ops are as they were signed, replacing the provisional ones
	Next   uint64            `json:"next,omitempty"`   // mark: no Seq below this may be given out again
	High   hlc.Time          `json:"high,omitzero"`    // mark: nor a Time at or below this
	Number int               `json:"number,omitempty"` // mark: nor a registration number
	Office string            `json:"office,omitempty"` // mark: what enrolment said
	Desk   int               `json:"desk,omitempty"`
	Keys   []byte            `json:"keys,omitempty"`
	Moved  uint64            `json:"moved,omitempty"` // ops from here on, never sealed, were given new numbers: as they are in Ops
}

const (
	compactAt     = 256 << 10 // bytes after which an empty outbox starts a fresh journal
	maxJournalRow = 4 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// readJournal gives the records of the file, in order, and what was wrong.
func readJournal(path string) (records []journalRecord, good int64, report Report, err error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil, nil
	}
	if err != nil {
		return nil, 0, nil, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 64<<10)
	for line := 1; ; line++ {
		row, err := r.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return records, good, report, err
		}
		torn := errors.Is(err, io.EOF)
		if torn && len(row) == 0 {
			return records, good, report, nil
		}
		rec, bad := parseRecord(bytes.TrimSuffix(row, []byte("\n")))
		switch {
		case torn:
			// Not acknowledged: "done" is only said after the newline is on disk.
			report = append(report, fmt.Sprintf("journal line %d was cut off by a stop in the middle of a write; it had not been acknowledged", line))
			return records, good, report, nil
		case bad != nil:
			report = append(report, fmt.Sprintf("journal line %d is damaged (%v) and was passed over", line, bad))
		default:
			records = append(records, rec)
		}
		good += int64(len(row))
	}
}

func parseRecord(row []byte) (rec journalRecord, err error) {
	if len(row) < 10 || row[8] != ' ' {
		return rec, errors.New("no checksum")
	}
	want, err := strconv.ParseUint(string(row[:8]), 16, 32)
	if err != nil {
		return rec, errors.New("no checksum")
	}
	if crc32.Checksum(row[9:], castagnoli) != uint32(want) {
		return rec, errors.New("the checksum does not fit")
	}
	return rec, json.Unmarshal(row[9:], &rec)
}

// openJournalFile opens for appending after the last whole line.
func openJournalFile(path string, good int64) (*journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j := &journal{path: path, f: f, size: good}
	if err := j.rewind(good); err != nil {
		f.Close()
		return nil, err
	}
	return j, syncDir(filepath.Dir(path))
}

// append writes one record and syncs it.
func (j *journal) append(rec journalRecord) error {
	row, err := encodeRecord(rec)
	if err != nil {
		return err
	}
	mark := j.size
	n, err := j.f.WriteAt(row, j.size)
	j.size += int64(n)
	if err == nil {
		err = j.f.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write journal: %w", err), j.rewind(mark))
	}
	return nil
}

func encodeRecord(rec journalRecord) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(rec); err != nil {
		return nil, err
	}
	if b.Len() > maxJournalRow {
		return nil, fmt.Errorf("journal record of %d bytes: at most %d are allowed", b.Len(), maxJournalRow)
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	return fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(text, castagnoli), text), nil
}

// mark is the place to which rewind goes back when the transaction fails.
func (j *journal) mark() int64 {
	if j == nil {
		return 0
	}
	return j.size
}

func (j *journal) rewind(to int64) error {
	if j == nil {
		return nil
	}
	st, err := j.f.Stat()
	if err != nil {
		return err
	}
	if st.Size() == to {
		j.size = to
		return nil
	}
	if err := j.f.Truncate(to); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.size = to
	return nil
}

// restart replaces the journal by a fresh one that begins with the mark. The
// new file is whole on disk before it takes the old one's name.
func (j *journal) restart(mark journalRecord) error {
	row, err := encodeRecord(mark)
	if err != nil {
		return err
	}
	tmp := j.path + ".new"
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(row); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	// Windows does not rename over an open file.
	if err := j.f.Close(); err != nil {
		return err
	}
	renamed := os.Rename(tmp, j.path)
	f, err = os.OpenFile(j.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return errors.Join(renamed, err)
	}
	st, err := f.Stat()
	if err != nil {
		return errors.Join(renamed, err, f.Close())
	}
	j.f, j.size = f, st.Size()
	return errors.Join(renamed, syncDir(filepath.Dir(j.path)))
}

func (j *journal) close() error {
	if j == nil {
		return nil
	}
	return j.f.Close()
}
