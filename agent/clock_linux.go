package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// bootName shortens the kernel's boot id: it only has to differ between boots.
func bootName() string {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return processName()
	}
	sum := sha256.Sum256(id)
	return hex.EncodeToString(sum[:4])
}

// upMs counts since power-on, sleep included (CLOCK_BOOTTIME).
func upMs() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return time.Since(processStart).Milliseconds()
	}
	return ts.Nano() / int64(time.Millisecond)
}
