package page

import (
	"net/http"

	"condica/agent/clerk"
	"condica/agent/desk"
)

// maxTraces is how many lines the page of traces shows.
const maxTraces = 200

// A trace is one line of it.
type trace struct{ When, What, By, About string }

// tracePage is what /urme shows.
type tracePage struct {
	DrawnFor string
	Waiting  []waitingClerk
	Lines    []trace
}

// waitingClerk is a clerk who has to wait after wrong PINs.
type waitingClerk struct{ Name, For string }

// traces shows the head of service what was done at this PC beside the
// bookings. Without accounts everybody is as good as the head.
func (p *pages) traces(w http.ResponseWriter, r *http.Request) error {
	if p.role(r) == desk.RoleClerk {
		return &halt{http.StatusForbidden, "halt.head"}
	}
	body, err := p.traced(r)
	if err != nil {
		return err
	}
	body.DrawnFor = drawnFor(r)
	v := view{Title: p.words.t("trace.title"), Body: body}
	if r.URL.Query().Get("facut") != "" {
		v.Done = p.words.t("trace.lifted")
	}
	p.show(w, r, http.StatusOK, "trace", v)
	return nil
}

func (p *pages) traced(r *http.Request) (out tracePage, err error) {
	lines, err := p.office.DB().Traces(r.Context(), maxTraces)
	if err != nil {
		return out, err
	}
	for _, l := range lines {
		what := l.What
		if p.words.has("trace.kind." + l.What) {
			what = p.words.t("trace.kind." + l.What)
		}
		out.Lines = append(out.Lines, trace{p.stamp(l.AtMs), what, l.By, l.About})
	}
	accounts := p.accounts()
	if len(accounts) == 0 {
		return out, nil
	}
	held, err := p.o.Roster.Waiting(r.Context(), accounts)
	for _, one := range held {
		out.Waiting = append(out.Waiting, waitingClerk{one.Name, p.waiting(one.For)})
	}
	return out, err
}

// lift ends a clerk's wait.
func (p *pages) lift(w http.ResponseWriter, r *http.Request) error {
	if p.role(r) != desk.RoleHead {
		return &halt{http.StatusForbidden, "halt.head"}
	}
	if err := stillTheirs(r); err != nil {
		return err
	}
	name := clean(r.PostForm.Get("nume"))
	if _, known := clerk.Find(p.accounts(), name); !known {
		return &halt{http.StatusUnprocessableEntity, "halt.form"}
	}
	if err := p.o.Roster.Lift(r.Context(), p.accounts(), name, p.author(r)); err != nil {
		return err
	}
	http.Redirect(w, r, "/urme?facut=da", http.StatusSeeOther)
	return nil
}
