package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"

	kardianos "github.com/kardianos/service"

	"condica/installer/linux"
)

// Where units lie: the packages' and ours.
var packaged = []string{"/usr/lib/systemd/system", "/lib/systemd/system"}

const (
	ownUnits = "/etc/systemd/system"
	unitName = Name + ".service"
)

// underWindows: systemd needs no other way to run than the foreground's.
func underWindows() bool { return false }

func runWindows(context.Context, string, Work) error { return errors.New("this is not Windows") }

func mayManage() error {
	if os.Geteuid() != 0 {
		return fmt.Errorf("%w: run it as root", ErrRights)
	}
	return nil
}

// install writes the unit itself: kardianos/service would render its own
// without notify, watchdog or sandbox, and leaves an empty one behind where it
// fails. Where a package brought the unit, that one is used.
func install(ctx context.Context, c Config) (changed bool, err error) {
	if err := reachable(c.Exe); err != nil {
		return false, err
	}
	if err := prepare(ctx); err != nil {
		return false, err
	}
	if !isPackaged() {
		text, err := linux.Unit(c.Exe)
		if err != nil {
			return false, err
		}
		if changed, err = putUnit(ownUnits, text); err != nil {
			return false, err
		}
	}
	if changed {
		if _, err := systemctl(ctx, "daemon-reload"); err != nil {
			return true, err
		}
	}
	if out, _ := systemctl(ctx, "is-enabled", unitName); strings.TrimSpace(out) == "enabled" {
		return changed, nil
	}
	_, err = systemctl(ctx, "enable", "--quiet", unitName)
	return true, err
}

// reachable refuses a program that the unit's sandbox hides from itself.
func reachable(exe string) error {
	for _, hidden := range []string{"/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"} {
		if strings.HasPrefix(exe, hidden) {
			return fmt.Errorf("the service may not look into %s: copy the program to /usr/local/bin and install it from there", strings.TrimSuffix(hidden, "/"))
		}
	}
	return nil
}

func isPackaged() bool {
	for _, dir := range packaged {
		if _, err := os.Stat(filepath.Join(dir, unitName)); err == nil {
			return true
		}
	}
	return false
}

// putUnit writes the unit whole or not at all.
func putUnit(dir string, text []byte) (changed bool, err error) {
	path := filepath.Join(dir, unitName)
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, text) {
		return false, nil
	}
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return false, errors.Join(err, os.Remove(path+".new"))
	}
	return true, os.Rename(path+".new", path)
}

// prepare makes the account and the folder.
func prepare(ctx context.Context) error {
	if _, err := user.Lookup(linux.Account); err != nil {
		cmd := exec.CommandContext(ctx, "systemd-sysusers", "-")
		cmd.Stdin = bytes.NewReader(linux.Accounts)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("make the account %s: %w: %s", linux.Account, err, bytes.TrimSpace(out))
		}
	}
	uid, gid, err := account()
	if err != nil {
		return err
	}
	if err := os.Mkdir(linux.Data, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make the data folder: %w", err)
	}
	return errors.Join(os.Chmod(linux.Data, 0o700), os.Lchown(linux.Data, uid, gid))
}

func account() (uid, gid int, err error) {
	u, err := user.Lookup(linux.Account)
	if err != nil {
		return 0, 0, err
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	return uid, gid, errors.Join(err1, err2)
}

// giveToOwnerOf makes the file the folder's owner's.
func giveToOwnerOf(dir string, f *os.File) error {
	uid, gid, err := ownerOf(dir)
	if err != nil || os.Geteuid() != 0 {
		return err
	}
	return f.Chown(uid, gid)
}

// remove takes away what install wrote; a package's unit is the package's.
func remove(ctx context.Context) error {
	st, err := standing(ctx)
	if err != nil || st.State == Absent {
		return err
	}
	if isPackaged() {
		return errors.New("it came with a package; remove it with the system's package manager (apt-get remove condica)")
	}
	if _, err := systemctl(ctx, "disable", "--quiet", unitName); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(ownUnits, unitName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	_, err = systemctl(ctx, "daemon-reload")
	return err
}

func start(context.Context) error {
	s, err := manager()
	if err != nil {
		return err
	}
	return s.Start()
}

func stop(context.Context) error {
	s, err := manager()
	if err != nil {
		return err
	}
	return s.Stop()
}

// manager is kardianos/service's. Where it finds no systemd it would take the
// PC for one with System V scripts and speak to those, without a word.
func manager() (kardianos.Service, error) {
	if !hasSystemd() {
		return nil, errNoSystemd
	}
	return kardianos.New(nil, &kardianos.Config{Name: Name})
}

var errNoSystemd = errors.New("systemd does not run this PC; run \"condica run\" under whatever does")

func hasSystemd() bool {
	_, err := os.Stat("/run/systemd/system")
	return err == nil
}

// standing reads systemd's properties: kardianos/service knows neither
// "starting" nor "failed", nor what the service says of itself.
func standing(ctx context.Context) (Standing, error) {
	if !hasSystemd() {
		return Standing{}, errNoSystemd
	}
	out, err := systemctl(ctx, "show", "--property=LoadState,ActiveState,MainPID,StatusText", unitName)
	if err != nil {
		return Standing{}, err
	}
	return readStanding(out), nil
}

func readStanding(out string) Standing {
	p := map[string]string{}
	for line := range strings.Lines(out) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), "=")
		p[k] = v
	}
	if p["LoadState"] != "loaded" { // a removed package leaves the name masked
		return Standing{State: Absent}
	}
	pid, _ := strconv.Atoi(p["MainPID"]) // none is 0 either way
	return Standing{State: stateOf(p["ActiveState"]), PID: pid, Doing: p["StatusText"]}
}

func stateOf(active string) State {
	switch active {
	case "active", "reloading":
		return Running
	case "activating":
		return Starting
	case "deactivating":
		return Stopping
	case "failed":
		return Failed
	}
	return Stopped
}

func systemctl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "systemctl", append([]string{"--no-ask-password"}, args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("systemctl %s: %w: %s", args[0], err, bytes.TrimSpace(out))
	}
	return string(out), nil
}

func removeAccount(ctx context.Context) error {
	if _, err := user.Lookup(linux.Account); err != nil {
		return nil // it is gone
	}
	if out, err := exec.CommandContext(ctx, "userdel", linux.Account).CombinedOutput(); err != nil {
		return fmt.Errorf("remove the account %s: %w: %s", linux.Account, err, bytes.TrimSpace(out))
	}
	return nil
}
