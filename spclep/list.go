package spclep

import (
	"errors"
	"fmt"
	"slices"
)

// listing is the list an office shows for a reason, and whose it is.
type listing struct {
	row    *checklistRow
	layer  *layerRow
	offer  offerRow
	status string
}

// list finds the checklist of an office and reason on a day: the one the
// office's offer points at, else its own, its county's, the nation's.
func (r *Reference) list(o OfficeID, reason Reason, day Day) (listing, error) {
	if err := r.known(o); err != nil {
		return listing{}, err
	}
	if day == 0 {
		return listing{}, errors.New("the day of the appointment is missing")
	}
	offer, ok := r.offer(o, reason, day)
	if !ok || r.reason(reason) == nil {
		return listing{}, refuse("B25", "reason-not-offered", "reason", string(reason))
	}
	layers := r.layersOf(o)
	if offer.Use != nil {
		layers, reason = []*layerRow{r.layer(offer.Use.Layer)}, offer.Use.Reason
	}
	for _, l := range layers {
		if row := l.checklist(reason, day); row != nil {
			return listing{row, l, offer, lessSure(offer.status(), row.status())}, nil
		}
	}
	return listing{}, fmt.Errorf("bundle %d has no list for %s at %s on %s", r.Number(), reason, o, day)
}

// layer finds a layer by its name, nil if there is none.
func (r *Reference) layer(name string) *layerRow {
	for i := range r.layers {
		if r.layers[i].name() == name {
			return &r.layers[i]
		}
	}
	return nil
}

func (l *layerRow) checklist(reason Reason, day Day) *checklistRow {
	if l == nil {
		return nil
	}
	for i, row := range l.Checklists {
		if row.Reason == reason && row.validOn(day) {
			return &l.Checklists[i]
		}
	}
	return nil
}

// items are the rows of a list with what it includes from others. The rule
// and condition of the including row come with the included ones.
func (r *Reference) items(row *checklistRow, day Day) []itemRow {
	var out []itemRow
	for _, it := range row.Items {
		if it.Include == nil {
			it.Rule = orElse(it.Rule, it.ID)
			it.Source = orElse(it.Source, row.Source)
			out = append(out, it)
			continue
		}
		from := r.layer(it.Include.Layer).checklist(it.Include.Reason, day)
		if from == nil {
			continue
		}
		for _, inner := range r.items(from, day) {
			if len(it.Include.Only) > 0 && !slices.Contains(it.Include.Only, inner.ID) {
				continue
			}
			inner.If = append(slices.Clone(it.If), inner.If...)
			inner.Rule = orElse(it.Rule, inner.Rule)
			inner.Source = orElse(it.Source, inner.Source)
			inner.Status = orElse(it.Status, inner.Status)
			out = append(out, inner)
		}
	}
	return out
}

// lessSure is the weaker of two statuses: what is borrowed or guessed stays so.
func lessSure(a, b string) string {
	for _, s := range []string{Contradicted, Assumed} {
		if a == s || b == s {
			return s
		}
	}
	return Confirmed
}
