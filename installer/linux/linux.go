// Package linux holds what a Linux PC is given: the units, the accounts and
// what a .deb is made of. The same files go into the packages and, by way of
// this package, into an installation from an archive. It runs nothing.
package linux

import (
	"bytes"
	_ "embed"
	"fmt"
	"regexp"
)

// Where the packages put things, and where the service keeps its data.
const (
	Program = "/usr/bin/condica"
	Data    = "/var/lib/condica" // StateDirectory of the unit
	Account = "condica"
)

//go:embed condica.service
var unit []byte

// Accounts is the sysusers.d(5) file with the service's account.
//
//go:embed condica.sysusers
var Accounts []byte

// plainPath has no character that means something to systemd.
var plainPath = regexp.MustCompile(`^/[A-Za-z0-9/._+-]+$`)

// Unit is the agent's unit for a program that lies elsewhere than the
// package's.
func Unit(exe string) ([]byte, error) {
	if !plainPath.MatchString(exe) {
		return nil, fmt.Errorf("program %q: systemd wants a path of plain letters and digits, such as /usr/local/bin/condica", exe)
	}
	return bytes.ReplaceAll(unit, []byte("ExecStart="+Program+" "), []byte("ExecStart="+exe+" ")), nil
}
