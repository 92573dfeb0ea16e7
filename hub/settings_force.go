package hub

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"condica/hub/store"
	"condica/spclep"
	"condica/spclep/settings"
	"condica/sync/bundle"
	"condica/sync/wire"
)

// inForce is which bundles are published, as this process last saw it, and the
// rules in them by target.
type inForce struct {
	heads map[string]int64
	rules map[string]settings.Rules
}

// Rules are those by which the hub books for an office: the newest published
// for it or for the nation, or else those the hub was started with. "" asks for
// the nation's.
func (s *Server) Rules(office spclep.OfficeID) *spclep.Reference {
	f := s.force.Load()
	nation, own := f.rules[bundle.National], f.rules[string(office)]
	switch {
	case own.Number > nation.Number:
		return own.Reference
	case nation.Number > 0:
		return nation.Reference
	}
	return s.Reference
}

// renew looks for newly published bundles. One that cannot be read - somebody
// has been at the store - leaves the rules before it in force.
func (s *Server) renew(ctx context.Context) error {
	heads, err := s.Store.SettingsHeads(ctx)
	if err != nil {
		return err
	}
	old := s.force.Load()
	if old != nil && maps.Equal(old.heads, heads) {
		return nil
	}
	next := &inForce{heads: heads, rules: map[string]settings.Rules{}}
	for target, number := range heads {
		if old != nil {
			next.rules[target] = old.rules[target]
		}
		if next.rules[target].Number == number {
			continue
		}
		r, err := s.published(ctx, number)
		if err != nil {
			s.Log.Error("published settings cannot be used; the hub goes on by those before", "target", target, "number", number, "err", err)
			continue
		}
		next.rules[target] = r
	}
	s.force.Store(next)
	for _, office := range s.news.listened() {
		s.news.ring(office)
	}
	return nil
}

func (s *Server) published(ctx context.Context, number int64) (settings.Rules, error) {
	root, err := s.SettingsRoot(ctx)
	if err != nil {
		return settings.Rules{}, err
	}
	p, err := s.Store.Settings(ctx, number)
	if err != nil {
		return settings.Rules{}, err
	}
	b, err := bundle.Open(p.Box, root)
	if err != nil {
		return settings.Rules{}, err
	}
	return settings.Read(b.Number, b.Texts())
}

// A PublishedSettings is one bundle, for IT.
type PublishedSettings struct {
	Number      int64  `json:"number"`
	Target      string `json:"target"`
	PublishedMs int64  `json:"published_ms"`
	IssuedMs    int64  `json:"issued_ms,omitempty"`
	ExpiresMs   int64  `json:"expires_ms,omitempty"`
	Expired     bool   `json:"expired,omitempty"` // it stops nothing
	Key         string `json:"key,omitempty"`
	Say         string `json:"say,omitempty"` // why it cannot be read
}

// A PCSettings is where one PC stands with its settings.
type PCSettings struct {
	Office  string `json:"office"`
	Desk    int    `json:"desk"`
	Device  string `json:"device"`
	Name    string `json:"name"`
	LastMs  int64  `json:"last_ms"` // last contact; 0: none
	Desired int64  `json:"desired"` // what it is to have; 0: those built into the program
	Applied int64  `json:"applied"`
	Proven  int64  `json:"proven"`
	Held    int64  `json:"held,omitempty"`    // received, and not judged when it last spoke
	Refused int64  `json:"refused,omitempty"` // the last that it did not take
	Code    string `json:"code,omitempty"`
	Say     string `json:"say,omitempty"`
	Root    bool   `json:"root"`    // it knows the root key
	InStep  bool   `json:"in_step"` // what it is to have is proven there
}

// SettingsStatus is what is published for each target, and where each PC that
// is at work stands.
func (s *Server) SettingsStatus(ctx context.Context) (newest []PublishedSettings, pcs []PCSettings, err error) {
	if err := s.renew(ctx); err != nil {
		return nil, nil, err
	}
	newest, pcs = []PublishedSettings{}, []PCSettings{}
	root, err := s.SettingsRoot(ctx)
	if err != nil {
		return nil, nil, err
	}
	heads := s.force.Load().heads
	for _, target := range slices.Sorted(maps.Keys(heads)) {
		p, err := s.Store.Settings(ctx, heads[target])
		if err != nil {
			return nil, nil, err
		}
		line := PublishedSettings{Number: p.Number, Target: p.Target, PublishedMs: p.AtMs}
		if b, err := bundle.Open(p.Box, root); err != nil {
			line.Say = err.Error()
		} else {
			line.IssuedMs, line.ExpiresMs, line.Key = b.Issued, b.Expires, b.Key
			line.Expired = b.Expires != 0 && b.Expires <= s.Now()
		}
		newest = append(newest, line)
	}
	for _, o := range s.Rules("").Offices() {
		devices, err := s.Store.Devices(ctx, string(o.ID))
		if err != nil {
			return nil, nil, err
		}
		for _, d := range devices {
			if atWork(d) {
				pcs = append(pcs, s.pcSettings(d))
			}
		}
	}
	return newest, pcs, nil
}

func (s *Server) pcSettings(d store.Device) PCSettings {
	p := PCSettings{Office: d.Office, Desk: d.Desk, Device: d.ID.String(), Name: d.Name, LastMs: d.LastMs, Desired: s.desired(d.Office)}
	var at wire.SettingsAt
	if len(d.Settings) > 0 && json.Unmarshal(d.Settings, &at) == nil {
		p.Applied, p.Proven, p.Held, p.Root = at.Applied, at.Proven, at.Held, at.Root
		p.Refused, p.Code, p.Say = at.Refused, at.Code, at.Say
	}
	p.InStep = p.Proven == p.Desired && p.Applied == p.Desired
	return p
}
