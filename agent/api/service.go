package api

import (
	"net/http"

	"condica/sync/wire"
)

// An EnrollRequest carries the one-time token that the hub printed.
type EnrollRequest struct {
	Token string `json:"token"`
}

// An EnrollResult says where this PC now belongs.
type EnrollResult struct {
	Office     string `json:"office"`
	OfficeName string `json:"office_name"`
	Desk       int    `json:"desk"` // its number in the office
	Device     string `json:"device"`
	Hub        string `json:"hub"`
	Pending    bool   `json:"pending,omitempty"` // the hub cannot be reached now; the token is kept and tried again
	Say        string `json:"say,omitempty"`     // why, if pending
}

func enroll(d *door, r *http.Request) (any, error) {
	var q EnrollRequest
	if err := decode(r, &q); err != nil {
		return nil, err
	}
	if d.opt.Enroll == nil {
		return nil, notHere()
	}
	if _, err := wire.ParseToken(q.Token); err != nil {
		return nil, bad(err)
	}
	return d.opt.Enroll(r.Context(), q.Token)
}

// Opened is an address for one browser.
type Opened struct {
	URL string `json:"url"` // it lets one browser in, once, within two minutes
}

func open(d *door, r *http.Request) (any, error) {
	if d.opt.Open == nil {
		return Opened{d.opt.URL}, nil
	}
	return Opened{d.opt.Open()}, nil
}

// Stopping is the answer to shutdown.
type Stopping struct {
	Stopping bool `json:"stopping"`
}

func shutdown(d *door, r *http.Request) (any, error) {
	if d.opt.Shutdown == nil {
		return nil, notHere()
	}
	// The service waits for requests under way, of which this is one.
	go d.opt.Shutdown()
	return Stopping{true}, nil
}
