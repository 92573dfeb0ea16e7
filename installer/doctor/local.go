package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"condica/agent/api"
	"condica/sync/link"
	"condica/sync/wire"
)

// Free space below which the office should know, and below which the next
// action may not fit any more.
const (
	littleSpace = 500 << 20
	noSpace     = 50 << 20
)

// askStatus asks the running service as the command line does.
func askStatus(ctx context.Context, dir string) (*api.Status, error) {
	return ask[api.Status](ctx, dir, "status")
}

func ask[A any](ctx context.Context, dir, what string) (*A, error) {
	c, err := api.ReadControl(dir)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL+api.Prefix+what, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.Token)
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r) // this PC: no proxy
	if err != nil {
		return nil, errors.New("nothing answers at its address")
	}
	defer resp.Body.Close()
	a := new(A)
	if err := json.NewDecoder(resp.Body).Decode(a); err != nil || resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers with status %d", resp.StatusCode)
	}
	return a, nil
}

func (p *patient) checkFolder(context.Context) Finding {
	st, err := os.Stat(p.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault("\"condica install\" makes it", "there is no data folder %s", p.Dir)
	case err != nil:
		return fault("run \"condica doctor\" as an administrator", "the data folder cannot be looked at: %v", err)
	case !st.IsDir():
		return fault("move it away and use \"condica install\"", "%s is no folder", p.Dir)
	}
	odd, err := oddRights(p.Dir)
	if err != nil {
		return fault("run \"condica doctor\" as an administrator", "the rights of the data folder cannot be read: %v", err)
	}
	if len(odd) > 0 {
		return fault("\"condica install\" sets the folder right; give the files to the service's account", "the rights of the data folder are off: %s", strings.Join(odd, "; "))
	}
	return fine("only the service's account and administrators may look into %s", p.Dir)
}

func (p *patient) checkDisk(context.Context) Finding {
	free, err := freeBytes(p.Dir)
	if err != nil {
		return warning("", "how much room the disk has cannot be read: %v", err)
	}
	mb := free >> 20
	switch {
	case free < noSpace:
		return fault("make room on the disk now: what clerks do may not be kept any more", "the disk has %d MB left", mb)
	case free < littleSpace:
		return warning("make room on the disk", "the disk has %d MB left", mb)
	}
	return fine("the disk has %d MB left", mb)
}

// A place is where this PC belongs, or is to belong, as its folder says.
type place struct {
	enrolled bool
	office   string
	hub      string // https://host:port; empty: not known
	pin      string
	token    *wire.Token // one that waits
	err      error
}

func readPlace(dir string) (p place) {
	text, err := os.ReadFile(filepath.Join(dir, "hub.json"))
	if err == nil {
		var h struct{ URL, Pin, Office string }
		if err := json.Unmarshal(text, &h); err != nil {
			return place{err: fmt.Errorf("hub.json is damaged: %w", err)}
		}
		return place{enrolled: true, office: h.Office, hub: h.URL, pin: h.Pin}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return place{err: err}
	}
	text, err = os.ReadFile(filepath.Join(dir, "enroll.token"))
	if errors.Is(err, fs.ErrNotExist) {
		return place{}
	}
	if err != nil {
		return place{err: err}
	}
	t, err := wire.ParseToken(string(text))
	if err != nil {
		return place{err: err}
	}
	return place{office: t.Office, hub: t.Hub, pin: t.Pin, token: &t}
}

func (p *patient) checkToken(context.Context) Finding {
	const fresh = "ask central IT for a new token and use \"condica enroll --token ...\""
	switch {
	case p.place.err != nil:
		return fault(fresh, "where this PC belongs cannot be read: %v", p.place.err)
	case p.place.enrolled && p.status != nil && p.status.Hub.TurnedAway:
		return fault(fresh, "the hub does not know this PC any more: %s", p.status.Hub.Say)
	case p.place.enrolled && p.status != nil && p.status.Hub.Kind == link.Unlinked:
		return fault(fresh, "this PC cannot speak with the hub any more: %s", p.status.Hub.Say)
	case p.place.enrolled && p.status != nil && p.status.Hub.Kind == link.Retired:
		return warning("wait, the service asks the hub for a new key by itself; find out on which other PC this one's disk lies",
			"this PC's key is used on another machine too, or was replaced")
	case p.place.enrolled:
		return fine("this PC is enrolled in office %s", p.place.office)
	case p.place.token == nil:
		return warning(fresh, "this PC is not enrolled and no token waits")
	case p.Now().UnixMilli() > p.place.token.Expires:
		return fault(fresh, "a token for office %s waits, but by this PC's clock it has expired", p.place.office)
	}
	return warning("nothing, if the hub can be reached soon; the token is good until "+time.UnixMilli(p.place.token.Expires).In(p.Now().Location()).Format("2006-01-02 15:04"),
		"a token for office %s waits to be used", p.place.office)
}
