//go:build linux

package linux_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"condica/installer/pctest"
)

// packages builds the packages of a tree as this version and gives where they
// lie.
func packages(t *testing.T, tree, version string) string {
	t.Helper()
	dist := t.TempDir()
	cmd := exec.Command("make", "packages", "DIST="+dist, "PKGVERSION="+version, "ARCH="+runtime.GOARCH, "SOURCE_DATE_EPOCH=1790000000")
	cmd.Dir = tree
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make packages: %v\n%s", err, out)
	}
	return dist
}

func deb(dist, name, version string) string {
	return filepath.Join(dist, name+"_"+version+"_"+runtime.GOARCH+".deb")
}

func root(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// The same sources give the same packages to the byte, wherever and whenever
// they are built: whoever doubts a package can build it and compare.
func TestPackagesAreReproducible(t *testing.T) {
	pctest.Need(t, "dpkg-deb")
	elsewhere := filepath.Join(t.TempDir(), "another-place")
	copyTree(t, root(t), elsewhere)
	here, there := packages(t, root(t), "1.0.0"), packages(t, elsewhere, "1.0.0")
	for _, name := range []string{"condica", "condica-hub"} {
		a, err1 := os.ReadFile(deb(here, name, "1.0.0"))
		b, err2 := os.ReadFile(deb(there, name, "1.0.0"))
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s: two builds of the same sources differ (%d and %d bytes)", name, len(a), len(b))
		}
		t.Logf("%s: %.1f MB", name, float64(len(a))/1e6)
	}
}

// copyTree copies what git knows or would take, with the files' times of now.
func copyTree(t *testing.T, from, to string) {
	t.Helper()
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = from
	out, err := list.Output()
	if err != nil {
		t.Fatalf("git ls-files: %v", err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		text, err := os.ReadFile(filepath.Join(from, name))
		if os.IsNotExist(err) {
			continue // deleted, and git not told yet
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
