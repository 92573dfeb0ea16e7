package agent

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// letOpen lets those read the file who are logged on at this PC's screen; a
// service or a script over the network is not among them. The service's account
// made the file, so it may say who reads it.
func letOpen(file string) error {
	sd, err := windows.SecurityDescriptorFromString("D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FA;;;OW)(A;;FR;;;IU)")
	if err != nil {
		return fmt.Errorf("rights of %s: %w", file, err)
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("rights of %s: %w", file, err)
	}
	const what = windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION
	if err := windows.SetNamedSecurityInfo(file, windows.SE_FILE_OBJECT, what, nil, nil, dacl, nil); err != nil {
		return fmt.Errorf("rights of %s: %w", file, err)
	}
	return nil
}
