package agent

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"condica/agent/api"
	"condica/spclep"
	"condica/sync/link"
	"condica/sync/wire"
)

// Enroll uses a token: the hub learns this PC's public key, the PC its office. A
// PC that is enrolled may be enrolled again, in the same office: the hub was lost,
// or this PC's key, or it was revoked by mistake. Where the hub cannot be reached
// the token is kept and tried again by itself; Pending then says so.
func (a *Agent) Enroll(ctx context.Context, text string) (api.EnrollResult, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, err := wire.ParseToken(text)
	if err != nil {
		return api.EnrollResult{}, err
	}
	if err := a.sameOffice(ctx, t); err != nil {
		return api.EnrollResult{}, err
	}
	r, err := a.useToken(ctx, t)
	var down *link.Error
	if errors.As(err, &down) && down.Code == "" && down.Kind != link.Untrusted {
		if err := writeFile(filepath.Join(a.o.Dir, tokenFile), []byte(text)); err != nil {
			return api.EnrollResult{}, err
		}
		a.o.Log.Info("the hub cannot be reached; enrolment will be tried again", "error", down.Error())
		a.work.Go(func() { a.keepEnrolling(t) })
		return api.EnrollResult{Office: t.Office, OfficeName: a.officeName(t.Office), Hub: t.Hub, Pending: true, Say: down.Error()}, nil
	}
	return r, err
}

// sameOffice: a replica holds one office's bookings, and never another's.
func (a *Agent) sameOffice(ctx context.Context, t wire.Token) error {
	here, err := a.db.Office(ctx)
	if err != nil || here == "" || here == t.Office {
		return err
	}
	return &api.Problem{
		Status: http.StatusConflict, Code: "other-office",
		Say:  fmt.Sprintf("this PC belongs to office %s, and the token is for office %s", here, t.Office),
		Text: fmt.Sprintf("Acest PC aparține de %s, iar codul de înrolare este pentru %s.", a.officeName(here), a.officeName(t.Office)),
	}
}

// useToken gets this PC its place, under the key it has or, where the hub takes
// nothing more from that one, under a new one. It is called under mu.
func (a *Agent) useToken(ctx context.Context, t wire.Token) (api.EnrollResult, error) {
	way := link.Way{Hub: t.Hub, Pin: t.Pin, Name: hostname(), Times: a.times}
	was, err := a.was(ctx, a.key)
	if err != nil {
		return api.EnrollResult{}, err
	}
	e, err := way.Enroll(ctx, t.Secret, a.key, was)
	if shutOut(err) {
		e, err = a.enrollAnew(ctx, way, t)
	}
	if err != nil {
		return api.EnrollResult{}, err
	}
	a.stopLink()
	if err := a.take(ctx, e, func(h *hub) {
		*h = hub{URL: t.Hub, Pin: t.Pin, Office: e.Office, Root: e.Root, Certs: h.Certs, Former: h.Former}
	}); err != nil {
		return api.EnrollResult{}, errors.Join(err, a.startAgain())
	}
	if err := os.Remove(filepath.Join(a.o.Dir, tokenFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return api.EnrollResult{}, err
	}
	return api.EnrollResult{Office: e.Office, OfficeName: a.officeName(e.Office), Desk: e.Desk, Device: e.Device.String(), Hub: t.Hub}, nil
}

// enrollAnew uses a token under a new key; under one more where IT has revoked
// that one since it was made.
func (a *Agent) enrollAnew(ctx context.Context, way link.Way, t wire.Token) (e wire.Enrolled, err error) {
	for tries := 1; ; tries++ {
		key, err := nextKey(a.o.Dir)
		if err != nil {
			return e, err
		}
		was, err := a.was(ctx, key)
		if err != nil {
			return e, err
		}
		if e, err = way.Enroll(ctx, t.Secret, key, was); !shutOut(err) || tries == 2 {
			return e, err
		}
		if err := os.Remove(filepath.Join(a.o.Dir, nextFile)); err != nil {
			return e, err
		}
	}
}

// startAgain goes on with the line as it was, where another enrolment came to
// nothing.
func (a *Agent) startAgain() error {
	h, ok, err := enrolledHub(a.o.Dir)
	if err != nil || !ok || deviceOf(a.key) != a.db.Device() {
		return err
	}
	return a.startLink(h)
}

// shutOut: the hub takes nothing more under this key.
func shutOut(err error) bool {
	var said *link.Error
	return errors.As(err, &said) && (said.Code == "revoked" || said.Code == "retired")
}

// was is what this PC has been, if it now comes with another key.
func (a *Agent) was(ctx context.Context, key ed25519.PrivateKey) (link.Was, error) {
	if deviceOf(key) == a.db.Device() {
		return link.Was{}, nil
	}
	unsent, err := a.db.UnsentMarks(ctx)
	return link.Was{Device: a.db.Device(), Unsent: unsent}, err
}

// take goes on as the hub has said: under this key, with all that is unsent. A
// stop after any of its steps ends well: the certificate is kept before the
// replica takes the name that it is for, and the key gets its place afterwards,
// as settleKey knows. It is called under mu, with no line running.
func (a *Agent) take(ctx context.Context, e wire.Enrolled, edit func(*hub)) error {
	h, err := a.editHub(func(h *hub) {
		edit(h)
		h.keep(e, a.db.Device())
	})
	if err != nil {
		return err
	}
	if old := a.db.Device(); e.Device != old {
		if err := a.db.Rekey(ctx, e); err != nil {
			return err
		}
		a.o.Log.Warn("this PC goes on under a new key, with all that is unsent", "device", e.Device.String(), "before", old.String())
	}
	if err := a.settleKey(); err != nil {
		return err
	}
	if err := a.setOffice(ctx, e); err != nil {
		return err
	}
	a.root.Store(&h.Root)
	a.o.Log.Info("enrolled", "office", e.Office, "desk", e.Desk, "device", e.Device.String())
	return a.startLink(h)
}

// setOffice notes the PC's place in the office, and that no number of whoever had
// it before is given out again.
func (a *Agent) setOffice(ctx context.Context, e wire.Enrolled) error {
	if err := a.db.SetOffice(ctx, e); err != nil {
		return err
	}
	return a.db.SkipNumbers(ctx)
}

// knowOffice tells a replica whose files were all lost whose it is: what is kept
// of the hub knows it. Where that cannot be read openLine says so.
func (a *Agent) knowOffice(ctx context.Context) error {
	here, err := a.db.Office(ctx)
	if err != nil || here != "" {
		return err
	}
	h, ok, err := enrolledHub(a.o.Dir)
	if err != nil || !ok || h.Office == "" || h.Desk == 0 {
		return nil
	}
	a.o.Log.Warn("the replica did not know its office any more, and is told", "office", h.Office, "desk", h.Desk)
	return a.db.SetOffice(ctx, wire.Enrolled{Office: h.Office, Desk: h.Desk})
}

// settleKey finds out under which key this PC goes on: the one whose name the
// replica writes under.
func (a *Agent) settleKey() error {
	if deviceOf(a.key) == a.db.Device() {
		return nil
	}
	next, err := readKey(filepath.Join(a.o.Dir, nextFile))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, errBadKey) || err == nil && deviceOf(next) != a.db.Device() {
		return nil // lost: openLine says so
	}
	if err != nil {
		return err
	}
	a.key = next
	return keepNext(a.o.Dir)
}

// editHub changes what is kept of the hub, and gives it.
func (a *Agent) editHub(f func(*hub)) (hub, error) {
	a.files.Lock()
	defer a.files.Unlock()
	h, _, err := enrolledHub(a.o.Dir)
	if err != nil {
		h = hub{} // it could not be read, and is about to be written anew
	}
	f(&h)
	return h, saveHub(a.o.Dir, h)
}

// returned: the hub had lost this PC, and knows it again.
func (a *Agent) returned(e wire.Enrolled) {
	err := a.setOffice(a.ctx, e)
	if err == nil {
		_, err = a.editHub(func(h *hub) { h.keep(e, e.Device) })
	}
	if err != nil {
		a.o.Log.Error("what the hub said of this PC could not be kept", "error", err)
	}
}

// officeName is the office's name in the bundle in force, or its id.
func (a *Agent) officeName(id string) string {
	o, err := a.office.Reference().Office(spclep.OfficeID(id))
	if err != nil {
		return id
	}
	return o.Name
}

// keepEnrolling tries a token until the hub has spoken.
func (a *Agent) keepEnrolling(t wire.Token) {
	for wait := 2 * time.Second; ; wait = min(wait*2, 2*time.Minute) {
		if done := a.tryEnrolling(t); done {
			return
		}
		select {
		case <-a.ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// tryEnrolling tries the token that waits, if it is still that one.
func (a *Agent) tryEnrolling(t wire.Token) (done bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	kept, ok, err := pendingToken(a.o.Dir)
	if a.ctx.Err() != nil || err != nil || !ok || kept.Secret != t.Secret {
		return true
	}
	err = a.sameOffice(a.ctx, t)
	if err == nil {
		_, err = a.useToken(a.ctx, t)
	}
	var down *link.Error
	var other *api.Problem
	switch {
	case err == nil:
		return true
	case errors.As(err, &down) && down.Code != "", errors.As(err, &other):
		a.o.Log.Error("the enrolment token that waited cannot be used", "error", err)
		return true
	}
	return false
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "PC"
	}
	return name
}
