package spclep

// MayFile says whether the application of a person at the desk may be taken on
// a day. Refused: a visit that is not checked in (B09), a simple card under 14
// (R02.9), a proxy for a card that takes none (X05), a reason for another age,
// a product that is not the reason's (X04), a land-registry extract without
// a day or too old (R01.8). Required papers that were not seen come back as missing
// (B12), for the clerk to decide; what is filled in at the desk or asked only
// "if it is the case" is never missing. A zero Ask.Day is the booking's day.
func (r *Reference) MayFile(o OfficeID, v Visit, a Ask, landExtract Day, today Day, have map[string]PaperTick) (missing []Paper, err error) {
	if err := r.known(o); err != nil {
		return nil, err
	}
	if err := isArrived(v); err != nil {
		return nil, err
	}
	a = asked(o, v, a, today)
	if err := r.cardFits(a, today); err != nil {
		return nil, err
	}
	c, err := r.Papers(a)
	if err != nil {
		return nil, err
	}
	if r.needsExtract(a, landExtract) {
		if err := r.LandExtract(landExtract, today); err != nil {
			return nil, err
		}
	}
	for _, p := range c.Papers {
		if p.When == AtFiling && !p.seen(have[p.ID]) {
			missing = append(missing, p)
		}
	}
	return missing, nil
}

func isArrived(v Visit) error {
	switch v.State {
	case StateArrived:
		return nil
	case StateNone, StateBooked:
		return refuse("B09", "not-arrived")
	case StateCancelled:
		return refuse("B14", "cancelled")
	case StateSentAway:
		return refuse("B14", "sent-away", "ground", v.ground())
	}
	return hasPassed(v.State)
}

// asked completes an ask from the visit.
func asked(o OfficeID, v Visit, a Ask, today Day) Ask {
	a.Office = o
	if a.Reason == "" && v.Booked != nil {
		a.Reason = v.Booked.Reason
	}
	if a.Day == 0 && v.Booked != nil {
		a.Day = v.Booked.Day
	}
	if a.Day == 0 {
		a.Day = today
	}
	return a
}

// cardFits checks what no paper can mend, by the age on the day of filing.
func (r *Reference) cardFits(a Ask, today Day) error {
	answers := r.read(a.Answers, nil)
	row := r.reason(a.Reason)
	if row == nil {
		return refuse("B25", "reason-not-offered", "reason", string(a.Reason))
	}
	p, err := r.productFor(a, answers)
	if err != nil {
		return err
	}
	birth := answers.birth()
	if r.familyOf(p) == familyCIS && birth != 0 && ageOn(birth, today) < 14 {
		return refuse("R02.9", "card-under-14")
	}
	made := r.product(p)
	if made != nil && !made.Proxy && made.Family != familyNone && answers[keyProxy] == "yes" {
		return refuse("X05", "proxy-not-allowed", "product", string(p))
	}
	return r.ageFits(Ask{Reason: a.Reason, Answers: answers, Day: today})
}

// Answers that rules name.
const (
	keyProxy   = "abroad_proxy"
	keyProof   = "address_proof"
	keyPermit  = "residence_permit"
	proofLand  = "land-extract"
	answeredNo = "no"
)

// needsExtract says whether the extract's day is looked at: one was noted, or
// it was said to be the proof of address on a list that takes it.
func (r *Reference) needsExtract(a Ask, landExtract Day) bool {
	if landExtract != 0 {
		return true
	}
	l, err := r.list(a.Office, a.Reason, a.Day)
	if err != nil {
		return false
	}
	answers := r.read(a.Answers, l.row.Assume)
	for _, it := range r.items(l.row, a.Day) {
		for _, alt := range it.OneOf {
			if it.Ask == keyProof && alt.Answer == proofLand && answers[keyProof] == proofLand && it.If.holds(answers) {
				return true
			}
		}
	}
	return false
}

// seen says whether a tick satisfies a paper in the form it is asked in.
func (p Paper) seen(t PaperTick) bool {
	if p.IfApplicable {
		return true
	}
	switch p.Form {
	case AtDesk:
		return true
	case Both:
		return t.Original && t.Copy
	case Copy:
		return t.Copy
	case Original:
		return t.Original
	}
	return t.Original || t.Copy
}
