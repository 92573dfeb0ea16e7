package api

import (
	"net/http"

	"condica/agent/office"
	"condica/spclep"
	"condica/spclep/settings"
)

// A Status is where this PC stands.
type Status struct {
	Version    string `json:"version,omitempty"`
	Enrolled   bool   `json:"enrolled"`
	Office     string `json:"office"`
	OfficeName string `json:"office_name"`
	Desk       int    `json:"desk"` // this PC's number in the office
	Device     string `json:"device"`
	NowMs      int64  `json:"now_ms"` // the hub's time as well as it is known
	Now        string `json:"now"`
	Sure       bool   `json:"sure"`      // now was measured in this run of the PC
	ClockOff   bool   `json:"clock_off"` // the PC's own clock is wrong by more than two minutes
	OffMs      int64  `json:"off_ms"`    // by so much it is ahead; only if sure
	Hub        Hub    `json:"hub"`

	Sent     bool   `json:"sent"`   // the hub has all that was done here
	Unsent   int    `json:"unsent"` // edits it has not answered
	OldestMs int64  `json:"oldest_ms"`
	Oldest   string `json:"oldest"`  // when the oldest of them was made
	Refused  int    `json:"refused"` // edits it refused
	Person   int    `json:"person"`  // bookings on which something waits for a person

	NumbersLeft int `json:"numbers_left"` // registration numbers to give before the hub has to be heard again; 0: the desk's own go on

	Bookings int        `json:"bookings"` // held here
	From     spclep.Day `json:"from"`     // of these days
	To       spclep.Day `json:"to"`
	Bundle   int        `json:"bundle"` // number of the rules in force
	Epoch    string     `json:"epoch"`  // the hub's log, and how far of it is here
	Cursor   int64      `json:"cursor"`
	Head     int64      `json:"head"`
	Digest   string     `json:"digest"` // of the log up to cursor, as the hub adds it up; empty: not known

	Mended    int    `json:"mended"` // records that were damaged here and put right, in all
	MendedMs  int64  `json:"mended_ms"`
	MendedAt  string `json:"mended_at"` // the last time
	LetGo     int    `json:"let_go"`    // edits of closed bookings that were let go after their time of retention
	RenewedMs int64  `json:"renewed_ms"`
	Renewed   string `json:"renewed"` // when this PC took another key; empty: it has the one it began with

	Settings Settings `json:"settings"`
	LAN      LANState `json:"lan"` // at whose desk this PC works, and whether that one answers now
}

// Settings is where the centre's settings stand on this PC.
type Settings struct {
	Applied  int64             `json:"applied"` // number in force; 0: those built into the program
	Proven   int64             `json:"proven"`  // the last that was proven
	Held     int64             `json:"held"`    // received, and not judged yet; 0: none
	Refused  int64             `json:"refused"` // the last that was not taken; 0: none since the last proven
	Code     string            `json:"code"`    // why
	Say      string            `json:"say"`
	Trusted  bool              `json:"trusted"` // this PC knows whose word settings are
	Issued   string            `json:"issued"`
	Expires  string            `json:"expires"`
	Expired  bool              `json:"expired"` // it stops nothing
	Settings settings.Settings `json:"values"`
}

// A Hub is what the line says.
type Hub struct {
	Reached    bool   `json:"reached"`
	SinceMs    int64  `json:"since_ms"`
	Since      string `json:"since"`          // since when it is reached, or not
	Kind       string `json:"kind,omitempty"` // of the failure: unreachable, captive, untrusted, turned-away, retired, unlinked, busy, hub-fault, local
	Say        string `json:"say,omitempty"`
	TurnedAway bool   `json:"turned_away"` // the hub knows this PC no more
	LastOKMs   int64  `json:"last_ok_ms"`
	LastOK     string `json:"last_ok"` // the last answer that was saved
}

func status(d *door, r *http.Request) (any, error) {
	st, err := d.o.Status(r.Context())
	if err != nil {
		return nil, err
	}
	out := Status{
		Version: d.opt.Version, Enrolled: st.Office != "", Office: st.Office, Desk: st.Desk, Device: d.o.Device().String(),
		NowMs: st.NowMs, Now: d.at(st.NowMs), Sure: st.Sure, ClockOff: st.ClockOff(), OffMs: st.OffMs,
		Hub: Hub{
			Reached: st.Hub.Reached, SinceMs: st.SinceMs, Since: d.at(st.SinceMs), Kind: st.Hub.Kind, Say: st.Hub.Say,
			TurnedAway: st.Hub.Turned, LastOKMs: st.LastOK, LastOK: d.at(st.LastOK),
		},
		Sent: st.Sent(), Unsent: st.Unsent, OldestMs: st.OldestMs, Oldest: d.at(st.OldestMs), Refused: st.Refused, Person: st.Person, NumbersLeft: st.NumbersLeft,
		Bookings: st.Bookings, From: st.From, To: st.To, Bundle: st.Bundle, Epoch: st.Epoch, Cursor: st.Cursor, Head: st.Head, Digest: st.Digest,
		Mended: st.Mended.Ops, MendedMs: st.Mended.AtMs, MendedAt: d.at(st.Mended.AtMs), LetGo: st.Gone, RenewedMs: st.Renewed, Renewed: d.at(st.Renewed),
	}
	out.Settings = d.settings(st)
	if out.LAN, err = d.lan(r); err != nil {
		return nil, err
	}
	if !st.Line {
		out.Hub.Kind, out.Hub.Say = "no-line", "this PC has no hub to speak with yet"
	}
	if of, err := d.o.Reference().Office(spclep.OfficeID(st.Office)); err == nil {
		out.OfficeName = of.Name
	}
	return out, nil
}

func (d *door) settings(st office.Status) Settings {
	at, r := st.Settings, d.o.Rules()
	return Settings{
		Applied: r.Number, Proven: at.Proven, Held: at.Held, Refused: at.Refused, Code: at.Code, Say: at.Say, Trusted: at.Root,
		Issued: d.at(r.IssuedMs), Expires: d.at(r.ExpiresMs), Expired: r.ExpiresMs > 0 && r.ExpiresMs <= st.NowMs, Settings: r.Settings,
	}
}
