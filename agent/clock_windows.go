package agent

import (
	"crypto/rand"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// runKey holds the name of this run of the PC in the registry of the account
// that the service runs under. It is volatile: Windows never writes it to the
// disk, so it is gone with the power, and no copy of a disk brings it back. (The
// number that Windows itself gives each start is on the disk, and comes again
// after the disk was set back.)
const runKey = `Software\Condica-run`

// bootName names this run of the PC. Where the registry does not let it be kept,
// the run of this process stands for it, and the first contact of each run
// measures the clock anew.
func bootName() string {
	name, err := runName(runKey)
	if err != nil {
		return processName()
	}
	return "w" + name
}

func runName(path string) (string, error) {
	k, err := volatileKey(path)
	if err != nil {
		return "", err
	}
	defer k.Close()
	if name, _, err := k.GetStringValue("Name"); err == nil && name != "" {
		return name, nil
	}
	name := rand.Text()
	return name, k.SetStringValue("Name", name)
}

// volatileKey opens a key of the current user, or makes it with
// REG_OPTION_VOLATILE, which the registry package does not offer.
func volatileKey(path string) (registry.Key, error) {
	const volatile = 1
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return 0, err
	}
	var k registry.Key
	code, _, _ := windows.NewLazySystemDLL("advapi32.dll").NewProc("RegCreateKeyExW").Call(
		uintptr(registry.CURRENT_USER), uintptr(unsafe.Pointer(name)), 0, 0, volatile, registry.ALL_ACCESS, 0, uintptr(unsafe.Pointer(&k)), 0)
	if code != 0 {
		return 0, fmt.Errorf("registry key %s: %w", path, windows.Errno(code))
	}
	return k, nil
}

// upMs counts since power-on, sleep included (GetTickCount64).
func upMs() int64 { return windows.DurationSinceBoot().Milliseconds() }
