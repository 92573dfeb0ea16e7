package service

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// Purge takes the service and all its data off the PC, sent or not: whoever
// calls it has asked. What came with a package is left to the package, which
// it reports.
func Purge(ctx context.Context) (packaged bool, err error) {
	if err := mayManage(); err != nil {
		return false, err
	}
	if packaged = isPackaged(); packaged {
		err = Stop(ctx)
	} else {
		err = Uninstall(ctx)
	}
	if err != nil && !errors.Is(err, ErrAbsent) {
		return packaged, err
	}
	if err := os.RemoveAll(DataDir()); err != nil {
		return packaged, fmt.Errorf("remove the data: %w", err)
	}
	if packaged {
		return true, nil
	}
	return false, removeAccount(ctx)
}
