//go:build linux

package linux_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"condica/installer/pctest"
)

// All clocks of the story stand at a Monday morning in office hours.
const (
	hubClock = "2026-11-23T09:00:00+02:00"
	pcClock  = hubClock
)

// pcStatus is what the story reads of condica status --json.
type pcStatus struct {
	Version  string `json:"version"`
	Enrolled bool   `json:"enrolled"`
	Office   string `json:"office"`
	Unsent   int    `json:"unsent"`
	Bookings int    `json:"bookings"`
}

// atOffice is a PC on which the packages are at home.
type atOffice struct {
	*pctest.PC
	t    *testing.T
	dist string
}

// newOffice boots a PC that also runs the hub: it has no other network.
func newOffice(t *testing.T, version string) *atOffice {
	t.Helper()
	p := &atOffice{PC: pctest.On(t), t: t, dist: packages(t, root(t), version)}
	p.Has("/etc/default/condica-hub", fmt.Sprintf("CONDICA_HUB_ARGS=\"--listen 127.0.0.1:8443 --now %s\"\n", hubClock))
	p.Has("/etc/systemd/system/condica.service.d/clock.conf",
		"[Service]\nExecStart=\nExecStart=/usr/bin/condica run --data /var/lib/condica --json --now "+pcClock+"\n")
	p.Does("dpkg", "--force-confold", "-i", p.Brings(deb(p.dist, "condica-hub", version), "/root"))
	p.Until("the hub runs", time.Minute, func() bool { return p.asHub("offices") == nil })
	return p
}

// asHub runs a hub's command as the hub's account.
func (p *atOffice) asHub(args ...string) error {
	_, err := p.hubSays(args...)
	return err
}

func (p *atOffice) hubSays(args ...string) (string, error) {
	all := append([]string{"runuser", "-u", "condica-hub", "--", "condica-hub"}, args...)
	out, errs, code := p.Say(append(all, "--data", "/var/lib/condica-hub", "--now", hubClock)...)
	if code != 0 {
		return out, fmt.Errorf("condica-hub %s: exit %d: %s", strings.Join(args, " "), code, errs)
	}
	return strings.TrimSpace(out), nil
}

func (p *atOffice) status() (st pcStatus, ok bool) {
	out, _, code := p.Say("condica", "status", "--json")
	return st, code == 0 && json.Unmarshal([]byte(out), &st) == nil
}

func (p *atOffice) mustStatus() pcStatus {
	p.t.Helper()
	var st pcStatus
	p.Until("the desk answers", time.Minute, func() (ok bool) { st, ok = p.status(); return ok })
	return st
}

func (p *atOffice) pid() int {
	p.t.Helper()
	n, err := strconv.Atoi(p.Does("systemctl", "show", "--property=MainPID", "--value", "condica"))
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// files lists all that is on the PC's disk, but for logs, caches and what
// other programs keep for themselves.
func (p *atOffice) files() []string {
	p.t.Helper()
	out := p.Does("find", "/", "-xdev", "(", "-path", "/proc", "-o", "-path", "/sys", "-o", "-path", "/run", "-o", "-path", "/tmp", "-o", "-path", "/var/tmp",
		"-o", "-path", "/var/log", "-o", "-path", "/var/cache", "-o", "-path", "/var/lib/systemd/timers", "-o", "-path", "/root", ")", "-prune", "-o", "-print")
	list := strings.Split(out, "\n")
	slices.Sort(list)
	return list
}

// The whole life of an office PC: installed silently while the hub is off,
// switched off and on, enrolled by itself when the hub comes, killed, upgraded
// and removed in the middle of unsent work, and at last purged without a trace.
func TestSystemdOfficeLife(t *testing.T) {
	pctest.Need(t, "dpkg-deb")
	p := newOffice(t, "1.0.0")
	if err := p.asHub("bookings", "add", "--office", "covasna", "--name", "Ana Pârvu-Exemplu", "--email", "ana@example.ro", "--reason", "R05", "--day", "2026-11-24", "--time", "09:00"); err != nil {
		t.Fatal(err)
	}
	token, err := p.hubSays("token", "new", "--office", "covasna")
	if err != nil {
		t.Fatal(err)
	}
	p.Does("systemctl", "disable", "--quiet", "--now", "condica-hub") // it would start with the PC too
	before := p.files()

	p.installsSilently(token)
	p.comesBackWithThePC()
	p.enrolsByItself()
	p.isShutIn()
	p.survivesKill()
	p.isStartedAnewWhenStuck()
	p.refusesPurge()
	p.upgrades()
	p.isRemovedAndComesBack()

	p.Does("dpkg", "--purge", "condica")
	// The clock is this story's own; everything else must be as it was.
	if after := p.files(); !slices.Equal(before, after) {
		for _, f := range after {
			if !slices.Contains(before, f) {
				t.Errorf("left behind after the purge: %s", f)
			}
		}
		for _, f := range before {
			if !slices.Contains(after, f) {
				t.Errorf("gone with the purge: %s", f)
			}
		}
	}
	p.Ends(2, "getent", "passwd", "condica")
	if load := p.Does("systemctl", "show", "--property=LoadState", "--value", "condica"); load == "loaded" {
		t.Errorf("systemd still has the unit after the purge")
	}
}

func (p *atOffice) installsSilently(token string) {
	p.t.Helper()
	begin := time.Now()
	said := p.Ends(0, "env", "CONDICA_TOKEN="+token, "dpkg", "-i", p.Brings(deb(p.dist, "condica", "1.0.0"), "/root"))
	p.t.Logf("installed in %s", time.Since(begin).Round(time.Millisecond))
	if strings.Contains(said, "condica-token") || strings.Contains(said, "Created symlink") {
		p.t.Errorf("the silent installation said %q", said)
	}
	if st := p.mustStatus(); st.Enrolled {
		p.t.Errorf("the PC is enrolled while the hub is off: %+v", st)
	}
	if got := p.Does("stat", "--format=%a %U", "/var/lib/condica", "/var/lib/condica/enroll.token"); got != "700 condica\n600 condica" {
		p.t.Errorf("folder and token have rights %q", got)
	}
	said = p.Ends(4, "condica", "doctor")
	if !strings.Contains(said, "a token for office covasna waits") || !strings.Contains(said, "does not answer") {
		p.t.Errorf("doctor does not say what is missing:\n%s", said)
	}
}

func (p *atOffice) comesBackWithThePC() {
	p.t.Helper()
	p.Reboot()
	if st := p.mustStatus(); st.Version != "1.0.0" {
		p.t.Errorf("after the PC was off and on the desk says %+v", st)
	}
}

func (p *atOffice) enrolsByItself() {
	p.t.Helper()
	p.Does("systemctl", "start", "condica-hub")
	took := p.Until("the PC enrols by itself and has the booking", 3*time.Minute, func() bool {
		st, ok := p.status()
		return ok && st.Enrolled && st.Office == "covasna" && st.Bookings == 1
	})
	p.t.Logf("enrolled and filled %s after the hub came", took.Round(100*time.Millisecond))
	p.Ends(1, "test", "-e", "/var/lib/condica/enroll.token")
	said := p.Ends(0, "condica", "doctor")
	if !strings.Contains(said, `issued by "Condica hub CA"`) || strings.Contains(said, "warning") {
		p.t.Errorf("doctor of a PC in order says:\n%s", said)
	}
}

var exposure = regexp.MustCompile(`exposure level for .*: ([0-9.]+)`)

func (p *atOffice) isShutIn() {
	p.t.Helper()
	for _, unit := range []string{"condica", "condica-hub"} {
		found := exposure.FindStringSubmatch(p.Does("systemd-analyze", "security", "--no-pager", unit))
		if found == nil {
			p.t.Fatalf("systemd-analyze gives no level for %s", unit)
		}
		level, err := strconv.ParseFloat(found[1], 64)
		if err != nil || level > 2 {
			p.t.Errorf("%s is exposed to level %s, want 2.0 at most", unit, found[1])
		}
		p.t.Logf("%s: exposure level %s", unit, found[1])
	}
}

// takesAWalkIn is a clerk's action, and gives how many edits are unsent then.
func (p *atOffice) takesAWalkIn(name string) int {
	p.t.Helper()
	p.Does("condica", "walk-in", "--name", name, "--reason", "R11", "--urgent", "--approved", "șef serviciu", "--why", "spitalizare")
	return p.mustStatus().Unsent
}

func (p *atOffice) survivesKill() {
	p.t.Helper()
	p.Does("systemctl", "stop", "condica-hub")
	unsent := p.takesAWalkIn("Ion Model")
	if unsent == 0 {
		p.t.Fatal("with the hub off nothing is unsent")
	}
	was := p.pid()
	p.Does("systemctl", "kill", "--signal=KILL", "--kill-who=main", "condica")
	took := p.Until("the service is back after SIGKILL", time.Minute, func() bool {
		st, ok := p.status()
		return ok && st.Unsent == unsent && p.pid() != was
	})
	p.t.Logf("after SIGKILL back with its %d unsent edits in %s", unsent, took.Round(100*time.Millisecond))
}

// isStartedAnewWhenStuck: a process that is there but does nothing.
func (p *atOffice) isStartedAnewWhenStuck() {
	p.t.Helper()
	patience := "/etc/systemd/system/condica.service.d/patience.conf"
	p.Has(patience, "[Service]\nWatchdogSec=3\nTimeoutAbortSec=2\n")
	p.Does("systemctl", "daemon-reload")
	p.Does("systemctl", "restart", "condica")
	unsent, was := p.mustStatus().Unsent, p.pid()
	p.Does("systemctl", "kill", "--signal=STOP", "--kill-who=main", "condica")
	took := p.Until("the stuck service is started anew", time.Minute, func() bool {
		st, ok := p.status()
		return ok && st.Unsent == unsent && p.pid() != was
	})
	p.t.Logf("stuck with a watchdog of 3 s, back in %s", took.Round(100*time.Millisecond))
	if err := os.Remove(filepath.Join(p.Root, patience)); err != nil {
		p.t.Fatal(err)
	}
	p.Does("systemctl", "daemon-reload")
}

func (p *atOffice) refusesPurge() {
	p.t.Helper()
	unsent := p.mustStatus().Unsent
	p.Ends(2, "condica", "purge")
	said := p.Ends(3, "condica", "purge", "--yes")
	if !strings.Contains(said, fmt.Sprintf("%d changes", unsent)) {
		p.t.Errorf("the refused purge does not say that %d are unsent: %s", unsent, said)
	}
	p.Does("condica", "stop")
	p.Ends(3, "condica", "purge", "--yes") // counted without the service
	p.Does("condica", "start")
	if got := p.mustStatus().Unsent; got != unsent {
		p.t.Errorf("after the refused purge %d are unsent, want %d", got, unsent)
	}
}

func (p *atOffice) upgrades() {
	p.t.Helper()
	unsent, was := p.mustStatus().Unsent, p.pid()
	newer := packages(p.t, root(p.t), "1.0.1")
	p.Does("dpkg", "-i", p.Brings(deb(newer, "condica", "1.0.1"), "/root"))
	p.Until("the new version runs with the unsent work", time.Minute, func() bool {
		st, ok := p.status()
		return ok && st.Version == "1.0.1" && st.Unsent == unsent && st.Enrolled && p.pid() != was
	})
}

// isRemovedAndComesBack: a removal keeps the data, a purge with unsent work is
// refused, and once the hub has all it is not.
func (p *atOffice) isRemovedAndComesBack() {
	p.t.Helper()
	unsent := p.mustStatus().Unsent
	said := p.Ends(0, "dpkg", "--remove", "condica")
	if !strings.Contains(said, fmt.Sprintf("not have yet: %d", unsent)) {
		p.t.Errorf("the removal does not say that %d are unsent: %s", unsent, said)
	}
	said = p.Ends(1, "dpkg", "--purge", "condica")
	if !strings.Contains(said, "CONDICA_PURGE_UNSENT") {
		p.t.Errorf("the refused purge does not say how to force it: %s", said)
	}
	p.Does("test", "-e", "/var/lib/condica/replica.db")

	p.Does("dpkg", "-i", "/root/"+filepath.Base(deb("", "condica", "1.0.1")))
	if got := p.mustStatus().Unsent; got != unsent {
		p.t.Errorf("after removal and installation %d are unsent, want %d", got, unsent)
	}
	p.Does("systemctl", "start", "condica-hub")
	p.Until("the hub has all work", time.Minute, func() bool { st, ok := p.status(); return ok && st.Unsent == 0 })
	log, err := p.hubSays("bookings", "list", "--office", "covasna")
	if err != nil || !strings.Contains(log, "Ion Model") {
		p.t.Errorf("the hub does not have the walk-in (%v):\n%s", err, log)
	}
	p.Does("systemctl", "stop", "condica-hub")
}
