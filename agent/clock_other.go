//go:build !linux && !windows

package agent

import "time"

func bootName() string { return processName() }

func upMs() int64 { return time.Since(processStart).Milliseconds() }
