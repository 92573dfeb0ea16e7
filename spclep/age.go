package spclep

import "strconv"

// birthday is the day a person completes years of age. Born on 29 February,
// one completes a common year on 1 March: no source says it, the calendar does.
func birthday(birth Day, years int) Day {
	y, m, d := birth.Date()
	return NewDay(y+years, m, d)
}

// ageOn is the age in completed years; on the birthday itself it is reached.
func ageOn(birth, day Day) int {
	by, _, _ := birth.Date()
	y, _, _ := day.Date()
	age := y - by
	if birthday(birth, age) > day {
		age--
	}
	return age
}

// inLastDays says whether the person is within n days before the upper age of
// the reason (G3, T16): day n before the birthday counts, the birthday does not.
func (row *reasonRow) inLastDays(n int, birth, day Day) bool {
	if birth == 0 || row.Age == nil || row.Age.Under == 0 {
		return false
	}
	turns := birthday(birth, row.Age.Under)
	return turns.Add(-n) <= day && day < turns
}

// ageFits refuses a reason that is for another age (titles of R02, R04, R05).
// A birth date that is not said fits.
func (r *Reference) ageFits(a Ask) error {
	row, birth := r.reason(a.Reason), a.Answers.birth()
	if birth == 0 || row == nil || row.Age == nil {
		return nil
	}
	age := ageOn(birth, a.Day)
	if age >= row.Age.From && (row.Age.Under == 0 || age < row.Age.Under) {
		return nil
	}
	ages := strconv.Itoa(row.Age.From) + "+"
	if row.Age.Under > 0 {
		ages = strconv.Itoa(row.Age.From) + "-" + strconv.Itoa(row.Age.Under-1)
	}
	return refuse(string(a.Reason), "age-reason", "reason", row.Short, "ages", ages, "age", strconv.Itoa(age), "day", a.Day.RO())
}

// ageFor is the age that decides, and whether it is known or only presumed
// from the reason.
func (r *Reference) ageFor(a Ask) (age int, known bool) {
	if b := a.Answers.birth(); b != 0 {
		return ageOn(b, a.Day), true
	}
	if row := r.reason(a.Reason); row != nil && row.Age != nil && row.Age.Under > 0 {
		return row.Age.From, false // a reason of childhood: R02, R04
	}
	return adult, false
}

const adult = 18

// party fills in who signs, attends, gives fingerprints and collects (G1 to G8).
func (r *Reference) party(c *Checklist, a Ask) {
	age, known := r.ageFor(a)
	row := r.ageRow(a, age)
	if row == nil {
		return
	}
	c.AgeRule, c.Signs, c.Attends, c.Cards = row.ID, row.Signs, row.Attends, row.Cards
	c.Fingerprints = row.Fingerprints
	if r.familyOf(a.Product) != "CEI" || !known && r.fingerprintsDiffer(a.Reason) {
		c.Fingerprints = FingerprintsUnstated
	}
	c.Collects = r.Collectors(a.Office, a.Product, a.Answers.birth(), a.Day)
}

// ageRow is the narrowest row of table 7: by reason, then by the last days
// before a birthday, then by age alone.
func (r *Reference) ageRow(a Ask, age int) *ageRow {
	var best *ageRow
	top := -1
	for i, row := range r.national.Ages {
		if !row.validOn(a.Day) || age < row.From || row.Under > 0 && age >= row.Under || row.Reason != "" && row.Reason != a.Reason {
			continue
		}
		n := 0
		if row.LastDays > 0 {
			span := reasonRow{Age: &ageRangeRow{Under: row.Under}}
			if !span.inLastDays(row.LastDays, a.Answers.birth(), a.Day) {
				continue
			}
			n = 1
		}
		if row.Reason != "" {
			n = 2
		}
		if n > top {
			best, top = &r.national.Ages[i], n
		}
	}
	return best
}

// fingerprintsDiffer says whether the ages of a reason span the age from which
// fingerprints are taken, so that only a birth date can tell.
func (r *Reference) fingerprintsDiffer(reason Reason) bool {
	row := r.reason(reason)
	if row == nil || row.Age == nil {
		return false
	}
	seen := map[string]bool{}
	for _, g := range r.national.Ages {
		if g.Reason == "" && (row.Age.Under == 0 || g.From < row.Age.Under) && (g.Under == 0 || g.Under > row.Age.From) {
			seen[g.Fingerprints] = true
		}
	}
	return len(seen) > 1
}

// Collectors says who may take a card of a person born on birth (0: not known)
// on a day (table 7, R02.8). A card asked for below an age may still be taken
// as below it after the birthday.
func (r *Reference) Collectors(o OfficeID, p Product, birth, day Day) []Collector {
	age, askedUnder := adult, 0
	if row := r.product(p); row != nil && row.Under > 0 {
		age, askedUnder = row.Under-1, row.Under
	}
	if birth != 0 {
		age = ageOn(birth, day)
	}
	var out []Collector
	for _, l := range r.layersOf(o) {
		for _, c := range l.Collectors {
			fits := age >= c.From && (c.Under == 0 || age < c.Under) || c.Under > 0 && c.Under == askedUnder
			if c.validOn(day) && fits && !hasCollector(out, c.To) {
				out = append(out, Collector{c.To, c.Title, c.Rule, c.status()})
			}
		}
	}
	return out
}

func hasCollector(cs []Collector, to string) bool {
	for _, c := range cs {
		if c.To == to {
			return true
		}
	}
	return false
}
