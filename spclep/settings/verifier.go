package settings

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Bounds of a Verifier. An old office PC computes one in a blink and half; a
// settings file must not be able to take its memory or its minutes.
const (
	minMemoryKiB = 8 << 10
	maxMemoryKiB = 64 << 10
	maxTime      = 4
	maxThreads   = 4
	minSalt      = 8 // bytes, RFC 9106 section 3.1
	maxSalt      = 64
	minHash      = 16
	maxHash      = 64
)

// A Verifier tells a PIN from another and does not give it away: Argon2id
// (RFC 9106) of it, with how it was computed.
type Verifier struct {
	MemoryKiB uint32
	Time      uint32 // passes over the memory
	Threads   uint8
	Salt      []byte
	Hash      []byte
}

// ParseVerifier reads $argon2id$v=19$m=19456,t=2,p=1$SALT$HASH, salt and hash in
// base64 without padding (the PHC string format). Parameters that would stall an
// office PC, or protect nothing, are an error.
func ParseVerifier(text string) (v Verifier, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" {
		return v, errors.New("is no verifier of the form $argon2id$v=19$m=...,t=...,p=...$SALT$HASH")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &v.MemoryKiB, &v.Time, &v.Threads); err != nil || v.cost() != parts[3] {
		return v, fmt.Errorf("has the cost %.40q, expected one such as m=19456,t=2,p=1", parts[3])
	}
	salt, err1 := base64.RawStdEncoding.Strict().DecodeString(parts[4])
	hash, err2 := base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err1 != nil || err2 != nil {
		return v, errors.New("holds a salt or a hash that is not base64 without padding")
	}
	v.Salt, v.Hash = salt, hash
	return v, v.check()
}

func (v Verifier) check() error {
	switch {
	case v.MemoryKiB < minMemoryKiB || v.MemoryKiB > maxMemoryKiB:
		return fmt.Errorf("asks for %d KiB of memory, from %d to %d are taken", v.MemoryKiB, minMemoryKiB, maxMemoryKiB)
	case v.Time < 1 || v.Time > maxTime:
		return fmt.Errorf("asks for %d passes, from 1 to %d are taken", v.Time, maxTime)
	case v.Threads < 1 || v.Threads > maxThreads:
		return fmt.Errorf("asks for %d threads, from 1 to %d are taken", v.Threads, maxThreads)
	case len(v.Salt) < minSalt || len(v.Salt) > maxSalt || len(v.Hash) < minHash || len(v.Hash) > maxHash:
		return fmt.Errorf("has a salt of %d bytes and a hash of %d, expected %d to %d and %d to %d", len(v.Salt), len(v.Hash), minSalt, maxSalt, minHash, maxHash)
	}
	return nil
}

func (v Verifier) cost() string { return fmt.Sprintf("m=%d,t=%d,p=%d", v.MemoryKiB, v.Time, v.Threads) }

// String writes it as ParseVerifier reads it.
func (v Verifier) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$%s$%s$%s", v.cost(), b64.EncodeToString(v.Salt), b64.EncodeToString(v.Hash))
}
