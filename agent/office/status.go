package office

import (
	"context"

	"condica/localdb"
	"condica/sync/hlc"
	"condica/sync/link"
	"condica/sync/wire"
)

// A Status is the calm line at the top of every page.
type Status struct {
	localdb.Standing
	Line    bool        // there is a line to speak of: the PC is enrolled
	Hub     link.Status // what the line says
	SinceMs int64       // hub ms since when the hub is reached, or not
	NowMs   int64       // the hub's time as well as it is known
	Sure    bool        // NowMs was measured in this run of the PC
	Lost    bool        // nobody knows what time it is: the PC's clock cannot be right
	OffMs   int64       // the PC's own clock is ahead by so much; only if Sure
	Bundle  int         // number of the reference bundle in force
	Left    int         // edits for which the last carried file had no room; 0 once the hub was heard since
	Renewed int64       // hub ms when this PC took another key; 0: it has the one it began with

	Settings wire.SettingsAt // where the settings from the centre stand
}

// Sent reports whether the hub has acknowledged every op of this PC.
func (s Status) Sent() bool { return s.Unsent == 0 && s.Refused == 0 }

// ClockOff reports whether the PC's clock is wrong by more than two minutes.
func (s Status) ClockOff() bool { return s.Sure && (s.OffMs > 120_000 || s.OffMs < -120_000) }

// Status reads where the office stands.
func (o *Office) Status(ctx context.Context) (Status, error) {
	standing, err := o.cfg.DB.Standing(ctx)
	if err != nil {
		return Status{}, err
	}
	st := Status{Standing: standing, Bundle: o.Reference().Number(), Left: o.carriedLeft(standing.LastOK)}
	var clock hlc.Quality
	if st.NowMs, clock, st.OffMs, err = o.cfg.DB.Now(ctx); err != nil {
		return st, err
	}
	st.Sure, st.Lost = clock == hlc.Measured, clock == hlc.Lost
	if f := o.former.Load(); f != nil && len(*f) > 0 {
		st.Renewed = (*f)[len(*f)-1].UntilMs
	}
	if l := o.line.Load(); l != nil {
		st.Line, st.Hub = true, (*l).Status()
		st.SinceMs = st.NowMs - (o.cfg.Up() - st.Hub.SinceMs)
	}
	if o.cfg.Centre != nil {
		st.Settings, err = o.cfg.Centre.At(ctx)
	}
	return st, err
}
