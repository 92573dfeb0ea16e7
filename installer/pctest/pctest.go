//go:build linux

// Package pctest gives the installer's stories PCs to install on: a Debian
// with a real systemd, and one with Wine, each alone in its network. It is for
// tests only, and does nothing to the services of the machine it runs on.
package pctest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Need holds a story to its real parts: with CONDICA_REAL=1 one that is
// missing fails it, without it the story is listed as not run.
func Need(t *testing.T, parts ...string) {
	t.Helper()
	if os.Getenv("CONDICA_REAL") != "1" {
		t.Skip("not run: it needs a real system; CONDICA_REAL=1 has it run")
	}
	if os.Geteuid() != 0 {
		t.Fatal("only root can switch on a PC of its own")
	}
	for _, part := range append(parts, "debootstrap", "systemd-nspawn", "nsenter", "make", "git") {
		if _, err := exec.LookPath(part); err != nil {
			t.Fatalf("%s is missing: make setup installs it", part)
		}
	}
}

// A PC is a system in a container.
type PC struct {
	Root string // its disk, seen from outside

	t      *testing.T
	booted bool // by a real systemd
	run    *exec.Cmd
	out    *lockedBuffer
	gone   chan struct{} // closed when the container has ended
}

// On switches a fresh PC on, with systemd; the test's end switches it off.
func On(t *testing.T) *PC {
	t.Helper()
	p := &PC{t: t, Root: freshDisk(t, debian(t)), booted: true}
	p.on()
	t.Cleanup(func() {
		if t.Failed() {
			out, _, _ := p.Say("journalctl", "--no-pager", "-n", "60", "-o", "cat")
			t.Logf("the PC's log:\n%s", out)
		}
		p.off()
	})
	return p
}

// OnWithWine switches on a PC without a systemd, on which Windows programs
// run.
func OnWithWine(t *testing.T) *PC {
	t.Helper()
	p := &PC{t: t, Root: freshDisk(t, wine(t))}
	p.on()
	t.Cleanup(p.off)
	return p
}

func (p *PC) on() {
	p.t.Helper()
	args := []string{"--quiet", "--directory=" + p.Root, "--register=no", "--keep-unit", "--private-network", "--link-journal=no",
		"--machine=" + filepath.Base(filepath.Dir(p.Root))}
	if p.booted {
		args = append(args, "--boot")
	} else {
		args = append(args, "--as-pid2", "sleep", "infinity")
	}
	p.out, p.gone = &lockedBuffer{}, make(chan struct{})
	p.run = exec.Command("systemd-nspawn", args...)
	p.run.Stdout, p.run.Stderr = p.out, p.out
	p.run.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // a test that is broken off leaves no PC on
	if err := p.run.Start(); err != nil {
		p.t.Fatal(err)
	}
	go func(c *exec.Cmd, gone chan struct{}) { c.Wait(); close(gone) }(p.run, p.gone)
	p.Until("the PC is up", time.Minute, func() bool {
		select {
		case <-p.gone:
			p.t.Fatalf("the PC did not come up:\n%s", p.out)
		default:
		}
		return p.up()
	})
}

func (p *PC) up() bool {
	if !p.booted {
		_, _, code := p.Say("true")
		return code == 0
	}
	out, _, _ := p.Say("systemctl", "is-system-running")
	state := strings.TrimSpace(out)
	return state == "running" || state == "degraded"
}

// off switches the PC off and waits.
func (p *PC) off() {
	if p.booted {
		p.Say("systemctl", "poweroff")
	} else if pid, err := strconv.Atoi(p.init()); err == nil {
		if first, err := os.FindProcess(pid); err == nil {
			first.Kill()
		}
	}
	select {
	case <-p.gone:
	case <-time.After(time.Minute):
		p.run.Process.Kill()
		<-p.gone
	}
}

// Reboot is off and on: nspawn cannot always start a container again itself.
func (p *PC) Reboot() {
	p.t.Helper()
	p.off()
	p.on()
}

// init is the number of the PC's first process, seen from outside.
func (p *PC) init() string {
	pid := strconv.Itoa(p.run.Process.Pid)
	text, err := os.ReadFile("/proc/" + pid + "/task/" + pid + "/children")
	if first := strings.Fields(string(text)); err == nil && len(first) > 0 {
		return first[0]
	}
	return ""
}

// patience with one command.
const patience = 8 * time.Minute

// Say runs a command inside and gives its output, its error text and its code.
func (p *PC) Say(args ...string) (out, errs string, code int) {
	init := p.init()
	if init == "" {
		return "", "the PC is off", -1
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	inside := []string{"--target", init, "--all", "/usr/bin/env", "-i", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "HOME=/root",
		"WINEPREFIX=" + winePrefix, "WINEDEBUG=-all", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/wine"}
	cmd := exec.CommandContext(ctx, "nsenter", append(inside, args...)...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	cmd.WaitDelay = time.Second // what it left in the background may hold on to its output
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		return "", err.Error(), -1
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// Does runs a command that has to succeed, and gives its output.
func (p *PC) Does(args ...string) string {
	p.t.Helper()
	out, errs, code := p.Say(args...)
	if code != 0 {
		p.t.Fatalf("%s: exit %d: %s%s", strings.Join(args, " "), code, out, errs)
	}
	return strings.TrimSpace(out)
}

// Ends runs a command that has to end with this code, and gives all it said.
func (p *PC) Ends(want int, args ...string) string {
	p.t.Helper()
	out, errs, code := p.Say(args...)
	if code != want {
		p.t.Fatalf("%s: exit %d, want %d: %s%s", strings.Join(args, " "), code, want, out, errs)
	}
	return out + errs
}

// Has puts a text into a file of the PC.
func (p *PC) Has(path, text string) {
	p.t.Helper()
	full := filepath.Join(p.Root, path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(full), 0o755), os.WriteFile(full, []byte(text), 0o644)); err != nil {
		p.t.Fatal(err)
	}
}

// Brings copies a file into a folder of the PC and gives its path there.
func (p *PC) Brings(file, folder string) string {
	p.t.Helper()
	if err := os.MkdirAll(filepath.Join(p.Root, folder), 0o755); err != nil {
		p.t.Fatal(err)
	}
	must(p.t, "cp", "-r", file, filepath.Join(p.Root, folder))
	return filepath.Join(folder, filepath.Base(file))
}

// Until waits for a condition, says what it waited for, and gives how long.
func (p *PC) Until(what string, within time.Duration, ok func() bool) time.Duration {
	p.t.Helper()
	begin := time.Now()
	for !ok() {
		if time.Since(begin) > within {
			p.t.Fatalf("waited %s in vain: %s", within, what)
		}
		time.Sleep(50 * time.Millisecond)
	}
	return time.Since(begin)
}

func must(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
