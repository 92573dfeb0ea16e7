// Package sqlite is the hub's store in one SQLite file: the demo, a pilot, one
// county. Several processes may have it open, so that the command line works
// beside the running hub. It decides nothing and mends nothing: a damaged hub
// is restored from a backup, by a person.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path/filepath"

	"condica/hub/store"
	"condica/localdb/file"
)

//go:embed schema/*.sql
var schema embed.FS

// DBName is the file in the data folder.
const DBName = "hub.db"

// applicationID marks the file as a Condica hub ("CDCH"), so that a wrong file
// is refused instead of filled.
const applicationID = 0x43444348

// A Store is one open hub.db.
type Store struct {
	*file.File
	w, r *sql.DB // of File
}

var _ store.Store = (*Store)(nil)

// Open opens or makes the hub's database in dir.
func Open(ctx context.Context, dir string) (*Store, error) {
	if err := file.Folder(dir); err != nil {
		return nil, fmt.Errorf("open hub's data: %w", err)
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open hub's data: %w", err)
	}
	steps, err := fs.Sub(schema, "schema")
	if err != nil {
		return nil, err
	}
	f, err := file.Open(ctx, file.Spec{Path: filepath.Join(dir, DBName), AppID: applicationID, Schema: steps, CacheKB: 16384})
	if file.Damaged(err) {
		err = fmt.Errorf("%s is damaged or no database; restore it from a backup: %w", DBName, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open hub's data in %s: %w", dir, err)
	}
	return &Store{File: f, w: f.W, r: f.R}, nil
}
