package doctor

import (
	"context"
	"strings"

	"golang.org/x/sys/windows"

	"condica/installer/service"
)

// oddRights names accounts that may look into the folder and should not:
// everybody, users, and who is logged in.
func oddRights(dir string) (odd []string, err error) {
	sd, err := windows.GetNamedSecurityInfo(dir, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return nil, err
	}
	text := sd.String()
	for sid, who := range map[string]string{"WD": "everybody", "BU": "all users", "AU": "everybody who is logged in", "IU": "everybody at the screen"} {
		if strings.Contains(text, ";;;"+sid+")") {
			odd = append(odd, "it is open to "+who)
		}
	}
	return odd, nil
}

func freeBytes(dir string) (int64, error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, err
	}
	var free uint64
	err = windows.GetDiskFreeSpaceEx(path, &free, nil, nil)
	return int64(free), err
}

// checkAccount reads the account the service is registered with.
func (p *patient) checkAccount(context.Context) Finding {
	if p.standing.State == service.Absent || p.standErr != nil {
		return warning("", "no account was looked at, since the service is not installed")
	}
	is, should, err := service.Account()
	if err != nil {
		return warning("run \"condica doctor\" as an administrator", "the service's account cannot be read: %v", err)
	}
	if !strings.EqualFold(is, should) {
		return fault("\"condica install\" sets it right", "the service runs as %s, not as %s", is, should)
	}
	return fine("the service runs as %s", is)
}
