package agent

import (
	"strconv"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
)

// bootName is the number Windows gives each start; where it keeps none, the
// run of this process stands for the boot, and the first contact of each run
// measures the clock anew.
func bootName() string {
	k, err := registry.OpenKey(registry.LOCAL_MACHINE, `SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters`, registry.QUERY_VALUE)
	if err != nil {
		return processName()
	}
	defer k.Close()
	n, _, err := k.GetIntegerValue("BootId")
	if err != nil {
		return processName()
	}
	return "w" + strconv.FormatUint(n, 10)
}

// upMs counts since power-on, sleep included (GetTickCount64).
func upMs() int64 { return windows.DurationSinceBoot().Milliseconds() }
