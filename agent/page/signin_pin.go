package page

import (
	"errors"
	"net/http"

	"condica/agent/clerk"
)

// pinPage lets a clerk choose a PIN for this PC.
func (p *pages) pinPage(w http.ResponseWriter, r *http.Request) error {
	if visitorOf(r).name == "" {
		return &halt{http.StatusNotFound, "halt.page"}
	}
	p.showPIN(w, r, http.StatusOK)
	return nil
}

func (p *pages) showPIN(w http.ResponseWriter, r *http.Request, status int, wrong ...problem) {
	v := view{Title: p.words.t("pin.title"), Problems: wrong, Body: map[string]string{}}
	if r.URL.Query().Get("facut") != "" {
		v.Done = p.words.t("pin.done")
	}
	if len(wrong) > 0 {
		v.Body = map[string]string{wrong[0].Field: wrong[0].Text}
	}
	p.show(w, r, status, "signin-pin", v)
}

func (p *pages) changePIN(w http.ResponseWriter, r *http.Request) error {
	v, f := visitorOf(r), r.PostForm
	if v.name == "" {
		return &halt{http.StatusNotFound, "halt.page"}
	}
	wrong, err := p.newPIN(r, v, f.Get("pin"), f.Get("pin-nou"), f.Get("pin-repetat"))
	if err != nil {
		return err
	}
	if wrong != nil {
		p.showPIN(w, r, http.StatusUnprocessableEntity, *wrong)
		return nil
	}
	http.Redirect(w, r, "/pin?facut=da", http.StatusSeeOther)
	return nil
}

func (p *pages) newPIN(r *http.Request, v visitor, old, pin, repeated string) (*problem, error) {
	switch {
	case !clerk.WellFormed(old):
		return &problem{Text: p.words.t("signin.digits"), Field: "pin"}, nil
	case pin != repeated:
		return &problem{Text: p.words.t("pin.differ"), Field: "pin-repetat"}, nil
	}
	err := p.o.Roster.Change(r.Context(), p.accounts(), v.name, old, pin, v.session)
	var no *clerk.RefusedError
	switch {
	case errors.As(err, &no):
		return &problem{Text: p.saidNo(no), Field: "pin"}, nil
	case errors.Is(err, clerk.ErrLength):
		return &problem{Text: p.words.t("pin.length"), Field: "pin-nou"}, nil
	case errors.Is(err, clerk.ErrPlain):
		return &problem{Text: p.words.t("pin.plain"), Field: "pin-nou"}, nil
	case errors.Is(err, clerk.ErrSame):
		return &problem{Text: p.words.t("pin.same"), Field: "pin-nou"}, nil
	}
	return nil, err
}
