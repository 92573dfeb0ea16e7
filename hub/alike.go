package hub

import (
	"context"
	"encoding/json"
	"slices"

	"condica/spclep"
)

// Alike is bookings whose applications carry one registration number.
type Alike struct {
	Number   string             `json:"number"`
	Bookings []spclep.BookingID `json:"bookings"` // two or more, in the order of the texts
}

// TwoAlike lists the registration numbers that several applications of an office
// carry, in the order of the texts. No two PCs are given the same (reserve); it
// takes a hub or a PC that was set back, a copied disk, or a number typed by hand.
// The office puts it right: one application is taken back and filed anew.
func (s *Server) TwoAlike(ctx context.Context, office spclep.OfficeID) ([]Alike, error) {
	found, err := s.Store.TwoAlike(ctx, string(office))
	var out []Alike
	for _, a := range found {
		out = append(out, Alike(a))
	}
	return out, err
}

// Others gives those of the bookings that are not id; none if id is not among
// them.
func (a Alike) Others(id spclep.BookingID) []spclep.BookingID {
	if !slices.Contains(a.Bookings, id) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(a.Bookings), func(b spclep.BookingID) bool { return b == id })
}

// besides gives, for the filing of an application, the other bookings that
// carry its number.
func (l Line) besides(alike []Alike) []spclep.BookingID {
	var v spclep.FiledValue
	if len(alike) == 0 || !l.Booking() || !l.Fact || l.Field() != spclep.Filed || json.Unmarshal(l.Value, &v) != nil {
		return nil
	}
	for _, a := range alike {
		if a.Number == v.Number {
			return a.Others(spclep.BookingID(l.Entity()))
		}
	}
	return nil
}
