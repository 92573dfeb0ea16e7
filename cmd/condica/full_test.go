//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"condica/agent/api"
	"condica/spclep"
)

// ownDisks is set in the process that may mount disks nobody else sees.
const ownDisks = "CONDICA_TEST_OWN_DISKS"

// fullRounds is how often the disk runs full.
const fullRounds = 12

// The disk of an office PC runs full while four clerks work, again and again and
// at any byte of a write. They are told so before anything is called done -
// scripts by a code, people by a sentence - and nothing of the action is kept.
// When there is room again the work goes on by itself, and in the end the hub
// has exactly what was done.
func TestFullDiskAtWork(t *testing.T) {
	if os.Getenv(ownDisks) == "" {
		withOwnDisks(t)
		return
	}
	c := newCountry(t)
	d := smallDisk(t, c.pcDir("pc1"))
	c.startHub()
	c.book()
	c.startPC("pc1", monday)
	c.enroll("pc1")
	c.inStep("pc1")
	before := len(c.log())

	f := &fullStory{country: c, disk: d, desk: newWindow(), waits: c.day("pc1", "2026-11-23")[0].ID}
	var home func()
	f.desk.open(c.control("pc1"))
	f.clerks, home = fourClerks(t, f.desk, 7, f.refused)
	r := rand.New(rand.NewPCG(7, 7))
	for round := range fullRounds {
		switch round % 4 {
		case 1:
			c.hub.stop()
		case 3:
			c.startHub()
		}
		f.someWork()
		d.leave(r.Int64N(120_000))
		until(t, "every clerk is refused", func() bool { return f.desk.idlers() == len(f.clerks) })
		f.refusedOnPage()
		if round%3 == 2 {
			f.killedWhileFull()
		}
		d.makeRoom()
		f.desk.open(c.control("pc1"))
	}
	f.someWork()
	f.desk.close()
	home()
	f.checkInOnPage()
	c.inStep("pc1")
	for _, k := range f.clerks {
		c.stillThere("pc1", k.told())
	}
	total := onceEach(t, c.log()[before:], f.clerks)
	if f.refusals < fullRounds*len(f.clerks) {
		t.Errorf("only %d actions were refused", f.refusals)
	}
	t.Logf("%d actions done; %d refused on a full disk, %d of them given up, the others done when there was room; %d starts on a full disk, %d refused",
		total, f.refusals, f.givenUp, f.starts, f.refusedStarts)
}

// withOwnDisks runs the test once more in a process of its own whose mounts
// nobody else sees and which end with it.
func withOwnDisks(t *testing.T) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v", "-test.timeout", "5m")
	cmd.Env = append(os.Environ(), ownDisks+"=1")
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		}
	}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &exit):
		noDisks(t, fmt.Errorf("a process with mounts of its own: %w", err))
	case err != nil:
		t.Errorf("%v\n%s", err, &out)
	case strings.Contains(out.String(), "--- SKIP"):
		t.Skip(out.String())
	default:
		t.Log(out.String())
	}
}

// noDisks: this machine lets nobody mount a small disk.
func noDisks(t *testing.T, err error) {
	t.Helper()
	if realParts() {
		t.Fatalf("no small disk can be mounted, and CONDICA_REAL=1 asks for one: %v", err)
	}
	t.Skipf("no small disk can be mounted: %v", err)
}

// A disk has room for so much and no more.
type disk struct {
	t    *testing.T
	dir  string
	fill string // a file that takes the room
}

const diskSize = 12 << 20

// smallDisk mounts a disk at dir until the end of the test.
func smallDisk(t *testing.T, dir string) disk {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	err := syscall.Mount("none", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "")
	if err == nil {
		err = syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", diskSize))
	}
	if err != nil {
		noDisks(t, err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return disk{t, dir, filepath.Join(dir, "filler")}
}

// free is how many bytes may still be written.
func (d disk) free() int64 {
	d.t.Helper()
	var st syscall.Statfs_t
	if err := syscall.Statfs(d.dir, &st); err != nil {
		d.t.Fatal(err)
	}
	return int64(st.Bavail) * int64(st.Bsize)
}

// leave takes all room but so much.
func (d disk) leave(room int64) {
	d.t.Helper()
	f, err := os.OpenFile(d.fill, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	for n := d.free() - room; n > 0; n = d.free() - room {
		if _, err := f.Write(make([]byte, min(n, 1<<20))); errors.Is(err, syscall.ENOSPC) {
			return // the service has been quicker
		} else if err != nil {
			d.t.Fatal(err)
		}
	}
}

func (d disk) makeRoom() {
	d.t.Helper()
	if err := os.Remove(d.fill); err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.t.Fatal(err)
	}
}

// A fullStory is four clerks at a PC whose disk runs full.
type fullStory struct {
	*country
	disk   disk
	desk   *window
	clerks []*clerk
	waits  string // a booking of which only the page speaks
	note   string // the last that the page called done
	notes  int

	mu                    sync.Mutex
	refusals, givenUp     int
	unclear               int // refusals that nobody understands
	starts, refusedStarts int
}

// someWork lets every clerk do a few things.
func (f *fullStory) someWork() {
	f.t.Helper()
	var want []int
	for _, k := range f.clerks {
		want = append(want, len(k.told())+8)
	}
	until(f.t, "the work goes on", func() bool {
		for i, k := range f.clerks {
			if len(k.told()) < want[i] {
				return false
			}
		}
		return true
	})
}

// refused: the answer says that the disk is full, and nothing of the action is
// kept. Most are sent again when there is room; some notes never.
func (f *fullStory) refused(at api.Control, r refusal) (again bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refusals++
	var e struct{ Error api.Problem }
	if err := json.Unmarshal(r.answer, &e); err != nil {
		f.t.Errorf("%s: %d %s: %v", r.path, r.status, r.answer, err)
		return true
	}
	p := e.Error
	if r.status != http.StatusInsufficientStorage || p.Code != "disk-full" || !strings.Contains(p.Say, "disk") || !strings.Contains(p.Text, "plin") {
		if f.unclear++; f.unclear <= 3 {
			f.t.Errorf("%s: %d %s: want status 507, code disk-full, and words that a clerk understands", r.path, r.status, r.answer)
		}
	}
	if r.path == "walk-ins" {
		return true // nobody knows its id; the hub's log will tell
	}
	path, verb := filepath.Split(r.path)
	f.notKept(at, filepath.Clean(path), verb, r)
	again = verb != "set" || f.refusals%2 == 0
	if !again {
		f.givenUp++
	}
	return again
}

// notKept: what was refused cannot be seen.
func (f *fullStory) notKept(at api.Control, path, verb string, r refusal) {
	out, status, err := call(at, "GET", path, nil)
	var v api.Visit
	if err != nil || status != http.StatusOK || json.Unmarshal(out, &v) != nil {
		f.t.Errorf("%s cannot be read on a full disk: %d, %v: %s", path, status, err, out)
		return
	}
	said, _ := r.body["fields"].(map[string]any)
	kept := map[string]bool{"set": v.Note == said[spclep.FieldNote], "file": v.Filed != nil, "ready": v.State == spclep.StateReady, "hand-over": v.HandedOver != nil}
	if kept[verb] {
		f.t.Errorf("%s was refused, and is there: %s", r.path, out)
	}
}

// post sends a form of the waiting person's page.
func (f *fullStory) post(deed string, form url.Values) (status int, page string) {
	f.t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	form.Set("cheie", "cheia-acestui-formular")
	resp, err := client.PostForm(f.pcs["pc1"].url("desk")+"/vizita/"+f.waits+"/"+deed, form)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// noteOnPage writes one more long note on the page. It is refused, or done and
// from then on to be found.
func (f *fullStory) noteOnPage() (refused bool) {
	f.t.Helper()
	note := fmt.Sprintf("%d %s", f.notes, strings.Repeat("notă lungă ", 60))
	note = strings.TrimSpace(note)
	f.notes++
	status, page := f.post("date", url.Values{"vechi.note": {f.note}, "note": {note}})
	if status == http.StatusSeeOther {
		f.note = note
		f.doneOnPage(spclep.FieldNote, fmt.Sprintf("%q", note))
		return false
	}
	if status != http.StatusInsufficientStorage || !strings.Contains(page, "Nu s-a salvat") || !strings.Contains(page, "plin") {
		if f.unclear++; f.unclear <= 3 {
			f.t.Errorf("the page answers %d and does not say that nothing was saved because the disk is full: %s", status, text(page))
		}
	}
	return true
}

// doneOnPage notes what the page has just called done.
func (f *fullStory) doneOnPage(name, value string) {
	f.t.Helper()
	id := spclep.BookingID(f.waits)
	v := f.record("pc1", id)
	for _, e := range slices.Concat(v.Facts, v.History) {
		if e.Name == name && (value == "" || string(e.Value) == value) {
			f.clerks[0].mu.Lock()
			f.clerks[0].done = append(f.clerks[0].done, told{e.Action, id, name, value})
			f.clerks[0].mu.Unlock()
			return
		}
	}
	f.t.Errorf("the page says that it is done, and there is no %s %s", name, value)
}

// refusedOnPage: the page says it to a person, keeps nothing of what it refused,
// and can still be read.
func (f *fullStory) refusedOnPage() {
	f.t.Helper()
	// A small edit may still find room that a large one did not.
	for n := 0; !f.noteOnPage(); n++ {
		if n == 500 {
			f.t.Fatal("half a megabyte found room on a full disk")
		}
	}
	page := get(f.t, f.pcs["pc1"].url("desk")+"/vizita/"+f.waits)
	if !strings.Contains(page, "Persoană Exemplu 01") {
		f.t.Errorf("on a full disk the visit cannot be looked at: %s", text(page))
	}
	if !strings.Contains(page, `name="vechi.note" value="`+f.note+`"`) {
		f.t.Errorf("the note is not the last that was done, %.20q: %s", f.note, text(page))
	}
}

// checkInOnPage sends the same form once more, now that there is room.
func (f *fullStory) checkInOnPage() {
	f.t.Helper()
	if status, page := f.post("prezent", url.Values{}); status != http.StatusSeeOther {
		f.t.Errorf("with room again the page answers %d:\n%s", status, text(page))
	}
	f.doneOnPage(spclep.Arrived, "")
}

// killedWhileFull: the service is killed and started on the full disk. It opens,
// or says in one sentence what is wrong; with room it opens.
func (f *fullStory) killedWhileFull() {
	f.t.Helper()
	f.pcs["pc1"].kill()
	f.starts++
	cmd := exec.Command(program(f.t, "condica"), "run", "--data", f.pcDir("pc1"), "--listen", "127.0.0.1:0", "--now", f.now(monday), "--no-ticket", "--json")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		f.t.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	ready, _ := bufio.NewReader(out).ReadString('\n')
	if ready != "" {
		cmd.Process.Kill()
	}
	ended := cmd.Wait()
	if !late.Stop() {
		f.t.Errorf("on a full disk the service neither opens nor ends\n%s", &errs)
	}
	if ready == "" {
		if ended == nil {
			f.t.Error("the service did not open on a full disk, and ended as if all were well")
		}
		f.refusedStarts++
		why := lastLine(errs.String())
		oneSentence(f.t, "a start on a full disk", why, "condica: ")
		if !strings.Contains(why, "no space left") && !strings.Contains(why, "disk is full") {
			f.t.Errorf("a start on a full disk ends with %q", why)
		}
	}
	f.disk.makeRoom()
	f.startPC("pc1", monday)
}

// lastLine is where a program says why it ended; the log is above it.
func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
