package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"condica/sync/link"
	"condica/sync/wire"
)

// at is the clock of every story: a Tuesday morning.
const morning = "2026-11-24T08:00:00+02:00"

// An admin is central IT's person at a terminal.
type admin struct {
	t    *testing.T
	data string
}

// says runs a command and gives its exit code and what it wrote.
func (a admin) says(args ...string) (code int, out, errOut string) {
	a.t.Helper()
	var o, e bytes.Buffer
	code = run(a.t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

// does runs a command in the data folder that must pass, and reads its JSON.
func (a admin) does(into any, args ...string) {
	a.t.Helper()
	args = append(args, "--data", a.data, "--now", morning)
	code, out, errOut := a.says(args...)
	if code != 0 {
		a.t.Fatalf("condica-hub %s: exit %d: %s", strings.Join(args, " "), code, errOut)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		a.t.Fatalf("condica-hub %s wrote %q: %v", strings.Join(args, " "), out, err)
	}
}

type ready struct {
	Hub, Console string
	PID          int
}

// serves starts the hub and gives what it said when ready, and how to end it.
func (a admin) serves(args ...string) (ready, func()) {
	a.t.Helper()
	ctx, cancel := context.WithCancel(a.t.Context())
	r, w := io.Pipe()
	ended := make(chan int, 1)
	var errOut bytes.Buffer
	go func() {
		code := run(ctx, append([]string{"serve", "--data", a.data, "--now", morning, "--json"}, args...), w, &errOut)
		w.Close()
		ended <- code
	}()
	var said ready
	if err := json.NewDecoder(r).Decode(&said); err != nil {
		a.t.Fatalf("the hub said nothing: %v; %s", err, errOut.String())
	}
	stop := func() {
		cancel()
		if code := <-ended; code != 0 {
			a.t.Errorf("the hub ended with %d: %s", code, errOut.String())
		}
	}
	return said, stop
}

func clocks() []time.Time { return []time.Time{time.Now()} }

// The hub is started, prints a token, a PC enrols through TLS pinned to the
// hub's own CA; after a restart on the same port the PC's pin still holds. A PC
// whose clock stands at 2009 gets through as well.
func TestServeAndEnrol(t *testing.T) {
	a := admin{t, t.TempDir()}
	hub, stop := a.serves("--listen", "127.0.0.1:0", "--console", "127.0.0.1:0")
	if !strings.HasPrefix(hub.Hub, "https://127.0.0.1:") || !strings.HasPrefix(hub.Console, "http://127.0.0.1:") || hub.PID != os.Getpid() {
		t.Errorf("ready: %+v", hub)
	}
	var tok struct{ Token, Office, Hub, Expires string }
	a.does(&tok, "token", "new", "--office", "covasna", "--json")
	token, err := wire.ParseToken(tok.Token)
	if err != nil || token.Hub != hub.Hub || token.Pin == "" || token.Office != "covasna" {
		t.Fatalf("the token says %+v, %v", token, err)
	}
	in2009 := func() []time.Time { return []time.Time{time.Date(2009, 1, 1, 0, 0, 0, 0, time.UTC)} }
	key := keyOf("pc")
	e, err := link.Enroll(t.Context(), token, key, "PC 1", in2009)
	if err != nil || e.Office != "covasna" || e.Desk != 1 {
		t.Fatalf("enrolment: %+v, %v", e, err)
	}
	stop()

	address := strings.TrimPrefix(hub.Hub, "https://")
	again, stop := a.serves("--listen", address, "--public", "https://hub.example.ro:8443")
	defer stop()
	if again.Hub != "https://hub.example.ro:8443" || again.Console != "" {
		t.Errorf("ready again: %+v", again)
	}
	// A new name means a new certificate, on the same authority.
	c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if shown := c.ConnectionState().PeerCertificates; len(shown) != 2 || shown[0].VerifyHostname("hub.example.ro") != nil || shown[0].VerifyHostname("127.0.0.1") != nil || link.PinOf(shown[1]) != token.Pin {
		t.Errorf("the hub shows %d certificates, the first for %v %v", len(shown), shown[0].DNSNames, shown[0].IPAddresses)
	}
	if _, err := link.Enroll(t.Context(), token, key, "PC 1", clocks); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	forged := token
	forged.Pin = strings.Repeat("0", 64)
	if _, err := link.Enroll(t.Context(), forged, key, "PC 1", clocks); err == nil {
		t.Error("another authority was trusted")
	}
	var devices []struct {
		Device, Kind, Name string
		Desk               int
	}
	a.does(&devices, "devices", "--office", "covasna", "--json")
	if len(devices) != 1 || devices[0].Device != e.Device.String() || devices[0].Name != "PC 1" {
		t.Fatalf("devices: %+v", devices)
	}
	a.does(nil, "revoke", "--device", devices[0].Device)
	if _, err := link.Enroll(t.Context(), token, key, "PC 1", clocks); err == nil || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("a revoked PC: %v", err)
	}
}

func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Bookings are made, listed, corrected, given back and told in the log, while
// the hub runs on the same folder.
func TestBookings(t *testing.T) {
	a := admin{t, t.TempDir()}
	_, stop := a.serves("--listen", "127.0.0.1:0", "--plain")
	defer stop()
	var b addedJSON
	a.does(&b, "bookings", "add", "--office", "covasna", "--name", "Ana Pârvu-Exemplu", "--email", "ana@example.ro", "--reason", "R05", "--day", "2026-12-03", "--time", "09:00", "--json")
	if len(b.ID) != 8 || !strings.HasPrefix(b.QR, "CDB2") {
		t.Errorf("added: %+v", b)
	}
	a.does(nil, "bookings", "set", "--office", "covasna", "--id", string(b.ID), "--field", "email", "--value", "noua@example.ro")
	var list []bookingJSON
	a.does(&list, "bookings", "list", "--office", "covasna", "--day", "2026-12-03", "--json")
	if len(list) != 1 || list[0].Email != "noua@example.ro" || list[0].State != "booked" {
		t.Errorf("listed: %+v", list)
	}
	svg := filepath.Join(t.TempDir(), "qr.svg")
	var qr struct{ QR string }
	a.does(&qr, "bookings", "qr", "--office", "covasna", "--id", strings.ToLower(string(b.ID)), "--svg", svg, "--json")
	if drawn, err := os.ReadFile(svg); err != nil || !bytes.HasPrefix(drawn, []byte("<svg ")) || qr.QR != b.QR {
		t.Errorf("the code: %v, %q", err, qr.QR)
	}
	a.does(nil, "bookings", "cancel", "--office", "covasna", "--id", string(b.ID))
	a.does(&list, "bookings", "list", "--office", "covasna", "--json")
	if len(list) != 1 || list[0].State != "cancelled" {
		t.Errorf("after giving back: %+v", list)
	}
	code, out, _ := a.says("log", "--office", "covasna", "--json", "--data", a.data)
	var told []string
	for line := range strings.Lines(out) {
		var l struct {
			Pos                 int64
			Cell, Verdict       string
			Original, Effective string
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil || l.Pos != int64(len(told))+1 || l.Verdict != "accepted" || l.Original == "" || l.Effective == "" {
			t.Errorf("log line %s: %v", line, err)
		}
		told = append(told, l.Cell[strings.LastIndex(l.Cell, "/")+1:])
	}
	if code != 0 || strings.Join(told, " ") != "booked email cancelled" {
		t.Errorf("the log tells %q (exit %d)", told, code)
	}
	var offices []struct {
		Office string
		Head   int64
	}
	a.does(&offices, "offices", "--json")
	if len(offices) != 2 || offices[0].Office != "covasna" || offices[0].Head != 3 {
		t.Errorf("offices: %+v", offices)
	}
}

// A list from a spreadsheet is booked whole; one with bad rows not at all, and
// each of them is named by its line.
func TestList(t *testing.T) {
	a := admin{t, t.TempDir()}
	_, stop := a.serves("--now", morning)
	stop()
	file := filepath.Join(t.TempDir(), "list.csv")
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(parts ...string) {
		t.Helper()
		code, out, errOut := a.says("bookings", "add", "--file", file, "--data", a.data, "--now", morning)
		if code != 1 || out != "" || strings.Count(errOut, "\n") != 1 {
			t.Errorf("exit %d, wrote %q and %q; want one line", code, out, errOut)
		}
		for _, part := range parts {
			if !strings.Contains(errOut, part) {
				t.Errorf("%q does not say %q", errOut, part)
			}
		}
	}
	put("name,email\nAna,ana@example.ro\n")
	refused("line 1", "office,name,email,reason,day,time")
	put("office,name,email,reason,day,time\ncovasna,Ana Model,ana@example.ro,R05,2026-12-03,09:00\ncovasna,Ion Model,ion@example.ro,R05,3.12.2026,09:20\ncovasna,,x@example.ro,R05,2026-12-03,09:40\n")
	refused("line 3", "line 4", "name is missing")
	put("office,name,email,reason,day,time\ncovasna,Ana Model,ana@example.ro,R05,2026-12-03,09:00\ncovasna,Ion Model,ion@example.ro,R05,2026-12-03,09:00\ncovasna,Dan Model,dan@example.ro,R05,2026-12-05,09:00\n")
	refused("line 3", "B22", "line 4", "B15")
	put("office,name,email,reason,day,time\n\xff\n")
	refused("UTF-8")

	put("\ufeffoffice;name;email;reason;day;time\r\ncovasna;Ana Model;ana@example.ro;R05;2026-12-03;09:00\r\ncovasna;\"Példa, Éva\";eva@example.ro;r05;2026-12-03;09:20\r\n")
	var added []addedJSON
	a.does(&added, "bookings", "add", "--file", file, "--json")
	if len(added) != 2 || added[1].Name != "Példa, Éva" || added[1].ID == "" {
		t.Errorf("added: %+v", added)
	}
	var list []bookingJSON
	a.does(&list, "bookings", "list", "--office", "covasna", "--json")
	if len(list) != 2 {
		t.Errorf("the refused lists left bookings: %+v", list)
	}
}

// Whatever is typed wrongly gets one sentence and the right exit code.
func TestWrongInputs(t *testing.T) {
	a := admin{t, t.TempDir()}
	_, stop := a.serves("--now", morning)
	stop()
	if code, out, errOut := a.says("log", "--office", "covasna", "--data", filepath.Join(a.data, "typo")); code != 1 || out != "" || !strings.Contains(errOut, "there is no hub in") {
		t.Errorf("a mistyped folder: exit %d, wrote %q and %q", code, out, errOut)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	damaged := t.TempDir()
	for _, path := range []string{file, filepath.Join(damaged, "hub.db")} {
		if err := os.WriteFile(path, bytes.Repeat([]byte("this is no database. "), 300), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	book := []string{"bookings", "add", "--data", a.data, "--now", morning, "--office", "covasna", "--name", "Ana", "--email", "ana@example.ro", "--reason", "R05", "--time", "09:00", "--day"}
	for name, c := range map[string]struct {
		args []string
		code int
		say  string
	}{
		"unknown command":       {[]string{"fly"}, 2, "fly"},
		"unknown flag":          {[]string{"serve", "--data", a.data, "--wings"}, 2, "--wings"},
		"no data folder":        {[]string{"serve"}, 2, "--data"},
		"a bad instant":         {[]string{"serve", "--data", a.data, "--now", "yesterday"}, 2, "--now"},
		"a taken port":          {[]string{"serve", "--data", a.data, "--listen", taken.Addr().String()}, 1, "another program is listening"},
		"an open console":       {[]string{"serve", "--data", a.data, "--listen", "127.0.0.1:0", "--console", "0.0.0.0:0"}, 1, "stays on this machine"},
		"a bad public name":     {[]string{"serve", "--data", a.data, "--public", "hub.example.ro"}, 2, "--public"},
		"a file as folder":      {[]string{"serve", "--data", file}, 1, "not a directory"},
		"a damaged database":    {[]string{"offices", "--data", damaged}, 1, "damaged or no database"},
		"a token too early":     {[]string{"token", "new", "--data", t.TempDir(), "--office", "covasna"}, 1, "has not run in this folder"},
		"a token for nowhere":   {[]string{"token", "new", "--data", a.data, "--office", "nowhere", "--hub", "https://hub.example.ro"}, 1, "nowhere"},
		"a token without life":  {[]string{"token", "new", "--data", a.data, "--office", "covasna", "--for", "-1h"}, 2, "--for"},
		"a bad hub address":     {[]string{"token", "new", "--data", a.data, "--office", "covasna", "--hub", "hub"}, 1, "want https://"},
		"an unknown office":     {[]string{"log", "--data", a.data, "--office", "nowhere"}, 1, "nowhere"},
		"a bad day":             {append(book, "3.12.2026"), 2, "YYYY-MM-DD"},
		"a closed day":          {append(book, "2026-12-25"), 1, "rule"},
		"no day at all":         {book[:len(book)-1], 2, "day is missing"},
		"a list that is not":    {[]string{"bookings", "add", "--data", a.data, "--file", "/nowhere.csv"}, 1, "no such file"},
		"a list and a name":     {[]string{"bookings", "add", "--data", a.data, "--file", file, "--name", "x"}, 2, "--file"},
		"an id that is none":    {[]string{"bookings", "cancel", "--data", a.data, "--office", "covasna", "--id", "1"}, 2, "--id"},
		"an unknown booking":    {[]string{"bookings", "cancel", "--data", a.data, "--office", "covasna", "--id", "BKNG2345"}, 1, "no such booking"},
		"a field that is none":  {[]string{"bookings", "set", "--data", a.data, "--office", "covasna", "--id", "BKNG2345", "--field", "age", "--value", "7"}, 2, "--field"},
		"a device that is none": {[]string{"revoke", "--data", a.data, "--device", "7"}, 2, "device"},
		"an unknown device":     {[]string{"revoke", "--data", a.data, "--device", "0123456789abcdef"}, 1, "knows no device"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errOut := admin{t, a.data}.says(c.args...)
			if code != c.code || out != "" || !strings.Contains(errOut, c.say) || strings.Count(errOut, "\n") != 1 || !strings.HasPrefix(errOut, "condica-hub: ") {
				t.Errorf("exit %d, wrote %q and %q; want exit %d and one line with %q", code, out, errOut, c.code, c.say)
			}
		})
	}
	if code, out, _ := a.says("--help"); code != 0 || !strings.Contains(out, "serve") {
		t.Errorf("--help: exit %d, %q", code, out)
	}
	if code, out, _ := a.says("--version"); code != 0 || out != "unversioned\n" {
		t.Errorf("--version: exit %d, %q", code, out)
	}
}
