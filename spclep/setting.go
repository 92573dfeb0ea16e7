package spclep

import (
	"fmt"
	"maps"
	"strings"
)

// scope is what a setting is looked up for.
type scope struct {
	Office  OfficeID
	Product Product
	Reason  Reason
	Day     Day
}

// A Setting is one value that varies by place and day, with where it comes from.
type Setting struct {
	Key    string `json:"key"`
	Value  *int   `json:"value"` // nil where the source leaves it open
	Layer  string `json:"layer"` // "national" or the county's or office's id
	Rule   string `json:"rule"`
	Source string `json:"source"`
	Status string `json:"status"`
}

// layerCentre is what stands above all layers: central IT's word in
// settings.yaml, for every office, product, reason and day.
const layerCentre = "settings"

// WithSettings gives the same bundle with some settings replaced for every
// office, product, reason and day. An unknown key, or a value out of range, is
// an error.
func (r *Reference) WithSettings(values map[string]int) (*Reference, error) {
	ranges := settingKeys()
	for _, key := range sortedKeys(values) {
		limits, ok := ranges[key]
		if v := values[key]; !ok || v < limits.min || v > limits.max {
			return nil, fmt.Errorf("setting %s=%d: expected one of %s within its range", key, v, strings.Join(sortedKeys(ranges), ", "))
		}
	}
	out := *r
	out.over = maps.Clone(values)
	return &out, nil
}

// Setting looks a value up for an office, product and reason on a day: the
// appointment's for what concerns the visit, the day of asking for the
// booking window. The narrowest row wins: reason, product, office, county,
// nation.
func (r *Reference) Setting(key string, o OfficeID, p Product, reason Reason, d Day) (Setting, bool) {
	if v, ok := r.over[key]; ok {
		return Setting{Key: key, Value: &v, Layer: layerCentre, Source: "settings.yaml", Status: Confirmed}, true
	}
	var best *settingRow
	var from *layerRow
	top := -1
	for wide, l := range r.layersOf(o) { // 0 is the narrowest
		for i, row := range l.Settings {
			if row.Key != key || !row.validOn(d) || (row.Product != "" && row.Product != p) || (row.Reason != "" && row.Reason != reason) {
				continue
			}
			if n := narrowness(row) - wide; n > top || best == nil {
				best, from, top = &l.Settings[i], l, n
			}
		}
	}
	if best == nil {
		return Setting{}, false
	}
	return Setting{key, best.Value, from.name(), best.Rule, best.Source, best.status()}, true
}

// narrowness leaves room for the three layers between the scopes.
func narrowness(s settingRow) int {
	n := 0
	if s.Reason != "" {
		n += 20
	}
	if s.Product != "" {
		n += 10
	}
	return n
}

// setting is the value, or what stands in where the source leaves it open.
func (r *Reference) setting(key string, s scope, open int) int {
	if v, ok := r.Setting(key, s.Office, s.Product, s.Reason, s.Day); ok && v.Value != nil {
		return *v.Value
	}
	return open
}

// settingRange says which settings there are and what they may be.
type settingRange struct{ min, max int }

func settingKeys() map[string]settingRange {
	return map[string]settingRange{
		"slot_minutes":          {5, 240},
		"desks":                 {0, 100},
		"window_days":           {1, 366},
		"window_last_day":       {0, 1},
		"min_days_ahead":        {0, 60},
		"confirm_ttl_min":       {1, 1440},
		"arrive_early_min":      {0, 240},
		"late_tolerance_min":    {0, 240},
		"max_active_per_person": {1, 20},
		"any_office":            {0, 1},
	}
}
