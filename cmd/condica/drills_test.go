package main

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"condica/agent"
	"condica/hub/store/sqlite"
	"condica/localdb"
	"condica/spclep"
	"condica/spclep/record"
	"condica/sync/link"
	"condica/sync/op"
)

// A drill is an office of two PCs and a hub, real processes all, in which
// something goes very wrong. It remembers what clerks were told is done.
type drill struct {
	*country
	today []bookingRow
	done  []string // cells of facts
	notes map[string]string
}

func newDrill(t *testing.T) *drill {
	d := &drill{country: newCountry(t), notes: map[string]string{}}
	d.startHub()
	d.book()
	for _, pc := range []string{"pc1", "pc2"} {
		d.startPC(pc, monday)
		d.enroll(pc)
		d.same(pc)
	}
	d.today = d.day("pc1", "2026-11-23")
	return d
}

// checkIn has a clerk note that the n-th person of the day has come.
func (d *drill) checkIn(pc string, n int) {
	d.t.Helper()
	d.condica(pc, "check-in", d.today[n].ID)
	d.done = append(d.done, "booking/"+d.today[n].ID+"/arrived")
}

// note has a clerk write something down.
func (d *drill) note(pc string, n int, text string) {
	d.t.Helper()
	d.condica(pc, "set", d.today[n].ID, "note="+text, "--by", "Ana")
	d.notes[d.today[n].ID] = text
}

type drillStatus struct {
	Sent    bool   `json:"sent"`
	Unsent  int    `json:"unsent"`
	Refused int    `json:"refused"`
	Person  int    `json:"person"`
	Desk    int    `json:"desk"`
	Device  string `json:"device"`
	Cursor  int64  `json:"cursor"`
	Digest  string `json:"digest"`
	Renewed string `json:"renewed"`
	Hub     struct {
		Kind string `json:"kind"`
		Say  string `json:"say"`
	} `json:"hub"`
}

func (d *drill) stands(pc string) drillStatus {
	d.t.Helper()
	return read[drillStatus](d.t, "condica", "status", "--json", "--data", d.pcDir(pc))
}

// total is the hub's log and its digest.
func (d *drill) total() (pos int64, digest string) {
	d.t.Helper()
	s, err := sqlite.Open(d.t.Context(), d.hubDir())
	if err != nil {
		d.t.Fatal(err)
	}
	defer s.Close()
	pos, sum, err := s.Total(d.t.Context(), "botosani")
	if err != nil {
		d.t.Fatal(err)
	}
	return pos, sum.Text()
}

// same waits until a PC has sent all it has and its log is the hub's by digest.
func (d *drill) same(pcs ...string) {
	d.t.Helper()
	for _, pc := range pcs {
		var st drillStatus
		var pos int64
		var digest string
		ok := func() bool {
			st = d.stands(pc)
			pos, digest = d.total()
			return st.Unsent == 0 && st.Cursor == pos && st.Digest == digest
		}
		for late := time.Now().Add(patience); !ok(); time.Sleep(100 * time.Millisecond) {
			if time.Now().After(late) {
				d.t.Fatalf("%s is not in step with the hub: it stands at %+v, the hub at %d %s\n%s\n%s", pc, st, pos, digest, d.pcs[pc].errs, d.hub.errs)
			}
		}
	}
}

var markup = regexp.MustCompile(`(?s)<[^>]*>`)

// sees is the calm line as the clerk reads it.
func (d *drill) sees(pc string) string {
	d.t.Helper()
	resp, err := http.Get(d.pcs[pc].url("desk") + "/stare")
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return strings.Join(strings.Fields(html.UnescapeString(markup.ReplaceAllString(string(text), " "))), " ")
}

// ends is the end of every drill: hub and PCs hold the same by digest, nothing
// of what was done is missing, and no person is troubled with doubles.
func (d *drill) ends(pcs ...string) {
	d.t.Helper()
	d.same(pcs...)
	d.same(pcs...) // what the last one brought, the first one has by now
	held := map[string]int{}
	for _, l := range d.log() {
		if l.Verdict == "accepted" {
			held[l.Cell]++
		}
	}
	for _, cell := range d.done {
		if held[cell] == 0 {
			d.t.Errorf("the hub does not hold %s", cell)
		}
	}
	first := d.day(pcs[0], "2026-11-23")
	for _, pc := range pcs {
		st := d.stands(pc)
		if st.Person != 0 || st.Refused != 0 {
			d.t.Errorf("%s: %d bookings wait for a person, %d edits were refused", pc, st.Person, st.Refused)
		}
		if day := d.day(pc, "2026-11-23"); !slices.Equal(day, first) {
			d.t.Errorf("%s and %s show different days:\n%v\n%v", pcs[0], pc, first, day)
		}
		for id, want := range d.notes {
			if got := read[struct {
				Note string `json:"note"`
			}](d.t, "condica", "visit", id, "--json", "--data", d.pcDir(pc)).Note; got != want {
				d.t.Errorf("%s shows the note %q at %s, want %q", pc, got, id, want)
			}
		}
		d.t.Logf("%s, in the end: %s", pc, d.sees(pc))
	}
	arrived := map[string]bool{}
	for _, b := range first {
		arrived["booking/"+b.ID+"/arrived"] = b.State == "arrived" || b.State == "filed"
	}
	for _, cell := range d.done {
		if !arrived[cell] {
			d.t.Errorf("the desks do not show %s", cell)
		}
	}
	pos, digest := d.total()
	d.t.Logf("hub and PCs hold %d edits, digest %s", pos, digest)
}

// hubBooks adds a booking by the hub's own hand.
func (d *drill) hubBooks(name, clock string) {
	d.t.Helper()
	must(d.t, "condica-hub", "bookings", "add", "--data", d.hubDir(), "--now", d.now(monday),
		"--office", "botosani", "--name", name, "--email", "cineva@example.ro", "--reason", "R08", "--day", "2026-11-26", "--time", clock)
}

// thursday lists who is booked by the hub's hand, as a PC shows it.
func (d *drill) thursday(pc string) int {
	d.t.Helper()
	return len(d.day(pc, "2026-11-26"))
}

// Drill: the hub's disk died at noon, and yesterday's backup is put back. What
// the PCs had sent since, and what the hub itself had booked since, comes back
// from the PCs.
func TestDrillHubRestored(t *testing.T) {
	d := newDrill(t)
	d.checkIn("pc1", 0)
	d.hubBooks("Persoană Dinainte", "10:00")
	d.same("pc1", "pc2")
	backup := filepath.Join(d.dir, "backup.db")
	must(t, "condica-hub", "backup", "--data", d.hubDir(), "--to", backup)

	d.checkIn("pc1", 1)
	d.note("pc1", 1, "vine cu mama")
	d.checkIn("pc2", 2)
	d.hubBooks("Persoană De După", "10:20")
	d.same("pc1", "pc2")
	d.hub.kill()
	d.checkIn("pc1", 3) // while there is no hub
	until(t, "pc1 says that there is no hub", func() bool { return strings.Contains(d.sees("pc1"), "Fără legătură cu centrul") })
	t.Logf("pc1, without a hub: %s", d.sees("pc1"))
	for _, ext := range []string{"-wal", "-shm"} {
		if err := os.RemoveAll(filepath.Join(d.hubDir(), sqlite.DBName+ext)); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(backup)
	if err == nil {
		err = os.WriteFile(filepath.Join(d.hubDir(), sqlite.DBName), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	d.startHub()
	d.checkIn("pc2", 4)
	d.ends("pc1", "pc2")
	if n := d.thursday("pc2"); n != 2 {
		t.Errorf("of the hub's own two bookings %d are left", n)
	}
}

// Drill: the hub's database is gone and there is no backup, but its keys were
// put aside. It is rebuilt from the PCs, which come back by themselves with their
// certificates, each as the desk it was.
func TestDrillHubLostKeysKept(t *testing.T) {
	d := newDrill(t)
	keys := filepath.Join(d.dir, "hub.keys")
	must(t, "condica-hub", "keys", "--data", d.hubDir(), "--to", keys)
	d.checkIn("pc1", 0)
	d.hubBooks("Persoană A Hubului", "10:00")
	d.checkIn("pc2", 1)
	d.note("pc2", 1, "vine cu mama")
	d.same("pc1", "pc2")
	before := d.stands("pc2")
	d.hub.kill()
	d.checkIn("pc1", 2)

	if err := os.RemoveAll(d.hubDir()); err != nil {
		t.Fatal(err)
	}
	must(t, "condica-hub", "keys", "--data", d.hubDir(), "--from", keys)
	d.startHub()
	d.checkIn("pc2", 3)
	d.checkIn("pc1", 4)
	d.ends("pc1", "pc2")
	if st := d.stands("pc2"); st.Desk != before.Desk || st.Device != before.Device {
		t.Errorf("pc2 is desk %d, device %s; before the loss %d, %s", st.Desk, st.Device, before.Desk, before.Device)
	}
	if n := d.thursday("pc1"); n != 1 {
		t.Errorf("of the hub's own booking %d are left", n)
	}
	// It is a hub like before: it books, and takes in one more PC.
	d.hubBooks("Persoană De După", "10:40")
	d.startPC("pc3", monday)
	d.enroll("pc3")
	d.same("pc3")
	d.checkIn("pc3", 5)
	d.ends("pc1", "pc2", "pc3")
}

// Drill: the hub is gone with its keys and all. A new one knows nobody, and the
// PCs do not trust it, until IT has carried a new token to each; the services
// run on meanwhile.
func TestDrillHubLostWithItsKeys(t *testing.T) {
	d := newDrill(t)
	d.checkIn("pc1", 0)
	d.checkIn("pc1", 10)
	first := d.files("pc1", 10)
	d.hubBooks("Persoană A Hubului", "10:00")
	d.checkIn("pc2", 1)
	d.same("pc1", "pc2")
	d.hub.kill()
	if err := os.RemoveAll(d.hubDir()); err != nil {
		t.Fatal(err)
	}
	d.startHub()
	d.checkIn("pc1", 2)
	until(t, "pc1 says that it is another hub", func() bool { return d.stands("pc1").Hub.Kind == link.Untrusted })
	t.Logf("pc1, before its token: %s", d.sees("pc1"))
	for _, pc := range []string{"pc2", "pc1"} {
		d.enroll(pc)
	}
	d.checkIn("pc2", 3)
	// The desks have changed numbers, for pc2 came first; no number comes again.
	d.checkIn("pc2", 11)
	if again := d.files("pc2", 11); again == first || d.stands("pc2").Desk != 1 {
		t.Errorf("two applications bear the number %s; pc2 is desk %d", again, d.stands("pc2").Desk)
	}
	d.ends("pc1", "pc2")
	if n := d.thursday("pc1"); n != 1 {
		t.Errorf("of the hub's own booking %d are left", n)
	}
}

// files takes an application and gives its registration number.
func (d *drill) files(pc string, n int) string {
	d.t.Helper()
	id := d.today[n].ID
	bringAll(d.t, d.country, pc, id)
	d.condica(pc, "file", id)
	return read[struct {
		Filed struct {
			Number string `json:"number"`
		} `json:"filed"`
	}](d.t, "condica", "visit", id, "--json", "--data", d.pcDir(pc)).Filed.Number
}

// Drill: a PC's disk died with everything on it. The new one is enrolled and is
// filled from the hub; only what the old one had not sent is gone with it.
func TestDrillPCReplaced(t *testing.T) {
	d := newDrill(t)
	for n := range 3 {
		d.checkIn("pc1", n)
	}
	d.same("pc1", "pc2")
	d.pcs["pc1"].kill()
	if err := os.RemoveAll(d.pcDir("pc1")); err != nil {
		t.Fatal(err)
	}
	d.startPC("pc1", monday)
	t.Logf("pc1, before its token: %s", d.sees("pc1"))
	d.enroll("pc1")
	d.checkIn("pc2", 3)
	d.same("pc1")
	d.checkIn("pc1", 4)
	d.ends("pc1", "pc2")
	if st := d.stands("pc1"); st.Desk != 3 {
		t.Errorf("the new PC is desk %d: registration numbers of the old one might come again", st.Desk)
	}
}

// Drill: a technician copies a PC's disk onto a new PC, with work on it that had
// not been sent, and both go on. They notice, take keys of their own, and the
// copied work counts once.
func TestDrillPCCloned(t *testing.T) {
	d := newDrill(t)
	d.checkIn("pc1", 0)
	d.same("pc1", "pc2")
	d.hub.stop()
	d.checkIn("pc1", 1)
	d.note("pc1", 1, "vine cu mama")
	d.pcs["pc1"].stop()
	if err := os.CopyFS(d.pcDir("copy"), os.DirFS(d.pcDir("pc1"))); err != nil {
		t.Fatal(err)
	}
	d.startPC("pc1", monday)
	d.startPC("copy", monday)
	d.checkIn("pc1", 2)
	d.checkIn("copy", 3)
	d.note("copy", 3, "sună înapoi")
	before := d.stands("pc1").Device
	d.startHub()
	d.checkIn("pc1", 4)
	d.checkIn("copy", 5)
	until(t, "the two PCs have names of their own", func() bool {
		one, two := d.stands("pc1").Device, d.stands("copy").Device
		return one != two && (one != before || two != before)
	})
	t.Logf("pc1, on the way: %s", d.sees("pc1"))
	d.checkIn("pc1", 6)
	d.checkIn("copy", 7)
	d.ends("pc1", "copy", "pc2")
	// The copied edits may stand in the log under either name; people see them once.
	for _, pc := range []string{"pc1", "copy", "pc2"} {
		v := read[struct {
			History []json.RawMessage `json:"history"`
			Doubles []json.RawMessage `json:"doubles"`
		}](t, "condica", "visit", d.today[1].ID, "--json", "--data", d.pcDir(pc))
		if len(v.History) != 1 || len(v.Doubles) != 0 {
			t.Errorf("%s shows %d notes and %d doubles of what was written once", pc, len(v.History), len(v.Doubles))
		}
	}
}

// Drill: a program with a fault has written an edit that the hub will never
// take, in the middle of a morning. It is put aside with its reason, and all
// before and after it flows.
func TestDrillPoisonOp(t *testing.T) {
	d := newDrill(t)
	d.hub.stop()
	d.checkIn("pc1", 0)
	d.pcs["pc1"].stop()
	poison(t, d.pcDir("pc1"), d.today[1].ID)
	d.startPC("pc1", monday)
	d.checkIn("pc1", 2)
	d.startHub()
	d.checkIn("pc1", 3)
	d.same("pc1", "pc2")
	st := d.stands("pc1")
	if st.Refused != 1 || st.Unsent != 0 || st.Sent {
		t.Errorf("pc1 stands at %+v", st)
	}
	sees := d.sees("pc1")
	if !strings.Contains(sees, "1 operație refuzată de centru") {
		t.Errorf("pc1 says %q", sees)
	}
	t.Logf("pc1, in the end: %s", sees)
	if out := d.condica("pc1", "queue"); !strings.Contains(out, "teleported") || !strings.Contains(out, "is not a fact of a booking") {
		t.Errorf("the queue does not name it with its reason: %q", out)
	}
	for _, n := range []int{0, 2, 3} {
		if day := d.day("pc2", "2026-11-23"); day[n].State != "arrived" {
			t.Errorf("pc2 shows %s as %s", day[n].ID, day[n].State)
		}
	}
	pos, digest := d.total()
	t.Logf("hub and PCs hold %d edits, digest %s", pos, digest)
}

// poison writes a fact that there is not into a stopped PC's replica.
func poison(t *testing.T, dir, id string) {
	t.Helper()
	db, _, err := localdb.Open(t.Context(), dir, localdb.Options{Now: agent.NewClock(time.Until(monday)).Reading})
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Edit(t.Context(), "", "Ana", spclep.BookingID(id), func(b record.Booking, _ localdb.Place) ([]op.Draft, error) {
		return []op.Draft{{Cell: record.Cell(b.ID, "teleported"), Fact: true}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// Drill: the database of a PC is damaged while clerks work. The service ends by
// itself with a word and a code that has the service manager start it again; the
// start mends, and nothing is lost.
func TestDrillDatabaseDamagedAtWork(t *testing.T) {
	d := newDrill(t)
	d.checkIn("pc1", 0)
	d.same("pc1", "pc2")
	d.hub.stop()
	d.checkIn("pc1", 1)
	d.note("pc1", 1, "vine cu mama")
	for _, name := range []string{localdb.DBName, localdb.DBName + "-wal"} {
		spoil(t, filepath.Join(d.pcDir("pc1"), name))
	}
	url := d.pcs["pc1"].url("desk")
	until(t, "the service has ended by itself", func() bool {
		for _, path := range []string{"/coada", "/vizita/" + d.today[1].ID, "/stare"} {
			if resp, err := http.Get(url + path); err == nil {
				resp.Body.Close()
			}
		}
		select {
		case <-d.pcs["pc1"].done:
			return true
		default:
			return false
		}
	})
	code, said := d.pcs["pc1"].cmd.ProcessState.ExitCode(), d.pcs["pc1"].errs.String()
	if code != exitFault || !strings.Contains(said, "the service cannot go on") {
		t.Errorf("it ended with %d and said %s", code, said)
	}
	d.startPC("pc1", monday) // as the service manager does
	t.Logf("pc1, after the start: %s", d.sees("pc1"))
	d.note("pc1", 1, "vine cu tata") // what the journal holds is there at once
	d.startHub()
	d.same("pc1") // the rest is the hub's to tell
	d.checkIn("pc1", 3)
	d.ends("pc1", "pc2")
}

// spoil writes over all of a file but its beginning.
func spoil(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 4096; at < len(text); at++ {
		text[at] ^= 0x5a
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(text, 0); err != nil {
		t.Fatal(err)
	}
}
