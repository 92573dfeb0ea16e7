package console

import (
	"fmt"
	"html/template"

	"condica/spclep"
	"condica/sync/hlc"
	"condica/sync/wire"
)

// words are what the templates say things with.
func (p *pages) words() template.FuncMap {
	return template.FuncMap{
		"state": state, "fact": fact, "verdict": verdict,
		"day":   func(d spclep.Day) string { return d.RO() },
		"at":    func(ms int64) string { return p.when(ms) },
		"ago":   func(ms int64) string { return ago(p.hub.Now() - ms) },
		"count": func(n int, one, more string) string { return count(int64(n), one, more) },
		"by":    func(d hlc.Device) string { return orNobody(d) },
		"kind":  func(fact bool) string { return map[bool]string{true: "fapt", false: "câmp"}[fact] },
	}
}

// orNobody writes a device, and nothing for none.
func orNobody(d hlc.Device) string {
	if d == (hlc.Device{}) {
		return ""
	}
	return d.String()
}

// when is a moment on the offices' wall clock.
func (p *pages) when(ms int64) string {
	if ms == 0 {
		return "—"
	}
	return p.hub.Local(ms).Format("02.01.2006 15:04:05")
}

// ago is a time gone by, in its largest unit.
func ago(ms int64) string {
	switch min := ms / 60_000; {
	case min < 1:
		return "acum"
	case min < 60:
		return many(min, "un minut", "minute")
	case min < 48*60:
		return many(min/60, "o oră", "ore")
	default:
		return many(min/60/24, "o zi", "zile")
	}
}

// many is count of a time gone by.
func many(n int64, one, more string) string {
	if n == 1 {
		return "acum " + one
	}
	return "acum " + count(n, one, more)
}

// count counts as Romanian does: 0 ore, 1 oră, 2 ore, 20 de ore, 101 ore, 120 de ore.
func count(n int64, one, more string) string {
	switch {
	case n == 1:
		return "1 " + one
	case n != 0 && n%100 == 0 || n%100 >= 20:
		return fmt.Sprintf("%d de %s", n, more)
	}
	return fmt.Sprintf("%d %s", n, more)
}

func state(s spclep.State) string {
	return orItself(map[spclep.State]string{
		spclep.StateBooked: "programat", spclep.StateCancelled: "anulat", spclep.StateArrived: "prezent", spclep.StateSentAway: "fără cerere",
		spclep.StateFiled: "cerere depusă", spclep.StateReady: "act sosit", spclep.StateHandedOver: "act predat",
	}, s)
}

func fact(name string) string {
	return orItself(map[string]string{
		spclep.Booked: "programare", spclep.Cancelled: "anulare", spclep.Arrived: "prezentare", spclep.SentAway: "plecare fără cerere",
		spclep.Filed: "depunere cerere", spclep.Extended: "prelungire termen", spclep.Ready: "sosire act", spclep.HandedOver: "predare act",
		spclep.Undone: "retragere", spclep.FieldName: "nume", spclep.FieldEmail: "e-mail", spclep.FieldReason: "motiv", spclep.FieldNote: "notă",
		spclep.FieldLand: "extras CF", spclep.FieldReceipt: "dovada plății",
	}, name)
}

func verdict(v string) string {
	return orItself(map[string]string{"accepted": "primit", wire.Refused: "refuzat", wire.Clash: "număr dublu"}, v)
}

func orItself[K ~string](words map[K]string, k K) string {
	if w, ok := words[k]; ok {
		return w
	}
	return string(k)
}
