package spclep

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Written by hand from the notices: who comes, with which answers, and what
// the list then asks for.
func TestPapersAsTheNoticesSay(t *testing.T) {
	r := rules(t)
	for _, c := range []struct{ who, want string }{
		{"covasna R01 single", "R01.1 R01.6 R01.10"},
		{"covasna R01 first_cei=no civil=married children_lt14=yes", "R01.1 R01.2 R01.5 R01.6 R01.10"},
		{"botosani R01 civil=divorced", "R01.1 R01.3 R01.6 R01.10"},
		{"covasna R01 civil=widowed has_residence=yes owner=no", "R01.1 R01.2 R01.4 R01.6 R01.7 R01.9 R01.10"},
		{"botosani R01 address_proof=b owner=no", "R01.1 R01.6 R01.6-2 R01.9 R01.10"},
		{"covasna R02 birth=2018-05-05", "R01.1 R01.6 R01.10"},
		{"covasna R02 birth=2018-05-05 one_parent=yes declaration_abroad=yes", "R01.1 R01.6 R01.10 R02.2 R02.3"},
		{"botosani R02 birth=2018-05-05 parents_disagree=yes", "R01.1 R01.6 R01.10 R02.4"},
		{"covasna R02 birth=2012-12-01", "R01.1 R01.6"}, // free, so no receipt (F05)
		{"covasna R03", "R01.1 R01.6 R01.10"},
		{"covasna R04 parents_married=yes", "R04C.1 R04C.2 R04C.3 R04C.4 R04C.6"},
		{"covasna R04 parents_divorced=yes", "R04C.1 R04C.2 R04C.3 R04C.5 R04C.6"},
		{"botosani R04 parents=divorced", "R04B.1 R04B.2 R04B.3-2 R04B.5"},
		{"botosani R04 parents=other guardian=yes", "R04B.1 R04B.2 R04B.4 R04B.5"},
		{"covasna R05", "R05.1 R05.2 R05.3 R05.4 R05.5"},
		{"botosani R05", "R05.1 R05.2 R05.3 R05.4 R05.5"},
		{"covasna R06", "R06C.1 R06C.2 R06C.3 R06C.4"},
		{"botosani R06", "R06B.1 R06B.2 R06B.3 R06B.4"},
		{"covasna R07 foreign_doc_entry=yes civil=divorced", "R07C.1 R07C.2 R07C.3 R07C.4 R07C.5 R07C.6 R07C.7 R07C.8"},
		{"botosani R07", "R07B.1 R07B.2 R07B.3 R07B.4 R07B.5 R07B.6"},
		{"covasna R08 has_voter_card=yes civil=married children_lt14=yes has_residence=yes",
			"R08C.1 R08C.2 R08C.2-2 R08C.3 R08C.3-2 R08C.6 R08C.7 R08C.7-2 R08C.8"},
		{"covasna R08 data_changed=yes civil=widowed", "R08C.1 R08C.2 R08C.3 R08C.3-2 R08C.5 R08C.7 R08C.8 R08C.9"},
		{"botosani R08 civil=single", "R08B.1 R08B.2 R08B.3a R08B.4 R08B.5"},
		{"botosani R08 civil=widowed children_lt14=yes", "R08B.1 R08B.2 R08B.3d R08B.3d-2 R08B.3d-3 R08B.3e R08B.4 R08B.5"},
		{"botosani R09 name_change=admin", "R09.1 R09.2 R09.3a R09.3a-2 R09.4 R09.5"},
		{"botosani R09 name_change=divorce has_voter_card=yes", "R09.1 R09.2 R09.2-2 R09.3c R09.3c-2 R09.4 R09.5"},
		{"covasna R09 name_change=admin", "R08C.1 R08C.2 R08C.3 R08C.7 R08C.8 R08C.9"},
		{"botosani R10 civil=divorced", "R08B.1 R08B.2 R08B.3c R08B.3c-2 R08B.4 R08B.5"},
		{"covasna R10", "R08C.1 R08C.2 R08C.3 R08C.7 R08C.8"},
		{"covasna R11 stolen=yes", "R11C.1 R11C.3 R11C.8 R11C.9 R11C.10 R11C.11"},
		{"covasna R11 damage=damaged has_voter_card=yes", "R11C.1 R11C.2 R11C.2-2 R11C.3 R11C.8 R11C.10 R11C.11"},
		{"botosani R11 damage=stolen", "R08B.1 R08B.2 R08B.3a R08B.4 R08B.5 R11B.9"},
		{"botosani R11 damage=lost", "R08B.1 R08B.2 R08B.3a R08B.4 R08B.5"},
		{"covasna R12 host=yes host_absent=yes", "R12.1 R12.2 R12.3 R12.4 R12.5"},
		{"botosani R12 host=yes", "R12.1 R12.2 R12.3"},
		{"botosani R13 civil=married", "R13.1 R08B.3b R08B.3b-2 R13.3 R13.4 R13.5 R13.6"},
		{"botosani R14 civil=married children_lt14=yes", "R14.1 R14.2 R14.3 R14.4 R14.4-2 R14.4-3 R14.5 R14.6 R14.7 R14.8"},
		{"botosani R14 residence_permit=no", "R14.1 R14.2 R14.4 R14.5 R14.6 R14.7"},
		{"botosani R15 requester_not_spouse=yes", "R15.1 R15.2 R15.3 R15.4 R15.5"},
		{"covasna R15", "R15.1 R15.2 R15.3 R15.4"},
		{"botosani R16 civil=single", "R16.1 R16.2 R16.3 R16.4 R08B.3a R16.6 R16.6-2"},
		{"covasna R17", ""},
	} {
		list, err := r.Papers(asking(c.who))
		if err != nil || ids(list.Papers) != c.want {
			t.Errorf("%s:\n got %s (%v)\nwant %s", c.who, ids(list.Papers), err, c.want)
		}
	}
}

// asking reads "covasna R01 civil=married": a visit on our Monday.
func asking(s string) Ask {
	f := strings.SplitN(s, " ", 3)
	a := Ask{Office: OfficeID(f[0]), Reason: Reason(f[1]), Day: monday}
	if len(f) > 2 {
		a.Answers = answers(f[2])
	}
	return a
}

func paperOf(t *testing.T, r *Reference, who, id string) Paper {
	t.Helper()
	list, err := r.Papers(asking(who))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list.Papers {
		if p.ID == id {
			return p
		}
	}
	t.Fatalf("%s: no paper %s among %s", who, id, ids(list.Papers))
	return Paper{}
}

// The two offices want different numbers of photographs of the same person (X10).
func TestPhotosDifferByOffice(t *testing.T) {
	r := rules(t)
	here, there := paperOf(t, r, "covasna R07", "R07C.7"), paperOf(t, r, "botosani R07", "R07B.2")
	if here.Quantity != 2 || there.Quantity != 3 {
		t.Errorf("photos: covasna %d, botosani %d, want 2 and 3", here.Quantity, there.Quantity)
	}
	if here.Status != Contradicted || there.Status != Contradicted {
		t.Errorf("statuses %s and %s, want contradicted", here.Status, there.Status)
	}
}

// The same certificate is brought in original and copy for the old card, and
// in original alone for an electronic or a simple one (X06).
func TestFormFollowsTheCard(t *testing.T) {
	r := rules(t)
	for product, want := range map[Product]Form{"": Both, "CI_1997": Both, "CEI_NEW": Original, "CEI": Original, "CIS": Original} {
		a := asking("covasna R08")
		a.Product = product
		list, err := r.Papers(a)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list.Papers {
			if p.ID == "R08C.3" && p.Form != want {
				t.Errorf("product %q: birth certificate as %s, want %s", product, p.Form, want)
			}
		}
	}
}

// Unanswered, every way to prove the address is shown, the land-registry
// extract with its 30 days; answered, the one chosen with what goes with it.
func TestProofOfAddress(t *testing.T) {
	r := rules(t)
	open := paperOf(t, r, "covasna R01", "R01.6")
	if len(open.OneOf) != 5 || open.OneOf[0].MaxAgeDays != 30 || open.MaxAgeDays != 30 {
		t.Errorf("open: %d ways, %d days", len(open.OneOf), open.MaxAgeDays)
	}
	b := paperOf(t, r, "botosani R08 address_proof=b", "R08B.4-2")
	if !strings.Contains(b.Title, "actul de proprietate") {
		t.Errorf("botosani b: %q, want the host's act of ownership", b.Title)
	}
	a := paperOf(t, r, "covasna R01 address_proof=a", "R01.6")
	if len(a.OneOf) != 1 || a.OneOf[0].ID != "AD.a" || a.MaxAgeDays != 0 {
		t.Errorf("a: %+v", a)
	}
	// The old lists take no land-registry extract (AD.x).
	if old := paperOf(t, r, "covasna R08", "R08C.7"); len(old.OneOf) != 4 {
		t.Errorf("old list: %d ways, want 4", len(old.OneOf))
	}
	// A list borrowed from Botoșani is proven the Covasna way (X14).
	if p := paperOf(t, r, "covasna R13 address_proof=b", "R13.3-2"); !strings.Contains(p.Title, "litera a)") {
		t.Errorf("borrowed: %q", p.Title)
	}
}

// A borrowed list says that it is one, and whose.
func TestBorrowedListSaysSo(t *testing.T) {
	list, err := rules(t).Papers(asking("covasna R14"))
	if err != nil {
		t.Fatal(err)
	}
	if list.Status != Assumed || len(list.Notes) == 0 || list.Notes[0].Code != "borrowed-list" {
		t.Errorf("status %s, notes %+v", list.Status, list.Notes)
	}
	for _, p := range list.Papers {
		if p.Status != Assumed {
			t.Errorf("%s is %s", p.ID, p.Status)
		}
	}
}

// The version is the list's own: it stays when the bundle's number moves and
// changes with anything the person is shown.
func TestVersionFollowsTheList(t *testing.T) {
	r := rules(t)
	version := func(who string) string {
		t.Helper()
		list, err := r.Papers(asking(who))
		if err != nil {
			t.Fatal(err)
		}
		return list.Version
	}
	one := version("covasna R01")
	if one != version("covasna R01 civil=single") {
		t.Error("saying what is presumed changed the version")
	}
	if one == version("covasna R01 civil=married") {
		t.Error("another paper did not change the version")
	}
	r.head.Bundle++
	if one != version("covasna R01") {
		t.Error("the bundle's number changed the version")
	}
}

func TestQuestionsThatMatter(t *testing.T) {
	r := rules(t)
	for _, c := range []struct{ who, want string }{
		{"covasna R01", "first_cei civil children_lt14 address_proof owner has_residence"},
		{"covasna R02", "birth address_proof owner has_residence one_parent parents_disagree"},
		{"covasna R02 one_parent=yes", "birth address_proof owner has_residence one_parent declaration_abroad parents_disagree"},
		{"covasna R04", "birth parents"},
		{"botosani R04", "birth parents guardian"},
		{"covasna R11", "civil children_lt14 address_proof has_residence damage"},
		{"covasna R11 damaged=yes", "civil children_lt14 address_proof has_residence has_voter_card damage"},
		{"botosani R09", "address_proof has_voter_card name_change"},
		{"covasna R12", "host"},
		{"covasna R12 host=yes", "host host_absent"},
		{"covasna R17", ""},
	} {
		qs, err := r.Questions(asking(c.who))
		var keys []string
		for _, q := range qs {
			keys = append(keys, q.Key)
		}
		if got := strings.Join(keys, " "); err != nil || got != c.want {
			t.Errorf("%s: asks %s (%v), want %s", c.who, got, err, c.want)
		}
	}
}

// A slip in an answer is named with what would be right; an answer to a
// question of another list is no slip.
func TestAnswersAreChecked(t *testing.T) {
	r := rules(t)
	for _, c := range []struct{ given, want string }{
		{"civil=maried", "single, married, divorced, widowed"},
		{"civl=married", "civil"},
		{"owner=perhaps", "yes or no"},
		{"birth=1.2.2012", "YYYY-MM-DD"},
		{"stolen=twice", "yes or no"},
		{"name_change=admin birth=2012-02-01 stolen=yes owner=no", ""},
	} {
		err := r.CheckAnswers(Ask{Answers: answers(c.given)})
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.given, err, c.want)
		}
	}
}

var update = flag.Bool("update", false, "rewrite testdata; read the difference before you commit it")

// Every reason at both offices with all presumed answers, word for word: what
// a change of the data or the code changes for people is seen in review.
func TestListsWordForWord(t *testing.T) {
	r := rules(t)
	var b strings.Builder
	for _, o := range r.Offices() {
		for _, reason := range r.Reasons(o.ID, monday) {
			a := Ask{Office: o.ID, Reason: reason.Code, Day: monday}
			list, err := r.Papers(a)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s %s %s %s %s\n", o.ID, reason.Code, reason.Short, list.Product, list.Status)
			fmt.Fprintf(&b, "  %s semnează: %s\n", list.AgeRule, list.Signs)
			for _, p := range list.Papers {
				fmt.Fprintf(&b, "  %s [%s x%d %s] %s (%s)\n", p.ID, p.Form, p.Quantity, p.Status, p.Title, p.Source)
			}
			for _, n := range list.Notes {
				fmt.Fprintf(&b, "  ! %s %s: %s\n", n.Rule, n.Code, n.Text)
			}
		}
	}
	const file = "testdata/lists.golden"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got, lines := strings.Split(b.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(lines)) {
		if i >= len(got) || i >= len(lines) || got[i] != lines[i] {
			t.Fatalf("%s:%d differs; run go test -run WordForWord -update and read the difference", file, i+1)
		}
	}
}

// Nothing due, nothing to show; a price nobody knows stops nobody.
func TestReceiptFollowsTheFee(t *testing.T) {
	r := rules(t)
	if p := paperOf(t, r, "covasna R01 first_cei=no", "R01.10"); !strings.Contains(p.Title, "(70 lei)") || p.IfApplicable {
		t.Errorf("a new card: %+v", p)
	}
	if p := paperOf(t, r, "covasna R01 first_cei=yes", "R01.10"); !p.IfApplicable || !strings.Contains(p.Why, "întrebați la ghișeu") {
		t.Errorf("a first card after June 2026: %+v", p)
	}
	a := asking("covasna R01")
	a.Day = day(t, "2026-06-30")
	list, err := r.Papers(a)
	if err != nil || ids(list.Papers) != "R01.1 R01.6" {
		t.Errorf("a first card in June 2026: %s (%v)", ids(list.Papers), err)
	}
}

// A paper taken over from another list keeps its id, so that a tick stays when
// the reason changes, and names the rule of the list it stands on.
func TestIncludedPapersNameTheirRule(t *testing.T) {
	p := paperOf(t, rules(t), "botosani R13 civil=married", "R08B.3b")
	if p.Rule != "R13.2" || p.Source != "S3:153-158" || p.Why != "căsătorit(ă)" {
		t.Errorf("%+v", p)
	}
}

// The widow's marriage certificate is asked where it is the case, and is no
// reason to send her away.
func TestOptionalForTheWidowed(t *testing.T) {
	r := rules(t)
	if !paperOf(t, r, "covasna R11 civil=widowed", "R11C.4").IfApplicable || paperOf(t, r, "covasna R11 civil=married", "R11C.4").IfApplicable {
		t.Error("R11C.4 is optional for the wrong person")
	}
}
