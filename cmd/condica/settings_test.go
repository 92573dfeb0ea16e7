package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"condica/hub"
	"condica/hub/store"
	"condica/hub/store/sqlite"
	"condica/spclep"
	"condica/sync/bundle"
)

// A change of a bundle's file: what stands there, and what is to stand there.
type change struct{ file, old, new string }

// texts are the files of bundle number with a settings.yaml and changes.
func texts(t *testing.T, number int64, settings string, changes ...change) map[string]string {
	t.Helper()
	out := spclep.BuiltinTexts()
	out["settings.yaml"] = "format: 1\n" + settings
	for _, c := range append(changes, change{"bundle.yaml", "bundle: 1\n", fmt.Sprintf("bundle: %d\n", number)}) {
		if !strings.Contains(out[c.file], c.old) {
			t.Fatalf("%s does not hold %q", c.file, c.old)
		}
		out[c.file] = strings.Replace(out[c.file], c.old, c.new, 1)
	}
	return out
}

func (c *country) keys() {
	c.t.Helper()
	must(c.t, "condica-hub", "settings", "init-keys", "--root", filepath.Join(c.dir, "root"), "--data", c.hubDir(), "--now", c.now(monday))
}

// sign makes a signed bundle and gives its file.
func (c *country) sign(number int64, target string, files map[string]string) string {
	c.t.Helper()
	dir := filepath.Join(c.t.TempDir(), "files")
	if err := os.Mkdir(dir, 0o700); err != nil {
		c.t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			c.t.Fatal(err)
		}
	}
	out := dir + ".bundle"
	must(c.t, "condica-hub", "settings", "sign", "--files", dir, "--target", target, "--number", fmt.Sprint(number), "--out", out, "--data", c.hubDir(), "--now", c.now(monday))
	return out
}

func (c *country) publish(file string) {
	c.t.Helper()
	must(c.t, "condica-hub", "settings", "publish", "--bundle", file, "--data", c.hubDir(), "--now", c.now(monday))
}

// smuggle lays a box into the hub's store past all checks, as whoever has taken
// the hub could.
func (c *country) smuggle(number int64, box string) {
	c.t.Helper()
	s, err := sqlite.Open(c.t.Context(), c.hubDir())
	if err != nil {
		c.t.Fatal(err)
	}
	defer s.Close()
	if err := s.AddSettings(c.t.Context(), store.Published{Number: number, Target: "national", AtMs: 1, Box: box}); err != nil {
		c.t.Fatal(err)
	}
}

type settingsAnswer struct {
	Applied int64  `json:"applied"`
	Proven  int64  `json:"proven"`
	Refused int64  `json:"refused"`
	Code    string `json:"code"`
	Say     string `json:"say"`
	Values  struct {
		Level string `json:"log_level"`
		Sync  struct {
			Poll int `json:"poll_seconds"`
		} `json:"sync"`
	} `json:"values"`
}

func (c *country) settings(pc string) settingsAnswer {
	c.t.Helper()
	return read[struct {
		Settings settingsAnswer `json:"settings"`
	}](c.t, "condica", "status", "--json", "--data", c.pcDir(pc)).Settings
}

func (c *country) proven(pc string, number int64) {
	c.t.Helper()
	until(c.t, fmt.Sprintf("%s has proven bundle %d", pc, number), func() bool {
		s := c.settings(pc)
		if s.Refused == number {
			c.t.Fatalf("%s refuses bundle %d: %s: %s", pc, number, s.Code, s.Say)
		}
		return s.Proven == number && s.Applied == number
	})
}

// page is what a clerk's browser is shown.
func (c *country) page(pc, path string) string {
	c.t.Helper()
	resp, err := http.Get(c.pcs[pc].url("desk") + path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		c.t.Fatalf("page %s: status %d, %v", path, resp.StatusCode, err)
	}
	return string(text)
}

func (c *country) shows(pc, path string, wants ...string) {
	c.t.Helper()
	text := c.page(pc, path)
	for _, want := range wants {
		if !strings.Contains(text, want) {
			c.t.Errorf("page %s of %s does not show %q", path, pc, want)
		}
	}
}

// bookOne makes a booking and gives its short code.
func (c *country) bookOne(day, at string) string {
	c.t.Helper()
	return read[struct {
		ID string `json:"id"`
	}](c.t, "condica-hub", c.bookingOf(day, at)...).ID
}

func (c *country) bookingOf(day, at string) []string {
	return []string{"bookings", "add", "--data", c.hubDir(), "--office", "botosani", "--name", "Persoană din " + day + " " + at,
		"--email", "p@example.ro", "--reason", "R08", "--day", day, "--time", at, "--now", c.now(monday), "--json"}
}

type visitAnswer struct {
	Booked struct {
		Bundle int    `json:"bundle"`
		List   string `json:"list"`
	} `json:"booked"`
	Rules struct {
		Fee struct {
			Text string `json:"text"`
		} `json:"fee"`
		Changed   bool `json:"list_changed"`
		Checklist struct {
			Version string `json:"version"`
		} `json:"checklist"`
	} `json:"rules"`
}

func (c *country) visit(pc, id string) visitAnswer {
	c.t.Helper()
	return read[visitAnswer](c.t, "condica", "visit", id, "--json", "--data", c.pcDir(pc))
}

// The centre sends the office a closure for tomorrow, a fee from a Monday on, a
// notice, a help-desk line and the log's level. All of it shows at the desk
// without a restart, by the day of each booking, and outlives a kill.
func TestSettingsReachTheDesk(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	c.startPC("pc1", monday)
	c.enroll("pc1") // before IT has made its keys: the root key comes with a later answer
	friday, next := c.bookOne("2026-12-04", "09:00"), c.bookOne("2026-12-07", "09:00")
	c.inStep("pc1")
	c.keys()
	closure := change{"botosani.yaml", "\nlinks:", "\ndays:\n  - {day: 2026-11-24, kind: closed, title: \"pană de curent anunțată\"}\n\nlinks:"}
	fee := change{"national.yaml", "{product: CI_1997, bani: 700, rule: F07, source: \"S1:152; S3:28\"}",
		"{product: CI_1997, bani: 700, until: 2026-12-07, rule: F07}\n  - {product: CI_1997, bani: 900, since: 2026-12-07, rule: F07}"}
	values := "sync: {poll_seconds: 20, wait: true}\nlog_level: debug\nclerks: [{name: Maria Exemplu}]\ntexts: {help_desk: \"Sunați la 0200 000 000.\", notice: \"Casieria se mută joi.\"}\n"
	c.publish(c.sign(7, "national", texts(t, 7, values, closure, fee)))
	c.proven("pc1", 7)

	c.shows("pc1", "/?zi=2026-11-24", "pană de curent anunțată")
	c.shows("pc1", "/", "Casieria se mută joi.", `href="/?zi=2026-11-24"`, `<option value="Maria Exemplu">`)
	c.shows("pc1", "/ajutor", "Sunați la 0200 000 000.")
	if s := c.settings("pc1"); s.Values.Level != "debug" || s.Values.Sync.Poll != 20 {
		t.Errorf("the service works by %+v", s.Values)
	}
	before, after := c.visit("pc1", friday), c.visit("pc1", next)
	if !strings.Contains(before.Rules.Fee.Text, "7 lei") || before.Rules.Changed || before.Booked.List == "" {
		t.Errorf("Friday's booking: %+v; the fee of 9 lei is for Monday", before)
	}
	if !strings.Contains(after.Rules.Fee.Text, "9 lei") || !after.Rules.Changed || after.Booked.Bundle != 1 {
		t.Errorf("Monday's booking: %+v; want the new fee, and that the list is not the one that was shown", after)
	}
	c.shows("pc1", "/vizita/"+next, "Lista actelor s-a schimbat", "regulile nr. 1", "regulile nr. 7")
	if strings.Contains(c.page("pc1", "/vizita/"+friday), "Lista actelor s-a schimbat") {
		t.Error("Friday's booking says that its list has changed")
	}

	// The hub books by the same rules: nobody on a closed day, and what is booked
	// now was shown the new list.
	if _, errs, code := say(t, "condica-hub", c.bookingOf("2026-11-24", "09:00")...); code == 0 || !strings.Contains(errs, "pană de curent anunțată") {
		t.Errorf("a booking on the closed day: exit %d, %q", code, errs)
	}
	fresh := c.bookOne("2026-12-07", "09:20")
	c.inStep("pc1")
	if v := c.visit("pc1", fresh); v.Booked.Bundle != 7 || v.Rules.Changed || v.Booked.List != after.Rules.Checklist.Version {
		t.Errorf("a booking made since: %+v", v)
	}

	c.pcs["pc1"].kill()
	c.startPC("pc1", monday)
	c.shows("pc1", "/?zi=2026-11-24", "pană de curent anunțată")
	until(t, "the hub knows that pc1 is in step", func() bool {
		st := read[struct {
			PCs []struct {
				Desired, Applied, Proven int64
				InStep                   bool `json:"in_step"`
			} `json:"pcs"`
		}](t, "condica-hub", "settings", "status", "--json", "--data", c.hubDir())
		return len(st.PCs) == 1 && st.PCs[0].InStep && st.PCs[0].Desired == 7 && st.PCs[0].Proven == 7
	})
}

// Bad bundles: the hub's own door refuses each by name; past it, with the hub
// in wrong hands, the PC does. The desk goes on by the last good one.
func TestBadSettingsAreRefusedByName(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	c.keys()
	c.startPC("pc1", monday)
	c.enroll("pc1")
	c.publish(c.sign(7, "national", texts(t, 7, "texts: {notice: \"Regulile șapte.\"}\n")))
	c.proven("pc1", 7)

	file := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	good := file(c.sign(9, "national", texts(t, 9, "")))
	seven := texts(t, 7, "texts: {notice: \"Alte reguli șapte.\"}\n")
	typo := func(number int64) string { return c.signedAnyhow(number, texts(t, number, "txts: {}\n")) }
	stranger := newCountry(t) // with a root key of its own
	stranger.startHub()
	stranger.keys()
	bad := map[string]string{
		"torn":              good[:len(good)*2/3],
		"forged":            strings.Replace(good, signatureOf(good), signatureOf(file(c.sign(8, "national", texts(t, 8, "")))), 1),
		"key-not-certified": file(stranger.sign(9, "national", texts(t, 9, ""))),
		"other-office":      file(c.sign(9, "covasna", texts(t, 9, ""))),
		"replayed":          file(c.sign(7, "national", seven)),
		"downgraded":        file(c.sign(6, "national", texts(t, 6, ""))),
		"contents":          typo(9),
	}
	path := filepath.Join(c.dir, "bad.bundle")
	for code, box := range bad {
		if err := os.WriteFile(path, []byte(box), 0o600); err != nil {
			t.Fatal(err)
		}
		if code == "other-office" {
			continue // the hub may well offer it, to the other office
		}
		_, errs, exit := say(t, "condica-hub", "settings", "publish", "--bundle", path, "--data", c.hubDir(), "--now", c.now(monday))
		if exit != 1 || !strings.Contains(errs, code+": ") {
			t.Errorf("published as %s: exit %d, %q", code, exit, errs)
		}
		if code == "contents" && !strings.Contains(errs, `settings.yaml:2: txts: unknown key, did you mean "texts"?`) {
			t.Errorf("the typo is told as %q", errs)
		}
	}
	number := int64(9)
	for code, box := range bad {
		if number++; code == "contents" {
			box = typo(number)
		}
		c.smuggle(number, box)
		var s settingsAnswer
		until(t, "pc1 has judged the "+code+" bundle", func() bool { s = c.settings("pc1"); return s.Refused == number })
		if s.Code != code || s.Applied != 7 || s.Proven != 7 {
			t.Errorf("the %s bundle: %+v", code, s)
		}
		c.shows("pc1", "/", "Regulile șapte.")
	}
	c.publish(c.sign(30, "national", texts(t, 30, "texts: {notice: \"Regulile treizeci.\"}\n")))
	c.proven("pc1", 30)
	c.shows("pc1", "/", "Regulile treizeci.")
}

func signatureOf(box string) string {
	_, rest, _ := strings.Cut(box, "\nsignature ")
	line, _, _ := strings.Cut(rest, "\n")
	return line
}

// A bundle that is sound by every check withdraws the reason for which people
// are booked today. In force, the desk finds that it cannot serve them any more,
// and goes back by itself; the hub is told why.
func TestSettingsThatBreakTheDeskGoBack(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	c.keys()
	c.book()
	c.startPC("pc1", monday)
	c.enroll("pc1")
	c.inStep("pc1")
	today := c.day("pc1", "2026-11-23")
	c.publish(c.sign(7, "national", texts(t, 7, "texts: {notice: \"Regulile șapte.\"}\n")))
	c.proven("pc1", 7)
	withdrawn := change{"botosani.yaml", `{reason: R08, source: "S3:43-56"}`, `{reason: R08, until: 2026-11-01, source: "S3:43-56"}`}
	c.publish(c.sign(8, "botosani", texts(t, 8, "texts: {notice: \"Regulile opt.\"}\n", withdrawn)))
	var at settingsAnswer
	until(t, "pc1 has judged bundle 8", func() bool { at = c.settings("pc1"); return at.Refused == 8 })
	if at.Code != "not-proven" || !strings.Contains(at.Say, "booking ") || !strings.Contains(at.Say, "R08") || at.Applied != 7 || at.Proven != 7 {
		t.Errorf("pc1 says %+v", at)
	}
	c.shows("pc1", "/", "Regulile șapte.")
	c.condica("pc1", "check-in", today[0].ID)
	until(t, "the hub knows why", func() bool {
		out := must(t, "condica-hub", "settings", "status", "--data", c.hubDir())
		return strings.Contains(out, "desired 8, applied 7, proven 7; refused 8: not-proven: booking ")
	})
	c.publish(c.sign(9, "botosani", texts(t, 9, "texts: {notice: \"Regulile nouă.\"}\n")))
	c.proven("pc1", 9)
	c.shows("pc1", "/", "Regulile nouă.")
}

// A PC is away for forty days, over New Year. It takes the newest bundle at
// once, and none of those between.
func TestFortyDaysAway(t *testing.T) {
	c := newCountry(t)
	c.startHub()
	c.keys()
	c.startPC("pc1", monday)
	c.enroll("pc1")
	c.publish(c.sign(7, "national", texts(t, 7, "")))
	c.proven("pc1", 7)
	c.pcs["pc1"].stop()
	for number := int64(8); number <= 10; number++ {
		c.publish(c.sign(number, map[int64]string{8: "national", 9: "national", 10: "botosani"}[number],
			texts(t, number, fmt.Sprintf("texts: {notice: \"Regulile %d.\"}\n", number))))
	}
	c.hub.stop()
	later := monday.AddDate(0, 0, 40).Format(time.RFC3339)
	c.hub = start(t, "condica-hub", "serve", "--data", c.hubDir(), "--listen", "127.0.0.1:"+c.port, "--now", later, "--json")
	c.pcs["pc1"] = start(t, "condica", "run", "--data", c.pcDir("pc1"), "--listen", "127.0.0.1:0", "--now", later, "--no-ticket", "--json")
	c.proven("pc1", 10)
	c.shows("pc1", "/", "Regulile 10.")
	if log := c.pcs["pc1"].errs.String(); strings.Contains(log, `"number":8`) || strings.Contains(log, `"number":9`) {
		t.Errorf("the PC went through bundles between:\n%s", log)
	}
}

// signedAnyhow signs what settings sign would not: with the hub's own key, by a
// program that does not look.
func (c *country) signedAnyhow(number int64, files map[string]string) string {
	t := c.t
	t.Helper()
	s, err := sqlite.Open(t.Context(), c.hubDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	text, err := s.Secret(t.Context(), "settings/signing", func() ([]byte, error) { return nil, store.ErrNone })
	if err != nil {
		t.Fatal(err)
	}
	var key hub.SigningKey
	if err := json.Unmarshal(text, &key); err != nil {
		t.Fatal(err)
	}
	private, err := key.Private()
	if err != nil {
		t.Fatal(err)
	}
	b := bundle.Bundle{Number: number, Target: bundle.National, Issued: key.Certificate.From + 1}
	for name, text := range files {
		b.Files = append(b.Files, bundle.File{Name: name, Text: text})
	}
	box, err := bundle.Seal(private, key.Certificate, b)
	if err != nil {
		t.Fatal(err)
	}
	return box
}
