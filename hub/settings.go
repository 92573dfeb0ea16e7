package hub

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/settings"
	"condica/sync/bundle"
	"condica/sync/wire"
)

// Names of the hub's secrets about settings.
const (
	secretRoot    = "settings/root"    // the public half of IT's root key
	secretSigning = "settings/signing" // a SigningKey; not there if it is kept elsewhere
)

// A SigningKey signs bundles, with the root key's word that it may.
type SigningKey struct {
	Seed        []byte             `json:"seed"` // of an Ed25519 key
	Certificate bundle.Certificate `json:"certificate"`
}

// Private is the key itself.
func (k SigningKey) Private() (ed25519.PrivateKey, error) {
	if len(k.Seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("the signing key has %d bytes, want %d", len(k.Seed), ed25519.SeedSize)
	}
	return ed25519.NewKeyFromSeed(k.Seed), nil
}

// ErrNoKeys: the hub has no root key, so no PC can trust settings.
var ErrNoKeys = errors.New("the hub has no root key yet: condica-hub settings init-keys makes one")

// secret gives a secret that somebody has set; ErrNone if nobody has.
func (s *Server) secret(ctx context.Context, name string) ([]byte, error) {
	return s.Store.Secret(ctx, name, func() ([]byte, error) { return nil, store.ErrNone })
}

// SettingsRoot is whose word settings are; nil before there are keys.
func (s *Server) SettingsRoot(ctx context.Context) (ed25519.PublicKey, error) {
	pub, err := s.secret(ctx, secretRoot)
	if errors.Is(err, store.ErrNone) {
		return nil, nil
	}
	return pub, err
}

// SetSettingsRoot makes the hub's PCs trust a root key. PCs keep to the first
// they learned, so the hub takes no second one.
func (s *Server) SetSettingsRoot(ctx context.Context, pub ed25519.PublicKey) error {
	known, err := s.Store.Secret(ctx, secretRoot, func() ([]byte, error) { return pub, nil })
	if err == nil && !pub.Equal(ed25519.PublicKey(known)) {
		return errors.New("the hub's PCs go by another root key already; the signing key must be certified by that one")
	}
	return err
}

// SettingsKey is the hub's signing key; ErrNoKeys if it holds none.
func (s *Server) SettingsKey(ctx context.Context) (k SigningKey, err error) {
	text, err := s.secret(ctx, secretSigning)
	if errors.Is(err, store.ErrNone) {
		return k, ErrNoKeys
	}
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	return k, err
}

// SetSettingsKey has the hub keep a signing key, in place of the one before.
func (s *Server) SetSettingsKey(ctx context.Context, k SigningKey) error {
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return s.Store.SetSecret(ctx, secretSigning, text)
}

// PublishSettings checks a bundle wholly and then offers it to the PCs it is
// for. Published once more, the same bundle changes nothing. An *bundle.Error
// says why it is not taken; faults of the contents have file, line and key.
func (s *Server) PublishSettings(ctx context.Context, box string) (bundle.Opened, error) {
	root, err := s.SettingsRoot(ctx)
	if err != nil {
		return bundle.Opened{}, err
	}
	if root == nil {
		return bundle.Opened{}, ErrNoKeys
	}
	b, err := bundle.Open(box, root)
	if err != nil {
		return b, err
	}
	if err := s.publishable(ctx, b); err != nil {
		return b, err
	}
	err = s.Store.AddSettings(ctx, store.Published{Number: b.Number, Target: b.Target, AtMs: s.Now(), Box: box})
	if errors.Is(err, store.ErrUsed) {
		err = s.used(ctx, b)
	}
	if err != nil {
		return b, err
	}
	return b, s.renew(ctx)
}

// publishable tries the contents at every office they are for.
func (s *Server) publishable(ctx context.Context, b bundle.Opened) error {
	r, err := settings.Read(b.Number, b.Texts())
	if err != nil {
		return bundle.Refuse(bundle.Contents, err)
	}
	offices, err := s.aimedAt(ctx, b.Target, r)
	if err != nil {
		return err
	}
	for _, o := range offices {
		if err := r.Try(o, s.Today()); err != nil {
			return bundle.Refuse(bundle.Untried, fmt.Errorf("office %s: %w", o, err))
		}
	}
	return nil
}

// aimedAt lists the offices that are to work by a bundle: those it holds, and
// those that have a PC at work, whether it holds them or not.
func (s *Server) aimedAt(ctx context.Context, target string, r settings.Rules) (out []spclep.OfficeID, err error) {
	if target != bundle.National {
		if _, err := r.Reference.Office(spclep.OfficeID(target)); err != nil {
			return nil, bundle.Refuse(bundle.OtherOffice, fmt.Errorf("it is for an office that it does not hold: %w", err))
		}
		return []spclep.OfficeID{spclep.OfficeID(target)}, nil
	}
	for _, o := range r.Reference.Offices() {
		out = append(out, o.ID)
	}
	for _, o := range s.Rules("").Offices() {
		devices, err := s.Store.Devices(ctx, string(o.ID))
		if err != nil {
			return nil, err
		}
		if !slices.Contains(out, o.ID) && slices.ContainsFunc(devices, atWork) {
			out = append(out, o.ID)
		}
	}
	return out, nil
}

// atWork says whether a device is a PC from which something is still taken.
func atWork(d store.Device) bool { return d.Kind == store.PC && shutOut(d) == nil }

// used says in which way a number was used before; nil: by this very bundle.
func (s *Server) used(ctx context.Context, b bundle.Opened) error {
	root, err := s.SettingsRoot(ctx)
	if err != nil {
		return err
	}
	old, err := s.Store.Settings(ctx, b.Number)
	switch {
	case err == nil:
		if was, err := bundle.Open(old.Box, root); err == nil && was.Sum == b.Sum {
			return nil
		}
		return bundle.Refuse(bundle.Replayed, fmt.Errorf("number %d was used before, with other contents", b.Number))
	case !errors.Is(err, store.ErrNone):
		return err
	}
	heads, err := s.Store.SettingsHeads(ctx)
	if err != nil {
		return err
	}
	return bundle.Refuse(bundle.Downgraded, fmt.Errorf("it is number %d, and %d is published already", b.Number, slices.Max(slices.Collect(maps.Values(heads)))))
}

// desired is the number of the bundle that a PC of an office is to have; 0 for
// none.
func (s *Server) desired(office string) int64 {
	f := s.force.Load()
	return max(f.heads[bundle.National], f.heads[office])
}

// due puts into an answer what a PC lacks: it is said once, for from then on
// the PC says that it has it.
func (s *Server) due(ctx context.Context, office string, at *wire.SettingsAt, a *wire.Answer, size int) error {
	number := s.desired(office)
	if at == nil || number == 0 {
		return nil
	}
	if !at.Root {
		root, err := s.SettingsRoot(ctx)
		if err != nil {
			return err
		}
		a.Root = root
	}
	if !at.Lacks(number) {
		return nil
	}
	p, err := s.Store.Settings(ctx, number)
	if err != nil || size+len(p.Box) > maxAnswer+bundle.MaxBox/2 {
		return err // too much at once: it comes with the next answer
	}
	a.Settings = &wire.Settings{Number: p.Number, Box: p.Box}
	return nil
}
