//go:build linux

package pctest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// winePrefix is where the Windows of a PC with Wine lies.
const winePrefix = "/wine"

// debian is a plain Debian with systemd.
func debian(t *testing.T) string {
	t.Helper()
	return kept(t, "debian-bookworm-"+runtime.GOARCH, func(dir string) error {
		return debootstrap("bookworm", "systemd,systemd-sysv,dbus,ca-certificates", dir)
	})
}

// wine is a Debian 13, whose Wine has what Go programs need of Windows; that
// of Debian 12 lacks a library and cannot delete a folder for them.
func wine(t *testing.T) string {
	t.Helper()
	return kept(t, "wine-trixie-"+runtime.GOARCH, func(dir string) error {
		if err := debootstrap("trixie", "wine64,ca-certificates", dir); err != nil {
			return err
		}
		return command("systemd-nspawn", "--quiet", "--directory="+dir, "--register=no", "--keep-unit", "--private-network",
			"--setenv=WINEPREFIX="+winePrefix, "--setenv=WINEDEBUG=-all", "--as-pid2", "/usr/lib/wine/wine64", "wineboot", "--init")
	})
}

func debootstrap(suite, parts, dir string) error {
	return command("debootstrap", "--variant=minbase", "--include="+parts, suite, dir)
}

// kept gives a system from the user's cache, fetched the first time. It is
// there whole or not at all: one that was broken off is fetched again.
func kept(t *testing.T, name string, fetch func(dir string) error) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "condica", name)
	if _, err := os.Stat(dir); err == nil {
		return dir
	} else if !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	half := dir + ".half"
	err = errors.Join(os.RemoveAll(half), os.MkdirAll(filepath.Dir(dir), 0o755))
	if err == nil {
		err = fetch(half)
	}
	if err == nil {
		err = os.Rename(half, dir)
	}
	if err != nil {
		t.Fatalf("fetch %s: %v", name, err)
	}
	return dir
}

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out[max(0, len(out)-4000):])
	}
	return nil
}

// freshDisk lays a layer of the test's own over a kept system.
func freshDisk(t *testing.T, base string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "condica-pc-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, d := range []string{"disk", "layer", "work"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	disk := filepath.Join(dir, "disk")
	layers := fmt.Sprintf("lowerdir=%s,upperdir=%s/layer,workdir=%s/work", base, dir, dir)
	if command("mount", "-t", "overlay", "overlay", "-o", layers, disk) == nil {
		t.Cleanup(func() { must(t, "umount", disk) })
		return disk
	}
	must(t, "cp", "-a", "--reflink=auto", base+"/.", disk) // where an overlay may not lie on what is one itself
	return disk
}
