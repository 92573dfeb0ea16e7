package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
)

// ControlName is the file in the data folder by which the command line finds
// the running service.
const ControlName = "control.json"

// OpenName is the file by which those who may open the desk's pages find the
// service; its token does nothing else.
const OpenName = "open.json"

// A Control says where the service of a data folder listens, and what to bear.
// Whoever can read it may act at this desk, so it is its owner's alone.
type Control struct {
	URL   string `json:"url"` // http://127.0.0.1:port
	Token string `json:"token"`
	PID   int    `json:"pid"`
}

// ErrNotRunning: the data folder names no service.
var ErrNotRunning = errors.New("no Condica service is running")

// WriteControl puts c in place whole: a reader sees the old one or the new.
func WriteControl(dir string, c Control) error {
	return writeControl(dir, ControlName, c, func(string) error { return nil }) // made with mode 0600
}

// WriteOpener puts c in place for those whom let lets read the file, before it
// has its name.
func WriteOpener(dir string, c Control, let func(file string) error) error {
	return writeControl(dir, OpenName, c, let)
}

func writeControl(dir, name string, c Control, let func(file string) error) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, name+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer os.Remove(f.Name()) // after the rename there is nothing under this name
	_, err = f.Write(append(body, '\n'))
	if err = errors.Join(err, f.Close(), let(f.Name())); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Rename(f.Name(), filepath.Join(dir, name)); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

// ReadControl reads it; ErrNotRunning if there is none. A service elsewhere
// than on this PC is refused: the token is not for it.
func ReadControl(dir string) (Control, error) { return readControl(filepath.Join(dir, ControlName)) }

// ReadOpener reads what WriteOpener wrote, in the same way.
func ReadOpener(dir string) (Control, error) { return readControl(filepath.Join(dir, OpenName)) }

func readControl(path string) (Control, error) {
	var c Control
	body, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, ErrNotRunning
	}
	if err != nil {
		return c, fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	if err := json.Unmarshal(body, &c); err != nil {
		return c, fmt.Errorf("read %s: %w", path, err)
	}
	u, err := url.Parse(c.URL)
	if err != nil || u.Scheme != "http" || !loopback(u.Hostname()) {
		return c, fmt.Errorf("read %s: url %q: want http://127.0.0.1:port", path, c.URL)
	}
	return c, nil
}

// RemoveControl takes it away, as the service does when it ends. Only the one
// that holds the folder's lock may.
func RemoveControl(dir string) error {
	err := os.Remove(filepath.Join(dir, ControlName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
