package page

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"condica/agent/desk"
	"condica/spclep"
	"condica/spclep/code"
	"condica/sync/op"
)

// act does what a form of the visit's page asks, and shows the page again:
// anew when it was done, with the reason and the form as it was filled in when
// not.
func (p *pages) act(w http.ResponseWriter, r *http.Request) error {
	id, err := bookingID(r)
	if err != nil {
		return err
	}
	deed := r.PathValue("deed")
	err = p.do(r, id, deed)
	switch {
	case err == nil:
		return p.back(w, r, id, deed)
	case errors.Is(err, desk.ErrNoChange):
		return p.back(w, r, id, "neschimbat")
	}
	wrong, ok := p.problemOf(err)
	if !ok {
		return err
	}
	form := deed
	if deed == "anulare" {
		form += "-" + clean(r.PostForm.Get("actiune")) // each step has a form of its own
	}
	wrong.Field = anchor(form, wrong, p.approvalForm(r) != nil)
	return p.showVisit(w, r, http.StatusUnprocessableEntity, id, kept{deed, r.PostForm}, wrong)
}

func (p *pages) do(r *http.Request, id spclep.BookingID, deed string) error {
	d, approver, err := p.counter(r)
	if err != nil {
		return err
	}
	key, err := doKey(r)
	if err != nil {
		return err
	}
	f := maps.Clone(r.PostForm) // the form itself may be shown again
	if why := clean(f.Get("motiv")); approver != "" && why != "" {
		f.Set("motiv", why+approvedBy+approver)
	}
	if err := p.texts(f); err != nil {
		return err
	}
	action, err := p.action(r.Context(), d, id, deed, f)
	if err != nil {
		return err
	}
	_, err = p.office.Do(r.Context(), key, p.author(r), id, action)
	return err
}

// approvedBy stands in the record, which is Romanian, between a reason and the
// head of service who approved it with a PIN at a clerk's desk.
const approvedBy = " · aprobat de "

// counter is the desk with the role of who acts at it: the clerk's, or the head
// of service's who approved the form. approver is empty where nobody else did.
func (p *pages) counter(r *http.Request) (d desk.Desk, approver string, err error) {
	if d, err = p.office.Desk(r.Context()); err != nil {
		return d, "", err
	}
	d.Role = p.role(r)
	name, head, err := p.approval(r)
	if head && d.Role != desk.RoleHead {
		d.Role, approver = desk.RoleHead, name
	}
	return d, approver, err
}

func (p *pages) back(w http.ResponseWriter, r *http.Request, id spclep.BookingID, done string) error {
	http.Redirect(w, r, "/vizita/"+string(id)+"?facut="+url.QueryEscape(done), http.StatusSeeOther)
	return nil
}

// bookingID reads the code in the address.
func bookingID(r *http.Request) (spclep.BookingID, error) {
	id, err := code.ParseID(r.PathValue("id"))
	if err != nil {
		return "", &halt{http.StatusNotFound, "halt.booking"}
	}
	return id, nil
}

// problemOf is what a person can be told of an error; ok is false for a fault.
func (p *pages) problemOf(err error) (problem, bool) {
	var own *problem
	var answer *spclep.AnswerError
	if refusal, ok := spclep.Refused(err); ok {
		said := p.refused(refusal)
		return problem{Text: said.String(), Said: said, Rule: refusal.Rule, code: refusal.Code}, true
	}
	if errors.As(err, &own) {
		return *own, true
	}
	if errors.As(err, &answer) {
		return problem{Text: p.words.t("form.answer", answer.Key), Field: spclep.PrefixAnswer + answer.Key}, true
	}
	return problem{}, false
}

// anchor is the id of the field a problem of a form is about; empty where it
// is about no single one. approvals: forms ask for the head's PIN.
func anchor(form string, wrong problem, approvals bool) string {
	field := wrong.Field
	switch wrong.code {
	case "head-only", "undo-late":
		if approvals {
			field = approvalPIN
		}
	case "papers-missing":
		field = "desi"
	case "pickup-elsewhere":
		field = "ridicare"
	case "product-not-for-reason", "card-under-14", "proxy-not-allowed":
		field = "produs"
	case "extract-day-missing", "extract-from-future", "extract-too-old":
		return "acte-land-extract"
	case "missing-unnamed", "paper-not-on-list":
		field = "lipsa"
	case "ground-off", "ground-unknown", "has-arrived":
		field = "temei"
	case "extension-days":
		field = "zile"
	case "collector-not-allowed":
		field = "cui"
	case "urgency-not-approved":
		if field = "aprobat"; approvals {
			field = approvalPIN
		}
	case "urgency-no-reason":
		field = "de-ce"
	case "settle-no-reason", "reason-missing", "reason-not-offered":
		field = "motiv"
	case "code-has-no-name", "collector-unnamed", "walk-in-unnamed":
		field = "nume"
	case "name-emptied":
		field = spclep.FieldName
	}
	if field == "" {
		return ""
	}
	return form + "-" + field
}

// action reads the form of a deed.
func (p *pages) action(ctx context.Context, d desk.Desk, id spclep.BookingID, deed string, f url.Values) (desk.Action, error) {
	switch deed {
	case "prezent":
		return d.CheckIn(), nil
	case "trimis":
		return p.sendAway(d, f)
	case "preia":
		return p.file(d, f)
	case "prelungire":
		return p.extend(d, f)
	case "sosit":
		return d.MarkReady(), nil
	case "preda":
		return p.handOver(d, f)
	case "raspunsuri", "acte", "date":
		return p.set(d, f)
	case "anulare":
		return p.undo(d, f)
	case "conflict":
		return p.settle(d, f)
	case "lamurit":
		return d.Settle(clean(f.Get("motiv"))), nil
	}
	return nil, &halt{http.StatusNotFound, "halt.page"}
}

func (p *pages) sendAway(d desk.Desk, f url.Values) (desk.Action, error) {
	ground := f.Get("temei")
	if ground == "" {
		return nil, &problem{Text: p.words.t("form.ground"), Field: "temei"}
	}
	var missing []string
	if ground == spclep.GroundPapersMissing {
		missing = f["lipsa"]
	}
	return d.SendAway(ground, missing, clean(f.Get("nota"))), nil
}

func (p *pages) file(d desk.Desk, f url.Values) (desk.Action, error) {
	birth, err := p.dayField(f, "nastere")
	if err != nil {
		return nil, err
	}
	in := desk.Application{Number: clean(f.Get("numar")), Product: spclep.Product(f.Get("produs")), Birth: birth, Despite: clean(f.Get("desi"))}
	if pickup := spclep.OfficeID(f.Get("ridicare")); pickup != d.Office {
		in.Pickup = pickup
	}
	return d.File(in), nil
}

func (p *pages) extend(d desk.Desk, f url.Values) (desk.Action, error) {
	days, err := strconv.Atoi(clean(f.Get("zile")))
	if err != nil {
		return nil, &problem{Text: p.words.t("form.days"), Field: "zile"}
	}
	return d.Extend(days, clean(f.Get("motiv"))), nil
}

func (p *pages) handOver(d desk.Desk, f url.Values) (desk.Action, error) {
	to := f.Get("cui")
	if to == "" {
		return nil, &problem{Text: p.words.t("form.collector"), Field: "cui"}
	}
	return d.HandOver(to, clean(f.Get("nume")), f.Get("permis") == "da"), nil
}

func (p *pages) undo(d desk.Desk, f url.Values) (desk.Action, error) {
	id, err := op.ParseID(f.Get("actiune"))
	if err != nil {
		return nil, &halt{http.StatusBadRequest, "halt.form"}
	}
	why := clean(f.Get("motiv"))
	if why == "" {
		return nil, &problem{Text: p.words.t("form.why"), Field: "motiv"}
	}
	return d.Undo(id, why), nil
}

func (p *pages) settle(d desk.Desk, f url.Values) (desk.Action, error) {
	loser, err := op.ParseID(f.Get("pierdut"))
	if err != nil {
		return nil, &halt{http.StatusBadRequest, "halt.form"}
	}
	switch f.Get("alege") {
	case "pastreaza":
		return d.Keep(loser), nil
	case "restaureaza":
		return d.Restore(loser), nil
	}
	return nil, &halt{http.StatusBadRequest, "halt.form"}
}
