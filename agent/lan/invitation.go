package lan

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// An Invitation is what a PC needs to become a guest of another, once.
type Invitation struct {
	Host   string   `json:"h"` // the host's name among people
	At     []string `json:"a"` // host:port, the likeliest first
	Pin    string   `json:"k"` // PinOf the host's key
	Secret string   `json:"s"`
	Name   string   `json:"n"` // how the guest's desk is called
	Office string   `json:"o"` // whose desk it is; a PC of another office is none of its guests
}

const invitationPrefix = "condica-lan-1."

// String writes the invitation in one word.
func (i Invitation) String() string {
	text, err := json.Marshal(i)
	if err != nil {
		panic(err) // strings
	}
	return invitationPrefix + base64.RawURLEncoding.EncodeToString(text)
}

// ParseInvitation reads an invitation as it was copied: white space is ignored.
func ParseInvitation(s string) (i Invitation, err error) {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
	body, ok := strings.CutPrefix(s, invitationPrefix)
	if !ok {
		return i, fmt.Errorf("invitation: want one that begins with %q", invitationPrefix)
	}
	text, err := base64.RawURLEncoding.DecodeString(body)
	if err == nil {
		err = json.Unmarshal(text, &i)
	}
	if err != nil || len(i.At) == 0 || i.Pin == "" || i.Secret == "" || checkName(i.Name) != nil {
		return Invitation{}, errors.New("invitation: it is not whole; copy it again")
	}
	for _, at := range i.At {
		if err := CheckAddress(at); err != nil {
			return Invitation{}, fmt.Errorf("invitation: %w", err)
		}
	}
	return i, nil
}

// CheckAddress says whether guests could ask there.
func CheckAddress(at string) error {
	host, port, err := net.SplitHostPort(at)
	n, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || host == "" || bad != nil || n == 0 {
		return fmt.Errorf("address %q: want host:port, such as 192.168.1.10:8471", at)
	}
	if ip, err := netip.ParseAddr(host); err == nil && !near(ip.AsSlice()) {
		return fmt.Errorf("address %q is not on the office's own network", at)
	}
	return nil
}

// Astray says that a listener's address is none of this PC's any more: what listens
// there is not found until it is back.
func Astray(at *net.TCPAddr, own []net.Addr) bool {
	if at.IP.IsUnspecified() || at.IP.IsLoopback() || len(own) == 0 {
		return false
	}
	return !slices.ContainsFunc(own, func(a net.Addr) bool {
		n, ok := a.(*net.IPNet)
		return ok && n.IP.Equal(at.IP)
	})
}

// Reachable lists where this PC's network can find a listener: its own address,
// or, where it listens on all, each of the PC's.
func Reachable(at *net.TCPAddr, own []net.Addr) (out []string) {
	if !at.IP.IsUnspecified() {
		return []string{at.String()}
	}
	for _, a := range own {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsPrivate() {
			out = append(out, (&net.TCPAddr{IP: n.IP, Port: at.Port}).String())
		}
	}
	return out
}
