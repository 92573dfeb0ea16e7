//go:build !windows

package service

import (
	"fmt"
	"os"
	"syscall"
)

// ownerOf gives who owns a file or folder.
func ownerOf(path string) (uid, gid int, err error) {
	st, err := os.Stat(path)
	if err != nil {
		return 0, 0, err
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, fmt.Errorf("%s: the system does not tell its owner", path)
	}
	return int(sys.Uid), int(sys.Gid), nil
}
