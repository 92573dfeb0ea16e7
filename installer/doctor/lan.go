package doctor

import (
	"context"

	"condica/agent/api"
)

// checkLAN looks at the desk that this PC lends, or works at.
func (p *patient) checkLAN(ctx context.Context) Finding {
	if p.status == nil {
		return fine("whether this PC lends its desk is known while the service runs")
	}
	s, err := ask[api.LANState](ctx, p.Dir, "lan")
	switch {
	case err != nil:
		return warning("bring service and doctor to the same version", "the service does not say which desks work together: %v", err)
	case s.Lender != "" && s.Say != "":
		return warning("see whether that PC is on and its firewall takes connections; \"condica lan find\" names its new address, \"condica lan leave\" makes this PC work by itself", "this PC works at the desk of %s, and cannot: %s", s.Lender, s.Say)
	case s.Lender != "":
		return fine("this PC works at the desk of %s, as %q", s.Lender, s.Seat)
	case s.Say != "":
		return warning("see whether this PC has that address; \"condica lan lend\" sets another", "this PC should lend its desk at %s, and cannot: %s", s.Listen, s.Say)
	case s.Listen != "":
		return fine("this PC lends its desk at %s; let in: %d", s.Listen, len(s.Guests))
	}
	return fine("this PC works at its own desk, and lends it to no other")
}
