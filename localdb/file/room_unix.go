//go:build !windows

package file

import (
	"errors"
	"syscall"
)

// noRoom tells the system's words for a full disk: of the disk, of a user's
// share of it, of what one file may take.
func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}
