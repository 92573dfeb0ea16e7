//go:build !windows

package service

import "condica/installer/linux"

// DataDir is where the service keeps its data.
func DataDir() string { return linux.Data }
