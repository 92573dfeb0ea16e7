package wire

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"unicode"
)

// tokenPrefix makes a token known at sight, and a password search find it.
const tokenPrefix = "condica-token-1."

// A Token lets one PC enrol once. It is printed by the hub, and carried to the
// PC by hand or by the installer.
type Token struct {
	Hub     string `json:"h"`           // https://host:port
	Pin     string `json:"p,omitempty"` // hex SHA-256 of the hub CA's public key (SPKI); empty: the system's CAs
	Office  string `json:"o"`
	Secret  string `json:"s"`
	Expires int64  `json:"x"` // hub time in ms
}

// String writes the token in one word.
func (t Token) String() string {
	b, err := marshal(t)
	if err != nil {
		panic(err) // strings and a number
	}
	return tokenPrefix + encode64(b)
}

// ParseToken reads a token as it was copied: white space is ignored.
func ParseToken(s string) (Token, error) {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
	body, ok := strings.CutPrefix(s, tokenPrefix)
	if !ok {
		return Token{}, fmt.Errorf("token: want one that begins with %q", tokenPrefix)
	}
	var t Token
	b, err := decode64(body)
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	if err != nil {
		return Token{}, fmt.Errorf("token: it is not whole; copy it again")
	}
	u, err := url.Parse(t.Hub)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return Token{}, fmt.Errorf("token: hub address %q: want https://host:port", t.Hub)
	}
	if t.Secret == "" || t.Office == "" {
		return Token{}, fmt.Errorf("token: it is not whole; copy it again")
	}
	return t, nil
}
