package clerk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"condica/spclep/settings"
)

// maxOpen is more than the desks of an office; beyond it the one that was idle
// longest is locked.
const maxOpen = 50

// A session is a clerk at a browser. It lives in memory only: after a restart of
// the service everybody signs in again.
type session struct {
	name    string
	pin     string // the centre's verifier; another one ends the session
	browser string // which one was let in; it is good in no other
	seen    int64  // running time in ms when somebody last worked
}

func sessionKey(id string) string {
	sum := sha256.Sum256([]byte("condica clerk 1\n" + id))
	return hex.EncodeToString(sum[:])
}

// SignIn opens a session for the right PIN. Its id is always a fresh one; old,
// the one that the browser had, ends.
func (r *Roster) SignIn(ctx context.Context, accounts []settings.Clerk, name, pin, browser, old string) (id string, account settings.Clerk, err error) {
	account, err = r.Check(ctx, accounts, name, pin)
	if err != nil {
		return "", account, err
	}
	id = r.cfg.Secret()
	r.mu.Lock()
	delete(r.open, sessionKey(old))
	r.makeRoom()
	r.open[sessionKey(id)] = &session{account.Name, account.PIN, browser, r.cfg.Now().Up}
	r.mu.Unlock()
	r.trace(ctx, SignedIn, account.Name, "")
	return id, account, nil
}

// makeRoom is called under mu.
func (r *Roster) makeRoom() {
	for len(r.open) >= maxOpen {
		idlest := ""
		for key, s := range r.open {
			if idlest == "" || s.seen < r.open[idlest].seen {
				idlest = key
			}
		}
		delete(r.open, idlest)
	}
}

// Who is the clerk of a session. A look that is no work - the page asking for
// its status line - does not keep it from being locked. A locked session is gone
// for good.
func (r *Roster) Who(ctx context.Context, accounts []settings.Clerk, id, browser string, idle time.Duration, work bool) (settings.Clerk, bool) {
	account, s, state := r.who(accounts, id, browser, idle, work)
	if state == Locked {
		r.trace(ctx, Locked, s.name, "")
	}
	return account, state == ""
}

func (r *Roster) who(accounts []settings.Clerk, id, browser string, idle time.Duration, work bool) (account settings.Clerk, s session, ended string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key, now := sessionKey(id), r.cfg.Now().Up
	held := r.open[key]
	if id == "" || held == nil || held.browser != browser {
		return account, s, SignedOut
	}
	account, known := Find(accounts, held.name)
	switch {
	case time.Duration(now-held.seen)*time.Millisecond >= idle:
		delete(r.open, key)
		return settings.Clerk{}, *held, Locked
	case !known || account.PIN != held.pin:
		delete(r.open, key)
		return settings.Clerk{}, *held, SignedOut
	}
	if work {
		held.seen = now
	}
	return account, *held, ""
}

// SignOut ends a session; its id is worthless from then on.
func (r *Roster) SignOut(ctx context.Context, id, browser string) {
	r.mu.Lock()
	key := sessionKey(id)
	held := r.open[key]
	if held == nil || held.browser != browser {
		r.mu.Unlock()
		return
	}
	delete(r.open, key)
	r.mu.Unlock()
	r.trace(ctx, SignedOut, held.name, "")
}

// endOthers ends the sessions of a clerk but one.
func (r *Roster) endOthers(name, but string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, s := range r.open {
		if s.name == name && key != sessionKey(but) {
			delete(r.open, key)
		}
	}
}
