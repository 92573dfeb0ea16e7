package spclep

import "strings"

// saying is one refusal in both languages; {name} stands for an argument.
type saying struct{ code, say, text string }

// sayings is the whole catalogue. Codes are stable: scripts and pages hold them.
func sayings() []saying {
	return []saying{
		{"age-reason", "{reason} is for ages {ages}, the person is {age} on {day}", "Motivul {reason} este pentru vârsta {ages}; la {day} persoana are {age} ani."},
		{"already-arrived", "the person has already been checked in", "Persoana a fost deja înregistrată ca prezentă."},
		{"already-booked", "this person already holds {n} booking, at most {max} may be held", "O persoană poate avea o singură programare activă."},
		{"already-filed", "the application has already been taken", "Cererea a fost deja preluată."},
		{"already-handed-over", "the card has already been handed over", "Actul a fost deja înmânat."},
		{"beyond-window", "{day} lies beyond the booking window, which ends on {last}", "Se pot face programări cel mult până la {last}."},
		{"cancelled", "the booking was cancelled, the person must book again", "Programarea este anulată; este nevoie de o nouă programare."},
		{"card-under-14", "no simple identity card is made before the age of 14", "Cartea de identitate simplă nu se eliberează înainte de împlinirea vârstei de 14 ani."},
		{"closed-day", "the office is closed on {day}: {why}", "La data de {day} nu se lucrează cu publicul: {why}."},
		{"collector-not-allowed", "{to} may not collect this card, only {allowed}", "Actul nu poate fi înmânat acestei persoane. Îl poate ridica: {allowed}."},
		{"confirm-expired", "the booking was not confirmed within {minutes} minutes of the request", "Rezervarea nu a fost confirmată în {minutes} minute de la solicitare și a expirat."},
		{"consent-missing", "the data protection notice was not acknowledged", "Trebuie bifată luarea la cunoștință privind protecția datelor (GDPR)."},
		{"email-invalid", "{email} is not an e-mail address", "Adresa de e-mail nu este validă."},
		{"extension-days", "an extension is 1 to {max} days, not {n}", "Termenul poate fi prelungit cu 1 până la {max} zile."},
		{"extract-day-missing", "the day of the land-registry extract is not noted", "Treceți data de pe extrasul de carte funciară."},
		{"extract-from-future", "the land-registry extract is dated {issued}, after the filing on {filing}", "Extrasul de carte funciară are o dată viitoare ({issued})."},
		{"extract-too-old", "the land-registry extract of {issued} is {n} days old, at most {max} are allowed", "Extrasul de carte funciară din {issued} are {n} zile; se admit cel mult {max}."},
		{"ground-off", "{ground} is not a ground for cancelling at this office", "Motivul de anulare nu se folosește la acest birou."},
		{"ground-unknown", "{ground} is not a ground for cancelling, expected {known}", "Motivul de anulare nu este cunoscut."},
		{"has-arrived", "the person has arrived, so this is no absence", "Persoana s-a prezentat, deci nu se poate nota neprezentarea."},
		{"missing-unnamed", "say which papers are missing", "Alegeți actele care lipsesc."},
		{"name-missing", "the name of the person who will come is missing", "Completați numele și prenumele persoanei care se prezintă la ghișeu."},
		{"no-booking", "there is no booking", "Nu există programare."},
		{"no-such-slot", "{at} is not the start of a slot on {day}", "Ora {at} nu este un interval de programare pentru {day}."},
		{"no-walk-in-hours", "applications without a booking are not taken at {at} on {day}", "La ora {at} nu se primesc cereri fără programare. Urgențele justificate se adresează șefului de serviciu."},
		{"not-arrived", "the person has not been checked in", "Persoana nu a fost încă înregistrată ca prezentă."},
		{"not-filed", "no application has been taken", "Nu a fost preluată nicio cerere."},
		{"not-ready", "the card is not in the office yet", "Actul nu a sosit încă la birou."},
		{"not-waiting", "the visit is {state}, there is nothing to cancel", "Vizita nu mai poate fi anulată în această stare."},
		{"other-day", "the booking is for {day}", "Programarea este pentru {day}, nu pentru astăzi."},
		{"paper-not-on-list", "{paper} is not on this list", "Actul {paper} nu este pe această listă."},
		{"past-day", "{day} is past", "Data {day} a trecut."},
		{"permit-not-surrendered", "the residence permit has not been surrendered", "La ridicarea actului se predă permisul de ședere."},
		{"pickup-elsewhere", "only an electronic identity card can be collected at another office", "Numai cartea electronică de identitate poate fi ridicată de la alt serviciu."},
		{"product-not-for-reason", "{product} is not made for reason {reason}, expected {known}", "Produsul ales nu se eliberează pentru acest motiv."},
		{"proxy-not-allowed", "{product} is not made by special power of attorney", "Cartea electronică și cartea simplă de identitate nu se eliberează pe bază de procură specială."},
		{"reason-not-bookable", "reason {reason} cannot be booked", "Pentru acest motiv nu se fac programări online."},
		{"reason-not-offered", "this office does not offer reason {reason}", "Biroul nu oferă acest serviciu."},
		{"same-day", "no booking is made for the same day", "Nu se pot face programări online pentru ziua în curs."},
		{"sent-away", "the booking was cancelled at the desk ({ground}), the person must book again", "Programarea a fost anulată la ghișeu; este nevoie de o nouă programare."},
		{"slot-full", "the slot at {at} is full", "Intervalul de la ora {at} este ocupat."},
		{"slot-past", "the slot at {at} has already begun", "Intervalul de la ora {at} a trecut."},
		{"too-soon", "{day} is too soon, the first day is {first}", "Prima zi pentru care se pot face programări este {first}."},
		{"urgency-no-reason", "an urgency needs its justification", "Scrieți motivul urgenței."},
		{"urgency-not-approved", "an urgency needs the name of the head of service who approved it", "Urgența trebuie aprobată de șeful de serviciu."},
	}
}

// Codes lists every code a Refusal can carry, in order.
func Codes() []string {
	var out []string
	for _, s := range sayings() {
		out = append(out, s.code)
	}
	return out
}

// refuse makes the refusal of a code; kv are the names and values it speaks of.
func refuse(rule, code string, kv ...string) *Refusal {
	r := &Refusal{Rule: rule, Code: code, Say: code, Args: map[string]string{}}
	var old []string
	for i := 0; i+1 < len(kv); i += 2 {
		r.Args[kv[i]] = kv[i+1]
		old = append(old, "{"+kv[i]+"}", kv[i+1])
	}
	for _, s := range sayings() {
		if s.code == code {
			fill := strings.NewReplacer(old...)
			r.Say, r.Text = fill.Replace(s.say), fill.Replace(s.text)
		}
	}
	return r
}
