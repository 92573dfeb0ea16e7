//go:build !windows

package doctor

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"condica/installer/linux"
	"condica/installer/service"
)

// oddRights lists what in the folder is open to others, or not its owner's.
func oddRights(dir string) (odd []string, err error) {
	st, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if st.Mode().Perm()&0o077 != 0 {
		odd = append(odd, fmt.Sprintf("the folder has mode %04o and should have 0700", st.Mode().Perm()))
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if in, err := os.Lstat(filepath.Join(dir, e.Name())); err == nil { // else it has gone meanwhile
			odd = append(odd, oddFile(e.Name(), in, st)...)
		}
	}
	return odd, err
}

func oddFile(name string, file, folder os.FileInfo) (odd []string) {
	if !file.Mode().IsRegular() && !file.IsDir() {
		odd = append(odd, name+" is neither file nor folder")
	}
	if file.Mode().Perm()&0o077 != 0 {
		odd = append(odd, fmt.Sprintf("%s has mode %04o", name, file.Mode().Perm()))
	}
	if uidOf(file) != uidOf(folder) {
		odd = append(odd, fmt.Sprintf("%s belongs to user %d, the folder to %d", name, uidOf(file), uidOf(folder)))
	}
	return odd
}

func uidOf(st os.FileInfo) int {
	if s, ok := st.Sys().(*syscall.Stat_t); ok {
		return int(s.Uid)
	}
	return -1
}

func freeBytes(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// checkAccount holds the account the service runs under against the one it
// should, and that one against the folder.
func (p *patient) checkAccount(context.Context) Finding {
	if p.standing.State == service.Absent || p.standErr != nil {
		return warning("", "no account was looked at, since the service is not installed")
	}
	u, err := user.Lookup(linux.Account)
	if err != nil {
		return fault("\"condica install\" makes it", "there is no account %s", linux.Account)
	}
	if st, err := os.Stat(p.Dir); err == nil && strconv.Itoa(uidOf(st)) != u.Uid {
		return fault("chown -R condica:condica "+p.Dir, "the data folder belongs to user %d, not to %s", uidOf(st), linux.Account)
	}
	if p.standing.PID == 0 {
		return fine("the service's account %s is there", linux.Account)
	}
	st, err := os.Stat(fmt.Sprintf("/proc/%d", p.standing.PID))
	if err != nil {
		return warning("look again", "the service's process %d has just gone", p.standing.PID)
	}
	if strconv.Itoa(uidOf(st)) != u.Uid {
		return fault("\"condica install\" and \"condica restart\"", "the service runs as user %d, not as %s", uidOf(st), linux.Account)
	}
	return fine("the service runs as %s", linux.Account)
}
