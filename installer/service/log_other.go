//go:build !windows

package service

import "log/slog"

// LogHandler gives where a program's log goes: here, where it always goes.
// systemd keeps what is written to the standard error output.
func LogHandler(_ string, fallback slog.Handler) slog.Handler { return fallback }
