package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// addressFile keeps where the hub was last reached, so that a command in the
// same folder can print tokens for it.
const addressFile = "hub.json"

// An Address is where a hub is.
type Address struct {
	Hub     string `json:"hub"`
	Pin     string `json:"pin,omitempty"`
	Console string `json:"console,omitempty"`
}

func saveAddress(dir string, a Address) error {
	b, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	// A reader beside us must never see half of it.
	path := filepath.Join(dir, addressFile)
	if err := os.WriteFile(path+".new", append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("save the hub's address: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("save the hub's address: %w", err)
	}
	return nil
}

// ReadAddress gives where the hub of a data folder was last reached.
func ReadAddress(dir string) (a Address, err error) {
	b, err := os.ReadFile(filepath.Join(dir, addressFile))
	if errors.Is(err, os.ErrNotExist) {
		return a, errors.New("the hub has not run in this folder yet, so its address is not known: start it, or give --hub")
	}
	if err != nil {
		return a, fmt.Errorf("read the hub's address: %w", err)
	}
	if err := json.Unmarshal(b, &a); err != nil {
		return a, fmt.Errorf("read the hub's address: %s: %w", addressFile, err)
	}
	return a, nil
}
