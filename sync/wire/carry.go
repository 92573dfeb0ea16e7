package wire

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"strconv"
	"strings"

	"condica/sync/hlc"
)

// CarriedPath is what a request is signed for that travels as a file. No hub
// answers there: a stick that was found in the street opens nothing over the
// line.
const CarriedPath = "/v1/carry"

// Limits of carried files, in bytes.
const (
	MaxCarried     = 64 << 20 // of answers, after which the hub begins no other
	MaxCarriedFile = 80 << 20 // that anybody reads at all
	maxCarriedLine = 512
)

const (
	requestFile = "condica carried request 1\n"
	answerFile  = "condica carried answer 1\n"
)

// A CarriedError says why a carried file is not taken.
type CarriedError struct {
	Code string // one of CarriedReasons
	Say  string
}

func (e *CarriedError) Error() string { return e.Say }

// Codes of CarriedError.
const (
	CarriedForeign = "foreign"     // no file of this kind
	CarriedCut     = "cut"         // its end is missing
	CarriedChanged = "changed"     // not as it was signed
	CarriedOther   = "other-pc"    // an answer to another PC
	CarriedKey     = "unknown-key" // signed by a hub that this PC does not know
	CarriedLarge   = "too-large"
)

// CarriedReasons lists the codes.
func CarriedReasons() []string {
	return []string{CarriedForeign, CarriedCut, CarriedChanged, CarriedOther, CarriedKey, CarriedLarge}
}

func carried(code, say string, args ...any) error {
	return &CarriedError{code, fmt.Sprintf(say, args...)}
}

// TooLarge is the error for a file of more than MaxCarriedFile bytes, which
// nobody reads.
func TooLarge() error {
	return carried(CarriedLarge, "the file is longer than %d bytes: no file that is carried is", MaxCarriedFile)
}

// CarryRequest makes a file of a request's body, as it would travel: signed,
// and counted by the same number as a request over the line.
func CarryRequest(key ed25519.PrivateKey, number uint64, body []byte) []byte {
	head := fmt.Sprintf("%s%s\n%d\n", requestFile, SignRequest(key, number, CarriedPath, body), len(body))
	return append([]byte(head), body...)
}

// ParseCarriedRequest reads the file. Who signed it, and whether, is left to
// whoever knows the keys: Signed.Verify with CarriedPath.
func ParseCarriedRequest(file []byte) (signed Signed, body []byte, err error) {
	rest, err := opened(file, requestFile)
	if err != nil {
		return signed, nil, err
	}
	head, rest, err := line(rest)
	if err != nil {
		return signed, nil, err
	}
	long, rest, err := line(rest)
	if err != nil {
		return signed, nil, err
	}
	if signed, err = ParseSigned(head); err != nil {
		return signed, nil, changed()
	}
	body, rest, err = counted(rest, long)
	if err == nil && len(rest) > 0 {
		err = changed()
	}
	return signed, body, err
}

// A CarriedAnswer is one of the answers in a file: the n-th to a PC's request.
// No TLS vouches for it, so the hub signs it.
type CarriedAnswer struct {
	Device hlc.Device
	Number uint64 // of the request
	N      int    // from 0
	Last   bool
	Body   []byte // as it would travel
}

// CarriedAnswers is what a file of answers begins with.
func CarriedAnswers() []byte { return []byte(answerFile) }

// Sign makes the answer's part of the file, under the hub's booking key of that
// id: every PC holds the public half. What is signed cannot be a booking's code.
func (a CarriedAnswer) Sign(key ed25519.PrivateKey, id uint8) []byte {
	head := fmt.Sprintf("%s %d %d %s %d %d %s\n", a.Device, a.Number, a.N, a.order(), id, len(a.Body), encode64(ed25519.Sign(key, a.digest())))
	return append([]byte(head), a.Body...)
}

func (a CarriedAnswer) order() string {
	if a.Last {
		return "last"
	}
	return "more"
}

// digest binds the body to one request of one PC, and to its place in the file.
func (a CarriedAnswer) digest() []byte {
	sum := sha256.Sum256(a.Body)
	return fmt.Appendf(nil, "%s%s\n%d\n%d\n%s\n%x\n", answerFile, a.Device, a.Number, a.N, a.order(), sum)
}

// ParseCarriedAnswers reads a file of answers to device, and checks all of it
// before any of it counts: each signed by one of keys, to one request, none
// missing.
func ParseCarriedAnswers(file []byte, device hlc.Device, keys []QRKey) (out []CarriedAnswer, err error) {
	rest, err := opened(file, answerFile)
	for err == nil {
		var a CarriedAnswer
		if a, rest, err = nextAnswer(rest, keys); err != nil {
			break
		}
		switch {
		case a.Device != device:
			return nil, carried(CarriedOther, "the answer is for the PC %s, and this one is %s", a.Device, device)
		case a.N != len(out) || len(out) > 0 && a.Number != out[0].Number:
			return nil, changed()
		}
		if out = append(out, a); a.Last {
			if len(rest) > 0 {
				return nil, changed()
			}
			return out, nil
		}
	}
	return nil, err
}

func nextAnswer(file []byte, keys []QRKey) (a CarriedAnswer, rest []byte, err error) {
	head, rest, err := line(file)
	if err != nil {
		return a, nil, err
	}
	p := strings.Fields(head)
	if len(p) != 7 || p[3] != "more" && p[3] != "last" {
		return a, nil, changed()
	}
	a.Last = p[3] == "last"
	var errs [5]error
	var id uint64
	var sig []byte
	a.Device, errs[0] = hlc.ParseDevice(p[0])
	a.Number, errs[1] = strconv.ParseUint(p[1], 10, 63)
	a.N, errs[2] = strconv.Atoi(p[2])
	id, errs[3] = strconv.ParseUint(p[4], 10, 8)
	sig, errs[4] = decode64(p[6])
	for _, err := range errs {
		if err != nil {
			return a, nil, changed()
		}
	}
	if a.Body, rest, err = counted(rest, p[5]); err != nil {
		return a, nil, err
	}
	return a, rest, a.verify(keys, uint8(id), sig)
}

func (a CarriedAnswer) verify(keys []QRKey, id uint8, sig []byte) error {
	for _, k := range keys {
		if k.ID != id {
			continue
		}
		if len(k.Pub) != ed25519.PublicKeySize || !ed25519.Verify(k.Pub, a.digest(), sig) {
			return changed()
		}
		return nil
	}
	return carried(CarriedKey, "the answer is signed with a key of the hub, number %d, that this PC does not know", id)
}

// opened takes off what a file of that kind begins with.
func opened(file []byte, kind string) (rest []byte, err error) {
	rest, ok := bytes.CutPrefix(file, []byte(kind))
	switch {
	case ok:
		return rest, nil
	case strings.HasPrefix(kind, string(file)):
		return nil, cut()
	case bytes.HasPrefix(file, []byte(requestFile)):
		return nil, carried(CarriedForeign, "this is the request of a PC; here the hub's answer to it is wanted")
	case bytes.HasPrefix(file, []byte(answerFile)):
		return nil, carried(CarriedForeign, "this is the hub's answer to a PC; here the request of a PC is wanted")
	}
	return nil, carried(CarriedForeign, "this is no file that condica carry writes")
}

func line(file []byte) (text string, rest []byte, err error) {
	at := bytes.IndexByte(file[:min(len(file), maxCarriedLine)], '\n')
	switch {
	case at >= 0:
		return string(file[:at]), file[at+1:], nil
	case len(file) >= maxCarriedLine:
		return "", nil, changed()
	}
	return "", nil, cut()
}

// counted takes a body of so many bytes.
func counted(file []byte, long string) (body, rest []byte, err error) {
	n, err := strconv.ParseUint(long, 10, 31)
	switch {
	case err != nil || n > MaxBody:
		return nil, nil, changed()
	case n > uint64(len(file)):
		return nil, nil, cut()
	}
	return file[:n], file[n:], nil
}

func cut() error {
	return carried(CarriedCut, "the file is cut: its end is missing; copy it again")
}

func changed() error {
	return carried(CarriedChanged, "the file is not as it was written: something has changed it; copy it again")
}

// zstdFrame is what a compressed body begins with (RFC 8878, 3.1.1), and JSON
// never.
var zstdFrame = []byte{0x28, 0xb5, 0x2f, 0xfd}

// Opened gives a carried body as JSON, whether it was packed or not.
func (c *Codec) Opened(body []byte) ([]byte, error) {
	if !bytes.HasPrefix(body, zstdFrame) {
		return body, nil
	}
	return c.Unpack(body)
}
