package hub_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
	"testing"

	"condica/hub"
	"condica/spclep"
	"condica/spclep/code"
)

func (tw *town) ask() hub.BookAsk {
	tw.t.Helper()
	day := tw.hub.Reference.NextWorkingDay("covasna", tw.hub.Today().Add(7))
	slots, err := tw.hub.Reference.Slots("covasna", day)
	if err != nil || len(slots) == 0 {
		tw.t.Fatalf("slots of %s: %v, %v", day, slots, err)
	}
	return hub.BookAsk{Office: "covasna", Reason: "R05", Day: day, At: slots[0], Name: "Ștefan Pârvu", Email: "stefan@example.ro", Consent: true, By: "hub"}
}

// A booking is made by the rules; each breach is refused with its rule, and
// leaves nothing.
func TestBookingRules(t *testing.T) {
	tw := newTown(t)
	good := tw.ask()
	for want, change := range map[string]func(*hub.BookAsk){
		"consent-missing":    func(a *hub.BookAsk) { a.Consent = false },
		"email-invalid":      func(a *hub.BookAsk) { a.Email = "nobody" },
		"name-missing":       func(a *hub.BookAsk) { a.Name = " " },
		"past-day":           func(a *hub.BookAsk) { a.Day = tw.hub.Today().Add(-1) },
		"beyond-window":      func(a *hub.BookAsk) { a.Day = tw.hub.Today().Add(300) },
		"no-such-slot":       func(a *hub.BookAsk) { a.At = 3 * 60 },
		"reason-not-offered": func(a *hub.BookAsk) { a.Reason = "R99" },
	} {
		ask := good
		change(&ask)
		_, err := tw.hub.Book(t.Context(), ask)
		if r, ok := spclep.Refused(err); !ok || r.Code != want {
			t.Errorf("want a refusal %s, got %v", want, err)
		}
	}
	nowhere := good
	nowhere.Office = "nowhere"
	if _, err := tw.hub.Book(t.Context(), nowhere); err == nil {
		t.Error("a booking at an office that is not in the bundle")
	}
	if heads, err := tw.store.Heads(t.Context()); err != nil || len(heads) != 0 {
		t.Errorf("refused bookings left edits: %v, %v", heads, err)
	}
}

// One booking a person (B07), however the name is written; a relative with the
// same e-mail may book; after giving it back the person may book again.
func TestOneBookingAPerson(t *testing.T) {
	tw := newTown(t)
	ask := tw.ask()
	slots, err := tw.hub.Reference.Slots("covasna", ask.Day)
	if err != nil {
		t.Fatal(err)
	}
	first, err := tw.hub.Book(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	again := ask
	again.At, again.Name = slots[1], "PARVU Stefan"
	if _, err := tw.hub.Book(t.Context(), again); refusedBy(err) != "already-booked" {
		t.Errorf("the same person again: %v", err)
	}
	wife := again
	wife.Name = "Ana Pârvu-Exemplu"
	if _, err := tw.hub.Book(t.Context(), wife); err != nil {
		t.Errorf("a relative: %v", err)
	}
	full := ask
	full.Name, full.Email = "Ion Model", "ion@example.ro"
	if _, err := tw.hub.Book(t.Context(), full); refusedBy(err) != "slot-full" {
		t.Errorf("a second person in the slot: %v", err)
	}
	if err := tw.hub.Cancel(t.Context(), "covasna", first.ID, "citizen", "it"); err != nil {
		t.Fatal(err)
	}
	if err := tw.hub.Cancel(t.Context(), "covasna", first.ID, "citizen", "it"); err == nil {
		t.Error("a booking was given back twice")
	}
	if _, err := tw.hub.Book(t.Context(), full); err != nil {
		t.Errorf("the slot that was given back: %v", err)
	}
	again.At = slots[2]
	if _, err := tw.hub.Book(t.Context(), again); err != nil {
		t.Errorf("the person after giving back: %v", err)
	}
	if err := tw.hub.Cancel(t.Context(), "covasna", "NNNNNNNN", "citizen", "it"); !errors.Is(err, hub.ErrNoBooking) {
		t.Errorf("giving back what does not exist: %v", err)
	}
}

func refusedBy(err error) string {
	if r, ok := spclep.Refused(err); ok {
		return r.Code
	}
	return ""
}

// Many ask for the last place at once; one has it.
func TestLastPlace(t *testing.T) {
	tw := newTown(t)
	ask := tw.ask()
	var wg sync.WaitGroup
	made := make(chan error, 12)
	for i := range cap(made) {
		a := ask
		a.Name, a.Email = fmt.Sprintf("Pop %c", 'A'+i), fmt.Sprintf("pop%d@example.ro", i)
		wg.Go(func() {
			_, err := tw.hub.Book(context.Background(), a)
			made <- err
		})
	}
	wg.Wait()
	close(made)
	won := 0
	for err := range made {
		switch {
		case err == nil:
			won++
		case refusedBy(err) != "slot-full":
			t.Errorf("a loser was told %v", err)
		}
	}
	if want := tw.hub.Reference.Capacity("covasna", ask.Day); won != want {
		t.Errorf("%d have the slot of %d", won, want)
	}
}

// A list is booked whole or not at all; each row that cannot be booked is named.
func TestListAllOrNone(t *testing.T) {
	tw := newTown(t)
	a, b, c := tw.ask(), tw.ask(), tw.ask()
	b.Name, b.Email = "Ion Model", "ion@example.ro" // the slot of a
	c.Name, c.Email = "", "c@example.ro"
	_, err := tw.hub.BookAll(t.Context(), []hub.BookAsk{a, b, c})
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) || len(joined.Unwrap()) != 2 {
		t.Fatalf("the list gave %v", err)
	}
	for i, want := range []string{"slot-full", "name-missing"} {
		var at *hub.AskError
		if e := joined.Unwrap()[i]; !errors.As(e, &at) || at.Index != i+1 || refusedBy(e) != want {
			t.Errorf("row %d: %v, want %s", i+2, e, want)
		}
	}
	if heads, err := tw.store.Heads(t.Context()); err != nil || len(heads) != 0 {
		t.Errorf("half a list was booked: %v, %v", heads, err)
	}
}

// The code that the citizen takes home is checked with the keys the PCs are
// given, and says what was booked.
func TestCode(t *testing.T) {
	tw := newTown(t)
	ask := tw.ask()
	b, err := tw.hub.Book(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	a := tw.enrol("one", "covasna").sync()
	keys := map[uint8]ed25519.PublicKey{}
	for _, k := range a.Keys {
		keys[k.ID] = k.Pub
	}
	got, err := code.Verify(b.Code, keys)
	if err != nil || got.ID != b.ID || got.Day != ask.Day || got.At != ask.At || got.Reason != ask.Reason || got.Office != 1 {
		t.Errorf("the code says %+v, %v", got, err)
	}
}

// The hub cannot write what no PC could take.
func TestHubWritesOnlyWhatCanBeRead(t *testing.T) {
	tw := newTown(t)
	b := tw.book("covasna", 0)
	if err := tw.hub.SetField(t.Context(), "covasna", b.ID, "answer.a/b", "x", "it"); err == nil {
		t.Error("a field with a slash was written")
	}
	p := tw.enrol("one", "covasna")
	if p.sync(); len(p.held) != 1 {
		t.Errorf("the PC holds %d edits", len(p.held))
	}
}
