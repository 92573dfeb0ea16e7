package agent

import (
	"path/filepath"

	"condica/agent/api"
	"condica/agent/lan"
)

// Desks says how a PC's desk stands with the office's others by what is kept in its
// data folder, whether or not its service runs. What cannot be read is left out.
func Desks(dir string) api.LANState {
	s := api.LANState{Guests: []string{}, At: []string{}}
	var j lan.Joined
	if ok, err := readJSON(filepath.Join(dir, visitingFile), &j); ok && err == nil {
		s.Lender, s.Seat, s.At = j.Host, j.Name, j.At
		return s
	}
	var kept lending
	if ok, err := readJSON(filepath.Join(dir, lendingFile), &kept); !ok || err != nil || kept.Listen == "" {
		return s
	}
	s.Listen = kept.Listen
	var guests []lan.Guest
	if ok, err := readJSON(filepath.Join(dir, guestsFile), &guests); ok && err == nil {
		for _, g := range guests {
			s.Guests = append(s.Guests, g.Name)
		}
	}
	return s
}
