// Package journal is the second copy of what the hub has not acknowledged, in a
// file that needs no database to be read. It knows the form of the lines and
// that they are on the disk; what is in them, and what becomes of it, is
// sync/replica's word.
//
// One record a line:
//
//	crc32c of the JSON in 8 hexadecimal digits, a space, the JSON, a newline
//
// A record is synced before the clerk sees "done". The last line may be torn by
// a power cut: then it was not acknowledged. A torn line anywhere else is damage;
// the lines around it still count.
package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"

	"condica/sync/replica"
)

// A Disk is the folder the journal lies in.
type Disk interface {
	// Open opens the file, or makes it.
	Open(name string) (File, error)
	// Replace gives the file the place of another, which nobody has open. When it
	// returns, that is on the disk.
	Replace(file, with string) error
}

// A File is one open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Size() (int64, error)
	Close() error
}

// A Journal is one open journal. It is used by one goroutine at a time.
type Journal struct {
	disk  Disk
	name  string
	f     File
	size  int64
	found Damage
}

// Damage says where the file could not be read when it was opened.
type Damage struct {
	Lines int  // that are damaged; one that only the end of the file cuts off is none
	Torn  bool // the end of the file cuts the last line off
	First int  // so many records stand before the first of them
	End   bool // nothing whole stands behind the last of them
}

// Any: not all of it could be read.
func (d Damage) Any() bool { return d.Lines > 0 || d.Torn }

// MaxRow is the size in bytes of the longest line.
const MaxRow = 4 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Open opens or makes the journal, and gives its records in order and what was
// wrong with it. It changes nothing of what it finds, so that it may be kept;
// what is appended stands after the last whole line.
func Open(disk Disk, name string) (j *Journal, records []replica.Record, report []string, err error) {
	f, err := disk.Open(name)
	if err != nil {
		return nil, nil, nil, err
	}
	j = &Journal{disk: disk, name: name, f: f}
	size, err := f.Size()
	if err == nil {
		records, report, err = j.readAll(io.NewSectionReader(f, 0, size))
	}
	if err != nil {
		return nil, nil, report, errors.Join(err, f.Close())
	}
	return j, records, report, nil
}

// Found is what was wrong with the file when it was opened.
func (j *Journal) Found() Damage { return j.found }

// readAll reads up to the last whole line.
func (j *Journal) readAll(file io.Reader) (records []replica.Record, report []string, err error) {
	r := bufio.NewReaderSize(file, 64<<10)
	for line := 1; ; line++ {
		row, size, torn, err := readRow(r)
		if err != nil || torn && size == 0 {
			return records, report, err
		}
		rec, bad := parse(bytes.TrimSuffix(row, []byte("\n")))
		if torn || bad != nil {
			j.found.meet(torn, len(records))
		}
		switch {
		case torn:
			return records, append(report, fmt.Sprintf("journal line %d is cut off", line)), nil
		case bad != nil:
			report = append(report, fmt.Sprintf("journal line %d is damaged (%v) and was passed over", line, bad))
		default:
			j.found.End = false
			records = append(records, rec)
		}
		j.size += size
	}
}

func (d *Damage) meet(torn bool, before int) {
	if !d.Any() {
		d.First = before
	}
	if d.End = true; torn {
		d.Torn = true
		return
	}
	d.Lines++
}

// readRow reads one line, its newline included, and gives its length. Of a line
// that is longer than any record only the length is kept: a damaged file system
// may say of a file that it is endless.
func readRow(r *bufio.Reader) (row []byte, size int64, torn bool, err error) {
	for {
		part, err := r.ReadSlice('\n')
		if size += int64(len(part)); size <= MaxRow {
			row = append(row, part...)
		} else {
			row = nil
		}
		switch {
		case err == nil:
			return row, size, false, nil
		case errors.Is(err, io.EOF):
			return row, size, true, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, size, false, err
		}
	}
}

func parse(row []byte) (rec replica.Record, err error) {
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

// Append writes one record and syncs it.
func (j *Journal) Append(rec replica.Record) error {
	row, err := encode(rec)
	if err != nil {
		return err
	}
	if j.found.Torn {
		if err := j.Rewind(j.size); err != nil {
			return err
		}
		j.found.Torn = false
	}
	mark := j.size
	n, err := j.f.WriteAt(row, j.size)
	j.size += int64(n)
	if err == nil {
		err = j.f.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write journal: %w", err), j.Rewind(mark))
	}
	return nil
}

func encode(rec replica.Record) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(rec); err != nil {
		return nil, err
	}
	if b.Len() > MaxRow {
		return nil, fmt.Errorf("journal record of %d bytes: at most %d are allowed", b.Len(), MaxRow)
	}
	text := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	return fmt.Appendf(nil, "%08x %s\n", crc32.Checksum(text, castagnoli), text), nil
}

// Size is the place after the last record, in bytes: Rewind goes back to it when
// the transaction fails.
func (j *Journal) Size() int64 { return j.size }

// keepMost is how many bytes of a damaged journal are kept.
const keepMost = 64 << 20

// Keep copies the file as it was found, byte for byte, to another name; beyond
// 64 MB, which no journal has, it is cut off. When it returns, that is on the
// disk.
func (j *Journal) Keep(name string) error {
	size, err := j.f.Size()
	if err != nil {
		return err
	}
	to, err := j.disk.Open(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.NewOffsetWriter(to, 0), io.NewSectionReader(j.f, 0, min(size, keepMost)))
	if err == nil {
		err = to.Sync()
	}
	return errors.Join(err, to.Close())
}

// Rewind takes back what was appended after a place.
func (j *Journal) Rewind(to int64) error {
	size, err := j.f.Size()
	if err != nil {
		return err
	}
	if size != to {
		if err := j.f.Truncate(to); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
	}
	j.size = to
	return nil
}

// Restart replaces the journal by a fresh one. The new file is whole on disk
// before it takes the old one's name.
func (j *Journal) Restart(records []replica.Record) error {
	fresh, err := j.write(j.name+".new", records)
	if err != nil {
		return err
	}
	// Windows does not rename over an open file.
	if err := errors.Join(fresh.Close(), j.f.Close()); err != nil {
		return err
	}
	replaced := j.disk.Replace(j.name+".new", j.name)
	f, err := j.disk.Open(j.name)
	if err != nil {
		return errors.Join(replaced, err)
	}
	size, err := f.Size()
	if err != nil {
		return errors.Join(replaced, err, f.Close())
	}
	j.f, j.size, j.found = f, size, Damage{}
	return replaced
}

func (j *Journal) write(name string, records []replica.Record) (f File, err error) {
	if f, err = j.disk.Open(name); err != nil {
		return nil, err
	}
	if err = f.Truncate(0); err == nil {
		var at int64
		for _, rec := range records {
			var row []byte
			if row, err = encode(rec); err == nil {
				_, err = f.WriteAt(row, at)
				at += int64(len(row))
			}
			if err != nil {
				break
			}
		}
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Close closes the file.
func (j *Journal) Close() error { return j.f.Close() }
