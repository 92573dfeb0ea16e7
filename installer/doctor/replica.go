package doctor

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"condica/localdb"
	"condica/sync/hlc"
	"condica/sync/wire"
)

func (p *patient) checkReplica(ctx context.Context) Finding {
	if p.status != nil {
		if f, ill := p.illDisk(); ill {
			return f
		}
		return p.replicaOf(p.status.Unsent, p.status.Refused, p.status.Bookings, nil)
	}
	if p.standing.PID != 0 {
		return warning("wait, or \"condica stop\" and look again", "the replica is being opened or mended by the running service")
	}
	seen, err := look(ctx, p.Dir, p.Clocks)
	if err != nil {
		return fault("keep the folder as it is and send it to central IT", "the replica cannot be opened: %v", err)
	}
	if !seen.there {
		return fine("there is no replica yet; the first start makes it")
	}
	return p.replicaOf(seen.unsent, seen.refused, seen.bookings, seen.report)
}

// illDiskDays is how long a record that was put right tells something of the
// disk.
const illDiskDays = 30

// illDisk: a disk that changes records behind everybody's back does it again.
func (p *patient) illDisk() (Finding, bool) {
	st := p.status
	if st.MendedMs == 0 || st.NowMs-st.MendedMs > illDiskDays*24*60*60*1000 {
		return Finding{}, false
	}
	return warning("nothing is lost, but have the PC's disk and memory looked at",
		"records of the replica were found damaged and put right: %d in all, the last on %s", st.Mended, time.UnixMilli(st.MendedMs).In(p.Now().Location()).Format("2006-01-02 15:04")), true
}

func (p *patient) replicaOf(unsent, refused, bookings int, report localdb.Report) Finding {
	all := fmt.Sprintf("the replica holds %d bookings, and %d changes wait to be sent", bookings, unsent)
	switch {
	case len(report) > 0:
		return warning("start the service: it mends this by itself, without losing what was acknowledged", "%s; %s", all, strings.Join(report, "; "))
	case refused > 0:
		return warning("see \"condica queue\" for the reasons", "%s; the hub has refused %d", all, refused)
	}
	return fine("%s", all)
}

// Unsent counts what the hub does not have of a stopped service's work: what
// a purge would destroy.
func Unsent(ctx context.Context, dir string, clocks func() hlc.Reading) (int, error) {
	seen, err := look(ctx, dir, clocks)
	return seen.unsent, err
}

// seen is what a copy of the replica says.
type seen struct {
	there                     bool
	unsent, refused, bookings int
	report                    localdb.Report
}

// look opens a copy: opening mends, and an administrator's look must neither
// mend nor leave files that are not the service's. The copy lies inside the
// folder, which is as private as what is copied.
func look(ctx context.Context, dir string, clocks func() hlc.Reading) (s seen, err error) {
	names, err := replicaFiles(dir)
	if err != nil || len(names) == 0 {
		return s, err
	}
	device, err := deviceOf(dir)
	if err != nil {
		return s, err
	}
	tmp, err := os.MkdirTemp(dir, "look-*")
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(tmp)) }()
	for _, name := range names {
		if err := copyFile(filepath.Join(dir, name), filepath.Join(tmp, name)); err != nil {
			return s, fmt.Errorf("copy the replica: %w", err)
		}
	}
	db, report, err := localdb.Open(ctx, tmp, localdb.Options{Device: device, Now: clocks})
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	st, err := db.Standing(ctx)
	return seen{there: true, unsent: st.Unsent, refused: st.Refused, bookings: st.Bookings, report: report}, err
}

// replicaFiles lists which of the replica's files are there. The shared-memory
// file is rebuilt from the others.
func replicaFiles(dir string) (names []string, err error) {
	for _, name := range []string{localdb.DBName, localdb.DBName + "-wal", localdb.JournalName} {
		switch _, err := os.Stat(filepath.Join(dir, name)); {
		case err == nil:
			names = append(names, name)
		case !errors.Is(err, fs.ErrNotExist):
			return nil, err
		}
	}
	return names, nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// deviceOf is this PC's name in its own log, from its key.
func deviceOf(dir string) (d hlc.Device, err error) {
	text, err := os.ReadFile(filepath.Join(dir, "device.key"))
	if err != nil {
		return d, fmt.Errorf("this PC's key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return d, errors.New("this PC's key is damaged")
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return d, errors.New("this PC's key is damaged")
	}
	return wire.DeviceOf(key.Public().(ed25519.PublicKey)), nil
}
