package page

import (
	"cmp"
	"net/http"

	"condica/agent/desk"
	"condica/spclep"
)

// walkInPage is the form for a person without a booking.
type walkInPage struct {
	kept
	DrawnFor string
	Reasons  []spclep.ReasonInfo
	Open     bool
	Hours    string
	Closed   string
	Approval *approvalForm // nil: nobody's PIN is needed
	Written  bool          // who approves is written down: the office has no accounts
}

func (p *pages) walkIn(w http.ResponseWriter, r *http.Request) error {
	return p.showWalkIn(w, r, http.StatusOK, kept{})
}

func (p *pages) showWalkIn(w http.ResponseWriter, r *http.Request, status int, k kept, problems ...problem) error {
	d, m, err := p.office.Here(r.Context())
	if err != nil {
		return err
	}
	h, err := d.Ref.Hours(d.Office, d.Today(m))
	if err != nil {
		return err
	}
	body := walkInPage{
		kept: k, DrawnFor: drawnFor(r), Reasons: d.Ref.Reasons(d.Office, d.Today(m)),
		Approval: p.approvalForm(r), Written: p.role(r) == desk.RoleUntold,
		Open: h.Open(spclep.HoursWalkIn, d.Clock(m)), Hours: hours(h, spclep.HoursWalkIn),
	}
	if h.Closed {
		body.Closed = h.Why
	}
	p.show(w, r, status, "walkin", view{Title: p.words.t("walkin.title"), Nav: "walkin", Here: "/fara-programare", Problems: problems, Body: body})
	return nil
}

// takeWalkIn takes the person in, or shows the form again with the reason.
func (p *pages) takeWalkIn(w http.ResponseWriter, r *http.Request) error {
	id, err := p.tryWalkIn(r)
	if wrong, ok := p.problemOf(err); ok {
		wrong.Field = anchor("fara", wrong, p.approvalForm(r) != nil)
		return p.showWalkIn(w, r, http.StatusUnprocessableEntity, kept{"fara", r.PostForm}, wrong)
	}
	if err != nil {
		return err
	}
	return p.back(w, r, id, "fara-programare")
}

func (p *pages) tryWalkIn(r *http.Request) (spclep.BookingID, error) {
	f := r.PostForm
	if err := p.texts(f); err != nil {
		return "", err
	}
	key, err := doKey(r)
	if err != nil {
		return "", err
	}
	if f.Get("motiv") == "" {
		return "", &problem{Text: p.words.t("form.reason"), Field: "motiv"}
	}
	d, approver, err := p.counter(r)
	if err != nil {
		return "", err
	}
	if d.Role == desk.RoleHead && approver == "" {
		approver = p.clerk(r)
	}
	id, _, err := p.office.WalkIn(r.Context(), key, p.author(r), d, desk.Walk{
		Name: clean(f.Get("nume")), Reason: spclep.Reason(f.Get("motiv")), Urgent: f.Get("urgenta") == "da",
		Approved: cmp.Or(approver, clean(f.Get("aprobat"))), Why: clean(f.Get("de-ce")),
	})
	return id, err
}
