package clerk

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"strings"

	"golang.org/x/crypto/argon2"

	"condica/spclep/settings"
)

// Lengths of a PIN in digits. One that was drawn may be shorter than one that a
// person chose (NIST SP 800-63B, 3.1.1.2 and 3.2.10).
const (
	MinPIN    = 6
	MinChosen = 8
	MaxPIN    = 12
)

// What stands against a chosen PIN.
var (
	ErrLength = errors.New("the PIN is shorter than 8 digits or longer than 12")
	ErrPlain  = errors.New("the PIN is one digit over and over, or digits in a row")
	ErrSame   = errors.New("the PIN is the one it is to replace")
)

// Cost of the verifiers made here: OWASP's least for Argon2id, some 30 ms and
// 19 MiB on an office PC.
const (
	memoryKiB = 19456
	passes    = 2
	saltBytes = 16
	hashBytes = 32
)

// WellFormed says whether a text can be a PIN at all: 6 to 12 digits.
func WellFormed(pin string) bool {
	return len(pin) >= MinPIN && len(pin) <= MaxPIN && strings.Trim(pin, "0123456789") == ""
}

// Draw makes a PIN of six digits. random fills with bytes nobody can guess.
func Draw(random func([]byte)) string {
	var pin []byte
	for len(pin) < MinPIN {
		var b [1]byte
		if random(b[:]); b[0] < 250 { // above, the low digits would come more often
			pin = append(pin, '0'+b[0]%10)
		}
	}
	return string(pin)
}

// Make is the verifier of a PIN, with a salt of its own out of random.
func Make(pin string, random func([]byte)) settings.Verifier {
	v := settings.Verifier{MemoryKiB: memoryKiB, Time: passes, Threads: 1, Salt: make([]byte, saltBytes), Hash: make([]byte, hashBytes)}
	random(v.Salt)
	v.Hash = hash(pin, v)
	return v
}

func hash(pin string, v settings.Verifier) []byte {
	return argon2.IDKey([]byte(pin), v.Salt, v.Time, v.MemoryKiB, v.Threads, uint32(len(v.Hash)))
}

func fits(pin string, v settings.Verifier) bool {
	return subtle.ConstantTimeCompare(hash(pin, v), v.Hash) == 1
}

// nobody is what the PIN of a name without an account is held against: it
// must take as long, and fits no PIN.
func nobody() settings.Verifier {
	return settings.Verifier{MemoryKiB: memoryKiB, Time: passes, Threads: 1, Salt: make([]byte, saltBytes), Hash: make([]byte, hashBytes)}
}

// checkChosen is what stands against a PIN that a person chose.
func checkChosen(pin, old string) error {
	switch {
	case !WellFormed(pin) || len(pin) < MinChosen:
		return ErrLength
	case plain(pin):
		return ErrPlain
	case pin == old:
		return ErrSame
	}
	return nil
}

// plain tells 00000000, 12345678, 98765432 and 78901234.
func plain(pin string) bool {
	step := (pin[1] - pin[0] + 10) % 10
	if step != 0 && step != 1 && step != 9 {
		return false
	}
	for i := 1; i < len(pin); i++ {
		if (pin[i]-pin[i-1]+10)%10 != step {
			return false
		}
	}
	return true
}

// peppered is a chosen PIN mixed with the PC's own secret: a copy of the
// replica alone does not let anybody try PINs.
func peppered(pepper []byte, pin string) string {
	return string(keyed(pepper, "condica pin 1\n"+pin))
}

func keyed(pepper []byte, text string) []byte {
	mac := hmac.New(sha256.New, pepper)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
