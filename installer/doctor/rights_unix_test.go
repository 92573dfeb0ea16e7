//go:build !windows

package doctor

import (
	"os"
	"path/filepath"
	"testing"
)

// Somebody has opened the folder, or a file in it, to others.
func TestOpenFolderIsAFault(t *testing.T) {
	o := newOffice(t)
	o.says("folder", Fine, "only the service's account")
	file := filepath.Join(o.dir, "device.key")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	opened := func(path string, mode os.FileMode, say string) {
		t.Helper()
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		o.says("folder", Fault, say)
	}
	opened(file, 0o644, "device.key has mode 0644")
	opened(o.dir, 0o755, "the folder has mode 0755")
	o.dir = filepath.Join(o.dir, "none")
	o.says("folder", Fault, "no data folder")
}
