package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"condica/hub/store"
	"condica/hub/store/sqlite"
)

// keyring is the file in which a hub's secrets are kept apart from its data.
type keyring struct {
	Format  int               `json:"condica_hub_keys"` // 1
	Secrets map[string][]byte `json:"secrets"`
}

// ErrOtherKeys: a data folder is another hub's.
var ErrOtherKeys = errors.New("the hub of this folder has keys of its own already; take a folder in which no hub has run")

// Keys writes down all by which PCs and citizens' codes know the hub of a data
// folder: a hub that has lost the folder goes on as the same with it.
func Keys(ctx context.Context, data string) (text []byte, err error) {
	if _, err := os.Stat(filepath.Join(data, sqlite.DBName)); err != nil {
		return nil, fmt.Errorf("there is no hub in %s", data)
	}
	s, err := sqlite.Open(ctx, data)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	secrets, err := s.AllSecrets(ctx)
	if err != nil {
		return nil, err
	}
	// The certificate for the hub's names is made anew from the authority's key
	// whenever it has to be.
	maps.DeleteFunc(secrets, func(name string, _ []byte) bool { return name == leafName })
	if len(secrets) == 0 {
		return nil, errors.New("the hub has not run in this folder yet, so it has no keys")
	}
	if text, err = json.MarshalIndent(keyring{1, secrets}, "", "  "); err != nil {
		return nil, err
	}
	return append(text, '\n'), nil
}

// TakeKeys gives a data folder, made if need be, the keys that were written
// down. ErrOtherKeys if a hub has keys there that are not these.
func TakeKeys(ctx context.Context, data string, text []byte) (err error) {
	var k keyring
	if err := json.Unmarshal(text, &k); err != nil || k.Format != 1 || len(k.Secrets) == 0 {
		return errors.New("that is no file of a hub's keys, or not a whole one")
	}
	s, err := sqlite.Open(ctx, data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	err = s.AddSecrets(ctx, k.Secrets)
	if errors.Is(err, store.ErrOther) {
		return ErrOtherKeys
	}
	return err
}
