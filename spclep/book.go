package spclep

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A BookAsk is a booking about to be made on the hub.
type BookAsk struct {
	Office         OfficeID
	Reason         Reason
	Day            Day
	At             Minute
	Requested      Day    // the day of asking, by the hub's calendar
	RequestedAt    Minute // its time of day; 0 is "not known"
	TakenAt        int    // bookings and holds already in this slot
	ActiveOfPerson int    // bookings this name and e-mail still hold
	Consent        bool
	Name, Email    string
}

// MayBook says whether a booking may be made (B01 to B26), and by which rule
// not. Slots, closures and what an office offers are those of the appointment's
// day; the window is that of the day of asking.
func (r *Reference) MayBook(q BookAsk) error {
	if err := r.known(q.Office); err != nil {
		return err
	}
	for _, check := range []func(BookAsk) error{personIsTold, r.reasonIsBookable, r.dayIsInWindow, r.slotIsFree} {
		if err := check(q); err != nil {
			return err
		}
	}
	most := r.setting("max_active_per_person", scope{q.Office, "", q.Reason, q.Requested}, 1)
	if q.ActiveOfPerson >= most {
		return refuse("B07", "already-booked", "n", strconv.Itoa(q.ActiveOfPerson), "max", strconv.Itoa(most))
	}
	return nil
}

// personIsTold checks what the form asks: B23, B24, B26.
func personIsTold(q BookAsk) error {
	switch {
	case !strings.ContainsFunc(q.Name, unicode.IsLetter):
		return refuse("B24", "name-missing")
	case !plausibleEmail(q.Email):
		return refuse("B23", "email-invalid", "email", strconv.Quote(q.Email))
	case !q.Consent:
		return refuse("B26", "consent-missing")
	}
	return nil
}

// plausibleEmail does not try to know which addresses exist: the confirmation
// mail finds out. It stops slips and what would break a mail header.
func plausibleEmail(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	dot := strings.LastIndexByte(domain, '.')
	return ok && local != "" && dot > 0 && dot < len(domain)-1 && len(s) <= 254 &&
		!strings.Contains(domain, "@") && !strings.Contains(domain, "..") &&
		!strings.ContainsFunc(s, func(c rune) bool {
			return unicode.IsSpace(c) || unicode.IsControl(c) || strings.ContainsRune(`<>,;"`, c)
		})
}

// reasonIsBookable checks B19 and B25.
func (r *Reference) reasonIsBookable(q BookAsk) error {
	if _, ok := r.offer(q.Office, q.Reason, q.Day); !ok {
		return refuse("B25", "reason-not-offered", "reason", string(q.Reason))
	}
	if row := r.reason(q.Reason); !row.Bookable {
		return refuse(orElse(row.Booking.Rule, "B25"), "reason-not-bookable", "reason", string(q.Reason))
	}
	return nil
}

// dayIsInWindow checks B15, B16 and B17; X08 says why the edge is the office's.
func (r *Reference) dayIsInWindow(q BookAsk) error {
	first, last := r.Window(q.Office, q.Reason, q.Requested)
	switch {
	case q.Day < q.Requested:
		return refuse("B16", "past-day", "day", q.Day.RO())
	case q.Day == q.Requested && q.Day < first:
		return refuse("B16", "same-day")
	case q.Day < first:
		return refuse("B16", "too-soon", "day", q.Day.RO(), "first", first.RO())
	case q.Day > last:
		return refuse("B17", "beyond-window", "day", q.Day.RO(), "last", last.RO())
	}
	h, err := r.Hours(q.Office, q.Day)
	if err == nil && h.Closed {
		return refuse(h.Rule, "closed-day", "day", q.Day.RO(), "why", h.Why)
	}
	return err
}

// Window is the first and the last day that can be booked on the day of asking
// (B16, B17, T14, X08, G08), both inclusive. They need not be open.
func (r *Reference) Window(o OfficeID, reason Reason, requested Day) (first, last Day) {
	s := scope{o, "", reason, requested}
	first = requested.Add(r.setting("min_days_ahead", s, 0))
	last = requested.Add(r.setting("window_days", s, 30) - 1 + r.setting("window_last_day", s, 1))
	return first, last
}

// slotIsFree checks B06, B09 and B22.
func (r *Reference) slotIsFree(q BookAsk) error {
	slots, err := r.Slots(q.Office, q.Day)
	switch at := q.At.String(); {
	case err != nil:
		return err
	case !slices.Contains(slots, q.At):
		return refuse("B22", "no-such-slot", "at", at, "day", q.Day.RO())
	case q.Day == q.Requested && q.RequestedAt > 0 && q.At <= q.RequestedAt:
		return refuse("B22", "slot-past", "at", at)
	case q.TakenAt >= r.Capacity(q.Office, q.Day):
		return refuse("B22", "slot-full", "at", at)
	}
	return nil
}

// MayConfirm says whether a held booking may still be confirmed (B28, T12): in
// less than the allowed minutes from the request, by the hub's clock alone.
// Times are milliseconds since 1970 UTC.
func (r *Reference) MayConfirm(requestedMs, nowMs int64) error {
	day := Day(requestedMs / 86_400_000)
	ttl := r.setting("confirm_ttl_min", scope{Day: day}, 15)
	if nowMs-requestedMs >= int64(ttl)*60_000 {
		return refuse("B28", "confirm-expired", "minutes", strconv.Itoa(ttl))
	}
	return nil
}
