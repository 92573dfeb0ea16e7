package hub

import (
	"encoding/json"
	"slices"
	"strings"

	"condica/spclep"
	"condica/spclep/code"
	"condica/spclep/record"
	"condica/sync/op"
	"condica/sync/wire"
)

// MaxValue is the most bytes of one op's value.
const MaxValue = 32 << 10

// mayCome says why an op from an office's PC can never be taken. It is not a
// judge of the office's rules: what a clerk has done has happened. Kinds and
// fields the hub does not know are carried for those that do. So are facts of
// a newer program; an unknown fact of this version is a fault.
func mayCome(o op.Op, newer bool) error {
	switch {
	case len(o.Value) > MaxValue:
		return wire.Refuse(wire.WhyLarge, "the value has %d bytes, at most %d are allowed", len(o.Value), MaxValue)
	case !o.Fact && len(o.Value) == 0:
		return wire.Refuse(wire.WhyEmpty, "%s has no value", o.Cell)
	case o.Cell.Kind != record.Kind:
		return nil
	}
	if id, err := code.ParseID(o.Cell.Entity); err != nil || string(id) != o.Cell.Entity {
		return wire.Refuse(wire.WhyNoBooking, "%q is not the id of a booking: want 8 symbols of %s", o.Cell.Entity, code.Alphabet)
	}
	if !o.Fact {
		return nil
	}
	switch name := o.Cell.Field; {
	case name == spclep.Cancelled:
		return wire.Refuse(wire.WhyHubOnly, "a booking is given back on the hub, not at a desk")
	case name == spclep.Booked:
		return mayBookAtDesk(o)
	case !newer && !slices.Contains(spclep.Facts, name):
		return wire.Refuse(wire.WhyFact, "%q is not a fact of a booking: want one of %s", name, strings.Join(spclep.Facts, ", "))
	}
	return nil
}

// mayBookAtDesk: a desk writes down who came without a booking, and a signed
// code the hub's booking had not yet arrived for.
func mayBookAtDesk(o op.Op) error {
	var v spclep.BookedValue
	if err := json.Unmarshal(o.Value, &v); err != nil {
		return wire.Refuse(wire.WhyBooking, "the booking cannot be read: %v", err)
	}
	origins := []string{spclep.OriginWalkIn, spclep.OriginUrgent, spclep.OriginScanned}
	if !slices.Contains(origins, v.Origin) {
		return wire.Refuse(wire.WhyHubOnly, "a booking with the origin %q is made on the hub; a desk may write %s", v.Origin, strings.Join(origins, ", "))
	}
	return nil
}
