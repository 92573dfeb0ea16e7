//go:build !linux && !windows

package service

import (
	"context"
	"errors"
	"os"
)

// Elsewhere the program runs in the foreground only.
var errNoManager = errors.New("on this system Condica knows no service manager; run \"condica run\"")

func underWindows() bool                             { return false }
func runWindows(context.Context, string, Work) error { return errNoManager }
func mayManage() error                               { return errNoManager }
func install(context.Context, Config) (bool, error)  { return false, errNoManager }
func prepare(context.Context) error                  { return errNoManager }
func remove(context.Context) error                   { return errNoManager }
func start(context.Context) error                    { return errNoManager }
func stop(context.Context) error                     { return errNoManager }
func standing(context.Context) (Standing, error)     { return Standing{}, errNoManager }
func giveToOwnerOf(_ string, _ *os.File) error       { return nil }
func isPackaged() bool                               { return false }
func removeAccount(context.Context) error            { return nil }
