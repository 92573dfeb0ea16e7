package bench

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"condica/spclep"
)

//go:embed pouch
var pouchFiles embed.FS

// The peer: PouchDB with express-pouchdb as its server, both in Node processes
// of their own, as npm gives them.
type pouch struct {
	tb     testing.TB
	dir    string // where npm has put it
	server string
}

// A document is a booking as the peer holds it: the same content, and by whom
// and when it was made.
type document struct {
	ID     string `json:"_id"`
	Name   string `json:"name"`
	Email  string `json:"email"`
	Reason string `json:"reason"`
	Day    string `json:"day"`
	At     string `json:"at"`
	Bundle int    `json:"bundle"`
	By     string `json:"by"`
	Made   int64  `json:"made"`
}

// newPouch installs the peer, fills its server with the town's bookings and
// starts it.
func newPouch(tb testing.TB, books []booking) *pouch {
	tb.Helper()
	p := &pouch{tb: tb, dir: tb.TempDir()}
	files, err := fs.Sub(pouchFiles, "pouch")
	if err == nil {
		err = os.CopyFS(p.dir, files)
	}
	if err != nil {
		tb.Fatal(err)
	}
	// No install scripts: the prebuilt LevelDB is found without.
	npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = p.dir
	if text, err := npm.CombinedOutput(); err != nil {
		tb.Fatalf("install the peer: %v\n%s", err, text)
	}
	list := filepath.Join(p.dir, "docs.json")
	if err := os.WriteFile(list, documents(tb, books), 0o600); err != nil {
		tb.Fatal(err)
	}
	s := start(tb, p.dir, "node", "server.js", tb.TempDir(), list)
	p.server = fmt.Sprintf("http://127.0.0.1:%v", s.ready["port"])
	return p
}

func documents(tb testing.TB, books []booking) []byte {
	tb.Helper()
	var out []byte
	for _, b := range books {
		line, err := json.Marshal(document{
			ID: string(b.ID), Name: b.Name, Email: b.Email, Reason: string(b.Reason), Day: b.Day.String(), At: b.At.String(),
			Bundle: 1, By: "portal", Made: b.Asked,
		})
		if err != nil {
			tb.Fatal(err)
		}
		out = append(append(out, line...), '\n')
	}
	return out
}

// A pouchPC is one PouchDB with a line of its own to the server.
type pouchPC struct {
	*process
	relay *relay
}

func (p *pouch) open(tb testing.TB) *pouchPC {
	tb.Helper()
	c := &pouchPC{start(tb, p.dir, "node", "client.js", tb.TempDir()), newRelay(tb, p.server)}
	c.do("open", map[string]any{"name": "office", "url": c.relay.url() + "/office"})
	return c
}

// A reply is what the client answers to a command.
type reply struct {
	MS    float64 // how long it took
	At    float64 // an instant, ms since 1970
	Error string
	Here  content
	There content
}

type content struct {
	N      int
	Digest string
}

// do gives the client a command and waits for its reply.
func (c *pouchPC) do(name string, args map[string]any) (r reply) {
	c.tb.Helper()
	line := map[string]any{"do": name}
	for k, v := range args {
		line[k] = v
	}
	text, err := json.Marshal(line)
	if err == nil {
		_, err = c.in.Write(append(text, '\n'))
	}
	var answer string
	if err == nil {
		answer, err = c.line()
	}
	if err == nil {
		err = json.Unmarshal([]byte(answer), &r)
	}
	if err != nil || r.Error != "" {
		c.tb.Fatalf("the peer's %s: %q: %v", name, answer, err)
	}
	return r
}

// change is a command's arguments: set some fields of some bookings.
func change(set map[string]any, ids ...spclep.BookingID) map[string]any {
	return map[string]any{"ids": ids, "set": set}
}

// equal holds both sides against each other once all is counted: a quick sync
// that loses something is not quick.
func (c *pouchPC) equal(n int) {
	c.tb.Helper()
	r := c.do("digests", nil)
	if r.Here != r.There || r.Here.N != n {
		c.tb.Fatalf("the peer holds %+v here and %+v there, want %d", r.Here, r.There, n)
	}
}

// filled makes a PouchDB that holds what the server holds.
func (p *pouch) filled(tb testing.TB) (c *pouchPC, took time.Duration) {
	tb.Helper()
	c = p.open(tb)
	r := c.do("fill", map[string]any{"batch": 1000})
	return c, time.Duration(r.MS * float64(time.Millisecond))
}

func nodeVersion(tb testing.TB) string {
	tb.Helper()
	out, err := exec.Command("node", "--version").Output()
	if err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
