package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The whole process must live in another year, TLS library and all, or the
// test proves nothing of a PC with a dead battery: --now moves only the clock
// that the agent itself reads. So the program is built against a package time
// whose Now adds the seconds in this variable. The running time stays true, as
// it does on such a PC.
const elsewhenEnv = "CONDICA_STORY_SECONDS"

const elsewhenFile = `package time

import "syscall"

var storySeconds = readStorySeconds()

func readStorySeconds() (n int64) {
	s, _ := syscall.Getenv("` + elsewhenEnv + `")
	sign := int64(1)
	for _, c := range s {
		if c == '-' {
			sign = -1
			continue
		}
		n = n*10 + int64(c-'0')
	}
	return n * sign
}
`

// elsewhen builds the agent that can live in another year beside the other
// programs, and gives its name. Its build is dated to the story's Monday: that
// is the moment a PC knows before its first contact.
func elsewhen(t *testing.T) string {
	t.Helper()
	const name = "condica-elsewhen"
	dir := filepath.Dir(program(t, "condica"))
	root := strings.TrimSpace(output(t, "go", "env", "GOROOT"))
	source := filepath.Join(root, "src", "time", "time.go")
	text, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	const reads = "sec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(text), reads) != 1 {
		t.Fatalf("%s does not read the clock as it did: the test must be taught the new way", source)
	}
	work := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(work, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {
		source: put("time.go", strings.Replace(string(text), reads, reads+"\tsec += storySeconds\n", 1)),
		filepath.Join(filepath.Dir(source), "story.go"): put("story.go", elsewhenFile),
	}})
	if err != nil {
		t.Fatal(err)
	}
	output(t, "go", "build", "-buildvcs=false", "-overlay", put("overlay.json", string(overlay)), "-o", filepath.Join(dir, filepath.Base(program(t, name))),
		"-ldflags", fmt.Sprintf("-X main.builtAt=%d", monday.Unix()), "condica/cmd/condica")
	return name
}

func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// A new PC whose clock reads 1970, 2009 or 2060 finds its hub over TLS, is
// enrolled and filled. Then the hub is away, a clerk works, the PC is killed and
// comes back; when the hub is back it has everything once, at the time at
// which it truly happened.
func TestTLSFromAnotherYear(t *testing.T) {
	name := elsewhen(t)
	for _, year := range []int{1970, 2009, 2060} {
		t.Run(fmt.Sprint(year), func(t *testing.T) { fromAnotherYear(t, name, year) })
	}
}

func fromAnotherYear(t *testing.T, program string, year int) {
	c := newCountry(t)
	c.startHub()
	c.book()
	assertShowsTLS(t, c, year)
	begins := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	// Whole seconds: the clock of the process runs on from there.
	t.Setenv(elsewhenEnv, fmt.Sprint(int64(time.Until(begins)/time.Second)))
	startPC := func() {
		c.pcs["pc1"] = start(t, program, "run", "--data", c.pcDir("pc1"), "--listen", "127.0.0.1:0", "--no-ticket", "--json")
	}
	startPC()
	c.enroll("pc1")
	c.inStep("pc1")
	assertLivesIn(t, c, begins)
	today := c.day("pc1", "2026-11-23")
	if len(today) != 22 {
		t.Fatalf("the desk shows %d bookings, want 22", len(today))
	}
	before := len(c.log())

	c.hub.stop()
	c.condica("pc1", "check-in", today[0].ID)
	c.pcs["pc1"].kill()
	startPC()
	c.condica("pc1", "check-in", today[1].ID)
	c.startHub()
	back := time.Since(c.began)
	c.inStep("pc1")
	log := c.log()
	assertOrder(t, log)
	assertFacts(t, log[before:], []string{"booking/" + today[0].ID + "/arrived", "booking/" + today[1].ID + "/arrived"})
	for _, l := range log[before:] {
		at := time.UnixMilli(l.Effective.Ms())
		if at.Before(monday) || at.After(monday.Add(back)) {
			t.Errorf("%s lies at %s by the hub's time, want it before %s", l.Cell, at.UTC(), monday.Add(back).UTC())
		}
	}
}

// assertShowsTLS: the hub's certificate is one that an ordinary client would
// refuse in 1970 and 2060.
func assertShowsTLS(t *testing.T, c *country, year int) {
	t.Helper()
	address, ok := strings.CutPrefix(c.hub.url("hub"), "https://")
	if !ok {
		t.Fatalf("the hub is at %s", c.hub.url("hub"))
	}
	conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	chain := conn.ConnectionState().PeerCertificates
	roots := x509.NewCertPool()
	roots.AddCert(chain[len(chain)-1])
	for y, good := range map[int]bool{year: year == 2009, 2026: true} {
		_, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, CurrentTime: time.Date(y, 12, 1, 0, 0, 0, 0, time.UTC)})
		if (err == nil) != good {
			t.Errorf("in %d the certificate alone is judged %v", y, err)
		}
	}
}

// assertLivesIn: the process reads that clock, and knows the true time all the
// same.
func assertLivesIn(t *testing.T, c *country, begins time.Time) {
	t.Helper()
	s := read[struct {
		NowMs int64 `json:"now_ms"`
		OffMs int64 `json:"off_ms"`
		Sure  bool  `json:"sure"`
	}](t, "condica", "status", "--json", "--data", c.pcDir("pc1"))
	reads := time.UnixMilli(s.NowMs + s.OffMs)
	if reads.Before(begins.Add(-time.Second)) || reads.After(begins.Add(time.Hour)) {
		t.Fatalf("the PC's clock reads %s, want one that began at %s", reads.UTC(), begins)
	}
	if now := time.UnixMilli(s.NowMs); !s.Sure || now.Before(monday) || now.After(monday.Add(time.Hour)) {
		t.Errorf("it takes the time to be %s, sure %v", now.UTC(), s.Sure)
	}
}
