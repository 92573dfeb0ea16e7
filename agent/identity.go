package agent

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"condica/agent/office"
	"condica/sync/hlc"
	"condica/sync/wire"
)

// Files of the data folder that are this room's.
const (
	keyFile   = "device.key"
	nextFile  = "device.key.new" // the key that is to follow it, until the replica has its name
	hubFile   = "hub.json"
	tokenFile = "enroll.token"
)

// deviceOf is the name that a PC with this key writes under.
func deviceOf(key ed25519.PrivateKey) hlc.Device {
	return wire.DeviceOf(key.Public().(ed25519.PublicKey))
}

// errBadKey: the file of a key holds none.
var errBadKey = errors.New("it holds no Ed25519 key")

// deviceKey reads this PC's key, or makes it: it is made here and never leaves. A
// file that holds no key is put aside: work must go on, and IT can enrol this PC
// again.
func deviceKey(dir string) (ed25519.PrivateKey, error) {
	path := filepath.Join(dir, keyFile)
	key, err := readKey(path)
	if errors.Is(err, errBadKey) {
		err = errors.Join(os.Rename(path, path+".damaged"), os.ErrNotExist)
	}
	if errors.Is(err, os.ErrNotExist) {
		return makeKey(path)
	}
	return key, err
}

// nextKey is the key that is to follow the device's: the same one until it has.
func nextKey(dir string) (ed25519.PrivateKey, error) {
	path := filepath.Join(dir, nextFile)
	key, err := readKey(path)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, errBadKey) {
		return makeKey(path)
	}
	return key, err
}

// keepNext makes the next key the device's.
func keepNext(dir string) error {
	if err := os.Rename(filepath.Join(dir, nextFile), filepath.Join(dir, keyFile)); err != nil {
		return fmt.Errorf("put the new device key in place: %w", err)
	}
	return syncDir(dir)
}

func readKey(path string) (ed25519.PrivateKey, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("device key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("device key %s: %w", path, errBadKey)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("device key %s: %w", path, errBadKey)
	}
	return key, nil
}

func makeKey(path string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("make device key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make device key: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := writeFile(path, text); err != nil {
		return nil, fmt.Errorf("make device key: %w", err)
	}
	return key, nil
}

// hub is where this PC was enrolled.
type hub struct {
	URL    string `json:"url"`
	Pin    string `json:"pin,omitempty"`
	Office string `json:"office"`
	Desk   int    `json:"desk,omitempty"` // this PC's number in the office
	Root   []byte `json:"root,omitempty"` // IT's root key (Ed25519), whose word settings are; none: the hub named none

	// Certs are the hub's certificates of enrolment, by the device they are for:
	// while a PC takes another name it may have to go on under either.
	Certs map[hlc.Device]string `json:"certs,omitempty"`

	Former []office.Former `json:"former,omitempty"` // the names this PC had before
}

// keep notes certificate and place of an enrolment, and that a PC that was until then
// another device is one no more.
func (h *hub) keep(e wire.Enrolled, until hlc.Device) {
	if h.Certs == nil {
		h.Certs = map[hlc.Device]string{}
	}
	if e.Cert != "" {
		h.Certs[e.Device] = e.Cert
	}
	h.Desk = e.Desk
	h.Former = slices.DeleteFunc(h.Former, func(f office.Former) bool { return f.Device == e.Device || f.Device == until })
	if until != e.Device {
		h.Former = append(h.Former, office.Former{Device: until, UntilMs: e.HubMs})
	}
}

// enrolledHub reads it; ok is false before enrolment.
func enrolledHub(dir string) (h hub, ok bool, err error) {
	text, err := os.ReadFile(filepath.Join(dir, hubFile))
	if errors.Is(err, os.ErrNotExist) {
		return h, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &h)
	}
	if err != nil {
		return h, false, fmt.Errorf("%s: %w", hubFile, err)
	}
	return h, true, nil
}

func saveHub(dir string, h hub) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, hubFile), text)
}

// pendingToken is a token that could not be used yet because the line was down.
func pendingToken(dir string) (t wire.Token, ok bool, err error) {
	text, err := os.ReadFile(filepath.Join(dir, tokenFile))
	if errors.Is(err, os.ErrNotExist) {
		return t, false, nil
	}
	if err != nil {
		return t, false, err
	}
	t, err = wire.ParseToken(strings.TrimSpace(string(text)))
	if err != nil {
		return t, false, fmt.Errorf("%s: %w", tokenFile, err)
	}
	return t, true, nil
}

// writeFile writes a private file whole or not at all. When it returns, that is
// on the disk.
func writeFile(path string, text []byte) error {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}
