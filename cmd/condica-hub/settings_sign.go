package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"condica/hub"
	"condica/spclep"
	"condica/spclep/settings"
	"condica/sync/bundle"
)

// Files of the root key's folder.
const (
	rootKeyFile = "root.key"
	rootPubFile = "root.pub"
)

type initKeysCmd struct {
	Root string `required:"" placeholder:"DIR" help:"Where the root key is, or is made: a stick that is kept offline."`
	Data string `placeholder:"DIR" help:"The hub's data folder: it learns the root key's public half, and keeps the signing key."`
	Key  string `placeholder:"FILE" help:"Write the signing key into this file, and not into the hub."`
	ID   string `name:"id" placeholder:"NAME" help:"Names the signing key, such as 2026-1; the day of making if left out."`
	Days int    `default:"400" help:"For so many days the signing key is certified."`
	Now  string `placeholder:"RFC3339" help:"Let the clock start at this instant; for tests and demonstrations."`
}

func (c *initKeysCmd) Run(ctx context.Context, out io.Writer) error {
	if c.Data == "" && c.Key == "" {
		return wrongUse("name the hub's folder with --data, or a file for the signing key with --key, or both")
	}
	if c.Days < 1 || c.Days > 3650 {
		return wrongUse("--days %d: want 1 to 3650", c.Days)
	}
	now, err := place{Now: c.Now}.clock()
	if err != nil {
		return err
	}
	root, made, err := rootKey(c.Root)
	if err != nil {
		return err
	}
	key, err := newSigningKey(root, c.ID, now(), c.Days)
	if err != nil {
		return err
	}
	if c.Data != "" {
		if err := c.tellHub(ctx, root.Public().(ed25519.PublicKey), key); err != nil {
			return err
		}
	}
	if c.Key != "" {
		if err := writeKey(c.Key, key); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(out, "%s %s: keep it offline. The signing key %s is certified until %s.\n",
		map[bool]string{true: "the root key is made in", false: "the root key is the one in"}[made], c.Root, key.Certificate.ID, at(key.Certificate.Until))
	return err
}

func (c *initKeysCmd) tellHub(ctx context.Context, root ed25519.PublicKey, key hub.SigningKey) error {
	return place{Data: c.Data, Now: c.Now}.with(ctx, func(h *hub.Server) error {
		if err := h.SetSettingsRoot(ctx, root); err != nil || c.Key != "" {
			return err
		}
		return h.SetSettingsKey(ctx, key)
	})
}

// rootKey reads the root key of a folder, or makes it.
func rootKey(dir string) (key ed25519.PrivateKey, made bool, err error) {
	path := filepath.Join(dir, rootKeyFile)
	text, err := os.ReadFile(path)
	if err == nil {
		block, _ := pem.Decode(text)
		if block == nil {
			return nil, false, fmt.Errorf("%s is damaged: it is not a PEM file", path)
		}
		parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		key, ok := parsed.(ed25519.PrivateKey)
		if err != nil || !ok {
			return nil, false, fmt.Errorf("%s is damaged: it holds no Ed25519 key", path)
		}
		return key, false, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return nil, false, err
	}
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, false, err
	}
	private, err1 := x509.MarshalPKCS8PrivateKey(key)
	public, err2 := x509.MarshalPKIXPublicKey(pub)
	if err := errors.Join(err1, err2, os.MkdirAll(dir, 0o700)); err != nil {
		return nil, false, err
	}
	return key, true, errors.Join(
		writeNew(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600),
		os.WriteFile(filepath.Join(dir, rootPubFile), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o644),
	)
}

// writeNew writes a key and never over another one.
func writeNew(path string, text []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if _, err = f.Write(text); err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func newSigningKey(root ed25519.PrivateKey, id string, now time.Time, days int) (hub.SigningKey, error) {
	if id == "" {
		id = now.UTC().Format("2006-01-02")
	}
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return hub.SigningKey{}, err
	}
	// An hour back: the machine that signs may be a little behind this one.
	from := now.Add(-time.Hour)
	cert, err := bundle.Certify(root, id, pub, from.UnixMilli(), from.AddDate(0, 0, days).UnixMilli())
	return hub.SigningKey{Seed: key.Seed(), Certificate: cert}, err
}

func writeKey(path string, key hub.SigningKey) error {
	text, err := json.MarshalIndent(key, "", "  ")
	if err != nil {
		return err
	}
	return writeNew(path, append(text, '\n'), 0o600)
}

type signCmd struct {
	Files   string `required:"" placeholder:"DIR" help:"The folder of reference files and settings.yaml."`
	Target  string `required:"" placeholder:"national|OFFICE" help:"national, or the office it is for."`
	Number  int64  `required:"" help:"Above every number used before."`
	Out     string `required:"" placeholder:"FILE" help:"Write the signed bundle here."`
	Data    string `placeholder:"DIR" help:"The hub's data folder, where the hub keeps the signing key."`
	Key     string `placeholder:"FILE" help:"The signing key's file, where it is kept elsewhere; no hub is needed."`
	Expires string `placeholder:"YYYY-MM-DD" help:"From this day on it is shown as old; it stops no counter."`
	Now     string `placeholder:"RFC3339" help:"Let the clock start at this instant; for tests and demonstrations."`
	JSON    bool   `name:"json"`
}

func (c *signCmd) Run(ctx context.Context, out io.Writer) error {
	if (c.Data == "") == (c.Key == "") {
		return wrongUse("name the signing key's place: either the hub's with --data, or a file with --key")
	}
	b, err := c.bundle()
	if err != nil {
		return err
	}
	if _, err := settings.Read(b.Number, b.Texts()); err != nil {
		return fmt.Errorf("%s is not signed: %w", c.Files, err)
	}
	key, err := c.key(ctx)
	if err != nil {
		return err
	}
	private, err := key.Private()
	if err != nil {
		return err
	}
	box, err := bundle.Seal(private, key.Certificate, b)
	if err != nil {
		return fmt.Errorf("%s is not signed: %w", c.Files, err)
	}
	if err := os.WriteFile(c.Out, []byte(box), 0o644); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(out, map[string]any{"number": b.Number, "target": b.Target, "key": key.Certificate.ID, "bytes": len(box)})
	}
	_, err = fmt.Fprintf(out, "%s: bundle %d for %s, signed by %s\n", c.Out, b.Number, aim(b.Target), key.Certificate.ID)
	return err
}

func (c *signCmd) key(ctx context.Context) (key hub.SigningKey, err error) {
	if c.Key == "" {
		err = place{Data: c.Data, Now: c.Now}.with(ctx, func(h *hub.Server) error {
			key, err = h.SettingsKey(ctx)
			return err
		})
		return key, err
	}
	text, err := readUpTo(c.Key, 64<<10)
	if err != nil {
		return key, err
	}
	if err := json.Unmarshal([]byte(text), &key); err != nil {
		return key, fmt.Errorf("%s holds no signing key: %w", c.Key, err)
	}
	return key, nil
}

// bundle reads the folder.
func (c *signCmd) bundle() (bundle.Bundle, error) {
	now, err := place{Now: c.Now}.clock()
	if err != nil {
		return bundle.Bundle{}, err
	}
	b := bundle.Bundle{Number: c.Number, Target: c.Target, Issued: now().UnixMilli()}
	if c.Expires != "" {
		day, err := spclep.ParseDay(c.Expires)
		if err != nil {
			return b, wrongUse("--expires: %v", err)
		}
		y, m, d := day.Date()
		b.Expires = time.Date(y, m, d, 0, 0, 0, 0, time.UTC).UnixMilli()
	}
	names, err := os.ReadDir(c.Files)
	if err != nil {
		return b, fmt.Errorf("--files: %w", err)
	}
	for _, e := range names {
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		text, err := readUpTo(filepath.Join(c.Files, e.Name()), bundle.MaxBox)
		if err != nil {
			return b, err
		}
		b.Files = append(b.Files, bundle.File{Name: e.Name(), Text: text})
	}
	return b, nil
}
