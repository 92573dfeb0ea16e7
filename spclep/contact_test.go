package spclep

import (
	"strings"
	"testing"
)

// The office at Covasna moves on 1 December, and central IT says so beforehand.
// Whoever is told to come by then is sent to the old house, later to the new.
// What is not sure is told to nobody.
func TestAnOfficeMoves(t *testing.T) {
	r := loadWith(t, map[string]string{"covasna.yaml": `code: 1
=>code: 1
address:
  - {text: "Strada Exemplu nr. 1, Covasna", source: "S1", until: 2026-12-01}
  - {text: "Strada Model nr. 2, Covasna", source: "S1", since: 2026-12-01}
phone:
  - {text: "0200 000 000", status: assumed, until: 2026-12-01}
  - {text: "+40 (200) 000-001", since: 2026-12-01}
`})
	for day, want := range map[Day]Contact{
		NewDay(2026, 11, 30): {Address: "Strada Exemplu nr. 1, Covasna"},
		NewDay(2026, 12, 1):  {"Strada Model nr. 2, Covasna", "+40 (200) 000-001"},
	} {
		if got, err := r.Contact("covasna", day); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", day, got, err, want)
		}
	}
	if got, err := r.Contact("botosani", monday); err != nil || got != (Contact{}) {
		t.Errorf("an office without either: %+v, %v", got, err)
	}
	if _, err := r.Contact("sibiu", monday); err == nil || !strings.Contains(err.Error(), "covasna, botosani") {
		t.Errorf("an unknown office: %v", err)
	}
}

// An address was one text before there were rows; such a bundle is read on, and
// so is one that left it empty.
func TestAnAddressAlone(t *testing.T) {
	for text, want := range map[string]string{`"Strada Exemplu nr. 1"`: "Strada Exemplu nr. 1", `""`: ""} {
		r := loadWith(t, map[string]string{"covasna.yaml": "code: 1\n=>code: 1\naddress: " + text + "\n"})
		if got, err := r.Contact("covasna", monday); err != nil || got.Address != want {
			t.Errorf("address: %s is %+v, %v", text, got, err)
		}
	}
}

// The notices give neither (docs/rules.md, section 4), and nobody has made one up.
func TestTheBuiltinOfficesHaveNoAddress(t *testing.T) {
	for _, o := range rules(t).Offices() {
		if got, err := rules(t).Contact(o.ID, monday); err != nil || got != (Contact{}) {
			t.Errorf("%s is at %+v, %v, which stands in no source", o.ID, got, err)
		}
	}
}

// Each slip in an address or a number is named with file, line and key.
func TestBrokenContacts(t *testing.T) {
	for added, want := range map[string]string{
		`adress: [{text: "Strada Exemplu nr. 1"}]`: `covasna.yaml:6: adress: unknown key, did you mean "address"?`,
		`address: [{txt: "Strada Exemplu nr. 1"}]`: `covasna.yaml:6: address[0].txt: unknown key, did you mean "text"?`,
		`address: [{source: "S1"}]`:                `covasna.yaml:6: address[0].text: is missing`,
		`address: {text: "Strada Exemplu nr. 1"}`:  `covasna.yaml:6: address: a row of keys, expected a list`,
		`address:`:                        `covasna.yaml:6: address: is empty, expected text`,
		`address: "a\nb"`:                 `covasna.yaml:6: address: "a\nb" is no address, expected one line of at most 200 letters`,
		`address: [{text: " "}]`:          `covasna.yaml:6: address[0].text: " " is no address`,
		`phone: [{text: "0200 OOO 000"}]`: `covasna.yaml:6: phone[0].text: "0200 OOO 000" is no phone number, expected 6 to 15 digits`,
		`phone: "112"`:                    `covasna.yaml:6: phone: "112" is no phone number`,
		`phone: [{text: "0200 000 000", status: sure}]`:                                                 `covasna.yaml:6: phone[0].status: "sure" is not a status`,
		`phone: [{text: "0200 000 000", until: 2027-01-02}, {text: "0200 000 001", since: 2027-01-01}]`: `covasna.yaml:6: phone[1].text: overlaps in time with line 6`,
	} {
		r, err := Load(edited(t, map[string]string{"covasna.yaml": "code: 1\n=>code: 1\n" + added + "\n"}))
		if r != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", added, err, want)
		}
	}
	_, err := Load(edited(t, map[string]string{"national.yaml": "layer: national\n=>layer: national\nphone: \"0200 000 000\"\n"}))
	if err == nil || !strings.Contains(err.Error(), "phone: stands only in an office's layer") {
		t.Errorf("a phone for the nation: %v", err)
	}
}
