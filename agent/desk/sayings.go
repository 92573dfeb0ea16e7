package desk

import (
	"strings"

	"condica/spclep"
)

// A cause is why the desk itself refuses, where the order of a visit (table 2a)
// or the papers seen (B12) stand against an action. Each has a code of its own:
// one code is one sentence in every language.
type cause int

const (
	codeHasNoName cause = iota
	collectorUnnamed
	headDecides
	idIsTaken
	laterStep
	nameEmptied
	conflictOver
	notOpen
	notTaken
	nothingToSettle
	undoneAlready
	elsewhere
	papersUnseen
	extensionUnreasoned
	settledUnreasoned
	undoTooLate
	noSuchBooking
	walkInUnnamed
	causes // how many there are
)

// saying is one refusal in both languages; {name} stands for an argument.
type saying struct{ rule, code, say, text string }

// sayings is the whole catalogue. Codes are stable: scripts and pages hold them.
func sayings() [causes]saying {
	return [...]saying{
		codeHasNoName:       {"2a", "code-has-no-name", "the name is missing: the code holds none", "Scrieți numele persoanei: codul nu conține nume."},
		collectorUnnamed:    {"2a", "collector-unnamed", "the name of the person who collects is missing", "Scrieți numele persoanei care ridică actul."},
		headDecides:         {"2a", "head-only", "this needs the head of service", "Aici hotărăște șeful de serviciu: cereți-i să aprobe cu PIN-ul propriu."},
		idIsTaken:           {"2a", "id-taken", "this booking exists already", "Există deja o înregistrare cu acest cod."},
		laterStep:           {"2a", "later-steps", "a later step rests on this one: take that back first", "Un pas ulterior se bazează pe acesta: anulați întâi pasul ulterior."},
		nameEmptied:         {"2a", "name-emptied", "a name cannot be left empty", "Numele nu poate rămâne gol."},
		conflictOver:        {"2a", "no-conflict", "this value is in no conflict any more", "Acest conflict a fost deja rezolvat."},
		notOpen:             {"2a", "no-open-application", "there is no open application", "Nu există o cerere în lucru la această programare."},
		notTaken:            {"2a", "not-filed", "no application has been taken", "Nu a fost preluată nicio cerere."},
		nothingToSettle:     {"2a", "nothing-to-settle", "nothing on this booking waits to be settled", "Nu este nimic de lămurit la această programare."},
		undoneAlready:       {"2a", "nothing-to-undo", "there is no such action on this booking, or it was taken back already", "Această acțiune nu există sau a fost deja anulată."},
		elsewhere:           {"2a", "other-office", "the code is of another office's booking", "Codul este al unei programări la alt ghișeu (alt SPCLEP)."},
		papersUnseen:        {"B12", "papers-missing", "papers were not seen: {papers}", "Nu au fost văzute toate actele: {titles}."},
		extensionUnreasoned: {"2a", "reason-missing", "an extension needs a reason", "Scrieți motivul prelungirii."},
		settledUnreasoned:   {"2a", "settle-no-reason", "a card handed out twice is settled with a reason", "Scrieți ce s-a constatat: cine are actul."},
		undoTooLate:         {"2a", "undo-late", "what was done more than {hours} hours ago is taken back by the head of service only", "Ce s-a făcut cu mai mult de {hours} ore în urmă poate fi anulat numai de șeful de serviciu, cu PIN-ul propriu."},
		noSuchBooking:       {"2a", "unknown-booking", "there is no such booking", "Nu există o programare cu acest cod."},
		walkInUnnamed:       {"2a", "walk-in-unnamed", "the name of the person is missing", "Scrieți numele persoanei."},
	}
}

// Codes lists every code of a refusal of the desk's own, in order.
func Codes() []string {
	var out []string
	for _, s := range sayings() {
		out = append(out, s.code)
	}
	return out
}

// refuse makes the refusal of a cause; kv are the names and values it speaks of.
func refuse(c cause, kv ...string) *spclep.Refusal {
	s := sayings()[c]
	r := &spclep.Refusal{Rule: s.rule, Code: s.code}
	var old []string
	for i := 0; i+1 < len(kv); i += 2 {
		if r.Args == nil {
			r.Args = map[string]string{}
		}
		r.Args[kv[i]] = kv[i+1]
		old = append(old, "{"+kv[i]+"}", kv[i+1])
	}
	fill := strings.NewReplacer(old...)
	r.Say, r.Text = fill.Replace(s.say), fill.Replace(s.text)
	return r
}
