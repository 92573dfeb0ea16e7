//go:build linux

package linux_test

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"condica/installer/pctest"
)

// A PC that gets the program from an archive: one command registers it as the
// package would, may be repeated, and the others follow it to the end.
func TestSystemdFromArchive(t *testing.T) {
	pctest.Need(t, "dpkg-deb")
	dist := packages(t, root(t), "1.0.0")
	p := &atOffice{PC: pctest.On(t), t: t, dist: dist}
	program := p.Brings(filepath.Join(dist, "linux-"+runtime.GOARCH, "condica"), "/root")

	// Not yet installed; not an administrator; not from a hidden place.
	p.Ends(6, program, "start")
	p.Ends(0, program, "uninstall")
	if said := p.Ends(1, program, "install"); !strings.Contains(said, "/usr/local/bin") {
		t.Errorf("from /root the installation says %q", said)
	}
	p.Does("install", "-m", "0755", program, "/usr/local/bin/condica")
	p.Ends(5, "runuser", "-u", "nobody", "--", "condica", "install")
	before := p.files()

	// What an installation that was broken off may have left: an empty unit.
	p.Has("/etc/systemd/system/condica.service", "")
	p.Does("condica", "install")
	p.mustStatus()
	was := p.pid()
	p.Does("condica", "install")
	if p.pid() != was {
		t.Error("installing once more restarted a service that was in order")
	}
	if said := p.Does("systemctl", "status", "--no-pager", "condica"); !strings.Contains(said, "the desk is open at") {
		t.Errorf("systemctl status does not show what the service does:\n%s", said)
	}
	p.Ends(2, "condica", "install", "--token", "condica-token-1.half")
	p.Ends(5, "runuser", "-u", "nobody", "--", "condica", "stop")

	p.Does("condica", "restart")
	p.Until("another process answers", 20*time.Second, func() bool { _, ok := p.status(); return ok && p.pid() != was })
	p.Does("condica", "stop")
	p.Does("condica", "stop")
	if said := p.Ends(1, "condica", "doctor"); !strings.Contains(said, "the service is stopped") {
		t.Errorf("doctor of a stopped service says:\n%s", said)
	}
	p.Does("condica", "start")
	p.Does("condica", "start")
	p.mustStatus()

	p.Does("condica", "uninstall")
	p.Does("condica", "uninstall")
	p.Does("test", "-e", "/var/lib/condica/replica.db")
	p.Ends(6, "condica", "start")

	p.Does("condica", "install")
	p.Does("condica", "purge", "--yes")
	for _, f := range p.files() {
		if strings.Contains(f, "condica") && !slices.Contains(before, f) {
			t.Errorf("left behind after the purge: %s", f)
		}
	}
	p.Ends(2, "getent", "passwd", "condica")
}
