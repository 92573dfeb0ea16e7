package file

import (
	"errors"
	"syscall"
)

// As the system numbers them (winerror.h).
const (
	handleDiskFull = syscall.Errno(39)
	diskFull       = syscall.Errno(112)
)

// noRoom tells the system's words for a full disk.
func noRoom(err error) bool { return errors.Is(err, diskFull) || errors.Is(err, handleDiskFull) }
