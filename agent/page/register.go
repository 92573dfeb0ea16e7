package page

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"

	"condica/spclep"
	"condica/spclep/record"
)

// maxFree is how many lines for cards not collected yet a register takes.
const maxFree = 200

// registerPage is the register of the cards given out on a day, to be signed.
type registerPage struct {
	head
	beside
	Rows  []handed
	Ready []record.Row // cards in the office, each on a line to be filled by hand
	Blank []int        // numbers of the lines that are empty altogether
	Free  int          // lines asked for: Ready and Blank together
}

// handed is one card given out.
type handed struct {
	ID                          spclep.BookingID
	At, Number, Name, Product   string
	To, Collector, Clerk, Where string
	Permit                      bool // the residence permit was surrendered (R14.8)
	Again                       bool // the card had been given out before
	ms                          int64
}

// register is the pickup register of a day.
func (p *pages) register(w http.ResponseWriter, r *http.Request) error {
	d, m, err := p.office.Here(r.Context())
	if err != nil {
		return err
	}
	day, err := dayOf(r.URL.Query().Get("zi"), d.Today(m))
	if err != nil {
		return err
	}
	out := registerScreen{officePaper: officePaper{beside: p.beside(d, day, d.Today(m))}}
	if out.printing, err = p.printingList(r, printedRegister, "/registru", day); err != nil {
		return err
	}
	paper := p.official()
	body := registerPage{head: paper.head(d.Office, m.Ms, d.Ref.Number(), out.Copy), beside: paper.beside(d, day, d.Today(m))}
	bookings, err := p.office.Handed(r.Context(), day)
	if err != nil {
		return err
	}
	for _, b := range bookings {
		body.Rows = append(body.Rows, paper.handedOn(b, day)...)
	}
	slices.SortFunc(body.Rows, func(x, y handed) int { return cmp.Or(cmp.Compare(x.ms, y.ms), cmp.Compare(x.ID, y.ID)) })
	if err := p.free(r, &body); err != nil {
		return err
	}
	out.Free, out.Lines = body.Free, body.Free
	if out.Sheet, err = paper.draw("register", body); err != nil {
		return err
	}
	p.show(w, r, http.StatusOK, "register", view{Title: p.words.t("register.title", day.RO()), Nav: "pickups", Body: out})
	return nil
}

// registerScreen is the screen around it.
type registerScreen struct {
	officePaper
	Free int // lines asked for
}

// handedOn are a booking's hand-overs on a day: two, where one card was given
// out twice. One that was taken back is none.
func (p *pages) handedOn(b record.Booking, day spclep.Day) (out []handed) {
	first := b.Visit.First[spclep.HandedOver].Action
	for _, e := range b.Facts {
		action := e.ActionID().String()
		if e.Cell.Field != spclep.HandedOver || b.Visit.Undone[action] || p.office.Day(e.Eff.Ms()) != day {
			continue
		}
		v := value[spclep.HandedOverValue](e)
		line := handed{
			ID: b.ID, At: p.at(e.Eff.Ms()).Format("15:04"), Name: b.Name, To: p.orKey("collector.", v.To), Collector: v.Name,
			Clerk: by(e), Where: p.where(e), Permit: v.PermitSurrendered, Again: action != first, ms: e.Eff.Ms(),
		}
		if f := b.Visit.Filed; f != nil {
			line.Number, line.Product = f.Number, p.product(f.Product)
		}
		out = append(out, line)
	}
	return out
}

// free adds the lines to be filled by hand: the cards that lie here first.
func (p *pages) free(r *http.Request, body *registerPage) (err error) {
	n, _ := strconv.Atoi(r.URL.Query().Get("libere")) // what is no number asks for none
	body.Free = min(max(n, 0), maxFree)
	if body.Free == 0 {
		return nil
	}
	if body.Ready, err = p.office.DB().InState(r.Context(), spclep.StateReady, body.Free); err != nil {
		return err
	}
	body.Blank = lines(len(body.Rows)+len(body.Ready), body.Free-len(body.Ready))
	return nil
}
