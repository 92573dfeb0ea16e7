package page

import (
	"errors"
	"net/http"
	"net/url"
	"slices"

	"condica/agent/clerk"
	"condica/agent/desk"
	"condica/spclep/settings"
)

// Fields in which a head of service approves what a clerk is about to do.
const (
	approverField = "sef"
	approvalPIN   = "sef-pin"
)

// An approvalForm is what the fragment "approval" shows.
type approvalForm struct {
	Heads  []string
	Chosen string
}

// approvalForm is the fragment for this request; nil where nobody's approval is
// needed: the office has no accounts, or the head of service is at the desk.
func (p *pages) approvalForm(r *http.Request) *approvalForm {
	v := visitorOf(r)
	if v.role != desk.RoleClerk {
		return nil
	}
	f := &approvalForm{Chosen: v.approver}
	for _, h := range heads(p.accounts()) {
		f.Heads = append(f.Heads, h.Name)
	}
	return f
}

func heads(accounts []settings.Clerk) []settings.Clerk {
	return slices.DeleteFunc(accounts, func(c settings.Clerk) bool { return c.Role != settings.RoleHead })
}

// takeApproval takes the head's PIN out of a form, so that no page shows it
// again, no key is made of it and nothing keeps it.
func takeApproval(f url.Values) (name, pin string) {
	name, pin = clean(f.Get(approverField)), f.Get(approvalPIN)
	f.Del(approvalPIN)
	return name, pin
}

// approval is the head of service who stands behind a request: whoever is
// signed in as one, or whose name and PIN came with the form. Without accounts,
// or without a PIN, head is false. The error is a *problem about the field
// sef-pin where the PIN does not fit.
func (p *pages) approval(r *http.Request) (name string, head bool, err error) {
	v := visitorOf(r)
	switch {
	case v.role == desk.RoleHead:
		return v.name, true, nil
	case v.role == desk.RoleUntold || v.pin == "":
		return "", false, nil
	case !clerk.WellFormed(v.pin):
		return "", false, &problem{Text: p.words.t("signin.digits"), Field: approvalPIN}
	}
	who, err := p.o.Roster.Check(r.Context(), heads(p.accounts()), v.approver, v.pin)
	var no *clerk.RefusedError
	if errors.As(err, &no) {
		return "", false, &problem{Text: p.saidNo(no), Field: approvalPIN}
	}
	return who.Name, err == nil, err
}
