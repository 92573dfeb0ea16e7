package service

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"condica/sync/wire"
)

// Files of the data folder, as package agent keeps them.
const (
	tokenFile = "enroll.token" // a token that waits to be used
	hubFile   = "hub.json"     // is there once the PC is enrolled
)

// ErrEnrolled: a token was brought to a PC that has an office.
var ErrEnrolled = errors.New("this PC is enrolled already; the token was not used")

// LeaveToken puts a token where the service finds it at its next start and
// enrols by itself, as soon as the hub answers. The file is its account's
// alone. A token that cannot be one is refused at once.
func LeaveToken(dir, text string) error {
	t, err := wire.ParseToken(text)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, hubFile)); err == nil {
		return ErrEnrolled
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("leave the token: %w", err)
	}
	if err := leave(dir, tokenFile, t.String()+"\n"); err != nil {
		return fmt.Errorf("leave the token: %w", err)
	}
	return nil
}

// leave writes a file whole, for the account that owns the folder. The new
// name must not be there before: the folder belongs to a lesser account,
// which could have laid a link for an administrator to write through.
func leave(dir, name, text string) (err error) {
	path := filepath.Join(dir, name)
	if err := os.Remove(path + ".new"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.WriteString(text); err == nil {
		err = errors.Join(giveToOwnerOf(dir, f), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path+".new"))
	}
	return os.Rename(path+".new", path)
}
