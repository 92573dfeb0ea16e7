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
	"strings"

	"condica/sync/wire"
)

// Files of the data folder that are this room's.
const (
	keyFile   = "device.key"
	hubFile   = "hub.json"
	tokenFile = "enroll.token"
)

// deviceKey reads this PC's key, or makes it: it is made here and never leaves.
func deviceKey(dir string) (ed25519.PrivateKey, error) {
	path := filepath.Join(dir, keyFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("device key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("device key %s is damaged: it is not a PEM file", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(ed25519.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("device key %s is damaged: it holds no Ed25519 key", path)
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
	Root   []byte `json:"root,omitempty"` // IT's root key (Ed25519), whose word settings are; none: the hub named none
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

// writeFile writes a private file whole or not at all.
func writeFile(path string, text []byte) error {
	tmp := path + ".new"
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
	return os.Rename(tmp, path)
}
