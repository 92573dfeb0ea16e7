package replica

import (
	"maps"

	"condica/sync/hlc"
	"condica/sync/peer"
	"condica/sync/wire"
)

// SealByEstimate gives the own edits that wait their times as Seal does, also
// where this run of the PC was never measured: then by the best estimate there
// is, because a person asks for a file now. Such a time is final like every
// other. Where nobody knows the hour, only what was written in runs that were
// measured gets its time; untimed counts the rest.
func SealByEstimate(tx Tx, reading hlc.Reading) (untimed int, err error) {
	waiting, err := tx.Waiting(true, all)
	if err != nil || len(waiting) == 0 {
		return 0, err
	}
	anchors, err := tx.Anchors()
	if err != nil {
		return 0, err
	}
	s := tx.State()
	times := estimated(readingsOf(waiting), anchors, reading, s)
	if untimed = len(waiting) - len(times); len(times) == 0 {
		return untimed, nil
	}
	if err := sealAt(tx, waiting[:len(times)], times); err != nil {
		return 0, err
	}
	if untimed > 0 {
		s.Floor = max(s.Floor, s.Sealed.Ms()) // the others were written after these
		return untimed, nil
	}
	s.High = s.Sealed
	return 0, nil
}

// estimated gives the times of the first edits, as many as can be told: after
// the last contact and after all that was sent, whatever hour a person has said.
func estimated(edits []hlc.Reading, anchors hlc.Anchors, now hlc.Reading, s *State) []hlc.Time {
	by, now, n := estimate(edits, anchors, now, s.LastOK)
	if n == 0 {
		return nil
	}
	times := hlc.Correct(edits[:n], by, now, s.Sealed, s.Floor)
	low := max(s.Sealed.After(), hlc.At(s.Floor))
	for i, t := range times {
		times[i] = max(t, low)
		low = times[i].After()
	}
	return times
}

// estimate says of how many edits, the first n, the times can be told, by which
// anchors and as of which reading. heard is the hub's time when it was last
// heard, in ms. An hour that is believed lies after that, and after all that is
// known exactly.
func estimate(edits []hlc.Reading, anchors hlc.Anchors, now hlc.Reading, heard int64) (by hlc.Anchors, as hlc.Reading, n int) {
	if measured(anchors, now.Boot) {
		return anchors, now, len(edits)
	}
	ms, known := anchors.Guess(now, heard)
	if known == hlc.Lost {
		for n < len(edits) && measured(anchors, edits[n].Boot) {
			now, n = edits[n], n+1
		}
		return anchors, now, n
	}
	ms = max(ms, heard)
	for _, e := range edits {
		if measured(anchors, e.Boot) {
			at, _, _ := anchors.Now(e)
			ms = max(ms, at)
		}
	}
	by = hlc.Anchors{}
	maps.Copy(by, anchors)
	by[now.Boot] = hlc.Anchor{Boot: now.Boot, Up: now.Up, Hub: ms, Wall: now.Wall}
	return by, now, len(edits)
}

// SaveCarried writes an answer that came as a file. It was days on the way, so
// it measures no clock. stale: the hub has been heard since it was written; what
// it says of edits still holds, what it says of where PC and hub stand does not,
// and registration numbers in it may have been given out.
func SaveCarried(tx Tx, a wire.Answer, received hlc.Reading) (out peer.Outcome, stale bool, err error) {
	s := tx.State()
	if stale = a.HubMs < s.LastOK; stale {
		a.Numbers, a.Keys, a.Desks, a.Settings, a.Root, a.Mend, a.Digest = nil, nil, nil, nil, nil, nil, ""
		a.Head = max(a.Head, s.Head)
	}
	out, err = Save(tx, a, hlc.Reading{}, received, !stale)
	return out, stale, err
}
