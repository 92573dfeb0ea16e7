package simtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"condica/localdb/journal"
)

// A disk is one PC's, simulated: what was not synced is lost with the power, it
// can be full, and the power can go at every step that touches it.
type disk struct {
	r     *rand.Rand
	files map[string]*simFile
	full  bool
	crash int // permille of steps at which the service ends
	steps int // durable steps taken
}

// crash is the end of the service in the middle of something.
type crash struct{ at string }

var errFull = errors.New("no space left on the disk")

func newDisk(r *rand.Rand) *disk { return &disk{r: r, files: map[string]*simFile{}} }

// step is a moment at which the service may end.
func (d *disk) step(at string) {
	d.steps++
	if d.crash > 0 && d.r.IntN(1000) < d.crash {
		panic(crash{at})
	}
}

// copy is the disk as an image of it would be: what was written, synced or not.
func (d *disk) copy() *disk {
	c := newDisk(d.r)
	for name, f := range d.files {
		c.files[name] = &simFile{d: c, name: name, data: slices.Clone(f.data), durable: slices.Clone(f.data)}
	}
	return c
}

// powerCut leaves of each file what was synced, and perhaps some of the rest.
func (d *disk) powerCut() {
	names := make([]string, 0, len(d.files))
	for name := range d.files {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		f := d.files[name]
		kept := slices.Clone(f.durable)
		if extra := len(f.data) - len(f.durable); extra > 0 && slices.Equal(f.data[:len(f.durable)], f.durable) {
			kept = append(kept, f.data[len(f.durable):len(f.durable)+d.r.IntN(extra+1)]...)
		}
		f.data, f.durable = kept, slices.Clone(kept)
	}
}

// Open opens or makes a file.
func (d *disk) Open(name string) (journal.File, error) {
	f := d.files[name]
	if f == nil {
		if d.full {
			return nil, errFull
		}
		f = &simFile{d: d, name: name}
		d.files[name] = f
	}
	return f, nil
}

// Replace renames.
func (d *disk) Replace(file, with string) error {
	d.step("before the rename")
	d.files[with] = d.files[file]
	d.files[with].name = with
	delete(d.files, file)
	d.step("after the rename")
	return nil
}

type simFile struct {
	d             *disk
	name          string
	data, durable []byte
}

// ReadAt reads.
func (f *simFile) ReadAt(b []byte, off int64) (int, error) {
	if off >= int64(len(f.data)) {
		return 0, errors.New("read beyond the end")
	}
	return copy(b, f.data[off:]), nil
}

// WriteAt writes, or half of it if the disk is full.
func (f *simFile) WriteAt(b []byte, off int64) (int, error) {
	if off != int64(len(f.data)) {
		return 0, fmt.Errorf("%s: written at %d of %d", f.name, off, len(f.data))
	}
	if f.d.full {
		b = b[:len(b)/2]
		f.data = append(f.data, b...)
		return len(b), errFull
	}
	f.data = append(f.data, b...)
	f.d.step("written, not synced")
	return len(b), nil
}

// Truncate cuts; the cut is on the disk with the next sync.
func (f *simFile) Truncate(size int64) error {
	f.data = slices.Clone(f.data[:size])
	return nil
}

// Sync makes durable what is written.
func (f *simFile) Sync() error {
	f.durable = slices.Clone(f.data)
	f.d.step("synced")
	return nil
}

// Size is the length.
func (f *simFile) Size() (int64, error) { return int64(len(f.data)), nil }

// Close closes.
func (f *simFile) Close() error { return nil }
