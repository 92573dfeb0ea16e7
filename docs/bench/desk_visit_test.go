package bench

import (
	"net/url"
	"slices"
	"strings"

	"condica/spclep"
	"condica/sync/wire"
)

// pageAfter is what the page is called that the desk shows after each deed.
const pageAfter = "a visit's page, after each deed"

// A shift is a clerk at work: everything that is done through a form is noted
// beside a bare commit, every page that follows beside a bare row.
type shift struct {
	*deskPC
	deeds, pages ledger
	commits      *bare
	rows         *bareReader
}

// do presses a form that stands on a page; what comes back is the page after.
func (s *shift) do(what string, b booked, on sheet, deed string, entered url.Values) sheet {
	s.Helper()
	done := s.press(on, "/vizita/"+string(b.ID)+"/"+deed, entered)
	s.deeds.note(what, done.took, s.commits.commit())
	return s.look(b, done.Header().Get("Location"))
}

func (s *shift) look(b booked, path string) sheet {
	s.Helper()
	page := s.open(path)
	if !strings.Contains(page.Body.String(), `/vizita/`+string(b.ID)) {
		s.Fatalf("%s was answered with %d:\n%s", path, page.Code, page.Body)
	}
	s.pages.note(pageAfter, page.took, s.rows.row(b))
	return page
}

// visit is a person's way from the door to the card, with every deed on it that
// a page has a form for. The card is made while the person waits: what a deed
// costs does not hang on the days between.
func (s *shift) visit(b booked) {
	s.Helper()
	s.now(b.Day, b.At-5)
	page := s.open("/vizita/" + string(b.ID))
	page = s.do("check in", b, page, "prezent", nil)
	paper := s.paper(page, b)
	page = s.do("send away for a missing paper", b, page, "trimis", url.Values{"temei": {spclep.GroundPapersMissing}, "lipsa": {paper}})
	page = s.do("undo", b, page, "anulare", url.Values{"motiv": {"a găsit actul"}})
	page = s.do("one answer", b, page, "raspunsuri", url.Values{"answer.civil": {"married"}})
	page = s.do("one paper ticked", b, page, "acte", url.Values{spclep.PrefixPaper + paper: {"original"}})
	page = s.conflict(page, b)
	page = s.do("file the application", b, page, "preia", url.Values{"desi": {"actele se aduc la ridicare"}})
	page = s.do("extend the term", b, page, "prelungire", url.Values{"zile": {"15"}, "motiv": {"verificări"}})
	page = s.do("card ready", b, page, "sosit", nil)
	s.do("hand the card over", b, page, "preda", url.Values{"cui": {"holder"}})
}

// paper is the first one of the checklist.
func (s *shift) paper(on sheet, b booked) string {
	s.Helper()
	var ids []string
	for field := range formOf(on.Body.String(), "/vizita/"+string(b.ID)+"/acte") {
		if id, ok := strings.CutPrefix(field, "vechi."+spclep.PrefixPaper); ok {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		s.Fatalf("the page asks for no papers:\n%s", on.Body)
	}
	return slices.Min(ids)
}

// conflict: another PC of the office has written another note meanwhile; the
// clerk puts this one's back.
func (s *shift) conflict(on sheet, b booked) sheet {
	s.Helper()
	s.press(on, "/vizita/"+string(b.ID)+"/date", url.Values{"note": {"vine cu mama"}})
	s.save(wire.Answer{Entries: []wire.Entry{s.entry(otherPC, s.wall+1000, b.ID, spclep.FieldNote, false, "vine cu tata")}})
	page := s.look(b, "/vizita/"+string(b.ID))
	return s.do("restore what lost a conflict", b, page, "conflict", url.Values{"alege": {"restaureaza"}})
}

// walkIn takes in a person without a booking, in walk-in hours.
func (s *shift) walkIn(name string) {
	s.Helper()
	done := s.press(s.open("/fara-programare"), "/fara-programare", url.Values{"nume": {name}, "motiv": {string(measured)}})
	s.deeds.note("walk-in", done.took, s.commits.commit())
}
