package wire

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"condica/sync/hlc"
)

// DeviceOf gives the device that a public key belongs to.
func DeviceOf(pub ed25519.PublicKey) hlc.Device {
	sum := sha256.Sum256(pub)
	return hlc.Device(sum[:len(hlc.Device{})])
}

// SignSegment makes a segment of ops, already encoded, in the order of the log.
func SignSegment(key ed25519.PrivateKey, ops [][]byte) Segment {
	s := Segment{Device: DeviceOf(key.Public().(ed25519.PublicKey))}
	for _, o := range ops {
		s.Ops = append(s.Ops, o)
	}
	s.Sig = ed25519.Sign(key, s.digest())
	return s
}

// Verify checks the signature against the author's key.
func (s Segment) Verify(pub ed25519.PublicKey) error {
	if len(pub) != ed25519.PublicKeySize || !ed25519.Verify(pub, s.digest(), s.Sig) {
		return fmt.Errorf("segment of device %s: the signature does not fit its ops", s.Device)
	}
	return nil
}

// digest binds device, number and bytes of the ops: each op goes in behind its
// length, so that no byte can move from one op to the next.
func (s Segment) digest() []byte {
	h := sha256.New()
	h.Write([]byte("condica segment 1\n"))
	h.Write(s.Device[:])
	var n [8]byte
	for _, o := range s.Ops {
		binary.BigEndian.PutUint64(n[:], uint64(len(o)))
		h.Write(n[:])
		h.Write(o)
	}
	return h.Sum(nil)
}

// SignatureHeader carries who sent a request: device, counter, signature.
const SignatureHeader = "Condica-Signature"

// SignRequest gives the value of SignatureHeader for a body sent to a path.
// counter grows with each request of the device, so that the signature needs
// no clock.
func SignRequest(key ed25519.PrivateKey, counter uint64, path string, body []byte) string {
	d := DeviceOf(key.Public().(ed25519.PublicKey))
	sig := ed25519.Sign(key, requestDigest(d, counter, path, body))
	return d.String() + " " + strconv.FormatUint(counter, 10) + " " + encode64(sig)
}

// A Signed is a request's signature before it is checked.
type Signed struct {
	Device  hlc.Device
	Counter uint64
	sig     []byte
}

// ParseSigned reads SignatureHeader.
func ParseSigned(header string) (Signed, error) {
	bad := fmt.Errorf("header %s: want device, counter and signature", SignatureHeader)
	p := strings.Fields(header)
	if len(p) != 3 {
		return Signed{}, bad
	}
	d, err1 := hlc.ParseDevice(p[0])
	n, err2 := strconv.ParseUint(p[1], 10, 63)
	sig, err3 := decode64(p[2])
	if err1 != nil || err2 != nil || err3 != nil {
		return Signed{}, bad
	}
	return Signed{d, n, sig}, nil
}

// Verify checks the signature of a body sent to a path.
func (s Signed) Verify(pub ed25519.PublicKey, path string, body []byte) bool {
	return len(pub) == ed25519.PublicKeySize && ed25519.Verify(pub, requestDigest(s.Device, s.Counter, path, body), s.sig)
}

func requestDigest(d hlc.Device, counter uint64, path string, body []byte) []byte {
	sum := sha256.Sum256(body)
	return fmt.Appendf(nil, "condica request 1\n%s\n%d\n%s\n%x\n", d, counter, path, sum)
}
