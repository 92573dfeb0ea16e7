package service

import (
	"context"
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"

	"golang.org/x/sys/windows"
)

// DataDir is where the service keeps its data. Windows is asked itself: the
// environment of a service need not be that of who installs it.
func DataDir() string {
	base, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, windows.KF_FLAG_DEFAULT)
	if err != nil {
		base = `C:\ProgramData`
	}
	return filepath.Join(base, "Condica")
}

// prepare makes the data folder and lets in the system, administrators and the
// service's account, and nobody else: what is inherited from ProgramData would
// let every user of the PC read and write.
func prepare(context.Context) error {
	if err := os.MkdirAll(DataDir(), 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	sd, err := windows.SecurityDescriptorFromString(folderRights())
	if err != nil {
		return fmt.Errorf("rights of the data folder: %w", err)
	}
	dacl, _, err := sd.DACL()
	if err != nil {
		return fmt.Errorf("rights of the data folder: %w", err)
	}
	const what = windows.DACL_SECURITY_INFORMATION | windows.PROTECTED_DACL_SECURITY_INFORMATION
	if err := windows.SetNamedSecurityInfo(DataDir(), windows.SE_FILE_OBJECT, what, nil, nil, dacl, nil); err != nil {
		return fmt.Errorf("rights of the data folder: %w", err)
	}
	return nil
}

// folderRights in SDDL: protected; full for system and administrators, "modify"
// for the service.
func folderRights() string {
	return "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;" + serviceSID(Name) + ")"
}

// serviceSID is the SID Windows gives a service's account: S-1-5-80 and the
// SHA-1 of its upper-case name in UTF-16, in five numbers. It is known before
// the account is.
func serviceSID(name string) string {
	var text []byte
	for _, u := range utf16.Encode([]rune(strings.ToUpper(name))) {
		text = binary.LittleEndian.AppendUint16(text, u)
	}
	sum := sha1.Sum(text)
	sid := "S-1-5-80"
	for i := 0; i < len(sum); i += 4 {
		sid += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(sum[i:]))
	}
	return sid
}

// giveToOwnerOf: files inherit the folder's rights.
func giveToOwnerOf(string, *os.File) error { return nil }
