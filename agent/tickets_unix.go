//go:build !windows

package agent

import "os"

// letOpen lets the service's group read the file: who is in it may open the
// desk.
func letOpen(file string) error { return os.Chmod(file, 0o640) }
