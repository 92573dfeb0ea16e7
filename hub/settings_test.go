package hub_test

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"condica/hub"
	"condica/hub/store"
	"condica/spclep"
	"condica/sync/bundle"
	"condica/sync/wire"
)

// keys makes IT's two keys known to the hub.
func (tw *town) keys() hub.SigningKey {
	tw.t.Helper()
	root, key := keyOf("root"), keyOf("signing")
	from := tw.now - 24*60*60*1000
	cert, err := bundle.Certify(root, "2026-1", key.Public().(ed25519.PublicKey), from, from+400*24*60*60*1000)
	if err == nil {
		err = tw.hub.SetSettingsRoot(tw.t.Context(), root.Public().(ed25519.PublicKey))
	}
	if err != nil {
		tw.t.Fatal(err)
	}
	return hub.SigningKey{Seed: key.Seed(), Certificate: cert}
}

// seal makes bundle number for a target, with changes "old=>new" of the
// office's file.
func (tw *town) seal(k hub.SigningKey, number int64, target string, edits ...string) string {
	tw.t.Helper()
	texts := spclep.BuiltinTexts()
	texts["bundle.yaml"] = strings.Replace(texts["bundle.yaml"], "bundle: 1\n", fmt.Sprintf("bundle: %d\n", number), 1)
	texts["settings.yaml"] = "format: 1\n"
	for _, e := range edits {
		old, new, _ := strings.Cut(e, "=>")
		if !strings.Contains(texts["covasna.yaml"], old) {
			tw.t.Fatalf("covasna.yaml does not hold %q", old)
		}
		texts["covasna.yaml"] = strings.Replace(texts["covasna.yaml"], old, new, 1)
	}
	b := bundle.Bundle{Number: number, Target: target, Issued: tw.now}
	for name, text := range texts {
		b.Files = append(b.Files, bundle.File{Name: name, Text: text})
	}
	private, err := k.Private()
	if err != nil {
		tw.t.Fatal(err)
	}
	box, err := bundle.Seal(private, k.Certificate, b)
	if err != nil {
		tw.t.Fatal(err)
	}
	return box
}

func (tw *town) publish(box string) {
	tw.t.Helper()
	if _, err := tw.hub.PublishSettings(tw.t.Context(), box); err != nil {
		tw.t.Fatal(err)
	}
}

// stands makes an exchange of a PC that says where its settings stand.
func (p *pc) stands(at wire.SettingsAt) wire.Answer {
	p.town.t.Helper()
	r := p.request()
	r.Settings = &at
	return p.send(r)
}

func carries(a wire.Answer) int64 {
	if a.Settings == nil {
		return 0
	}
	return a.Settings.Number
}

// A bundle goes once to each PC it is for: the newest of the nation's and the
// office's own, to a PC that neither has it nor has refused it. An older program
// that says nothing of settings is sent none.
func TestSettingsGoOutOnce(t *testing.T) {
	tw := newTown(t)
	covasna, botosani := tw.enrol("one", "covasna"), tw.enrol("two", "botosani")
	k := tw.keys()
	root := keyOf("root").Public().(ed25519.PublicKey)
	if a := covasna.stands(wire.SettingsAt{}); a.Root != nil || a.Settings != nil {
		t.Errorf("before anything is published: %+v", a)
	}
	tw.publish(tw.seal(k, 7, bundle.National))
	if a := covasna.stands(wire.SettingsAt{}); !root.Equal(ed25519.PublicKey(a.Root)) || carries(a) != 7 {
		t.Errorf("a PC enrolled before there were keys is told the root key %x, and is sent %d", a.Root, carries(a))
	}
	tw.publish(tw.seal(k, 8, "covasna"))
	for _, f := range []struct {
		pc   *pc
		at   wire.SettingsAt
		want int64
	}{
		{covasna, wire.SettingsAt{Root: true}, 8},
		{botosani, wire.SettingsAt{Root: true}, 7},
		{covasna, wire.SettingsAt{Root: true, Applied: 7, Proven: 7}, 8},
		{covasna, wire.SettingsAt{Root: true, Held: 8}, 0},
		{covasna, wire.SettingsAt{Root: true, Applied: 8, Proven: 7}, 0},
		{covasna, wire.SettingsAt{Root: true, Applied: 7, Proven: 7, Refused: 8}, 0},
		{covasna, wire.SettingsAt{Root: true, Applied: 9, Proven: 9}, 0}, // this hub was restored
		{botosani, wire.SettingsAt{Root: true, Applied: 7, Proven: 7}, 0},
	} {
		a := f.pc.stands(f.at)
		if carries(a) != f.want {
			t.Errorf("to a PC of %s at %+v the hub sends %d, want %d", f.pc.office, f.at, carries(a), f.want)
		}
	}
	if a := covasna.sync(); a.Settings != nil {
		t.Error("a PC that says nothing of settings was sent some")
	}
	tw.publish(tw.seal(k, 9, bundle.National))
	if a := covasna.stands(wire.SettingsAt{Root: true, Applied: 8, Proven: 8}); carries(a) != 9 {
		t.Errorf("after the nation's bundle 9 Covasna is sent %d", carries(a))
	}
	tok := tw.token("covasna")
	var e wire.Enrolled
	fresh := &pc{town: tw, key: keyOf("four"), office: "covasna"}
	if status := fresh.post("/v1/enroll", mustJSON(t, wire.Enroll{V: 1, Secret: tok.Secret, Pub: fresh.pub(), Name: "four"}), nil, &e); status != 200 || !root.Equal(ed25519.PublicKey(e.Root)) {
		t.Errorf("enrolled with status %d, root key %x", status, e.Root)
	}
}

// Whoever waits for news hears of settings at once, also of those that another
// process has published on the same store.
func TestSettingsWakeThePoll(t *testing.T) {
	tw := newTown(t)
	one := tw.enrol("one", "covasna")
	k := tw.keys()
	waits := func(at wire.SettingsAt) func() wire.Answer {
		r := one.request()
		r.Settings, r.WaitMs = &at, hold
		done := make(chan wire.Answer, 1)
		go func() {
			a, _ := one.try(r)
			done <- a
		}()
		tw.untilWaiting(1)
		return func() wire.Answer {
			select {
			case a := <-done:
				return a
			case <-time.After(patience):
				t.Error("the poll was not answered")
				return wire.Answer{}
			}
		}
	}
	one.sync()
	waiting := waits(wire.SettingsAt{Root: true})
	tw.publish(tw.seal(k, 7, bundle.National))
	if a := waiting(); carries(a) != 7 {
		t.Errorf("the poll brings %d, want 7", carries(a))
	}
	waiting = waits(wire.SettingsAt{Root: true, Applied: 7, Proven: 7})
	if err := tw.store.AddSettings(t.Context(), store.Published{Number: 8, Target: "covasna", AtMs: 1, Box: tw.seal(k, 8, "covasna")}); err != nil {
		t.Fatal(err)
	}
	if a := waiting(); carries(a) != 8 {
		t.Errorf("after another process published, the poll brings %d, want 8", carries(a))
	}
}

// What the hub does not publish, and why. The same bundle twice is one.
func TestPublishing(t *testing.T) {
	tw := newTown(t)
	if _, err := tw.hub.PublishSettings(t.Context(), "anything"); !errors.Is(err, hub.ErrNoKeys) {
		t.Errorf("without keys: %v", err)
	}
	k := tw.keys()
	tw.enrol("one", "covasna")
	seven := tw.seal(k, 7, bundle.National)
	tw.publish(seven)
	tw.publish(seven)
	for name, f := range map[string]struct{ box, code, say string }{
		"torn":            {seven[:200], bundle.Torn, ""},
		"number used":     {tw.seal(k, 7, "covasna"), bundle.Replayed, "number 7"},
		"number below":    {tw.seal(k, 6, "covasna"), bundle.Downgraded, "7 is published"},
		"unknown office":  {tw.seal(k, 8, "sibiu"), bundle.OtherOffice, "sibiu"},
		"a typo":          {tw.seal(k, 8, "covasna", "kind: booked=>kind: bokked"), bundle.Contents, "covasna.yaml:11: hours[0].kind"},
		"nothing offered": {tw.seal(k, 8, "covasna", "offers:=>terms_of: []\noffers:"), bundle.Contents, "terms_of: unknown key"},
	} {
		_, err := tw.hub.PublishSettings(t.Context(), f.box)
		var e *bundle.Error
		if !errors.As(err, &e) || e.Code != f.code || !strings.Contains(e.Say, f.say) {
			t.Errorf("%s: %v, want %s: %s", name, err, f.code, f.say)
		}
	}
	if err := tw.hub.SetSettingsRoot(t.Context(), keyOf("another").Public().(ed25519.PublicKey)); err == nil {
		t.Error("the hub took a second root key, which no PC would go by")
	}
}

// The hub books by what it has published: for the office that it is for.
func TestHubBooksByPublishedRules(t *testing.T) {
	tw := newTown(t)
	k := tw.keys()
	tw.publish(tw.seal(k, 7, "covasna", "links:=>days:\n  - {day: 2026-12-01, last: 2026-12-31, kind: closed, title: \"renovare\"}\nlinks:"))
	day, err := spclep.ParseDay("2026-12-02")
	if err != nil {
		t.Fatal(err)
	}
	ask := hub.BookAsk{Office: "covasna", Reason: "R05", Day: day, At: 9 * 60, Name: "Mostră Ion", Email: "p@example.ro", Consent: true, By: "hub"}
	if _, err := tw.hub.Book(t.Context(), ask); err == nil || !strings.Contains(err.Error(), "renovare") {
		t.Errorf("a booking on a day that is closed: %v", err)
	}
	ask.Office, ask.Reason, ask.At = "botosani", "R08", 10*60
	made, err := tw.hub.Book(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := tw.hub.Booking(t.Context(), "botosani", made.ID)
	if err != nil || b.Visit.Booked.Bundle != 1 || b.Visit.Booked.List == "" {
		t.Errorf("another office's booking: %+v, %v", b.Visit.Booked, err)
	}
}

// Where each PC stands is what it last said.
func TestSettingsStatus(t *testing.T) {
	tw := newTown(t)
	one, two := tw.enrol("one", "covasna"), tw.enrol("two", "covasna")
	k := tw.keys()
	tw.publish(tw.seal(k, 7, bundle.National))
	one.stands(wire.SettingsAt{Root: true, Applied: 7, Proven: 7})
	two.stands(wire.SettingsAt{Root: true, Refused: 7, Code: bundle.NotProven, Say: "page /: the desk answers with status 500"})
	newest, pcs, err := tw.hub.SettingsStatus(t.Context())
	if err != nil || len(newest) != 1 || newest[0].Number != 7 || newest[0].Key != "2026-1" || len(pcs) != 2 {
		t.Fatalf("%+v, %+v, %v", newest, pcs, err)
	}
	if p := pcs[0]; !p.InStep || p.Desired != 7 || p.Proven != 7 || p.LastMs != tw.now {
		t.Errorf("the first PC: %+v", p)
	}
	if p := pcs[1]; p.InStep || p.Refused != 7 || p.Code != bundle.NotProven || p.Applied != 0 || !strings.Contains(p.Say, "500") {
		t.Errorf("the second PC: %+v", p)
	}
}
