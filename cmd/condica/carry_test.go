package main

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// deadLine is an address at which nobody listens.
const deadLine = "127.0.0.1:9"

// The hub works and the line does not: the only way is a stick. Twenty people are checked in, the PC is switched off
// and on in between, a booking is made at the centre. Then the line is back, and
// there is nothing left to say.
func TestCarriedOnAStick(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	c.book()
	c.startPC("pc1", monday)
	c.enroll("pc1")
	c.inStep("pc1")
	today := c.day("pc1", "2026-11-23")
	before := len(c.log())
	c.cutLine("pc1")
	c.pcs["pc1"].stop()
	c.startPC("pc1", monday)

	var done []string
	for i, b := range today[:20] {
		c.condica("pc1", "check-in", b.ID)
		done = append(done, "booking/"+b.ID+"/arrived")
		if i == 9 {
			c.pcs["pc1"].kill()
			c.startPC("pc1", monday)
		}
	}
	if s := c.status("pc1"); s.Sent || s.Unsent != 20 {
		t.Fatalf("without a line the desk says %+v", s)
	}
	must(t, "condica-hub", "bookings", "add", "--data", c.hubDir(), "--now", "2026-11-23T10:00:00+02:00", "--office", "botosani",
		"--name", "Model Nou", "--email", "nou@example.ro", "--reason", "R08", "--day", "2026-11-25", "--time", "15:40")

	request, answer := filepath.Join(c.dir, "cerere"), filepath.Join(c.dir, "raspuns")
	c.condica("pc1", "carry", "out", request)
	if _, errs, code := say(t, "condica", "carry", "out", request, "--data", c.pcDir("pc1")); code == 0 || !strings.Contains(errs, "not written over") {
		t.Errorf("the file on its way was written over: exit %d, %s", code, errs)
	}
	c.carried(request, answer)
	assertFacts(t, c.log()[before:], append([]string{c.newBooking()}, done...))
	c.refuses(request, "hub's answer to it is wanted")
	c.refuses(c.half(answer), "the file is cut")
	c.refuses(c.endless(), "is longer than")
	if _, errs, code := say(t, "condica-hub", "carry", c.endless(), answer+"-none", "--data", c.hubDir()); code == 0 || !strings.Contains(errs, "longer than") {
		t.Errorf("the hub takes ten gigabytes: exit %d, %s", code, errs)
	}
	c.condica("pc1", "carry", "in", answer)
	if s := c.status("pc1"); !s.Sent || s.Cursor != int64(len(c.log())) {
		t.Fatalf("after the stick the desk says %+v, and the hub's log has %d edits", s, len(c.log()))
	}
	if !slices.ContainsFunc(c.day("pc1", "2026-11-25"), func(b bookingRow) bool { return b.Email == "nou@example.ro" }) {
		t.Error("the booking made meanwhile has not come with the answer")
	}
	c.carried(request, answer+"-2") // the same once more, on both sides
	c.condica("pc1", "carry", "in", answer+"-2")
	c.condica("pc1", "carry", "in", answer)
	c.byThePages(today[20].ID)
	log := c.log()

	c.mendLine("pc1")
	c.pcs["pc1"].stop()
	c.startPC("pc1", monday)
	c.inStep("pc1")
	c.startPC("pc2", monday)
	c.enroll("pc2")
	c.inStep("pc2")
	if now := c.log(); len(now) != len(log) {
		t.Errorf("the line is back, and the log has grown from %d edits to %d", len(log), len(now))
	}
	if one, two := c.day("pc1", "2026-11-23"), c.day("pc2", "2026-11-23"); !slices.Equal(one, two) {
		t.Errorf("the two desks differ:\n%v\n%v", one, two)
	}
}

// carried is the hub's side of the way.
func (c *country) carried(request, answer string) {
	c.t.Helper()
	must(c.t, "condica-hub", "carry", request, answer, "--data", c.hubDir(), "--now", c.now(monday))
}

func (c *country) refuses(file, why string) {
	c.t.Helper()
	if _, errs, code := say(c.t, "condica", "carry", "in", file, "--data", c.pcDir("pc1")); code == 0 || !strings.Contains(errs, why) {
		c.t.Errorf("carry in %s: exit %d, %s", filepath.Base(file), code, errs)
	}
}

func (c *country) half(file string) string {
	c.t.Helper()
	all, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file+"-half", all[:len(all)/2], 0o600)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return file + "-half"
}

// endless is a file of ten gigabytes of nothing.
func (c *country) endless() string {
	c.t.Helper()
	file := filepath.Join(c.dir, "endless")
	err := os.WriteFile(file, nil, 0o600)
	if err == nil {
		err = os.Truncate(file, 10<<30)
	}
	if err != nil {
		c.t.Fatal(err)
	}
	return file
}

// newBooking is the cell of the booking that was made last.
func (c *country) newBooking() string {
	var cell string
	for _, l := range c.log() {
		if strings.HasSuffix(l.Cell, "/booked") {
			cell = l.Cell
		}
	}
	return cell
}

// byThePages makes a second journey with a browser's two forms.
func (c *country) byThePages(id string) {
	c.t.Helper()
	c.condica("pc1", "check-in", id)
	desk := c.pcs["pc1"].url("desk")
	request, answer := filepath.Join(c.dir, "cerere-3"), filepath.Join(c.dir, "raspuns-3")
	file := c.sends(desk+"/coada/stick", "application/x-www-form-urlencoded", nil)
	if err := os.WriteFile(request, file, 0o600); err != nil {
		c.t.Fatal(err)
	}
	c.carried(request, answer)
	brought, err := os.ReadFile(answer)
	if err != nil {
		c.t.Fatal(err)
	}
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("fisier", "raspuns")
	if err != nil {
		c.t.Fatal(err)
	}
	part.Write(brought)
	form.Close()
	page := string(c.sends(desk+"/coada/raspuns", form.FormDataContentType(), body.Bytes()))
	if !strings.Contains(page, "Răspunsul centrului a fost citit.") || !strings.Contains(page, "Totul este trimis.") {
		c.t.Errorf("after the second journey the page shows %s", page)
	}
}

// sends posts a form as a browser does, and follows to the page after it.
func (c *country) sends(url, kind string, body []byte) []byte {
	c.t.Helper()
	r, err := http.NewRequestWithContext(c.t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	client := http.Client{Timeout: time.Minute}
	resp, err := client.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		c.t.Fatalf("%s: status %d, %v: %s", url, resp.StatusCode, err, got)
	}
	return got
}

var hubAddress = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// cutLine lets a PC look for its hub where there is none, from its next start on.
func (c *country) cutLine(pc string) { c.pointTo(pc, deadLine) }

// mendLine points it to the hub again.
func (c *country) mendLine(pc string) { c.pointTo(pc, "127.0.0.1:"+c.port) }

func (c *country) pointTo(pc, address string) {
	c.t.Helper()
	file := filepath.Join(c.pcDir(pc), "hub.json")
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, hubAddress.ReplaceAll(text, []byte(address)), 0o600)
	}
	if err != nil {
		c.t.Fatal(err)
	}
}
